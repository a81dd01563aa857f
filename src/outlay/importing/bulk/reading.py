"""A file of foreign rows, block by block: in bulk what can be, one by one what is left, in order."""

import io
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import NamedTemporaryFile
from time import time
from typing import Any

from outlay.atomic import private_folder
from outlay.capture.contexts import Attribution
from outlay.capture.surroundings import Place, here
from outlay.core.errors import LedgerError
from outlay.core.located import located
from outlay.core.ports import Absorbing, Adding, Ledger, TakingLines, Workbench
from outlay.core.record import Entry, Record
from outlay.importing.bulk.again import Again, set_apart
from outlay.importing.bulk.ahead import Ready, ahead
from outlay.importing.bulk.block import BATCH, TOLD, Block, Laid
from outlay.importing.bulk.cutting import FILES, PREFIX, SUFFIX, Cut, Cutter, cutter
from outlay.importing.bulk.layouts import Origin
from outlay.importing.bulk.lines import Joined, Lines, Places, heading_of
from outlay.importing.bulk.marked import Marked, marked
from outlay.importing.files import Fault, Heading, Line, document_rows, opened, table_rows
from outlay.importing.made import Maker
from outlay.importing.reading import (
    AT_ONCE,
    Import,
    OneByOne,
    Step,
    check_heading,
    entries_of,
    kept,
    takes_own,
    with_columns,
    with_own,
)
from outlay.ledger.beside import Beside
from outlay.ledger.own import Own
from outlay.pricing import Book

_OWN = 61_440  # lines of our own, half a row group of DuckDB, that are kept at once
_OF_OWN = 2  # blocks of such lines at a time, which are held in memory
_STALE = 3600  # seconds after which a file of lines was left by an import that was killed
_ALL = 0.995  # a share of calls among lines beyond which they are as good as all
_FEWEST = 0.5  # and one below which blocks grow no further
Benches = Sequence[Workbench]


@dataclass(slots=True)
class Bulk:
    """Imports one file into a ledger that can keep what an engine has laid out."""

    ledger: Absorbing
    book: Book
    maker: Maker
    origin: Origin
    counts: Import = field(default_factory=Import)
    _again: Again = field(default_factory=Again)
    _own: Own = field(default_factory=Own)
    _share: float = 1.0  # of calls among the lines of the last block

    def steps(self, file: Any, *, table: bool = False) -> Iterator[Step]:
        """Import a file, and tell what came of it, block by block.

        Raises:
            ImportFileError: it is no text in UTF-8, or a JSON document that holds no rows.
            LedgerError: the ledger cannot be written.
        """
        seen = opened(file, table=table)
        self._sweep()
        if seen.kind == "document":
            yield from self._one_by_one(with_columns(document_rows(seen.file), self.origin.mapping or {}))
            return
        cut = cutter(seen.file, self.ledger.spool, self._rows)
        with ExitStack() as held, cut as blocks:
            benches = [held.enter_context(self.ledger.workbench()) for _ in range(FILES)]
            try:
                way = self._lines(blocks, benches)
                yield from way if seen.kind == "lines" else self._table(seen.file, blocks, benches)
            finally:
                self._again.clear(benches[0])

    def _sweep(self) -> None:
        """Remove the lines of imports that were killed."""
        private_folder(self.ledger.spool)  # with the ledger's own, where this is the first that needs it
        for left in self.ledger.spool.glob(f"{PREFIX}*{SUFFIX}"):
            with suppress(OSError):  # another import is there first
                if time() - left.stat().st_mtime > _STALE:
                    left.unlink()

    def _rows(self, calls: int) -> int:
        """Say how many lines have so many calls, or hardly fewer: what is beyond a row group has its own."""
        return calls if self._share > _ALL else int(calls * _ALL / max(self._share, _FEWEST))

    def _lines(self, blocks: Cutter, benches: Benches) -> Iterator[Step]:
        numbered = _numbered(blocks.cuts(marked=True))
        first = next(numbered, None)
        if first is None:
            return
        self._check_columns(first)
        if self._takes_own() and self._own(first.start()):
            benches = benches[:_OF_OWN]
        for ready in ahead(chain((first,), numbered), benches, self._looked_at):
            yield from self._own_block(ready) if isinstance(ready.laid, Marked) else self._block(ready)
            del ready  # before the next block is read: no more are held than have a bench

    def _check_columns(self, lines: Lines) -> None:
        """Look in the first block for the columns that are mapped; no more lines are read than it takes.

        Raises:
            ImportFileError: no line has one.
        """
        if self.origin.mapping:
            next(with_columns(lines.rows(lines.all()), self.origin.mapping), None)

    def _takes_own(self) -> bool:
        return takes_own(self.ledger, self.origin.shape, self.origin.mapping)

    def _table(self, file: io.BufferedReader, blocks: Cutter, benches: Benches) -> Iterator[Step]:
        start = file.readline()
        heading = heading_of(start)
        judge = partial(check_heading, shape=self.origin.shape, mapping=self.origin.mapping)
        if heading is None:
            rest = (cut.text() for cut in blocks.cuts())
            yield from self._one_by_one(table_rows(Joined.of((start,), rest), judge=judge))
            return
        judge(heading)
        held: deque[Cut] = deque()  # blocks that are not done yet
        cuts = blocks.cuts()
        numbered = _numbered(_holding(cuts, held), 2, heading)
        lay_out = partial(self._laid, replace(self.origin, heading=heading))
        for ready in ahead(numbered, benches, lay_out):
            lines = ready.lines
            if ready.laid is None and not (lines.is_usual and lines.is_closed()):
                self.maker.rank = self._again.rest(ready.bench)
                left = Joined.of(cut.text() for cut in chain(held, cuts))
                yield from self._one_by_one(table_rows(left, heading, lines.first - 1))
                return
            yield from self._block(ready)
            held.popleft()
            del ready, lines

    def _one_by_one(self, rows: Iterable[Line | Fault]) -> Iterator[Step]:
        yield from kept(self._entries(rows, self.counts), self.ledger)

    def _entries(self, rows: Iterable[Line | Fault], counts: Import) -> Iterator[Entry | Fault]:
        return entries_of(
            rows, self.maker, shape=self.origin.shape, mapping=self.origin.mapping, counts=counts
        )

    def _block(self, ready: Ready) -> Iterator[Step]:
        lines, bench, laid = ready.lines, ready.bench, _of_engine(ready)
        left = laid.left if laid else lines.all()
        self._rank(ready, left)
        if laid is None:
            yield from self._one_by_one(lines.rows(left))
            return
        self._share = laid.count / lines.count
        self.counts.read += laid.count + laid.skipped
        self.counts.skipped += laid.skipped
        step = Step(laid.count)
        found = list(self._left(lines, laid, step.faults))
        found = self._in_order(bench, lines, found, step) if found else found
        step.new += bench.absorb(BATCH, TOLD)
        for more in kept((entry for _, entry in found), self.ledger):
            step.calls, step.new = step.calls + more.calls, step.new + more.new
        yield step

    def _laid(self, origin: Origin, bench: Workbench, lines: Lines) -> Laid | None:
        """Lay out what can be; None where the engine cannot, for whatever reason: the other way can."""
        for text in lines.texts():
            with self._file(text) as path, suppress(LedgerError, OSError, ValueError, RecursionError):
                return Block(bench, self.book, self.maker).lay_out(path, lines.count, origin)
        return None

    @contextmanager
    def _file(self, text: Path | bytes) -> Iterator[Path]:
        """Have a text in a file, if it is in none."""
        if isinstance(text, Path):
            yield text
            return
        with NamedTemporaryFile(dir=self.ledger.spool, prefix=PREFIX, suffix=SUFFIX) as target:
            with located(self.ledger.spool):
                target.write(text)
                target.flush()
            yield Path(target.name)

    def _looked_at(self, bench: Workbench, lines: Lines) -> Laid | Marked | None:
        """Look which lines of a block are our own if it begins with one; lay out any other."""
        own = marked(lines, self._own) if self._takes_own() else None
        return own or self._laid(self.origin, bench, lines)

    def _own_block(self, ready: Ready) -> Iterator[Step]:
        """Keep lines of our own as they stand, and read what else there is between them."""
        found = ready.laid.lines if isinstance(ready.laid, Marked) else ()
        self._rank(ready, [(place, line) for place, line, is_own in found if not is_own])
        rows = (
            each
            for place, line, is_own in found
            for each in ((line + b"\n",) if is_own else ready.lines.rows([(place, line)]))
        )
        entries = partial(self._entries, counts=self.counts)
        most = _OWN if all(is_own for _, _, is_own in found) else AT_ONCE
        yield from kept(with_own(rows, entries, self.counts), self.ledger, most)

    def _rank(self, ready: Ready, left: Places) -> None:
        """Tell rows that are equal to earlier ones from these."""
        told = _of_engine(ready) is not None
        ranks = self._again.ranks(ready.bench, ready.lines.keys(left), told=told)
        if told:
            set_apart(ready.bench, ranks)
        self.maker.rank = lambda line, _key: ranks.get(line.number - ready.lines.first, 0)

    def _left(self, lines: Lines, laid: Laid, faults: list[Fault]) -> Iterator[tuple[int, Entry]]:
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
        self, bench: Workbench, lines: Lines, found: list[tuple[int, Entry]], step: Step
    ) -> list[tuple[int, Entry]]:
        """Take rows out of the batch whose id a row that was left has too: the first of them counts."""
        ids = [entry.id for _, entry in found if isinstance(entry, Record)]
        again = bench.all(
            "DELETE FROM foreign_told WHERE id IN (SELECT unnest(CAST(? AS UUID[]))) RETURNING number", [ids]
        )
        if not again:
            return found
        step.calls -= len(again)
        places = sorted(int(place) for (place,) in again)
        entries = self._entries(lines.rows(lines.at(places)), Import())
        more = [each for each in entries if not isinstance(each, Fault)]
        return sorted([*found, *zip(places, more, strict=True)], key=lambda each: each[0])


def _of_engine(ready: Ready) -> Laid | None:
    return None if isinstance(ready.laid, Marked) else ready.laid


def _numbered(cuts: Iterable[Cut], first: int = 1, heading: Heading | None = None) -> Iterator[Lines]:
    """Number the lines of blocks."""
    for cut in cuts:
        yield Lines(cut, first, heading)
        first += cut.count


def _holding(cuts: Iterable[Cut], held: deque[Cut]) -> Iterator[Cut]:
    for cut in cuts:
        held.append(cut)
        yield cut


@contextmanager
def with_engine(ledger: Ledger | None) -> Iterator[Adding | None]:
    """Put an engine beside the ledger of a server that takes lines; others have one or can use none."""
    if ledger is None or isinstance(ledger, Absorbing) or not isinstance(ledger, TakingLines):
        yield ledger
    else:
        with closing(Beside(ledger)) as beside:
            yield beside


def way_of(ledger: Adding | None, book: Book, maker: Maker, origin: Origin) -> Bulk | OneByOne:
    """Choose how files are imported: in bulk where the ledger can, and no context says more of each call."""
    place = here()
    if isinstance(ledger, Absorbing) and place == Place(Attribution()):
        return Bulk(ledger, book, maker, origin)
    return OneByOne(ledger, maker, origin.shape, origin.mapping)
