"""Calls that came when their day had been pruned: added to its totals after all, or given up; once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from outlay.core.ids import time_of
from outlay.core.keeping import ROLLED_DIMENSIONS, Settled
from outlay.core.record import Record
from outlay.ledger.olden import Day, days_of
from outlay.ledger.reckoned import sums_of

_SUMS: Final = (
    *("calls", "known", "input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens"),
    *("reasoning_tokens", "cost", "timed", "latency_ms"),
)
PORTION: Final = 10_000
"""Calls that are looked at together."""

FIRST: Final = "00000000-0000-0000-0000-000000000000"
"""The least of all ids."""


class Store(Protocol):
    """Tables that are changed in one transaction, which is the caller's."""

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> object:
        """Run a statement for its effect."""
        ...


def is_of_old(record_id: str, horizon: datetime) -> bool:
    """Whether an id tells that its call is older than that."""
    at = time_of(record_id)
    return at is not None and at < horizon


def settled_days(records: Sequence[Record]) -> list[Day]:
    """Add calls up by their days: that of the instant, or of the id, a UUIDv7, if that is older.

    By the older one the call was counted, if it was pruned under another instant.
    """
    return days_of(replace(each, at=min(each.at, time_of(each.id) or each.at)) for each in records)


def row_of(day: Day) -> dict[str, Any]:
    """Give a day's total by the columns of ``rollups``, tags as a mapping or None."""
    counts, timed = day.sums.counts, day.sums.timed
    sums = (
        *(counts.calls, counts.known, counts.input_tokens, counts.cached_tokens, counts.cache_write_tokens),
        *(counts.output_tokens, counts.reasoning_tokens, next(iter(day.sums.costs.values()), None)),
        *(timed.number, float(timed.total)),
    )
    dimensions = zip(ROLLED_DIMENSIONS, day.dimensions, strict=True)
    tags = dict(day.tags) or None
    at = day.at.astimezone(UTC).replace(tzinfo=None)
    return {"at": at, **dict(dimensions), "tags": tags, **dict(zip(_SUMS, sums, strict=True))}


def settle(
    store: Store,
    pages: Iterator[Sequence[Record]],
    written_tags: Callable[[Mapping[str, str]], tuple[str, list[Any]]],
    *,
    count_in: bool,
    dry_run: bool,
) -> Settled:
    """Settle all late calls, which come page by page, in the caller's transaction.

    ``written_tags`` gives tags as SQL and its parameters.
    """
    done = Settled(calls=0, counted=count_in, dry_run=dry_run)
    for page in pages:
        days = settled_days(page) if count_in else []
        done += told(page, days, counted=count_in)
        if not dry_run:
            for day in days:
                _add(store, row_of(day), written_tags)
    if not dry_run:
        store.run("INSERT INTO settled SELECT id, ? FROM late", [count_in])
        store.run("DELETE FROM late")
    return done


def told(records: Sequence[Record], days: Sequence[Day], *, counted: bool) -> Settled:
    """Say what is settled by these calls, which become these days' totals."""
    return Settled(calls=len(records), counted=counted, rollups=len(days), costs=sums_of(records).costs)


def pages_of(page: Callable[[str], Sequence[Record]]) -> Iterator[Sequence[Record]]:
    """Give pages of calls, each behind the last id of the one before."""
    last = FIRST
    while found := page(last):
        yield found
        last = found[-1].id


def _add(
    store: Store, row: dict[str, Any], written_tags: Callable[[Mapping[str, str]], tuple[str, list[Any]]]
) -> None:
    """Add a day's total to those that are there, and to what they are proved by."""
    tags = row.pop("tags")
    written, parameters = ("NULL", []) if tags is None else written_tags(tags)
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join("?" * len(row))
    store.run(
        f"INSERT INTO rollups ({names}, tags) VALUES ({marks}, {written})",  # noqa: S608  # our own names
        [*row.values(), *parameters],
    )
    proof = [row[name] for name in ("at", "currency", "calls", "cost")]
    store.run('INSERT INTO pruned_days ("day", currency, calls, cost) VALUES (?, ?, ?, ?)', proof)
