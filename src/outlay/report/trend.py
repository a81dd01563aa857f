"""Trend: one row a bucket of time, without gaps, each beside the one before it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

from outlay.core.buckets import bucket, span
from outlay.core.errors import QueryError
from outlay.core.money import EXACT
from outlay.core.query import TIME_DIMENSIONS, Query, Row, zone
from outlay.report.adding import empty_row
from outlay.report.money import amounts, change
from outlay.report.plain import plain
from outlay.report.reader import LedgerReader
from outlay.report.rolled import rolled_json
from outlay.report.values import PriceGap, Report, price_gaps_json, scope_json

_COMPARED = ("calls", "errors", "total_tokens")


@dataclass(frozen=True, slots=True)
class Trend:
    """Every hour, day, week or month from the first with a call on, and the whole beside the period before.

    A row is the ledger's, with ``complete`` (whether that time is wholly in the period and over),
    ``cost_change`` (money, None where unknown or of several currencies), and ``cost_change_rate``,
    ``calls_change_rate``, ``errors_change_rate``, ``total_tokens_change_rate`` against the bucket before: 0.5
    for half more, None where there was nothing. ``change`` has the same keys, of total against ``before``.
    """

    unit: str
    rows: tuple[Row, ...]
    total: Row
    before: Row | None  # the total of the period before, as long as this one; None if this has no beginning
    change: Row | None
    query: Query
    price_gaps: tuple[PriceGap, ...] = ()
    rolled: int = 0  # calls that were pruned
    rolled_unknown: int = 0  # further ones, of which nobody knows whether they were asked for

    def to_dict(self) -> dict[str, Any]:
        """Give the trend as a JSON object; money is a plain decimal string."""
        return {
            **scope_json(self.query),
            "rows": plain(self.rows),
            "total": plain(self.total),
            "before": plain(self.before),
            "change": plain(self.change),
            **price_gaps_json(self.price_gaps),
            **rolled_json(self),
        }


def trend_of(reader: LedgerReader, unit: str = "day", **question: Any) -> Trend:
    """Ask for a trend; ``question`` is what :meth:`LedgerReader.report` takes beside dimensions.

    Raises:
        QueryError: ``unit`` is no hour, day, week or month, or the question cannot be.
    """
    if unit not in TIME_DIMENSIONS:
        raise QueryError(f"no unit of time {unit!r:.60}; there are {', '.join(TIME_DIMENSIONS)}")
    found, rows = compared(reader, unit, **question)
    query = found.query
    before = _before(reader, query, reader.now(), question)
    return Trend(
        unit=unit,
        rows=rows,
        total=found.total,
        before=before,
        change=None
        if before is None
        else _changes(found.total if found.total["calls"] else empty_row(), before),
        query=query,
        price_gaps=found.price_gaps,
        rolled=found.rolled,
        rolled_unknown=found.rolled_unknown,
    )


def compared(reader: LedgerReader, unit: str, **question: Any) -> tuple[Report, tuple[Row, ...]]:
    """Ask for a report by a unit of time; give it, and its rows as a trend has them."""
    found = reader.report(unit, **question)
    query, now = found.query, reader.now()
    return found, tuple(_compared(_filled(found.rows, query, now), query, now))


def _filled(rows: list[Row], query: Query, now: datetime) -> Iterator[Row]:
    """Give a row for every bucket from the first one on, up to the end of the period, or to now.

    Of later ones, as a clock that is wrong makes them, those with calls: it may be off by thousands of years.
    Calls whose hour is not known, since they were pruned, stand last.
    """
    (unit,), local = query.by, zone(query.tz)
    known = [row for row in rows if row[unit] is not None]
    come = [row for row in known if span(unit, row[unit], local)[0] <= now]
    if come:
        by_label = {row[unit]: row for row in come}
        at, last = span(unit, come[0][unit], local)[0], span(unit, come[-1][unit], local)[1]
        end = max(min(query.until or now, now), last)
        while at < end:
            label = bucket(unit, at, local)
            yield by_label.get(label) or empty_row({unit: label})
            at = span(unit, label, local)[1]
    yield from known[len(come) :]
    yield from (row for row in rows if row[unit] is None)


def _compared(rows: Iterator[Row], query: Query, now: datetime) -> Iterator[Row]:
    (unit,), local = query.by, zone(query.tz)
    before: Row | None = None
    for row in rows:
        if row[unit] is None:
            yield {**row, "complete": False, **_changes(row, None)}
            continue
        whole = {**row, "complete": _complete(span(unit, row[unit], local), query, now)}
        yield {**whole, **_changes(row, before)}
        before = row


def _complete(ends: tuple[datetime, datetime], query: Query, now: datetime) -> bool:
    start, end = ends
    begun = query.since is None or query.since <= start
    return begun and end <= now and (query.until is None or end <= query.until)


def _changes(row: Row, before: Row | None) -> Row:
    if before is None:
        return dict.fromkeys(("cost_change", *(f"{name}_change_rate" for name in ("cost", *_COMPARED))))
    known = _comparable(row, before)
    return {
        "cost_change": EXACT.subtract(row["cost"], before["cost"]) if known else None,
        "cost_change_rate": change(row["cost"], before["cost"]) if known else None,
        **{f"{name}_change_rate": change(row[name], before[name]) for name in _COMPARED},
    }


def _comparable(row: Row, before: Row) -> bool:
    """Whether both costs are known and in one currency; nothing is nothing in any."""
    used = {currency for each in (row, before) if each["calls"] for currency in amounts(each)}
    return row["cost"] is not None and before["cost"] is not None and len(used) <= 1


def _before(reader: LedgerReader, query: Query, now: datetime, question: dict[str, Any]) -> Row | None:
    """Ask for the period of the same length that ended where this one began."""
    if query.since is None:
        return None
    since = earlier(query.since, query.until or now, query.tz)
    found = reader.report((), **{**question, "since": since, "until": query.since}).total
    return found if found["calls"] else empty_row()


def earlier(since: datetime, until: datetime, tz: str) -> datetime | None:
    """Say when the period before began, which is as long; of whole days as many, also where one has 23 hours.

    None: before all times. A period that is still to come, up to now, is none, and so is the one before.
    """
    local, until = zone(tz), max(since, until)
    start, end = (each.astimezone(local).replace(tzinfo=None) for each in (since, until))
    try:
        if start.time() == end.time() == time.min:
            return (start - (end - start)).replace(tzinfo=local).astimezone(UTC)
        return since - (until - since)
    except OverflowError:
        return None
