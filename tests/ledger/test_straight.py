"""Journals of new calls alone go straight into the calls, and leave the ledger as the long way does."""

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
from outlay.core.record import Entry, Loss, Revision, Score
from outlay.ledger import DuckLedger, backlog, ingest
from outlay.ledger.batch import Batch
from outlay.testing import NOON, call

DAY = timedelta(days=1)
CALLS = [
    call(units={"input": 10 + n, "output": 5}, latency_ms=0.5 * n, tags={"team": "a"}, extra={"n": [n]})
    for n in range(6)
]
OTHERS: list[Entry] = [
    Score(record_id=CALLS[0].id, at=NOON, quality_score=0.5),
    Revision(record_id=CALLS[1].id, at=NOON, charge=CALLS[2].charge),
    Loss(at=NOON, count=2, why="full"),
    call(at=NOON - 9 * DAY, id="01980000-0000-7000-8000-000000000001"),
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
TABLES = ("calls", "scores", "revisions", "losses", "late", "conflicts", "faults", "journals")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[DuckLedger]:
    (tmp_path / "journal").mkdir()
    ledger = DuckLedger(tmp_path)
    yield ledger
    ledger.close()


@pytest.fixture
def no_detour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no table in which lines could stand meanwhile."""

    def refused(*_: object) -> bool:
        raise AssertionError("taken in by the long way")

    monkeypatch.setattr(Batch, "load", refused)


def held(folder: Path, segments: list[list[bytes]], *, pruned: bool) -> dict[str, list[str]]:
    """Take segments in, and give what the tables then hold."""
    (folder / "journal").mkdir(parents=True)
    ledger = DuckLedger(folder)
    if pruned:
        ledger.prune(NOON - 5 * DAY)
    for number, lines in enumerate(segments):
        (folder / "journal" / f"{number}.jsonl").write_bytes(b"".join(lines))
        ledger.conflicts()
    with ledger._turn() as engine:  # to look at what no answer shows
        found = {name: sorted(map(repr, engine.all(f"SELECT * FROM {name}"))) for name in TABLES}  # noqa: S608
    ledger.close()
    return found


@settings(max_examples=8, deadline=None, phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(LINES, min_size=1, max_size=4), min_size=1, max_size=2), st.booleans())
def test_both_ways_leave_the_same(segments: list[list[bytes]], pruned: bool) -> None:  # noqa: FBT001  # drawn
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        straight = held(Path(folder, "straight"), segments, pruned=pruned)
        patch.setattr(ingest, "_inserts", lambda *_: False)
        assert held(Path(folder, "long"), segments, pruned=pruned) == straight


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
