"""What every ledger promises that answers SQL of one's own."""

# ruff: noqa: S101, PLR2004  # a contract speaks by assert, and expected numbers are its point

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from outlay.core.errors import QueryError
from outlay.core.ports import Ledger, Selecting
from outlay.core.query import Query, Selected
from outlay.core.record import Score
from outlay.testing.asking import call
from outlay.testing.clock import NOON
from outlay.testing.revisions import revision

_VIEW = (
    *(
        "id",
        "at",
        "provider",
        "model",
        "model_requested",
        "operation",
        "api",
        "status",
        "error_type",
        "error",
    ),
    *(
        "latency_ms",
        "time_to_first_token_ms",
        "streamed",
        "retries",
        "user",
        "session",
        "query_type",
        "agent",
    ),
    *("action", "workspace", "tags", "input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens"),
    *("reasoning_tokens", "cost", "currency", "cost_status", "prompt_length", "response_id", "trace_id"),
    *("span_id", "extra", "quality_score", "user_rating", "correct", "total_tokens", "extrapolated"),
)
_NO_QUESTION = (
    "DELETE FROM calls",
    "delete from calls where cost > 1",
    "DROP TABLE calls",
    "INSERT INTO calls SELECT * FROM calls",
    "UPDATE calls SET cost = 0",
    "/* all */ UPDATE calls SET cost = 0",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE scores",
)
_REFUSED = (
    "SELECT 1) AS answer; DROP TABLE scores; SELECT * FROM (SELECT 1",
    "SELECT 1) AS answer -- and no more",
    "SELECT no_such FROM calls",
    "SELECT 1 FROM no_such",
    "no SQL",
    "",
)


def select(ledger: Ledger, text: str) -> Selected:
    """Ask a ledger that answers SQL."""
    assert isinstance(ledger, Selecting)
    return ledger.select(text)


def rows(ledger: Ledger, text: str) -> list[tuple[Any, ...]]:
    """Ask, and give the rows with sums as plain integers and times without a zone."""
    return [tuple(_plain(value) for value in row) for row in select(ledger, text).rows]


def _plain(value: Any) -> Any:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def refused(ledger: Ledger, text: str) -> str:
    """Ask what is no question; give what the ledger says to that."""
    try:
        found = select(ledger, text)
    except QueryError as error:
        return str(error)
    raise AssertionError(f"{text!r} was answered: {found}")


def filled(ledger: Ledger) -> None:
    """Give it five calls, two of them revised and one of these judged twice, and a failed one."""
    some = [
        call(
            NOON - timedelta(days=n),
            model=model,
            user="ann" if n < 3 else None,
            latency_ms=100.0 * n,
            units={"input": 100 + n, "output": 10},
            tags={"team": "search"} if n == 0 else {},
        )
        for n, model in enumerate(("m0", "m0", "m1", "m1", "m1"))
    ]
    failed = call(model="m1", status="error", error_type="Timeout", cost=None)
    revised = [revision(some[0], "3", currency="EUR"), revision(some[1], "4", currency="EUR")]
    judged = [
        Score(record_id=some[0].id, at=NOON, quality_score=0.25, correct=False),
        Score(record_id=some[0].id, at=NOON + timedelta(days=1), quality_score=0.5, user_rating=4),
    ]
    ledger.add([*some, failed, *revised, *judged])


class SelectingContract:
    """SQL of one's own: one view, the newest of costs and scores, nothing changed."""

    def test_the_view_has_the_documented_columns(self, ledger: Ledger) -> None:
        """Of an empty ledger too."""
        assert select(ledger, "SELECT * FROM calls") == Selected(_VIEW, ())
        filled(ledger)
        answer = select(ledger, "SELECT * FROM calls")
        assert (answer.columns, len(answer.rows)) == (_VIEW, 6)

    def test_the_newest_costs_and_scores_are_seen(self, ledger: Ledger) -> None:
        """Exact, by currency, with what is unknown as None."""
        filled(ledger)
        answer = select(
            ledger,
            "SELECT currency, count(*) AS n, sum(cost) AS cost, max(quality_score) AS best FROM calls"
            " WHERE status = 'success' GROUP BY currency ORDER BY currency -- by currency\n;",
        )
        assert answer.columns == ("currency", "n", "cost", "best")
        assert answer.rows == (("EUR", 2, Decimal(7), 0.5), ("USD", 3, Decimal("0.3"), None))
        text = "SELECT cost, cost_status, user_rating, correct FROM calls WHERE model = 'm0' ORDER BY cost"
        assert rows(ledger, text) == [(3, "priced", 4, False), (4, "priced", None, None)]
        assert rows(ledger, "SELECT cost, error_type FROM calls WHERE status = 'error'") == [
            (None, "Timeout")
        ]

    def test_a_question_may_have_parts_and_an_order(self, ledger: Ledger) -> None:
        """Names before it, questions within it, a union, words that SQL has too, a question mark."""
        filled(ledger)
        text = """WITH dear AS (SELECT model, count(*) AS n FROM calls WHERE cost IS NOT NULL GROUP BY model)
            SELECT model, n, (SELECT count(*) FROM calls) AS every FROM dear ORDER BY n DESC"""
        assert rows(ledger, text) == [("m1", 3, 6), ("m0", 2, 6)]
        text = """SELECT model FROM calls WHERE model = 'm0'
            UNION ALL SELECT model FROM calls WHERE model = '?'"""
        assert rows(ledger, text) == [("m0",), ("m0",)]
        text = """SELECT "at", "user", total_tokens FROM calls
            WHERE status = 'success' ORDER BY "at" DESC LIMIT 3"""
        assert rows(ledger, text) == [
            (NOON.replace(tzinfo=None) - timedelta(days=n), "ann", 110 + n) for n in range(3)
        ]
        assert rows(ledger, "SELECT '%s {name} 100 %' AS told, '?' AS asked") == [("%s {name} 100 %", "?")]

    def test_nothing_can_be_changed_and_what_is_no_question_is_refused_in_one_line(
        self, ledger: Ledger
    ) -> None:
        """The ledger takes calls and answers afterwards, as before."""
        filled(ledger)
        before = ledger.rows(Query(by=("model",)))
        for text in _NO_QUESTION:
            assert refused(ledger, text) == "write one SELECT; nothing in the ledger can be changed by SQL"
        for text in _REFUSED:
            assert len(refused(ledger, text).splitlines()) == 1, text
        assert ledger.rows(Query(by=("model",))) == before
        assert ledger.add([call(model="m2")]) == 1
        assert rows(ledger, "SELECT count(*) AS n FROM calls") == [(7,)]
