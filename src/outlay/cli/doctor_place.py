"""What doctor sees of the place where calls are kept: permissions, room on the disk, and its clock."""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from outlay.journal import floor_of, segments
from outlay.settings import Settings

_SHOWN = 5
NO_FOLDER = "used as a folder"
READ_ONLY = "a file system that is read-only"
MODE = "its mode"


def place_of(settings: Settings, now: Callable[[], float]) -> dict[str, Any]:
    """Tell what bars from writing and reading, how much room is left, and how far the clock is off.

    ``now`` gives Unix seconds. A file without a name is made where calls are kept, and gone again.
    """
    folder = _nearest(settings.home)
    free, size = _room(folder)
    return {
        "home": str(settings.home),
        "barred": list(_barred(settings, folder)),
        "open_to_others": [each.name for each in _open_to_others(settings)][:_SHOWN],
        "free_bytes": free,
        "floor_bytes": None if size is None else floor_of(size, settings.min_free),
        "skew_seconds": _skew(folder, now),
    }


def _nearest(home: Path) -> Path:
    """Give the folder itself, or the lowest one above it that is there and will hold it."""
    return next(each for each in (home.absolute(), *home.absolute().parents) if _answers(each.is_dir))


def _barred(settings: Settings, folder: Path) -> Iterator[dict[str, str]]:
    """Name what this user cannot use as outlay needs to."""
    for each in (settings.home, settings.journal):
        if _answers(each.exists) and not each.is_dir():
            yield {"path": str(each), "cannot_be": NO_FOLDER}
    wanted = [(folder, os.R_OK | os.W_OK | os.X_OK)]
    wanted += [(each, os.R_OK | os.W_OK | os.X_OK) for each in (settings.journal,) if _answers(each.is_dir)]
    wanted += [(each, os.R_OK | os.W_OK) for each in _files(settings.home)]
    wanted += [(each, os.R_OK) for each in (settings.file, settings.prices) if each and _answers(each.exists)]
    for path, how in wanted:
        lacking = [
            word
            for word, bit in (("read", os.R_OK), ("written", os.W_OK))
            if how & bit and not os.access(path, bit)
        ]
        if lacking:
            yield {"path": str(path), "cannot_be": " or ".join(lacking), **_why(path, settings.home)}
        elif path.is_dir() and not _takes_files(path):
            yield {"path": str(path), "cannot_be": "written"}


def _files(home: Path) -> list[Path]:
    try:
        return sorted(home.glob("ledger.duckdb*"))
    except OSError:  # a folder above is closed to this user
        return []


def _why(path: Path, home: Path) -> dict[str, str]:
    """Say what lies behind it: a disk that takes nothing, a mode of one's own, or another user's home.

    Root's is most often our own, made by a command under sudo.
    """
    if os.name == "nt" or path in home.parents:
        return {}
    try:
        if os.statvfs(path).f_flag & os.ST_RDONLY:
            return {"why": READ_ONLY}
        owner = path.stat().st_uid
        if owner == os.geteuid():
            return {"why": MODE}
        return {"owner": path.owner()} if owner else {}
    except (OSError, KeyError):  # a user whom this machine does not know
        return {}


def _answers(question: Callable[[], bool]) -> bool:
    """Ask a path what it is; nobody says so of what lies in a folder that is closed to this user."""
    try:
        return question()
    except OSError:
        return False


def _takes_files(folder: Path) -> bool:
    """Try it: a read-only file system, or a quota, lets the permission bits say yes."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _open_to_others(settings: Settings) -> Iterator[Path]:
    """Name the files of calls that others than their owner may read.

    Journals are made for their owner alone. The ledger's file has the mode that the process gives to files:
    the folder around it closes it, if outlay made that.
    """
    if os.name == "nt":
        return
    try:
        journals = [each.path for each in segments(settings.journal)]
    except OSError:  # said under what is barred
        return
    passed = (
        _mode(settings.home) & (stat.S_IXGRP | stat.S_IXOTH)
    ) << 2  # those who come in, as those who read
    yield from (path for path in _files(settings.home) if _mode(path) & passed)
    yield from (path for path in journals if _mode(path) & (stat.S_IRGRP | stat.S_IROTH))


def _mode(path: Path) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:  # gone meanwhile
        return 0


def _room(folder: Path) -> tuple[int | None, int | None]:
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None, None
    return usage.free, usage.total


def _skew(folder: Path, now: Callable[[], float]) -> int | None:
    """Give by how many seconds the clock of the folder's disk is ahead of ours; None if nobody knows."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"?")
            file.flush()
            return round(os.fstat(file.fileno()).st_mtime - now())
    except OSError:
        return None
