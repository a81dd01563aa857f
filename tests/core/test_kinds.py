"""One table says of which kind each field is; whoever judges fields knows all of them."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import orjson
import pytest

import outlay
from outlay.capture import kinds as by_hand
from outlay.capture.keywords import RecordKeywords
from outlay.core.codec import TOTALS, entry_from_json, entry_json
from outlay.core.errors import OutlayError, ResponseError, UsageError
from outlay.core.kinds import KINDS, Kind, fields_of
from outlay.core.record import Loss, Record, Score
from outlay.ledger import DuckLedger, usual
from outlay.ledger.usual import read_usual, seen_in
from outlay.testing import call

OF_OTHERS = {"schema", "score", "revision", "lost", "why"}
SAID_OTHERWISE = {"flags", "usage_reason", "usage_model", "raw", "context_tokens", "reported_cost",
    "reported_currency", "parts", "cost_status", "cost_reason", "cost_flags", "computed_cost", "lines",
    "price"}  # fmt: skip
"""What a record made by hand has of its usage and its price."""
UNUSUAL = {"reported_cost", "reported_currency", "parts"}
ODD: dict[Kind, Any] = {
    "text": ["x"],
    "instant": "never",
    "number": True,
    "count": 1.5,
    "truth": 2,
    "amount": "x",
    "object": [1],
    "labels": "x",
    "list": 3,
    "nested": 3,
}
WORDS = {"error", "prompt", "reply"}  # which may be JSON


def test_all_fields_stand_in_the_table() -> None:
    of_records = {each.name for each in fields(Record)} - {"charge"}
    assert of_records <= KINDS.keys()
    assert {each.name for each in fields(Score)} - {"record_id"} <= KINDS.keys()
    assert {each.name for each in fields(Loss)} - {"count"} <= KINDS.keys()  # which is "lost" in a line


def test_the_embedded_ledger_has_a_column_for_each(tmp_path: Path) -> None:
    ledger = DuckLedger(tmp_path)
    with ledger._turn() as engine:  # to look at what no answer shows
        assert set(engine.columns("calls")) == KINDS.keys() - OF_OTHERS | set(TOTALS)
    ledger.close()


def test_each_is_judged_by_hand_or_where_it_is_made_use_of() -> None:
    said = KINDS.keys() - OF_OTHERS - SAID_OTHERWISE
    assert said - {"provider", "model"} <= RecordKeywords.__annotations__.keys()
    assert said - by_hand.ELSEWHERE - {"at"} <= by_hand._KINDS.keys()


def test_each_is_known_to_those_who_make_no_record() -> None:
    assert KINDS.keys() - OF_OTHERS - UNUSUAL | {"schema", *TOTALS} == usual._KNOWN


@pytest.mark.parametrize("name", sorted(KINDS.keys() - OF_OTHERS))
def test_another_kind_is_a_fault_of_its_line(name: str) -> None:
    line = orjson.dumps({**entry_json(call(units={"input": 7})), name: ODD[KINDS[name]]})
    with pytest.raises(ResponseError):
        entry_from_json(orjson.loads(line))
    seen = seen_in(line)
    found = None if seen is None else read_usual(seen)
    assert found is None or KINDS[name] in {"text", "nested"}  # which are looked at once for many calls


def test_another_kind_is_a_fault_in_the_embedded_ledger(tmp_path: Path) -> None:
    names = sorted(KINDS.keys() - OF_OTHERS - WORDS)
    (tmp_path / "journal").mkdir()
    for name in names:  # each for itself: none is to hide behind another
        line = orjson.dumps({**entry_json(call(units={"input": 7})), name: ODD[KINDS[name]]}) + b"\n"
        (tmp_path / "journal" / f"{name}.jsonl").write_bytes(line)
    ledger = DuckLedger(tmp_path)
    info = ledger.info()
    ledger.close()
    assert info.calls == 0
    assert sorted(fault.segment for fault in info.faulty) == [f"{name}.jsonl" for name in names]


@pytest.mark.parametrize("name", sorted(KINDS.keys() - OF_OTHERS - SAID_OTHERWISE - by_hand.ELSEWHERE))
def test_another_kind_is_refused_by_hand(name: str) -> None:
    with pytest.raises(UsageError if name != "at" else OutlayError):
        outlay.record(**{"provider": "acme", name: ODD[KINDS[name]]})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", fields_of("number"))
def test_a_number_is_finite(name: str, value: float) -> None:
    """JSON has no other, and no sum of them would say anything."""
    with pytest.raises(UsageError, match=f"^{name} must be a finite number, not "):
        outlay.record(provider="acme", **{name: value})  # type: ignore[arg-type]
    with pytest.raises(ResponseError):
        entry_from_json({**entry_json(call()), name: value})
