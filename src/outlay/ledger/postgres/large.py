"""Answers of large ledgers: sums out of rollups that hold what is asked, percentiles out of buckets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from outlay.core.buckets import offsets, span
from outlay.core.query import TIME_DIMENSIONS, Query, Row, Rows, zone
from outlay.ledger import answers, rolled, sql
from outlay.ledger.dialect import Dialect, Statement
from outlay.ledger.measures import SHARES
from outlay.ledger.postgres import buckets
from outlay.ledger.postgres.buckets import Labels, Shares
from outlay.ledger.postgres.connection import Connection
from outlay.ledger.postgres.rollups import BUCKET, packed_daily, packed_of_hours
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
_RARE = ("extrapolated_calls",)  # asked for by every report: where no kind of calls has it, no call does
_ANY_RARE = " UNION ALL ".join(
    f"(SELECT 1 FROM {table} WHERE CAST(cost_flags AS text) LIKE '%\"extrapolated\"%' LIMIT 1)"  # noqa: S608  # our own names
    for table in ("kinds", "revisions")
)
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
    if query.metrics == _RARE and not _at_most(tables, query, exact) and not tables.all(_ANY_RARE):
        return _with_none(tables, query, rows(tables, replace(query, metrics=()), exact))
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


def _with_none(tables: Connection, query: Query, found: Rows) -> Rows:
    """Put the count of what no call has into an answer: 0, and unknown where there are daily totals in it."""
    untold = set(_pruned(tables, query))
    none = {pruned: dict.fromkeys(_RARE, None if pruned else 0) for pruned in (True, False)}
    return replace(
        found,
        rows=tuple({**row, **none[tuple(row[name] for name in query.by) in untold]} for row in found.rows),
        total={**found.total, **none[None in untold]},
    )


def _with(row: Row, shares: Sequence[float] | None) -> Row:
    return row if shares is None else {**row, **{name: shares[at] for name, at in _FIELDS.items()}}


def _pruned(tables: Connection, query: Query) -> Iterator[tuple[str | None, ...] | None]:
    """Name the groups that hold pruned calls, None for the total: of those percentiles are not known."""
    if rolled.touches(query, rolled.horizon_of(tables)):
        for labels, _ in rolled.groups(tables, query).values():
            yield tuple(labels[name] for name in query.by)
            yield None


def _at_most(tables: Connection, query: Query, exact: int) -> bool:
    """Whether there are surely no more calls than that, going by whole hours and no filters.

    The server stops counting where there are more.
    """
    period = []
    if query.since is not None:
        period.append(f"hour >= {_literal(_floor(query.since, _HOUR))}")
    if query.until is not None:
        period.append(f"hour < {_literal(query.until)}")
    where = f"WHERE {' AND '.join(period)}" if period else ""
    counting = f"SELECT sum(calls) OVER (ROWS UNBOUNDED PRECEDING) AS n FROM hours {where}"  # noqa: S608  # our own names
    return not tables.all(f"SELECT 1 FROM ({counting}) AS counted WHERE n > {exact} LIMIT 1")  # noqa: S608  # likewise


def _sums(asked: _Asked) -> Dialect:
    """Say where sums are read from; what is there lies in the period that is asked for."""
    inner = _inner(asked.query, _HOUR)
    if inner is None or not asked.fits(_HOUR, (*_OF_KINDS, *_OF_COSTS)):
        return asked.base
    kinds = ", ".join(f"kinds.{name}" for name in _OF_KINDS)
    tokens = ", ".join(_SUMMED)
    hours = f"""SELECT hour AS "at", {kinds}, hours.currency, hours.cost_status, calls AS n, known,
        CASE WHEN known > 0 THEN cost END AS cost, {tokens}, timed, latency_ms
        FROM hours LEFT JOIN kinds ON kinds.id = hours.kind {_where("hour", inner)}"""  # noqa: S608  # our own names
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


def _shares(tables: Connection, asked: _Asked, *, exact: bool) -> Shares:
    """Give the percentiles of each group by its labels, and those of all calls by None."""
    if exact:
        chosen, keys = sql.chosen_calls(asked.query, asked.bounds, asked.base, "latency_ms IS NOT NULL")
        found: Shares = {}
        for whole, *row in tables.all(_exact(chosen.text, keys), chosen.parameters):
            labels = None if whole else _labels(asked.query, row)
            found[labels] = row[-1]
    else:
        chosen, keys, packed = _buckets(asked)
        text = (buckets.of_rows if packed else buckets.of_calls)(chosen.text, keys)
        found = buckets.shares(
            (_labels(asked.query, row), orjson.loads(row[-2]), orjson.loads(row[-1]))
            for row in tables.all(text, chosen.parameters)
        )
    if None in found:
        found.setdefault((), found[None])  # the one row of a question without dimensions
    return found


def _labels(query: Query, row: Sequence[Any]) -> Labels:
    _, labels, _ = sql.group_of(query, row)
    return tuple(labels[name] for name in query.by)


def _buckets(asked: _Asked) -> tuple[Statement, list[str], bool]:
    """Ask for buckets in the period; give the keys' names too, and whether a row holds many buckets."""
    of_all = _inner(asked.query, _HOUR)
    inner = _inner(asked.query, _DAY)
    dimensions = _OF_KINDS if asked.revised else (*_OF_KINDS, *_OF_COSTS)
    packed = True
    if of_all is not None and asked.fits(_HOUR, ()):
        calls = _packed_of_hours(asked, of_all)
    elif inner is not None and asked.fits(_DAY, dimensions):
        calls = _packed_of_days(asked, inner)
    else:
        packed = False
        calls = f"(SELECT calls.*, {BUCKET} AS bucket FROM {asked.base.calls}) AS calls"  # noqa: S608  # our own names
    # Packed rows lie in the period; those of its broken hours and days begin before it.
    query = replace(asked.query, since=None, until=None) if packed else asked.query
    condition = None if packed else "bucket IS NOT NULL"
    return *sql.chosen_calls(query, asked.bounds, replace(asked.base, calls=calls), condition), packed


def _packed_of_days(asked: _Asked, inner: _Period) -> str:
    """Read the buckets of kinds by day, and single calls of the broken days."""
    kinds = ", ".join(f"kinds.{name}" for name in (*_OF_KINDS, *_OF_COSTS))
    parts = [f"SELECT day, kind, buckets, calls FROM latencies {_where('day', inner)}"]  # noqa: S608  # our own names
    parts += [packed_daily(_single(start, end)) for start, end in _ends(asked.query, inner)]
    return f"""(SELECT CAST(day AS timestamp) AS "at", {kinds}, buckets, calls AS counts
        FROM ({" UNION ALL ".join(parts)}) AS counted LEFT JOIN kinds ON kinds.id = kind) AS calls"""  # noqa: S608  # likewise


def _packed_of_hours(asked: _Asked, inner: _Period) -> str:
    """Read the buckets of all calls by hour, and single calls of the broken hours."""
    parts = [f"SELECT hour, buckets, calls FROM hour_latencies {_where('hour', inner)}"]  # noqa: S608  # our own names
    parts += [packed_of_hours(_single(start, end)) for start, end in _ends(asked.query, inner)]
    return f"""(SELECT hour AS "at", buckets, calls AS counts
        FROM ({" UNION ALL ".join(parts)}) AS counted) AS calls"""  # noqa: S608  # likewise


def _single(start: str, end: str) -> str:
    return f'(SELECT * FROM records WHERE "at" >= {start} AND "at" < {end}) AS calls'  # noqa: S608  # our own names


def _exact(chosen: str, keys: Sequence[str]) -> str:
    listed = ", ".join(map(str, SHARES))
    return f"""SELECT {_grouping(keys)}, {_each(keys)}
        percentile_cont(ARRAY[{listed}]) WITHIN GROUP (ORDER BY latency_ms)
        FROM ({chosen}) AS chosen GROUP BY {_sets(keys)} HAVING count(*) > 0"""  # noqa: S608  # our own names


def _grouping(keys: Sequence[str]) -> str:
    """Tell the total, which is 1, from the groups."""
    return f"GROUPING({keys[0]})" if keys else "1"


def _sets(keys: Sequence[str]) -> str:
    return f"GROUPING SETS (({', '.join(keys)}), ())" if keys else "()"


def _each(keys: Sequence[str]) -> str:
    return "".join(f"{key}, " for key in keys)


def _inner(query: Query, grain: timedelta) -> _Period | None:
    """Give the whole hours or days of a period, None where it has none."""
    try:
        first = None if query.since is None else _ceiling(query.since, grain)
    except OverflowError:  # nothing whole comes after the last hours of the calendar
        return None
    last = None if query.until is None else _floor(query.until, grain)
    return None if first is not None and last is not None and first >= last else (first, last)


def _ceiling(at: datetime, grain: timedelta) -> datetime:
    floor = _floor(at, grain)
    return at if floor == at else floor + grain


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
