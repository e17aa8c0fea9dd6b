"""How is a package of the extra `geo` asked for, and what is said where it is missing?"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from iceye_derivatives.errors import ConfigurationError

__all__ = ["need"]


def need(package: str, purpose: str) -> Any:  # noqa: ANN401  modules without types
    """The package, imported when it is needed and not before.

    Raises:
        ConfigurationError: it is not installed.
    """
    try:
        return import_module(package)
    except ImportError:
        raise ConfigurationError(
            f"{purpose} needs {package.partition('.')[0]}, which is not installed: "
            "run pip install 'iceye-derivatives[geo]'"
        ) from None
