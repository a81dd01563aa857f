"""Errors, sessions and streams that end in odd ways: what is counted of them, and what is said."""

from typing import Any

import pytest

from outlay.extract import collector, read
from outlay.extract.chat import read_chat
from outlay.extract.streams import LastUsage

COUNTED = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}
UNITS = {"input": 10, "output": 4}


@pytest.mark.parametrize("api", ["converse", "invoke_model"])
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"type": "overloaded"}}, "overloaded"),
        ({"message": "slow down", "__type": "ThrottlingException"}, "ThrottlingException"),
        ({"message": "no such model"}, "AWS error"),
        ({"error": {"type": "overloaded"}, "message": "slow down"}, "overloaded"),
    ],
)
def test_an_error_of_bedrock_is_the_reason(api: str, body: dict[str, Any], said: str) -> None:
    usage = read(body, provider="bedrock", api=api)
    assert (usage.items, usage.reason) == ((), f"the provider answered with an error: {said}")
    assert "error" not in (read({}, provider="bedrock", api=api).reason or "")


@pytest.mark.parametrize(
    ("body", "said"), [({"message": "invalid api token"}, "cohere"), ({"error": {"code": "limit"}}, "limit")]
)
def test_an_error_of_cohere_is_the_reason(body: dict[str, Any], said: str) -> None:
    usage = read(body, provider="cohere", api="cohere_chat")
    assert (usage.items, usage.reason) == ((), f"the provider answered with an error: {said}")


@pytest.mark.parametrize(
    ("cached", "units", "flag"),
    [
        ((3, 3), {"input": 4, "cache_read": 3, "cache_write": 3, "output": 4}, "cache_inside_input"),
        ((6, 4), {"cache_read": 6, "cache_write": 4, "output": 4}, "cache_inside_input"),
        ((8, 6), {"input": 10, "cache_read": 8, "cache_write": 6, "output": 4}, "total_mismatch"),
    ],
)
def test_caches_inside_of_converses_input(cached: tuple[int, int], units: dict[str, int], flag: str) -> None:
    usage = {"inputTokens": 10, "outputTokens": 4, "totalTokens": 14}
    usage |= {"cacheReadInputTokens": cached[0], "cacheWriteInputTokens": cached[1]}
    found = read({"usage": usage}, provider="bedrock", api="converse")
    assert (found.units, found.flags) == (units, (flag,))


def test_titans_own_counts_are_kept_with_their_results() -> None:
    body = {"inputTextTokenCount": 10, "results": [{"tokenCount": 4, "outputText": "hello"}]}
    usage = read(body, provider="bedrock", api="invoke_model")
    assert (usage.units, usage.raw) == (UNITS, {"inputTextTokenCount": 10, "results": [{"tokenCount": 4}]})
    llama = {"prompt_token_count": 10, "generation_token_count": 4}
    assert read({**llama, "generation": "hello"}, provider="bedrock", api="invoke_model").raw == llama


def test_a_claudes_stream_of_invoke_model_is_a_message_and_no_other_one_is() -> None:
    claude: Any = collector("bedrock", "invoke_model")
    claude.add({"type": "message_start", "message": {"model": "claude", "usage": {"input_tokens": 10}}})
    claude.add({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}})
    assert claude.as_body() == {"model": "claude", "usage": {"input_tokens": 10, "output_tokens": 4}}
    llama: Any = collector("bedrock", "invoke_model")
    llama.add({"prompt_token_count": 10, "generation_token_count": 4})
    assert llama.as_body() is None


@pytest.mark.parametrize("provider", ["cohere", "azure"])
def test_search_units_are_counted_wherever_they_are_sold(provider: str) -> None:
    usage = read({"meta": {"billed_units": {"search_units": 2}}}, provider=provider, api="rerank")
    assert usage.units == {"search_units": 2}


def test_of_a_stream_of_images_the_event_with_the_usage_counts() -> None:
    counts = {"input_tokens": 10, "output_tokens": 4, "total_tokens": 14}
    stream = collector("openai", "images")
    stream.add({"type": "image_generation.partial_image"})
    assert not stream.complete
    stream.add({"type": "an event of tomorrow", "usage": counts})
    stream.add({"type": "done"})
    assert (stream.complete, stream.usage().flags) == (True, ())
    assert stream.usage()["output_image"] + stream.usage()["output"] == 4


def test_a_session_is_whole_when_as_many_responses_ended_as_began() -> None:
    done = {"type": "response.done", "response": {"usage": {"input_tokens": 10, "output_tokens": 4}}}
    stream = collector("openai", "realtime")
    assert not stream.complete
    for event in ({"type": "response.created"}, {"type": "response.created"}, done):
        stream.add(event)
    assert (stream.complete, stream.usage().flags) == (False, ("partial",))
    stream.add(done)
    assert (stream.complete, stream.usage().units) == (True, {"input": 20, "output": 8})
    alone = read({"usage": {"input_tokens": 10, "output_tokens": 4}}, provider="openai", api="realtime")
    assert (alone.units, alone.flags) == (UNITS, ())


def test_what_was_heard_counts_though_nothing_was_answered() -> None:
    stream = collector("openai", "realtime")
    heard = {"type": "conversation.item.input_audio_transcription.completed"}
    stream.add({**heard, "usage": {"type": "duration", "seconds": 3}})
    assert stream.usage().units == {"audio_seconds": 3}


def test_calls_of_hosted_tools_by_kind_need_no_sum_beside_them() -> None:
    counts = {"input_tokens": 10, "output_tokens": 4, "total_tokens": 14}
    usage = {**counts, "server_side_tool_usage_details": {"web_search_calls": 2}}
    assert read({"usage": usage}, provider="xai", api="responses").units == {**UNITS, "web_search": 2}
    usage = {**counts, "num_server_side_tools_used": 2}
    assert read({"usage": usage}, provider="xai", api="responses").units == {**UNITS, "server_side_tools": 2}


def test_first_chunk_carrier_and_last_chunk_each_say_their_facts() -> None:
    stream = LastUsage(read_chat, "openai")
    stream.add({"id": "c-1", "choices": []})
    stream.add({"model": "gpt-4o", "usage": COUNTED, "choices": [{"finish_reason": "stop"}]})
    stream.add({"service_tier": "flex", "choices": []})
    usage = stream.usage()
    assert (usage.response_id, usage.model, usage.term("service_tier")) == ("c-1", "gpt-4o", "flex")
    assert stream.as_body() is not None
    running = LastUsage(read_chat, "openai")  # a count that runs along, and no end of the answer
    running.add({"usage": COUNTED, "choices": [{}]})
    running.add({"usage": COUNTED, "choices": [{}]})
    assert (running.complete, running.as_body()) == (False, None)


def test_a_stream_of_responses_is_the_response_that_ended_it() -> None:
    stream: Any = collector("openai", "responses")
    stream.add({"type": "response.created", "response": {"id": "r-1"}})
    assert stream.as_body() is None
    whole = {"id": "r-1", "usage": {"input_tokens": 10, "output_tokens": 4, "total_tokens": 14}}
    stream.add({"type": "response.completed", "response": whole})
    assert stream.as_body() == whole


def test_xais_chunks_are_whole_with_usage_and_an_end() -> None:
    counts = {**COUNTED, "server_side_tools_used": ["SERVER_SIDE_TOOL_" + "X" * 60]}
    stream = collector("xai", "grpc_chat")
    stream.add({"chunk": {"outputs": [{"finish_reason": "STOP"}]}})
    assert not stream.complete
    stream.add({"chunk": {"usage": counts, "outputs": [{}]}})
    assert not stream.complete
    stream.add({"usage": counts, "outputs": [{"finish_reason": "STOP"}]})
    assert (stream.complete, stream.usage().units) == (True, {**UNITS, "server_side_tools": 1})
