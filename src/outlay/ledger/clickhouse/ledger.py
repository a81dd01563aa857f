"""The ledger on ClickHouse: a server, a cluster, or chDB in process."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from outlay.core.errors import QueryError
from outlay.core.keeping import Compacted, Disagreement, LedgerInfo, Migrated, Pruned, Settled
from outlay.core.query import Query, Rows, Selected
from outlay.core.record import Entry, Record, Revision
from outlay.journal import watch_forks
from outlay.ledger.answering import Answering
from outlay.ledger.clickhouse.place import Place
from outlay.ledger.rolled import horizon_of

if TYPE_CHECKING:
    from outlay.ledger.clickhouse.client import Client
    from outlay.ledger.clickhouse.drawn import Drawing
    from outlay.ledger.clickhouse.intake import Drawn


class ClickHouseLedger(Answering):
    """A ledger in a ClickHouse database; a ``core.ports.Ledger``.

    It connects with the first question and brings the tables up to date then. Any number of programs may use
    a server; a folder that is read in process belongs to one process until ``close``.
    """

    page_size = 2_000  # the ids of a page fit in one parameter

    def __init__(self, place: Place) -> None:
        self.place = place
        self._connection: Client | None = None
        self._migrated = Migrated(0, 0)
        self._connecting = threading.Lock()
        self._drawing: Drawing | None = None
        watch_forks(self)

    def start_anew_in_child(self) -> None:
        """Let a forked child connect: a thread that is not there may have been at it."""
        self._connecting = threading.Lock()

    @property
    def in_process(self) -> bool:
        """Whether the engine is chDB's, inside this process."""
        return self.place.host is None

    @property
    def _client(self) -> "Client":
        """The connection, with the tables as this outlay knows them.

        Raises:
            MissingExtraError: clickhouse-connect or chdb is not installed.
            LedgerSchemaError: a newer outlay wrote the tables.
            LedgerError: the server cannot be reached, or refuses us.
        """
        with self._connecting:
            if self._connection is None:
                from outlay.ledger.clickhouse.client import Client  # noqa: PLC0415  # an extra
                from outlay.ledger.clickhouse.tables import migrate  # noqa: PLC0415  # likewise

                client = Client(self.place)
                try:
                    self._migrated = migrate(client)
                except BaseException:
                    client.close()
                    raise
                self._connection = client
            return self._connection

    def add(self, entries: Iterable[Entry]) -> int:
        """Keep entries whose id is new, all or none of each 50,000; give how many records were new.

        Raises:
            RefusedEntryError: an entry cannot be kept.
            LedgerError: the server cannot be reached; what of it is kept already is nothing new when it is
                added again.
        """
        from outlay.ledger.clickhouse.intake import add  # noqa: PLC0415  # an extra

        return add(self._client, entries)

    def add_lines(self, lines: Iterable[bytes]) -> int:
        """Keep what lines of journals hold, all or none of each 50,000; see ``core.ports.TakingLines``."""
        return self.add_drawn(self.drawn(lines))

    def drawn(self, lines: Iterable[bytes]) -> "list[Drawn]":
        """Read lines and write them for the server; see ``core.ports.DrawingAhead``."""
        from outlay.ledger.clickhouse.drawn import Drawing  # noqa: PLC0415  # an extra
        from outlay.ledger.clickhouse.intake import drawn  # noqa: PLC0415  # likewise

        if self._drawing is None:
            self._drawing = Drawing()
        return drawn(lines, self._drawing)

    def add_drawn(self, drawn: "list[Drawn]") -> int:
        """Keep what was drawn; likewise."""
        from outlay.ledger.clickhouse.intake import add_drawn  # noqa: PLC0415  # an extra

        return add_drawn(self._client, drawn)

    @contextmanager
    def _turn(self, *, fresh: bool = True) -> "Iterator[Client]":  # noqa: ARG002  # all that is kept is here
        yield self._client

    def rows(self, query: Query) -> Rows:
        """Answer with one row a group; without dimensions the one row is the total, if there is any call."""
        while True:  # a prune in between would leave calls out that it moved, or count them in both places
            before = horizon_of(self._client)
            answer = super().rows(query)
            if horizon_of(self._client) == before:
                return answer

    def histories(self, ids: Sequence[str]) -> Mapping[str, tuple[Revision, ...]]:
        """Give every cost of those of these calls whose cost was reckoned again."""
        found: dict[str, tuple[Revision, ...]] = {}
        for start in range(0, len(ids), self.page_size):
            found.update(super().histories(ids[start : start + self.page_size]))
        return found

    def info(self) -> LedgerInfo:
        """Tell how the ledger stands."""
        from outlay.ledger.clickhouse.keeping import info  # noqa: PLC0415  # an extra

        return info(self._client)

    def select(self, text: str) -> Selected:
        """Run one SELECT over the view ``calls``, with the newest costs and scores; see ``docs/sql.md``.

        Raises:
            QueryError: it is not one SELECT, or ClickHouse refuses it.
        """
        from outlay.ledger.clickhouse.selecting import select  # noqa: PLC0415  # an extra

        try:
            return select(self._client, text)
        except QueryError:
            if self.place.host is None:  # chDB keeps the settings of what failed, and would write no more
                self.close()
            raise

    def migrate(self) -> Migrated:
        """Bring the tables to the newest form, as a first question does, and set the URL's ``ttl_days``."""
        from outlay.ledger.clickhouse.tables import keep_for  # noqa: PLC0415  # an extra

        keep_for(self._client)
        return self._migrated

    def compact(self) -> Compacted:
        """Merge the tables' parts, which drops copies and what was deleted."""
        from outlay.ledger.clickhouse.keeping import compact  # noqa: PLC0415  # an extra

        return compact(self._client)

    def prune(self, before: datetime, *, dry_run: bool = False) -> Pruned:
        """Turn calls that started before that day (UTC) into daily totals; see ``core.ports.Keeping``."""
        from outlay.ledger.clickhouse.retention import prune  # noqa: PLC0415  # an extra

        return prune(self._client, before, dry_run=dry_run)

    def verify(self) -> tuple[Disagreement, ...]:
        """Compare what the tables say in more than one place; nothing where all agrees."""
        from outlay.ledger.clickhouse.keeping import verify  # noqa: PLC0415  # an extra

        return verify(self._client)

    def late_calls(self, limit: int) -> tuple[Record, ...]:
        """Give the newest of the calls that came when their day had been pruned; they are in no total."""
        from outlay.ledger.clickhouse.late import late_calls  # noqa: PLC0415  # an extra

        return late_calls(self._client, limit)

    def settle_late(self, *, count_in: bool, dry_run: bool = False) -> Settled:
        """Add late calls to the totals of their days, or give them up; see ``core.ports.Keeping``."""
        from outlay.ledger.clickhouse.late import settle_late  # noqa: PLC0415  # an extra

        return settle_late(self._client, count_in=count_in, dry_run=dry_run)

    def known(self, ids: Sequence[str]) -> frozenset[str]:
        """Give those of these ids whose calls are here; pruned ones are not."""
        from outlay.ledger.clickhouse.known import here  # noqa: PLC0415  # an extra

        return frozenset(here(self._client, ids))

    def close(self) -> None:
        """Let go of the connection; the next question would make it again."""
        with self._connecting:
            client, self._connection = self._connection, None
            if client is not None:
                client.close()
