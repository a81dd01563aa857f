"""What is next to ship: lines of the journals in batches that fit in memory, each with where it ends."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from outlay.core.record import Entry
from outlay.journal import Fault, read_line
from outlay.ledger.backlog import waiting

ROWS = 20_000
BYTES = 16 * 2**20
_BLOCK = 1 << 20  # bytes read at once


class Item(NamedTuple):
    """One line, and where it stands."""

    segment: str
    offset: int
    line: bytes

    def read(self) -> Entry | Fault:
        """Give what it holds."""
        return read_line(self.line, self.offset, 0)


@dataclass(slots=True)
class Parcel:
    """Lines that are handed over together, and up to where each segment is then taken."""

    runs: list[tuple[str, int, list[bytes]]] = field(default_factory=list)
    """Lines that follow each other in one segment, and the offset of the first."""
    ends: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    size: int = 0

    def take(self, segment: str, offset: int, lines: list[bytes]) -> int:
        """Put in as many of these lines as there is room for, one at least; give how many."""
        size, count = self.size, 0
        for line in lines[: ROWS - self.rows]:
            size += len(line)
            count += 1
            if size >= BYTES:
                break
        self.runs.append((segment, offset, lines[:count]))
        self.ends[segment] = offset + size - self.size
        self.rows, self.size = self.rows + count, size
        return count

    def lines(self) -> list[bytes]:
        """Give the lines that hold something."""
        return [line for _, _, lines in self.runs for line in lines if not line.isspace()]

    def items(self) -> list[Item]:
        """Give the same lines, each with where it stands."""
        return [
            Item(segment, at, line)
            for segment, offset, lines in self.runs
            for at, line in zip(accumulate(map(len, lines), initial=offset), lines, strict=False)
            if not line.isspace()
        ]

    @property
    def is_full(self) -> bool:
        """Whether the next line belongs to another parcel."""
        return self.rows >= ROWS or self.size >= BYTES


def parcels(journals: Path, taken: Mapping[str, int]) -> Iterator[Parcel]:
    """Cut all that waits now into parcels, oldest segment first; a torn line of a living writer waits.

    Raises:
        OSError: a journal cannot be read.
    """
    parcel = Parcel()
    for path, start, end in waiting(journals, taken):
        for offset, lines in _blocks(path, start, end):
            at, rest = offset, lines
            while rest:
                count = parcel.take(path.name, at, rest)
                at, rest = parcel.ends[path.name], rest[count:]
                if parcel.is_full:
                    yield parcel
                    parcel = Parcel()
    if parcel.ends:
        yield parcel


def _blocks(path: Path, start: int, end: int) -> Iterator[tuple[int, list[bytes]]]:
    """Give the lines between two offsets, many at a time, with where the first of them stands."""
    offset = start
    with path.open("rb") as file:
        file.seek(start)
        while offset < end and (lines := file.readlines(min(_BLOCK, end - offset))):
            beyond = offset + sum(map(len, lines)) - end
            while beyond > 0 and len(lines) > 1 and beyond >= len(lines[-1]):  # written in the meantime
                beyond -= len(lines.pop())
            yield offset, lines
            offset += sum(map(len, lines))
