"""Which sink is meant by a folder or a URL?  The one place where that is told."""

from __future__ import annotations

import os
import re
from typing import Final

from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.protocols import Sink
from iceye_derivatives.sinks._directory import DirectorySink
from iceye_derivatives.sinks._object_store import ObjectStoreSink

__all__ = ["is_url", "sink_for"]

SCHEMES: Final = ("s3", "s3a", "gs", "az", "adl", "azure", "abfs", "abfss", "memory")
_URL = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
# What `pathlib` makes of a URL.
_LOST_SLASH = re.compile(rf"(?:{'|'.join(SCHEMES)}):/(?!/)")


def is_url(destination: object) -> bool:
    r"""Whether a URL is meant; ``C:\detections`` is none."""
    return isinstance(destination, str) and _URL.match(destination) is not None


def sink_for(destination: str | os.PathLike[str] | Sink) -> Sink:
    """A `DirectorySink` for a folder, an `ObjectStoreSink` for a URL; a sink is what it is.

    Raises:
        ConfigurationError: a URL of a scheme that no store of ours has.
    """
    if not isinstance(destination, str | os.PathLike):
        return destination
    path = os.fspath(destination)
    found = _URL.match(path)
    if found is None:
        if _LOST_SLASH.match(path):
            raise ConfigurationError(
                f"{path} was a URL before it was made a path: give it as a plain string"
            )
        return DirectorySink(path)
    if found[1].lower() not in SCHEMES:
        raise ConfigurationError(
            f"{found[1]}:// is no destination: give a folder, or a URL that begins with one of "
            f"{', '.join(f'{scheme}://' for scheme in SCHEMES)}"
        )
    return ObjectStoreSink.from_url(path)
