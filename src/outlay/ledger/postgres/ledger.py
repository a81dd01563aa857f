"""The ledger in a PostgreSQL database: many hosts write to it, many ask."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from outlay.core.errors import MissingExtraError
from outlay.core.keeping import Compacted, Disagreement, LedgerInfo, Migrated, Pruned, Settled
from outlay.core.query import Query, Rows, Selected
from outlay.core.record import Entry, Record
from outlay.journal import watch_forks
from outlay.ledger.answering import Answering
from outlay.ledger.postgres.place import Place

if TYPE_CHECKING:
    from outlay.ledger.postgres.connection import Connection
    from outlay.ledger.postgres.load import Loader


class PostgresLedger(Answering):
    """A ledger in a schema of a database; a ``core.ports.Ledger`` that keeps house.

    It connects when it is first used, and again after the server went away. Writers take turns, for which
    each waits at most ``patience`` seconds; who asks waits for nobody.
    """

    def __init__(self, url: str, *, patience: float = 30.0, exact: int = 200_000) -> None:
        self._place = Place.of(url)
        self._patience = patience
        self._exact = exact
        self._connection: Connection | None = None
        self._loader: Loader | None = None
        self._mine = threading.Lock()  # one connection does one thing at a time
        watch_forks(self)

    @property
    def url(self) -> str:
        """Where the ledger is, without the password."""
        return self._place.shown

    @property
    def schema(self) -> str:
        """The schema that holds it."""
        return self._place.schema

    def add(self, entries: Iterable[Entry]) -> int:
        """Keep entries whose id is new, all or none; give how many records were new.

        Raises:
            LedgerBusyError: others were writing for longer than our patience.
            RefusedEntryError: an entry cannot be kept.
            LedgerError: the server cannot be reached, or refuses.
        """
        with self._loading() as (connection, loader):
            return loader.add(connection, entries)

    def add_lines(self, lines: Iterable[bytes]) -> int:
        """Keep what lines of journals hold; see ``core.ports.TakingLines``."""
        with self._loading() as (connection, loader):
            return loader.add_lines(connection, lines)

    @contextmanager
    def _loading(self) -> "Iterator[tuple[Connection, Loader]]":
        with self._mine:
            connection = self._opened()
            if self._loader is None:
                from outlay.ledger.postgres.load import Loader  # noqa: PLC0415 - needs the extra

                self._loader = Loader()
            try:
                with connection.writing():
                    self._loader.know_only(connection.sessions)
                    yield connection, self._loader
            except BaseException:
                self._loader.forget()
                raise

    def rows(self, query: Query) -> Rows:
        """Answer with one row a group; percentiles of more calls than ``exact`` are right to 4 %."""
        with self._turn() as tables:
            from outlay.ledger.postgres.large import rows  # noqa: PLC0415 - needs the extra

            return rows(tables, query, self._exact)

    def info(self) -> LedgerInfo:
        """Tell where the ledger is, how much it holds, and what was lost or is in conflict."""
        with self._turn() as tables:
            from outlay.ledger.postgres.keeping import info  # noqa: PLC0415 - needs the extra

            return info(tables)

    def select(self, text: str) -> Selected:
        """Run one SELECT over the view ``calls``, with the newest costs and scores; see ``docs/sql.md``.

        Raises:
            QueryError: it is not one SELECT, or PostgreSQL refuses it.
        """
        with self._turn() as tables:
            from outlay.ledger.postgres.selecting import select  # noqa: PLC0415 - needs the extra

            return select(tables, text)

    def migrate(self) -> Migrated:
        """Bring the tables to the newest form, as every question does."""
        with self._mine:
            return Migrated(*self._opened().migrate())

    def compact(self) -> Compacted:
        """Write each table anew without what was deleted; others wait for the one at hand meanwhile.

        Raises:
            LedgerBusyError: a transaction of others had a table for longer than our patience; who, is said.
        """
        with self._mine:
            connection = self._opened()
            from outlay.ledger.postgres.keeping import size_of, tables_of  # noqa: PLC0415 - needs the extra

            with connection.reading():
                before, tables = size_of(connection), tables_of(connection)
            connection.vacuum(tables)
            with connection.reading():
                return Compacted(before, size_of(connection))

    def prune(self, before: datetime, *, dry_run: bool = False) -> Pruned:
        """Turn calls that started before that day (UTC) into daily totals; see ``core.ports.Keeping``."""
        with self._mine, self._opened().writing() as connection:
            from outlay.ledger.postgres.retention import prune  # noqa: PLC0415 - needs the extra

            return prune(connection, before, dry_run=dry_run)

    def verify(self) -> tuple[Disagreement, ...]:
        """Compare calls, rollups and daily totals; nothing where all agree. It reads every call."""
        with self._turn() as tables:
            from outlay.ledger.postgres.keeping import verify  # noqa: PLC0415 - needs the extra

            return tuple(verify(tables))

    def late_calls(self, limit: int) -> tuple[Record, ...]:
        """Give the newest of the calls that came when their day had been pruned; they are in no total."""
        with self._turn() as tables:
            from outlay.ledger.postgres.retention import late_calls  # noqa: PLC0415 - needs the extra

            return late_calls(tables, limit)

    def settle_late(self, *, count_in: bool, dry_run: bool = False) -> Settled:
        """Add late calls to the totals of their days, or give them up; see ``core.ports.Keeping``."""
        with self._mine, self._opened().writing() as connection:
            from outlay.ledger.postgres.retention import settle_late  # noqa: PLC0415 - needs the extra

            return settle_late(connection, count_in=count_in, dry_run=dry_run)

    def known(self, ids: Sequence[str]) -> frozenset[str]:
        """Give those of these ids, UUIDs in lower case, whose calls are here."""
        with self._turn() as tables:
            found = tables.all("SELECT id FROM records WHERE id = ANY(CAST(? AS UUID[]))", [list(ids)])
            return frozenset(str(each) for (each,) in found)

    def close(self) -> None:
        """Let go of the connection; the next question would make another."""
        with self._mine:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    def start_anew_in_child(self) -> None:
        """Let a forked child ask, where a thread that is not there may have the turn."""
        self._mine = threading.Lock()

    @contextmanager
    def _turn(self, *, fresh: bool = True) -> "Iterator[Connection]":  # noqa: ARG002 - what is kept is always fresh
        """Ask about one state.

        Raises:
            LedgerError: the server cannot be reached, or refuses.
        """
        with self._mine, self._opened().reading() as connection:
            yield connection

    def _opened(self) -> "Connection":
        if self._connection is None:
            try:
                from outlay.ledger.postgres.connection import Connection  # noqa: PLC0415 - an extra
            except ImportError as error:
                raise MissingExtraError.of("postgresql", "psycopg") from error
            self._connection = Connection(self._place, patience=self._patience)
        return self._connection
