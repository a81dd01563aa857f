"""Whether the disk of the journals has room enough to go on recording."""

import os
from collections.abc import Callable
from pathlib import Path

_SHARE = 20  # a twentieth of a small disk is kept free
_MOST = 256 * 2**20
_FEW = 10  # of a unit are told with a tenth
_INTERVAL = 1.0  # seconds between looks


def _free_and_size(folder: Path) -> tuple[int, int]:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize


def floor_of(size: int, wanted: int | None) -> int:
    """Give how many bytes of a disk of this size must be free: what is wanted, or 256 MiB, at most a 20th."""
    return min(_MOST, size // _SHARE) if wanted is None else wanted


def size_text(count: int) -> str:
    """Show a size up to MiB, so that none but 0 looks like 0; a tenth where it is a few."""
    if count < 2**10:
        return "1 byte" if count == 1 else f"{count:,} bytes"
    figure, unit = (count / 2**10, "KiB") if count < 2**20 else (count / 2**20, "MiB")
    shown = f"{figure:,.1f}".removesuffix(".0") if figure < _FEW else f"{figure:,.0f}"
    return f"{shown} {unit}"


class Room:
    """Looks at the disk at most once a second, in the writer's thread.

    ``floor`` is how many bytes must be free; None: 256 MiB, but no more than a twentieth of the disk.
    """

    def __init__(self, folder: Path, floor: int | None, monotonic: Callable[[], float]) -> None:
        self._folder = folder
        self._floor = floor
        self._monotonic = monotonic
        self._looked: float | None = None
        self._lacking: str | None = None

    def lacking(self) -> str | None:
        """Say why nothing may be written now; None if there is room, or if nobody can tell."""
        now = self._monotonic()
        if self._looked is None or now - self._looked >= _INTERVAL:
            self._looked = now
            self._lacking = self._look()
        return self._lacking

    def _look(self) -> str | None:
        if self._floor == 0 or not hasattr(os, "statvfs"):  # Windows
            return None
        try:
            free, size = _free_and_size(self._folder)
        except OSError:  # the folder is not there yet, or cannot be asked: writing will tell
            return None
        floor = floor_of(size, self._floor)
        if free >= floor:
            return None
        return f"less than {size_text(floor)} (min_free) are free on the disk of {self._folder}"
