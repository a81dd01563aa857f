"""The embedded ledger: a folder with journals and a DuckDB file that only readers touch."""

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from outlay.atomic import private_folder
from outlay.core.errors import ASK_DOCTOR, LedgerBusyError, LedgerError
from outlay.core.instants import midnight
from outlay.core.keeping import Compacted, Disagreement, LedgerInfo, Migrated, Pruned, Settled
from outlay.core.query import CallQuery, Query, Row, Rows, Selected
from outlay.core.record import Entry, Record
from outlay.journal import pending_bytes, remove_taken, size_of, watch_forks
from outlay.ledger import answers, inventory
from outlay.ledger.answering import Answering
from outlay.ledger.locks import Release, take
from outlay.ledger.measures import JUDGED

if TYPE_CHECKING:
    from outlay.core.copying import LinesOf
    from outlay.core.ports import Workbench
    from outlay.ledger.engine import Engine

_HOUR = timedelta(hours=1)


class DuckLedger(Answering):
    """A ledger in a folder; a ``core.ports.Ledger``.

    Whoever asks takes the folder's lock, takes in what is new in the journals, asks, and lets go. Many
    processes may ask at a time; each waits at most ``patience`` seconds for its turn.
    """

    in_process = True  # see core.ports.Housed

    def __init__(self, folder: Path, *, patience: float = 30.0) -> None:
        self.folder = folder
        self.journals = folder / "journal"
        self.journal_keep: timedelta | None = None  # after that, segments that all ledgers have are removed
        self._tidied: datetime | None = None
        self._spool = folder / "spool"
        self._patience = patience
        self._engine: Engine | None = None
        self._mine = threading.Lock()  # threads of this process take turns too
        self._held: tuple[int, Engine] | None = None  # by a thread that asks several questions together
        watch_forks(self)

    def add(self, entries: Iterable[Entry]) -> int:
        """Keep entries whose id is new, all or none; give how many records were new.

        Raises:
            LedgerError: an entry cannot be kept, or the ledger cannot be written.
        """
        from outlay.ledger.ingest import add  # noqa: PLC0415  # DuckDB takes 0.2 s to load

        with self._turn(fresh=False) as engine:
            return add(engine, entries, self._spool)

    def add_lines(self, lines: Iterable[bytes]) -> int:
        """Keep what lines of journals hold, all or none; see ``core.ports.TakingLines``.

        Their values are taken as they stand: whoever does not know the lines' writer looks at them first.
        """
        from outlay.ledger.ingest import add_lines  # noqa: PLC0415  # DuckDB takes 0.2 s to load

        with self._turn(fresh=False) as engine:
            return add_lines(engine, lines, self._spool)

    @property
    def spool(self) -> Path:
        """The folder of files that are read at once and then removed."""
        return self._spool

    @contextmanager
    def workbench(self) -> "Iterator[Workbench]":
        """Have a place in the engine to work out calls, while others use the ledger."""
        from outlay.ledger.desk import Desk  # noqa: PLC0415  # DuckDB takes 0.2 s to load

        with self._turn(fresh=False) as engine:
            desk = Desk(engine.beside(), self.folder, partial(self._turn, fresh=False))
        try:
            yield desk
        finally:
            desk.close()

    def rows(self, query: Query) -> Rows:
        """Answer with one row a group; seals are first brought to what came later about their calls."""
        from outlay.ledger.resealing import renew_sums  # noqa: PLC0415  # DuckDB takes 0.2 s to load

        with self._turn() as engine:
            renew_sums(engine, judged=not JUDGED.isdisjoint(query.metrics))
            return answers.rows(engine, query)

    def lines(self, query: Query) -> tuple[Row, ...]:
        """Add up the lines of costs; those of most days are sealed by the first one who asks for them."""
        from outlay.ledger.resealing import renew_lines  # noqa: PLC0415  # DuckDB takes 0.2 s to load

        with self._turn() as engine:
            renew_lines(engine, query.since and midnight(query.since).replace(tzinfo=None))
            return answers.lines(engine, query)

    def info(self) -> LedgerInfo:
        """Tell where the ledger is, how much it holds, and what is pending, lost, faulty or in conflict."""
        with self._turn() as engine:
            told = inventory.info(engine, str(self.folder))
            taken = dict(engine.all("SELECT segment, taken FROM journals"))
            pending = pending_bytes(self.journals, taken)
        return replace(
            told,
            pending_bytes=pending,
            journal_bytes=pending_bytes(self.journals, {}),
            size_bytes=self._size(),
        )

    def select(self, text: str) -> Selected:
        """Run one SELECT over the view ``calls``; see ``docs/sql.md``.

        Raises:
            QueryError: it is not one SELECT, or DuckDB refuses it.
        """
        from outlay.ledger.engine import FILE  # noqa: PLC0415  # DuckDB takes 0.2 s to load
        from outlay.ledger.view import select  # noqa: PLC0415  # likewise

        with self._turn():  # what is new in the journals is taken in
            pass
        with self._mine, _alone(self.folder, self._patience):
            return select(self.folder / FILE, text)

    def write_parquet(self, query: CallQuery, folder: Path) -> int:
        """Write calls as Parquet, a folder for each UTC day; see ``core.copying.Copying``."""
        from outlay.ledger.parquet import copy_parquet  # noqa: PLC0415  # DuckDB takes 0.2 s to load

        return copy_parquet(self._turn, query, folder)

    def transcribed(self, query: CallQuery) -> Iterator[tuple[int, bytes]]:
        """Give calls as lines of a journal, so many at once; see ``core.copying.Copying``."""
        from outlay.ledger.transcript import transcribed  # noqa: PLC0415  # for exports alone

        return transcribed(lambda fresh: self._turn(fresh=fresh), query)

    def tabled(
        self, query: CallQuery, columns: Sequence[str], lines_of: "LinesOf"
    ) -> Iterator[tuple[int, bytes]]:
        """Give calls as lines of CSV, so many at once; see ``core.copying.Copying``."""
        from outlay.ledger.tabular import tabled  # noqa: PLC0415  # for exports alone

        return tabled(lambda fresh: self._turn(fresh=fresh), query, columns, lines_of)

    def migrate(self) -> Migrated:
        """Bring the tables to the newest form, as every question does."""
        with self._mine, _alone(self.folder, self._patience), self._loaded().attached() as engine:
            return Migrated(engine.found, engine.version())

    def compact(self) -> Compacted:
        """Write the file anew, without what was deleted, in order of time; needs as much room once more."""
        from outlay.ledger.compaction import rewrite  # noqa: PLC0415  # DuckDB takes 0.2 s to load

        with self._mine, _alone(self.folder, self._patience):
            before = self._size()
            rewrite(self._loaded(), self.folder)
            return Compacted(before, self._size())

    def prune(self, before: datetime, *, dry_run: bool = False) -> Pruned:
        """Turn calls that started before that day (UTC) into daily totals; see ``core.ports.Keeping``.

        The journals' segments that were written before that day, and are wholly taken in, are then removed.
        """
        from outlay.ledger.retention import prune  # noqa: PLC0415  # DuckDB takes 0.2 s to load

        with self._turn() as engine:
            done = prune(engine, before, dry_run=dry_run)
            if not dry_run:
                self._remove_segments(engine, done.before)
            return done

    def _tidy(self, engine: "Engine") -> None:
        """Remove journals that are older than they are to be kept, once an hour."""
        now = datetime.now(UTC)
        if self.journal_keep is None or (self._tidied is not None and now - self._tidied < _HOUR):
            return
        self._tidied = now
        self._remove_segments(engine, now - self.journal_keep)

    def _remove_segments(self, engine: "Engine", before: datetime) -> None:
        """Remove what has been taken in, now that this is on disk; first the file, then what is known of it.

        Killed in between, a segment without file is known still, which harms nothing.
        """
        from outlay.ledger.ship.offsets import taken_by_all  # noqa: PLC0415  # hardly ever

        taken = dict(engine.all("SELECT segment, taken FROM journals"))
        for name in remove_taken(self.journals, taken_by_all(self.folder, taken), before):
            engine.run("DELETE FROM journals WHERE segment = ?", [name])

    def verify(self) -> tuple[Disagreement, ...]:
        """Compare journals, ledger and daily totals; nothing where all agrees."""
        from outlay.ledger.proof import verify  # noqa: PLC0415  # DuckDB takes 0.2 s to load

        with self._turn() as engine:
            return verify(engine, self.journals, self._spool)

    def late_calls(self, limit: int) -> tuple[Record, ...]:
        """Give the newest of the calls that came when their day had been pruned; they are in no total."""
        with self._turn() as engine:
            return inventory.late_calls(engine, limit)

    def settle_late(self, *, count_in: bool, dry_run: bool = False) -> Settled:
        """Add late calls to the totals of their days, or give them up; see ``core.ports.Keeping``."""
        from outlay.ledger.retention import settle_late  # noqa: PLC0415  # DuckDB takes 0.2 s to load

        with self._turn() as engine:
            return settle_late(engine, count_in=count_in, dry_run=dry_run)

    def known(self, ids: Sequence[str]) -> frozenset[str]:
        """Give those of these ids whose calls are here."""
        with self._turn() as engine:
            found = engine.all(
                "SELECT id FROM calls WHERE id IN (SELECT unnest(CAST(? AS UUID[])))", [list(ids)]
            )
        return frozenset(str(name) for (name,) in found)

    def _size(self) -> int:
        return sum(size_of(file) or 0 for file in self.folder.glob("ledger.duckdb*"))

    def close(self) -> None:
        """Let go of the engine; the next question would start it again."""
        with self._mine:
            engine, self._engine = self._engine, None
            if engine is not None:
                engine.close()

    def start_anew_in_child(self) -> None:
        """Ask with an engine of its own in a forked child; a thread that is not there may have the turn."""
        if self._engine is not None:
            self._engine.stay()
        self._engine = self._held = None
        self._mine = threading.Lock()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Answer what this thread asks meanwhile from one state; see ``core.ports.Steady``."""
        with self._turn() as engine:
            before, self._held = self._held, (threading.get_ident(), engine)
            try:
                yield
            finally:
                self._held = before

    @contextmanager
    def _turn(self, *, fresh: bool = True) -> "Iterator[Engine]":
        """Have the ledger to oneself, with the journals taken in if ``fresh``.

        Raises:
            LedgerBusyError: others had it for longer than our patience.
            LedgerError: it cannot be opened, read or written.
        """
        held = self._held
        if held is not None and held[0] == threading.get_ident():
            yield held[1]
            return
        with self._mine, _alone(self.folder, self._patience), self._loaded().attached() as engine:
            if fresh:
                from outlay.ledger.ingest import take_in  # noqa: PLC0415  # likewise
                from outlay.ledger.sealing import seal  # noqa: PLC0415  # likewise

                take_in(engine, self.journals, self._spool)
                seal(engine)
                self._tidy(engine)
            yield engine

    def _loaded(self) -> "Engine":
        if self._engine is None:
            from outlay.ledger.engine import Engine  # noqa: PLC0415  # DuckDB takes 0.2 s to load

            self._engine = Engine(self.folder)
        return self._engine


@contextmanager
def _alone(folder: Path, patience: float) -> Iterator[None]:
    """Hold the folder's lock.

    Who waits holds the place at the head of the queue meanwhile, so that a reader who asks all the time
    has to let the others go first.
    """
    try:
        private_folder(folder)
        release = _through_the_queue(folder, patience)
    except OSError as error:
        raise LedgerError(
            f"cannot use the ledger in {folder}: {error.strerror or error}; {ASK_DOCTOR}"
        ) from error
    if release is None:
        raise LedgerBusyError(
            f"others have been using the ledger in {folder} for {patience:g} seconds; ask again"
        )
    try:
        yield
    finally:
        release()


def _through_the_queue(folder: Path, patience: float) -> Release | None:
    until = time.monotonic() + patience
    leave = take(str(folder / "ledger.queue"), patience)
    if leave is None:
        return None
    try:
        return take(str(folder / "ledger.lock"), max(0.0, until - time.monotonic()))
    finally:
        leave()
