"""A tally of calls on their way to the journal: what a program and its children cost, without a ledger."""

import os
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from outlay.core.money import ZERO, total
from outlay.core.ports import Pending, Sink, hand_on
from outlay.core.record import Entry, Record
from outlay.journal import read_segment, segments
from outlay.report import PriceGap, Summary, Totals

_UNPRICED = ("unpriced", "partial")
_EXTRAPOLATED = "extrapolated"  # the flag of a cost at the first known price, which is of a later day
MAX_READ = 32 * 2**20  # of child processes' journals, which takes some 3 s; beyond it the ledger is quicker
_OTHERS = "others"
_KEPT = 1000  # models named at most; a program that makes up names must not fill the memory


class _Told(NamedTuple):
    """What a tally counts of a call, as a line of the journal says it."""

    provider: str
    model: str | None
    success: bool
    input_tokens: int
    output_tokens: int
    cost: Decimal | None
    currency: str
    cost_status: str
    latency_ms: float | None
    extrapolated: bool


def _told(data: Mapping[str, Any]) -> _Told | None:
    """Read what ``core.codec`` wrote of an entry; None where it is no record."""
    if "id" not in data:  # a score, a revision and a loss have none of their own
        return None
    cost = data.get("cost")
    return _Told(
        data["provider"],
        data.get("model"),
        data.get("status") == "success",
        data["input_tokens"],
        data["output_tokens"],
        None if cost is None else Decimal(cost),
        data["currency"],
        data["cost_status"],
        data.get("latency_ms"),
        _EXTRAPOLATED in data.get("cost_flags", ()),
    )


def _is_extrapolated(record: Record | _Told) -> bool:
    return record.extrapolated if isinstance(record, _Told) else _EXTRAPOLATED in record.charge.flags


class _Models:
    """Calls by provider and model; those beyond the names that are kept count together."""

    def __init__(self) -> None:
        self._calls: Counter[tuple[str, str | None]] = Counter()
        self._errors: Counter[tuple[str, str | None]] = Counter()

    def add(self, record: Record | _Told) -> None:
        names = (record.provider, record.model)
        is_kept = names in self._calls or len(self._calls) < _KEPT
        kept = names if is_kept else (_OTHERS, _OTHERS)
        self._calls[kept] += 1
        self._errors[kept] += not record.success

    def gaps(self, *, extrapolated: bool) -> tuple[PriceGap, ...]:
        named = self._calls.most_common()
        if extrapolated:
            return tuple(PriceGap(*names, calls, extrapolated=True) for names, calls in named)
        return tuple(PriceGap(*names, calls, errors=self._errors[names]) for names, calls in named)


@dataclass(slots=True)
class _Sums:
    calls: int = 0
    succeeded: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    costs: dict[str, Decimal] = field(default_factory=dict)  # by currency
    timed: int = 0
    latency_ms: float = 0.0

    def add(self, record: Record | _Told) -> None:
        self.calls += 1
        self.succeeded += record.success
        self.input_tokens += record.input_tokens
        self.output_tokens += record.output_tokens
        if record.cost is not None:
            self.costs[record.currency] = total((self.costs.get(record.currency, ZERO), record.cost))
        if record.latency_ms is not None:
            self.timed += 1
            self.latency_ms += record.latency_ms

    def totals(self) -> Totals:
        one = next(iter(self.costs.values())) if len(self.costs) == 1 else None
        return Totals(
            calls=self.calls,
            succeeded=self.succeeded,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cost=one if self.calls else ZERO,
            avg_latency_ms=self.latency_ms / self.timed if self.timed else None,
            costs=dict(sorted(self.costs.items())) if set(self.costs) - {"USD"} else None,
        )


@dataclass(frozen=True, slots=True)
class _Counted:
    """What a tally hands on unmade, and counts once it is made."""

    pending: Pending
    count: Callable[[Record | _Told], None]

    def entry(self) -> Entry:
        made = self.pending.entry()
        if isinstance(made, Record):
            self.count(made)
        return made

    def json(self) -> dict[str, Any]:
        data = self.pending.json()
        told = _told(data)
        if told is not None:
            self.count(told)
        return data


class Tally:
    """A sink that counts what it hands on; safe to use from any thread."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._lock = Lock()  # held to count, and never waited for where calls pass
        self._seen: deque[Record | _Told] = deque()  # and not counted yet
        self._pid = os.getpid()
        self._total = _Sums()
        self._providers: dict[str, _Sums] = {}
        self._unpriced = _Models()
        self._extrapolated = _Models()
        self._unread = False

    def append(self, entry: Entry) -> None:
        """Hand an entry on, then count it."""
        self._sink.append(entry)
        if isinstance(entry, Record):
            self._see(entry)

    def defer(self, pending: Pending) -> None:
        """Hand on what will be an entry, to be counted when it is made: before any flush returns."""
        hand_on(_Counted(pending, self._see), self._sink)

    def flush(self, timeout: float | None = None) -> bool:
        """Return when all that was appended is kept; False if that took too long."""
        return self._sink.flush(timeout)

    def add_journals(self, folder: Path, run: str | None) -> None:
        """Count what other processes of the same run have journalled, up to MAX_READ bytes."""
        own = f"-{os.getpid()}-"
        read = 0
        for segment in segments(folder, run):
            if own in segment.name:
                continue
            read += segment.size
            if read > MAX_READ:
                self._unread = True
                return
            for _, entry in read_segment(segment.path):
                if isinstance(entry, Record):
                    self._count(entry)

    @property
    def unread(self) -> bool:
        """Whether child processes recorded more than was counted."""
        return self._unread

    def _see(self, record: Record | _Told) -> None:
        """Take a call; whoever counts just now counts it too, be it this thread, within a garbage collection.

        A forked child tells nobody, and has a lock that may never be let go.
        """
        if self._pid != os.getpid():
            return
        self._seen.append(record)
        if self._lock.acquire(blocking=False):
            try:
                self._count_seen()
            finally:
                self._lock.release()

    def _count_seen(self) -> None:
        while self._seen:
            self._count(self._seen.popleft())

    def _count(self, record: Record | _Told) -> None:
        self._total.add(record)
        is_kept = record.provider in self._providers or len(self._providers) < _KEPT
        self._providers.setdefault(record.provider if is_kept else _OTHERS, _Sums()).add(record)
        if record.cost_status in _UNPRICED:
            self._unpriced.add(record)
        if _is_extrapolated(record):
            self._extrapolated.add(record)

    def summary(self) -> Summary:
        """Give the totals so far, in the order in which providers were first seen."""
        with self._lock:
            self._count_seen()
            groups = tuple((name, sums.totals()) for name, sums in self._providers.items())
            gaps = (*self._unpriced.gaps(extrapolated=False), *self._extrapolated.gaps(extrapolated=True))
            return Summary(self._total.totals(), groups, gaps)
