"""Where do files go: a folder, an object store, or memory?

The only package that touches a disk or an object store.  Your own place is a class with the four
methods of `iceye_derivatives.protocols.Sink`; `iceye_derivatives.sharing` says what it may offer
besides.
"""

from __future__ import annotations

from iceye_derivatives.sinks._destination import is_url, sink_for
from iceye_derivatives.sinks._directory import DirectorySink
from iceye_derivatives.sinks._inspect import inspect
from iceye_derivatives.sinks._memory import MemorySink
from iceye_derivatives.sinks._object_store import ObjectStoreSink

__all__ = ["DirectorySink", "MemorySink", "ObjectStoreSink", "inspect", "is_url", "sink_for"]
