"""What does not fit in a JSON document, and where?"""

from __future__ import annotations

from iceye_derivatives.errors import Fault

__all__ = ["WireError", "join"]

_SHOWN = 5


class WireError(ValueError):
    """JSON that is not what ICEYE documents; ``.faults`` names each place by its JSON path.

    Faults never quote the value: it may be a signed link.
    """

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        listed = "; ".join(
            f"{found.path or 'the document'}: {found.message}" for found in faults[:_SHOWN]
        )
        more = len(faults) - _SHOWN
        super().__init__(f"{listed}; and {more} more" if more > 0 else listed)

    @classmethod
    def of(cls, message: str, path: str = "") -> WireError:
        """One fault as an error; its path is relative to whoever catches it."""
        return cls((Fault(path, message),))


def join(path: str, name: str) -> str:
    """``a`` and ``b`` to ``a.b``, ``a`` and ``[0]`` to ``a[0]``."""
    return f"{path}.{name}" if path and name and not name.startswith("[") else path + name
