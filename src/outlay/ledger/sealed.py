"""Questions out of a seal: its sums and sorted latencies, and the few calls that it does not hold."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from outlay.core.query import LATENCY_BOUNDS_MS, TIME_DIMENSIONS, CallQuery, Query
from outlay.ledger import sql
from outlay.ledger.bounded import up_to
from outlay.ledger.dialect import DUCKDB, Dialect, standing
from outlay.ledger.measures import JUDGED, measure_of, money_column, shares_in
from outlay.ledger.parts import percentiles
from outlay.ledger.reach import came_later, edge, the_seal
from outlay.ledger.seals import DIMENSIONS, SORTED, lines_of, sorted_of, sums_of
from outlay.ledger.stored import Asked

_DAYS: Final = frozenset(TIME_DIMENSIONS) - {"hour"}
_SUMMED: Final = frozenset(DIMENSIONS) | _DAYS
_SORTED: Final = frozenset(("provider", "model")) | _DAYS
_PERCENTILES: Final = {DUCKDB.percentiles.format(column=each): each for each in SORTED}
_HISTOGRAM: Final = (DUCKDB.histogram or "").format(
    column="latency_ms", bounds=", ".join(map(str, LATENCY_BOUNDS_MS))
)
_SLOW: Final = re.compile(r"count\(\*\) FILTER \(WHERE latency_ms > (\d+)\)")

_DAY = timedelta(days=1)
_FEW = 1_000_000  # calls are put in order sooner than all are looked at; where seals are made there are fewer
_WORD = re.compile(r"\w+")
_FAILED = "FILTER (WHERE status = 'error')"
_DONE = "FILTER (WHERE status <> 'error')"
_COLUMNS: Final[Mapping[str, str]] = {
    DUCKDB.mean: "sum(latency_ms) / nullif(sum(timed), 0)",
    **{
        measure_of(name).sql: text
        for name, text in {
            "successful_calls": f"sum(calls) {_DONE}",
            "cached_calls": "sum(cached_calls)",
            "timed_calls": "sum(timed)",
            "min_latency_ms": "min(least_ms)",
            "max_latency_ms": "max(greatest_ms)",
            "first_token_calls": "sum(first_tokens)",
            "avg_first_token_ms": "sum(first_token_ms) / nullif(sum(first_tokens), 0)",
            "output_tokens_per_second": f"1000.0 * sum(written_tokens) {_DONE} / sum(written_ms) {_DONE}",
            "unpriced_errors": f"sum(calls - known) {_FAILED}",
            "judged_calls": "sum(judged)",
            "correct_calls": "sum(correct)",
            "unpriced_judged": "sum(judged - judged_known)",
            "quality_scores": "sum(quality_scores)",
            "avg_quality_score": "sum(quality_score) / nullif(sum(quality_scores), 0)",
            "user_ratings": "sum(user_ratings)",
            "avg_user_rating": "sum(user_rating) / nullif(sum(user_ratings), 0)",
            "extrapolated_calls": "sum(extrapolated)",
        }.items()
    },
    money_column("judged_cost"): "sum(judged_cost)",
    money_column("error_cost"): money_column("error_cost"),  # of costs that are sums already
}
"""Columns of single calls, and what gives the same out of sums of them."""

_SUMS: Final = """coalesce(sum(input_tokens), 0), coalesce(sum(cached_tokens), 0),
    coalesce(sum(cache_write_tokens), 0), coalesce(sum(output_tokens), 0),
    coalesce(sum(reasoning_tokens), 0), {currencies}, sum(cost)"""
_TIMED: Final = "coalesce(sum(timed), 0), coalesce(sum(latency_ms), 0)"
_OF_COST: Final = frozenset(("currency", "cost_status"))
_COUNTS: Final = f"coalesce(sum(calls), 0), coalesce(sum(calls) {_FAILED}, 0), coalesce(sum(known), 0)"


@dataclass(frozen=True, slots=True)
class _Period:
    """Which whole days of a question are sealed, and the conditions of the calls that are looked at."""

    days: str
    loose: tuple[str, ...]


def sealing(tables: Asked, query: Query, dialect: Dialect, plain: Dialect) -> Dialect:
    """Give the same dialect with how a question is asked of sealed calls, if it can be and there are any.

    The same of the few other calls is worked out once, into tables of this question. What sums do not tell is
    asked of calls as they were recorded, by the ``plain`` dialect, unless the question chooses by costs.
    """
    have, (revisions, scores) = the_seal(tables), came_later(tables)
    judged = scores > 0 and not JUDGED.isdisjoint(query.metrics)
    if have.revisions != revisions or (judged and have.scores != scores):
        return dialect
    period = _sealed_period(tables, query, have.upto)
    if period is None:
        return dialect
    sealed = replace(
        dialect,
        counts=_COUNTS,
        sums=_SUMS,
        mean=_COLUMNS[DUCKDB.mean],
        percentiles="NULL",
        columns=_COLUMNS,
        timed=_TIMED,
    )
    names = _names(query)
    wanted = {*names, "currency", *_WORD.findall(f"{sql.totals(query, None, sealed).text} {_TIMED}")}
    loose = [standing(each, revised=revisions > 0, judged=judged) for each in period.loose]
    sums = _all_of(tables, "sums", period, partial(sums_of, wanted=wanted), loose)
    ordered = {}
    if names <= _SORTED:
        recorded = [standing(each, revised=False, judged=False) for each in period.loose]
        for column in dict.fromkeys(filter(None, map(_sorted_by, sql.beside_sums(query, dialect)))):
            ordered[column] = _all_of(
                tables, SORTED[column], period, partial(sorted_of, column=column), recorded
            )
    single = plain if names.isdisjoint(_OF_COST) else dialect
    return replace(single, sealed=replace(sealed, calls=sums), ordered=ordered)


def of_lines(tables: Asked, query: Query, dialect: Dialect) -> Dialect:
    """Give the dialect that asks for lines out of a seal; the same one where it cannot be asked."""
    if tables.dialect is not DUCKDB:
        return dialect
    have, (revisions, _) = the_seal(tables), came_later(tables)
    since = None if query.since is None else query.since.astimezone(UTC).replace(tzinfo=None)
    told = have.lines_since is None or (since is not None and have.lines_since <= since)
    period = _sealed_period(tables, query, have.lines) if told and have.lined == revisions else None
    if period is None:
        return dialect
    loose = [standing(each, revised=revisions > 0, judged=False) for each in period.loose]
    lines = _all_of(tables, "lines", period, lines_of, loose)
    return replace(
        dialect,
        calls=f"(SELECT *, 0 AS cost FROM {lines}) AS calls",  # noqa: S608  # our own names
        lined="({chosen})",
        added="sum(lines), sum(quantity), sum(amount)",
    )


def slowest(tables: Asked, query: CallQuery, size: int) -> Dialect:
    """Give the dialect that reads no more calls than the first so many of a question by latency are among.

    Of as many parts each has a latency as great as its end, so that those calls are at least as slow.
    """
    asked = Query((), query.since, query.until, query.where, query.tz)
    by_latency = query.order == "latency" and _names(asked) <= _SORTED
    period = _sealed_period(tables, asked, the_seal(tables).upto) if by_latency else None
    if period is None:
        return DUCKDB
    parts = f"(SELECT * FROM sealed_latencies WHERE {period.days}) AS calls"  # noqa: S608  # our own names
    chosen, _ = sql.chosen_calls(asked, None, replace(DUCKDB, calls=parts), None)
    text = f"SELECT greatest FROM ({chosen.text}) AS parts ORDER BY greatest DESC LIMIT 1 OFFSET ?"  # noqa: S608  # likewise
    found = tables.all(text, [*chosen.parameters, size - 1])
    if not found:
        return DUCKDB
    slow = f"latency_ms >= CAST('{found[0][0]!r}' AS DOUBLE)"
    return replace(DUCKDB, calls=f"(SELECT *, rowid FROM calls WHERE {slow}) AS calls")  # noqa: S608  # likewise


def _names(query: Query) -> set[str]:
    return {*query.by, *(name for name, _ in query.where)}


def _sealed_period(tables: Asked, query: Query, upto: int) -> _Period | None:
    """Cut a question's period, if it can be asked of the seal, and it is of all but few calls."""
    names = _names(query)
    in_days = query.tz == "UTC" or names.isdisjoint(_DAYS)
    if not upto or not in_days or not names <= _SUMMED:
        return None
    if tables.all("SELECT count(*) FROM calls")[0][0] > upto + _FEW:
        return None
    return _period(query, edge(tables, upto))


def _period(query: Query, upto: int) -> _Period | None:
    """Cut a question's period at midnights; None where no whole day lies in it."""
    try:
        first, end = _midnight_after(query.since), _midnight_before(query.until)
    except OverflowError:  # after the last midnight that there is
        return None
    if first is not None and end is not None and first >= end:
        return None
    since, until = _bound(">=", query.since), _bound("<", query.until)
    loose = [_both(f"rowid >= {upto}", since, until)]
    if first != query.since:
        loose.append(_both(f"rowid < {upto}", since, _bound("<", first)))
    if end != query.until:
        loose.append(_both(f"rowid < {upto}", _bound(">=", end), until))
    return _Period(_both("TRUE", _bound(">=", first), _bound("<", end)), tuple(loose))


def _midnight_before(at: datetime | None) -> datetime | None:
    return None if at is None else at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _midnight_after(at: datetime | None) -> datetime | None:
    midnight = _midnight_before(at)
    return midnight if midnight is None or midnight == at else midnight + _DAY


def _bound(sign: str, at: datetime | None) -> str:
    return "" if at is None else f"\"at\" {sign} TIMESTAMP '{at.astimezone(UTC).replace(tzinfo=None)}'"


def _both(*conditions: str) -> str:
    return " AND ".join(each for each in conditions if each)


def _all_of(
    tables: Asked, what: str, period: _Period, worked_out: Callable[[str, str], str], others: Sequence[str]
) -> str:
    """Write where rows are read from: the sealed ones, and the same of all other calls.

    The latter have the instant of one of their calls, so that a period that begins at noon keeps them.
    """
    calls = " UNION ALL ".join(f"SELECT * FROM {each}" for each in others)  # noqa: S608  # our own names
    loose = worked_out(f"({calls}) AS calls", 'min(calls."at")')
    tables.all(f"CREATE OR REPLACE TEMP TABLE loose_{what} AS {loose}")
    return f"""(SELECT * FROM sealed_{what} WHERE {period.days}
        UNION ALL BY NAME SELECT * FROM temp.loose_{what}) AS calls"""  # noqa: S608  # likewise


def told(tables: Asked, query: Query, dialect: Dialect, columns: Sequence[str]) -> dict[str, Any]:
    """Give what a seal tells over all groups of a question, by these columns of single calls."""
    if dialect.sealed is None:
        return {}
    everything = replace(query, by=())
    pairs = zip(columns, sql.beside_sums(query, dialect.sealed), strict=True)
    there = {column: text for column, text in pairs if text != "NULL"}
    known: dict[str, Any] = {}
    if there:
        asked = sql.apart(everything, list(there.values()), dialect.sealed)
        known |= zip(there, tables.all(asked.text, asked.parameters)[0], strict=True)
    return known | _of_sorted(tables, everything, dialect, columns).get((), {})


def _sorted_by(column: str) -> str | None:
    """Say by what calls must be in order to tell a column of single ones; None where no order tells it."""
    if column == _HISTOGRAM or _SLOW.fullmatch(column):
        return "latency_ms"
    return _PERCENTILES.get(column)


def _of_sorted(
    tables: Asked, query: Query, dialect: Dialect, columns: Sequence[str]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Give by the columns of each group what latencies in order tell of columns of single calls."""
    found: defaultdict[tuple[Any, ...], dict[str, Any]] = defaultdict(dict)
    if not dialect.ordered:
        return found
    for text in (each for each in _PERCENTILES if each in columns):
        shares = shares_in(columns, text)
        for key, values in percentiles(tables, query, dialect, _PERCENTILES[text], shares).items():
            found[key][text] = values
    limits = {each: int(slow[1]) for each in columns if (slow := _SLOW.fullmatch(each))}
    bounds = sorted({*limits.values(), *(LATENCY_BOUNDS_MS if _HISTOGRAM in columns else ())})
    for key, counts in up_to(tables, query, dialect, bounds).items() if bounds else ():
        below = dict(zip(bounds, counts, strict=False))
        found[key] |= {column: counts[-1] - below[limit] for column, limit in limits.items()}
        if _HISTOGRAM in columns:
            found[key][_HISTOGRAM] = [*(below[bound] for bound in LATENCY_BOUNDS_MS), counts[-1]]
    return found


def completed(
    tables: Asked, query: Query, dialect: Dialect, rows: Sequence[tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    """Put into the rows of groups what sums cannot tell: percentiles, and columns of single calls."""
    columns = sql.beside_sums(query, dialect)
    pairs = zip(columns, sql.beside_sums(query, dialect.sealed or dialect), strict=True)
    lacking = dict.fromkeys(column for column, text in pairs if text == "NULL" != column)
    if not lacking or not rows:
        return list(rows)
    width = sql.group_of(query, rows[0])[2]
    beside: dict[tuple[Any, ...], dict[str, Any]] = {tuple(row[:width]): {} for row in rows}
    for key, values in _of_sorted(tables, query, dialect, columns).items():
        beside[key] |= values
    left = [each for each in lacking if _sorted_by(each) not in dialect.ordered]
    if left:
        asked = sql.apart(query, left, dialect)
        for row in tables.all(asked.text, asked.parameters):
            beside[tuple(row[:width])] |= zip(left, row[width:], strict=True)
    start = len(rows[0]) - len(columns)
    return [
        (
            *row[:start],
            *(
                beside[tuple(row[:width])].get(each, have)
                for each, have in zip(columns, row[start:], strict=True)
            ),
        )
        for row in rows
    ]
