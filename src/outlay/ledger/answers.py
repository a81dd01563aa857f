"""Answers out of a ledger's tables: questions as SQL in, rows and records out."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any, Protocol

from outlay.core.query import CallQuery, Query, Row, Rows
from outlay.core.record import Record
from outlay.ledger import sql
from outlay.ledger.identity import judged
from outlay.ledger.stored import Asked, record_of, scores_of
from outlay.ledger.totals import Counts, Sums, in_order, row_of

Scored = tuple[Record, Record]
"""A call as it was recorded, and with the judgements on it."""


class Tables(Asked, Protocol):
    """Something that answers SQL and knows its columns."""

    def columns(self, table: str) -> dict[str, str]:
        """Give a table's columns with their types, in order."""
        ...


def rows(tables: Tables, query: Query) -> Rows:
    """Answer with one row a group, and the total over the same calls."""
    ((_, whole),) = _totals(tables, replace(query, by=()), None)
    if not whole["calls"]:
        return Rows((), whole)
    if not query.by:
        return Rows((dict(whole),), whole)
    bounds = _bounds(tables) if sql.needs_bounds(query) else None
    return Rows(in_order(_totals(tables, query, bounds)), whole)


def _bounds(tables: Tables) -> sql.Bounds | None:
    first, last = tables.all('SELECT min("at"), max("at") FROM calls')[0]
    return None if first is None else (first.replace(tzinfo=UTC), last.replace(tzinfo=UTC))


def _totals(tables: Tables, query: Query, bounds: sql.Bounds | None) -> list[tuple[tuple[Any, ...], Row]]:
    """Give each group's sort key and row."""
    asked = sql.totals(query, bounds)
    groups = [(*sql.group_of(query, row), row) for row in tables.all(asked.text, asked.parameters)]
    least, greatest = len(Counts._fields), len(Counts._fields) + 1
    several = any(row[width + least] != row[width + greatest] for _, _, width, row in groups)
    mixed = _costs(tables, query, bounds) if several else {}
    return [(key, row_of(labels, _sums(row[width:], mixed.get(key)))) for key, labels, width, row in groups]


def _costs(tables: Tables, query: Query, bounds: sql.Bounds | None) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Give the known costs of each group by currency."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    asked = sql.costs(query, bounds)
    for row in tables.all(asked.text, asked.parameters):
        key, _, width = sql.group_of(query, row)
        found.setdefault(key, {})[row[width]] = row[width + 1]
    return found


def _sums(values: Sequence[Any], mixed: dict[str, Any] | None) -> Sums:
    *counts, least, greatest, cost, mean, percentiles = values
    single = {} if cost is None else {least: cost}
    return Sums(
        counts=Counts._make(int(count) for count in counts),
        costs=single if least == greatest else mixed or {},
        latency=(mean, *(percentiles or (None, None, None))),
    )


def page(tables: Tables, query: CallQuery, size: int, last: Record | None) -> list[Scored]:
    """Give the next calls in the order of the query, behind the one recorded as ``last``."""
    names = tuple(tables.columns("calls"))
    asked = sql.page(query, names, size, last)
    return _scored(tables, [record_of(names, row) for row in tables.all(asked.text, asked.parameters)])


def between(tables: Tables, first: str, last: str) -> list[Scored]:
    """Give the calls whose ids lie between two, both included, but no more than two of them."""
    names = tuple(tables.columns("calls"))
    listed = ", ".join(f'"{name}"' for name in names)
    text = f"SELECT {listed} FROM calls WHERE id BETWEEN ? AND ? LIMIT 2"  # noqa: S608  # our own names
    return _scored(tables, [record_of(names, row) for row in tables.all(text, [first, last])])


def _scored(tables: Tables, records: list[Record]) -> list[Scored]:
    scores = scores_of(tables, [record.id for record in records])
    return [(record, judged(record, scores.get(record.id, ()))) for record in records]


def facts(tables: Tables) -> dict[str, Any]:
    """Tell how much is kept, what was lost and why, and which lines of journals are faulty."""
    recorded, first, last = tables.all('SELECT count(*), min("at"), max("at") FROM calls')[0]
    lost = tables.all('SELECT sum("count"), why FROM losses GROUP BY why ORDER BY min("at")')
    faults = tables.all("SELECT segment, segment_offset, reason FROM faults ORDER BY 1, 2 LIMIT 100")
    return {
        "recorded": recorded,
        "first": None if first is None else f"{first.isoformat()}Z",
        "last": None if last is None else f"{last.isoformat()}Z",
        "conflicts": tables.all("SELECT count(*) FROM conflicts")[0][0],
        "lost": [{"count": int(count), "why": why} for count, why in lost],
        "fault_count": tables.all("SELECT count(*) FROM faults")[0][0],
        "faults": [dict(zip(("segment", "offset", "reason"), each, strict=True)) for each in faults],
    }
