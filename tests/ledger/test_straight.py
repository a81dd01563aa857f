"""Journals of new calls, and what is said of calls, go straight in and leave what the long way does."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from outlay.core.codec import entry_json
from outlay.core.query import CallQuery, Query
from outlay.core.record import Entry, Loss, Record, Revision, Score
from outlay.ledger import DuckLedger, backlog, ingest, resealing, sealing
from outlay.ledger.seal_proof import check
from outlay.testing import NOON, call
from outlay.testing.revisions import revision

DAY = timedelta(days=1)
GONE = "01980000-0000-7000-8000-000000000002"  # an id that is in no journal
CALLS = [
    call(units={"input": 10 + n, "output": 5}, latency_ms=0.5 * n, tags={"team": "a"}, extra={"n": [n]})
    for n in range(6)
]
LATE = call(at=NOON - 9 * DAY, id="01980000-0000-7000-8000-000000000001")
OTHERS: list[Entry] = [
    Score(record_id=CALLS[0].id, at=NOON, quality_score=0.5),
    Revision(record_id=CALLS[1].id, at=NOON, charge=CALLS[2].charge),
    Loss(at=NOON, count=2, why="full"),
    LATE,
]
ODD: list[tuple[str, Any]] = [
    ("schema", 2), ("latency_ms", "NaN"), ("model", ["x"]), ("raw", "x"), ("raw", {"a": [[1]]}),
    ("extra", [1]), ("flags", 3), ("lines", [{}]), ("cost", "1e30"), ("cost", None), ("provider", None),
    ("score", None), ("score", CALLS[3].id), ("why", "full"), ("at", "2026-11-22T13:00:00+01:00"),
    ("input_tokens", None), ("usage", {"images": 1}), ("retries", "1"), ("nobody", "knows"), ("parts", [{}]),
    ("price", {}), ("lost", 1),
]  # fmt: skip


def written(entry: Entry) -> bytes:
    return orjson.dumps(entry_json(entry)) + b"\n"


def changed(entry: Entry, name: str, value: Any) -> bytes:
    return json.dumps({**entry_json(entry), name: value}).encode() + b"\n"


LINES = st.one_of(
    st.sampled_from([*CALLS, *CALLS, *OTHERS]).map(written),
    st.builds(lambda each, odd: changed(each, *odd), st.sampled_from(CALLS), st.sampled_from(ODD)),
    st.just(b"{torn\n"),
)
TABLES = ("calls", "scores", "revisions", "losses", "late", "conflicts", "faults", "journals", "seals")
UNORDERED = (
    "calls",
    "late",
)  # in which order calls stand says nothing; among judgements the later row counts
TOLD = ("judged_calls", "correct_calls", "avg_quality_score", "judged_cost")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[DuckLedger]:
    (tmp_path / "journal").mkdir()
    ledger = DuckLedger(tmp_path)
    yield ledger
    ledger.close()


@pytest.fixture
def no_detour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no long way."""

    def refused(*_: object) -> None:
        raise AssertionError("taken in by the long way")

    monkeypatch.setattr(ingest, "_take_portion", refused)


def held(folder: Path, segments: list[list[bytes]], *, pruned: bool) -> dict[str, Any]:
    """Take segments in, and give what the tables then hold in their order, and what questions are told."""
    (folder / "journal").mkdir(parents=True)
    ledger = DuckLedger(folder)
    if pruned:
        ledger.prune(NOON - 5 * DAY)
    found: dict[str, Any] = {}
    for number, lines in enumerate(segments):
        (folder / "journal" / f"{number}.jsonl").write_bytes(b"".join(lines))
        ledger.conflicts()
    found["rows"] = ledger.rows(Query(("model",), metrics=TOLD))
    with ledger._turn() as engine:  # to look at what no answer shows
        found["wrong"] = list(check(engine))
        for name in TABLES:
            rows = map(repr, engine.all(f"SELECT * FROM {name} ORDER BY rowid"))  # noqa: S608
            found[name] = sorted(rows) if name in UNORDERED else list(rows)
    ledger.close()
    return found


def both_ways(segments: list[list[bytes]], *, pruned: bool) -> dict[str, Any]:
    """Take segments in straight and the long way, and give what both leave."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for module, name, value in ((sealing, "STEP", 2), (sealing, "ALIKE", 0), (resealing, "ALIKE", 0)):
            patch.setattr(module, name, value)
        straight = held(Path(folder, "straight"), segments, pruned=pruned)
        patch.setattr(ingest, "_inserts", lambda *_: False)
        assert held(Path(folder, "long"), segments, pruned=pruned) == straight
    assert straight["wrong"] == []
    return straight


@settings(max_examples=4, deadline=None, phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(LINES, min_size=1, max_size=4), min_size=1, max_size=2), st.booleans())
def test_both_ways_leave_the_same(segments: list[list[bytes]], pruned: bool) -> None:  # noqa: FBT001  # drawn
    both_ways(segments, pruned=pruned)


@st.composite
def _told(draw: st.DrawFn) -> Entry:
    """Say something of one of the calls, or of one that is in no journal, often at the same instant."""
    record = draw(st.sampled_from([*CALLS, LATE, call(id=GONE)]))
    at = NOON + draw(st.integers(0, 2)) * DAY
    if draw(st.booleans()):
        quality, correct = draw(st.sampled_from((0.25, 1.0))), draw(st.sampled_from((None, True, False)))
        return Score(record_id=record.id, at=at, quality_score=quality, correct=correct)
    if draw(st.booleans()):
        return Loss(at=at, count=draw(st.integers(1, 2)), why="full")
    return revision(record, draw(st.sampled_from(("3", "0.5", None))), draw(st.integers(1, 2)))


@settings(max_examples=4, deadline=None, phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
@given(
    calls=st.lists(st.sampled_from(CALLS), unique_by=lambda each: each.id, min_size=1),
    again=st.lists(st.sampled_from([*CALLS, LATE]), max_size=1),
    told=st.lists(_told(), min_size=1, max_size=9),
    data=st.data(),
)
def test_so_they_do_where_something_is_said_of_calls_in_any_order(
    calls: list[Record], again: list[Record], told: list[Entry], data: st.DataObject
) -> None:
    lines = data.draw(st.permutations([written(each) for each in (*calls, *again, *told)]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(lines)), min_size=1, max_size=1)))
    parts = zip([0, *cuts], [*cuts, len(lines)], strict=True)
    both_ways([lines[start:end] for start, end in parts], pruned=data.draw(st.booleans()))


@pytest.mark.usefixtures("no_detour")
def test_what_is_said_of_calls_goes_straight_in_beside_new_ones(ledger: DuckLedger) -> None:
    """Judgements before and behind their calls, a newer cost, a loss; of an id that is in no journal too."""
    first, second, third = CALLS[:3]
    said = Score(record_id=GONE, at=NOON, correct=True)
    (ledger.journals / "a.jsonl").write_bytes(
        b"".join(written(each) for each in (*OTHERS[:3], first, said, second))
    )
    assert ledger.rows(Query(metrics=TOLD)).total["avg_quality_score"] == 0.5
    assert ledger.revisions(second.id)[-1].charge == third.charge
    assert [each.count for each in ledger.info().lost] == [2]
    (ledger.journals / "b.jsonl").write_bytes(
        written(third) + written(Score(record_id=first.id, at=NOON + DAY, quality_score=0.75))[:-1]
    )
    assert ledger.rows(Query(metrics=TOLD)).total["avg_quality_score"] == 0.75
    assert ledger.rows(Query()).total["calls"] == 3
    assert ledger.verify() == ()
    assert list(ledger.spool.glob("*.jsonl")) == []


def test_a_line_that_is_not_what_it_begins_as_sends_its_load_the_long_way() -> None:
    record, score = entry_json(CALLS[3]), entry_json(OTHERS[0])
    lines = (
        {**record, "score": CALLS[0].id},  # begins as a call and is none
        {"score": CALLS[0].id, **record},  # both at once
        {"at": record["at"], **record},  # a call that begins as none does
        {**score, "latency_ms": "NaN"},  # of a judgement, which has none
        {**score, "schema": 2},
    )
    pairs = zip(lines, CALLS, strict=False)
    both_ways(
        [[written(OTHERS[0]), json.dumps(line).encode() + b"\n", written(new)] for line, new in pairs],
        pruned=False,
    )


def test_where_most_lines_are_no_calls_they_stand_in_a_table_in_portions(
    ledger: DuckLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "PORTION", 200)
    entries: list[Entry] = [CALLS[0]]
    entries += (Score(record_id=CALLS[0].id, at=NOON + n * DAY, quality_score=n / 8) for n in range(9))
    (ledger.journals / "a.jsonl").write_bytes(b"".join(map(written, entries)))
    assert ledger.rows(Query(metrics=TOLD)).total["avg_quality_score"] == 1.0
    assert ledger.verify() == ()


@pytest.mark.usefixtures("no_detour")
def test_new_calls_go_straight_in(ledger: DuckLedger) -> None:
    for number, record in enumerate(CALLS):
        (ledger.journals / f"{number}.jsonl").write_bytes(written(record) + written(call()))
        assert ledger.rows(Query()).total["calls"] == 2 * number + 2
    assert {each.id for each in ledger.calls(CallQuery(limit=None))} > {each.id for each in CALLS}
    assert ledger.info().pending_bytes == 0


@pytest.mark.usefixtures("no_detour")
def test_so_they_do_after_a_prune(ledger: DuckLedger) -> None:
    ledger.prune(NOON - 5 * DAY)
    (ledger.journals / "a.jsonl").write_bytes(written(CALLS[0]))
    assert ledger.rows(Query()).total["calls"] == 1


@pytest.mark.usefixtures("no_detour")
@pytest.mark.parametrize("most", [1, 2000, 2**30])
def test_load_by_load(ledger: DuckLedger, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(backlog, "LOAD", most)
    for number in range(5):
        (ledger.journals / f"{number}.jsonl").write_bytes(written(call()) + written(call()))
    assert ledger.rows(Query()).total["calls"] == 10


def test_what_is_given_up_leaves_nothing(ledger: DuckLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    """The calls of a load stand in the table already when its last line turns out to be known."""
    (ledger.journals / "a.jsonl").write_bytes(written(CALLS[0]))
    assert ledger.rows(Query()).total["calls"] == 1
    (ledger.journals / "b.jsonl").write_bytes(b"".join(map(written, reversed(CALLS))))
    monkeypatch.setattr(ingest, "_take_portion", lambda *_: None)
    assert ledger.rows(Query()).total["calls"] == 1
    assert ledger.info().pending_bytes
    monkeypatch.undo()
    assert ledger.rows(Query()).total["calls"] == len(CALLS)
    assert ledger.conflicts() == 0
