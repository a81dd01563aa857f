"""A line of our own with one field of another kind is one fault with its number; the others are kept."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.importing.test_bulk import maker
from tests.importing.test_own import a_server, called

from outlay.core.ports import Ledger
from outlay.core.query import CallQuery, Query
from outlay.core.record import Loss, Revision, Score
from outlay.importing.reading import OneByOne
from outlay.journal import line_of
from outlay.ledger import DuckLedger, MemoryLedger
from outlay.ledger.ship import Offsets, Shipper
from outlay.testing import NOON

NEST: Any = []
for _ in range(400):
    NEST = [NEST]
DEEPEST: Any = []
for _ in range(238):
    DEEPEST = [DEEPEST]
VALUES: list[Any] = [
    None, True, 0, -1, 1.5, 10**19, 10**25, 1e300, -1e300, "", "x", "1", "NaN", "0.1", "\u0000", [], {}, [1],
    ["x"], [None], [["x"]], {"a": 1}, {"a": "b"}, {"a": ["x"]}, {"a": None}, {"a": {"b": 10**25}},
    {"input": -1}, {"input": 10**25}, {"input": 1.5}, [{"unit": "input"}], [{"a": "b"}], NEST, {"a": NEST},
    {"input": 1}, "2026-11-20T10:00:00Z", "99999-01-01", "0001-01-01",
]  # fmt: skip
_TEXTS = """id provider model model_requested operation api status error_type error user session
query_type agent action workspace trace_id span_id prompt reply usage_reason usage_model response_id
reported_currency currency cost_status cost_reason score revision why"""
_OTHERS = """schema at usage latency_ms time_to_first_token_ms streamed retries tags prompt_length
quality_score user_rating correct extra flags raw terms context_tokens reported_cost parts cost
cost_flags computed_cost lines price input_tokens output_tokens lost count"""
NAMES = [*_TEXTS.split(), *_OTHERS.split()]
SOME_LINES = [line_of(called(n)) for n in range(4)]
OF_EACH = [
    line_of(called(7)),
    line_of(Score(record_id=called(1).id, at=NOON, quality_score=0.5, correct=True)),
    line_of(Revision(record_id=called(2).id, at=NOON, charge=called(5).charge)),
    line_of(Loss(at=NOON, count=2, why="full")),
]
WITHIN: dict[str, list[str]] = {
    "lines": ["unit", "quantity", "rate", "per", "amount", "note", "model"],
    "price": ["source", "effective_from", "version", "extrapolated"],
}
PLACES = st.sampled_from(
    [*((name,) for name in NAMES), *((name, key) for name, keys in WITHIN.items() for key in keys)]
)


def changed(line: bytes, place: tuple[str, ...], value: Any) -> bytes:
    data = json.loads(line)
    at = data
    for key in place[:-1]:
        at = at.get(key, {})
        at = at[0] if isinstance(at, list) else at
    at[place[-1]] = value
    return json.dumps(data).encode() + b"\n"


def good_ones_are_kept(ledger: Ledger, odd: bytes) -> int:
    """Import an odd line between good ones; give how many faults there were."""
    lines = [*SOME_LINES[:2], odd, *SOME_LINES[2:]]
    steps = list(OneByOne(ledger, maker()).steps(io.BytesIO(b"".join(lines))))
    faults = [fault for step in steps for fault in step.faults]
    assert [fault.number for fault in faults] in ([], [3])
    assert all(fault.reason for fault in faults)
    said = json.loads(odd)
    judging = not faults and any(said.get(key) is not None for key in ("score", "revision", "lost"))
    assert sum(step.calls for step in steps) == 5 - len(faults) - judging
    found = {record.id for record in ledger.calls(CallQuery(limit=None))}
    assert found >= {called(n).id for n in range(4)}
    ledger.rows(Query(by=("provider", "model", "user")))
    return len(faults)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.generate,))
@given(st.sampled_from(OF_EACH), PLACES, st.sampled_from(VALUES))
def test_a_field_of_another_kind_in_memory(line: bytes, place: tuple[str, ...], value: Any) -> None:
    good_ones_are_kept(MemoryLedger(), changed(line, place, value))


@pytest.fixture(scope="module")
def ledgers() -> Iterator[dict[str, Ledger]]:
    """Give ledgers that stay as they are: a copy of a good line is nothing new."""
    with TemporaryDirectory() as folder, a_server("postgresql") as there, a_server("clickhouse") as columns:
        embedded = DuckLedger(Path(folder))
        yield {"embedded": embedded, "postgresql": there, "clickhouse": columns}
        embedded.close()


@pytest.mark.parametrize(("kind", "examples"), [("embedded", 40), ("postgresql", 20), ("clickhouse", 20)])
def test_a_field_of_another_kind(ledgers: dict[str, Ledger], kind: str, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, phases=(Phase.generate,))
    @given(st.sampled_from(OF_EACH), PLACES, st.sampled_from(VALUES))
    def are_kept(line: bytes, place: tuple[str, ...], value: Any) -> None:
        good_ones_are_kept(ledgers[kind], changed(line, place, value))

    are_kept()


@pytest.mark.parametrize("kind", ["embedded", "postgresql", "clickhouse"])
@pytest.mark.parametrize("place", ["raw", "extra"])
def test_a_copy_that_is_nested_deeply_is_set_aside(ledgers: dict[str, Ledger], kind: str, place: str) -> None:
    """As deep as a line may be, so that everybody can write it again."""
    good_ones_are_kept(ledgers[kind], OF_EACH[0])
    good_ones_are_kept(ledgers[kind], changed(OF_EACH[0], (place,), {"a": DEEPEST}))


ODD: list[tuple[tuple[str, ...], Any]] = [
    (("tags",), ["x"]), (("streamed",), [1]), (("user",), {"a": 1}), (("model",), ["x"]),
    (("usage",), 3), (("usage",), {"a": "b"}), (("usage",), {"input": -1}), (("flags",), 1),
    (("terms",), "x"), (("parts",), ["x"]), (("lines",), ["x"]), (("lines", "amount"), "x"),
    (("lines", "per"), 0), (("price",), {}),
    (("price", "effective_from"), "never"), (("cost_flags",), 3), (("extra",), [1]), (("raw",), "x"),
    (("retries",), 10**25), (("latency_ms",), "NaN"), (("cost",), "1e30"), (("at",), "never"),
    (("correct",), []),
    (("context_tokens",), {}), (("quality_score",), "good"), (("id",), "x"), (("currency",), None),
    (("retries",), 1.5), (("retries",), "1"), (("prompt_length",), "0x10"), (("context_tokens",), True),
    (("streamed",), 1), (("correct",), "yes"), (("latency_ms",), True), (("tags",), {"a": None}),
    (("at",), "infinity"), (("at",), "epoch"),
    (("lines", "quantity"), 1e300), (("lines", "quantity"), "1e19"),
    (("raw",), {"a": NEST}), (("extra",), {"a": [DEEPEST]}),
    (("cost",), True), (("cost",), "1_000"), (("computed_cost",), str(10**19)), (("reported_cost",), False),
]  # fmt: skip
"""What no ledger keeps, however it came there."""
NO_TEXT_OF_A_TAG = (("tags",), {"a": ["x"]})  # which DuckDB makes a text of, in a journal


@pytest.mark.parametrize(("place", "value"), [*ODD, NO_TEXT_OF_A_TAG])
def test_it_is_told_what_is_wrong(place: tuple[str, ...], value: Any) -> None:
    assert good_ones_are_kept(MemoryLedger(), changed(OF_EACH[0], place, value)) == 1


def journal(folder: Path) -> Path:
    """Write odd lines among good ones into a journal."""
    odd = [changed(line_of(called(100 + n)), *each) for n, each in enumerate(ODD)]
    (folder / "journal").mkdir()
    (folder / "journal" / "a.jsonl").write_bytes(b"".join([*SOME_LINES[:2], *odd, *SOME_LINES[2:]]))
    return folder / "journal"


def test_a_journal_with_odd_lines_is_taken_in(tmp_path: Path) -> None:
    journal(tmp_path)
    ledger = DuckLedger(tmp_path)
    assert {record.id for record in ledger.calls(CallQuery(limit=None))} == {called(n).id for n in range(4)}
    assert ledger.info().faults == len(ODD)
    ledger.close()


@pytest.mark.parametrize("odd", ODD, ids=lambda each: repr(each)[:60])
def test_one_odd_line_alone_is_found_too(odd: tuple[tuple[str, ...], Any], tmp_path: Path) -> None:
    """Each for itself: none may hide behind another for whose sake the portion is read line by line."""
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "a.jsonl").write_bytes(SOME_LINES[0] + changed(line_of(called(100)), *odd))
    ledger = DuckLedger(tmp_path)
    assert [record.id for record in ledger.calls(CallQuery(limit=None))] == [called(0).id]
    assert ledger.info().faults == 1
    ledger.close()


def test_what_a_text_of_a_journal_is_made_of(tmp_path: Path) -> None:
    """An object in the place of an error, a list in that of a tag: nobody can tell them from texts."""
    (tmp_path / "journal").mkdir()
    odd = [changed(OF_EACH[0], ("error",), {"code": 3}), changed(SOME_LINES[0], *NO_TEXT_OF_A_TAG)]
    (tmp_path / "journal" / "a.jsonl").write_bytes(b"".join(odd))
    ledger = DuckLedger(tmp_path)
    found = {record.id: record for record in ledger.calls(CallQuery(limit=None))}
    ledger.close()
    assert found[called(7).id].error == '{"code":3}'
    assert found[called(0).id].tags == {"a": '["x"]'}


@pytest.mark.parametrize(
    ("name", "value", "kept"), [("retries", 2.0, 2), ("latency_ms", "1.5", 1.5), ("latency_ms", 10**19, 1e19)]
)
def test_a_number_written_otherwise_is_the_same(name: str, value: Any, kept: Any, tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "a.jsonl").write_bytes(changed(OF_EACH[0], (name,), value))
    ledger = DuckLedger(tmp_path)
    (found,) = ledger.calls(CallQuery())
    assert getattr(found, name) == kept
    assert ledger.info().faults == 0
    ledger.close()


@pytest.mark.parametrize("kind", ["postgresql", "clickhouse"])
def test_a_journal_with_odd_lines_is_shipped(kind: str, tmp_path: Path) -> None:
    with a_server(kind) as ledger:
        shipper = Shipper(journal(tmp_path), Offsets(tmp_path, f"{kind}://stand-in/calls"), lambda: ledger)
        assert shipper.run().dead == len(ODD)
        found = {record.id for record in ledger.calls(CallQuery(limit=None))}
    assert found == {called(n).id for n in range(4)}
