"""Folders in the temporary folder that go with their maker; if it was killed, when the next one starts."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def made(name: str) -> Path:
    """Make a folder that tells who made it, and remove those of that name whose makers are no more."""
    prefix = f"outlay-{name}-"
    sweep(Path(tempfile.gettempdir()), prefix)
    return Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-"))


@contextmanager
def passing(name: str) -> Iterator[Path]:
    """Have such a folder for a while."""
    folder = made(name)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def sweep(temporary: Path, prefix: str) -> None:
    """Remove what was left behind: folders whose maker is no more."""
    for left in temporary.glob(f"{prefix}*-*"):
        maker = left.name.removeprefix(prefix).partition("-")[0]
        if maker.isdigit() and not _lives(int(maker)):
            shutil.rmtree(left, ignore_errors=True)  # another process may be at it


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True
