"""What does a text say that is JSON as RFC 8259 has it, and nothing beyond?"""

from __future__ import annotations

import json
from typing import Any, Final

from iceye_derivatives._core.geojson_rules import NotGeoJson

__all__ = ["parsed"]


def parsed(body: bytes) -> Any:  # noqa: ANN401 - any JSON
    """The value, with all numbers as they are written but those with a fraction.

    Raises:
        UnicodeDecodeError: it is not UTF-8.
        JSONDecodeError: it is not JSON.
        NotGeoJson: it holds NaN or Infinity.
        RecursionError: it is nested too deep.
    """
    # Strict UTF-8, as RFC 8259 demands; a byte order mark is one thing that it lets a parser
    # forgive.  Decoded here, because `json.loads` on bytes would also guess UTF-16 and UTF-32.
    return _STRICT.decode(body.decode("utf-8-sig"))


def _no_constant(name: str) -> Any:  # noqa: ANN401 - the signature that json asks for
    # Python writes NaN and Infinity by itself, and most other readers then refuse the whole file.
    raise NotGeoJson(f"it holds {name}, which is not JSON")


# Made once: `json.loads` makes one for each call that asks for anything.
# Numbers are not judged, and `int` would refuse those of thousands of digits, which are good JSON.
_STRICT: Final = json.JSONDecoder(parse_constant=_no_constant, parse_int=str)
