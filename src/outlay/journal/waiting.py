"""What waits in a journal beyond what a ledger has taken: how many bytes and entries, and since when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson

from outlay.core.errors import OutlayError
from outlay.core.instants import instant
from outlay.journal.segments import Segment, segments

_MOST = 256 * 2**20  # bytes that are counted through; beyond it only their number is told
_CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a ledger has not taken yet."""

    bytes: int
    entries: int | None  # lines; None: too many to count at a glance
    since: (
        datetime | None
    )  # when the first of them was recorded, aware UTC; None: nothing waits, or it does not say


def waiting(folder: Path, taken: Mapping[str, int]) -> Waiting:
    """Say what a folder's segments hold beyond these offsets.

    Raises:
        JournalError: the folder cannot be read.
    """
    behind = [each for each in segments(folder) if each.size > taken.get(each.name, 0)]
    size = sum(each.size - taken.get(each.name, 0) for each in behind)
    entries = sum(_lines(each, taken.get(each.name, 0)) for each in behind) if size <= _MOST else None
    starts = [start for each in behind if (start := _start(each, taken.get(each.name, 0))) is not None]
    return Waiting(size, entries, min(starts, default=None))


def _lines(segment: Segment, offset: int) -> int:
    count = 0
    try:
        with segment.path.open("rb") as file:
            file.seek(offset)
            while chunk := file.read(_CHUNK):
                count += chunk.count(b"\n")
    except OSError:  # taken away meanwhile, or not ours to read, which the doctor says by itself
        return count
    return count


def _start(segment: Segment, offset: int) -> datetime | None:
    """Give the instant of the first line that waits, where it tells one."""
    try:
        with segment.path.open("rb") as file:
            file.seek(offset)
            data = orjson.loads(file.readline())
            return instant(data["at"])
    except (OSError, ValueError, LookupError, TypeError, OutlayError):  # faulty lines are counted elsewhere
        return None
