"""Making a Record of what a tracker is told: a response, a usage record, or keywords."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from outlay.capture.answers import FAILED
from outlay.capture.clock import SystemClock
from outlay.capture.fields import stated_cost
from outlay.capture.recorder import UNKNOWN, Billed, Recorder
from outlay.capture.redact import redact
from outlay.capture.results import fields_in, plain_counts
from outlay.core.cost import Cost, unpriced
from outlay.core.instants import instant
from outlay.core.ports import Clock
from outlay.core.record import Entry, Record
from outlay.core.usage import Usage
from outlay.trackers.prices import book_charge, charge_of, maker_of, usage_in
from outlay.trackers.values import SNIPPET

_COUNTS = frozenset(
    {
        *("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens"),
        *("prompt_tokens", "tokens_input", "completion_tokens", "tokens_output", "response_tokens"),
    }
)
_FACTS = frozenset(
    {"llm_id", "user_id", "model", "provider", "metadata", "error", "error_type", "latency_ms"}
)
WHOLE = frozenset(
    {
        *("usage", "charge", "timestamp", "provider", "model", "latency_ms"),
        *("success", "error", "error_type"),
    }
)
"""By these keywords a call is told as it was: its units and exact cost, and whether it worked."""
_TIMES = ("timestamp", "at")
_COSTS = ("cost", "cost_usd")
_KNOWN = _COUNTS | _FACTS | {*_TIMES, *_COSTS, "total_tokens", "success", "usage", "charge"}


@dataclass(frozen=True, slots=True)
class _Nowhere:
    """A sink of no use: a tracker keeps its own records."""

    def append(self, entry: Entry) -> None:
        """Take nothing."""

    def flush(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - the port's signature
        """Nothing is ever pending."""
        return True


class Maker:
    """Makes records: what was given, over what the open context says; priced where no cost is stated."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._recorder = Recorder(_Nowhere(), clock=self._clock, price=book_charge_of)

    def of_result(self, result: Any, prompt_snippet: str, given: Mapping[str, Any]) -> Record:
        """Make the record of a response that names its own figures; keywords stand over them."""
        found = fields_in(result, _KNOWN - {"usage"})
        return self.of_fields({**found, **given}, prompt_snippet)

    def of_usage_record(self, record: Any) -> Record:
        """Make the record of a usage record of any of the known shapes; its attributes or keys are read."""
        return self.of_fields(fields_in(record, _KNOWN), by_table=True)

    def of_fields(
        self, given: Mapping[str, Any], prompt_snippet: str = "", *, by_table: bool = False
    ) -> Record:
        """Make the record of keywords.

        Raises:
            TypeError: an unknown keyword, or no token counts.
            UsageError: a count or cost that cannot be; a ValueError.
            QueryError: a timestamp that is none; a ValueError.
        """
        if unknown := sorted(set(given) - _KNOWN):
            raise TypeError(f"a tracker's record() has no keyword {unknown[0]!r}; put it into metadata={{}}")
        at = _first(given, _TIMES)
        moment = self._clock.now() if at is None else instant(at)
        model, provider = given.get("model"), given.get("provider")
        used = given.get("usage")
        usage = used if isinstance(used, Usage) else _usage(given)
        return self.billed(
            Billed(
                provider or maker_of(model) or UNKNOWN,
                model,
                moment,
                usage,
                _charge(given, usage, moment, by_table=by_table),
            ),
            given,
            prompt_snippet,
        )

    def billed(self, billed: Billed, given: Mapping[str, Any], prompt_snippet: str = "") -> Record:
        """Make the record of a call whose usage and cost are known."""
        user, success = given.get("user_id"), given.get("success")
        extra = {name: given[name] for name in ("llm_id", "metadata") if given.get(name) not in (None, {})}
        if user is not None and not isinstance(user, str):
            extra["user_id"] = user
        failed = not success if success is not None else given.get("error") is not None
        fields: dict[str, Any] = {
            "user": None if user is None else str(user),
            "latency_ms": given.get("latency_ms"),
            "error": None if given.get("error") is None else redact(str(given["error"])),
            "error_type": given.get("error_type"),
            "prompt": prompt_snippet[:SNIPPET] or None,
        }
        said = {
            name: value for name, value in fields.items() if value is not None
        }  # the context says the rest
        status = "error" if failed else "success"
        return self._recorder.build(billed, {**said, "extra": extra, "status": status})


def book_charge_of(usage: Usage, *, provider: str | None, model: str | None, at: datetime | None) -> Cost:
    """Price by the book; the signature that a recorder expects."""
    return book_charge(usage, model, at, provider)


def _usage(given: Mapping[str, Any]) -> Usage:
    counts, failed = plain_counts(given), given.get("success") is False or given.get("error") is not None
    if failed and not any(counts.values()):
        return Usage(reason=FAILED)
    if not counts:
        raise TypeError("a call needs its counts: input_tokens and output_tokens, or prompt_tokens and …")
    return usage_in(given)


def _charge(given: Mapping[str, Any], usage: Usage, at: datetime, *, by_table: bool) -> Cost:
    exact, stated = given.get("charge"), _first(given, _COSTS)
    if isinstance(exact, Cost):
        return exact
    if stated is not None:
        return stated_cost(stated, "USD")
    model = given.get("model")
    if usage.reason is not None and not usage.items:
        return unpriced(usage.reason)
    if by_table:
        return charge_of(usage, model, at)
    return book_charge(usage, model, at, given.get("provider"))


def _first(given: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((given[name] for name in names if given.get(name) is not None), None)
