"""The ledger on ClickHouse: a server, a cluster, or chDB in process."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from outlay.core.keeping import Compacted, Disagreement, LedgerInfo, Migrated, Pruned
from outlay.core.query import CallQuery, Query, Row, Rows
from outlay.core.record import Entry, Record, Revision
from outlay.ledger import answers
from outlay.ledger.clickhouse.place import Place
from outlay.ledger.identity import ends_of
from outlay.ledger.rolled import horizon_of

if TYPE_CHECKING:
    from outlay.ledger.clickhouse.client import Client

_PAGE = 2_000  # calls fetched at once; their ids fit in one parameter


class ClickHouseLedger:
    """A ledger in a ClickHouse database; a ``core.ports.Ledger``.

    It connects with the first question and brings the tables up to date then. Any number of programs may use
    a server; a folder that is read in process belongs to one process until ``close``.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self._connection: Client | None = None
        self._migrated = Migrated(0, 0)
        self._connecting = threading.Lock()

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
            LedgerError: an entry cannot be kept, or the server cannot be reached; what of it is kept already
                is nothing new when it is added again.
        """
        from outlay.ledger.clickhouse.intake import add  # noqa: PLC0415  # an extra

        return add(self._client, entries)

    def rows(self, query: Query) -> Rows:
        """Answer with one row a group; without dimensions the one row is the total, if there is any call."""
        client = self._client
        while (
            True
        ):  # a prune in between would leave calls out that were in the daily totals' time, or in both
            before = horizon_of(client)
            answer = answers.rows(client, query)
            if horizon_of(client) == before:
                return answer

    def lines(self, query: Query) -> tuple[Row, ...]:
        """Add up the lines of costs, one row for each group, unit, currency, rate and input rate."""
        return answers.lines(self._client, query)

    def calls(self, query: CallQuery) -> Iterator[Record]:
        """Give single calls in the order asked for, scores and revisions applied; fetched page by page."""
        return answers.in_pages(
            lambda size, last: answers.page(self._client, query, size, last), query.limit, _PAGE
        )

    def get(self, record_id: str) -> Record | None:
        """Give one call by its id, or by the start of it if only one matches."""
        found = self._between(record_id)
        return answers.as_they_stand(self._client, found)[0] if len(found) == 1 else None

    def revisions(self, record_id: str) -> tuple[Revision, ...]:
        """Give every cost that a call has had, the recorded one first; empty if there is no such call."""
        found = self._between(record_id)
        return answers.costs_of(self._client, found[0]) if len(found) == 1 else ()

    def _between(self, record_id: str) -> list[Record]:
        ends = ends_of(record_id)
        return [] if ends is None else answers.between(self._client, *ends)

    def histories(self, ids: Sequence[str]) -> Mapping[str, tuple[Revision, ...]]:
        """Give every cost of those of these calls whose cost was reckoned again."""
        found: dict[str, tuple[Revision, ...]] = {}
        for start in range(0, len(ids), _PAGE):
            found |= answers.histories(self._client, ids[start : start + _PAGE])
        return found

    def conflicts(self) -> int:
        """Count the entries that were set aside because their id was taken by other content."""
        return int(self._client.all("SELECT count() FROM conflicts")[0][0])

    def info(self) -> LedgerInfo:
        """Tell how the ledger stands."""
        from outlay.ledger.clickhouse.keeping import info  # noqa: PLC0415  # an extra

        return info(self._client)

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
