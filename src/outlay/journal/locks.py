"""Whether a segment's writer still lives: it holds an advisory lock on its file as long as it runs."""

import contextlib
import os
import sys
from pathlib import Path

if (
    sys.platform == "win32"
):  # no advisory locks: segments count as live, and a torn tail waits for its newline

    def hold(descriptor: int) -> None:
        """Mark nothing."""

    def is_live(path: Path) -> bool:  # noqa: ARG001  # the same signature as below
        """Say yes, since nobody can know."""
        return True

else:
    import fcntl

    def hold(descriptor: int) -> None:
        """Mark an open segment as being written; the mark goes with the last copy of the descriptor.

        A file system without locks leaves it unmarked; there :func:`is_live` says yes.
        """
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # a reader that asks holds it for microseconds

    def is_live(path: Path) -> bool:
        """Whether some process still writes this segment; an unreadable one counts as live."""
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except OSError:
            return True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False
