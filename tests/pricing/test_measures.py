"""What is stated in tokens and in seconds or characters: charged once, by the unit that the card bills."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from outlay.core.usage import Usage
from outlay.pricing import cost_of
from outlay.pricing.measures import charged_once
from outlay.pricing.rates import Rate, filled

AT = datetime(2026, 11, 1, tzinfo=UTC)
HEARD = {"input": 9, "input_audio": 375, "output": 200, "audio_seconds": 4}


def rates(**each: str) -> dict[str, Rate]:
    return filled(
        {unit: Rate(Decimal(rate), 1 if unit == "audio_seconds" else 10**6) for unit, rate in each.items()}
    )


@pytest.mark.parametrize(
    ("card", "kept"),
    [
        (rates(input="1", output="2", audio_seconds="0.1"), {"input", "output", "audio_seconds"}),
        (
            rates(input="1", output="2", input_audio="5", audio_seconds="0.1"),
            {"input", "input_audio", "output"},
        ),
        (rates(input="1", output="2"), {"input", "input_audio", "output"}),
        (rates(audio_seconds="0.1"), {"audio_seconds"}),
        (rates(output="2"), {"input", "input_audio", "output", "audio_seconds"}),  # both are missed
    ],
    ids=["by seconds and tokens", "by audio tokens", "no seconds", "by time alone", "neither"],
)
def test_one_measure_of_the_same_sound_is_charged(card: dict[str, Rate], kept: set[str]) -> None:
    assert {unit for unit, _ in charged_once(Usage.of(HEARD).items, card)} == kept


def test_seconds_without_tokens_and_tokens_without_seconds_stay() -> None:
    for counts in ({"audio_seconds": 4}, {"input": 1, "input_audio": 2}, {"input": 1, "audio_seconds": 4}):
        items = Usage.of(counts).items
        assert charged_once(items, rates(input="1", output="2", audio_seconds="0.1")) == items


def test_voxtral_chat_pays_sound_by_the_second_and_text_by_tokens() -> None:
    cost = cost_of(Usage.of(HEARD), provider="mistral", model="voxtral-small-latest", at=AT)
    # 9 x 0.10 and 200 x 0.40, each a million; 4 seconds at 0.000066666666666667
    assert cost.amount == Decimal("0.0000009") + Decimal("0.00008") + Decimal("0.000266666666666668")
    assert (cost.status, cost.flags) == ("priced", ("other_measure",))


def test_xai_voice_pays_by_the_second_alone() -> None:
    usage = Usage.of({"input": 8, "output": 27, "output_audio": 349, "audio_seconds": 3})
    cost = cost_of(usage, provider="xai", model="grok-voice-think-fast-1.0", at=AT)
    assert [line.unit for line in cost.lines] == ["audio_seconds"]
    assert (cost.status, cost.reason) == ("priced", None)


def test_seconds_that_no_rate_knows_are_missed() -> None:
    usage = Usage.of({"input": 8, "audio_seconds": 3})
    assert cost_of(usage, provider="openai", model="gpt-4o", at=AT).status == "partial"


READ = {"input": 10, "input_image": 7, "cache_read": 3, "output": 2, "characters": 40}


@pytest.mark.parametrize(
    ("card", "left_out"),
    [
        (rates(input="1", cache_read="1", output="2", characters="0.25"), {"input", "cache_read"}),
        (rates(output="2", characters="0.25"), {"input", "cache_read"}),
        (rates(input="1", output="2"), {"characters"}),
        (rates(output="2"), set()),  # both are missed
    ],
    ids=["both", "characters alone", "tokens alone", "neither"],
)
def test_one_measure_of_the_same_text_is_charged(card: dict[str, Rate], left_out: set[str]) -> None:
    assert {unit for unit, _ in charged_once(Usage.of(READ).items, card)} == set(READ) - left_out


def test_characters_without_tokens_and_tokens_without_characters_stay() -> None:
    for counts in ({"characters": 4}, {"input": 1, "output": 2}, {"output": 1, "characters": 4}):
        items = Usage.of(counts).items
        assert charged_once(items, rates(input="1", output="2", characters="0.25")) == items


def test_vertexs_embeddings_pay_by_the_character() -> None:
    """Both were charged: 0.000002."""
    usage = Usage.of({"input": 10, "characters": 40})
    cost = cost_of(usage, provider="vertex", model="text-embedding-005", at=AT)
    assert [line.unit for line in cost.lines] == ["characters"]
    assert (cost.amount, cost.status) == (Decimal("0.000001"), "priced")
    assert cost.flags == ("other_measure",)


@pytest.mark.parametrize(
    "model", ["text-embedding-004", "text-embedding-005", "text-multilingual-embedding-002"]
)
def test_a_batch_of_vertexs_embeddings_is_a_fifth_cheaper(model: str) -> None:
    """Characters cost as much as without a batch, and the reason said half."""
    line = Usage.of({"input": 10, "characters": 40}, terms=(("batch", "true"),))
    cost = cost_of(line, provider="vertex", model=model, at=AT)
    # 40 characters at 2 cents a million
    assert (cost.amount, cost.status, cost.reason) == (Decimal("0.0000008"), "priced", None)
    by_tokens = cost_of({"input": 10}, provider="vertex", model=model, at=AT, batch="true")
    assert (by_tokens.amount, by_tokens.flags) == (Decimal("0.0000008"), ())


def test_gemini_s_embeddings_on_vertex_pay_by_the_token() -> None:
    usage = Usage.of({"input": 10, "characters": 40})
    cost = cost_of(usage, provider="vertex", model="gemini-embedding-001", at=AT)
    assert [line.unit for line in cost.lines] == ["input"]
    assert (cost.amount, cost.status, cost.flags) == (Decimal("0.0000015"), "priced", ("other_measure",))
