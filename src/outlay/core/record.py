"""Record: one call of one model, with what it used, what it cost, and whom it was for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from math import isfinite
from typing import Any, Literal

from outlay.core.cost import Cost, CostLine, CostStatus
from outlay.core.errors import UsageError
from outlay.core.usage import Usage

SCHEMA = 1  # of the record's JSON; raised when a reader of the old form would read the new one wrongly

Status = Literal["success", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One billed or failed call; never changed once written, a correction is a revision beside it."""

    id: str  # UUIDv7
    at: datetime  # when the call started, aware UTC; its price is the one of this instant
    provider: str
    model: str | None  # the one that served; else the one that was asked for
    usage: Usage
    charge: Cost
    model_requested: str | None = None
    operation: str = "chat"  # OpenTelemetry's gen_ai.operation.name
    api: str | None = None  # chat, responses, messages, …
    status: Status = "success"
    error_type: str | None = None  # the exception's class name
    error: str | None = None
    latency_ms: float | None = None  # wall clock of the whole call, by a monotonic clock
    time_to_first_token_ms: float | None = None
    streamed: bool = False
    retries: int = 0  # attempts before the one that is recorded
    user: str | None = None
    session: str | None = None
    query_type: str | None = None
    agent: str | None = None
    action: str | None = None
    workspace: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    trace_id: str | None = None
    span_id: str | None = None
    prompt_length: int | None = None  # characters; the text itself only in prompt, and only by choice
    prompt: str | None = None
    reply: str | None = None
    quality_score: float | None = None
    user_rating: float | None = None
    correct: bool | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)  # business fields, kept as given

    def __post_init__(self) -> None:
        """Refuse a latency that is no time; JSON and ledgers would silently make nothing of it."""
        for latency in (self.latency_ms, self.time_to_first_token_ms):
            if type(latency) is float and not isfinite(latency):
                raise UsageError(f"a latency must be a finite number of milliseconds, not {latency}")

    @property
    def success(self) -> bool:
        """Whether the call worked."""
        return self.status == "success"

    @property
    def cost(self) -> Decimal | None:
        """The amount, or None when the price is unknown."""
        return self.charge.amount

    @property
    def currency(self) -> str:
        """The currency of the cost, ISO 4217."""
        return self.charge.currency

    @property
    def cost_status(self) -> CostStatus:
        """Whether the cost is priced, reported, free, partial or unpriced."""
        return self.charge.status

    @property
    def lines(self) -> tuple[CostLine, ...]:
        """The lines that add up to the cost."""
        return self.charge.lines

    @property
    def response_id(self) -> str | None:
        """The provider's own id of the response."""
        return self.usage.response_id

    @property
    def flags(self) -> tuple[str, ...]:
        """What was odd, in the usage and in the price."""
        return tuple(sorted({*self.usage.flags, *self.charge.flags}))

    @property
    def input_tokens(self) -> int:
        """Every input token, cached and cache-written included."""
        return self.usage.input_tokens

    @property
    def cached_tokens(self) -> int:
        """Input tokens read from a cache, a part of input_tokens."""
        return self.usage.cached_tokens

    @property
    def cache_write_tokens(self) -> int:
        """Input tokens written to a cache, a part of input_tokens."""
        return self.usage.cache_write_tokens

    @property
    def output_tokens(self) -> int:
        """Every output token, reasoning included."""
        return self.usage.output_tokens

    @property
    def reasoning_tokens(self) -> int:
        """Output tokens that were thought, a part of output_tokens."""
        return self.usage.reasoning_tokens

    @property
    def total_tokens(self) -> int:
        """Input and output tokens together."""
        return self.usage.total_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A judgement on a recorded call, given with it or later; the newest value of each field counts."""

    record_id: str
    at: datetime
    quality_score: float | None = None
    user_rating: float | None = None
    correct: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A recorded call's cost, reckoned again; the newest one counts, and what was recorded stays."""

    record_id: str
    at: datetime  # when it was reckoned, aware UTC; the price is still the one of the call's instant
    charge: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Calls that could not be written down, and why; written as soon as writing works again."""

    at: datetime
    count: int
    why: str


Entry = Record | Score | Revision | Loss
"""Whatever stands on one line of a journal."""
