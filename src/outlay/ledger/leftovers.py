"""Folders for a while: whoever makes one holds it, and what was left by those that were killed goes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from shutil import rmtree
from stat import S_ISREG
from tempfile import TemporaryDirectory
from time import time

from outlay.ledger.locks import alone, take

_NEW = 60  # seconds in which a file may be there whose owner does not hold it yet


@contextmanager
def held(parent: Path, prefix: str, lock: str) -> Iterator[Path]:
    """Have a folder whose name begins so, with a lock of that name in it; remove those that nobody holds.

    Raises:
        OSError: it cannot be made.
    """
    _sweep(parent, f"{escape(prefix)}*/{lock}")
    with (
        TemporaryDirectory(prefix=prefix, dir=parent, ignore_cleanup_errors=True) as name,
        alone(str(Path(name) / lock)),
    ):
        yield Path(name)


def _sweep(parent: Path, locks: str) -> None:
    for lock in parent.glob(locks):
        with suppress(OSError):  # another one is there first
            if is_ours(lock) and (release := take(str(lock), 0)) is not None:
                rmtree(lock.parent, ignore_errors=True)
                release()


def is_ours(file: Path) -> bool:
    """Whether this user has made a file, and long enough ago to hold it if its owner still runs.

    Raises:
        OSError: it is gone.
    """
    found = file.lstat()
    owner = getattr(os, "getuid", lambda: found.st_uid)()
    return S_ISREG(found.st_mode) and found.st_uid == owner and time() - found.st_mtime > _NEW
