"""Where do files go: a folder, or memory?

The only package that touches a disk.  Your own place is a class with the four methods of
`iceye_derivatives.protocols.Sink`; `iceye_derivatives.sharing` says what it may offer besides.
"""

from __future__ import annotations

from iceye_derivatives.sinks._directory import DirectorySink
from iceye_derivatives.sinks._inspect import inspect
from iceye_derivatives.sinks._memory import MemorySink

__all__ = ["DirectorySink", "MemorySink", "inspect"]
