"""The quick ways at their edges: what they count, what they leave to the whole way, worked out by hand."""

from typing import Any

import pytest

from outlay.core.units import MAX_QUANTITY
from outlay.extract import held, read, usual_of_body
from outlay.extract.bedrock import converse_items
from outlay.extract.common import CHAT, PAID, common_items, common_usage
from outlay.extract.messages import message_items

Items = tuple[tuple[str, int], ...] | None
ASKED, SAID = ("input", 10), ("output", 4)
ODD_TOOLS: tuple[Any, ...] = ({}, {"web_search": {}}, {"web_search": {}, "image_gen": {}, "more": {}}, 3)


def chat(prompt: Any = 10, output: Any = 4, **more: Any) -> dict[str, Any]:
    total = prompt + output
    return {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": total, **more}


@pytest.mark.parametrize(
    ("usage", "items"),
    [
        (chat(), (ASKED, SAID)),
        (chat(0, 4), (SAID,)),
        (chat(10, 0), (ASKED,)),
        (chat(MAX_QUANTITY - 4), (("input", MAX_QUANTITY - 4), SAID)),
        (chat(MAX_QUANTITY - 3), None),
        *(
            (chat(prompt, output), None)
            for prompt, output in ((-5, 10), (10, -5), (-1, 6), (6, -1), (-2, -3))
        ),
        (chat(prompt_tokens_details={"cached_tokens": 10}), (("cache_read", 10), SAID)),
        (chat(prompt_tokens_details={"cached_tokens": 11}), None),
        (
            chat(prompt_tokens_details={"cache_write_tokens": 3}),
            (("input", 7), ("cache_write", 3), SAID),
        ),
        (
            chat(prompt_tokens_details={"cached_tokens": 6, "cache_write_tokens": 4}),
            (("cache_read", 6), ("cache_write", 4), SAID),
        ),
        (chat(prompt_tokens_details={"cached_tokens": 6, "cache_write_tokens": 5}), None),
        (chat(completion_tokens_details={"reasoning_tokens": 0}), (ASKED, SAID)),
        (chat(completion_tokens_details={}), (ASKED, SAID)),
        (chat(completion_tokens_details={"reasoning_tokens": 4}), (ASKED, ("reasoning", 4))),
        (chat(completion_tokens_details={"reasoning_tokens": 5}), None),
        *(
            (chat(prompt_tokens_details={"cached_tokens": odd}), None)
            for odd in (-1, True, 2.0, "2", MAX_QUANTITY + 1)
        ),
        (chat(prompt_tokens_details={"audio_tokens": 2}), None),  # has a rate of its own
        (chat(prompt_tokens_details={"audio_tokens": 0, "cached_tokens": None}), (ASKED, SAID)),
        (chat(prompt_tokens_details={"tokens_of_tomorrow": 0}), None),
        (chat(service_tier="x" * 100), (ASKED, SAID)),
        (chat(latency_checkpoint={"engine_ttft_ms": 70}), (ASKED, SAID)),
        *((chat(latency_checkpoint=odd), None) for odd in (2**70, 7, "x" * 101)),  # huge or long ones are cut
        *((chat(service_tier=tier), None) for tier in ("x" * 101, "é", 3, ["flex"])),
        (chat(queue_time=0.5, total_time=0, prompt_time=MAX_QUANTITY), (ASKED, SAID)),
        *((chat(queue_time=odd), None) for odd in ("1", True, None, -1, MAX_QUANTITY + 1)),
        (chat(prompt_cache_hit_tokens=3), None),  # hits that no details state
        (
            chat(prompt_cache_hit_tokens=3, prompt_tokens_details={"cached_tokens": 3}),
            (("input", 7), ("cache_read", 3), SAID),
        ),
        (chat(num_cached_tokens=3), (("input", 7), ("cache_read", 3), SAID)),
        (chat(num_cached_tokens=3.0), None),
        (
            chat(num_cached_tokens=3, prompt_tokens_details={"cached_tokens": 2}),
            (("input", 8), ("cache_read", 2), SAID),
        ),
    ],
)
def test_the_common_shape(usage: dict[str, Any], items: Items) -> None:
    assert common_items(usage, CHAT) == items


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"prompt_tokens_details": {"cached_tokens": 0}},
        {"completion_tokens_details": {"reasoning_tokens": 0}},
        {"prompt_tokens_details": {"cached_tokens": 0}, "completion_tokens_details": {"text_tokens": 4}},
        {"cost": 0.5, "cost_details": {"upstream_inference_cost": 2}, "is_byok": True},
    ],
)
def test_the_common_shape_is_copied_to_the_floor(more: dict[str, Any]) -> None:
    usage = chat(**more)
    said = common_usage(usage, PAID)
    assert said is not None
    assert (said[1], said[1] is usage) == (usage, False)
    assert not [name for name, value in more.items() if isinstance(value, dict) and said[1][name] is value]


@pytest.mark.parametrize(
    ("more", "items"),
    [
        ({"output_tokens_details": {"thinking_tokens": 0}}, (ASKED, SAID)),
        ({"output_tokens_details": {"thinking_tokens": 1}}, (ASKED, ("output", 3), ("reasoning", 1))),
        ({"output_tokens_details": {"thinking_tokens": 4}}, (ASKED, ("reasoning", 4))),
        *(({"output_tokens_details": {"thinking_tokens": odd}}, None) for odd in (5, -1, True, 1.0, None)),
        ({"output_tokens_details": {}}, None),
        ({"output_tokens_details": [1]}, None),
        ({"output_tokens_details": {"thinking_tokens": 1, "other": 0}}, None),
        ({"server_tool_use": {}}, (ASKED, SAID)),
        ({"server_tool_use": {"web_search_requests": 0, "web_fetch_requests": None}}, (ASKED, SAID)),
        *(({"server_tool_use": {"web_search_requests": odd}}, None) for odd in (1, False, 0.0, "")),
        ({"server_tool_use": []}, None),
        ({"server_tool_use": {"tool_of_tomorrow": 0}}, None),
        ({"speed": None}, (ASKED, SAID)),
        ({"cache_creation_input_tokens": 9, "cache_creation": {
            "ephemeral_1h_input_tokens": -1, "ephemeral_5m_input_tokens": 10}}, None),
    ],
)  # fmt: skip
def test_a_message(more: dict[str, Any], items: Items) -> None:
    assert message_items({"input_tokens": 10, "output_tokens": 4, **more}) == items


@pytest.mark.parametrize(
    ("usage", "items"),
    [
        ({}, (ASKED, SAID)),
        ({"cacheReadInputTokens": 3, "totalTokens": 17}, (ASKED, ("cache_read", 3), SAID)),
        ({"cacheReadInputTokenCount": 3, "totalTokens": 17}, (ASKED, ("cache_read", 3), SAID)),
        ({"cacheWriteInputTokens": 3, "totalTokens": 17}, (ASKED, ("cache_write", 3), SAID)),
        ({"cacheWriteInputTokenCount": 3, "totalTokens": 17}, (ASKED, ("cache_write", 3), SAID)),
        ({"totalTokens": 15}, None),
        ({"totalTokens": None}, None),
        *(({"inputTokens": odd, "totalTokens": 4 + odd}, None) for odd in (-1, True, 2.0)),
        ({"inputTokens": MAX_QUANTITY + 1, "totalTokens": MAX_QUANTITY + 5}, None),
        ({"inputTokens": 0, "totalTokens": 4}, (SAID,)),
        ({"cacheDetails": [], "serverToolUsage": {}}, (ASKED, SAID)),
        ({"cacheDetails": [{"ttl": "5m", "inputTokens": 1}]}, (ASKED, SAID)),
        ({"cacheDetails": [{"ttl": "1h", "inputTokens": 1}]}, None),
        ({"cacheDetails": [{"ttl": "5m"}, {"ttl": "1h"}]}, None),
        ({"cacheDetails": [3]}, None),
        ({"cacheDetails": {"ttl": "5m"}}, None),
        ({"serverToolUsage": {"web_search": 1}}, None),
        ({"serverToolUsage": [{"ttl": "5m"}]}, None),
        ({"countOfTomorrow": 0}, None),
    ],
)
def test_converse(usage: dict[str, Any], items: Items) -> None:
    assert converse_items({"inputTokens": 10, "outputTokens": 4, "totalTokens": 14, **usage}) == items


@pytest.mark.parametrize(
    ("more", "terms"),
    [
        ({}, ()),
        ({"serviceTier": {"type": "Flex"}}, (("service_tier", "flex"),)),
        ({"performanceConfig": {"latency": "Optimized"}}, (("latency", "optimized"),)),
    ],
)
def test_terms_of_converse(more: dict[str, Any], terms: tuple[tuple[str, str], ...]) -> None:
    usage = {"inputTokens": 10, "outputTokens": 4, "totalTokens": 14}
    body = {"usage": usage, "model": "m", **more}
    assert usual_of_body(body, "bedrock", "converse") == ((ASKED, SAID), ("m", None), terms, usage)
    odds: list[dict[str, Any]] = [{"trace": {}}, {"usage": None}, {"usage": {**usage, "totalTokens": 15}}]
    for odd in odds:
        assert usual_of_body({**body, **odd}, "bedrock", "converse") is None


@pytest.mark.parametrize(
    ("tools", "items"),
    [
        ({"web_search": {"num_requests": 2}, "image_gen": {}}, None),  # of which kind, the tools tell
        ({"web_search": {"num_requests": 0}, "image_gen": {"input_tokens": 0}}, (ASKED, SAID)),
        ({"web_search": {}, "image_gen": {}}, (ASKED, SAID)),
        ({"web_search": {}, "image_gen": {"input_tokens": 1}}, None),
        ({"web_search": {}, "image_gen": {"output_tokens": 1}}, None),
        *(
            ({"web_search": {"num_requests": odd}, "image_gen": {}}, None)
            for odd in (-1, True, MAX_QUANTITY + 1)
        ),
        *(({"web_search": odd, "image_gen": {}}, None) for odd in (None, 1)),
        *(({"web_search": {}, "image_gen": odd}, None) for odd in (None, 1)),
        *((odd, None) for odd in ODD_TOOLS),
    ],
)
def test_hosted_tools_of_a_response(tools: Any, items: Items) -> None:
    usage = {"input_tokens": 10, "output_tokens": 4, "total_tokens": 14}
    body = {"usage": usage, "tool_usage": tools}
    said = usual_of_body(body, "openai", "responses")
    assert (said and said[0]) == items
    assert said is None or (said[2], said[3]) == ((), {**usage, "tool_usage": tools})
    flex = usual_of_body({**body, "service_tier": "Flex"}, "openai", "responses")
    assert (flex and flex[2]) == (items and (("service_tier", "flex"),))


def test_a_claude_of_bedrock_without_guardrails_is_a_usual_message() -> None:
    body = {"model": "claude", "usage": {"input_tokens": 10, "output_tokens": 4}}
    said = usual_of_body(body, "bedrock", "invoke_model")
    assert said == ((ASKED, SAID), ("claude", None), (), body["usage"])
    assert usual_of_body({**body, "amazon-bedrock-trace": {}}, "bedrock", "invoke_model") is None


@pytest.mark.parametrize(
    ("api", "reply", "kept"),
    [("chat", "choices", False), ("messages", "content", False), ("responses", "output", True)],
)
def test_a_reply_is_not_held_where_usage_says_all(api: str, reply: str, *, kept: bool) -> None:
    body = {"model": "m", "usage": {"input_tokens": 1}, reply: [{"text": "hello"}]}
    assert (reply in held(body, api)) is kept
    assert reply in held({**body, "usage": None}, api)


def test_what_bedrock_says_of_its_cache_beside_an_answer_is_counted() -> None:
    metrics = {
        "inputTokenCount": 10,
        "cacheReadInputTokenCount": 5,
        "cacheWriteInputTokenCount": 3,
        "outputTokenCount": 4,
    }
    found = read({"amazon-bedrock-invocationMetrics": metrics}, provider="bedrock", api="invoke_model")
    assert found.units == {"input": 10, "cache_read": 5, "cache_write": 3, "output": 4}


def test_an_embedding_of_a_text_is_none_of_an_image() -> None:
    body = {"embedding": [0.5], "inputTextTokenCount": 3}
    assert read(body, provider="bedrock", api="invoke_model").units == {"input": 3}


def test_a_count_of_pages_that_nobody_knows_is_flagged() -> None:
    usage = {"pages_processed": 2, "doc_size_bytes": 9, "pages_of_tomorrow": 1}
    found = read({"usage_info": usage}, provider="mistral", api="ocr")
    assert (found.units, found.flags) == ({"pages": 2}, ("unknown_keys",))


def test_what_lies_within_a_message_s_usage_is_copied() -> None:
    written = {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 0}
    usage = {
        "input_tokens": 10,
        "cache_creation_input_tokens": 3,
        "cache_creation": written,
        "output_tokens": 4,
    }
    found = read({"usage": usage}, provider="anthropic", api="messages")
    written["ephemeral_5m_input_tokens"] = 99
    assert found.raw == {
        **usage,
        "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 0},
    }


def test_one_of_ollama_s_counts_is_a_usage_and_its_durations_are_none() -> None:
    durations = {"done": True, "total_duration": 5}
    asked = read({**durations, "prompt_eval_count": 3}, provider="ollama", api="ollama_chat")
    assert (asked.units, asked.flags) == ({"input": 3}, ())
    said = read({**durations, "eval_count": 4}, provider="ollama", api="ollama_chat")
    assert (said.units, said.flags) == ({"output": 4}, ("partial",))
    neither = read(durations, provider="ollama", api="ollama_chat")
    assert (neither.raw, neither.reason) == (None, "the response states no usage")


def test_ollama_s_embeddings_have_input_alone() -> None:
    found = read({"total_duration": 5, "prompt_eval_count": 3}, provider="ollama", api="embeddings")
    assert (found.units, found.flags) == ({"input": 3}, ())


SIDES = {"input_tokens": 3, "output_tokens": 0}


@pytest.mark.parametrize(
    ("provider", "api", "body"),
    [
        ("cohere", "cohere_chat", {"usage": {"billed_units": SIDES, "of_tomorrow": {"a": 1}}}),
        ("cohere", "cohere_chat", {"usage": {"billed_units": {**SIDES, "tomorrows": 1}}}),
        ("openai", "realtime", {"type": "response.done", "response": {"usage": {**SIDES, "tomorrows": 1}}}),
    ],
)
def test_a_count_that_nobody_knows_is_flagged(provider: str, api: str, body: dict[str, Any]) -> None:
    found = read([body] if api == "realtime" else body, provider=provider, api=api)
    assert (found.units, found.flags) == ({"input": 3}, ("unknown_keys",))


def test_a_total_of_a_realtime_turn_that_is_another_is_flagged() -> None:
    usage = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 8}
    found = read([{"type": "response.done", "response": {"usage": usage}}], provider="openai", api="realtime")
    assert (found.units, found.flags) == ({"input": 3, "output": 4}, ("total_mismatch",))


@pytest.mark.parametrize(
    ("more", "units", "flags"),
    [
        ({"total_tokens": 20}, {}, ()),  # what was thought lies beside what was said
        ({"total_tokens": 17}, {}, ("total_mismatch",)),
        ({"num_sources_used": 2}, {"sources": 2}, ()),
        ({"tomorrows": 1}, {}, ("unknown_keys",)),
    ],
)
def test_what_xai_says_over_grpc_beside_its_tokens(
    more: dict[str, int], units: dict[str, int], flags: tuple[str, ...]
) -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 4, "reasoning_tokens": 6, **more}
    found = read({"usage": usage}, provider="xai", api="grpc_chat")
    assert found.units == {"input": 10, "output": 4, "reasoning": 6, **units}
    assert found.flags == flags


def test_what_media_state_beside_the_usual_counts() -> None:
    counts = {"input_tokens": 10, "output_tokens": 4}
    drawn = {"usage": counts, "svg_usage": {"model": "m", "input_tokens": 3, "output_tokens": 2}}
    found = read(drawn, provider="openai", api="images")
    assert [(part.units, part.flags) for part in found.parts] == [
        ({"input": 10, "output": 4}, ()),
        ({"input": 3, "output": 2}, ()),
    ]
    heard = {"usage": {"type": "tokens", **counts, "total_tokens": 15}}
    assert read(heard, provider="openai", api="transcription").flags == ("total_mismatch",)
    one = {"embedding": {"values": [0.5]}, "tokenCount": 5}
    assert read(one, provider="google", api="embeddings").units == {"input": 5}


def test_a_server_s_tool_that_nobody_knows_is_flagged() -> None:
    usage = {"input_tokens": 3, "output_tokens": 4, "server_tool_use": {"calls_of_tomorrow": 1}}
    found = read({"usage": usage}, provider="anthropic", api="messages")
    assert (found.units, found.flags) == ({"input": 3, "output": 4}, ("unknown_keys",))
