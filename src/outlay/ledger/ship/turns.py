"""Whose turn it is to ship: one process at a time, by a lock on a file beside the journals."""

import contextlib
import os
import sys
import threading
from pathlib import Path

from outlay.atomic import private_folder

if sys.platform == "win32":
    import filelock

    class _Lock:
        def __init__(self, path: Path) -> None:
            self._lock = filelock.FileLock(path, timeout=0)

        def take(self) -> bool:
            try:
                self._lock.acquire()
            except filelock.Timeout:
                return False
            return True

        def give(self) -> None:
            self._lock.release()

        def abandon(self) -> None:
            """Nothing is inherited: Windows does not fork."""

else:
    import fcntl

    class _Lock:
        """Held by an open file, so that it goes with the process, also on a network folder."""

        def __init__(self, path: Path) -> None:
            self._path = path
            self._descriptor: int | None = None

        def take(self) -> bool:
            private_folder(self._path.parent)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return False
            except OSError:  # a network folder without locks, say: nobody else has it, and neither have we
                os.close(descriptor)
                raise
            self._descriptor = descriptor
            return True

        def give(self) -> None:
            descriptor, self._descriptor = self._descriptor, None
            if descriptor is not None:
                fcntl.flock(descriptor, fcntl.LOCK_UN)  # a forked child may hold a copy of the descriptor
                os.close(descriptor)

        def abandon(self) -> None:
            """Close a parent's lock in a forked child, without unlocking it."""
            descriptor, self._descriptor = self._descriptor, None
            if descriptor is not None:
                with contextlib.suppress(OSError):
                    os.close(descriptor)


class Turn:
    """The right to ship to one target; threads of this process take turns too."""

    def __init__(self, path: Path) -> None:
        self._mine = threading.Lock()
        self._lock = _Lock(path)

    def take(self) -> bool:
        """Take the turn if nobody has it; never waits.

        Raises:
            OSError: the lock's file cannot be opened, or its folder knows no locks.
        """
        if not self._mine.acquire(blocking=False):
            return False
        taken = False
        try:
            taken = self._lock.take()
        finally:
            if not taken:
                self._mine.release()
        return taken

    def give(self) -> None:
        """Let others have it."""
        self._lock.give()
        self._mine.release()

    def abandon(self) -> None:
        """Forget a parent's turn in a forked child."""
        self._lock.abandon()
        self._mine = threading.Lock()
