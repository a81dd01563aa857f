"""Answers of large ledgers: sums out of rollups that hold what is asked, percentiles out of buckets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import log
from typing import Final

from outlay.core.buckets import offsets, span
from outlay.core.query import TIME_DIMENSIONS, Query, Row, Rows, zone
from outlay.ledger import answers, rolled, sql
from outlay.ledger.dialect import Dialect
from outlay.ledger.measures import SHARES
from outlay.ledger.postgres.connection import Connection
from outlay.ledger.postgres.rollups import BUCKET, DAYS, GROWTH, HOURS, daily, of_hours
from outlay.ledger.totals import as_detailed

EXACT: Final = 200_000
"""Up to so many calls percentiles are exact; beyond, they lie in the right bucket, 4 % wide."""
_OF_KINDS = (
    *("provider", "model", "operation", "query_type", "agent", "action", "workspace", "status"),
    "error_type",
)
_OF_COSTS = ("currency", "cost_status")
_SUMMED = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_FIELDS = {"p50_latency_ms": 0, "p95_latency_ms": 2, "p99_latency_ms": 3}  # of SHARES
_ROLLED_COUNTS = """coalesce(sum(n), 0), coalesce(sum(n) FILTER (WHERE status = 'error'), 0),
    coalesce(sum(known), 0)"""
_ROLLED_SUMS = """coalesce(sum(input_tokens), 0), coalesce(sum(cached_tokens), 0),
    coalesce(sum(cache_write_tokens), 0), coalesce(sum(output_tokens), 0), coalesce(sum(reasoning_tokens), 0),
    min(currency) FILTER (WHERE known > 0), max(currency) FILTER (WHERE known > 0), sum(cost)"""
_ROLLED_MEAN = "sum(latency_ms) / nullif(sum(timed), 0)"
_Period = tuple[datetime | None, datetime | None]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question, with what decides where its answer can be read from."""

    query: Query
    bounds: sql.Bounds | None  # of the calls, where the zone's offsets matter
    base: Dialect  # single calls with the newest of their costs
    revised: bool

    @property
    def names(self) -> set[str]:
        """All dimensions that it is about."""
        return {*self.query.by, *(name for name, _ in self.query.where)}

    def fits(self, grain: timedelta, dimensions: Sequence[str]) -> bool:
        """Whether rows of that grain with these dimensions can be told apart as the question wants it."""
        others = self.names - set(TIME_DIMENSIONS)
        return others <= set(dimensions) and self._aligned(grain)

    def _aligned(self, grain: timedelta) -> bool:
        if not self.names & set(TIME_DIMENSIONS):
            return True
        if grain == _DAY and "hour" in self.names:
            return False
        local = zone(self.query.tz)
        ends = [
            end
            for name, values in self.query.where
            if name in TIME_DIMENSIONS
            for value in values
            if value is not None
            for end in span(name, value, local)
        ]
        shifts = () if self.bounds is None else (seconds for _, seconds in offsets(local, *self.bounds))
        return all(_floor(end, grain) == end for end in ends) and not any(
            seconds % grain.total_seconds() for seconds in shifts
        )


def rows(tables: Connection, query: Query, exact: int) -> Rows:
    """Answer with one row a group, and the total over the same calls.

    Where there are more than ``exact`` calls, percentiles are read from buckets.
    """
    if query.metrics or _at_most(tables, query, exact):
        return answers.rows(tables, query)
    base = answers.newest(tables)
    bounds = answers.bounds_of(tables) if query.tz != "UTC" else None
    asked = _Asked(query, bounds, base, revised=base is not tables.dialect)
    apart = replace(query, detail="sums" if query.detail == "all" else query.detail)
    found = answers.rows_of(tables, apart, _sums(asked))
    few = found.total["calls"] <= exact
    groups = _shares(tables, asked, exact=few) if query.detail == "all" else {}
    for labels in _pruned(tables, query) if groups else ():
        groups.pop(labels, None)
    answer = replace(
        found,
        rows=tuple(_with(row, groups.get(tuple(row[name] for name in query.by))) for row in found.rows),
        total=_with(found.total, groups.get(None)),
    )
    return as_detailed(answer, query)


def _with(row: Row, shares: Sequence[float] | None) -> Row:
    return row if shares is None else {**row, **{name: shares[at] for name, at in _FIELDS.items()}}


def _pruned(tables: Connection, query: Query) -> Iterator[tuple[str | None, ...] | None]:
    """Name the groups that hold pruned calls, None for the total: of those percentiles are not known."""
    if rolled.touches(query, rolled.horizon_of(tables)):
        for labels, _ in rolled.groups(tables, query).values():
            yield tuple(labels[name] for name in query.by)
            yield None


def _at_most(tables: Connection, query: Query, exact: int) -> bool:
    """Whether there are surely no more calls than that, going by whole hours and no filters."""
    period = []
    if query.since is not None:
        period.append(f"hour >= {_literal(_floor(query.since, _HOUR))}")
    if query.until is not None:
        period.append(f"hour < {_literal(query.until)}")
    where = f"WHERE {' AND '.join(period)}" if period else ""
    return bool(tables.all(f"SELECT coalesce(sum(calls), 0) <= {exact} FROM hours {where}")[0][0])  # noqa: S608  # our own names


def _sums(asked: _Asked) -> Dialect:
    """Say where sums are read from; what is there lies in the period that is asked for."""
    inner = _inner(asked.query, _HOUR)
    if inner is None or not asked.fits(_HOUR, (*_OF_KINDS, *_OF_COSTS)):
        return asked.base
    kinds = ", ".join(f"kinds.{name}" for name in _OF_KINDS)
    tokens = ", ".join(_SUMMED)
    hours = f"""SELECT hour AS "at", {kinds}, hours.currency, hours.cost_status, calls AS n, known,
        CASE WHEN known > 0 THEN cost END AS cost, {tokens}, timed, latency_ms
        FROM hours JOIN kinds ON kinds.id = hours.kind {_where("hour", inner)}"""  # noqa: S608  # our own names
    single = f"""SELECT "at", {", ".join((*_OF_KINDS, *_OF_COSTS))}, 1,
        CAST(cost IS NOT NULL AS integer), cost, {tokens}, CAST(latency_ms IS NOT NULL AS integer),
        latency_ms FROM {asked.base.calls}"""  # noqa: S608  # our own names
    calls = _union(hours, single, asked.query, inner)
    timed = "coalesce(sum(timed), 0), coalesce(sum(latency_ms), 0)"
    return replace(
        asked.base,
        calls=calls,
        counts=_ROLLED_COUNTS,
        sums=_ROLLED_SUMS,
        mean=_ROLLED_MEAN,
        timed=timed,
    )


def _shares(
    tables: Connection, asked: _Asked, *, exact: bool
) -> dict[tuple[str | None, ...] | None, list[float]]:
    """Give the percentiles of each group by its labels, and those of all calls by None."""
    query, dialect = asked.query, asked.base if exact else _buckets(asked)
    column = "latency_ms" if exact else "bucket"
    chosen, keys = sql.chosen_calls(query, asked.bounds, dialect, f"{column} IS NOT NULL")
    found: dict[tuple[str | None, ...] | None, list[float]] = {}
    for whole, *row in tables.all((_exact if exact else _from_buckets)(chosen.text, keys), chosen.parameters):
        if whole:
            found[None] = row[-1]
            found.setdefault((), row[-1])  # the one row of a question without dimensions
        else:
            _, labels, _ = sql.group_of(query, row)
            found[tuple(labels[name] for name in query.by)] = row[-1]
    return found


def _buckets(asked: _Asked) -> Dialect:
    """Say where buckets are read from; what is there lies in the period that is asked for."""
    of_all = _inner(asked.query, _HOUR)
    if of_all is not None and asked.fits(_HOUR, ()):
        return _buckets_of_hours(asked, of_all)
    inner = _inner(asked.query, _DAY)
    dimensions = _OF_KINDS if asked.revised else (*_OF_KINDS, *_OF_COSTS)
    if inner is None or not asked.fits(_DAY, dimensions):
        calls = f"(SELECT calls.*, {BUCKET} AS bucket, 1 AS n FROM {asked.base.calls}) AS calls"  # noqa: S608  # our own names
        return replace(asked.base, calls=calls)
    kinds = ", ".join(f"kinds.{name}" for name in (*_OF_KINDS, *_OF_COSTS))
    whole = f"{DAYS} {_where('day', inner)}"
    broken = [
        daily(f'(SELECT * FROM records WHERE "at" >= {start} AND "at" < {end}) AS calls')  # noqa: S608  # likewise
        for start, end in _ends(asked.query, inner)
    ]
    calls = f"""(SELECT CAST(day AS timestamp) AS "at", {kinds}, bucket, calls AS n
        FROM ({" UNION ALL ".join((whole, *broken))}) AS counted JOIN kinds ON kinds.id = kind) AS calls"""  # noqa: S608  # likewise
    return replace(asked.base, calls=calls)


def _buckets_of_hours(asked: _Asked, inner: _Period) -> Dialect:
    """Read the buckets of all calls by hour, and single calls of the broken hours."""
    parts = [f"{HOURS} {_where('hour', inner)}"]
    for start, end in _ends(asked.query, inner):
        parts.append(of_hours(f'(SELECT * FROM records WHERE "at" >= {start} AND "at" < {end}) AS calls'))  # noqa: S608  # likewise
    calls = f"""(SELECT hour AS "at", bucket, calls AS n
        FROM ({" UNION ALL ".join(parts)}) AS counted) AS calls"""  # noqa: S608  # likewise
    return replace(asked.base, calls=calls)


def _exact(chosen: str, keys: Sequence[str]) -> str:
    listed = ", ".join(map(str, SHARES))
    return f"""SELECT {_grouping(keys)}, {_each(keys)}
        percentile_cont(ARRAY[{listed}]) WITHIN GROUP (ORDER BY latency_ms)
        FROM ({chosen}) AS chosen GROUP BY {_sets(keys)} HAVING count(*) > 0"""  # noqa: S608  # our own names


def _from_buckets(chosen: str, keys: Sequence[str]) -> str:
    """Look up in which bucket each percentile lies, and how far into it.

    Counted in floats, which hold such numbers exactly and add up faster than numerics. The total is added up
    from the groups, which are far fewer than the rows.
    """
    group = ", ".join(("g", *keys))
    return f"""SELECT {group}, ARRAY[{", ".join(map(_in_bucket, SHARES))}] FROM (
            SELECT *, sum(n) OVER (PARTITION BY {group} ORDER BY bucket) - n AS below,
                sum(n) OVER (PARTITION BY {group}) AS whole FROM (
                SELECT {_grouping(keys)} AS g, {_each(keys)}bucket, sum(n) AS n FROM (
                    SELECT {_each(keys)}bucket, sum(n::float8) AS n
                    FROM ({chosen}) AS chosen GROUP BY {_each(keys)}bucket
                ) AS added GROUP BY {_sets(keys, "bucket")}
            ) AS counted
        ) AS placed GROUP BY {group}"""  # noqa: S608  # our own names


def _grouping(keys: Sequence[str]) -> str:
    """Tell the total, which is 1, from the groups."""
    return f"GROUPING({keys[0]})" if keys else "1"


def _sets(keys: Sequence[str], *always: str) -> str:
    sets = ", ".join(f"({', '.join(each)})" for each in {(*keys, *always): 0, always: 0})
    return f"GROUPING SETS ({sets})"


def _in_bucket(share: float) -> str:
    place = f"floor({share} * (whole - 1))"
    return f"""max(exp({log(GROWTH)} * (bucket + ({place} - below + 0.5) / n)::float8))
        FILTER (WHERE below <= {place} AND {place} < below + n)"""


def _each(keys: Sequence[str]) -> str:
    return "".join(f"{key}, " for key in keys)


def _inner(query: Query, grain: timedelta) -> _Period | None:
    """Give the whole hours or days of a period, None where it has none."""
    first = None if query.since is None else _floor(query.since + grain - timedelta(microseconds=1), grain)
    last = None if query.until is None else _floor(query.until, grain)
    return None if first is not None and last is not None and first >= last else (first, last)


def _floor(at: datetime, grain: timedelta) -> datetime:
    start = datetime(1, 1, 1, tzinfo=UTC)
    return at - (at - start) % grain


def _union(whole: str, single: str, query: Query, inner: _Period) -> str:
    """Join the rollup with the single calls of the broken hours at both ends."""
    ends = [f'{single} WHERE "at" >= {start} AND "at" < {end}' for start, end in _ends(query, inner)]
    return f"({' UNION ALL '.join((whole, *ends))}) AS calls"


def _ends(query: Query, inner: _Period) -> list[tuple[str, str]]:
    """Give the broken hours or days at both ends of a period, as text."""
    first, last = inner
    return [
        (_literal(start), _literal(end))
        for start, end in ((query.since, first), (last, query.until))
        if start is not None and end is not None and start < end
    ]


def _where(column: str, period: _Period) -> str:
    first, last = period
    conditions = [
        f"{column} {comparison} {_literal(end)}"
        for comparison, end in ((">=", first), ("<", last))
        if end is not None
    ]
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""


def _literal(at: datetime) -> str:
    return f"TIMESTAMP '{at.astimezone(UTC).replace(tzinfo=None).isoformat(' ')}'"
