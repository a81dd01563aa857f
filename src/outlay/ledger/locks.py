"""One process at a time: a lock file, held for one question or one append.

Where the system has flock, it is taken directly: filelock takes longer to load than a question takes to
answer, and an append would spend more time on its lock than on everything else together. Elsewhere filelock
does it; both lock the same file.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO

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
        It is a file of Python's, which closes when nobody has it any more: Ctrl-C just before whoever asked
        has what lets go of it would else keep the lock, and all others out, until this process ends.
        """
        file = FileIO(path, "ab")
        try:
            taken = _wait(file, time.monotonic() + patience)
        except BaseException:
            file.close()
            raise
        if not taken:
            file.close()
            return None

        def release() -> None:
            fcntl.flock(file, fcntl.LOCK_UN)  # a forked child may hold a copy of the descriptor
            file.close()

        return release

    def _wait(file: FileIO, deadline: float) -> bool:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
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
