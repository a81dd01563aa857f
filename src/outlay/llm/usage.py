"""LlmUsage: what the calls of one client used and cost, the latest and in all."""

import threading
from dataclasses import dataclass

from outlay.core.record import Record
from outlay.llm.money import Money
from outlay.pricing.own import is_happy_hour


@dataclass(frozen=True, slots=True)
class CompletionUsage:
    """What one call used; ``cached_tokens`` and ``cache_writes`` are parts of ``input_tokens``."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cache_writes: int
    reasoning_tokens: int
    cost: Money | None  # dollars; None: nobody knows the price
    happy_hour: bool  # whether the lower rate of a few hours of the day was charged
    record_id: str

    @property
    def total_tokens(self) -> int:
        """Input and output tokens together."""
        return self.input_tokens + self.output_tokens

    @property
    def prompt_tokens(self) -> int:
        """A second name of ``input_tokens``."""
        return self.input_tokens

    @property
    def response_tokens(self) -> int:
        """A second name of ``output_tokens``."""
        return self.output_tokens

    def __str__(self) -> str:
        cost = "unknown" if self.cost is None else f"${self.cost}"
        cached = f" ({self.cached_tokens} cached)" if self.cached_tokens else ""
        return f"{self.input_tokens} tokens in{cached}, {self.output_tokens} out, cost {cost}"


class LlmUsage:
    """Running totals, exact and safe to read from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: CompletionUsage | None = None
        self._cost = Money(0)
        self._tokens = {"input": 0, "output": 0}
        self._calls = 0
        self._unpriced = 0

    def add(self, record: Record) -> CompletionUsage:
        """Take a call that was recorded."""
        cost = None if record.cost is None or record.currency != "USD" else Money(record.cost)
        latest = CompletionUsage(
            input_tokens=record.input_tokens,
            output_tokens=record.output_tokens,
            cached_tokens=record.cached_tokens,
            cache_writes=record.cache_write_tokens,
            reasoning_tokens=record.reasoning_tokens,
            cost=cost,
            happy_hour=is_happy_hour(record.charge, record.provider, record.model, record.at),
            record_id=record.id,
        )
        with self._lock:
            self._latest = latest
            self._calls += 1
            self._tokens["input"] += latest.input_tokens
            self._tokens["output"] += latest.output_tokens
            self._unpriced += cost is None or record.cost_status == "partial"
            if cost is not None:
                self._cost = self._cost + cost
        return latest

    @property
    def latest_completion(self) -> CompletionUsage | None:
        """The latest call, None before the first."""
        return self._latest

    @property
    def total_cost(self) -> Money:
        """The known costs in dollars; ``unpriced_calls`` says how many are not in it."""
        return self._cost

    @property
    def total_tokens(self) -> int:
        """All tokens, input and output."""
        return sum(self._tokens.values())

    @property
    def input_tokens(self) -> int:
        """All input tokens."""
        return self._tokens["input"]

    @property
    def output_tokens(self) -> int:
        """All output tokens."""
        return self._tokens["output"]

    @property
    def calls(self) -> int:
        """How many attempts were made, failed ones included."""
        return self._calls

    @property
    def unpriced_calls(self) -> int:
        """How many calls the total cost does not, or not wholly, contain, since nobody knows their price."""
        return self._unpriced

    def __repr__(self) -> str:
        return (
            f"LlmUsage(calls={self.calls}, total_tokens={self.total_tokens}, total_cost=${self.total_cost})"
        )
