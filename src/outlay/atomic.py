"""A file that is written whole or not at all and outlives a power cut, and what is its owner's alone."""

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from errno import EINVAL, ENOTSUP
from pathlib import Path
from stat import S_IMODE, S_ISREG

PRIVATE = 0o600
"""For its owner alone: what users asked, or who they are."""
_BESIDE = re.compile(r"\.outlay-[0-9a-f]{16}\.new")
_ORPHANED = 3600.0  # seconds; no writer takes so long


def private_folder(folder: Path) -> None:
    """Make a folder, and those missing above it, for their owner alone; one that is there stays as it is.

    What is kept in it may hold what users asked, in files that an engine makes by the rules of the process.

    Raises:
        OSError: it cannot be made, or is no folder.
    """
    if not folder.is_dir():
        private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def write_file(path: Path, data: bytes | Iterable[bytes], *, mode: int = 0o666) -> None:
    """Put this in a file's place: who reads, or looks after a crash, finds the old content or the new one.

    It is written beside the file and renamed. A link stays one, and what it points to is written; a file that
    is there keeps its mode, a new one has ``mode`` less the process's umask. What is no file (a device, a
    pipe) has nothing to keep and is written to. Of several pieces one is in memory at a time; what their
    maker raises passes, and the old content stands.

    Raises:
        OSError: it cannot be written, named by ``path``. The old content stands, or the new one where it is
            only the folder that could not be synced; nothing is left beside it.
    """
    pieces = (data,) if isinstance(data, bytes) else data
    try:
        try:
            found = path.stat()
        except FileNotFoundError:
            _replace(Path(os.path.realpath(path)), pieces, mode, None)
            return
        if S_ISREG(found.st_mode):
            _replace(Path(os.path.realpath(path)), pieces, mode, S_IMODE(found.st_mode))
        else:
            with path.open("wb") as file:
                file.writelines(pieces)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def sync_folder(folder: Path) -> None:
    """Make names in a folder survive a power cut too, where folders can be synced and be opened by us.

    Raises:
        OSError: the disk failed.
    """
    if os.name != "posix":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # one that takes files and is not to be listed; what is written is there
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in {EINVAL, ENOTSUP}:  # as some network disks say
            raise
    finally:
        os.close(descriptor)


def _replace(target: Path, pieces: Iterable[bytes], mode: int, kept: int | None) -> None:
    beside = target.with_name(f".outlay-{os.urandom(8).hex()}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(beside, flags, mode if kept is None else kept)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if kept is not None and S_IMODE(os.fstat(descriptor).st_mode) != kept:
                beside.chmod(kept)  # more than the umask allows
            file.writelines(pieces)
            file.flush()
            os.fsync(descriptor)
            written = os.fstat(descriptor).st_mtime
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)
    _sweep(target.parent, written)


def _sweep(folder: Path, now: float) -> None:
    """Take away what writers who were killed have left; ``now`` by the clock of the disk."""
    with suppress(OSError):  # another one may take it away as well
        for each in folder.iterdir():
            if _BESIDE.fullmatch(each.name) and now - each.stat().st_mtime > _ORPHANED:
                each.unlink()
