"""What holds for every usage: lines add up exactly, order never matters, unknown is never zero."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st
from tests.support.books import book_of

from outlay.core.units import TOKEN_UNITS
from outlay.core.usage import Usage
from outlay.pricing import Book, cost_of

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
MODELS = st.sampled_from(
    [
        ("openai", "gpt-4o"),
        ("openai", "gpt-5.4"),
        ("anthropic", "claude-sonnet-4-5"),
        ("google", "gemini-2.5-pro"),
        ("deepseek", "deepseek-v4-pro"),
        ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("xai", "grok-4.3"),
        ("perplexity", "sonar"),
        (None, "gpt-99"),
        ("nobody", "anything"),
    ]
)
COUNTS = st.dictionaries(
    st.sampled_from([*TOKEN_UNITS, "web_search", "pages", "images", "x_search"]),
    st.integers(min_value=0, max_value=10**12),
    max_size=8,
)
TERMS = st.dictionaries(
    st.sampled_from(
        ["service_tier", "batch", "speed", "geo", "region", "size", "route", "strange", "month_input_tokens"]
    ),
    st.one_of(
        st.text(max_size=12),
        st.sampled_from(["batch", "flex", "priority", "us", "eu", "true", "fast", "redeemed"]),
    ),
    max_size=4,
)
INSTANTS = st.integers(0, 20 * 365 * 24 * 60).map(
    lambda minutes: datetime(2015, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@given(MODELS, COUNTS, TERMS, INSTANTS)
def test_lines_add_up_and_nothing_raises(
    model: tuple[str | None, str], counts: dict[str, int], terms: dict[str, str], at: datetime
) -> None:
    usage = Usage.of(counts, terms=tuple(sorted(terms.items())))
    cost = cost_of(usage, provider=model[0], model=model[1], at=at)
    if cost.amount is None:
        assert cost.status == "unpriced"
        assert cost.reason
        return
    assert cost.amount >= 0
    if "provisioned" not in cost.flags:
        assert sum((Fraction(line.amount) for line in cost.lines), Fraction(0)) == Fraction(cost.amount)
    for line in cost.lines:
        assert Fraction(line.amount) == Fraction(line.quantity) * Fraction(line.rate) / line.per


@given(
    st.permutations([("input", 7), ("cache_read", 11), ("output", 13), ("reasoning", 17), ("web_search", 2)])
)
def test_order_never_matters(items: list[tuple[str, int]]) -> None:
    expected = cost_of(Usage.of(sorted(items)), provider="openai", model="gpt-5.4", at=AT)
    assert cost_of(Usage.of(items), provider="openai", model="gpt-5.4", at=AT) == expected


@given(st.integers(0, 90_000), st.integers(0, 90_000))
def test_below_a_tier_two_calls_cost_what_one_does(one: int, other: int) -> None:
    def amount(tokens: int) -> Decimal:
        found = cost_of(Usage.of({"input": tokens}), provider="google", model="gemini-2.5-pro", at=AT).amount
        assert found is not None
        return found

    assert amount(one) + amount(other) == amount(one + other)


TIERED = """
[[model]]
provider = "acme"
model = "one"
[[model.price]]
rates = { input = "10", cache_read = "2", cache_write = "12", output = "30" }
kind = "KIND"
above = [
{ tokens = 1000, rates = { input = "20", cache_read = "4", cache_write = "24", output = "60" } },
{ tokens = 5000, at_least = true, rates = { input = "5", cache_read = "1", cache_write = "6", output = "9"}},
]
"""
MARGINAL, MONTH = (book_of(TIERED.replace("KIND", kind)) for kind in ("marginal", "month"))
MIXED = st.fixed_dictionaries(
    {unit: st.integers(0, 250) for unit in ("input", "cache_read", "cache_write", "output", "reasoning")}
)  # of two calls at most 1500 of input and 1000 of output


def charged(counts: dict[str, int], book: Book, seen: tuple[int, int] | None = None) -> Decimal:
    """Give what a usage costs on a book of acme's, where a month has seen so much of input and output."""
    said = {} if seen is None else {"month_input_tokens": str(seen[0]), "month_output_tokens": str(seen[1])}
    found = cost_of(Usage.of(counts), provider="acme", model="one", at=AT, book=book, **said).amount
    assert found is not None
    return found


def sides(counts: dict[str, int]) -> tuple[int, int]:
    usage = Usage.of(counts)
    return usage.input_tokens, usage.output_tokens


def both(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {unit: one[unit] + other[unit] for unit in one}


@given(MIXED, MIXED)
def test_a_call_below_the_first_marginal_tier_may_be_split(
    one: dict[str, int], other: dict[str, int]
) -> None:
    whole = both(one, other)
    assume(sides(whole)[0] <= 1000)  # of output there are never more
    assert charged(one, MARGINAL) + charged(other, MARGINAL) == charged(whole, MARGINAL)


@given(st.integers(1, 1000), st.integers(1, 1000))
def test_a_call_over_a_marginal_tier_costs_more_than_its_halves(one: int, other: int) -> None:
    """Each half begins at nothing again: only the whole has tokens above, each of which costs 10 more."""
    above = max(0, one + other - 1000)
    halves = charged({"input": one}, MARGINAL) + charged({"input": other}, MARGINAL)
    assert charged({"input": one + other}, MARGINAL) == halves + above * Decimal("0.00001")


@given(MIXED, MIXED, st.sampled_from([0, 1000, 2500, 4999, 10**9]), st.sampled_from([0, 1001, 3998, 4999]))
def test_a_call_within_one_monthly_tier_may_be_split(
    one: dict[str, int], other: dict[str, int], seen_input: int, seen_output: int
) -> None:
    seen = (seen_input, seen_output)
    (first_in, first_out), whole = sides(one), both(one, other)
    for before, more in zip(seen, sides(whole), strict=True):
        assume(not any(before < edge < before + more for edge in (1000, 4999)))  # the 5000th is above already
    then = (seen_input + first_in, seen_output + first_out)
    assert charged(one, MONTH, seen) + charged(other, MONTH, then) == charged(whole, MONTH, seen)


@given(st.sampled_from(["input", "cache_read", "output"]), st.lists(st.integers(0, 2000), max_size=6))
def test_a_month_of_one_unit_costs_the_same_however_it_is_cut(unit: str, calls: list[int]) -> None:
    """Across any number of tiers: the tokens lie one behind the other, whoever's call they are."""
    spent, seen = Decimal(0), 0
    for tokens in calls:
        spent += charged({unit: tokens}, MONTH, (seen, seen))
        seen += tokens
    assert spent == charged({unit: seen}, MONTH, (0, 0)) == charged({unit: seen}, MARGINAL)


FLAT = st.sampled_from(
    [
        ("openai", "gpt-4o"),
        ("anthropic", "claude-haiku-4-5"),
        ("deepseek", "deepseek-v4-pro"),
        ("bedrock", "us.anthropic.claude-haiku-4-5-20251001-v1:0"),
    ]
)
USED = st.fixed_dictionaries(
    {
        unit: st.integers(1, 10**6)
        for unit in ("input", "cache_read", "cache_write", "cache_write_1h", "output", "reasoning")
    }
)


@given(FLAT, USED, USED, st.sampled_from([{}, {"batch": "true"}, {"service_tier": "priority"}]))
def test_without_tiers_two_calls_cost_what_one_does(
    model: tuple[str, str], one: dict[str, int], other: dict[str, int], terms: dict[str, str]
) -> None:
    def amount(counts: dict[str, int]) -> Decimal:
        found = cost_of(counts, provider=model[0], model=model[1], at=AT, book=None, **terms).amount
        assert found is not None
        return found

    assert amount(one) + amount(other) == amount({unit: one[unit] + other[unit] for unit in one})


@given(COUNTS)
def test_the_unknown_is_never_zero(counts: dict[str, int]) -> None:
    cost = cost_of(Usage.of(counts), provider="openai", model="gpt-99", at=AT)
    assert (cost.amount, cost.status) == (None, "unpriced")


@given(st.integers(0, 3650))
def test_more_tokens_never_cost_less(days: int) -> None:
    at = AT - timedelta(days=days)
    amounts = [
        cost_of(Usage.of({"input": tokens}), provider="openai", model="gpt-4o", at=at).amount
        for tokens in (1, 10, 1000, 200_000, 200_001, 10**6)
    ]
    known = [amount for amount in amounts if amount is not None]
    assert known == sorted(known)
    assert len(known) == len(amounts)
