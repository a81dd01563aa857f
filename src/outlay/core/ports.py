"""The ports: what the rooms above promise each other, small enough to fake in a test."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from outlay.core.keeping import Compacted, Disagreement, LedgerInfo, Migrated, Pruned, Settled
from outlay.core.query import CallQuery, Query, Row, Rows, Selected
from outlay.core.record import Entry, Record, Revision


class Clock(Protocol):
    """Gives the time; handed in so that tests can stop it."""

    def now(self) -> datetime:
        """Give the current instant, aware UTC."""
        ...

    def monotonic(self) -> float:
        """Give seconds that never run backwards, for measuring how long something took."""
        ...


class Sink(Protocol):
    """Takes what was recorded; must neither wait nor raise."""

    def append(self, entry: Entry) -> None:
        """Take one entry."""
        ...

    def flush(self, timeout: float | None = None) -> bool:
        """Return when all that was appended is kept; False if that took longer than ``timeout`` seconds."""
        ...


class Pending(Protocol):
    """Something finished that is not made into an entry yet: pricing and building it can wait."""

    def entry(self) -> Entry:
        """Make the entry; either this is asked, once, or :meth:`json`, in whatever thread has the time."""
        ...

    def json(self) -> dict[str, Any]:
        """Give the entry as ``core.codec`` writes it; that need not make the entry itself."""
        ...


def hand_on(pending: Pending, sink: Sink) -> None:
    """Hand a sink what will be an entry: one with ``defer`` makes it later, any other gets it made now."""
    defer = getattr(sink, "defer", None)
    if defer is None:
        sink.append(pending.entry())
    else:
        defer(pending)


class Adding(Protocol):
    """The taking half of a :class:`Ledger`."""

    def add(self, entries: Iterable[Entry]) -> int:
        """Keep entries whose id is new, all or none; give how many records were new.

        The same id with other content is set aside and reported by ``conflicts``, never overwritten.

        Raises:
            RefusedEntryError: an entry cannot be kept; the others could.
            LedgerError: the ledger cannot be reached or written; trying again may help.
        """
        ...


@runtime_checkable
class Ledger(Adding, Protocol):
    """Keeps entries, each once, and answers questions about them."""

    def rows(self, query: Query) -> Rows:
        """Answer with one row a group; the rows add up to the total, a missing dimension is None."""
        ...

    def lines(self, query: Query) -> tuple[Row, ...]:
        """Add up the lines of the calls' costs: a row for each group, unit, currency, rate and input rate.

        A row has the dimensions, ``unit``, ``currency``, ``rate``, ``per``, ``input_rate``, ``lines`` (how
        many), ``quantity`` and ``amount`` (Decimals), in that order, and the rows stand in order of all
        before ``lines``. ``input_rate`` is, for a unit read from or written to a cache, the least rate that
        the same call paid the same model for fresh input of that modality; None if it paid for none, and
        for all other units. What a provider stated is of the unit ``reported``, whose ``rate`` is None. Calls
        without lines, as unpriced ones, are in no row; metrics are ignored.
        """
        ...

    def calls(self, query: CallQuery) -> Iterator[Record]:
        """Give single calls in the order asked for, scores and revisions applied."""
        ...

    def get(self, record_id: str) -> Record | None:
        """Give one call by its id, or by the start of it if only one matches."""
        ...

    def revisions(self, record_id: str) -> tuple[Revision, ...]:
        """Give every cost that a call has had, the recorded one first; empty if there is no such call."""
        ...

    def histories(self, ids: Sequence[str]) -> Mapping[str, tuple[Revision, ...]]:
        """Give what :meth:`revisions` gives, of those of these calls whose cost was reckoned again."""
        ...

    def conflicts(self) -> int:
        """Count the entries that were set aside because their id was taken by other content."""
        ...

    def close(self) -> None:
        """Let go of files and connections; calling it twice is harmless."""
        ...


@runtime_checkable
class Housed(Protocol):
    """A ledger whose engine may work inside this process."""

    @property
    def in_process(self) -> bool:
        """Whether it does; its work must end before the process does."""
        ...


def works_here(ledger: object) -> bool:
    """Whether a ledger's engine works inside this process."""
    return isinstance(ledger, Housed) and ledger.in_process


@runtime_checkable
class TakingLines(Protocol):
    """Keeping what lines of journals hold, most of them without a Record of each."""

    def add_lines(self, lines: Iterable[bytes]) -> int:
        """Keep entries as :meth:`Ledger.add` does, of the lines that hold them; give how many calls were new.

        Raises:
            RefusedEntryError: a line is no entry, or one that cannot be kept; nothing of these lines is kept.
            LedgerError: the ledger cannot be reached or written; trying again may help.
        """
        ...


@runtime_checkable
class DrawingAhead(TakingLines, Protocol):
    """Keeping lines in two steps, the first of which may go on in another thread while a server works."""

    def drawn(self, lines: Iterable[bytes]) -> object:
        """Read lines and write them as the server wants them, without asking it anything.

        Raises:
            RefusedEntryError: a line is no entry, or one that cannot be kept.
        """
        ...

    def add_drawn(self, drawn: Any) -> int:
        """Keep what was drawn, as :meth:`add_lines` does; give how many calls were new."""
        ...


@runtime_checkable
class Selecting(Protocol):
    """Answering SQL of one's own over a documented view of the calls, and changing nothing."""

    def select(self, text: str) -> Selected:
        """Run one SELECT over the view ``calls``, in the engine's own dialect.

        Raises:
            QueryError: it is not one SELECT, or the engine refuses it.
        """
        ...


@runtime_checkable
class Naming(Protocol):
    """Naming the calls whose ids begin alike."""

    def ids(self, start: str, limit: int) -> tuple[str, ...]:
        """Give the ids that begin so, in their order, but no more than so many; none where no id can."""
        ...


@runtime_checkable
class Steady(Protocol):
    """Answering several questions from one state; what was read for one need not be read for the next."""

    def together(self) -> AbstractContextManager[None]:
        """Hold one state for the questions that this thread asks meanwhile; others wait, so ask at once.

        Only questions belong within, no change and no SQL of one's own.

        Raises:
            LedgerError: the ledger cannot be opened or read.
        """
        ...


class Workbench(Protocol):
    """An engine to work out calls with, in temporary tables of one's own; the ledger is not held meanwhile.

    One thread uses it at a time; threads with a workbench each work side by side. Tables of the catalogue
    ``memory`` are seen from all of them.
    """

    @property
    def columns(self) -> Mapping[str, str]:
        """The columns of the ledger's calls with their types."""
        ...

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement for its effect; LedgerError where the engine refuses it."""
        ...

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a question and give all rows; LedgerError where the engine refuses it."""
        ...

    def absorb(self, table: str, ids: str) -> int:
        """Keep the calls of a temporary table or view whose id is new; give how many were new.

        All or none of them, or of each 50,000 where they go to a server.

        It has the columns of calls, and a ``number`` by which they stand in order. The temporary table
        ``ids`` has the ``id`` of each of them, where it is found without working out the rest.

        Raises:
            LedgerError: the ledger cannot be written.
        """
        ...


@runtime_checkable
class Absorbing(Adding, Protocol):
    """Keeping calls that an engine in this process has laid out, without a Record of each."""

    @property
    def spool(self) -> Path:
        """A folder for files that are read at once and then removed."""
        ...

    def workbench(self) -> AbstractContextManager[Workbench]:
        """Have a place in its engine, and what stands there, until it is given back.

        Raises:
            LedgerError: the ledger cannot be opened.
        """
        ...


@runtime_checkable
class Keeping(Protocol):
    """Keeping house in a ledger; whatever is a :class:`Ledger` and lasts has this too."""

    def info(self) -> LedgerInfo:
        """Tell how the ledger stands."""
        ...

    def migrate(self) -> Migrated:
        """Bring the tables to the newest form; changes nothing where they have it.

        Raises:
            LedgerSchemaError: a newer outlay wrote them.
        """
        ...

    def compact(self) -> Compacted:
        """Give room back that deleted rows still take."""
        ...

    def prune(self, before: datetime, *, dry_run: bool = False) -> Pruned:
        """Turn calls that started before that day (UTC) into daily totals, in one transaction.

        Totals by ``ROLLED_DIMENSIONS``, tags and UTC day stay what they were, with the newest of each call's
        costs; single calls, percentiles, sessions and hours are gone. A call of that time that comes later is
        set aside and counted as ``late``, since nobody can tell whether it was in the totals already; the day
        of a call is that of ``at``, or of its id, a UUIDv7, if that is older. The horizon only moves forward.
        """
        ...

    def verify(self) -> tuple[Disagreement, ...]:
        """Compare what the ledger says in more than one place; nothing where all agrees."""
        ...

    def late_calls(self, limit: int) -> tuple[Record, ...]:
        """Give the newest of the calls that came when their day had been pruned; they are in no total."""
        ...

    def settle_late(self, *, count_in: bool, dry_run: bool = False) -> Settled:
        """Add all late calls to the totals of their days, with their recorded costs; or give them up.

        All or none, in one transaction. Each is settled once for ever: told again, it is nothing new, and in
        no total twice. A call's day is that of ``at``, or of its id, a UUIDv7, if that is older.
        """
        ...

    def known(self, ids: Sequence[str]) -> frozenset[str]:
        """Give those of these ids, UUIDs in lower case, whose calls are here; pruned ones are not."""
        ...
