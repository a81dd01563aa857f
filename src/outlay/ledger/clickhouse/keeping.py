"""How a ClickHouse ledger stands, what it takes on disk, and whether it agrees with itself."""

from collections.abc import Iterator
from datetime import UTC

from outlay.core.keeping import Compacted, Disagreement, LedgerInfo, Lost
from outlay.ledger.clickhouse.client import Client
from outlay.ledger.clickhouse.dialect import HORIZON, STANDING
from outlay.ledger.clickhouse.late import late
from outlay.ledger.clickhouse.retention import sweep
from outlay.ledger.clickhouse.tables import shards, version_of
from outlay.ledger.rolled import horizon_of

_TABLES = (
    *("calls", "scores", "revisions", "losses", "conflicts"),
    *("rollups", "pruned", "pruned_days", "late", "settled"),
)


def info(client: Client) -> LedgerInfo:
    """Tell how much is kept, what was lost and why."""
    calls, first, last = client.all(
        f'SELECT count(), min("at"), max("at") FROM calls WHERE "at" >= {HORIZON}'  # noqa: S608  # our own names
    )[0]
    lost = client.all('SELECT why, sum("count") FROM losses GROUP BY why ORDER BY min("at")')
    rolled = client.all(f"SELECT sum(calls) FROM rollups WHERE {STANDING}")[0][0]  # noqa: S608  # our own names
    return LedgerInfo(
        ledger=str(client.place),
        schema=version_of(client),
        calls=calls,
        first=None if first is None else first.replace(tzinfo=UTC),
        last=None if last is None else last.replace(tzinfo=UTC),
        revisions=client.all("SELECT count() FROM revisions")[0][0],
        conflicts=client.all("SELECT count() FROM conflicts")[0][0],
        lost=tuple(Lost(why, int(count)) for why, count in lost),
        size_bytes=size(client),
        pruned_before=horizon_of(client),
        pruned_calls=int(rolled or 0),
        late=late(client),
    )


def size(client: Client) -> int | None:
    """Give the bytes of all tables on disk; None for a cluster, where one server knows only its own."""
    if client.place.cluster is not None:
        return None
    found = client.all(
        "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = ?", [client.place.database]
    )
    return int(found[0][0] or 0)


def compact(client: Client) -> Compacted:
    """Merge each table's parts, which drops copies and what was deleted; takes as long as reading it all."""
    before = size(client)
    sweep(client)
    for table in _TABLES:
        client.run(f"OPTIMIZE TABLE {shards(client.place, table)} FINAL")
    return Compacted(before, size(client))


def verify(client: Client) -> tuple[Disagreement, ...]:
    """Compare daily totals with what each day held when it was pruned, and calls with their ids."""
    return (*_of_pruned_days(client), *_of_tables(client))


def _of_pruned_days(client: Client) -> Iterator[Disagreement]:
    rolled = _by_day(client, "rollups", "at")
    held = _by_day(client, "pruned_days", "day")
    for key in sorted({*rolled, *held}):
        (calls, cost), (found, amount) = held.get(key, (0, None)), rolled.get(key, (0, None))
        if (calls, cost) != (found, amount):
            where = " ".join(key)
            yield Disagreement(
                where, "daily totals", f"{calls:,} calls, {cost}", f"{found:,} calls, {amount}"
            )


def _by_day(client: Client, table: str, day: str) -> dict[tuple[str, str], tuple[int, object]]:
    found = client.all(
        f"""SELECT toString(toDate32("{day}")), currency, sum(calls), sum(cost) FROM {table}
        WHERE {STANDING} GROUP BY ALL"""  # noqa: S608  # our own names
    )
    return {(name, currency): (int(calls), cost) for name, currency, calls, cost in found}


def _of_tables(client: Client) -> Iterator[Disagreement]:
    calls, ids = client.all("SELECT count(), uniqExact(id) FROM calls")[0]
    if calls != ids:
        yield Disagreement("calls", "ids, each once", f"{calls:,}", f"{ids:,}")
    old = client.all(f'SELECT count() FROM calls WHERE "at" < {HORIZON}')[0][0]  # noqa: S608  # our own names
    if old:
        yield Disagreement("calls", "calls of days that were pruned", "0", f"{old:,}")
