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
CLOSED = "closed to this user"
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
        "journals_disk": _disk_of_journals(settings, folder),
        "skew_seconds": _skew(folder, now),
    }


def _nearest(home: Path) -> Path:
    """Give the folder itself, or the lowest one above it that is there and will hold it."""
    return next(each for each in (home.absolute(), *home.absolute().parents) if _answers(each.is_dir))


def _barred(settings: Settings, folder: Path) -> Iterator[dict[str, str]]:
    """Name what this user cannot use as outlay needs to."""
    odd = {_in_the_way(settings.home.absolute()), _in_the_way(settings.journal.absolute())} - {None}
    yield from ({"path": str(each), "cannot_be": NO_FOLDER} for each in odd)
    wanted = [] if odd else [(folder, os.R_OK | os.W_OK | os.X_OK)]
    beneath = (settings.journal, settings.alert_folder, settings.price_updates, settings.home / "ship")
    wanted += [(each, os.R_OK | os.W_OK | os.X_OK) for each in beneath if _answers(each.is_dir)]
    wanted += [(each, os.R_OK | os.W_OK) for each in _files(settings.home)]
    wanted += [(each, os.R_OK) for each in (settings.file, settings.prices) if each and _answers(each.exists)]
    for path, how in wanted:
        lacking = [
            word
            for word, bits in (("read", os.R_OK), ("written", how & (os.W_OK | os.X_OK)))
            if bits and not os.access(path, bits)
        ]
        if lacking:
            yield {"path": str(path), "cannot_be": " or ".join(lacking), **_why(path, settings.home)}
        elif path.is_dir() and (refusal := _refusal(path)):
            yield {"path": str(path), "cannot_be": "written", "refusal": refusal}


def _in_the_way(folder: Path) -> Path | None:
    """Give what stands where the folder, or one above it, would be made: a file, or a link to nowhere."""
    lowest = next(each for each in (folder, *folder.parents) if os.path.lexists(each))
    return None if _answers(lowest.is_dir) else lowest


def _files(home: Path) -> list[Path]:
    try:
        return sorted(home.glob("ledger.duckdb*"))
    except OSError:  # a folder above is closed to this user
        return []


def _why(path: Path, home: Path) -> dict[str, str]:
    """Say what lies behind it: a disk that takes nothing, a mode of one's own, or another user's home.

    Root's is most often our own, made by a command under sudo. A folder above, behind which a home of one's
    own can be made, needs nothing of its own.
    """
    above = path in home.parents
    if os.name == "nt" or (above and os.access(path, os.X_OK)):
        return {}
    try:
        if os.statvfs(path).f_flag & os.ST_RDONLY:
            return {"why": READ_ONLY}
        owner = path.stat().st_uid
        if owner == os.geteuid():
            return {"why": MODE}
        if above:
            return {"why": CLOSED}
        return {"owner": path.owner()} if owner else {}
    except (OSError, KeyError):  # a user whom this machine does not know
        return {}


def _answers(question: Callable[[], bool]) -> bool:
    """Ask a path what it is; nobody says so of what lies in a folder that is closed to this user."""
    try:
        return question()
    except OSError:
        return False


def _refusal(folder: Path) -> str | None:
    """Try it: a disk without room for one more file, or a quota, lets the permission bits say yes."""
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            file.write(b"?")
            return None
    except OSError as error:
        return error.strerror or str(error)


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


def _disk_of_journals(settings: Settings, folder: Path) -> dict[str, Any] | None:
    """Tell of the disk of the journals, if they lie on another one than the folder."""
    try:
        if settings.journal.stat().st_dev == folder.stat().st_dev:
            return None
    except OSError:  # not there yet
        return None
    free, size = _room(settings.journal)
    floor = None if size is None else floor_of(size, settings.min_free)
    return {"folder": str(settings.journal), "free_bytes": free, "floor_bytes": floor}


def _skew(folder: Path, now: Callable[[], float]) -> int | None:
    """Give by how many seconds the clock of the folder's disk is ahead of ours; None if nobody knows."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"?")
            file.flush()
            return round(os.fstat(file.fileno()).st_mtime - now())
    except OSError:
        return None
