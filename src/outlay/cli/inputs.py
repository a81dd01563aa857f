"""Files that a command line names to be read: each is looked at before anything is done."""

import os
import stat
import sys
from errno import EACCES, EISDIR
from pathlib import Path

from outlay.core.errors import OutlayError

EITHER = "name a file, or - for standard input"
_SCHEME = "://"


class InputError(OutlayError):
    """What was named to be read is not there, is a folder, or is not for this user."""


def check_input(name: str, way_out: str) -> None:
    """Look whether a file can be read; standard input and URLs are seen when they are.

    Raises:
        InputError: it cannot; ``way_out`` stands in its line.
    """
    if name == "-" and sys.stdin is None:
        raise InputError(f"standard input is closed; {way_out}")
    if name == "-" or _SCHEME in name:
        return
    reason = _reason(Path(name))
    if reason is not None:
        raise InputError(f"{name}: {reason}; {way_out}")


def _reason(path: Path) -> str | None:
    """Give the system's own words for why it cannot be read."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:  # a null byte in a name
        return getattr(error, "strerror", None) or str(error)
    if stat.S_ISDIR(mode):
        return os.strerror(EISDIR)
    return None if os.access(path, os.R_OK) else os.strerror(EACCES)
