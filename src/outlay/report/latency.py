"""Latency: how long calls take, how soon they begin to answer, how fast they write, and the slow ones."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from outlay.core.errors import QueryError
from outlay.core.query import Query, Row
from outlay.core.record import Record
from outlay.report.money import ratio
from outlay.report.plain import plain
from outlay.report.reader import LedgerReader
from outlay.report.rolled import rolled_json
from outlay.report.values import PriceGap, price_gaps_json, scope_json

METRICS = (
    "timed_calls",
    "min_latency_ms",
    "p90_latency_ms",
    "max_latency_ms",
    "first_token_calls",
    "avg_first_token_ms",
    "p50_first_token_ms",
    "p90_first_token_ms",
    "p95_first_token_ms",
    "p99_first_token_ms",
    "output_tokens_per_second",
    "latency_histogram",
)
SLOW_MS = 10_000
_LONGEST = 999_999_999


@dataclass(frozen=True, slots=True)
class Latency:
    """Latencies of groups of calls.

    A row is the ledger's with METRICS, ``slow_calls`` (longer than ``slow_ms``) and ``slow_share`` of the
    timed ones.
    """

    rows: tuple[Row, ...]
    total: Row
    slow_ms: int
    slowest: tuple[Record, ...]  # slow calls, the slowest first
    query: Query
    price_gaps: tuple[PriceGap, ...] = ()
    rolled: int = 0  # calls that were pruned
    rolled_unknown: int = 0  # further ones, of which nobody knows whether they were asked for

    def to_dict(self) -> dict[str, Any]:
        """Give the report as a JSON object; slow calls by what tells them apart."""
        return {
            **scope_json(self.query),
            "slow_ms": self.slow_ms,
            "rows": plain(self.rows),
            "total": plain(self.total),
            "slowest": [call_json(each) for each in self.slowest],
            **price_gaps_json(self.price_gaps),
            **rolled_json(self),
        }


def call_json(record: Record) -> dict[str, Any]:
    """Give the few fields by which people know a call."""
    names = ("id", "at", "provider", "model", "user", "session", "query_type", "status", "error_type")
    figures = ("latency_ms", "time_to_first_token_ms", "input_tokens", "output_tokens", "cost", "currency")
    return {name: plain(getattr(record, name)) for name in (*names, *figures, "cost_status")}


def latency_of(
    reader: LedgerReader,
    by: str | Iterable[str] = "model",
    *,
    slow_ms: int = SLOW_MS,
    slowest: int = 5,
    **question: Any,
) -> Latency:
    """Ask for latencies; ``question`` is what :meth:`LedgerReader.report` takes beside dimensions.

    Raises:
        QueryError: ``slow_ms`` is no time, or the question cannot be.
    """
    if not 0 <= slow_ms <= _LONGEST:
        raise QueryError(f"slow calls take longer than 0 to {_LONGEST:,} ms, not {slow_ms!r:.40}")
    slow = f"slow:{slow_ms}"
    found = reader.report(by, metrics=(*METRICS, slow), **question)
    scope = {name: question[name] for name in ("since", "until", "where", "tz") if name in question}
    calls = [] if found.total[slow] == 0 else reader.calls(slowest, "latency", **scope)
    return Latency(
        rows=tuple(_with_slow(row, slow) for row in found.rows),
        total=_with_slow(found.total, slow),
        slow_ms=slow_ms,
        slowest=tuple(each for each in calls if each.latency_ms is not None and each.latency_ms > slow_ms),
        query=found.query,
        price_gaps=found.price_gaps,
        rolled=found.rolled,
        rolled_unknown=found.rolled_unknown,
    )


def _with_slow(row: Row, slow: str) -> Row:
    rest = {name: value for name, value in row.items() if name != slow}
    return {**rest, "slow_calls": row[slow], "slow_share": ratio(row[slow], row["timed_calls"])}
