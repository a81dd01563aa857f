"""What a call through an adapter gives back, and what an adapter is."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from outlay.core.cost import Cost
from outlay.core.usage import Usage
from outlay.llm.money import PlainFloat


@dataclass(frozen=True, slots=True)
class LLMResponse:
    """One answer with what it used: inclusive token counts, wall-clock milliseconds, cost in dollars."""

    content: str
    input_tokens: int  # every prompt token; cached and written ones are parts of it
    output_tokens: int  # every output token, reasoning included
    cost_usd: float | None  # None: the price is not known
    latency_ms: float
    success: bool
    provider: str
    model: str
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    error: str | None = None  # what went wrong, where success is False
    error_type: str | None = None
    usage: Usage | None = field(
        default=None, compare=False, repr=False
    )  # in disjoint units, where it is known
    charge: Cost | None = field(default=None, compare=False, repr=False)  # the exact cost, where it is known
    cause: BaseException | None = field(default=None, compare=False, repr=False)
    cause_tells: bool = field(
        default=False, compare=False, repr=False
    )  # its text holds what error leaves out

    def __post_init__(self) -> None:
        """Let the cost print without an exponent."""
        if self.cost_usd is not None and not isinstance(self.cost_usd, PlainFloat):
            object.__setattr__(self, "cost_usd", PlainFloat(self.cost_usd))

    @property
    def total_tokens(self) -> int:
        """Input and output tokens together."""
        return self.input_tokens + self.output_tokens


class Adapter(Protocol):
    """One way to reach a model."""

    def call(self, prompt: str, **options: Any) -> LLMResponse:
        """Send a prompt and give the answer; a call that fails gives success=False and why."""
        ...
