"""Seals stay true when costs and judgements come later, days are pruned, or somebody is killed meanwhile."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.any_record import alike

from outlay.core.ports import Ledger
from outlay.core.query import CallQuery, Query, filters
from outlay.core.record import Record, Revision, Score
from outlay.ledger import DuckLedger, MemoryLedger, resealing, sealed, sealing, seals
from outlay.ledger.engine import Engine
from outlay.ledger.ingest import add
from outlay.ledger.native import duckdb
from outlay.ledger.retention import prune
from outlay.ledger.seal_proof import check
from outlay.testing import NOON, call
from outlay.testing.lines import line, lined
from outlay.testing.revisions import revision

DAY = timedelta(days=1)
METRICS = (
    *("users", "slow:20", "latency_histogram", "min_latency_ms", "error_cost", "unpriced_errors"),
    *("judged_calls", "correct_calls", "judged_cost", "quality_scores", "avg_quality_score"),
    "extrapolated_calls",
)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seal every call before a question."""
    for module, name, value in (
        *((sealing, "STEP", 1), (sealing, "ALIKE", 0), (resealing, "ALIKE", 0)),
        (seals, "_PART", 3),
    ):
        monkeypatch.setattr(module, name, value)


_AT = st.integers(0, 5 * 24 - 1).map(lambda hours: NOON + timedelta(hours=hours))
_LATER = st.tuples(
    st.integers(0, 99),  # which call
    st.sampled_from((None, "0.5", "7")),  # the newer cost
    st.sampled_from(("USD", "EUR")),
    st.sampled_from((None, True, False)),  # the newer judgement
    st.sampled_from((None, 0.25, 1.0)),
)


@st.composite
def _calls(draw: st.DrawFn) -> Record:
    fields: dict[str, Any] = {
        "at": draw(_AT),
        "model": draw(st.sampled_from(("m", "n", None))),
        "user": draw(st.sampled_from(("u", None))),
        "status": draw(st.sampled_from(("success", "success", "error"))),
        "latency_ms": draw(st.sampled_from((None, 5.0, 20.0, 30.25))),
        "correct": draw(st.sampled_from((None, True, False))),
        "quality_score": draw(st.sampled_from((None, 0.5))),
    }
    if draw(st.booleans()):
        rate = draw(st.sampled_from(("2.5", "3")))
        lines = (line("input", 10, rate), line("cache_read", 4, "0.25"), line("output", 3, "10"))
        return lined(*lines[: draw(st.integers(1, 3))], **fields)
    made = call(cost=draw(st.sampled_from((None, "0.1", "2.000000000000000001"))), **fields)
    flags = ("extrapolated",) if draw(st.booleans()) else ()
    return replace(made, charge=replace(made.charge, flags=flags))


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(("add", "add", "add", "prune")),
        _AT,
        st.lists(_calls(), max_size=4),
        st.lists(_LATER, max_size=4),
    ),
    min_size=1,
    max_size=4,
)


@st.composite
def _questions(draw: st.DrawFn) -> Query:
    names = ("day", "week", "provider", "model", "status", "currency", "cost_status")
    wanted = draw(st.sampled_from((None, ("model", "m"), ("cost_status", "priced"), ("user", "u"))))
    return Query(
        by=tuple(draw(st.lists(st.sampled_from(names), max_size=2, unique=True))),
        since=draw(st.none() | _AT),
        until=draw(st.none() | _AT),
        where=filters({wanted[0]: wanted[1]} if wanted else {}),
        metrics=tuple(draw(st.lists(st.sampled_from(METRICS), unique=True))),
        detail=draw(st.sampled_from(("all", "sums", "counts"))),
    )


def _check(ledger: Ledger, oracle: Ledger, question: Query) -> None:
    answer, expected = ledger.rows(question), oracle.rows(question)
    assert alike(answer.total, expected.total)
    assert len(answer.rows) == len(expected.rows)
    assert all(alike(*pair) for pair in zip(answer.rows, expected.rows, strict=True))
    assert answer.rolled == expected.rolled
    assert ledger.lines(question) == oracle.lines(question)
    slowest = CallQuery(question.since, question.until, question.where, order="latency", limit=4)
    assert list(ledger.calls(slowest)) == list(oracle.calls(slowest))


def _entries(records: list[Record], news: list[Any], hour: int) -> Iterator[Any]:
    for which, cost, currency, correct, quality in news:
        record = records[which % len(records)]
        yield revision(record, cost, hours=hour, currency=currency)
        if (correct, quality) != (None, None):
            yield Score(record_id=record.id, at=NOON + DAY * hour, correct=correct, quality_score=quality)


@settings(max_examples=8)
@given(
    given_calls=st.lists(_calls(), min_size=1, max_size=20),
    steps=_STEPS,
    questions=st.lists(_questions(), min_size=5, max_size=5),
    part=st.integers(1, 20),
    few=st.sampled_from((2, 1_000)),
)
def test_what_came_later_counts_and_what_was_pruned_stays_in_totals(
    given_calls: list[Record], steps: list[Any], questions: list[Query], part: int, few: int
) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for module, name, value in (
            *((sealing, "STEP", part), (sealing, "ALIKE", 0), (resealing, "ALIKE", 0)),
            *((seals, "_PART", 3), (sealed, "_FEW", few), (resealing, "_AT_ONCE", part)),
        ):
            patch.setattr(module, name, value)
        oracle = MemoryLedger()
        with closing(DuckLedger(Path(folder))) as ledger:
            held: tuple[Any, ...] = (ledger, oracle)
            for each in held:
                each.add(given_calls)
            _check(ledger, oracle, questions[0])
            calls = list(given_calls)
            for number, (what, at, more, news) in enumerate(steps, 1):
                calls += more
                entries = [*more, *_entries(calls, news, number)]
                for each in held:
                    each.prune(at) if what == "prune" else each.add(entries)
                _check(ledger, oracle, questions[number])
            assert ledger.verify() == ()
            for question in questions:
                _check(ledger, oracle, question)


def _mark(folder: Path) -> tuple[Any, ...]:
    """Tell of how many calls, later costs and judgements sums are, and lines of how many calls and costs."""
    engine = Engine(folder)
    with closing(engine), engine.attached():
        return engine.all("SELECT upto, revisions, scores, lines, lined FROM seals")[0]


@pytest.mark.usefixtures("at_once")
def test_only_questions_that_ask_for_it_bring_a_seal_to_what_came_later(tmp_path: Path) -> None:
    first, second = lined(line("input", 10, "2.5")), call(NOON + DAY, cost="2")
    with closing(DuckLedger(tmp_path)) as ledger:
        ledger.add([first, second])
        assert ledger.rows(Query()).total["calls"] == 2
        assert len(ledger.lines(Query())) == 1
    assert _mark(tmp_path) == (2, 0, 0, 2, 0)
    with closing(DuckLedger(tmp_path)) as ledger:
        ledger.add([Score(record_id=first.id, at=NOON, correct=True), revision(second, "5")])
        assert ledger.rows(Query(by=("user",))).total["cost"] == Decimal("5.000025")
    assert _mark(tmp_path) == (2, 1, 1, 2, 0)
    with closing(DuckLedger(tmp_path)) as ledger:
        ledger.add([Score(record_id=second.id, at=NOON, correct=True)])
        assert ledger.rows(Query()).total["cost"] == Decimal("5.000025")
    assert _mark(tmp_path) == (2, 1, 1, 2, 0)
    with closing(DuckLedger(tmp_path)) as ledger:
        assert ledger.rows(Query(metrics=("correct_calls",))).total["correct_calls"] == 2
        assert len(ledger.lines(Query())) == 1
    assert _mark(tmp_path) == (2, 1, 2, 2, 1)


@pytest.mark.usefixtures("at_once")
def test_what_is_told_of_calls_beyond_the_seal_sums_no_day_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = call(cost="1"), call(cost="2")
    with closing(DuckLedger(tmp_path)) as ledger:
        ledger.add([first])
        assert ledger.rows(Query()).total["cost"] == 1
        monkeypatch.setattr(sealing, "STEP", 9)
        ledger.add([second, revision(second, "5")])
        assert ledger.rows(Query()).total["cost"] == 6
        assert ledger.verify() == ()
    assert _mark(tmp_path)[:2] == (1, 1)


@pytest.mark.usefixtures("at_once")
def test_calls_that_come_after_a_prune_are_sealed_where_others_left_holes(tmp_path: Path) -> None:
    with closing(DuckLedger(tmp_path)) as ledger:
        ledger.add([call(NOON - (number % 3) * DAY, latency_ms=float(number)) for number in range(9)])
        assert ledger.rows(Query()).total["calls"] == 9
        ledger.prune(NOON)
        ledger.add([call(latency_ms=float(number)) for number in range(20, 24)])
        total = ledger.rows(Query(since=NOON)).total
        assert (total["calls"], total["p50_latency_ms"]) == (7, 20.0)
        assert (ledger.rows(Query()).total["calls"], ledger.verify()) == (13, ())
    assert _mark(tmp_path)[0] == 7


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(("judged", "cost", "mark"), [(False, "5", (1, 1, 0)), (True, "0.000025", (1, 0, 1))])
def test_what_is_told_after_a_prune_counts_where_as_much_was_told_of_what_is_gone(
    tmp_path: Path,
    judged: bool,  # noqa: FBT001  # a parameter
    cost: str,
    mark: tuple[int, int, int],
) -> None:
    gone, kept = (lined(line("input", 10, "2.5"), at=NOON - days * DAY) for days in (1, 0))

    def told(of: Record) -> Revision | Score:
        return Score(record_id=of.id, at=NOON, correct=True) if judged else revision(of, "5")

    asked = Query(since=NOON, metrics=("correct_calls",))
    with closing(DuckLedger(tmp_path)) as ledger:
        ledger.add([gone, kept, told(gone)])
        assert ledger.rows(asked).total["cost"] == Decimal("0.000025")
        assert sum(each["amount"] for each in ledger.lines(asked)) == Decimal("0.000025")
        ledger.prune(NOON)
        ledger.add([told(kept)])
        total = ledger.rows(asked).total
        assert (total["cost"], total["correct_calls"]) == (Decimal(cost), int(judged))
        lines = sum(each["amount"] for each in ledger.lines(asked))  # a newer cost says none
        assert lines == (Decimal(cost) if judged else 0)
        assert ledger.verify() == ()
    assert _mark(tmp_path) == (*mark, 1, mark[1])


@pytest.mark.usefixtures("at_once")
def test_sums_are_proven_where_a_judgement_came_that_no_question_asked_for(tmp_path: Path) -> None:
    first, second = call(), call(NOON + DAY)
    engine = Engine(tmp_path)
    with closing(engine), engine.attached():
        add(engine, [first, second], tmp_path / "spool")
        sealing.seal(engine)
        add(engine, [Score(record_id=first.id, at=NOON, correct=True)], tmp_path / "spool")
        engine.run("UPDATE sealed_sums SET calls = calls + 1")
        assert [each.where for each in check(engine)] == ["sealed sums", "sealed sums"]


@pytest.mark.usefixtures("at_once")
def test_rowids_with_holes_are_sealed_as_those_without(tmp_path: Path) -> None:
    """A file that was not written back since a prune has them, and a large one keeps some."""
    days = [call(NOON - (number % 3) * DAY, latency_ms=float(number)) for number in range(9)]
    engine = Engine(tmp_path)
    with closing(engine), engine.attached():
        add(engine, days, tmp_path / "spool")
        sealing.seal(engine)
        prune(engine, NOON, dry_run=False)
        add(engine, [call(latency_ms=20.0), lined(line("input", 10, "2.5"))], tmp_path / "spool")
        assert engine.all("SELECT count(*), max(rowid) + 1 FROM calls") == [(5, 11)]
        sealing.seal(engine)
        resealing.renew_lines(engine, None)
        assert engine.all("SELECT upto, lines FROM seals") == [(5, 5)]
        assert list(check(engine)) == []
        prune(engine, NOON + DAY, dry_run=False)
        assert engine.all("SELECT upto, lines FROM seals") == [(0, 0)]
        assert list(check(engine)) == []


@pytest.mark.usefixtures("at_once")
def test_lines_are_sealed_of_the_days_that_were_asked_for(tmp_path: Path) -> None:
    moments = [NOON + number * DAY for number in range(5)]
    moments[3] -= DAY / 2  # the midnight that a day begins with is in it
    records = [lined(line("input", 10**number, "2.5"), at=at) for number, at in enumerate(moments)]
    with closing(DuckLedger(tmp_path)) as ledger, closing(MemoryLedger()) as oracle:
        held: tuple[Any, ...] = (ledger, oracle)
        for each in held:
            each.add(records)
        for since, days in ((NOON + 3 * DAY, 2), (NOON + 4 * DAY, 2), (NOON + DAY, 4), (None, 5)):
            _check(ledger, oracle, Query(since=since))
            with ledger._turn() as engine:  # what no question tells
                assert engine.all("SELECT count(*) FROM sealed_lines") == [(days,)]
            for each in held:
                each.add([revision(records[0], str(days)), revision(records[4], str(days))])
            _check(ledger, oracle, Query(since=since))
            assert ledger.verify() == ()
            for each in held:
                each.add(
                    [
                        Revision(record_id=each.id, at=NOON + days * DAY, charge=each.charge)
                        for each in records
                    ]
                )
            _check(ledger, oracle, Query(since=since))
            assert ledger.verify() == ()


@pytest.mark.usefixtures("at_once")
def test_lines_of_all_days_stay_sealed_where_fewer_days_are_asked_for(tmp_path: Path) -> None:
    records = [lined(line("input", 10**number, "2.5"), at=NOON + number * DAY) for number in range(5)]
    later = [lined(line("input", 7, "2.5"), at=NOON + day * DAY) for day in (0, 4)]
    with closing(DuckLedger(tmp_path)) as ledger, closing(MemoryLedger()) as oracle:
        for some, since in ((records, None), (later, NOON + 3 * DAY), ([], None)):
            for each in (ledger, oracle):
                each.add(some)
            _check(ledger, oracle, Query(since=since))
            with ledger._turn() as engine:  # what no question tells
                assert engine.all("SELECT lines_since FROM seals") == [(None,)]
        assert ledger.verify() == ()


@pytest.mark.usefixtures("at_once")
def test_lines_of_too_many_kinds_are_not_sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resealing, "ALIKE", 2)
    with closing(DuckLedger(tmp_path)) as ledger:
        ledger.add([lined(line("input", 1, str(rate))) for rate in range(1, 6)])
        assert len(ledger.lines(Query())) == 5
        assert _lines_sealed(ledger) == (0, 10)
        ledger.add([lined(line("input", 1, "1"))])
        assert len(ledger.lines(Query())) == 5
        assert _lines_sealed(ledger) == (0, 10)  # not asked again before the tenth call
        ledger.add([lined(line("input", 1, "1")) for _ in range(5)])
        assert len(ledger.lines(Query())) == 5
        assert _lines_sealed(ledger) == (11, 0)
        assert ledger.verify() == ()


@pytest.mark.usefixtures("at_once")
def test_lines_that_become_of_too_many_kinds_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resealing, "ALIKE", 2)
    with closing(DuckLedger(tmp_path)) as ledger:
        for rates, kinds, said in (
            ("1111", 1, (4, 0)),
            ("23451", 5, (0, 18)),  # twice five kinds are more than nine calls
            ("1" * 9, 5, (18, 0)),
        ):
            ledger.add([lined(line("input", 1, rate)) for rate in rates])
            assert len(ledger.lines(Query())) == kinds
            assert _lines_sealed(ledger) == said
        assert ledger.verify() == ()


def _lines_sealed(ledger: DuckLedger) -> tuple[Any, ...]:
    with ledger._turn() as engine:  # what no question tells
        return engine.all("SELECT lines, lines_again FROM seals")[0]


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("table", ["sealed_sums", "sealed_lines"])
def test_an_engine_that_cannot_seal_anew_answers_out_of_the_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    first = lined(line("input", 1_000_000, "2"))
    run = Engine.run

    def full(self: Engine, sql: str, parameters: Sequence[Any] = ()) -> None:
        if f"INSERT INTO {table}" in sql:
            raise duckdb.IOException("no space left on device")
        run(self, sql, parameters)

    with closing(DuckLedger(tmp_path)) as ledger:
        ledger.add([first, call(cost="1")])
        assert (ledger.rows(Query()).total["cost"], len(ledger.lines(Query()))) == (3, 1)
        monkeypatch.setattr(Engine, "run", full)
        ledger.add([revision(first, "7")])
        assert (ledger.rows(Query()).total["cost"], len(ledger.lines(Query()))) == (8, 0)
        assert ledger.verify() == ()
    assert (_mark(tmp_path)[1], _mark(tmp_path)[4]) == ((0, 1) if table == "sealed_sums" else (1, 0))


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    "statement", ["UPDATE sealed_lines SET amount = amount + 1", "DELETE FROM sealed_lines"]
)
def test_verify_says_where_sealed_lines_are_not_those_of_the_calls(tmp_path: Path, statement: str) -> None:
    with closing(DuckLedger(tmp_path)) as ledger:
        ledger.add([lined(line("input", 10, "2.5"))])
        assert (len(ledger.lines(Query())), ledger.verify()) == (1, ())
        with ledger._turn() as engine:  # to spoil what nobody else may
            engine.run(statement)
        assert {each.where for each in ledger.verify()} == {"sealed lines"}


KILLED = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from outlay.core.query import Query
from outlay.ledger import DuckLedger, resealing, sealing
from outlay.ledger.engine import Engine
sealing.STEP = 1; sealing.ALIKE = resealing.ALIKE = 0
number, what = int(sys.argv[2]), sys.argv[3]
run = Engine.run
def counting(self, sql, parameters=()):
    global number
    run(self, sql, parameters)
    if "seal" in sql or "temp.touched" in sql:
        number -= 1
        if number == 0:
            os.kill(os.getpid(), signal.SIGKILL)
Engine.run = counting
ledger = DuckLedger(Path(sys.argv[1]))
if what == "prune":
    ledger.prune(datetime.fromisoformat(sys.argv[4]))
else:
    ledger.rows(Query(metrics=("correct_calls",)))
    ledger.lines(Query())
"""


@pytest.mark.parametrize(
    ("what", "number"), [*(("ask", n) for n in (1, 3, 5, 8, 11)), ("prune", 3), ("prune", 5)]
)
def test_whoever_is_killed_within_a_seal_leaves_the_old_one_or_the_new_one(
    tmp_path: Path, what: str, number: int
) -> None:
    """The process ends by itself, hard, behind the statement of that number that has to do with seals."""
    records = [lined(line("input", 1000, "2.5"), at=NOON + n * DAY, latency_ms=float(n)) for n in range(6)]
    held: tuple[Any, ...] = (DuckLedger(tmp_path), MemoryLedger())
    with closing(held[0]), pytest.MonkeyPatch.context() as patch:
        for module, name, value in ((sealing, "STEP", 1), (sealing, "ALIKE", 0), (resealing, "ALIKE", 0)):
            patch.setattr(module, name, value)
        for each in held:
            each.add(records)
            assert (each.rows(Query()).total["calls"], len(each.lines(Query()))) == (6, 1)
            later = Score(record_id=records[4].id, at=NOON, correct=True)
            each.add([revision(records[1], "9"), revision(records[5], None), later, call(cost="3")])
        held[0].close()
        before = (NOON + 2 * DAY).isoformat()
        command = [sys.executable, "-c", KILLED, str(tmp_path), str(number), what, before]
        assert subprocess.run(command, check=False).returncode == -9
        question = Query(by=("day", "cost_status"), metrics=("correct_calls",))
        assert held[0].verify() == ()
        _check(held[0], held[1], question)
        for each in held:
            each.prune(NOON + 2 * DAY)
        _check(held[0], held[1], question)
        assert held[0].verify() == ()
