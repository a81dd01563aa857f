"""A count that an answer leaves out is unknown: taking one away makes no usage smaller without a word."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from tests.support.golden import CASES

from outlay.core.errors import ResponseError
from outlay.core.usage import Usage
from outlay.extract import read

Path = tuple[str | int, ...]
USAGES = frozenset({"usage", "usageMetadata", "usage_metadata", "meta", "usage_info", "usage_breakdown"})
FLAT = frozenset(
    {
        *("prompt_token_count", "generation_token_count", "inputTextTokenCount", "tokenCount"),
        *("prompt_eval_count", "eval_count", "inputTokenCount", "outputTokenCount", "token_count"),
    }
)
MAY_BE_ABSENT = {
    "cache_read_input_tokens": "bodies of Anthropic's API without a cache leave it out",
    "cache_creation_input_tokens": "likewise",
    "cache_creation": "the lifetimes are younger than the writes: those without one are for five minutes",
    "ephemeral_1h_input_tokens": "likewise",
    "server_tool_use": "stands where a tool was used",
    "web_search_requests": "likewise",
    "web_fetch_requests": "likewise",
    "iterations": "stands where there was more than one",
    "model": "of an iteration: only then is it known that another model made it",
    "delta.input_tokens": "a message's last event repeats what its first one said, where it says it at all",
    "cohere_embed.input_tokens": "images have tokens of their own",
    "prompt_tokens_details": "parts of the prompt, which has them all the same",
    "image_tokens": "likewise",
    "cached_tokens": "likewise",
    "completion_tokens_details": "parts of what was answered, likewise",
    "output_tokens_details": "likewise",
    "reasoning_tokens": "likewise",
    "cacheWriteInputTokens": "Converse says it twice, and the other one is read",
    "topicPolicyUnits": "a guardrail states the policies that it has",
    "contentPolicyUnits": "likewise",
    "wordPolicyUnits": "likewise",
    "eval_count": "Ollama's server leaves out what is 0",
    "pages_processed_annotation": "stands where pages were annotated",
    "prompt_audio_seconds": "measures again what the tokens of the sound say",
    "billable_audio_seconds": "likewise",
    "num_server_side_tools_used": "stands where tools were used",
    "server_side_tools_used": "likewise",
    "server_side_tool_usage_details": "likewise; without their kinds the number of calls has no rate",
    "server_tool_use_details": "likewise",
}
"""Keys whose absence tells that there was nothing, or takes nothing off the bill; each with the reason."""


def paths(value: Any, at: Path = (), *, within: bool = False) -> Iterator[Path]:
    """Give the place of every key of a usage in a body."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if within or key in FLAT:
                yield (*at, key)
            yield from paths(inner, (*at, key), within=within or key in USAGES)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from paths(inner, (*at, place), within=within)


def without(body: Any, path: Path) -> Any:
    less = deepcopy(body)
    inner = less
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return less


def names_of(api: str, path: Path) -> tuple[str, ...]:
    """Name the key of a place: alone, with its API, and as one of an event's own usage."""
    key = str(path[-1])
    return (key, f"{api}.{key}", *((f"delta.{key}",) if path[1:2] == ("usage",) else ()))


def says_more(less: Usage, whole: Usage) -> bool:
    """Whether a usage tells of something odd that the whole one does not have."""
    return bool(set(less.flags) - set(whole.flags)) or (less.reason is not None and whole.reason is None)


def is_smaller(less: Usage, whole: Usage) -> bool:
    """Whether there are fewer tokens or fewer of another unit; tokens that only change their kind are not."""
    others = [
        unit for unit, _ in whole.items if "put" not in unit and "cache" not in unit and unit != "reasoning"
    ]
    return less.total_tokens < whole.total_tokens or any(less[unit] < whole[unit] for unit in others)


def bodies() -> Iterator[tuple[dict[str, Any], Any]]:
    for case in CASES:
        body = case.get("response", case.get("events"))
        if isinstance(body, dict | list) and "error" not in case.get("flags", []):
            yield case, body


@pytest.mark.parametrize(
    ("case", "body"), list(bodies()), ids=lambda each: each.get("name") if "api" in each else ""
)
def test_no_key_of_a_usage_can_be_taken_away_without_a_word(case: dict[str, Any], body: Any) -> None:
    provider, api = case["provider"], case["api"]
    try:
        whole = read(body, provider=provider, api=api)
    except ResponseError:
        return
    silent = []
    for path in paths(body):
        if not MAY_BE_ABSENT.keys().isdisjoint(names_of(api, path)):
            continue
        try:
            less = read(without(body, path), provider=provider, api=api)
        except ResponseError:
            continue
        odd_already = "partial" in whole.flags or "bad_count" in whole.flags
        if is_smaller(less, whole) and not says_more(less, whole) and not odd_already:
            silent.append(path)
    assert silent == []


def sides(**more: Any) -> dict[str, Any]:
    return {"input_tokens": 9, **more}


NO_INPUT, NO_OUTPUT = "the usage has no input tokens", "the usage has no output tokens"
PART = ("partial",)
LIVE = {"promptTokenCount": 9}
INTERACTION = {"total_output_tokens": 4}
TITAN = {"inputTextTokenCount": 9}


@pytest.mark.parametrize(
    ("api", "body", "flags", "reason"),
    [
        ("images", {"usage": sides()}, PART, NO_OUTPUT),
        ("images", {"usage": {"output_tokens": 4}}, PART, NO_INPUT),
        ("images", {"usage": sides(total_tokens=9)}, (), None),  # the total says that there is no more
        ("images", {"usage": {"completion_tokens": 4}}, PART, "the usage has no prompt tokens"),
        ("transcription", {"usage": sides(type="tokens")}, PART, NO_OUTPUT),
        ("transcription", {"usage": {"output_tokens": 4}}, PART, NO_INPUT),
        ("transcription", {"usage": {"type": "duration", "of": {"a": 0}}}, PART, "the usage has no seconds"),
        ("realtime", {"usage": sides()}, PART, NO_OUTPUT),
        ("realtime", {"usage": {"output_tokens": 4}}, PART, NO_INPUT),
        ("live", {"usageMetadata": LIVE}, PART, NO_OUTPUT),
        ("live", {"usageMetadata": {"responseTokenCount": 4}}, PART, NO_INPUT),
        ("live", {"usageMetadata": {**LIVE, "totalTokenCount": 9}}, (), None),
        (
            "live",
            {"usageMetadata": {**LIVE, "thoughtsTokenCount": 3, "totalTokenCount": 12}},
            ("reasoning_additive",),
            None,
        ),
        ("interactions", {"usage": INTERACTION}, PART, NO_INPUT),
        ("interactions", {"usage": {"total_input_tokens": 9}}, PART, NO_OUTPUT),
        ("interactions", {"usage": {**INTERACTION, "total_tokens": 4}}, (), None),
        ("generate_content", {"usageMetadata": LIVE}, PART, NO_OUTPUT),
        ("generate_content", {"usageMetadata": {"candidatesTokenCount": 4}}, PART, NO_INPUT),
        ("generate_content", {"usageMetadata": {**LIVE, "responseTokenCount": 4}}, (), None),
        ("embeddings", {"usageMetadata": LIVE, "embeddings": []}, (), None),
        ("cohere_chat", {"usage": {"billed_units": sides()}}, PART, NO_OUTPUT),
        ("cohere_chat", {"meta": {"billed_units": {"output_tokens": 4}}}, PART, NO_INPUT),
        ("cohere_embed", {"meta": {"billed_units": sides()}, "embeddings": []}, (), None),
        ("rerank", {"meta": {"billed_units": {"search_units": 1}}}, (), None),
        ("invoke_model", {"prompt_token_count": 9}, PART, NO_OUTPUT),
        ("invoke_model", {"generation_token_count": 4}, PART, NO_INPUT),
        ("invoke_model", {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 9}}, PART, NO_OUTPUT),
        ("invoke_model", {"usage": {"outputTokens": 4}}, PART, NO_INPUT),
        ("invoke_model", {"usage": {"completion_tokens": 4}}, PART, "the usage has no prompt tokens"),
        ("invoke_model", TITAN, (), None),  # of embeddings
        ("invoke_model", {**TITAN, "results": [{}]}, PART, NO_OUTPUT),
        (
            "invoke_model",
            {**TITAN, "results": [{"tokenCount": 1}, {}]},
            PART,
            "not every result states its tokens",
        ),
        (
            "invoke_model",
            {
                "prompt_token_count": 9,
                "generation_token_count": 1,
                "amazon-bedrock-invocationMetrics": {"inputTokenCount": 9, "outputTokenCount": 60},
            },
            ("total_mismatch",),
            None,
        ),
        ("ocr", {"usage_info": {"pages_processed_annotation": 2}}, PART, "the usage has no pages"),
        (
            "embeddings",
            {"predictions": [{"embeddings": {"statistics": {"token_count": 3}}}, {"embeddings": {}}]},
            PART,
            "not every embedding states its tokens",
        ),
    ],
)
def test_a_side_that_is_absent_is_unknown_unless_the_total_says_that_there_is_none(
    api: str, body: dict[str, Any], flags: tuple[str, ...], reason: str | None
) -> None:
    provider = {"invoke_model": "bedrock", "ocr": "mistral", "rerank": "cohere"}.get(api, "openai")
    found = read(body, provider=provider, api=api)
    assert (found.flags, found.reason) == (flags, reason)


def test_what_is_odd_in_a_part_is_said_of_the_whole() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}
    parts = [{"model": "a", "usage": {**usage, "completion_tokens": -4, "total_tokens": 10}}]
    found = read(
        {"model": "groq/compound", "usage": usage, "usage_breakdown": {"models": parts}},
        provider="groq",
        api="chat",
    )
    assert (found.units, found.flags) == ({"input": 10}, ("clamped", "total_mismatch"))


def test_a_transcript_without_usage_is_not_free() -> None:
    turn = {"type": "response.done", "response": {"usage": {**sides(output_tokens=4), "total_tokens": 13}}}
    heard = {"type": "conversation.item.input_audio_transcription.completed"}
    found = read([turn, heard], provider="azure", api="realtime")
    assert (found.units, found.flags, found.parts) == ({"input": 9, "output": 4}, PART, ())
    assert found.reason == "a transcript of the input came without its usage"


def test_a_message_whose_end_does_not_say_what_was_answered_is_not_whole() -> None:
    start = {"type": "message_start", "message": {"usage": sides(output_tokens=1)}}
    more = {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 40}}
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"input_tokens": 9}}
    found = read([start, more, end], provider="anthropic", api="messages")
    assert (found.units, found.flags) == ({"input": 9, "output": 40}, PART)
    assert found.reason == "the stream's end has no output tokens"


def test_calls_of_xai_s_tools_that_no_kind_accounts_for_are_said() -> None:
    usage = {
        **sides(output_tokens=4, total_tokens=13),
        "num_server_side_tools_used": 3,
        "server_side_tool_usage_details": {"web_search_calls": 2},
    }
    found = read({"usage": usage}, provider="xai", api="responses")
    assert (found["web_search"], found.flags) == (2, ("total_mismatch",))
