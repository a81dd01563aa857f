"""What is next to ship: lines of the journals in batches that fit in memory, each with where it ends."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from outlay.core.record import Entry
from outlay.journal import Fault, read_line
from outlay.ledger.backlog import waiting

ROWS = 20_000
BYTES = 16 * 2**20


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

    items: list[Item] = field(default_factory=list)
    ends: dict[str, int] = field(default_factory=dict)
    size: int = 0

    def add(self, segment: str, offset: int, line: bytes) -> None:
        """Put one more line in."""
        if not line.isspace():
            self.items.append(Item(segment, offset, line))
        self.ends[segment] = offset + len(line)
        self.size += len(line)

    @property
    def is_full(self) -> bool:
        """Whether the next line belongs to another parcel."""
        return len(self.items) >= ROWS or self.size >= BYTES


def parcels(journals: Path, taken: Mapping[str, int]) -> Iterator[Parcel]:
    """Cut all that waits now into parcels, oldest segment first; a torn line of a living writer waits.

    Raises:
        OSError: a journal cannot be read.
    """
    parcel = Parcel()
    for path, start, end in waiting(journals, taken):
        name = path.name
        for offset, line in _lines(path, start, end):
            parcel.add(name, offset, line)
            if parcel.is_full:
                yield parcel
                parcel = Parcel()
    if parcel.ends:
        yield parcel


def _lines(path: Path, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    offset = start
    with path.open("rb") as file:
        file.seek(start)
        while offset < end and (line := file.readline()):
            yield offset, line
            offset += len(line)
