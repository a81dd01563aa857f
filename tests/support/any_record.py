"""Records with anything in them, and what must hold of a ledger that has taken them in."""

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from outlay.core.cost import COST_STATUSES, Cost, CostLine, Price
from outlay.core.ids import uuid7
from outlay.core.ports import Ledger
from outlay.core.query import DIMENSIONS, CallQuery, Filter, Query, Row
from outlay.core.record import Record, Revision, Score, Status
from outlay.core.units import COUNT_UNITS, TOKEN_UNITS
from outlay.core.usage import Usage, sort_terms
from outlay.ledger import MemoryLedger
from outlay.testing import NOON

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
MAYBE = st.none() | TEXT
FACT = st.none() | TEXT.filter(bool)  # an empty fact of a usage is an unknown one
FLOAT = st.floats(0, 1e9, allow_nan=False)
MONEY = st.decimals(-(10**6), 10**6, places=18)
_ENDS = (  # of the calendar, the first of which Go and .NET take for no time; of what zones and columns know
    *(datetime(1, 1, 1, tzinfo=UTC), datetime(999, 12, 31, 23, 59, tzinfo=UTC)),
    *(datetime(1899, 12, 31, 23, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, tzinfo=UTC)),
    *(datetime(2300, 7, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, tzinfo=UTC)),
)
AT = st.datetimes(
    datetime(2024, 1, 1),  # noqa: DTZ001  # bounds are naive
    datetime(2027, 1, 1),  # noqa: DTZ001  # likewise
    timezones=st.just(UTC),
) | st.sampled_from(_ENDS)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
COUNTS = st.dictionaries(
    st.sampled_from([*TOKEN_UNITS, *COUNT_UNITS]), st.integers(0, 10**12), max_size=4
) | st.fixed_dictionaries({"audio_seconds": st.decimals(0, 10**6, places=3)})
# Strategies are made once: making one takes longer than drawing from it.
_LINE = st.builds(
    CostLine,
    unit=TEXT,
    quantity=st.integers(0, 10**12) | st.decimals(0, 1000, places=3),
    rate=MONEY,
    per=st.sampled_from([1, 1000, 10**6]),
    amount=MONEY,
    note=MAYBE,
    model=MAYBE,
)
_PRICE = st.builds(
    Price, source=TEXT, effective_from=st.none() | AT, version=TEXT, extrapolated=st.booleans()
)
_LINES, _MAYBE_PRICE = st.lists(_LINE, max_size=2), st.none() | _PRICE
_MAYBE_MONEY, _MAYBE_FLOAT = st.none() | MONEY, st.none() | FLOAT
_MAYBE_SIZE, _MAYBE_LENGTH = st.none() | st.integers(1, 10**9), st.none() | st.integers(0, 10**9)
_FLAGS, _FLAG_SET = st.lists(TEXT, max_size=2), st.sets(TEXT, max_size=2)
_TERMS, _TAGS = st.dictionaries(TEXT, TEXT, max_size=2), st.dictionaries(TEXT, TEXT, max_size=3)
_RAW = st.none() | st.dictionaries(TEXT, JSON, min_size=1, max_size=3)
_EXTRA = st.dictionaries(TEXT, JSON, max_size=3)
_CURRENCY, _BOOLEAN = st.sampled_from(["USD", "EUR"]), st.booleans()
_STATE: st.SearchStrategy[Status] = st.sampled_from(("success", "error"))
_COST_STATE = st.sampled_from(COST_STATUSES)
_RETRIES, _ENTROPY, _MAYBE_BOOLEAN = (
    st.integers(0, 100),
    st.binary(min_size=10, max_size=10),
    st.none() | _BOOLEAN,
)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"])


@st.composite
def usages(draw: st.DrawFn, depth: int = 1) -> Usage:
    """Make a usage with every field."""
    return Usage.of(
        draw(COUNTS),
        flags=tuple(sorted(draw(_FLAG_SET))),
        reason=draw(FACT),
        model=draw(FACT),
        response_id=draw(FACT),
        terms=sort_terms(draw(_TERMS)),
        context_tokens=draw(_MAYBE_SIZE),
        reported_cost=draw(_MAYBE_MONEY),
        reported_currency=draw(_CURRENCY),
        parts=tuple(draw(_PARTS)) if depth else (),
        raw=draw(_RAW),
    )


_PARTS = st.lists(usages(0), max_size=2)


@st.composite
def charges(draw: st.DrawFn) -> Cost:
    """Make a cost with every field."""
    return Cost(
        amount=draw(_MAYBE_MONEY),
        status=draw(_COST_STATE),
        currency=draw(_CURRENCY),
        lines=tuple(draw(_LINES)),
        price=draw(_MAYBE_PRICE),
        reason=draw(MAYBE),
        flags=tuple(draw(_FLAGS)),
        computed=draw(_MAYBE_MONEY),
    )


_USAGE, _CHARGE = usages(), charges()


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Make a record with every field."""
    at = draw(AT)
    texts = (
        "model model_requested api error_type error user session query_type agent action workspace trace_id"
    )
    maybe: dict[str, Any] = {name: draw(MAYBE) for name in (*texts.split(), "span_id", "prompt", "reply")}
    return Record(
        id=uuid7(at, draw(_ENTROPY)),
        at=at,
        provider=draw(TEXT),
        usage=draw(_USAGE),
        charge=draw(_CHARGE),
        operation=draw(TEXT),
        status=draw(_STATE),
        latency_ms=draw(_MAYBE_FLOAT),
        time_to_first_token_ms=draw(_MAYBE_FLOAT),
        streamed=draw(_BOOLEAN),
        retries=draw(_RETRIES),
        tags=draw(_TAGS),
        prompt_length=draw(_MAYBE_LENGTH),
        quality_score=draw(_MAYBE_FLOAT),
        user_rating=draw(_MAYBE_FLOAT),
        correct=draw(_MAYBE_BOOLEAN),
        extra=draw(_EXTRA),
        **maybe,
    )


many = st.lists(records(), min_size=1, max_size=5, unique_by=lambda record: record.id)


def said_later(data: st.DataObject, records: list[Record]) -> list[Score | Revision]:
    """Judge some calls, and reckon the costs of some again, twice each."""
    said: list[Score | Revision] = []
    for record in records:
        if data.draw(st.integers(0, 3)) == 0:
            said.append(Score(record_id=record.id, at=NOON, quality_score=0.25, correct=True))
        if data.draw(st.integers(0, 3)) == 0:
            for hours in (1, 2):
                at, cost = NOON + timedelta(hours=hours), Cost(Decimal(hours), "priced")
                said.append(Revision(record_id=record.id, at=at, charge=cost))
    return said


def check_equal(ledger: Ledger, given_records: list[Record]) -> None:
    """Whatever a record holds comes back equal."""
    assert ledger.add(given_records) == len(given_records)
    found = {record.id: record for record in ledger.calls(CallQuery(limit=None))}
    assert found == {record.id: record for record in given_records}
    assert ledger.add(given_records) == 0
    assert ledger.conflicts() == 0


def alike(one: Row, other: Row) -> bool:
    """Whether two rows agree: exactly in all but latencies, which add up in another order."""
    return one.keys() == other.keys() and all(
        math.isclose(one[key], other[key], rel_tol=1e-9, abs_tol=1e-9)
        if isinstance(one[key], float)
        else one[key] == other[key]
        for key in one
    )


def check_answers(
    ledger: Ledger, given_records: list[Record], by: list[str], tz: str, data: st.DataObject
) -> None:
    """Every question is answered as plain Python answers it."""
    oracle = MemoryLedger()
    oracle.add(given_records)
    dimension = data.draw(st.sampled_from(DIMENSIONS))
    present = [row[dimension] for row in oracle.rows(Query(by=(dimension,), tz=tz)).rows]
    wanted: Filter = (dimension, tuple(data.draw(st.lists(st.sampled_from(present), max_size=2))))
    since, until = data.draw(st.none() | AT), data.draw(st.none() | AT)
    ledger.add(given_records)
    for question in (Query(tuple(by), tz=tz), Query(tuple(by), since, until, (wanted,), tz)):
        answer, expected = ledger.rows(question), oracle.rows(question)
        assert alike(answer.total, expected.total)
        assert len(answer.rows) == len(expected.rows)
        assert all(alike(*pair) for pair in zip(answer.rows, expected.rows, strict=True))
    for order in ("time", "cost", "latency"):
        query = CallQuery(order=order, where=(wanted,), tz=tz)
        assert list(ledger.calls(query)) == list(oracle.calls(query))
