"""The small values that trackers take and give; each is made of, or becomes, a core Record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from outlay.core.record import Record

UserId = str | int
SNIPPET = 60  # characters of a prompt that a call record keeps


@dataclass
class UsageRecord:
    """What a call used, as people log it; ``timestamp`` is ISO 8601, read as UTC where it names no zone."""

    model: str
    input_tokens: int  # every prompt token
    output_tokens: int
    timestamp: str
    user_id: UserId | None = None


@dataclass
class UsageEntry:
    """One call of a tracker that knows models by id; ``cost`` in dollars, None where it is not known."""

    llm_id: Any
    user_id: UserId | None
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cost: float | None
    timestamp: datetime
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class CallRecord:
    """One call as a log shows it: the prompt's first characters, milliseconds, dollars or None."""

    provider: str
    model: str | None
    prompt_snippet: str
    input_tokens: int
    output_tokens: int
    latency_ms: float | None
    cost_usd: float | None
    success: bool


@dataclass
class UsageStats:
    """Totals over some calls; ``period_start`` and ``period_end`` are those of the first and last of them.

    ``unpriced_requests`` are the calls that ``total_cost`` does not contain, since nobody knows their price.
    """

    total_requests: int
    total_tokens: int
    total_prompt_tokens: int
    total_completion_tokens: int
    total_cost: float
    period_start: datetime | None
    period_end: datetime | None
    unpriced_requests: int = 0


def user_of(record: Record) -> UserId | None:
    """Give the user as it was given: a number stays a number."""
    given: UserId | None = record.extra.get("user_id", record.user)
    return given


def entry_of(record: Record) -> UsageEntry:
    """Show a record as an entry of a tracker by model id."""
    return UsageEntry(
        llm_id=record.extra.get("llm_id"),
        user_id=user_of(record),
        prompt_tokens=record.input_tokens,
        completion_tokens=record.output_tokens,
        total_tokens=record.total_tokens,
        cost=dollars_of(record),
        timestamp=record.at,
        metadata=record.extra.get("metadata", {}),
    )


def call_of(record: Record) -> CallRecord:
    """Show a record as a line of a call log."""
    return CallRecord(
        provider=record.provider,
        model=record.model,
        prompt_snippet=record.prompt or "",
        input_tokens=record.input_tokens,
        output_tokens=record.output_tokens,
        latency_ms=record.latency_ms,
        cost_usd=dollars_of(record),
        success=record.success,
    )


def dollars_of(record: Record) -> float | None:
    """Give a record's cost as a float of dollars, or None where it is not known."""
    return None if record.cost is None or record.currency != "USD" else float(record.cost)
