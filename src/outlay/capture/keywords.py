"""The keywords of ``outlay.record``, for type checkers; the recorder itself refuses an unknown one."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict

from outlay.core.record import Status
from outlay.core.usage import Quantity, Usage

Number = Decimal | str | int | float
"""Money as people state it; a float is taken by its shortest text, never by its binary value."""


class RecordKeywords(TypedDict, total=False):
    """Every field of Record, and what a record is made of; None is as good as not given."""

    id: str | None
    at: datetime | str | float | None  # ISO 8601 or Unix seconds too; without it, now
    model_requested: str | None
    operation: str | None
    api: str | None
    status: Status | None
    success: bool | None  # in place of status
    error_type: str | None
    error: object  # a text, or the exception itself
    latency_ms: float | None
    time_to_first_token_ms: float | None
    streamed: bool | None
    retries: int | None
    user: object  # taken as its text, as are the five below
    session: object
    query_type: object
    agent: object
    action: object
    workspace: object
    tags: Mapping[str, object] | None
    trace_id: str | None
    span_id: str | None
    prompt_length: int | None
    prompt: str | None
    reply: str | None
    quality_score: float | None
    user_rating: float | None
    correct: bool | None
    extra: Mapping[str, Any] | None
    usage: Usage | Mapping[str, Quantity] | None  # in place of the counts
    input_tokens: int | None  # inclusive: cached and written ones are parts of it
    cached_tokens: int | None
    cache_write_tokens: int | None
    output_tokens: int | None  # inclusive: reasoning is a part of it
    reasoning_tokens: int | None
    cost: Number | None
    currency: str | None
    terms: Mapping[str, str] | None
    response_id: str | None
