"""What journals hold that a ledger has not taken in yet, cut into portions that fit in memory."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from outlay.core.record import SCHEMA
from outlay.journal import is_live, segments

LOAD = 640 * 2**20  # bytes taken in by one transaction
PORTION = 160 * 2**20  # bytes that stand in a table meanwhile
_BLOCK = 1 << 16
_BUFFER = 1 << 17  # lines are looked through at twice the usual pace
_CALL = b'{"schema":%d,"id":"' % SCHEMA  # how journals begin the line of a call


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of one segment that consists of whole lines; ``whole`` if it is all there will ever be of it."""

    path: Path
    start: int
    end: int
    whole: bool

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self.end - self.start


def loads(folder: Path, taken: Mapping[str, int]) -> Iterator[list[Stretch]]:
    """Give what is new in a folder of journals, in loads of about the same size, oldest segment first."""
    return _grouped(_new(folder, taken), LOAD)


def portions(load: Iterable[Stretch]) -> Iterator[list[Stretch]]:
    """Cut a load into portions that fit in memory."""
    return _grouped(load, PORTION)


def _grouped(stretches: Iterable[Stretch], most: int) -> Iterator[list[Stretch]]:
    group: list[Stretch] = []
    size = 0  # of many segments, which short programs leave, not to be added up at each
    for stretch in stretches:
        if group and size + stretch.size > most:
            yield group
            group, size = [], 0
        group.append(stretch)
        size += stretch.size
    if group:
        yield group


def waiting(folder: Path, taken: Mapping[str, int]) -> Iterator[tuple[Path, int, int]]:
    """Give each segment that has more than was taken, oldest first, with the part that is new and final."""
    for path, start, end, _ in _unread(folder, taken):
        if end > start:
            yield path, start, end


def _new(folder: Path, taken: Mapping[str, int]) -> Iterator[Stretch]:
    for path, start, end, live in _unread(folder, taken):
        if not live and start == 0 and end <= PORTION and _ends_with_a_line(path):
            yield Stretch(path, start, end, whole=True)
        else:
            yield from cut(path, start, end)


def _unread(folder: Path, taken: Mapping[str, int]) -> Iterator[tuple[Path, int, int, bool]]:
    for segment in segments(folder):
        start = taken.get(segment.name, 0)
        if segment.size <= start:
            continue
        live = is_live(segment.path)  # asked before looking for the end: a dead writer's file is final
        size = segment.path.stat().st_size
        end = _last_line_end(segment.path, start, size) if live else size
        yield segment.path, start, end, live


def cut(path: Path, start: int, end: int) -> Iterator[Stretch]:
    """Cut a long stretch at line ends; a line longer than a portion stays whole."""
    while start < end:
        stop = min(start + PORTION, end)
        if stop < end:
            stop = _last_line_end(path, start, stop)
            if stop == start:
                stop = _next_line_end(path, start + PORTION, end)
        yield Stretch(path, start, stop, whole=False)
        start = stop


def _ends_with_a_line(path: Path) -> bool:
    """Whether a file that is not empty ends with a newline, and is not cut within a line.

    DuckDB, reading several files at once, passes such a line over now and then without a word.
    """
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _last_line_end(path: Path, start: int, end: int) -> int:
    """Find the end of the last whole line between two offsets; ``start`` if there is none."""
    with path.open("rb") as file:
        while end > start:
            block = max(start, end - _BLOCK)
            file.seek(block)
            found = file.read(end - block).rfind(b"\n")
            if found >= 0:
                return block + found + 1
            end = block
    return start


def _next_line_end(path: Path, start: int, end: int) -> int:
    with path.open("rb") as file:
        file.seek(start)
        return min(end, start + len(file.readline()))


def spool(stretches: list[Stretch], target: Path) -> list[Path]:
    """Give files that hold just these stretches in their order: from the first part on, a copy in ``target``.

    Whole segments before that are read where they are. What came first counts, so that a dead process's
    segment must not be read before an older one of a process that lives.
    """
    whole = [each.path for each in takewhile(lambda each: each.whole, stretches)]
    rest = stretches[len(whole) :]
    if not rest:
        return whole
    target.parent.mkdir(exist_ok=True)
    with target.open("wb") as copy:
        for part in rest:
            with part.path.open("rb") as file:
                file.seek(part.start)
                remaining = part.size
                while remaining > 0 and (block := file.read(min(remaining, 1 << 20))):
                    copy.write(block)
                    remaining -= len(block)
                if not block.endswith(b"\n"):
                    copy.write(b"\n")
    return [*whole, target]


def spool_others(paths: Iterable[Path], target: Path) -> bool:
    """Copy lines that begin as no call's does, in order; False if they are more than stand in a table."""
    room = PORTION
    with target.open("wb") as copy:
        for path in paths:
            with path.open("rb", _BUFFER) as file:
                for line in file:
                    if not line.startswith(_CALL):
                        room -= copy.write(line if line.endswith(b"\n") else line + b"\n")
                        if room < 0:
                            return False
    return True
