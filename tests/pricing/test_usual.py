"""The usual cost, made in one go: the very one that the whole way makes, or left to the whole way."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.books import NOW, book_of

from outlay.core.cost import Cost
from outlay.core.units import TOKEN_UNITS
from outlay.core.usage import Usage
from outlay.pricing import RateCard, charge, cost_of
from outlay.pricing.usual import usual_cost

MINE = """
[[model]]
provider = "acme"
model = "flat"
price = [{ rates = { input = "1", cache_read = "0.1", output = "4" } }]

[[model]]
provider = "acme"
model = "given-away"
price = [{ rates = { input = "0", output = "0" } }]

[[model]]
provider = "acme"
model = "by-size"
[[model.price]]
rates = { input = "1", output = "4" }
above = [{ tokens = 1000, rates = { input = "2", output = "8" } }]

[[model]]
provider = "acme"
model = "from-a-size"
[[model.price]]
rates = { input = "1", output = "4" }
above = [{ tokens = 1000, at_least = true, rates = { input = "2", output = "8" } }]

[[model]]
provider = "acme"
model = "by-part"
[[model.price]]
kind = "marginal"
rates = { input = "1", output = "4" }
above = [{ tokens = 1000, rates = { input = "2", output = "8" } }]

[[model]]
provider = "acme"
model = "by-month"
[[model.price]]
kind = "month"
rates = { input = "1", output = "4" }
above = [{ tokens = 1000, rates = { input = "2", output = "8" } }]

[[model]]
provider = "acme"
model = "by-call"
price = [{ rates = { input = "1", output = "4", requests = "5" } }]

[[model]]
provider = "acme"
model = "dear"
price = [{ rates = { input = "1E+1", output = "3.0E+1" } }]
"""
BOOK = book_of(MINE)
OURS = [
    ("acme", name)
    for name in (
        *("flat", "given-away", "by-size", "from-a-size", "by-part", "by-month", "by-call", "dear", "none"),
    )
]
THEIRS = [
    *(("openai", "gpt-4o"), ("openai", "gpt-5.4"), ("anthropic", "claude-sonnet-4-5")),
    *(("google", "gemini-2.5-pro"), ("deepseek", "deepseek-v4-pro"), ("perplexity", "sonar")),
    *(("groq", "whisper-large-v3"), ("google", "gemini-3-pro-preview")),
    *(("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"), ("openrouter", "z-ai/glm-4.6:free")),
    *(("azure", "gpt-4o"), ("xai", "grok-4.3")),
]
COUNTS = st.one_of(st.integers(0, 2000), st.integers(0, 10**12))
TOKENS = st.sampled_from(["input", "cache_read", "output", "reasoning", *TOKEN_UNITS])
TERMS = st.dictionaries(
    st.sampled_from(["service_tier", "batch", "region", "month_input_tokens", "provisioned"]),
    st.sampled_from(["batch", "flex", "priority", "us", "true", "1200", "ptu", "provisioned"]),
    max_size=2,
)


@st.composite
def a_usage(draw: st.DrawFn) -> Usage:
    """Make a usage of which most are tokens alone."""
    counts = draw(st.dictionaries(TOKENS, COUNTS, max_size=4))
    if draw(st.integers(0, 4)) == 0:
        counts[draw(st.sampled_from(["web_search", "images", "audio_seconds"]))] = draw(st.integers(0, 5))
    odd = draw(st.integers(0, 4)) == 0
    return Usage.of(
        counts,
        terms=tuple(sorted(draw(TERMS).items())),
        flags=draw(st.sampled_from([("summed_calls",), ("error",), ("partial",)])) if odd else (),
        reason="because" if odd and draw(st.booleans()) else None,
        context_tokens=draw(st.integers(0, 3000)) if odd else None,
        reported_cost=draw(st.none() | st.decimals(0, 1, places=5)) if odd else None,
    )


def both_ways(usage: Usage, provider: str, model: str, at: datetime) -> tuple[Cost, Cost]:
    """Price a usage as it is priced, and with no usual cost."""
    cost = cost_of(usage, provider=provider, model=model, at=at, book=BOOK)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(charge, "usual_cost", lambda *_: None)
        return cost, cost_of(usage, provider=provider, model=model, at=at, book=BOOK)


@given(a_usage(), st.sampled_from([*OURS, *THEIRS]), st.integers(-4000, 200))
@example(Usage.of({"input": 999}), ("acme", "by-size"), 0)
@example(Usage.of({"input": 999, "output": 1}), ("acme", "by-size"), 0)
@example(Usage.of({"input": 1000}), ("acme", "from-a-size"), 0)
@example(Usage.of({"input": 1001}), ("acme", "by-size"), 0)
@example(Usage.of({"input": 10, "output": 3}), ("acme", "dear"), 0)
@example(Usage.of({"input": 10}, context_tokens=1001), ("acme", "by-size"), 0)
def test_a_cost_is_the_same_in_one_go_and_the_whole_way(
    usage: Usage, named: tuple[str, str], hours: int
) -> None:
    cost, whole = both_ways(usage, *named, NOW + timedelta(hours=hours))
    assert cost == whole
    assert repr(cost) == repr(whole)  # every zero of every amount, too


@pytest.mark.parametrize(
    ("model", "counts", "usual"),
    [
        ("flat", {"input": 5, "cache_read": 2, "output": 1}, True),
        ("given-away", {"input": 5}, True),
        ("by-size", {"input": 900, "output": 99}, True),
        ("by-size", {"input": 900, "output": 100}, False),  # may be above, and is looked at
        ("by-part", {"input": 5}, False),
        ("by-month", {"input": 5}, False),
        ("by-call", {"input": 5}, False),
        ("flat", {"input": 5, "cache_write": 1}, False),  # an assumed rate
        ("flat", {"input": 5, "web_search": 1}, False),
        ("flat", {}, False),
    ],
)
def test_what_more_than_rates_may_decide_goes_the_whole_way(
    model: str, counts: dict[str, int], usual: object
) -> None:
    card = BOOK.resolve("acme", model, NOW)
    assert isinstance(card, RateCard)
    assert (usual_cost(Usage.of(counts), card, None) is not None) is usual


def test_most_listed_models_have_a_usual_cost() -> None:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    for provider, model in THEIRS:
        card = BOOK.resolve(provider, model, at)
        assert isinstance(card, RateCard), model
        usual = usual_cost(Usage.of({"input": 500, "output": 20}), card, None) is not None
        assert usual is (model not in {"sonar", "whisper-large-v3"}), (
            model
        )  # a fee for the request, or no tokens
