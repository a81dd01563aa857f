"""Pruned calls in an answer: of how many nobody knows whether they were asked for; whose days are parted."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any, Protocol

from outlay.core.keeping import GONE
from outlay.core.ports import Ledger
from outlay.core.query import TIME_DIMENSIONS, CallQuery, Filter, Query, Rows


class Answered(Protocol):
    """An answer in which pruned calls may be, or which may lack them."""

    @property
    def rolled(self) -> int:
        """Count the pruned calls that are in it."""
        ...

    @property
    def rolled_unknown(self) -> int:
        """Count those that are not, though nobody knows whether they were asked for."""
        ...


def rolled_json(found: Answered) -> dict[str, Any]:
    """Give both counts as the keys of a JSON object."""
    return {"rolled": found.rolled, "rolled_unknown": found.rolled_unknown}


def with_unknown(answer: Rows, query: Query, ledger: Ledger) -> Rows:
    """Count the pruned calls that a filter by session or hour leaves out, for daily totals have neither."""
    before = answer.pruned_before
    if before is None or not gone_of(query):
        return answer
    until = before if query.until is None else min(query.until, before)
    every = replace(query, by=(), metrics=(), detail="counts", until=until, where=tuple(_told(query)))
    return replace(answer, rolled_unknown=ledger.rows(every).rolled - answer.rolled)


def gone_of(query: Query | CallQuery) -> tuple[str, ...]:
    """Name the dimensions by which the question wants calls, and which daily totals do not have."""
    return tuple(dict.fromkeys(name for name, values in query.where if name in GONE and None not in values))


def _told(query: Query) -> Iterator[Filter]:
    """Give the filters that daily totals can answer; an hour lies in one of their days."""
    gone = gone_of(query)
    for name, values in query.where:
        if name not in gone:
            yield name, values
        elif name == "hour":
            hours = (datetime.fromisoformat(each) for each in values if each is not None)
            yield "day", tuple(dict.fromkeys(f"{each.astimezone(UTC):%Y-%m-%d}" for each in hours))


def is_parted(query: Query) -> bool:
    """Whether the period, or a day of the answer, begins or ends within a day of UTC, which has one total."""
    ends = (query.since, query.until)
    if any(each is not None and each.astimezone(UTC).time() != time.min for each in ends):
        return True
    asked = (*query.by, *(name for name, _ in query.where))
    return query.tz != "UTC" and any(name in TIME_DIMENSIONS for name in asked)
