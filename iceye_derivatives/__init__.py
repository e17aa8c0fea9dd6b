"""Order ICEYE tasks, watch for their derivatives, and download them before their links die."""

from __future__ import annotations

from iceye_derivatives._version import __version__

__all__ = ["__version__"]
