"""Daily totals in plain Python: what a ledger in memory keeps of pruned calls."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from outlay.core.buckets import bucket
from outlay.core.instants import midnight
from outlay.core.keeping import ROLLED_DIMENSIONS
from outlay.core.query import TIME_DIMENSIONS, zone
from outlay.core.record import Record
from outlay.ledger.reckoned import sums_of
from outlay.ledger.totals import Rolled, Timed

_Key = tuple[datetime, tuple[str | None, ...], tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Day:
    """One day's total over calls that are alike in all kept dimensions."""

    at: datetime  # midnight UTC
    dimensions: tuple[str | None, ...]  # in the order of ROLLED_DIMENSIONS
    tags: tuple[tuple[str, str], ...]
    sums: Rolled

    def value(self, name: str) -> str | None:
        """Give a dimension; its day is that of UTC in every zone, hour and session are not known any more."""
        if name in TIME_DIMENSIONS:
            return None if name == "hour" else bucket(name, self.at, zone("UTC"))
        if name.startswith("tag:"):
            return dict(self.tags).get(name.removeprefix("tag:"))
        return dict(zip(ROLLED_DIMENSIONS, self.dimensions, strict=True)).get(name)


def days_of(records: Iterable[Record]) -> list[Day]:
    """Add calls, with the costs that count, up by day and dimensions."""
    groups: defaultdict[_Key, list[Record]] = defaultdict(list)
    for each in records:
        dimensions = tuple(getattr(each, name) for name in ROLLED_DIMENSIONS)
        groups[midnight(each.at), dimensions, tuple(sorted(each.tags.items()))].append(each)
    return [Day(at, dimensions, tags, _rolled(each)) for (at, dimensions, tags), each in groups.items()]


def _rolled(records: list[Record]) -> Rolled:
    sums = sums_of(records)
    failed = sums_of([record for record in records if record.status == "error"])
    return Rolled(sums.counts, sums.costs, timed_of(records), failed.counts.known, failed.costs)


def timed_of(records: Iterable[Record]) -> Timed:
    """Count and add up the latencies that are known."""
    latencies = [record.latency_ms for record in records if record.latency_ms is not None]
    return Timed(len(latencies), sum(latencies))
