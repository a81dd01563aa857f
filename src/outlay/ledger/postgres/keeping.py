"""Keeping house in PostgreSQL: how the ledger stands, and whether all that it says twice agrees."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from outlay.core.keeping import Disagreement, LedgerInfo, Lost
from outlay.ledger.postgres import rollups
from outlay.ledger.postgres.connection import Connection
from outlay.ledger.rolled import horizon_of

_SIZE = """SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class
    WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND relkind = 'r'"""
_MONTH = re.compile(r"records_\d{4}_\d{2}")
_KEY = ("hour", "kind", "currency", "cost_status")


def _listed(table: str) -> str:
    return ", ".join(f"{table}.{name}" for name in rollups.SUMS if name != "latency_ms")


def size_of(connection: Connection) -> int:
    """Give the bytes that the ledger's tables and indexes take on disk."""
    return int(connection.all(_SIZE)[0][0])


def tables_of(connection: Connection) -> list[str]:
    """Name the tables that rows are deleted from: of the months only those that a prune has reached."""
    found = connection.all(
        "SELECT relname FROM pg_class WHERE relnamespace ="
        " (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND relkind = 'r' ORDER BY relname"
    )
    horizon = horizon_of(connection)
    newest = "" if horizon is None else f"records_{horizon:%Y_%m}"
    return [name for (name,) in found if not _MONTH.fullmatch(name) or name <= newest]


def info(connection: Connection) -> LedgerInfo:
    """Tell how the ledger stands."""
    calls = connection.all("SELECT coalesce(sum(calls), 0) FROM hours")[0][0]
    first, last = connection.all('SELECT min("at"), max("at") FROM records')[0]
    lost = connection.all('SELECT why, sum(count) FROM losses GROUP BY why ORDER BY min("at")')
    return LedgerInfo(
        ledger=connection.place.shown,
        schema=connection.all("SELECT max(version) FROM outlay_schema")[0][0],
        calls=int(calls),
        first=_aware(first),
        last=_aware(last),
        revisions=_count(connection, "revisions"),
        conflicts=_count(connection, "conflicts"),
        lost=tuple(Lost(why, int(count)) for why, count in lost),
        size_bytes=size_of(connection),
        pruned_before=horizon_of(connection),
        pruned_calls=int(connection.all("SELECT coalesce(sum(calls), 0) FROM rollups")[0][0]),
        late=_count(connection, "late"),
    )


def _aware(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(tzinfo=UTC)


def _count(connection: Connection, table: str) -> int:
    return int(connection.all(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608  # our own names


def verify(connection: Connection) -> Iterator[Disagreement]:
    """Compare rollups with the calls, daily totals with what was pruned, and rows with what they refer to."""
    yield from _of_hours(connection)
    yield from _of_latencies(connection)
    yield from _of_pruned_days(connection)
    for what, text in _NONE_OF.items():
        found = connection.all(text)[0][0]
        if found:
            yield Disagreement("calls", what, "0", f"{found:,}")


_NONE_OF = {
    "calls without a kind": "SELECT count(*) FROM records WHERE kind NOT IN (SELECT id FROM kinds)",
    "calls without their price": """SELECT count(*) FROM records
        WHERE price IS NOT NULL AND price NOT IN (SELECT id FROM prices)""",
    "calls of days that were pruned": """SELECT count(*) FROM records
        WHERE "at" < (SELECT max("before") FROM prunes)""",
}
_DIFFERING_HOURS = f"""SELECT date_trunc('day', hour), sum(c.calls), sum(c.cost), sum(h.calls), sum(h.cost)
    FROM ({rollups.hourly(rollups.ALL)}) AS c({", ".join((*_KEY, *rollups.SUMS))})
    FULL JOIN hours AS h USING ({", ".join(_KEY)})
    WHERE ROW({_listed("c")}) IS DISTINCT FROM ROW({_listed("h")})
        OR abs(c.latency_ms - h.latency_ms) > 0.000000001 * abs(c.latency_ms)
    GROUP BY 1 ORDER BY 1"""  # noqa: S608  # our own names
_DIFFERING_DAYS = f"""SELECT day, sum(c.calls), sum(l.calls)
    FROM ({rollups.daily("records")}) AS c(day, kind, bucket, calls)
    FULL JOIN ({rollups.DAYS}) AS l USING (day, kind, bucket) WHERE c.calls IS DISTINCT FROM l.calls
    GROUP BY 1 ORDER BY 1"""  # noqa: S608  # our own names
_DIFFERING_HOURS_OF_ALL = f"""SELECT date_trunc('day', hour), sum(c.calls), sum(l.calls)
    FROM ({rollups.of_hours("records")}) AS c(hour, bucket, calls)
    FULL JOIN ({rollups.HOURS}) AS l USING (hour, bucket) WHERE c.calls IS DISTINCT FROM l.calls
    GROUP BY 1 ORDER BY 1"""  # noqa: S608  # our own names
_DIFFERING_TOTALS = """SELECT day, currency, coalesce(p.calls, 0), p.cost, coalesce(r.calls, 0), r.cost
    FROM (SELECT "at" AS day, currency, sum(calls) AS calls, sum(cost) AS cost
        FROM rollups GROUP BY 1, 2) AS r
    FULL JOIN (SELECT day, currency, sum(calls) AS calls, sum(cost) AS cost
        FROM pruned_days GROUP BY 1, 2) AS p
    USING (day, currency) WHERE r.calls IS DISTINCT FROM p.calls OR r.cost IS DISTINCT FROM p.cost
    ORDER BY 1, 2"""


def _of_hours(connection: Connection) -> Iterator[Disagreement]:
    for day, calls, cost, summed, amount in connection.all(_DIFFERING_HOURS):
        expected, found = (f"{n or 0:,} calls, {cost}" for n, cost in ((calls, cost), (summed, amount)))
        yield Disagreement(f"{day:%Y-%m-%d}", "hours that differ", expected, found)


def _of_latencies(connection: Connection) -> Iterator[Disagreement]:
    for what, text in (("", _DIFFERING_DAYS), (" by hour", _DIFFERING_HOURS_OF_ALL)):
        for day, calls, counted in connection.all(text):
            told = f"buckets of latencies that differ{what}"
            yield Disagreement(f"{day:%Y-%m-%d}", told, f"{calls or 0:,}", f"{counted or 0:,}")


def _of_pruned_days(connection: Connection) -> Iterator[Disagreement]:
    for day, currency, calls, cost, rolled, amount in connection.all(_DIFFERING_TOTALS):
        where = f"{day:%Y-%m-%d} {currency}"
        yield Disagreement(where, "daily totals", f"{calls:,} calls, {cost}", f"{rolled:,} calls, {amount}")
