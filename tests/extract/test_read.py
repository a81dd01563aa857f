"""The face of the room: what is read, what is refused, and how an API is recognised."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from outlay.core.errors import ResponseError
from outlay.extract import APIS, collector, operation_of, read, words_of
from outlay.pricing import cost_of

GOLDEN = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "golden" / "extract.jsonl").read_text("utf-8").splitlines()
]
CHAT = {"model": "m", "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}}


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["name"])
def test_without_its_name_an_api_is_recognised(case: dict[str, Any]) -> None:
    body = case.get("response", case.get("events", case.get("sse")))
    named = read(body, provider=case["provider"], api=case["api"])
    usage = read(body, provider=case["provider"])

    assert usage.items == named.items


@pytest.mark.parametrize("body", [None, 3, 2.5, True, "null", "3", b'"text"', "", [], [1, 2], ["a"], "[1]"])
def test_what_is_no_object_is_refused(body: Any) -> None:
    with pytest.raises(ResponseError):
        read(body, provider="openai", api="chat")


@pytest.mark.parametrize("call", [lambda: collector("openai", "chatt"), lambda: operation_of("chatt")])
def test_an_unknown_api_is_refused_with_the_names_that_are(call: Any) -> None:
    with pytest.raises(ResponseError, match=r"no API is named 'chatt'; name one of chat, responses, "):
        call()


def test_text_bytes_and_mapping_of_one_body_are_the_same() -> None:
    text = json.dumps(CHAT)
    usage = read(CHAT, provider="openai", api="chat")

    assert usage.units == {"input": 3, "output": 4}
    assert read(text, provider="openai", api="chat") == usage
    assert read(text.encode(), provider="openai", api="chat") == usage
    assert read("\ufeff" + text, provider="openai", api="chat") == usage


def test_a_shape_that_nobody_knows_is_said_to_be_one() -> None:
    usage = read({"usage": {"widgets": 4}, "id": "x"}, provider="openai")

    assert (usage.items, usage.flags, usage.response_id) == ((), ("unknown_keys",), "x")
    assert usage.reason == "the response has no known shape: name its api"


def test_an_error_of_no_known_shape_is_an_error() -> None:
    usage = read({"error": {"type": "overloaded"}}, provider="openai")

    assert (usage.flags, usage.reason) == (("error",), "the provider answered with an error: overloaded")


def test_the_text_of_an_error_is_not_kept() -> None:
    usage = read({"error": {"message": "secret prompt", "type": "x"}}, provider="openai", api="chat")

    assert "secret" not in repr(usage)


def test_raw_is_the_usage_alone_and_a_copy() -> None:
    counts = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    body = {"usage": counts, "choices": [{"message": {"content": "secret reply"}}]}
    usage = read(body, provider="openai", api="chat")
    counts["prompt_tokens"] = 99

    assert usage.raw == {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    assert "secret" not in repr(usage)


def test_raw_cuts_prose_and_writes_huge_numbers_as_text() -> None:
    usage = read(
        {"usage": {"input_tokens": 1, "output_tokens": 2, "note": "x" * 500, "big": 10**40, "pair": (1, 2)}},
        provider="anthropic",
        api="messages",
    )

    assert usage.raw is not None
    assert usage.raw["note"] == "x" * 100
    assert usage.raw["big"] == "about 2^133"
    assert usage.raw["pair"] == [1, 2]


NAMED = [
    ("openai", "chat", {"model": "{}", "id": "{}", "usage": CHAT["usage"]}),
    ("anthropic", "messages", {"model": "{}", "id": "{}", "usage": {"input_tokens": 3, "output_tokens": 4}}),
    (
        "google",
        "generate_content",
        {"modelVersion": "{}", "responseId": "{}", "usageMetadata": {"promptTokenCount": 3}},
    ),
    (
        "vertex",
        "generate_content",
        {"model_version": "{}", "response_id": "{}", "usage_metadata": {"prompt_token_count": 3}},
    ),
    ("openai", "responses", {"model": "{}", "id": "{}"}),
]


@pytest.mark.parametrize(
    ("provider", "api", "body"), NAMED, ids=lambda each: each if isinstance(each, str) else ""
)
@pytest.mark.parametrize(
    ("name", "kept"),
    [("m" * 256, "m" * 256), ("m" * 257, "m" * 256), ("m\ud800", "m?"), ("", None), (5, None), (["m"], None)],
)
def test_a_name_is_kept_up_to_256_characters_that_anything_can_write(
    provider: str, api: str, body: dict[str, Any], name: Any, kept: str | None
) -> None:
    usage = read(
        {key: name if value == "{}" else value for key, value in body.items()}, provider=provider, api=api
    )
    assert usage.model == kept
    assert usage.response_id == kept


def test_the_model_that_a_router_chose_is_named_whole() -> None:
    # 101 characters; "us." costs a tenth more than the 3 dollars a million of elsewhere
    arn = "arn:aws:bedrock:us-west-2:123456789012:inference-profile"
    chosen = f"{arn}/us.anthropic.claude-sonnet-4-5-20250929-v1:0"
    body = {
        "usage": {"inputTokens": 100_000, "outputTokens": 0, "totalTokens": 100_000},
        "trace": {"promptRouter": {"invokedModelId": chosen}},
    }
    usage = read(body, provider="bedrock", api="converse")
    assert len(chosen) == 101
    assert usage.model == chosen
    assert cost_of(usage, provider="bedrock", model=usage.model).amount == Decimal("0.33")


@pytest.mark.parametrize("count", [0, 7])
def test_an_embedding_of_vertex_keeps_its_count_also_of_nothing(count: int) -> None:
    body = {"predictions": [{"embeddings": {"statistics": {"token_count": count}}}]}
    usage = read(body, provider="vertex", api="embeddings")
    assert (usage.raw, usage.units) == ({"token_count": count}, {"input": count} if count else {})


@pytest.mark.parametrize(
    "metadata", [{"billableCharacterCount": 65}, {"billable_character_count": 65}], ids=["wire", "sdk"]
)
def test_characters_that_vertex_bills_an_embedding_by_are_those_of_the_whole_answer(
    metadata: dict[str, int],
) -> None:
    """They were not read: the call was priced by its tokens, as if each were of four characters."""
    rows = [{"embeddings": {"statistics": {"token_count": count}}} for count in (4, 6)]
    usage = read({"predictions": rows, "metadata": metadata}, provider="vertex", api="embeddings")
    assert usage.units == {"input": 10, "characters": 65}
    assert usage.raw == {"token_count": 10, "billableCharacterCount": 65}
    # 65 x 0.025 dollars a million characters; 10 tokens at 0.10 had been 0.000001
    cost = cost_of(usage, provider="vertex", model="text-embedding-005")
    assert (cost.amount, cost.status) == (Decimal("0.000001625"), "priced")


def test_characters_alone_are_an_embedding_s_usage_and_tokens_that_one_does_not_state_are_missed() -> None:
    alone = {"predictions": [{"embeddings": {}}], "metadata": {"billableCharacterCount": 8}}
    usage = read(alone, provider="vertex", api="embeddings")
    assert (usage.units, usage.flags) == ({"characters": 8}, ())
    assert usage.raw == {"billableCharacterCount": 8}
    rows = [{"embeddings": {"statistics": {"token_count": 3}}}, {"embeddings": {}}]
    usage = read({**alone, "predictions": rows}, provider="vertex", api="embeddings")
    assert (usage.units, usage.flags) == ({"input": 3, "characters": 8}, ("partial",))


@pytest.mark.parametrize("metadata", ["65", {"billableCharacterCount": "many"}, {"other": 1}, None])
def test_a_count_of_characters_that_is_none_leaves_the_tokens(metadata: object) -> None:
    body = {"predictions": [{"embeddings": {"statistics": {"token_count": 3}}}], "metadata": metadata}
    usage = read(body, provider="vertex", api="embeddings")
    assert usage.units == {"input": 3}
    assert usage.flags == (("bad_count",) if metadata == {"billableCharacterCount": "many"} else ())


def test_the_words_of_a_stream_are_those_of_its_api() -> None:
    assert words_of(None) is None
    assert words_of("chatt") is None
    assert '"usage"' in (words_of("chat") or ())


def test_of_events_without_a_shape_the_last_one_says_why_there_is_no_usage() -> None:
    error = {"error": {"type": "overloaded", "code": 529}}
    usage = read([{"one": 1}, {"two": 2}, error], provider="openai")
    assert (usage.flags, usage.reason) == (("error",), "the provider answered with an error: overloaded")
    assert read([error, {"two": 2}, {"three": 3}], provider="openai").flags == ()


def test_the_name_of_an_error_is_no_longer_than_60_characters() -> None:
    usage = read({"error": {"type": "x" * 61}}, provider="openai", api="chat")
    assert usage.reason == f"the provider answered with an error: {'x' * 60}"


def test_operations_are_opentelemetry_names() -> None:
    known = {"chat", "generate_content", "text_completion", "embeddings", "retrieval"}

    assert {operation_of(api) for api in APIS} == known
    assert operation_of("messages") == "chat"
    assert operation_of("embeddings") == "embeddings"


def test_a_collector_that_saw_nothing_says_so() -> None:
    for api in APIS:
        assert not collector("openai", api).complete, api
        usage = collector("openai", api).usage()
        assert (usage.items, "partial" in usage.flags, bool(usage.reason)) == ((), True, True), api


def test_boto3_chunks_are_decoded() -> None:
    chunks = [
        {
            "type": "message_start",
            "message": {"model": "claude", "usage": {"input_tokens": 9, "output_tokens": 1}},
        },
        {"type": "content_block_delta", "delta": {"text": "hi"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
        {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 9}},
    ]
    events = [{"chunk": {"bytes": json.dumps(chunk).encode()}} for chunk in chunks]

    usage = read(events, provider="bedrock", api="invoke_model")
    assert (usage.units, usage.flags) == ({"input": 9, "output": 5}, ())
    assert read(events, provider="bedrock") == usage
