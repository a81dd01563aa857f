"""What is said by hand and is of the wrong kind is refused at the call; what can be read is kept."""

from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from tests.support.wire import Kept

import outlay
from outlay import process
from outlay.capture.kinds import checked
from outlay.core.errors import UsageError

ID = "0192f0c1-2a3b-7c4d-8e5f-0123456789ab"
WRONG: dict[str, tuple[object, ...]] = {
    "id": ("1", 7, b"x", "0192f0c1-2a3b-7c4d-8e5f-0123456789a", ""),
    "latency_ms": ("fast", "12.5", True, [1]),
    "time_to_first_token_ms": ("soon", False),
    "retries": ("x", 1.5, -1, True, 2**63),
    "prompt_length": ("a", 2.0, -1),
    "streamed": ("yes", 2, 1.0),
    "correct": ("yes", -1, []),
    "quality_score": ("good", True),
    "user_rating": ("5", True, {}),
    "status": ("ok", 1, ["error"]),
    "error_type": (ValueError, 3),
    "operation": (3,),
    "api": (3,),
    "provider": (4,),
    "model": (4, ["gpt-4o"]),
    "model_requested": (b"gpt-4o",),
    "trace_id": (1,),
    "span_id": (1,),
    "response_id": (3,),
    "currency": (4,),
    "tags": ("x", [("a", "b")]),
    "extra": ("x", 1),
    "terms": ("x",),
    "usage": ("x", 7, [("input", 1)]),
}
SCORES = {name: WRONG[name] for name in ("quality_score", "user_rating", "correct")}


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    """Keep what the process's recorder is told."""
    kept = Kept()
    monkeypatch.setattr(process.current().recorder(), "sink", kept)
    return kept


def every(wrong: dict[str, tuple[object, ...]]) -> list[tuple[str, object]]:
    return [(name, value) for name in wrong for value in wrong[name]]


@pytest.mark.parametrize(("name", "value"), every(WRONG))
def test_a_value_of_another_kind_is_refused_at_the_call_and_named(
    kept: Kept, name: str, value: object
) -> None:
    with pytest.raises(UsageError, match=f"^{name} must be ") as error:
        outlay.record(**{"provider": "acme", name: value})  # type: ignore[arg-type]
    assert isinstance(error.value, ValueError)
    assert len(str(error.value)) < 150
    assert not kept.entries


@pytest.mark.parametrize(("name", "value"), every(SCORES))
def test_a_score_of_another_kind_is_refused(kept: Kept, name: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"^{name} must be "):
        outlay.score(ID, **{name: value})  # type: ignore[arg-type]
    assert not kept.entries


@pytest.mark.parametrize("record_id", ["some-id", 5, None, ""])
def test_a_score_of_no_record_is_refused(kept: Kept, record_id: Any) -> None:
    with pytest.raises(UsageError, match=r"^record_id must be a UUID, as the id of a Record is, not "):
        outlay.score(record_id, correct=True)
    assert not kept.entries


@pytest.mark.parametrize(("name", "value"), [("provider", 4), ("model", 5), ("streamed", "yes")])
def test_what_is_measured_is_refused_before_the_call(kept: Kept, name: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"^{name} must be "):
        outlay.measure(**{name: value})  # type: ignore[arg-type]
    assert not kept.entries


def test_numbers_of_other_libraries_and_ids_become_usual_ones(kept: Kept) -> None:
    numpy = pytest.importorskip("numpy")
    record = outlay.record(
        id=UUID(ID),  # type: ignore[arg-type]
        latency_ms=Decimal("812.5"),  # type: ignore[arg-type]
        time_to_first_token_ms=Fraction(1, 4),  # type: ignore[arg-type]
        quality_score=numpy.float32(0.5),
        retries=numpy.int64(2),
        streamed=1,  # type: ignore[arg-type]
    )
    said = (record.latency_ms, record.time_to_first_token_ms, record.quality_score, record.retries)
    assert (record.id, *said, record.streamed) == (ID, 812.5, 0.25, 0.5, 2, True)
    assert [type(each) for each in said] == [float, float, float, int]
    assert outlay.score(ID.upper().replace("-", ""), correct=True).record_id == ID


def test_a_time_below_0_is_not_known(kept: Kept) -> None:
    """A clock was set back between the two looks at it; a mean with it would be too small."""
    record = outlay.record(latency_ms=-3.5, time_to_first_token_ms=Decimal(-1))  # type: ignore[arg-type]
    assert (record.latency_ms, record.time_to_first_token_ms) == (None, None)
    assert outlay.record(latency_ms=0).latency_ms == 0


def test_what_is_of_its_kind_or_not_said_stays_as_it_is() -> None:
    said = {"latency_ms": 812, "user_rating": 5, "status": "error", "model": None, "retries": None,
            "correct": False, "tags": {}, "id": ID, "user": 7, "input_tokens": -1}  # fmt: skip
    assert checked(said) == said
