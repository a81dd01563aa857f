"""A folder of each engine's own, in which it puts down what memory does not hold.

Before 2.0 DuckDB names such files alike in every process: of two that shared a folder, one read what the
other had written, and the first to end took away the files of both.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from shutil import rmtree

from outlay.ledger.locks import take

_LOCK = "engine.lock"


def own_folder(spool: Path) -> tuple[Path, Callable[[], None]]:
    """Give a folder to put things down in, and what takes it away; those of engines that were killed go now.

    The caller holds the ledger's lock. Where no folder can be made, DuckDB says so when it needs one.
    """
    among = spool / "duckdb"
    folder = among / token_hex(8)
    with suppress(OSError):
        folder.mkdir(parents=True)
        for each in among.iterdir():
            if each != folder and each.is_dir():
                _remove_unless_held(each)
        release = take(str(folder / _LOCK), 0)
        if release is not None:
            return folder, _removing(folder, release, os.getpid())
    return folder, lambda: None


def _removing(folder: Path, release: Callable[[], None], pid: int) -> Callable[[], None]:
    def remove() -> None:
        if os.getpid() == pid:  # a forked child that ends has a copy of its parent's lock
            _remove(folder, release)

    return remove


def _remove_unless_held(folder: Path) -> None:
    with suppress(OSError):
        release = take(str(folder / _LOCK), 0)
        if release is not None:
            _remove(folder, release)


def _remove(folder: Path, release: Callable[[], None]) -> None:
    release()  # first: Windows removes no file that is held
    rmtree(folder, ignore_errors=True)
