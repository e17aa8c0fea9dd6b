"""How do bytes travel: the API's calls with our token, the store's files without it?

Below this folder, and only there, an HTTP client is known.  Everything that is a decision (pace,
retries, which links are followed, what an answer means) is asked of the core.
"""

from __future__ import annotations

from iceye_derivatives._transport.api import ApiTransport, Bearer
from iceye_derivatives._transport.files import FileTransport
from iceye_derivatives._transport.metered import MeteredSource
from iceye_derivatives._transport.session import SessionSettings

__all__ = ["ApiTransport", "Bearer", "FileTransport", "MeteredSource", "SessionSettings"]
