"""What is next to ship: lines of the journals in batches that fit in memory, each with where it ends."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

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

    def fill(self, segment: str, file: BinaryIO, start: int, end: int) -> int:
        """Take lines up to there, as many as there is room for; give where the next one begins."""
        items, offset, most = self.items, start, start + BYTES - self.size
        while offset < end and offset < most and len(items) < ROWS and (line := file.readline()):
            if not line.isspace():
                items.append(Item(segment, offset, line))
            offset += len(line)
        if offset > start:
            self.ends[segment] = offset
            self.size += offset - start
        return offset

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
        with path.open("rb") as file:
            file.seek(start)
            offset = start
            while (offset := parcel.fill(path.name, file, offset, end)) < end and parcel.is_full:
                yield parcel
                parcel = Parcel()
    if parcel.ends:
        yield parcel
