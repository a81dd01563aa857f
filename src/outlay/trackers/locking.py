"""One process at a time: a lock beside a file, held for one append.

Where the system has flock, it is taken directly: through filelock a single append would spend more time on
its lock than on everything else together. Elsewhere filelock does it; both lock the same file.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from outlay.core.errors import LedgerBusyError

PATIENCE = 30.0  # seconds
_PAUSE = 0.002

if sys.platform == "win32":
    from filelock import FileLock, Timeout

    @contextmanager
    def alone(path: str, patience: float = PATIENCE) -> Iterator[None]:
        """Hold the lock file at ``path``; a LedgerBusyError when that takes longer than ``patience``."""
        try:
            with FileLock(path, timeout=patience):
                yield
        except Timeout:
            raise _busy(path, patience) from None

else:
    import fcntl

    @contextmanager
    def alone(path: str, patience: float = PATIENCE) -> Iterator[None]:
        """Hold the lock file at ``path``; a LedgerBusyError when that takes longer than ``patience``.

        The file is opened anew each time: a lock belongs to an open file, which a forked child would share.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            _take(descriptor, path, patience)
            yield
        finally:
            os.close(descriptor)

    def _take(descriptor: int, path: str, patience: float) -> None:
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise _busy(path, patience) from None
                time.sleep(_PAUSE)
            else:
                return


def _busy(path: str, patience: float) -> LedgerBusyError:
    return LedgerBusyError(f"{path} was held by another process for {patience:g} seconds")
