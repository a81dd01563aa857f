"""The pattern of days and weeks: when calls are made and money is spent, in local time."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from outlay.core.query import Query, Row
from outlay.report.adding import empty_row, sum_of
from outlay.report.money import ratio
from outlay.report.plain import plain
from outlay.report.reader import LedgerReader
from outlay.report.rolled import rolled_json
from outlay.report.values import PriceGap, price_gaps_json, scope_json

HOURS = tuple(f"{hour:02}" for hour in range(24))
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Pattern:
    """Calls by the hour of the day (``00`` to ``23``), by weekday, and by both.

    A row has counts, ``cost``, ``avg_cost``, ``avg_latency_ms``, ``timed_calls``, ``cache_hit_rate`` and
    ``share``, its part of all calls. Hours and weekdays without calls are there too; cells without are not.
    Calls that were pruned are in the total alone: of them nobody knows the hour.
    """

    hours: tuple[Row, ...]  # with ``hour_of_day``
    weekdays: tuple[Row, ...]  # with ``weekday``
    cells: tuple[Row, ...]  # with both
    total: Row
    query: Query
    price_gaps: tuple[PriceGap, ...] = ()
    rolled: int = 0  # calls that were pruned
    rolled_unknown: int = 0  # further ones, of which nobody knows whether they were asked for

    def to_dict(self) -> dict[str, Any]:
        """Give the pattern as a JSON object; money is a plain decimal string."""
        return {
            **scope_json(self.query),
            "by": ["hour_of_day", "weekday"],
            "hours": plain(self.hours),
            "weekdays": plain(self.weekdays),
            "cells": plain(self.cells),
            "total": plain(self.total),
            **price_gaps_json(self.price_gaps),
            **rolled_json(self),
        }


def pattern_of(reader: LedgerReader, **question: Any) -> Pattern:
    """Ask for the pattern; ``question`` is what :meth:`LedgerReader.report` takes beside dimensions.

    Raises:
        QueryError: the question cannot be.
    """
    found = reader.report("hour", metrics=("timed_calls",), **question)
    cells = _cells(found.rows)
    calls = found.total["calls"]
    return Pattern(
        hours=tuple(_row({"hour_of_day": hour}, _chosen(cells, hour=hour), calls) for hour in HOURS),
        weekdays=tuple(_row({"weekday": day}, _chosen(cells, day=day), calls) for day in WEEKDAYS),
        cells=tuple(
            _row({"weekday": day, "hour_of_day": hour}, [cells[day, hour]], calls)
            for day in WEEKDAYS
            for hour in HOURS
            if (day, hour) in cells
        ),
        total=found.total,
        query=found.query,
        price_gaps=found.price_gaps,
        rolled=found.rolled,
        rolled_unknown=found.rolled_unknown,
    )


Cells = dict[tuple[str, str], Row]


def _cells(rows: list[Row]) -> Cells:
    groups: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        if row["hour"] is not None:
            groups[_place(row["hour"])].append(row)
    return {place: sum_of(within) for place, within in groups.items()}


def _chosen(cells: Cells, *, day: str | None = None, hour: str | None = None) -> list[Row]:
    return [row for (on, at), row in cells.items() if day in (None, on) and hour in (None, at)]


def _row(label: Row, within: list[Row], calls: int) -> Row:
    summed = sum_of(within) if within else {**empty_row(), "timed_calls": 0}
    return {**label, **summed, "share": ratio(summed["calls"], calls)}


def _place(label: str) -> tuple[str, str]:
    """Read weekday and hour of the day off the name of an hour, which is local."""
    return WEEKDAYS[date.fromisoformat(label[:10]).weekday()], label[11:13]
