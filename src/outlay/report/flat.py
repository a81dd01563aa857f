"""A call as one flat row: what a table, a frame or a CSV file shows of it."""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from outlay.core.codec import usage_json
from outlay.core.record import Record
from outlay.report.frames import Columns

COLUMNS: Columns = {
    "at": "time",
    "id": "text",
    "provider": "text",
    "model": "text",
    "model_requested": "text",
    "operation": "text",
    "api": "text",
    "status": "text",
    "error_type": "text",
    "error": "text",
    "latency_ms": "number",
    "time_to_first_token_ms": "number",
    "streamed": "truth",
    "retries": "count",
    "user": "text",
    "session": "text",
    "query_type": "text",
    "agent": "text",
    "action": "text",
    "workspace": "text",
    "tags": "json",
    "input_tokens": "count",
    "cached_tokens": "count",
    "cache_write_tokens": "count",
    "output_tokens": "count",
    "reasoning_tokens": "count",
    "total_tokens": "count",
    "usage": "json",
    "cost": "money",
    "currency": "text",
    "cost_status": "text",
    "prompt_length": "count",
    "quality_score": "number",
    "user_rating": "number",
    "correct": "truth",
    "response_id": "text",
    "trace_id": "text",
    "span_id": "text",
    "flags": "json",
    "extra": "json",
}
"""The columns in order, each with the kind of its values; ``usage`` are the disjoint units."""
_SPECIAL: Mapping[str, Callable[[Record], Any]] = {
    "usage": lambda record: usage_json(record.usage).get("usage") or None,
    "tags": lambda record: dict(record.tags) or None,
    "extra": lambda record: dict(record.extra) or None,
    "flags": lambda record: list(record.flags) or None,
}
_GETTERS = tuple(_SPECIAL.get(name) or attrgetter(name) for name in COLUMNS)


def flat(record: Record) -> tuple[Any, ...]:
    """Give a call's values in the order of COLUMNS; money is Decimal, time aware UTC, the unknown None."""
    return tuple(get(record) for get in _GETTERS)
