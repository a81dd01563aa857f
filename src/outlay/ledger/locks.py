"""One process at a time: a lock file, held for one question or one append.

Where the system has flock, it is taken directly: filelock takes longer to load than a question takes to
answer, and an append would spend more time on its lock than on everything else together. Elsewhere filelock
does it; both lock the same file.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from outlay.core.errors import LedgerBusyError

PATIENCE = 30.0  # seconds
_PAUSE = 0.002
Release = Callable[[], None]

if sys.platform == "win32":
    from filelock import FileLock, Timeout

    def take(path: str, patience: float) -> Release | None:
        """Take the lock file at ``path`` and give what lets go of it; None if that takes too long."""
        lock = FileLock(path, timeout=patience, poll_interval=_PAUSE)
        try:
            lock.acquire()
        except Timeout:
            return None
        return lock.release

else:
    import fcntl

    def take(path: str, patience: float) -> Release | None:
        """Take the lock file at ``path`` and give what lets go of it; None if that takes too long.

        The file is opened anew each time: a lock belongs to an open file, which a forked child would share.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            taken = _wait(descriptor, time.monotonic() + patience)
        except BaseException:
            os.close(descriptor)
            raise
        if not taken:
            os.close(descriptor)
            return None

        def release() -> None:
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # a forked child may hold a copy of the descriptor
            os.close(descriptor)

        return release

    def _wait(descriptor: int, deadline: float) -> bool:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    return False
                time.sleep(_PAUSE)
            else:
                return True


@contextmanager
def alone(path: str, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the lock file at ``path``; a LedgerBusyError when that takes longer than ``patience``."""
    release = take(path, patience)
    if release is None:
        raise LedgerBusyError(f"{path} was held by another process for {patience:g} seconds")
    try:
        yield
    finally:
        release()
