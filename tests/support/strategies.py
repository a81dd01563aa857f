"""Hypothesis strategies for the values that stand between rooms."""

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import strategies as st

from outlay.core.cost import COST_STATUSES, Cost, CostLine, Price
from outlay.core.ids import uuid7
from outlay.core.money import multiply, total
from outlay.core.record import Record
from outlay.core.units import COUNT_UNITS, MAX_QUANTITY, TOKEN_UNITS
from outlay.core.usage import Usage, sort_terms

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
NAME = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
INSTANT = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - timezones= gives the zone
TOKENS = st.integers(0, MAX_QUANTITY)
RATE = st.decimals(0, 100_000, places=9).map(lambda rate: Decimal(rate).normalize() + 0)
MONEY = st.decimals(0, 10**9, places=18)
TERMS = st.dictionaries(NAME, NAME, max_size=3).map(sort_terms)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAME, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """A usage with any units and facts."""
    token_units = st.sampled_from(sorted(TOKEN_UNITS))
    other = TOKENS | st.decimals(0, 10**6, places=4).map(Decimal)
    counts: dict[str, int | Decimal] = {
        **draw(st.dictionaries(token_units, TOKENS, max_size=5)),
        **draw(st.dictionaries(st.sampled_from(COUNT_UNITS), other, max_size=2)),
    }
    return Usage.of(
        counts,
        flags=tuple(sorted(draw(st.sets(NAME, max_size=2)))),
        reason=draw(st.none() | NAME),
        model=draw(st.none() | NAME),
        response_id=draw(st.none() | NAME),
        terms=draw(TERMS),
        context_tokens=draw(st.none() | TOKENS),
        reported_cost=draw(st.none() | MONEY),
        reported_currency=draw(st.sampled_from(["USD", "EUR", "CNY"])),
        raw=draw(st.none() | st.dictionaries(NAME, JSON, min_size=1, max_size=3)),
    )


@st.composite
def lines(draw: st.DrawFn) -> CostLine:
    """A line whose amount is what it says."""
    quantity, rate = draw(TOKENS), draw(RATE)
    per = draw(st.sampled_from([1, 1000, 1_000_000]))
    return CostLine(
        unit=draw(st.sampled_from(sorted(TOKEN_UNITS))),
        quantity=quantity,
        rate=rate,
        per=per,
        amount=multiply(quantity, rate, per),
        note=draw(st.none() | NAME),
        model=draw(st.none() | NAME),
    )


@st.composite
def costs(draw: st.DrawFn) -> Cost:
    """A cost made of lines that add up."""
    made = tuple(draw(st.lists(lines(), max_size=4)))
    status = draw(st.sampled_from(COST_STATUSES))
    price = st.builds(
        Price, source=NAME, effective_from=st.none() | INSTANT, version=NAME, extrapolated=st.booleans()
    )
    return Cost(
        amount=None if status == "unpriced" else total(line.amount for line in made),
        status=status,
        currency=draw(st.sampled_from(["USD", "EUR"])),
        lines=made,
        price=draw(st.none() | price),
        reason=draw(st.none() | NAME),
        flags=tuple(sorted(draw(st.sets(NAME, max_size=2)))),
        computed=draw(st.none() | MONEY),
    )


@st.composite
def records(draw: st.DrawFn) -> Record:
    """A record with any of its fields."""
    at = draw(INSTANT)
    name = st.none() | NAME
    duration = st.none() | st.floats(0, 10**7, allow_nan=False)
    return Record(
        id=uuid7(at, draw(st.binary(min_size=10, max_size=10))),
        at=at,
        provider=draw(NAME),
        model=draw(name),
        usage=draw(usages()),
        charge=draw(costs()),
        model_requested=draw(name),
        operation=draw(NAME),
        api=draw(name),
        status=draw(st.sampled_from(["success", "error"])),
        error_type=draw(name),
        error=draw(name),
        latency_ms=draw(duration),
        time_to_first_token_ms=draw(duration),
        streamed=draw(st.booleans()),
        retries=draw(st.integers(0, 9)),
        user=draw(st.none() | TEXT),
        session=draw(name),
        query_type=draw(name),
        tags=draw(st.dictionaries(NAME, TEXT, max_size=3)),
        trace_id=draw(name),
        prompt_length=draw(st.none() | st.integers(0, 10**6)),
        quality_score=draw(st.none() | st.floats(-1, 1, allow_nan=False)),
        user_rating=draw(st.none() | st.floats(0, 5, allow_nan=False)),
        correct=draw(st.none() | st.booleans()),
        extra=draw(st.dictionaries(NAME, JSON, max_size=2)),
    )
