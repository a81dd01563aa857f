"""What a log says of one call, as a plain dictionary: local times, latency in seconds, costs in dollars."""

from datetime import UTC, datetime
from typing import Any

from outlay import process
from outlay.capture.guard import note_failure
from outlay.capture.results import named, read_result
from outlay.core.cost import Cost, unpriced
from outlay.core.errors import OutlayError
from outlay.core.usage import Usage
from outlay.pricing import cost_of

COLUMNS = (
    "timestamp",
    "user_id",
    "query_type",
    "prompt_length",
    "status",
    "model",
    "input_tokens",
    "output_tokens",
    "cost",
    "latency",
    "cached",
    "error",
)
"""What every log has, in this order; business fields stand behind."""


def now_text() -> str:
    """Give the local time as ISO 8601 without a zone, always of one form, with microseconds."""
    return datetime.now(UTC).astimezone().replace(tzinfo=None).isoformat(timespec="microseconds")


def length_of(prompt: object) -> int:
    """Count a prompt's characters; of a list of messages, those of all their texts."""
    if isinstance(prompt, str):
        return len(prompt)
    if isinstance(prompt, list | tuple):
        return sum(
            length_of(named(each, "content") if not isinstance(each, str) else each) for each in prompt
        )
    return 0 if prompt is None else len(str(prompt))


def success_fields(result: Any) -> dict[str, Any]:
    """Give model, tokens and cost of a result; what it does not say, and a price nobody knows, is None."""
    usage, model, cost = _priced(result)
    known = bool(usage.items) or usage.reason is None
    dollars = cost.amount if cost.currency == "USD" else None
    return {
        "model": model,
        "input_tokens": usage.input_tokens if known else None,
        "output_tokens": usage.output_tokens if known else None,
        "cost": None if dollars is None else float(dollars),
    }


def was_cached(result: Any) -> bool:
    """Whether the answer came from a cache, in whole or in part."""
    usage = named(result, "usage")
    hit = named(usage, "cache_hit")
    if hit is not None:
        return bool(hit)
    used, _, _ = _priced(result)
    return used.cached_tokens > 0


def _priced(result: Any) -> tuple[Usage, str | None, Cost]:
    try:
        provider = named(result, "provider")
        given = provider if isinstance(provider, str) else None
        reading = read_result(result, provider=given or "unknown")
        usage = reading.usage
        if not usage.items and usage.reason is not None and usage.reported_cost is None:
            return usage, reading.model, unpriced(usage.reason or "no usage")
        book = process.current().book_around_work()
        return usage, reading.model, cost_of(usage, provider=given, model=reading.model, book=book)
    except OutlayError as error:
        note_failure("log_llm_call", error)
        return Usage(reason=str(error)), None, unpriced(str(error))
