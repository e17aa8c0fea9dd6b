"""What do the bytes of a stored file hash to?"""

from __future__ import annotations

import os
import stat
from hashlib import sha256
from threading import Event

from iceye_derivatives.sinks._folder import NO_FILE, Folder

__all__ = ["hash_file"]

_BLOCK = 1024 * 1024


def hash_file(folder: Folder, name: str, stop: Event | None = None) -> tuple[int, str] | None:
    """Size and SHA-256 of a file; None where there is none, or no regular file.

    Args:
        folder: Where it is.
        name: Its name there.
        stop: Set when nobody waits for the answer any more: gigabytes take a while.
    """
    try:
        with folder.open_to_read(name) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            digest, size = sha256(), 0
            while not (stop and stop.is_set()) and (block := file.read(_BLOCK)):
                digest.update(block)
                size += len(block)
    except OSError as error:
        if error.errno in NO_FILE:
            return None
        raise
    return size, digest.hexdigest()
