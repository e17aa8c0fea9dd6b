"""Where is a mark written, so that a power cut leaves the old one or the new one?

A mark is set for each batch of a long file.  A new file each time, with a name of its own and then
that of the old one, was a tenth of what storing a gigabyte costs, and on a disk the file system
commits its journal for it.  So the sidecar is made once, and then its two pages are written in
turns, in place.
"""

from __future__ import annotations

import errno
import os
from typing import Final

from iceye_derivatives._core.part_names import sidecar_name
from iceye_derivatives._core.sidecar import Sidecar, render_page
from iceye_derivatives.sinks._disk import Steps
from iceye_derivatives.sinks._folder import Folder

__all__ = ["Marks"]

_IN_PLACE: Final = hasattr(os, "pwrite")
"""Not on Windows, where an open file could not be given the sidecar's name, either."""


class Marks:
    """The sidecar that one part has; all of this runs in a thread, within an open folder.

    If another process has taken the file over, it has put a sidecar of its own in the place of this
    one: what we write then has no name any more.
    """

    __slots__ = ("_descriptor", "_folder", "_length", "_name", "_other")

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._name = sidecar_name(folder.file)
        self._descriptor: int | None = None
        self._length = 0
        self._other = 0
        """Where the page begins that is written next."""

    def note(self, sidecar: Sidecar) -> Steps[None]:
        """Remember durably how far the part has come; its bytes were synced before."""
        page = render_page(sidecar)
        if self._descriptor is not None and len(page) == self._length:
            if os.pwrite(self._descriptor, page, self._other) < len(page):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            yield self._descriptor
            # Not before it is synced: until then the other one is the only good one.
            self._other = self._length - self._other
            return
        self.close()
        if _IN_PLACE:
            self._descriptor = yield from self._folder.place(self._name, page * 2)
            self._length, self._other = len(page), 0
        else:
            self._folder.replace(self._name, page * 2)

    def forget(self) -> None:
        """What it spoke of is given up, or whole."""
        self.close()
        self._folder.discard(self._name)

    def close(self) -> None:
        """It stays for whoever comes next; safe to call twice."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
