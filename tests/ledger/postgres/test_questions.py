"""A hundred questions of any kind to one ledger in PostgreSQL are answered as plain Python answers them."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import spending
from tests.support.any_record import ZONES, alike
from tests.support.postgres import empty

from outlay.core.query import DIMENSIONS, MORE_METRICS, Detail, Query, filters
from outlay.core.record import Entry, Score
from outlay.ledger import MemoryLedger, PostgresLedger
from outlay.testing.revisions import revision

RECORDS = spending.records(400, (*spending.MODELS, spending.EUROPEAN))
LATER: tuple[Entry, ...] = (
    *(revision(each, "1.25", hours=number, currency="EUR") for number, each in enumerate(RECORDS[::9])),
    *(revision(each, None, hours=99) for each in RECORDS[::27]),
    *(Score(record_id=each.id, at=each.at, correct=True, user_rating=2.0) for each in RECORDS[::5]),
)


@pytest.fixture(scope="module")
def held(server: str) -> Iterator[tuple[PostgresLedger, MemoryLedger]]:
    """Have the same calls, newer costs and judgements in both."""
    oracle = MemoryLedger()
    with empty(server) as url, closing(PostgresLedger(url)) as ledger:
        for each in (ledger, oracle):
            each.add(RECORDS)
            each.add(LATER)
        yield ledger, oracle


_AT = st.integers(-12, 24 * (spending.DAYS + 1)).map(
    lambda hours: spending.START + timedelta(hours=hours, minutes=30)
)
_NAMED: dict[str, list[Any]] = {
    name: [*sorted({getattr(each, name) for each in RECORDS} - {None})[:5], None]
    for name in ("provider", "model", "user", "session", "query_type", "status", "error_type", "currency")
}
_NAMED |= {"tag:feature": ["search", "mail", None], "cost_status": ["priced", "unpriced"]}


@st.composite
def questions(draw: st.DrawFn) -> Query:
    """Draw a question: dimensions, a period, up to two filters, a zone, further metrics, a detail."""
    wanted = draw(st.lists(st.sampled_from(sorted(_NAMED)), max_size=2, unique=True))
    where = {name: draw(st.lists(st.sampled_from(_NAMED[name]), min_size=1, max_size=3)) for name in wanted}
    return Query(
        by=tuple(draw(st.lists(st.sampled_from((*DIMENSIONS, "tag:feature")), max_size=3, unique=True))),
        since=draw(st.none() | _AT),
        until=draw(st.none() | _AT),
        where=filters(where),
        tz=draw(ZONES),
        metrics=tuple(draw(st.lists(st.sampled_from((*MORE_METRICS, "slow:2000")), max_size=5, unique=True))),
        detail=draw(st.sampled_from(get_args(Detail))),
    )


@settings(max_examples=100, deadline=None)
@given(questions())
def test_any_question_is_answered_as_by_plain_python(
    held: tuple[PostgresLedger, MemoryLedger], question: Query
) -> None:
    ledger, oracle = held
    answer, expected = ledger.rows(question), oracle.rows(question)
    assert alike(answer.total, expected.total)
    assert len(answer.rows) == len(expected.rows)
    assert all(alike(*pair) for pair in zip(answer.rows, expected.rows, strict=True))


@settings(max_examples=30, deadline=None)
@given(questions())
def test_lines_of_any_question_are_those_of_plain_python(
    held: tuple[PostgresLedger, MemoryLedger], question: Query
) -> None:
    ledger, oracle = held
    assert ledger.lines(question) == oracle.lines(question)
