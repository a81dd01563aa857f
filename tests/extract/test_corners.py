"""Corners of the providers' shapes that few answers show: what is then counted, and what is said of it."""

from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import Any

import pytest

from outlay.core.errors import ResponseError
from outlay.extract import APIS, body_of, collector, operation_of, read
from outlay.pricing import cost_of

Counts = dict[str, int]

BODIES: dict[str, tuple[str, str, dict[str, Any], Counts, tuple[str, ...]]] = {
    "anthropic: the split of writes alone is their sum": (
        "anthropic",
        "messages",
        {
            "usage": {
                "input_tokens": 10,
                "output_tokens": 1,
                "cache_creation": {"ephemeral_5m_input_tokens": 7, "ephemeral_1h_input_tokens": 5},
            }
        },
        {"input": 10, "cache_write": 7, "cache_write_1h": 5, "output": 1},
        (),
    ),
    "anthropic: a split that is more than its sum is cut": (  # 8 of 10 are for an hour, which leaves 2
        "anthropic",
        "messages",
        {
            "usage": {
                "input_tokens": 10,
                "output_tokens": 1,
                "cache_creation_input_tokens": 10,
                "cache_creation": {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 8},
            }
        },
        {"input": 10, "cache_write": 2, "cache_write_1h": 8, "output": 1},
        ("clamped",),
    ),
    "anthropic: an iteration of a new kind is not counted, and said": (
        "anthropic",
        "messages",
        {
            "usage": {
                "input_tokens": 10,
                "output_tokens": 4,
                "iterations": [{"type": "daydream", "input_tokens": 3, "output_tokens": 2}],
            }
        },
        {"input": 10, "output": 4},
        ("unknown_keys",),
    ),
    "converse: without input tokens": (
        "bedrock",
        "converse",
        {"usage": {"outputTokens": 7, "totalTokens": 12}},
        {"output": 7},
        ("partial",),
    ),
    "converse: without output tokens": (
        "bedrock",
        "converse",
        {"usage": {"inputTokens": 5, "totalTokens": 12}},
        {"input": 5},
        ("partial",),
    ),
    "converse: tools of the server by their names": (
        "bedrock",
        "converse",
        {
            "usage": {
                "inputTokens": 5,
                "outputTokens": 7,
                "totalTokens": 12,
                "serverToolUsage": {"webSearchRequests": 2, "codeRuns": 3},
            }
        },
        {"input": 5, "output": 7, "web_search": 2, "server_tool": 3},
        (),
    ),
    "converse: a guardrail that says nothing costs nothing": (
        "bedrock",
        "converse",
        {
            "usage": {"inputTokens": 5, "outputTokens": 7, "totalTokens": 12},
            "trace": {
                "guardrail": {
                    "inputAssessment": {
                        "g1": None,
                        "g2": {"invocationMetrics": {"usage": {"contentPolicyUnits": 3}}},
                    }
                }
            },
        },
        {"input": 5, "output": 7, "guardrail_content": 3},
        (),
    ),
    "chat: reasoning beside details that do not name it": (  # 5 of the 20 were thought
        "openai",
        "chat",
        {
            "usage": {
                "prompt_tokens": 10,
                "completion_tokens": 20,
                "total_tokens": 30,
                "reasoning_tokens": 5,
                "completion_tokens_details": {"audio_tokens": 0},
            }
        },
        {"input": 10, "output": 15, "reasoning": 5},
        (),
    ),
    "chat: audio that stands outside of the prompt, as the total tells": (  # 10 + 6 + 4 = 20
        "openai",
        "chat",
        {
            "usage": {
                "prompt_tokens": 10,
                "completion_tokens": 4,
                "total_tokens": 20,
                "prompt_tokens_details": {"audio_tokens": 6},
            }
        },
        {"input": 10, "input_audio": 6, "output": 4},
        ("audio_additive",),
    ),
    "chat: searches by the name that Perplexity gives them": (
        "perplexity",
        "chat",
        {
            "usage": {
                "prompt_tokens": 10,
                "completion_tokens": 4,
                "total_tokens": 14,
                "num_search_queries": 3,
            }
        },
        {"input": 10, "output": 4, "web_search": 3},
        (),
    ),
    "chat: one of the models of a compound answer without usage": (
        "groq",
        "chat",
        {
            "usage": {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14},
            "usage_breakdown": {
                "models": [
                    {"model": "one", "usage": None},
                    {
                        "model": "two",
                        "usage": {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14},
                    },
                ]
            },
        },
        {"input": 10, "output": 4},
        (),
    ),
    "cohere: tokens where nothing is billed": (
        "cohere",
        "cohere_chat",
        {"usage": {"tokens": {"input_tokens": 20, "output_tokens": 6}}},
        {"input": 20, "output": 6},
        ("estimated",),
    ),
    "gemini: a candidate without searches": (
        "google",
        "generate_content",
        {
            "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 4, "totalTokenCount": 14},
            "candidates": [{"index": 0}, {"groundingMetadata": {"webSearchQueries": ["a", "b"]}}],
        },
        {"input": 10, "output": 4, "web_search": 2},
        (),
    ),
    "live: thoughts outside of the response, as the total tells": (  # 10 + 6 + 4 = 20
        "google",
        "live",
        {
            "usageMetadata": {
                "promptTokenCount": 10,
                "responseTokenCount": 6,
                "thoughtsTokenCount": 4,
                "totalTokenCount": 20,
            }
        },
        {"input": 10, "output": 6, "reasoning": 4},
        ("reasoning_additive",),
    ),
    "live: more cached than there was input": (
        "google",
        "live",
        {
            "usageMetadata": {
                "promptTokenCount": 10,
                "cachedContentTokenCount": 12,
                "responseTokenCount": 6,
                "totalTokenCount": 16,
                "promptTokensDetails": ["no row"],
            }
        },
        {"cache_read": 10, "output": 6},
        ("clamped",),
    ),
    "invoke_model: a maker with OpenAI's shape": (
        "bedrock",
        "invoke_model",
        {"usage": {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}},
        {"input": 10, "output": 4},
        (),
    ),
    "invoke_model: guardrails beside a maker's own usage": (
        "bedrock",
        "invoke_model",
        {
            "usage": {"input_tokens": 10, "output_tokens": 4},
            "amazon-bedrock-trace": {
                "guardrail": {
                    "input": {"g1": {"invocationMetrics": {"usage": {"contentPolicyUnits": 2}}}},
                }
            },
        },
        {"input": 10, "output": 4, "guardrail_content": 2},
        (),
    ),
    "images: a maker with chat's names": (
        "openrouter",
        "images",
        {"usage": {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}, "data": [{}]},
        {"input": 10, "output": 4},
        (),
    ),
    "images: a usage that says nothing": (
        "openai",
        "images",
        {"usage": {"mood": "good"}, "data": [{}]},
        {},
        ("partial",),
    ),
    "responses: a drawing by an unnamed model is a part of its own": (  # 30 in, 50 out, beside 10 and 4
        "openai",
        "responses",
        {
            "usage": {"input_tokens": 10, "output_tokens": 4, "total_tokens": 14},
            "tool_usage": {"image_gen": {"input_tokens": 30, "output_tokens": 50}},
            "tools": [{"type": "web_search"}],
        },
        {"input": 40, "output": 54},
        (),
    ),
    "chat: more audio than there was prompt": (  # 10 at most; and no word of what the gap of 4 is
        "openai",
        "chat",
        {
            "usage": {
                "prompt_tokens": 10,
                "completion_tokens": 4,
                "total_tokens": 14,
                "prompt_tokens_details": {"audio_tokens": 16},
            }
        },
        {"input_audio": 10, "output": 4},
        ("clamped",),
    ),
    "xai: a tool whose name is no name is counted as one of which nobody says which": (
        "xai",
        "grpc_chat",
        {
            "usage": {
                "prompt_tokens": 10,
                "completion_tokens": 4,
                "total_tokens": 14,
                "server_side_tools_used": ["SERVER_SIDE_TOOL_WEB_SEARCH", "7?"],
            }
        },
        {"input": 10, "output": 4, "web_search": 1, "server_side_tools": 1},
        (),
    ),
    "perplexity: thoughts and citations stand beside the answer": (
        "perplexity",
        "chat",
        {
            "usage": {
                "prompt_tokens": 10,
                "completion_tokens": 20,
                "total_tokens": 30,
                "reasoning_tokens": 5,
                "citation_tokens": 7,
            }
        },
        {"input": 10, "output": 20, "reasoning": 5, "citation_tokens": 7},
        (),
    ),
    "chat: writes beside the details, of which there are none": (
        "openai",
        "chat",
        {
            "usage": {
                "prompt_tokens": 10,
                "completion_tokens": 4,
                "total_tokens": 14,
                "cache_creation_input_tokens": 6,
            }
        },
        {"input": 4, "cache_write": 6, "output": 4},
        (),
    ),
    "deepseek: a hit that is the whole total was the prompt": (
        "deepseek",
        "chat",
        {"usage": {"prompt_cache_hit_tokens": 5, "total_tokens": 5}},
        {"cache_read": 5},
        (),
    ),
    "live: thoughts outside of the response, where no prompt is told": (  # 4 + 3 = 7
        "google",
        "live",
        {"usageMetadata": {"responseTokenCount": 4, "thoughtsTokenCount": 3, "totalTokenCount": 7}},
        {"output": 4, "reasoning": 3},
        ("reasoning_additive",),
    ),
    "interactions: no answer, as the total tells": (  # 10 + 2 + 3 = 15
        "google",
        "interactions",
        {
            "usage": {
                "total_input_tokens": 10,
                "total_thought_tokens": 2,
                "total_tool_use_tokens": 3,
                "total_tokens": 15,
            }
        },
        {"input": 13, "reasoning": 2},
        (),
    ),
    "interactions: a tool that nobody knows was used": (
        "google",
        "interactions",
        {
            "usage": {
                "total_input_tokens": 10,
                "total_output_tokens": 4,
                "total_tokens": 14,
                "grounding_tool_count": [{"type": "odd", "count": 2}],
            }
        },
        {"input": 10, "output": 4},
        ("unknown_keys",),
    ),
    "interactions: a tool that nobody knows was not used": (
        "google",
        "interactions",
        {
            "usage": {
                "total_input_tokens": 10,
                "total_output_tokens": 4,
                "total_tokens": 14,
                "grounding_tool_count": [{"type": "odd", "count": 0}],
            }
        },
        {"input": 10, "output": 4},
        (),
    ),
    "invoke_model: a result of fewer than no tokens": (
        "bedrock",
        "invoke_model",
        {"inputTextTokenCount": 10, "results": [{"tokenCount": -3}, {"tokenCount": 4}]},
        {"input": 10, "output": 4},
        ("clamped",),
    ),
    "invoke_model: metrics that tell another prompt": (
        "bedrock",
        "invoke_model",
        {
            "prompt_token_count": 10,
            "generation_token_count": 4,
            "amazon-bedrock-invocationMetrics": {"inputTokenCount": 9, "outputTokenCount": 4},
        },
        {"input": 10, "output": 4},
        ("total_mismatch",),
    ),
    "invoke_model: metrics without the prompt that the body leaves out": (
        "bedrock",
        "invoke_model",
        {
            "generation_token_count": 4,
            "amazon-bedrock-invocationMetrics": {"inputTokenCount": 0, "outputTokenCount": 4},
        },
        {"output": 4},
        ("partial",),
    ),
    "invoke_model: metrics without the answer that the body leaves out": (
        "bedrock",
        "invoke_model",
        {
            "prompt_token_count": 10,
            "amazon-bedrock-invocationMetrics": {"inputTokenCount": 10, "outputTokenCount": 0},
        },
        {"input": 10},
        ("partial",),
    ),
    "transcription: a maker with one of chat's names": (
        "openai",
        "transcription",
        {"usage": {"prompt_tokens": 10}},
        {"input": 10},
        ("partial",),
    ),
    "transcription: no answer, as the total tells": (
        "openai",
        "transcription",
        {"usage": {"input_tokens": 10, "total_tokens": 10}},
        {"input": 10},
        (),
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_corner_is_counted_and_said(name: str) -> None:
    provider, api, body, units, flags = BODIES[name]
    usage = read(body, provider=provider, api=api)
    assert usage.units == units
    assert usage.flags == flags


def test_a_drawing_without_its_model_has_no_name_that_could_be_wrong() -> None:
    *_, body, _, _ = BODIES["responses: a drawing by an unnamed model is a part of its own"]
    usage = read({**body, "model": "gpt-5"}, provider="openai", api="responses")
    assert [(part.model, part.units) for part in usage.parts] == [
        ("gpt-5", {"input": 10, "output": 4}),
        (None, {"input": 30, "output": 50}),
    ]


USAGES = [{"mood": "good"}, {"mood": 3}, {"billed_units": {"mood": 3}}, {"mood": [1, {"best": 2}]}]


@pytest.mark.parametrize("usage", USAGES, ids=str)
@pytest.mark.parametrize("api", APIS)
def test_a_usage_of_which_nothing_is_known_is_never_a_zero(api: str, usage: dict[str, Any]) -> None:
    for name in ("usage", "usageMetadata", "meta", "usage_info"):
        found = read({"model": "m", name: usage}, provider="openai", api=api)
        assert found.items == ()
        assert found.reason is not None


@pytest.mark.parametrize(
    ("provider", "api", "usage"),
    [
        ("openai", "chat", {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}),
        ("openai", "images", {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}),
        ("openai", "transcription", {"type": "duration", "seconds": 0}),
        ("anthropic", "messages", {"input_tokens": 0, "output_tokens": 0}),
        ("cohere", "rerank", {"billed_units": {"search_units": 0}}),
    ],
)
def test_a_zero_that_is_stated_is_known(provider: str, api: str, usage: dict[str, Any]) -> None:
    found = read({"model": "m", "usage": usage}, provider=provider, api=api)
    assert (found.items, found.reason, found.flags) == ((), None, ())


@pytest.mark.parametrize(
    "body",
    [
        {"embeddings": [{"embeddingType": "VIDEO", "embedding": [0.1]}]},  # Nova
        {"data": [{"embedding": [0.1], "startSec": 0.0, "endSec": 6.0}]},  # Marengo
        {"message": "a film", "finishReason": "stop"},  # Pegasus: no error of AWS
    ],
)
def test_models_billed_by_images_and_seconds_state_nothing_of_them(body: dict[str, Any]) -> None:
    found = read(body, provider="bedrock", api="invoke_model")
    assert (found.items, found.reason) == ((), "the response states no usage")


def test_an_embedding_of_titan_without_text_was_one_of_an_image() -> None:
    found = read({"embedding": [0.1], "inputTextTokenCount": 0}, provider="bedrock", api="invoke_model")
    assert found.units == {"input_images": 1}
    cost = cost_of(found, provider="bedrock", model="amazon.titan-embed-image-v1")
    assert cost.amount == Decimal("0.00006")


def test_an_error_inside_a_stream_of_messages_is_the_reason() -> None:
    events = [
        {"type": "message_start", "message": {"model": "claude", "usage": {"input_tokens": 9}}},
        {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}},
    ]
    delta = {"type": "message_delta", "usage": {"output_tokens": 3}}
    for seen, units in ((events, {"input": 9}), ([events[0], delta, events[1]], {"input": 9, "output": 3})):
        usage = read(seen, provider="anthropic", api="messages")
        assert usage.units == units
        assert "partial" in usage.flags
        assert usage.reason == "the provider answered with an error: overloaded_error"


def test_an_error_before_any_usage_is_no_answer() -> None:
    usage = read(
        [{"type": "error", "error": {"type": "overloaded_error"}}], provider="anthropic", api="messages"
    )
    assert (usage.items, usage.reason) == ((), "the provider answered with an error: overloaded_error")


def test_a_line_of_a_batch_that_only_failed_is_its_error() -> None:
    line = {"custom_id": "a", "error": {"code": "batch_expired"}}
    usage = read(line, provider="openai", api="chat")
    assert (usage.items, usage.term("batch")) == ((), "true")
    assert usage.reason is not None
    assert "batch_expired" in usage.reason


def test_a_line_of_a_batch_without_answer_and_error_is_read_as_it_stands() -> None:
    usage = read({"custom_id": "a", "error": None}, provider="openai", api="chat")
    assert usage.items == ()
    assert usage.term("batch") is None


def test_a_chunk_of_invoke_model_that_is_no_json_is_passed_over() -> None:
    stream = collector("bedrock", "invoke_model")
    for content in (b"{broken", b'{"generation_token_count": 4, "prompt_token_count": 10}', b'{"a": 1}'):
        stream.add({"chunk": {"bytes": content}})
    assert stream.usage().units == {"input": 10, "output": 4}


def test_messages_of_invoke_model_without_usage_leave_the_word_to_the_metrics() -> None:
    stream = collector("bedrock", "invoke_model")
    stream.add({"type": "message_start", "message": {"model": "claude"}})
    metrics = {"inputTokenCount": 10, "outputTokenCount": 4}
    stream.add({"type": "message_stop", "amazon-bedrock-invocationMetrics": metrics})
    assert stream.usage().units == {"input": 10, "output": 4}


def test_a_transcript_of_a_session_without_usage_counts_nothing() -> None:
    stream = collector("openai", "realtime")
    stream.add({"type": "conversation.item.input_audio_transcription.completed", "transcript": "hello"})
    assert stream.usage().items == ()


def test_any_mapping_is_read_like_a_dict() -> None:
    usage = MappingProxyType({"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7})
    assert read(MappingProxyType({"usage": usage}), provider="openai", api="chat").units == {
        "input": 3,
        "output": 4,
    }


def test_a_chunk_of_invoke_model_may_carry_usage_in_its_metadata() -> None:
    stream = collector("bedrock", "invoke_model")
    stream.add({"messageStart": {"role": "assistant"}})
    stream.add({"metadata": {"metrics": {"latencyMs": 3}}})  # as yet without usage
    stream.add({"metadata": {"usage": {"inputTokens": 5, "outputTokens": 7, "totalTokens": 12}}})
    assert stream.usage().units == {"input": 5, "output": 7}


def test_an_interaction_that_ended_tells_its_own_usage() -> None:
    stream: Any = collector("google", "interactions")
    stream.add({"interaction": {"id": "i-1", "model": "gemini-2.5-flash", "status": "in_progress"}})
    stream.add({"metadata": {"usage": {"total_input_tokens": 10, "total_tokens": 10}}})
    so_far = stream.usage()
    assert not stream.complete
    assert (so_far.units, so_far.model, so_far.response_id) == ({"input": 10}, "gemini-2.5-flash", "i-1")
    assert "partial" in so_far.flags
    counted = {"total_input_tokens": 10, "total_output_tokens": 4, "total_tokens": 14}
    stream.add({"interaction": {"id": "i-1", "model": "gemini-2.5-flash", "usage": counted}})
    whole = stream.usage()
    assert stream.complete
    assert (whole.units, whole.flags, whole.reason) == ({"input": 10, "output": 4}, (), None)


@pytest.mark.parametrize(
    "error", [{"code": "rate_limit_exceeded"}, {"error": {"code": "rate_limit_exceeded"}}]
)
def test_a_stream_of_responses_that_broke_off_with_an_error_says_so(error: dict[str, Any]) -> None:
    stream = collector("openai", "responses")
    stream.add({"type": "response.created", "response": {"id": "resp-1", "model": "gpt-4o"}})
    stream.add({"type": "error", **error})
    usage = stream.usage()
    assert not stream.complete
    assert usage.reason == "the provider answered with an error: rate_limit_exceeded"
    assert (usage.items, usage.model, usage.response_id) == ((), "gpt-4o", "resp-1")


@pytest.mark.parametrize("provider", ["openai", "groq"])  # one sends its usage last, one anywhere
def test_a_chat_stream_is_a_body_once_it_has_ended(provider: str) -> None:
    stream: Any = collector(provider, "chat")
    stream.add({"id": "c-1", "model": "m", "choices": [{"delta": {"content": "a"}}]})
    assert stream.as_body() is None
    silent = stream.usage()
    assert silent.items == ()
    assert silent.reason == "the stream carries no usage: ask with stream_options.include_usage"
    assert silent.flags == ("partial",)
    counted = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    stream.add({"id": "c-1", "model": "m", "choices": [], "usage": counted})
    assert stream.as_body()["usage"] == counted
    assert stream.usage().units == {"input": 3, "output": 4}


def test_an_api_that_is_not_known_is_named_with_those_that_are() -> None:
    for asked in (operation_of, partial(collector, "openai"), partial(read, {}, provider="openai")):
        with pytest.raises(ResponseError, match=r"no API is named 'chatt'; name one of chat, "):
            asked(api="chatt")


@pytest.mark.parametrize(
    ("api", "provider", "usage", "units"),
    [
        ("images", "openai", {"output_tokens": 5}, {"output": 5}),
        ("images", "openai", {"input_tokens": 3}, {"input": 3}),
        (
            "transcription",
            "openai",
            {"input_tokens": None, "output_tokens": 5, "total_tokens": 5},
            {"output": 5},
        ),
        (
            "transcription",
            "openai",
            {"input_tokens": 3, "output_tokens": None, "total_tokens": 3},
            {"input": 3},
        ),
        ("invoke_model", "bedrock", {"input_tokens": 3}, {"input": 3}),
        ("invoke_model", "bedrock", {"output_tokens": 5}, {"output": 5}),
    ],
)
def test_one_side_of_a_usage_is_enough_to_know_its_shape(
    api: str, provider: str, usage: dict[str, int | None], units: dict[str, int]
) -> None:
    assert read({"usage": usage}, provider=provider, api=api).units == units


@pytest.mark.parametrize(
    ("tier", "terms"),
    [
        ("SERVICE_TIER_PRIORITY", (("service_tier", "priority"),)),
        ("SERVICE_TIER_UNSPECIFIED", ()),
        ("", ()),
        (None, ()),
    ],
)
def test_the_tier_of_a_grpc_answer_goes_by_the_name_of_its_enum(
    tier: str | None, terms: tuple[Any, ...]
) -> None:
    body = {"usage": {"prompt_tokens": 3, "total_tokens": 3}, "service_tier": tier}
    assert read(body, provider="xai", api="grpc_chat").terms == terms


@pytest.mark.parametrize(("data", "units"), [([{}, {}], {"images": 2}), (None, {})])
def test_images_that_only_state_their_money_are_counted(data: Any, units: dict[str, int]) -> None:
    usage = read({"usage": {"cost": 0.08}, "data": data}, provider="openrouter", api="images")
    assert (usage.units, usage.flags, usage.reported_cost) == (units, (), Decimal("0.08"))


@pytest.mark.parametrize("usage", [{}, 5, []])
def test_a_session_that_states_no_seconds_is_no_zero(usage: Any) -> None:
    found = read({"type": "session.usage", "usage": usage}, provider="openai", api="live")
    assert (found.items, found.flags, found.reason) == ((), ("partial",), "the session states no seconds")


def test_guardrails_of_a_claudes_stream_are_billed_as_those_of_its_answer() -> None:
    used = {"input": {"g1": {"invocationMetrics": {"usage": {"topicPolicyUnits": 2}}}}}
    traced = {"amazon-bedrock-trace": {"guardrail": used}}
    started = {"model": "claude", "usage": {"input_tokens": 10, "output_tokens": 1}}
    stream = collector("bedrock", "invoke_model")
    stream.add({"type": "message_start", "message": started})
    stream.add({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}})
    stream.add(
        {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 10}, **traced}
    )
    whole = {**started, "usage": {"input_tokens": 10, "output_tokens": 4}, **traced}
    expected = {"input": 10, "output": 4, "guardrail_topic": 2}
    assert stream.usage().units == expected
    assert read(whole, provider="bedrock", api="invoke_model").units == expected
    assert body_of(stream) is None  # which has no trace


@pytest.mark.parametrize(
    ("provider", "api", "usage"),
    [
        (
            "openai",
            "chat",
            {
                "prompt_tokens": 9,
                "completion_tokens": 1,
                "prompt_tokens_details": {
                    "cache_write_tokens": 9,
                    "cache_write_tokens_details": {"ttl_24h_tokens": 9},
                },
            },
        ),
        (
            "bedrock",
            "converse",
            {
                "inputTokens": 0,
                "outputTokens": 1,
                "cacheWriteInputTokens": 9,
                "cacheDetails": [{"ttl": "12h", "inputTokens": 0}, {"ttl": "24h", "inputTokens": 9}],
            },
        ),
    ],
)
def test_a_lifetime_that_is_not_known_is_said(provider: str, api: str, usage: dict[str, Any]) -> None:
    found = read({"usage": usage}, provider=provider, api=api)
    assert (found.units, found.flags) == ({"cache_write": 9, "output": 1}, ("unknown_keys",))


def test_a_total_alone_is_no_input_where_there_was_an_answer() -> None:
    usage = {"total_tokens": 9}
    found = read({"choices": [], "usage": usage}, provider="openai", api="chat")
    assert (found.flags, found.units) == (("partial",), {"input": 9})
    assert read({"data": [], "usage": usage}, provider="voyage", api="embeddings").flags == ()


def test_a_turn_that_states_no_usage_is_no_zero_beside_those_that_do() -> None:
    told = {"input_tokens": 10, "output_tokens": 4, "total_tokens": 14}
    turns = [{"type": "response.done", "response": {"usage": each}} for each in (told, None, told)]
    found = read(turns, provider="openai", api="realtime")
    assert (found.units, found.flags) == ({"input": 20, "output": 8}, ("partial",))
    assert found.reason == "a response ended without its usage"
    assert read([turns[0], turns[2]], provider="openai", api="realtime").flags == ()
