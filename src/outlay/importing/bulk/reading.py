"""A file of foreign rows, block by block: in bulk what can be, one by one what is left, in order."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import chain
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from outlay.capture.contexts import Attribution
from outlay.capture.surroundings import Place, here
from outlay.core.errors import ImportFileError, LedgerError
from outlay.core.ports import Absorbing, Ledger
from outlay.core.record import Entry, Record
from outlay.importing.bulk.again import Again, set_apart
from outlay.importing.bulk.block import BATCH, Block, Laid
from outlay.importing.bulk.layouts import Origin
from outlay.importing.equal import key_of
from outlay.importing.files import BOM, Fault, Heading, Line, opened, row_of, rows_in, table_rows
from outlay.importing.made import Maker
from outlay.importing.reading import Import, OneByOne, Step, entries_of, kept
from outlay.pricing import Book

_BLOCK = 96 << 20  # bytes
_ROWS = 2 * 122_880  # in a block: what DuckDB works at on two cores, and writes without a log of it first
_CHUNK = 4 << 20
_BLANK = b"\x02"  # stands for an empty line, which the engine would not count
_STRANGE = (b"\r", b"\x00", b"\x01", _BLANK)  # bytes that would make the engine see other lines
# A line of a table whose quotes all close in it.
_CLOSED = r'("(?:[^"]|"")*"|[^"{d}]*)({d}("(?:[^"]|"")*"|[^"{d}]*))*'


@dataclass(slots=True)
class Bulk:
    """Imports one file into a ledger that can keep what its own engine has laid out."""

    ledger: Absorbing
    book: Book
    maker: Maker
    origin: Origin
    counts: Import = field(default_factory=Import)
    _again: Again = field(default_factory=Again)

    def steps(self, file: Any, *, table: bool = False) -> Iterator[Step]:
        """Import a file, and tell what came of it, block by block.

        Raises:
            ImportFileError: it is no text in UTF-8, or a JSON document that holds no rows.
            LedgerError: the ledger cannot be written.
        """
        seen = opened(file, table=table)
        if seen.kind == "document":
            yield from self._one_by_one(rows_in(seen))
            return
        yield from self._lines(seen.file) if seen.kind == "lines" else self._table(seen.file)
        with self.ledger.workbench() as (bench, columns):
            Block(bench, columns, self.book, self.maker).clear()
            self._again.clear(bench)

    def _lines(self, file: io.BufferedReader) -> Iterator[Step]:
        first = 1
        for block in blocks(file):
            lines = Lines(block.removeprefix(BOM) if first == 1 else block, first)
            yield from self._block(lines, self.origin)
            first += lines.count

    def _table(self, file: io.BufferedReader) -> Iterator[Step]:
        start = file.readline()
        heading = _heading(start)
        if heading is None:
            yield from self._one_by_one(table_rows(_Joined.of((start,), blocks(file))))
            return
        first = 2
        ahead = blocks(file)
        for block in ahead:
            lines = Lines(block, first, heading)
            if lines.text is None or not lines.is_closed():
                with self.ledger.workbench() as (bench, _):
                    self.maker.rank = self._again.rest(bench)
                yield from self._one_by_one(table_rows(_Joined.of((block,), ahead), heading, first - 1))
                return
            yield from self._block(lines, replace(self.origin, heading=heading))
            first += lines.count

    def _one_by_one(self, rows: Iterable[Line | Fault]) -> Iterator[Step]:
        yield from kept(self._entries(rows, self.counts), self.ledger)

    def _entries(self, rows: Iterable[Line | Fault], counts: Import) -> Iterator[Entry | Fault]:
        return entries_of(
            rows, self.maker, shape=self.origin.shape, mapping=self.origin.mapping, counts=counts
        )

    def _block(self, lines: "Lines", origin: Origin) -> Iterator[Step]:
        ledger = self.ledger
        laid = None if lines.text is None else self._laid(ledger, lines, origin)
        left = laid.left if laid else lines.all()
        self._rank(lines, left, told=laid is not None)
        if laid is None:
            yield from self._one_by_one(lines.rows(left))
            return
        self.counts.read += laid.count + laid.skipped
        self.counts.skipped += laid.skipped
        step = Step(laid.count)
        found = list(self._left(lines, laid, step.faults))
        found = self._in_order(ledger, lines, found, step) if found else found
        step.new += ledger.absorb(BATCH)
        for more in kept((entry for _, entry in found), self.ledger):
            step.calls, step.new = step.calls + more.calls, step.new + more.new
        yield step

    def _laid(self, ledger: Absorbing, lines: "Lines", origin: Origin) -> Laid | None:
        """Lay out what can be; None where the engine cannot, for whatever reason: the other way can."""
        ledger.spool.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=ledger.spool, prefix="import.", suffix=".lines") as target:
            target.write(lines.text or b"")
            target.flush()
            try:
                with ledger.workbench() as (bench, columns):
                    block = Block(bench, columns, self.book, self.maker)
                    return block.lay_out(Path(target.name), lines.count, origin)
            except (LedgerError, ValueError):
                return None

    def _rank(self, lines: "Lines", left: "Places", *, told: bool) -> None:
        """Tell rows that are equal to earlier ones from these."""
        with self.ledger.workbench() as (bench, _):
            ranks = self._again.ranks(bench, lines.keys(left), told=told)
            if told:
                set_apart(bench, ranks)
        self.maker.rank = lambda line, _key: ranks.get(line.number - lines.first, 0)

    def _left(self, lines: "Lines", laid: Laid, faults: list[Fault]) -> Iterator[tuple[int, Entry]]:
        """Read the rows that are left, each as if it had been read behind all those before it."""
        place = -1

        def rows() -> Iterator[Line | Fault]:
            nonlocal place
            for at, text in laid.left:
                before = laid.times.get(at)
                if before is not None and before[0] > place:
                    self.maker.saw(before[1])
                if laid.shape and at > laid.first:
                    self.counts.shape = self.counts.shape or laid.shape
                place = at
                yield from lines.rows([(at, text)])

        for each in self._entries(rows(), self.counts):
            if isinstance(each, Fault):
                faults.append(each)
            else:
                yield place, each
        self.counts.shape = self.counts.shape or laid.shape
        if laid.last is not None and laid.last[0] > place:
            self.maker.saw(laid.last[1])

    def _in_order(
        self, ledger: Absorbing, lines: "Lines", found: list[tuple[int, Entry]], step: Step
    ) -> list[tuple[int, Entry]]:
        """Take rows out of the batch whose id a row that was left has too: the first of them counts."""
        ids = [entry.id for _, entry in found if isinstance(entry, Record)]
        with ledger.workbench() as (bench, _):
            again = bench.all(
                """DELETE FROM foreign_told WHERE id IN (SELECT unnest(CAST(? AS UUID[])))
                RETURNING number""",
                [ids],
            )
        if not again:
            return found
        step.calls -= len(again)
        places = sorted(int(place) for (place,) in again)
        entries = self._entries(lines.rows(lines.at(places)), Import())
        more = [each for each in entries if not isinstance(each, Fault)]
        return sorted([*found, *zip(places, more, strict=True)], key=lambda each: each[0])


def way_of(ledger: Ledger | None, book: Book, maker: Maker, origin: Origin) -> Bulk | OneByOne:
    """Choose how files are imported: in bulk where the ledger can, and no context says more of each call."""
    place = here()
    if isinstance(ledger, Absorbing) and place == Place(Attribution()):
        return Bulk(ledger, book, maker, origin)
    return OneByOne(ledger, maker, origin.shape, origin.mapping)


Places = Iterable[tuple[int, str | bytes]]  # lines, and where they stand in a block


class Lines:
    """The lines of a block, the number of the first, and their text as the engine can read it."""

    def __init__(self, block: bytes, first: int, heading: Heading | None = None) -> None:
        if b"\r\n" in block:
            block = block.replace(b"\r\n", b"\n")
        self._block = block
        self._heading = heading
        self.first = first
        self.count = block.count(b"\n") + (not block.endswith(b"\n"))
        self.text = None if any(byte in block for byte in _STRANGE) else self._filled()

    def _filled(self) -> bytes:
        if b"\n\n" not in self._block and not self._block.startswith(b"\n"):
            return self._block
        return b"\n".join(line or _BLANK for line in self._all())

    def _all(self) -> list[bytes]:
        return self._block.removesuffix(b"\n").split(b"\n")

    def all(self) -> Sequence[tuple[int, bytes]]:
        """Give all lines."""
        return list(enumerate(self._all()))

    def at(self, places: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        """Give the lines at some places."""
        lines = self._all()
        return ((place, lines[place]) for place in places)

    def is_closed(self) -> bool:
        """Whether every row of a table ends on the line on which it began."""
        if b'"' not in self._block or self._heading is None:
            return True
        closed = re.compile(_CLOSED.replace("{d}", self._heading.delimiter).encode())
        return all(closed.fullmatch(line) for line in self._all() if b'"' in line)

    def rows(self, places: Places) -> Iterator[Line | Fault]:
        """Read lines one by one.

        Raises:
            ImportFileError: a table that is no text in UTF-8.
        """
        for place, text in places:
            line = _plain(text)
            if self._heading is not None:
                yield from self._cells(place, line)
            elif line.strip():
                yield row_of(self.first + place, line)

    def keys(self, places: Places) -> Iterator[tuple[int, int]]:
        """Give the key by which a row's content is known; what is no row has one too."""
        for place, text in places:
            line = _plain(text)
            if self._heading is None:
                yield place, key_of(sha256(line.strip()).digest())
            else:
                yield from (
                    (place, key_of(sha256(row.identity()).digest()))
                    for row in self._cells(place, line)
                    if isinstance(row, Line)
                )

    def _cells(self, place: int, line: bytes) -> Iterator[Line | Fault]:
        try:
            text = line.decode()
        except UnicodeDecodeError:
            raise ImportFileError("it is no text in UTF-8") from None
        if self._heading is not None and text:
            cells = next(csv.reader([text], delimiter=self._heading.delimiter), [])
            yield self._heading.row(self.first + place, cells)


def _plain(text: str | bytes) -> bytes:
    """Give a line as it stands in the file, whether the engine or we have read it."""
    line = text.encode() if isinstance(text, str) else text
    return b"" if line == _BLANK else line


def blocks(file: io.BufferedReader) -> Iterator[bytes]:
    """Cut what comes at line ends, so many lines or bytes at once."""
    held: list[bytes] = []
    size = lines = 0
    while chunk := file.read(min(_CHUNK, _BLOCK)):
        size, lines = size + len(chunk), lines + chunk.count(b"\n")
        end = chunk.rfind(b"\n") + 1
        if end and (lines >= _ROWS or size >= _BLOCK):
            yield b"".join((*held, chunk[:end]))
            held = [chunk[end:]]
            size, lines = len(held[0]), 0
        else:
            held.append(chunk)
    if size:
        yield b"".join(held)


def _heading(line: bytes) -> Heading | None:
    """Read a plain heading; None for one that only the table's own reader can judge."""
    bare = line.removesuffix(b"\n").removesuffix(b"\r")
    if not bare or b"\r" in bare or b'"' in bare:
        return None
    try:
        return Heading.of(bare.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return None


class _Joined(io.RawIOBase):
    """Pieces of a file that were cut already or are yet to be, as one file again."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._piece = io.BytesIO()

    @classmethod
    def of(cls, *pieces: Iterable[bytes]) -> io.BufferedReader:
        return io.BufferedReader(cls(chain(*pieces)))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self._piece.read(len(buffer))
        while not found:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._piece = io.BytesIO(piece)
            found = self._piece.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)
