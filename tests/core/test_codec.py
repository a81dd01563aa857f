"""Every entry of a journal comes back from its JSON as it was."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.strategies import INSTANT, JSON, NAME, costs, records, usages

from outlay.core.codec import entry_from_json, entry_json, record_json, usage_from_json, usage_json
from outlay.core.cost import Cost, fitting
from outlay.core.errors import OutlayError, ResponseError, UsageError
from outlay.core.ids import uuid7
from outlay.core.record import Loss, Record, Revision, Score
from outlay.core.usage import Usage
from outlay.pricing.calculate import lines_of, sum_of
from outlay.pricing.rates import Rate

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


@given(records())
def test_a_record_comes_back_equal(record: Record) -> None:
    assert entry_from_json(json.loads(json.dumps(entry_json(record)))) == record
    assert entry_from_json(orjson.loads(orjson.dumps(entry_json(record)))) == record


@given(usages())
def test_a_usage_comes_back_equal(usage: Usage) -> None:
    assert usage_from_json(json.loads(json.dumps(usage_json(usage)))) == usage


def test_parts_come_back_equal() -> None:
    part = Usage.of({"input": 5}, model="a")
    whole = Usage.of({"input": 5}, parts=(part,))
    assert usage_from_json(usage_json(whole)) == whole


@given(
    st.builds(
        Score,
        record_id=NAME,
        at=INSTANT,
        quality_score=st.none() | st.floats(0, 1),
        correct=st.none() | st.booleans(),
    )
    | st.builds(Loss, at=INSTANT, count=st.integers(1, 10**9), why=NAME)
    | st.builds(Revision, record_id=NAME, at=INSTANT, charge=costs())
)
def test_scores_losses_and_revisions_come_back_equal(entry: Score | Loss | Revision) -> None:
    assert entry_from_json(entry_json(entry)) == entry


@given(records())
def test_the_token_totals_stand_beside_the_units(record: Record) -> None:
    data = record_json(record)
    assert data["input_tokens"] == record.input_tokens
    assert data["input_tokens"] + data["output_tokens"] == record.total_tokens
    assert data["cached_tokens"] + data["cache_write_tokens"] <= data["input_tokens"]
    assert data["reasoning_tokens"] <= data["output_tokens"]


KEYS = ("schema", "id", "at", "usage", "cost_status", "score", "revision", "lost", "why", "lines")


@given(st.dictionaries(st.sampled_from(KEYS), JSON))
def test_any_object_is_an_entry_or_a_clear_fault(data: dict[str, object]) -> None:
    try:
        entry = entry_from_json(data)
    except OutlayError:
        return
    assert isinstance(entry, Record | Score | Revision | Loss)
    assert isinstance(entry, Record | Loss) or isinstance(entry.record_id, str)


@pytest.mark.parametrize("what", ["score", "revision", "loss"])
def test_what_is_said_of_a_call_by_a_newer_outlay_is_refused(what: str) -> None:
    said = {"schema": 99, "lost" if what == "loss" else what: "x", "at": "2026-11-01T00:00:00Z"}
    with pytest.raises(ResponseError, match=f"^the {what} has schema 99; this outlay reads up to 1: upgrade"):
        entry_from_json({**said, **({"lost": 1} if what == "loss" else {})})


def test_a_record_of_a_newer_outlay_is_refused() -> None:
    with pytest.raises(ResponseError, match="upgrade"):
        entry_from_json({"schema": 99, "id": "x"})


@pytest.mark.parametrize("what", ["score", "revision"])
def test_what_is_said_of_a_call_names_it_by_a_text(what: str) -> None:
    said = {"schema": 1, what: 7, "at": "2026-11-01T00:00:00Z", "cost": "1", "cost_status": "reported"}
    found = entry_from_json(said)
    assert isinstance(found, Score | Revision)
    assert found.record_id == "7"
    for name, why in ((["a"], f"{what} must be a text"), (None, "not a record: KeyError")):
        with pytest.raises(ResponseError, match=why):
            entry_from_json({**said, what: name})


@pytest.mark.parametrize("said", ["1e400", "-inf", "nan", float("inf"), 10**400, -(10**400)])
def test_a_measure_is_a_number_that_can_be_reckoned_with(said: object) -> None:
    with pytest.raises(ResponseError, match="quality_score must be a finite number"):
        entry_from_json({"schema": 1, "score": "x", "at": "2026-11-01T00:00:00Z", "quality_score": said})


@pytest.mark.parametrize("digits", [28, 57, 60])
def test_a_cost_that_was_worked_out_of_many_digits_comes_back_whole(digits: int) -> None:
    seconds = Decimal(f"1.{'3' * (digits - 2)}")
    own = Rate(Decimal(f"0.{'1' * 58}"), per=1)
    usage = Usage.of({"audio_seconds": seconds})
    lines, _, _ = lines_of(usage.items, {"audio_seconds": own})
    cost = fitting(Cost(sum_of(lines), "priced", lines=tuple(lines)))
    assert (lines[0].amount / seconds).quantize(Decimal("1e-18")) == own.amount.quantize(Decimal("1e-18"))
    record = Record(id=uuid7(AT), at=AT, provider="p", model="m", usage=usage, charge=cost)
    assert entry_from_json(json.loads(json.dumps(entry_json(record)))) == record


def test_a_quantity_of_more_digits_than_anybody_can_mean_is_refused_and_not_lost_later() -> None:
    with pytest.raises(UsageError, match="audio_seconds has more than 60 digits"):
        Usage.of({"audio_seconds": Decimal(f"1.{'3' * 60}")})
