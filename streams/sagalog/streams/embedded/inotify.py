"""Being told by Linux that a file was written."""

import ctypes
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

IN_MODIFY: Final = 0x2
EVENTS: Final = 4096


class FileEvents:
    """A descriptor that is readable once the file was written.

    Raises OSError where there is no inotify, or no more of it for this user.
    """

    def __init__(self, path: Path) -> None:
        if not sys.platform.startswith("linux"):
            raise OSError("inotify is Linux's")
        libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor: Final[int] = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.descriptor < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        if libc.inotify_add_watch(self.descriptor, os.fsencode(path), IN_MODIFY) < 0:
            self.close()
            raise OSError(ctypes.get_errno(), "inotify_add_watch")

    def clear(self) -> None:
        """Forget what was written until now."""
        with suppress(BlockingIOError):
            os.read(self.descriptor, EVENTS)

    def close(self) -> None:
        """Let go of the descriptor."""
        os.close(self.descriptor)
