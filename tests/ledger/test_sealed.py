"""Sums and sorted latencies that are there beforehand say what a look at every call says."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.any_record import alike
from tests.support.ledger_of_before import of_before

from outlay.core.keeping import Disagreement
from outlay.core.ports import Ledger
from outlay.core.query import CallQuery, Query, filters
from outlay.core.record import Record, Revision, Score
from outlay.ledger import DuckLedger, MemoryLedger, resealing, sealed, sealing, seals
from outlay.ledger.dialect import DUCKDB
from outlay.ledger.engine import Engine
from outlay.ledger.native import duckdb
from outlay.ledger.parts import percentiles
from outlay.testing import NOON, KeepingContract, LedgerContract, call
from outlay.testing.lines import line, lined

DAY = timedelta(days=1)
LATENCY = DUCKDB.percentiles.format(column="latency_ms")
METRICS = (
    *(
        "successful_calls",
        "cached_calls",
        "timed_calls",
        "min_latency_ms",
        "p90_latency_ms",
        "max_latency_ms",
    ),
    *("latency_histogram", "first_token_calls", "avg_first_token_ms", "p95_first_token_ms", "slow:20"),
    *("p50_first_token_ms", "p99_first_token_ms", "slow:7", "sessions", "extrapolated_calls"),
    *("output_tokens_per_second", "users", "error_cost", "unpriced_errors", "judged_calls", "correct_calls"),
    *("judged_cost", "unpriced_judged", "quality_scores", "avg_quality_score", "user_ratings"),
    "avg_user_rating",
)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seal every call before a question, in parts of three latencies, two at once."""
    monkeypatch.setattr(sealing, "STEP", 1)
    monkeypatch.setattr(sealing, "ALIKE", 0)
    monkeypatch.setattr(resealing, "ALIKE", 0)
    monkeypatch.setattr(sealing, "_AT_ONCE", 2)
    monkeypatch.setattr(seals, "_PART", 3)


@pytest.mark.usefixtures("at_once")
class TestSealedLedger(LedgerContract, KeepingContract):
    """The contract, kept where every call is sealed."""

    @pytest.fixture
    def ledger(self, tmp_path: Path) -> Iterator[Ledger]:
        with closing(DuckLedger(tmp_path)) as ledger:
            yield ledger


_NAMES = st.sampled_from(("day", "week", "month", "provider", "model", "operation", "status", "error_type"))
FLAGS = st.sampled_from(((), ("extrapolated",), ("rounded", "extrapolated"), ("rounded",)))
_AT = st.integers(0, 5 * 24 - 1).map(lambda hours: NOON + timedelta(hours=hours))
_MS = st.sampled_from((None, 0.0, 5.0, 12.5, 20.0, 30.25, 1e6)) | st.floats(0, 100_000)


@st.composite
def _calls(draw: st.DrawFn) -> Record:
    failed = draw(st.booleans())
    made = call(
        draw(_AT),
        cost=draw(st.sampled_from((None, "0", "0.1", "2.000000000000000001", "-3"))),
        currency=draw(st.sampled_from(("USD", "USD", "EUR"))),
        units=draw(st.sampled_from(({}, {"input": 7, "output": 3}, {"cache_read": 5, "reasoning": 2}))),
        provider=draw(st.sampled_from(("openai", "azure"))),
        model=draw(st.sampled_from(("m", "n", None))),
        user=draw(st.sampled_from(("u", "v", None))),
        status="error" if failed else "success",
        error_type=draw(st.sampled_from(("Timeout", None))) if failed else None,
        latency_ms=draw(_MS),
        time_to_first_token_ms=draw(_MS),
        correct=draw(st.sampled_from((True, False, None))),
        quality_score=draw(st.sampled_from((None, 0.25, 0.5))),
        user_rating=draw(st.sampled_from((None, 2.0, 5.0))),
    )
    return replace(made, charge=replace(made.charge, flags=draw(FLAGS)))


@st.composite
def _questions(draw: st.DrawFn) -> Query:
    since, until = draw(st.none() | _AT), draw(st.none() | _AT)
    wanted = draw(
        st.sampled_from((None, ("model", "m"), ("status", "error"), ("day", "2026-11-23"), ("user", "u")))
    )
    return Query(
        by=tuple(draw(st.lists(_NAMES, max_size=3, unique=True))),
        since=since,
        until=until,
        where=filters({wanted[0]: wanted[1]} if wanted else {}),
        tz=draw(st.sampled_from(("UTC", "UTC", "UTC", "Europe/Berlin"))),
        metrics=tuple(draw(st.lists(st.sampled_from(METRICS), unique=True))),
        detail=draw(st.sampled_from(("all", "sums", "counts"))),
    )


def _singles(question: Query) -> st.SearchStrategy[CallQuery]:
    """Ask for the first of the same calls, mostly for the slowest."""
    return st.builds(
        CallQuery,
        since=st.just(question.since),
        until=st.just(question.until),
        where=st.just(question.where),
        tz=st.just(question.tz),
        order=st.sampled_from(("latency", "latency", "cost", "time")),
        limit=st.integers(1, 12),
    )


def check_alike(ledger: Ledger, oracle: Ledger, question: Query) -> None:
    answer, expected = ledger.rows(question), oracle.rows(question)
    assert alike(answer.total, expected.total)
    assert len(answer.rows) == len(expected.rows)
    assert all(alike(*pair) for pair in zip(answer.rows, expected.rows, strict=True))


def _counts(ledger: Ledger, question: Query) -> list[tuple[Any, ...]]:
    return [
        (row["model"], row["calls"], row["errors"], row["unpriced_calls"])
        for row in ledger.rows(question).rows
    ]


@settings(max_examples=10)
@given(st.lists(_calls(), min_size=1, max_size=30), st.data())
def test_a_question_over_sealed_and_other_calls_is_answered_as_plain_python_does(
    given_calls: list[Record], data: st.DataObject
) -> None:
    oracle = MemoryLedger()
    oracle.add(given_calls)
    part = data.draw(st.integers(1, len(given_calls)))
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for module, name, value in (
            *(
                (sealing, "STEP", part),
                (sealing, "ALIKE", 0),
                (resealing, "ALIKE", 0),
                (sealing, "_AT_ONCE", 4),
            ),
            (seals, "_PART", data.draw(st.integers(1, 4))),
        ):
            patch.setattr(module, name, value)
        with closing(DuckLedger(Path(folder))) as ledger:
            ledger.add(given_calls[:part])
            ledger.conflicts()  # any question seals
            ledger.add(given_calls[part:])
            patch.setattr(sealing, "STEP", 1_000)
            for question in data.draw(st.lists(_questions(), min_size=4, max_size=4)):
                check_alike(ledger, oracle, question)
                single = data.draw(_singles(question))
                assert list(ledger.calls(single)) == list(oracle.calls(single))
            counts = Query(by=("model",), where=filters({"cost_status": "unpriced"}), detail="counts")
            assert _counts(ledger, counts) == _counts(oracle, counts)
            assert ledger.verify() == ()


class _Latencies:
    """Calls with latencies alone, of which some are sealed."""

    dialect = DUCKDB

    def __init__(self) -> None:
        self.database: Any = duckdb.connect()

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return list(self.database.execute(sql, list(parameters)).fetchall())

    def hold(self, rows: Sequence[tuple[datetime, str | None, float | None]], upto: int) -> None:
        days, models, values = zip(*rows, strict=True)
        self.all(
            """CREATE OR REPLACE TEMP TABLE calls AS
            SELECT unnest(CAST(? AS TIMESTAMP[])) AS "at", 'p' AS provider,
                unnest(CAST(? AS VARCHAR[])) AS model, unnest(CAST(? AS DOUBLE[])) AS latency_ms,
                NULL AS operation, NULL AS status, NULL AS error_type, NULL AS currency, NULL AS cost_status,
                0 AS cost, 0 AS input_tokens, 0 AS cached_tokens, 0 AS cache_write_tokens,
                0 AS output_tokens, 0 AS reasoning_tokens, NULL AS time_to_first_token_ms, NULL AS cost_flags,
                TRUE AS correct, 0 AS quality_score, 0 AS user_rating""",
            [list(days), list(models), list(values)],
        )
        old = f"(SELECT * FROM calls WHERE rowid < {upto}) AS calls"  # noqa: S608  # a number
        day = """date_trunc('day', min(calls."at"))"""
        latencies = seals.sorted_of(old, day, "latency_ms")
        self.all(f"CREATE OR REPLACE TEMP TABLE sealed_latencies AS {latencies}")
        self.all(
            f"""CREATE OR REPLACE TEMP TABLE seals AS SELECT {upto} AS upto, 0 AS again, 0 AS revisions,
            0 AS scores, 0 AS lines, 0 AS lined, NULL AS lines_since, 0 AS lines_again"""
        )
        for table in ("revisions", "scores"):
            self.all(f"CREATE OR REPLACE TEMP TABLE {table} (record_id UUID)")


@pytest.fixture(scope="module")
def latencies() -> Iterator[_Latencies]:
    held = _Latencies()
    with closing(held.database):
        yield held


@settings(max_examples=60)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([datetime(2026, 11, day, 12) for day in (1, 2, 3)]),  # noqa: DTZ001  # as columns are
            st.sampled_from(("m", "n", None)),
            _MS | st.just(float("inf")),
        ),
        min_size=1,
        max_size=150,
    ),
    upto=st.integers(1, 150),
    part=st.integers(1, 9),
    by=st.sampled_from(((), ("model",), ("day",), ("day", "model"))),
)
def test_percentiles_of_parts_are_those_of_all_values(
    latencies: _Latencies,
    rows: list[tuple[datetime, str | None, float | None]],
    upto: int,
    part: int,
    by: tuple[str, ...],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seals, "_PART", part)
        latencies.hold(rows, upto)
        question = Query(by=by)
        dialect = sealed.sealing(latencies, question, DUCKDB, DUCKDB)
        found = percentiles(latencies, question, dialect, "latency_ms")
    keys = [{"day": """date_trunc('day', "at")"""}.get(name, name) for name in by]
    asked = f"SELECT {''.join(f'{key}, ' for key in keys)} {LATENCY} FROM calls"  # noqa: S608  # our own names
    group = f" GROUP BY {', '.join(keys)}" if keys else ""
    whole = latencies.all(f"{asked} WHERE latency_ms IS NOT NULL{group}")
    assert found == {tuple(key): pytest.approx(values, rel=1e-12) for *key, values in whole if values}


def _sealed(folder: Path) -> tuple[int, ...]:
    """Tell the seal, and how many calls and latencies stand under it."""
    engine = Engine(folder)
    with closing(engine), engine.attached():
        return engine.all(
            """SELECT coalesce(max(upto), 0), coalesce(max(again), 0),
            (SELECT coalesce(sum(calls), 0) FROM sealed_sums),
            (SELECT coalesce(sum(n), 0) FROM sealed_latencies) FROM seals"""
        )[0]


@pytest.mark.usefixtures("at_once")
def test_what_is_pruned_is_in_no_seal_and_what_is_left_stays_sealed(tmp_path: Path) -> None:
    old, new = call(NOON - 10 * DAY, latency_ms=1.0), call(latency_ms=2.0)
    with closing(DuckLedger(tmp_path)) as ledger:
        ledger.add([old, new])
        assert ledger.rows(Query(by=("model",))).total["calls"] == 2
    assert _sealed(tmp_path) == (2, 0, 2, 2)
    with closing(DuckLedger(tmp_path)) as ledger:
        ledger.prune(NOON)
    assert _sealed(tmp_path) == (1, 0, 1, 1)
    with closing(DuckLedger(tmp_path)) as ledger:
        assert ledger.rows(Query(since=NOON)).total["p50_latency_ms"] == 2.0
        ledger.compact()
        assert ledger.rows(Query(since=NOON)).total["p50_latency_ms"] == 2.0
        assert ledger.verify() == ()
    assert _sealed(tmp_path) == (1, 0, 1, 1)


@pytest.mark.usefixtures("at_once")
def test_a_cost_and_a_judgement_that_come_later_count(tmp_path: Path) -> None:
    first, second = call(cost="1", latency_ms=1.0), call(cost="2", correct=False)
    wrong, later = call(cost="0", correct=False), call(cost="0", latency_ms=7.0)
    with closing(DuckLedger(tmp_path)) as ledger, closing(MemoryLedger()) as oracle:
        for each in (ledger, oracle):
            each.add([first, second, wrong])
            assert each.rows(Query()).total["cost"] == 3  # which seals
            each.add([Score(record_id=second.id, at=NOON, correct=True)])
        question = Query(by=("model",), metrics=("correct_calls", "judged_cost"))
        for since in (None, NOON):  # all of a day that is sealed, and a part of it
            assert ledger.rows(replace(question, since=since)).total["correct_calls"] == 1
            check_alike(ledger, oracle, replace(question, since=since))
        dearer = replace(first.charge, amount=first.charge.amount and first.charge.amount * 5)
        for each in (ledger, oracle):
            each.add([Revision(record_id=first.id, at=NOON + DAY, charge=dearer)])
        assert ledger.rows(question).total["cost"] == 7
        check_alike(ledger, oracle, question)
        for each in (ledger, oracle):
            each.add([later])  # of the same day, and sealed by itself
        check_alike(ledger, oracle, replace(question, metrics=("max_latency_ms",)))
        check_alike(ledger, oracle, Query(until=NOON))  # within the day that is sealed
        slow = CallQuery(where=filters({"status": "success"}), order="latency", limit=1)
        assert list(ledger.calls(slow)) == list(oracle.calls(slow))  # of a kind by which no latency is sorted
        assert ledger.verify() == ()


def test_calls_of_too_many_kinds_are_not_sealed_until_there_are_twice_as_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "STEP", 5)
    with closing(DuckLedger(tmp_path)) as ledger:
        ledger.add([call(model=f"m{number}") for number in range(5)])
        assert ledger.rows(Query()).total["calls"] == 5
    assert _sealed(tmp_path) == (0, 10, 0, 0)
    with closing(DuckLedger(tmp_path)) as ledger:
        ledger.add([call(model="m1", latency_ms=1.0) for _ in range(60)])
        assert ledger.rows(Query()).total["calls"] == 65
    assert _sealed(tmp_path) == (65, 0, 65, 60)


@pytest.mark.usefixtures("at_once")
def test_a_long_backlog_is_sealed_over_several_questions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "_MOST", 3)
    calls = [
        call(NOON + timedelta(days=number % 2), latency_ms=float(number), cost="1") for number in range(7)
    ]
    for sealed_below in (3, 6, 7):
        with closing(DuckLedger(tmp_path)) as ledger:
            if sealed_below == 3:
                ledger.add(calls)
            total = ledger.rows(Query(by=("day",))).total
        assert (total["calls"], total["cost"], total["p50_latency_ms"]) == (7, 7, 3.0)
        assert _sealed(tmp_path)[0] == sealed_below


def test_where_most_calls_are_not_sealed_all_are_looked_at(
    latencies: _Latencies, monkeypatch: pytest.MonkeyPatch
) -> None:
    latencies.hold([(datetime(2026, 11, 22), "m", float(each)) for each in range(9)], 4)  # noqa: DTZ001  # likewise
    monkeypatch.setattr(sealed, "_FEW", 5)
    assert sealed.sealing(latencies, Query(), DUCKDB, DUCKDB).sealed is not None
    monkeypatch.setattr(sealed, "_FEW", 4)
    assert sealed.sealing(latencies, Query(), DUCKDB, DUCKDB) is DUCKDB


def test_an_engine_that_cannot_seal_answers_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: None
) -> None:
    run = Engine.run

    def full(self: Engine, sql: str, parameters: Sequence[Any] = ()) -> None:
        if "INSERT INTO sealed_latencies" in sql:
            raise duckdb.IOException("no space left on device")
        run(self, sql, parameters)

    monkeypatch.setattr(Engine, "run", full)
    with closing(DuckLedger(tmp_path)) as ledger:
        ledger.add([call(latency_ms=3.0)])
        assert ledger.rows(Query()).total["p99_latency_ms"] == 3.0
    assert _sealed(tmp_path) == (0, 0, 0, 0)


Spoil = Callable[[Engine], None]


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE sealed_sums SET cost = cost + 1", {"sealed sums"}),
        ("DELETE FROM sealed_sums", {"sealed sums"}),
        ("UPDATE sealed_latencies SET latencies = [2.5] WHERE n = 1", {"sealed latencies"}),
        ("DELETE FROM sealed_latencies", {"sealed latencies"}),
        ("UPDATE sealed_sums SET extrapolated = 1", {"sealed sums"}),
        ("UPDATE sealed_first_tokens SET latencies = [2.5] WHERE n = 1", {"sealed first tokens"}),
    ],
)
def test_verify_says_where_a_seal_is_not_what_its_calls_are(
    tmp_path: Path, statement: str, told: set[str]
) -> None:
    with closing(DuckLedger(tmp_path)) as ledger:
        ledger.add([call(latency_ms=float(n), time_to_first_token_ms=n / 2) for n in range(4)])
        assert ledger.verify() == ()
    engine = Engine(tmp_path)
    with closing(engine), engine.attached():
        engine.run(statement)
    with closing(DuckLedger(tmp_path)) as ledger:
        assert {each.where for each in ledger.verify()} == told


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("sums", "* REPLACE ('azure' AS provider)"),
        ("latencies", "* REPLACE (TIMESTAMP '2026-01-01' AS \"at\")"),
        ("first_tokens", "* REPLACE ('azure' AS provider)"),
        ("lines", "* REPLACE ('output' AS unit)"),
    ],
)
def test_verify_says_what_a_seal_holds_of_no_calls(tmp_path: Path, name: str, made: str) -> None:
    """All of the calls is there, and one row more."""
    with closing(DuckLedger(tmp_path)) as ledger:
        ledger.add([replace(lined(line("input", 10, "2.5")), latency_ms=2.0, time_to_first_token_ms=1.0)])
        assert (len(ledger.lines(Query())), ledger.verify()) == (1, ())
        with ledger._turn() as engine:  # to spoil what nobody else may
            engine.run(f"INSERT INTO sealed_{name} SELECT {made} FROM sealed_{name}")  # noqa: S608  # our own names
        expected = Disagreement(f"sealed {name.replace('_', ' ')}", "days and kinds of no calls", "0", "1")
        assert ledger.verify() == (expected,)


@pytest.mark.usefixtures("at_once")
def test_a_call_of_the_last_day_that_there_is_is_sealed_as_others(tmp_path: Path) -> None:
    last = datetime(9999, 12, 31, 12, tzinfo=UTC)
    with closing(DuckLedger(tmp_path)) as ledger:
        ledger.add([call(latency_ms=2.0), call(last, latency_ms=5.0)])
        total = ledger.rows(Query()).total
        assert (total["calls"], total["p50_latency_ms"], ledger.verify()) == (2, 3.5, ())


@pytest.mark.usefixtures("at_once")
def test_a_ledger_of_before_is_sealed_by_its_first_question(tmp_path: Path) -> None:
    of_before(tmp_path, have=5)
    with closing(DuckLedger(tmp_path)) as ledger:
        total = ledger.rows(Query(by=("day",))).total
        assert (total["calls"], total["cost"], total["input_tokens"]) == (3000, 1500, 3000 * 2999 // 2)
        assert ledger.verify() == ()
    assert _sealed(tmp_path) == (3000, 0, 3000, 0)


@pytest.mark.usefixtures("at_once")
def test_a_seal_of_before_is_made_again_with_what_it_lacked(tmp_path: Path) -> None:
    """Its rows are wrong here, so that whoever took them would say so."""
    of_before(tmp_path, have=7, calls=30)
    with duckdb.connect(str(tmp_path / "ledger.duckdb")) as old:
        old.execute("UPDATE calls SET time_to_first_token_ms = input_tokens, latency_ms = 2 * input_tokens")
        old.execute("""UPDATE calls SET cost_flags = '["extrapolated"]' WHERE input_tokens < 7""")
        old.execute("INSERT INTO seals (upto, again, lines) VALUES (30, 0, 30)")
        old.execute(
            """INSERT INTO sealed_latencies
            VALUES (TIMESTAMP '2026-11-22', 'openai', NULL, 1, 9.5, 9.5, [9.5])"""
        )
    with closing(DuckLedger(tmp_path)) as ledger:
        asked = Query(("provider",), metrics=("p50_first_token_ms", "extrapolated_calls"))
        total = ledger.rows(asked).total
        assert (total["calls"], total["p50_latency_ms"], total["p50_first_token_ms"]) == (30, 29.0, 14.5)
        assert total["extrapolated_calls"] == 7
        assert [each.latency_ms for each in ledger.calls(CallQuery(order="latency", limit=2))] == [58, 56]
        assert ledger.verify() == ()
    assert _sealed(tmp_path) == (30, 0, 30, 30)


def test_a_period_within_one_day_has_no_whole_day_to_take(latencies: _Latencies) -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    latencies.hold([(noon, "m", 1.0)], 1)
    asked = Query(since=noon, until=noon + timedelta(hours=3))
    assert sealed.sealing(latencies, asked, DUCKDB, DUCKDB) is DUCKDB
    last = datetime(9999, 12, 31, 12, tzinfo=UTC)
    assert sealed.sealing(latencies, Query(since=last), DUCKDB, DUCKDB) is DUCKDB
    assert sealed.sealing(latencies, Query(by=("hour",)), DUCKDB, DUCKDB) is DUCKDB
    assert sealed.sealing(latencies, Query(by=("day",), tz="Asia/Kathmandu"), DUCKDB, DUCKDB) is DUCKDB
