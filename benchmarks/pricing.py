"""Pricing one call beside genai-prices, on the same calls, with equal results."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import genai_prices

from benchmarks.timing import each, show, take_turns
from outlay.core.usage import Usage
from outlay.pricing import cost_of

AT = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Call:
    """One call: disjoint units for us, inclusive counts for the peer."""

    provider: str
    model: str
    input: int
    cached: int
    output: int


CALLS = (
    Call("openai", "gpt-4o", 2000, 3000, 400),
    Call("openai", "gpt-4o-mini", 1000, 0, 500),
    Call("anthropic", "claude-sonnet-4-5", 10, 1000, 50),
    Call("google", "gemini-2.5-pro", 2000, 3000, 400),
)


def ours(call: Call) -> Callable[[], Decimal | None]:
    """Make what prices it with outlay; the usage is ready made."""
    usage = Usage.of({"input": call.input, "cache_read": call.cached, "output": call.output})
    return lambda: cost_of(usage, provider=call.provider, model=call.model, at=AT).amount


def theirs(call: Call) -> Callable[[], Decimal]:
    """Make what prices it with genai-prices, likewise."""
    usage = genai_prices.Usage(
        input_tokens=call.input + call.cached, cache_read_tokens=call.cached, output_tokens=call.output
    )
    return lambda: (
        genai_prices.calc_price(
            usage, model_ref=call.model, provider_id=call.provider, genai_request_timestamp=AT
        ).total_price
    )


def main() -> None:
    """Check that both agree, then print the table."""
    mine, other = [ours(call) for call in CALLS], [theirs(call) for call in CALLS]
    for call, one, two in zip(CALLS, mine, other, strict=True):
        if one() != two():
            raise SystemExit(f"not equal: {call}: {one()} and {two()}")
    variants = {
        "outlay cost_of": each(lambda: [price() for price in mine], 500),
        "genai-prices calc_price": each(lambda: [price() for price in other], 50),
    }
    show("Pricing four calls, CPU, equal results", take_turns(variants, 11), "outlay cost_of")


if __name__ == "__main__":
    main()
