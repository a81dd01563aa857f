"""What is recorded by hand: every field kept, priced or stated, and never silently zero."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from tests.support.wire import Kept

from outlay.capture import Recorder, SystemClock, context, track
from outlay.capture.guard import failures
from outlay.core.errors import UsageError
from outlay.core.ids import time_of
from outlay.core.usage import Usage

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def test_a_call_by_hand_is_priced_from_the_book(recorder: Recorder, kept: Kept) -> None:
    record = recorder.record(
        provider="openai", model="gpt-4o", input_tokens=1000, output_tokens=500, latency_ms=812.0, user="u1"
    )
    # 1000 x 2.50 + 500 x 10 dollars a million
    assert (record.cost, record.cost_status, record.currency) == (Decimal("0.0075"), "priced", "USD")
    assert (record.input_tokens, record.output_tokens, record.latency_ms, record.user) == (
        1000,
        500,
        812.0,
        "u1",
    )
    assert record.at == NOON
    assert time_of(record.id) == NOON
    assert kept.only is record


def test_the_price_is_the_one_of_its_day(recorder: Recorder) -> None:
    old = recorder.record(
        provider="openai", model="gpt-4o", input_tokens=1000, output_tokens=500, at="2024-06-01T00:00:00Z"
    )
    assert old.cost == Decimal("0.0125")
    assert old.at == datetime(2024, 6, 1, tzinfo=UTC)


def test_a_stated_cost_wins_and_ours_stands_beside_it(recorder: Recorder) -> None:
    record = recorder.record(
        provider="openai", model="gpt-4o", input_tokens=1000, output_tokens=500, cost="0.1234567890123"
    )
    assert (record.cost, record.cost_status) == (Decimal("0.1234567890123"), "reported")
    assert record.charge.computed == Decimal("0.0075")
    assert sum(line.amount for line in record.lines) == record.cost


def test_an_unknown_model_has_no_cost_and_a_reason(recorder: Recorder) -> None:
    record = recorder.record(provider="openai", model="gpt-99", input_tokens=1000, output_tokens=500)
    assert (record.cost, record.cost_status) == (None, "unpriced")
    assert "gpt-99" in (record.charge.reason or "")


def test_without_usage_nothing_is_claimed(recorder: Recorder) -> None:
    record = recorder.record(provider="openai", model="gpt-4o", status="error", error="boom")
    assert (record.cost, record.cost_status, record.success) == (None, "unpriced", False)


def test_cached_and_written_tokens_are_parts_of_the_input(recorder: Recorder) -> None:
    record = recorder.record(
        provider="openai",
        model="gpt-4o",
        input_tokens=1000,
        cached_tokens=400,
        output_tokens=100,
        reasoning_tokens=10,
    )
    assert record.usage.units == {"input": 600, "cache_read": 400, "output": 90, "reasoning": 10}
    assert record.cost == Decimal("0.003")


def test_units_and_usages_are_taken_as_they_are(recorder: Recorder) -> None:
    by_units = recorder.record(provider="openai", model="gpt-4o", usage={"input": 600, "cache_read": 400})
    by_usage = recorder.record(
        provider="openai", model="gpt-4o", usage=Usage.of({"input": 600, "cache_read": 400})
    )
    assert by_units.usage == by_usage.usage
    with pytest.raises(UsageError, match="not both"):
        recorder.record(usage={"input": 1}, input_tokens=1)


def test_who_it_was_for_comes_from_the_context_and_the_call_has_the_last_word(recorder: Recorder) -> None:
    with context(user="u1", session="s1", team="search", feature="a"), context(user="u2", feature=None):
        inside = recorder.record(provider="openai", model="gpt-4o", tags={"team": "sales"})
        given = recorder.record(provider="openai", model="gpt-4o", user=7)
    outside = recorder.record(provider="openai", model="gpt-4o")
    assert (inside.user, inside.session) == ("u2", "s1")
    assert dict(inside.tags) == {"service": "web", "team": "sales"}
    assert given.user == "7"
    assert (outside.user, dict(outside.tags)) == (None, {"service": "web"})


def test_a_tag_of_none_is_no_tag_and_takes_away_what_the_context_says(recorder: Recorder) -> None:
    with context(team="search", feature="a"):
        record = recorder.record(model="m", tags={"team": None, "row": None})
    assert dict(record.tags) == {"service": "web", "feature": "a"}


def test_an_error_text_makes_it_an_error(recorder: Recorder) -> None:
    assert recorder.record(error="boom").status == "error"
    assert recorder.record(success=False).status == "error"
    assert recorder.record(success=True).status == "success"


@pytest.mark.parametrize(
    ("said", "operation"),
    [
        ({"api": "embeddings"}, "embeddings"),
        ({"api": "cohere_embed"}, "embeddings"),
        ({"api": "rerank"}, "retrieval"),
        ({"api": "completions"}, "text_completion"),
        ({"api": "generate_content"}, "generate_content"),
        ({"api": "responses"}, "chat"),
        ({"api": "a gateway of ours"}, "chat"),
        ({"api": None, "operation": None}, "chat"),
        ({"api": "embeddings", "operation": "retrieval"}, "retrieval"),
        ({"api": "embeddings", "operation": None}, "embeddings"),
        ({}, "chat"),
    ],
)
def test_the_operation_follows_from_the_api_where_nobody_says_it(
    recorder: Recorder, said: dict[str, Any], operation: str
) -> None:
    """The names are OpenTelemetry's, as a hook on the same API would record them."""
    record = recorder.record(provider="openai", model="text-embedding-3-small", input_tokens=8, **said)
    assert (record.operation, record.api) == (operation, said.get("api"))


def test_an_unknown_keyword_names_the_nearest(recorder: Recorder, kept: Kept) -> None:
    with pytest.raises(TypeError, match="input_tokens"):
        recorder.record(provider="openai", model="gpt-4o", imput_tokens=3)
    assert not kept.entries


def test_a_pricer_that_fails_does_not_lose_the_call(kept: Kept, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no book")

    record = Recorder(kept, clock=SystemClock(), price=broken).record(model="m", input_tokens=1)
    assert (record.cost, record.charge.flags) == (None, ("pricing_failed",))
    assert kept.only is record


def test_a_score_names_its_record(recorder: Recorder, kept: Kept) -> None:
    recorder.score("some-id", quality_score=0.9, correct=True)
    assert kept.entries[0].quality_score == 0.9  # type: ignore[union-attr]
    with pytest.raises(UsageError, match="needs"):
        recorder.score("some-id")


class Lazy:
    """What asks a database for its text, as Django's user of a request, and finds none."""

    def __str__(self) -> str:
        raise ConnectionError("no database")


class Lying(Lazy):
    """A stand-in that must not even be asked what it is."""

    @property
    def __class__(self) -> Any:
        return str(self)

    @__class__.setter
    def __class__(self, _kind: Any) -> None: ...


ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)


@pytest.mark.parametrize("make", [Lazy, lambda: 10**5000], ids=["lazy", "digits"])
def test_an_attribute_that_has_no_text_is_left_out_and_the_call_is_kept(
    recorder: Recorder, kept: Kept, make: Callable[[], object]
) -> None:
    value = make()

    @track(lambda: recorder, user=value, team="search")
    def tracked() -> None:
        recorder.record(provider="openai", model="gpt-4o", input_tokens=1)

    with context(user="u1", session="s1", team="web"):
        tracked()
        with context(user=value, team=value):
            recorder.record(provider="openai", model="gpt-4o", input_tokens=1)
        recorder.record(session=value, tags={"team": value, "tier": 2}, prompt=value, error=value)
    assert [(each.user, each.session, each.tags.get("team")) for each in kept.records] == [
        (None, "s1", "search"),  # not u1: nobody knows whom it is for
        (None, "s1", None),
        ("u1", None, None),
    ]
    assert kept.records[-1].status == "error"
    failures.clear()


@pytest.mark.parametrize("make", [lambda: ENDLESS, Lazy, Lying], ids=["endless", "lazy", "lying"])
def test_what_cannot_be_kept_beside_a_call_loses_none(
    recorder: Recorder, kept: Kept, make: Callable[[], object]
) -> None:
    recorder.record(provider="openai", extra={"order": 7, "row": make()})
    assert kept.only.extra == {"order": 7}
    failures.clear()
