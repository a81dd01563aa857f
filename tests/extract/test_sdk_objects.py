"""The real types of the SDKs, bodies and stream events: read by their fields, equal to the same mapping."""

from dataclasses import dataclass
from enum import Enum
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from anthropic.types import Message, RawMessageDeltaEvent, RawMessageStartEvent
from anthropic.types.beta import BetaMessage
from google.genai.types import EmbedContentResponse, GenerateContentResponse
from openai.types import CreateEmbeddingResponse, ImagesResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseCompletedEvent
from xai_sdk.proto import chat_pb2, usage_pb2

from outlay.core.usage import Usage
from outlay.extract import collector, read

CHAT: dict[str, Any] = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-2024-08-06",
    "service_tier": "flex",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}],
    "usage": {
        "prompt_tokens": 1000,
        "completion_tokens": 100,
        "total_tokens": 1100,
        "prompt_tokens_details": {"cached_tokens": 400, "cache_write_tokens": 50},
        "completion_tokens_details": {"reasoning_tokens": 10},
    },
}
CHAT_UNITS = {"input": 550, "cache_read": 400, "cache_write": 50, "output": 90, "reasoning": 10}


def chunk(usage: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    choices = [] if usage else [{"index": 0, "delta": {"content": "hi"}, "finish_reason": None}]
    return {
        "id": "s1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-4o",
        "choices": choices,
        "usage": usage,
        **fields,
    }


def same_but_raw(one: Usage, other: Usage) -> bool:
    facts = ("items", "flags", "reason", "model", "response_id", "terms", "parts", "context_tokens")
    return all(getattr(one, fact) == getattr(other, fact) for fact in facts)


def test_openai_chat_completion() -> None:
    usage = read(ChatCompletion.model_validate(CHAT), provider="openai", api="chat")

    assert usage.units == CHAT_UNITS
    assert (usage.model, usage.response_id, usage.term("service_tier")) == ("gpt-4o-2024-08-06", "c1", "flex")
    assert same_but_raw(usage, read(CHAT, provider="openai", api="chat"))


def test_openai_keeps_fields_its_types_do_not_know() -> None:
    usage = {**CHAT["usage"], "cost": 0.25, "is_byok": False}
    read_ = read(ChatCompletion.model_validate({**CHAT, "usage": usage}), provider="openrouter", api="chat")

    assert str(read_.reported_cost) == "0.25"


def test_an_object_made_without_validation() -> None:
    made = ChatCompletion.construct(**CHAT)

    assert read(made, provider="openai", api="chat").units == CHAT_UNITS


def test_openai_chat_stream() -> None:
    live = collector("openai", "chat")
    live.add(ChatCompletionChunk.model_validate(chunk()))
    assert live.usage().flags == ("partial",)

    final = chunk({"prompt_tokens": 8, "completion_tokens": 3, "total_tokens": 11}, service_tier="default")
    live.add(ChatCompletionChunk.model_validate(final))

    assert live.complete
    assert live.usage().units == {"input": 8, "output": 3}
    assert live.usage().flags == ()
    assert (live.usage().model, live.usage().response_id) == ("gpt-4o", "s1")


def test_groq_usage_in_an_extra_field_of_the_sdk() -> None:
    groq = {"id": "r", "usage": {"prompt_tokens": 8, "completion_tokens": 3, "total_tokens": 11}}
    live = collector("groq", "chat")
    live.add(ChatCompletionChunk.model_validate(chunk()))
    live.add(ChatCompletionChunk.model_validate(chunk(x_groq=groq)))

    assert live.complete
    assert live.usage().units == {"input": 8, "output": 3}


RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "gpt-5.5",
    "status": "completed",
    "service_tier": "priority",
    "output": [],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [{"type": "image_generation", "model": "gpt-image-1.5"}],
    "tool_usage": {
        "image_gen": {
            "input_tokens": 50,
            "input_tokens_details": {"image_tokens": 0, "text_tokens": 50},
            "output_tokens": 1056,
            "output_tokens_details": {"image_tokens": 1056, "text_tokens": 0},
            "total_tokens": 1106,
        },
        "web_search": {"num_requests": 2},
    },
    "usage": {
        "input_tokens": 1000,
        "input_tokens_details": {
            "cached_tokens": 100,
            "cache_write_tokens": 700,
            "cache_write_tokens_details": {"ttl_30m_tokens": 500, "ttl_12h_tokens": 200},
        },
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 1020,
    },
}
RESPONSE_UNITS = {
    "input": 250, "cache_read": 100, "cache_write_30m": 500, "cache_write_12h": 200,
    "output": 15, "output_image": 1056, "reasoning": 5, "web_search": 2,
}  # fmt: skip


def test_openai_response_and_its_stream() -> None:
    usage = read(Response.model_validate(RESPONSE), provider="openai", api="responses")
    done = {"type": "response.completed", "sequence_number": 9, "response": RESPONSE}
    streamed = read([ResponseCompletedEvent.model_validate(done)], provider="openai")

    assert usage.units == RESPONSE_UNITS
    assert usage.terms == (("service_tier", "priority"),)
    assert [part.model for part in usage.parts] == ["gpt-5.5", "gpt-image-1.5"]
    assert same_but_raw(usage, streamed)
    assert same_but_raw(usage, read(RESPONSE, provider="openai", api="responses"))


def test_openai_embeddings_and_images() -> None:
    embeddings = CreateEmbeddingResponse.model_validate(
        {"object": "list", "data": [], "model": "e", "usage": {"prompt_tokens": 7, "total_tokens": 7}}
    )
    images = ImagesResponse.model_validate(
        {
            "created": 1,
            "size": "1024x1024",
            "usage": {
                "input_tokens": 9,
                "input_tokens_details": {"image_tokens": 4, "text_tokens": 5},
                "output_tokens": 100,
                "output_tokens_details": {"image_tokens": 100, "text_tokens": 0},
                "total_tokens": 109,
            },
        }
    )

    assert read(embeddings, provider="openai", api="embeddings").units == {"input": 7}
    drawn = read(images, provider="openai", api="images")
    assert drawn.units == {"input": 5, "input_image": 4, "output_image": 100}
    assert drawn.term("size") == "1024x1024"


MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 20,
        "cache_creation_input_tokens": 300,
        "cache_read_input_tokens": 1000,
        "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
        "output_tokens": 50,
        "service_tier": "priority",
        "server_tool_use": None,
    },
}
MESSAGE_UNITS = {"input": 20, "cache_read": 1000, "cache_write": 100, "cache_write_1h": 200, "output": 50}


def test_anthropic_message() -> None:
    usage = read(Message.model_validate(MESSAGE), provider="anthropic", api="messages")

    assert usage.units == MESSAGE_UNITS
    assert usage.terms == (("service_tier", "priority"),)
    assert same_but_raw(usage, read(MESSAGE, provider="anthropic"))


def test_anthropic_iterations_of_the_beta() -> None:
    counts = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "cache_creation": None}
    iterations = [
        {"type": "message", "input_tokens": 20, "output_tokens": 50, **counts},
        {
            "type": "advisor_message",
            "model": "claude-opus-4-7",
            "input_tokens": 9,
            "output_tokens": 4,
            **counts,
        },
    ]
    body = {**MESSAGE, "usage": {**MESSAGE["usage"], "iterations": iterations, "speed": "fast"}}
    usage = read(BetaMessage.model_validate(body), provider="anthropic", api="messages")

    assert usage.units == {**MESSAGE_UNITS, "input": 29, "output": 54}
    assert [(part.model, part.input_tokens) for part in usage.parts] == [
        ("claude-sonnet-4-5", 1320),
        ("claude-opus-4-7", 9),
    ]
    assert usage.term("speed") == "fast"


def test_anthropic_stream() -> None:
    live = collector("anthropic", "messages")
    live.add(RawMessageStartEvent.model_validate({"type": "message_start", "message": MESSAGE}))
    assert live.usage().units == MESSAGE_UNITS
    assert live.usage().flags == ("partial",)

    live.add(
        RawMessageDeltaEvent.model_validate(
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                "usage": {"output_tokens": 77, "input_tokens": None},
            }
        )
    )

    assert live.complete
    assert live.usage().units == {**MESSAGE_UNITS, "output": 77}
    assert live.usage().flags == ()


GEMINI = {
    "candidates": [
        {"finishReason": "STOP", "groundingMetadata": {"webSearchQueries": ["a"]}, "content": {"parts": []}}
    ],
    "modelVersion": "gemini-2.5-flash",
    "responseId": "g1",
    "usageMetadata": {
        "promptTokenCount": 1000,
        "cachedContentTokenCount": 600,
        "candidatesTokenCount": 30,
        "thoughtsTokenCount": 50,
        "totalTokenCount": 1080,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": 300},
            {"modality": "AUDIO", "tokenCount": 700},
        ],
        "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 600}],
        "trafficType": "ON_DEMAND_PRIORITY",
    },
}
GEMINI_UNITS = {
    "input": 300, "input_audio": 100, "cache_read_audio": 600, "output": 30, "reasoning": 50, "web_search": 1,
}  # fmt: skip


def test_google_response_and_its_stream() -> None:
    body = GenerateContentResponse.model_validate(GEMINI)
    usage = read(body, provider="vertex", api="generate_content")

    assert usage.units == GEMINI_UNITS
    assert (usage.model, usage.response_id) == ("gemini-2.5-flash", "g1")
    assert dict(usage.terms) == {"traffic_type": "on_demand_priority", "service_tier": "priority"}
    assert same_but_raw(usage, read([body, body], provider="vertex"))
    assert same_but_raw(usage, read(GEMINI, provider="vertex"))


def test_google_embeddings() -> None:
    embedded = EmbedContentResponse.model_validate(
        {"embeddings": [], "usageMetadata": {"promptTokenCount": 5}}
    )

    assert read(embedded, provider="google", api="embeddings").units == {"input": 5}


class Tier(Enum):
    """A tier as google-genai gives it."""

    FLEX = "flex"


@dataclass(slots=True)
class SlottedUsage:
    """Fields without a dictionary."""

    prompt_tokens: int
    completion_tokens: int


class TupleUsage(NamedTuple):
    """A tuple that is no list of events."""

    prompt_tokens: int
    completion_tokens: int


class DictOnly:
    """Nothing but a conversion, as older Google SDKs."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        return {"prompt_tokens": 3, "completion_tokens": 4}


@pytest.mark.parametrize(
    "usage",
    [
        SimpleNamespace(prompt_tokens=3, completion_tokens=4),
        SlottedUsage(3, 4),
        TupleUsage(3, 4),
        DictOnly(),
        {"prompt_tokens": 3, "completion_tokens": 4},
    ],
    ids=["attributes", "slots", "named tuple", "to_dict", "mapping"],
)
def test_any_object_with_fields(usage: Any) -> None:
    body = SimpleNamespace(usage=usage, model="m", id="i", service_tier=Tier.FLEX)
    read_ = read(body, provider="openai", api="chat")

    assert read_.units == {"input": 3, "output": 4}
    assert (read_.model, read_.response_id, read_.term("service_tier")) == ("m", "i", "flex")
    assert dict(read_.raw or {}) == {"prompt_tokens": 3, "completion_tokens": 4}


class Field(NamedTuple):
    """A descriptor of protobuf, as far as it is read."""

    name: str


class Message_:  # noqa: N801 - beside anthropic's Message
    """What every protobuf message has: only the fields that are set."""

    def __init__(self, **fields: Any) -> None:
        self._fields = fields

    def ListFields(self) -> list[tuple[Field, Any]]:  # noqa: N802 - protobuf's own name
        return [(Field(name), content) for name, content in self._fields.items()]


class XaiResponse:
    """As xai-sdk's: a wrapper with the message in ``proto``."""

    def __init__(self, proto: Message_) -> None:
        self._proto = proto

    @property
    def proto(self) -> Message_:
        return self._proto


def test_protobuf_messages_behind_a_wrapper() -> None:
    used = Message_(prompt_tokens=10, completion_tokens=2, reasoning_tokens=5, total_tokens=17)
    answer = XaiResponse(Message_(id="x", model="grok-4", usage=used))

    usage = read(answer, provider="xai", api="grpc_chat")
    assert usage.units == {"input": 10, "output": 2, "reasoning": 5}
    assert (usage.model, usage.flags) == ("grok-4", ())


TOOLS = [usage_pb2.SERVER_SIDE_TOOL_WEB_SEARCH, usage_pb2.SERVER_SIDE_TOOL_WEB_SEARCH, 99]


def test_enums_and_lists_of_a_real_protobuf_message_are_read_by_their_names() -> None:
    used = usage_pb2.SamplingUsage(prompt_tokens=10, completion_tokens=2, total_tokens=12)
    used.server_side_tools_used.extend(TOOLS)  # 99: of a server that is newer than the SDK
    answer = chat_pb2.GetChatCompletionResponse(
        model="grok-4", usage=used, service_tier=chat_pb2.GetChatCompletionResponse.DESCRIPTOR
        .fields_by_name["service_tier"].enum_type.values_by_name["SERVICE_TIER_PRIORITY"].number,
    )  # fmt: skip
    usage = read(answer, provider="xai", api="grpc_chat")
    assert usage.units == {"input": 10, "output": 2, "web_search": 2, "server_side_tools": 1}
    assert (usage.terms, usage.flags) == ((("service_tier", "priority"),), ())


def test_a_stream_of_real_protobuf_messages_ends_with_its_last_output() -> None:
    used = usage_pb2.SamplingUsage(prompt_tokens=10, completion_tokens=2, total_tokens=12)
    first = chat_pb2.GetChatCompletionChunk(model="grok-4", usage=used)
    last = chat_pb2.GetChatCompletionChunk(model="grok-4", usage=used)
    last.outputs.add(finish_reason=1)
    assert read([first, last], provider="xai", api="grpc_chat").flags == ()
    assert read([first, first], provider="xai", api="grpc_chat").flags == ("partial",)


class Hostile:
    """Whatever is asked of it raises."""

    @property
    def usage(self) -> Any:
        raise RuntimeError("no")

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def test_an_object_whose_attributes_raise_has_no_usage() -> None:
    usage = read({"usage": Hostile()}, provider="openai", api="chat")

    assert (usage.items, usage.reason) == ((), "the response states no usage")
