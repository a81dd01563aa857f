"""Answers out of a ledger's tables: questions as SQL in, rows and records out."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from typing import Any, Protocol

from outlay.core.money import total as total_of
from outlay.core.query import CallQuery, Query, Row, Rows, check_texts
from outlay.core.record import Record, Revision
from outlay.ledger import ranks, rolled, sealed, sql
from outlay.ledger.dialect import DUCKDB, Dialect, in_one_currency, reading_newest
from outlay.ledger.identity import judged, revised
from outlay.ledger.measures import JUDGED, MONEY, added, adds_up, money, read, shares_in
from outlay.ledger.reckoned import sums_of
from outlay.ledger.stored import Asked, record_of, revisions_of, scores_of
from outlay.ledger.totals import (
    NO_LATENCY,
    Counts,
    LineSums,
    Sums,
    Timed,
    as_detailed,
    in_order,
    row_of,
    with_rolled,
)

_CURRENCY = re.compile(r"[A-Z]{3}")
_OF_COST = frozenset(("currency", "cost_status"))
Groups = dict[tuple[Any, ...], tuple[dict[str, str | None], Sums]]
"""Labels and sums of groups, by the key that a group is sorted by."""


class Tables(Asked, Protocol):
    """Something that answers SQL and knows its columns."""

    def columns(self, table: str) -> dict[str, str]:
        """Give a table's columns with their types, in order."""
        ...


def rows(tables: Tables, query: Query) -> Rows:
    """Answer with one row a group, and the total over the same calls, pruned ones among them."""
    check_texts(query)
    recorded = _fitted(tables, tables.dialect)
    standing = newest(tables)
    dialect = _judging(tables, query, recorded if standing is tables.dialect else standing)
    if tables.dialect is DUCKDB:
        dialect = sealed.sealing(tables, query, dialect, recorded)
    return as_detailed(rows_of(tables, query, dialect), query)


def rows_of(tables: Tables, query: Query, dialect: Dialect) -> Rows:
    """Answer from where that dialect reads the calls."""
    bounds = bounds_of(tables) if sql.needs_bounds(query) else None
    everything = replace(query, by=())
    if query.by or dialect.sample is None:
        single = _groups(tables, query, bounds, dialect)
    else:  # percentiles over all calls are asked for by themselves
        single = _groups(tables, _without_percentiles(query), bounds, dialect)
    apart = query.by or dialect.sample is not None
    whole = {(): ({}, _whole(tables, query, dialect, single))} if apart else single
    count, horizon = 0, rolled.horizon_of(tables)
    pruned_before = horizon if rolled.touches(query, horizon) else None
    if pruned_before is not None:
        count = _add_pruned(tables, everything, None, dialect, whole)
        if query.by:
            _add_pruned(tables, query, bounds, dialect, single)
    total = row_of({}, whole[()][1])
    if not total["calls"]:
        return Rows((), total, pruned_before=pruned_before)
    if not query.by:
        return Rows((dict(total),), total, count, pruned_before=pruned_before)
    rows = in_order((key, row_of(labels, sums)) for key, (labels, sums) in single.items())
    return Rows(rows, total, count, pruned_before=pruned_before)


def _without_percentiles(query: Query) -> Query:
    detail = "sums" if query.detail == "all" else query.detail
    return replace(query, detail=detail, metrics=tuple(filter(adds_up, query.metrics)))


def newest(tables: Tables) -> Dialect:
    """Look at newer costs only where there are any: most ledgers have none."""
    return reading_newest(tables.dialect) if tables.all("SELECT 1 FROM revisions LIMIT 1") else tables.dialect


def _fitted(tables: Tables, dialect: Dialect) -> Dialect:
    """See how many calls there are, and whether in one currency; DuckDB knows without a look at them.

    Then no texts of currencies are compared, and percentiles over all calls are found by a sample.
    """
    if dialect is not DUCKDB:
        return dialect
    ((calls, least, greatest),) = tables.all("SELECT count(*), min(currency), max(currency) FROM calls")
    if calls >= ranks.MANY:
        dialect = replace(dialect, sample=ranks.SAMPLE)
    if least is None or least != greatest or not _CURRENCY.fullmatch(least):
        return dialect
    return in_one_currency(dialect, least)


def _judging(tables: Tables, query: Query, dialect: Dialect) -> Dialect:
    """Look at later judgements only where a metric asks for them and there are any."""
    if JUDGED.isdisjoint(query.metrics) or not tables.all("SELECT 1 FROM scores LIMIT 1"):
        return dialect
    return replace(dialect, calls=dialect.judged.format(calls=dialect.calls), sample=None)


def bounds_of(tables: Tables) -> sql.Bounds | None:
    """Give the instants of the oldest and the newest call."""
    first, last = tables.all(tables.dialect.bounds)[0]
    return None if first is None else (first.replace(tzinfo=UTC), last.replace(tzinfo=UTC))


def _add_pruned(
    tables: Tables, query: Query, bounds: sql.Bounds | None, dialect: Dialect, groups: Groups
) -> int:
    """Add pruned calls to the groups that they belong to; give how many there are."""
    pruned = rolled.groups(tables, query)
    timed = _timed(tables, query, bounds, dialect) if pruned else {}
    none = sums_of((), query.metrics)
    for key, (labels, sums) in pruned.items():
        _, single = groups.get(key, (labels, none))
        groups[key] = labels, with_rolled(single, timed.get(key, Timed()), sums)
    return sum(sums.counts.calls for _, sums in pruned.values())


def _groups(tables: Tables, query: Query, bounds: sql.Bounds | None, dialect: Dialect) -> Groups:
    """Give the labels and sums of each group of single calls, by its sort key."""
    asked = sql.totals(query, bounds, dialect.sealed or dialect)
    found = tables.all(asked.text, asked.parameters)
    if dialect.sealed is not None:
        found = sealed.completed(tables, query, dialect, found)
    groups = [(*sql.group_of(query, row), row) for row in found]
    least, greatest = len(Counts._fields), len(Counts._fields) + 1
    several = any(row[width + least] != row[width + greatest] for _, _, width, row in groups)
    mixed = _costs(tables, query, bounds, dialect) if several else {}
    return {
        key: (labels, _sums(query.metrics, row[width:], mixed.get(key))) for key, labels, width, row in groups
    }


def _whole(tables: Tables, query: Query, dialect: Dialect, groups: Groups) -> Sums:
    """Add the groups up, and ask for the rest alone: to look at every column again costs as much again."""
    parts = [sums for _, sums in groups.values()]
    counts = Counts._make(map(sum, zip(Counts(), *(each.counts for each in parts), strict=True)))
    names = [name for name in query.metrics if name not in MONEY]
    apart = replace(query, metrics=tuple(each for each in names if not adds_up(each)))
    mean, percentiles, *columns = _beside_sums(tables, apart, dialect, counts.calls)
    told = read(apart.metrics, columns)
    return Sums(
        counts=counts,
        costs=_added(each.costs for each in parts),
        latency=(mean, *(percentiles or NO_LATENCY[1:])),
        more={
            name: told[name] if name in told else added(name, [each.more[name] for each in parts])
            for name in names
        },
        money={name: _added(each.money[name] for each in parts) for name in money(query.metrics)},
    )


def _beside_sums(tables: Tables, query: Query, dialect: Dialect, calls: int) -> list[Any]:
    """Ask for the mean, the percentiles and the further columns over all groups; NULL is known already."""
    columns = sql.beside_sums(query, dialect)
    known: dict[str, Any] = {"NULL": None} | sealed.told(tables, query, dialect, columns)
    for name in ranks.COLUMNS:
        text = dialect.percentiles.format(column=name)
        if text in columns and text not in known:
            shares = shares_in(columns, text)
            known |= ranks.percentiles(tables, query, dialect, calls, name, shares)
    left = [each for each in columns if each not in known]
    if left:
        asked = sql.apart(replace(query, by=()), left, dialect)
        known |= zip(left, tables.all(asked.text, asked.parameters)[0], strict=True)
    return [known[each] for each in columns]


def _added(amounts: Iterable[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    found: defaultdict[str, list[Decimal]] = defaultdict(list)
    for each in amounts:
        for currency, amount in each.items():
            found[currency].append(amount)
    return {currency: total_of(parts) for currency, parts in found.items()}


def _timed(
    tables: Tables, query: Query, bounds: sql.Bounds | None, dialect: Dialect
) -> dict[tuple[Any, ...], Timed]:
    asked = sql.timed(query, bounds, dialect.sealed or dialect)
    found = ((*sql.group_of(query, row), row) for row in tables.all(asked.text, asked.parameters))
    return {key: Timed(int(row[width]), row[width + 1]) for key, _, width, row in found}


def _costs(
    tables: Tables, query: Query, bounds: sql.Bounds | None, dialect: Dialect
) -> dict[tuple[Any, ...], dict[str, tuple[Any, ...]]]:
    """Give the known costs of each group by currency, and the further sums of money behind them."""
    found: dict[tuple[Any, ...], dict[str, tuple[Any, ...]]] = {}
    asked = sql.costs(query, bounds, dialect.sealed or dialect)
    for row in tables.all(asked.text, asked.parameters):
        key, _, width = sql.group_of(query, row)
        found.setdefault(key, {})[row[width]] = tuple(row[width + 1 :])
    return found


def _sums(metrics: Sequence[str], values: Sequence[Any], mixed: dict[str, tuple[Any, ...]] | None) -> Sums:
    counts = values[: len(Counts._fields)]
    further = money(metrics)
    beside = len(Counts._fields) + 3 + len(further)
    least, greatest, *sums = values[len(Counts._fields) : beside]
    mean, percentiles, *more = values[beside:]
    single = {} if sums[0] is None else {least: tuple(sums)}
    amounts = single if least == greatest else mixed or {}
    return Sums(
        counts=Counts._make(int(count) for count in counts),
        costs={currency: each[0] for currency, each in amounts.items()},
        latency=(mean, *(percentiles or NO_LATENCY[1:])),
        more=read(metrics, more),
        money={
            name: {currency: each[at] for currency, each in amounts.items() if each[at] is not None}
            for at, name in enumerate(further, 1)
        },
    )


def lines(tables: Tables, query: Query) -> tuple[Row, ...]:
    """Add up the lines of costs, one row for each group, unit, currency, rate and input rate."""
    check_texts(query)
    bounds = bounds_of(tables) if sql.needs_bounds(query) else None
    if bounds is None and sql.needs_bounds(query):
        return ()
    asked = sql.lines(query, bounds, sealed.of_lines(tables, query, newest(tables)))
    found = []
    for row in tables.all(asked.text, asked.parameters):
        key, labels, width = sql.group_of(query, row)
        sums = LineSums(*row[width:])
        found.append(((*key, *sums.key), {**labels, **sums.as_row()}))
    return in_order(found)


def page(tables: Tables, query: CallQuery, size: int, last: Record | None) -> list[Record]:
    """Give the next calls in the order of the query, behind ``last``, scores and revisions applied."""
    check_texts(query)
    names = tuple(tables.columns("calls"))
    listed = ", ".join(f'"{name}"' for name in names)
    dialect = standing(tables, query)
    if last is None and dialect is DUCKDB:
        dialect = sealed.slowest(tables, query, size)
    asked = sql.page(query, listed, size, last, dialect)
    found = [record_of(names, row) for row in tables.all(asked.text, asked.parameters)]
    as_now = as_they_stand(tables, found)
    # The rows came in the order of the recorded costs; the newer ones chose them.
    return sorted(as_now, key=_by_cost, reverse=True) if query.order == "cost" else as_now


def standing(tables: Tables, query: CallQuery) -> Dialect:
    """Choose calls by their newest costs, where the query is about costs at all."""
    about_cost = query.order == "cost" or any(name in _OF_COST for name, _ in query.where)
    return newest(tables) if about_cost else tables.dialect


def _by_cost(record: Record) -> tuple[bool, Decimal, str]:
    return record.cost is not None, record.cost or Decimal(0), record.id


def between(tables: Tables, first: str, last: str) -> list[Record]:
    """Give the calls, as recorded, whose ids lie between two, both included, but no more than two of them."""
    names = tuple(tables.columns("calls"))
    listed = ", ".join(f'"{name}"' for name in names)
    id_, value = tables.dialect.id, tables.dialect.id_value
    text = f"SELECT {listed} FROM calls WHERE {id_} BETWEEN {value} AND {value} LIMIT 2"  # noqa: S608  # our own names
    return [record_of(names, row) for row in tables.all(text, [first, last])]


def ids_between(tables: Tables, first: str, last: str, limit: int) -> tuple[str, ...]:
    """Give the ids of calls that lie between two, both included, in their order, but no more than so many."""
    id_, value = tables.dialect.id, tables.dialect.id_value
    text = f"SELECT id FROM calls WHERE {id_} BETWEEN {value} AND {value} ORDER BY {id_} LIMIT {limit:d}"  # noqa: S608  # our own names
    return tuple(str(found) for (found,) in tables.all(text, [first, last]))


def as_they_stand(tables: Tables, records: list[Record]) -> list[Record]:
    """Apply scores and revisions to calls as they were recorded."""
    ids = [record.id for record in records]
    scores, newer = scores_of(tables, ids), revisions_of(tables, ids)
    return [judged(revised(each, newer.get(each.id, ())), scores.get(each.id, ())) for each in records]


def costs_of(tables: Tables, record: Record) -> tuple[Revision, ...]:
    """Give every cost of a call, given as it was recorded: the recorded one first."""
    first = Revision(record_id=record.id, at=record.at, charge=record.charge)
    return (first, *revisions_of(tables, [record.id]).get(record.id, ()))


def histories(tables: Tables, ids: Sequence[str]) -> dict[str, tuple[Revision, ...]]:
    """Give every cost of those of these calls that have more than the recorded one."""
    again = revisions_of(tables, ids)
    return {each: costs_of(tables, record) for each in again for record in between(tables, each, each)}
