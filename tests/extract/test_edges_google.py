"""Gemini at its edges: what is read in one go, streams and live sessions, worked out by hand."""

from types import SimpleNamespace
from typing import Any

import pytest

from outlay.core.units import MAX_QUANTITY
from outlay.extract import collector, read, usual_of_body
from outlay.extract.google import usual_generate_content
from outlay.extract.google_usual import usual_items

Items = tuple[tuple[str, int], ...] | None
ASKED, SAID = ("input", 10), ("output", 4)


def gemini(prompt: Any = 10, shown: Any = 4, total: Any = 14, **more: Any) -> dict[str, Any]:
    return {"promptTokenCount": prompt, "candidatesTokenCount": shown, "totalTokenCount": total, **more}


def rows(*shares: tuple[str, Any]) -> list[dict[str, Any]]:
    return [{"modality": modality, "tokenCount": count} for modality, count in shares]


@pytest.mark.parametrize(
    ("usage", "items"),
    [
        (gemini(), (ASKED, SAID)),
        ({"promptTokenCount": 10, "totalTokenCount": 10}, (ASKED,)),  # nothing was answered, nor thought
        (gemini(0, 4, 4), (SAID,)),
        (gemini(thoughtsTokenCount=6, total=20), (ASKED, SAID, ("reasoning", 6))),
        (gemini(toolUsePromptTokenCount=6, total=20), (("input", 16), SAID)),
        (gemini(cachedContentTokenCount=10), (("cache_read", 10), SAID)),
        (gemini(cachedContentTokenCount=11), None),
        (gemini(total=15), None),
        *((gemini(prompt, 4, 4 + prompt), None) for prompt in (-1, 2.0, True)),
        (gemini(10, -1, 9), None),
        (gemini(MAX_QUANTITY, 0, MAX_QUANTITY), (("input", MAX_QUANTITY),)),
        (gemini(MAX_QUANTITY + 1, 0, MAX_QUANTITY + 1), None),
        (gemini(countOfTomorrow=0), None),
        *((gemini(serviceTier=tier), (ASKED, SAID)) for tier in (None, "", "x" * 100, 2)),
        *((gemini(serviceTier=tier), None) for tier in ("x" * 101, -1, 2**70, True, 1.0, ["flex"])),
        (gemini(listOfTomorrow=[]), None),
        (gemini(promptTokensDetails={}), None),
        (
            gemini(promptTokensDetails=rows(("TEXT", 4), ("AUDIO", 6))),
            (("input", 4), ("input_audio", 6), SAID),
        ),
        (gemini(promptTokensDetails=rows(("AUDIO", 10))), (("input_audio", 10), SAID)),
        (gemini(promptTokensDetails=rows(("AUDIO", 11))), None),
        (gemini(promptTokensDetails=rows(("AUDIO", 12))), None),
        (gemini(candidatesTokensDetails=rows(("IMAGE", 4))), (ASKED, ("output_image", 4))),
        (gemini(candidatesTokensDetails=rows(("IMAGE", 5))), None),
        (gemini(candidatesTokensDetails=rows(("IMAGE", 6))), None),
        *(
            (gemini(promptTokensDetails=rows(("AUDIO", odd))), None)
            for odd in (-1, 2.0, None, MAX_QUANTITY + 1)
        ),
        (gemini(promptTokensDetails=rows(("AUDIO", 0))), (ASKED, SAID)),
        (
            gemini(promptTokensDetails=rows(("AUDIO", 6)), toolUsePromptTokenCount=3, total=17),
            (("input", 7), ("input_audio", 6), SAID),
        ),
    ],
)
def test_gemini(usage: dict[str, Any], items: Items) -> None:
    found = usual_items(usage)
    assert (found if found is None else sorted(found)) == (items if items is None else sorted(items))


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("gemini-3", "r-1"), ("gemini-3", "r-1")),
        (("g", "r"), ("g", "r")),
        (("", "r-1"), (None, "r-1")),
        (("gemini-3", ""), ("gemini-3", None)),
        ((None, None), (None, None)),
        (("", ""), (None, None)),
        ((3, "r-1"), (None, "r-1")),
        (("x" * 101, "r-1"), ("x" * 101, "r-1")),
        (("gémini", "r-1"), ("gémini", "r-1")),
        (("x" * 300, "y" * 300), ("x" * 256, "y" * 256)),  # as long as a name may be
    ],
)
def test_names_of_gemini(names: tuple[Any, Any], said: tuple[str | None, str | None]) -> None:
    found = usual_generate_content(
        {"usageMetadata": gemini(), "modelVersion": names[0], "responseId": names[1]}
    )
    assert found is not None
    assert found[:2] == ((ASKED, SAID), said)


@pytest.mark.parametrize(
    ("usage", "terms"),
    [
        (gemini(), ()),
        (gemini(serviceTier="SERVICE_TIER_FLEX"), (("service_tier", "flex"),)),
        (gemini(trafficType="PROVISIONED_THROUGHPUT"), (("traffic_type", "provisioned_throughput"),)),
        (
            gemini(serviceTier="standard", trafficType="ON_DEMAND_PRIORITY"),
            (("service_tier", "priority"), ("traffic_type", "on_demand_priority")),
        ),
        (gemini(trafficType=1), (("traffic_type", "on_demand"),)),
        (gemini(trafficType=2), (("traffic_type", "provisioned_throughput"),)),
        (gemini(trafficType=0), ()),
    ],
)
def test_terms_of_gemini(usage: dict[str, Any], terms: tuple[tuple[str, str], ...]) -> None:
    body = {"usageMetadata": usage, "modelVersion": "gemini-3", "responseId": "r-1"}
    said = usual_of_body(body, "google", "generate_content")
    assert said == ((ASKED, SAID), ("gemini-3", "r-1"), terms, usage)
    assert read(body, provider="google", api="generate_content").terms == terms


@pytest.mark.parametrize(
    "body",
    [
        {"usageMetadata": gemini(total=15)},
        {"usageMetadata": [gemini()]},
        {"usageMetadata": gemini(), "candidates": [{"groundingMetadata": {"webSearchQueries": ["q"]}}]},
    ],
)
def test_an_answer_of_gemini_that_says_more(body: dict[str, Any]) -> None:
    assert usual_of_body(body, "google", "generate_content") is None


@pytest.mark.parametrize(
    "searched",
    [
        {"groundingMetadata": {"webSearchQueries": ["a", "b"]}},
        {"grounding_metadata": {"web_search_queries": ["a", "b"]}},
    ],
)
def test_searches_that_an_earlier_chunk_tells_of_are_counted(searched: dict[str, Any]) -> None:
    stream: Any = collector("google", "generate_content")
    stream.add({"candidates": [searched, {}]})
    stream.add({"candidates": [{"content": {}}]})
    stream.add({"usageMetadata": gemini()})
    stream.add({"candidates": [{"finishReason": "STOP"}]})
    assert stream.usage().units == {"input": 10, "output": 4, "web_search": 2}
    assert stream.as_body() is not None
    begun: Any = collector("google", "generate_content")
    begun.add({"usageMetadata": gemini(), "candidates": [{"content": {}}]})
    assert begun.as_body() is None


def test_the_seconds_of_a_live_session_are_whole_at_any_time() -> None:
    stream = collector("openai", "live")
    stream.add({"usage": {"seconds": 3}})
    assert (stream.complete, stream.usage().units) == (True, {"audio_seconds": 3})


def test_a_live_session_is_whole_where_a_turn_has_ended_with_its_usage() -> None:
    stream = collector("google", "live")
    stream.add({"setupComplete": {}})
    assert not stream.complete
    stream.add({"serverContent": {"modelTurn": {}}})
    stream.add({"usageMetadata": {"promptTokenCount": 10, "responseTokenCount": 4, "totalTokenCount": 14}})
    stream.add({"toolCall": {}})
    assert (stream.complete, stream.usage().units, stream.usage().flags) == (
        True,
        {"input": 10, "output": 4},
        (),
    )
    contents: list[dict[str, Any]] = [{"serverContent": {}}, {"server_content": {"turn_complete": False}}]
    for content in contents:
        stream.add(content)
        assert (stream.complete, stream.usage().flags) == (False, ("partial",))
        stream.add(SimpleNamespace(usage_metadata={"prompt_token_count": 1, "total_token_count": 1}))
        assert stream.complete
    assert stream.usage().units == {"input": 12, "output": 4}
    assert collector("google", "live").complete is False


def test_what_an_interaction_had_cached_is_taken_off_by_modality() -> None:
    usage = {
        "total_input_tokens": 10,
        "total_cached_tokens": 6,
        "total_tokens": 10,
        "input_tokens_by_modality": [{"modality": "audio", "tokens": 8}],
        "cached_tokens_by_modality": [{"modality": "audio", "tokens": 5}],
    }
    # of 8 of audio 5 were cached, of 2 of text 1
    found = read({"usage": usage}, provider="google", api="interactions")
    assert found.units == {"cache_read_audio": 5, "cache_read": 1, "input_audio": 3, "input": 1}


@pytest.mark.parametrize(
    ("usage", "flags"),
    [
        (gemini(total=15), ("total_mismatch",)),
        (gemini(countOfTomorrow=3), ("unknown_keys",)),
        (gemini(thoughtsTokenCount=6, toolUsePromptTokenCount=5, total=25), ()),
    ],
)
def test_what_is_odd_about_a_usage_of_gemini_is_flagged(
    usage: dict[str, Any], flags: tuple[str, ...]
) -> None:
    assert read({"usageMetadata": usage}, provider="google", api="generate_content").flags == flags


def test_what_becomes_of_the_usages_of_a_held_stream_changes_nothing() -> None:
    stream: Any = collector("google", "generate_content")
    parts = rows(("AUDIO", 6))
    last = gemini(promptTokensDetails=parts)
    stream.add({"usageMetadata": {"promptTokenCount": 10}, "candidates": [{"content": {}}]})
    stream.add({"usageMetadata": last, "candidates": [{"finishReason": "STOP"}]})
    stream.hold()
    parts[0]["tokenCount"] = last["candidatesTokenCount"] = 1
    assert stream.usage().units == {"input": 4, "input_audio": 6, "output": 4}
    parts.clear()
    assert stream.usage().units == {"input": 4, "input_audio": 6, "output": 4}


def test_what_is_odd_about_a_turn_or_an_interaction_is_flagged() -> None:
    turn = {"promptTokenCount": 10, "responseTokenCount": 4, "totalTokenCount": 14, "tomorrows": 1}
    found = read([{"usageMetadata": turn}], provider="google", api="live")
    assert (found.units, found.flags) == ({"input": 10, "output": 4}, ("unknown_keys",))
    usage = {"total_input_tokens": 10, "total_output_tokens": 4}
    for more, flags in (
        ({"total_tokens": 14}, ()),
        ({"total_tokens": 15}, ("total_mismatch",)),
        ({"tomorrows": 1}, ("unknown_keys",)),
    ):
        found = read({"usage": {**usage, **more}}, provider="google", api="interactions")
        assert (found.units, found.flags) == ({"input": 10, "output": 4}, flags)
