"""The adapters over the official SDKs, on a transport that answers as the providers do."""

import asyncio
import threading
import traceback
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from tests.support.wire import Kept, Server, answer, sse, streamed

from outlay.capture import Recorder, SystemClock
from outlay.capture.texts import Texts
from outlay.core.codec import record_json
from outlay.core.errors import CallError, MissingExtraError, SettingsError
from outlay.instrumentation import Hooks
from outlay.llm import Llm, LlmConfig, LLMResponse, get_adapter
from outlay.llm.adapters import default
from outlay.llm.anthropic_adapter import AnthropicAdapter
from outlay.llm.google_adapter import GoogleAdapter
from outlay.llm.hosts import HOSTS
from outlay.llm.openai_adapter import OpenAIAdapter
from outlay.pricing import cost_of

# Each provider counts in its own way; all of these say 1000 tokens in, 400 of them cached, and 100 out.
CHAT_USAGE = {
    "prompt_tokens": 1000,
    "completion_tokens": 100,
    "total_tokens": 1100,
    "prompt_tokens_details": {"cached_tokens": 400},
}
CHAT = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
    "usage": CHAT_USAGE,
}
MESSAGE_USAGE = {"input_tokens": 600, "cache_read_input_tokens": 400, "output_tokens": 100}
MESSAGE = {
    "id": "m1",
    "type": "message",
    "role": "assistant",
    "model": "claude-haiku-4-5",
    "content": [{"type": "text", "text": "hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": MESSAGE_USAGE,
}
CONTENT_USAGE = {
    "promptTokenCount": 1000,
    "cachedContentTokenCount": 400,
    "candidatesTokenCount": 100,
    "totalTokenCount": 1100,
}
CONTENT = {
    "candidates": [
        {"content": {"role": "model", "parts": [{"text": "hello"}]}, "index": 0, "finishReason": "STOP"}
    ],
    "usageMetadata": CONTENT_USAGE,
    "modelVersion": "gemini-2.5-flash",
}


def chunk(text: str | None, **more: Any) -> dict[str, Any]:
    delta = {} if text is None else {"content": text}
    choices = [] if text is None else [{"index": 0, "delta": delta, "finish_reason": None}]
    return {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-4o-mini",
        "choices": choices,
        **more,
    }


CHAT_STREAM = sse(chunk("hel"), chunk("lo"), chunk(None, usage=CHAT_USAGE), done=True)
MESSAGE_STREAM = sse(
    {
        "type": "message_start",
        "message": {**MESSAGE, "content": [], "usage": {**MESSAGE_USAGE, "output_tokens": 1}},
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hel"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "lo"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 100}},
    {"type": "message_stop"},
    named=True,
)
CONTENT_STREAM = sse(
    {**CONTENT, "candidates": [{"content": {"role": "model", "parts": [{"text": "hel"}]}, "index": 0}]},
    {**CONTENT, "candidates": [{"content": {"role": "model", "parts": [{"text": "lo"}]}, "index": 0}]},
)


def openai(server: Server) -> OpenAIAdapter:
    from openai import OpenAI  # noqa: PLC0415 - slow to load

    client = OpenAI(api_key="a-key-of-mine", http_client=server.client(), max_retries=0)
    return OpenAIAdapter(client=client)


def anthropic(server: Server) -> AnthropicAdapter:
    from anthropic import Anthropic  # noqa: PLC0415 - slow to load

    client = Anthropic(api_key="a-key-of-mine", http_client=server.client(), max_retries=0)
    return AnthropicAdapter(client=client)


def google(server: Server) -> GoogleAdapter:
    from google import genai  # noqa: PLC0415 - slow to load
    from google.genai import types  # noqa: PLC0415 - slow to load

    http = types.HttpOptions(httpx_client=server.client())
    return GoogleAdapter(client=genai.Client(api_key="a-key-of-mine", http_options=http))


Make = Callable[[Server], Any]
# 600 x 0.15 + 400 x 0.075 + 100 x 0.60; 600 x 1 + 400 x 0.10 + 100 x 5; 600 x 0.30 + 400 x 0.03 + 100 x 2.50
PROVIDERS = [
    pytest.param(openai, CHAT, CHAT_STREAM, "0.00018", id="openai"),
    pytest.param(anthropic, MESSAGE, MESSAGE_STREAM, "0.00114", id="anthropic"),
    pytest.param(google, CONTENT, CONTENT_STREAM, "0.000442", id="google"),
]


@pytest.mark.parametrize(("make", "body", "_stream", "cost"), PROVIDERS)
def test_row_033_each_answer_says_the_same(
    make: Make, body: dict[str, Any], _stream: bytes, cost: str
) -> None:
    server = Server([answer(body)])
    result: LLMResponse = make(server).call(prompt="hi", system="be kind", max_tokens=50, temperature=0.5)
    assert (result.content, result.success) == ("hello", True)
    assert (result.input_tokens, result.cached_tokens, result.output_tokens) == (1000, 400, 100)
    assert result.charge is not None
    assert result.charge.amount == Decimal(cost)
    assert "be kind" in server.requests[0].content.decode()


@pytest.mark.parametrize(("make", "_body", "stream", "cost"), PROVIDERS)
def test_a_stream_comes_in_pieces_and_is_one_record(
    make: Make, _body: dict[str, Any], stream: bytes, cost: str, recorder: Callable[[], Any], kept: Kept
) -> None:
    adapter = make(Server([streamed(stream)]))
    default.register("openai", lambda **_: adapter)
    try:
        client = Llm(LlmConfig(provider="openai", api_key="k", model=adapter.model), recorder=recorder)
        assert list(client.stream("hi")) == ["hel", "lo"]
    finally:
        default.unregister("openai")
    record = kept.only
    assert record.streamed
    assert (record.input_tokens, record.cached_tokens, record.output_tokens) == (1000, 400, 100)
    if adapter.name == "openai":
        assert client.usage.total_cost == Decimal(cost)


def test_a_stream_that_is_left_early_is_one_partial_record(recorder: Callable[[], Any], kept: Kept) -> None:
    adapter = openai(Server([streamed(CHAT_STREAM)]))
    default.register("openai", lambda **_: adapter)
    try:
        pieces = Llm(LlmConfig(provider="openai", model="gpt-4o-mini"), recorder=recorder).stream("hi")
        assert next(iter(pieces)) == "hel"
        pieces.close()  # type: ignore[attr-defined] # a generator
    finally:
        default.unregister("openai")
    assert kept.only.streamed
    assert kept.only.cost is None  # how much was used, nobody said


@pytest.mark.parametrize(("make", "_body", "_stream", "_cost"), PROVIDERS)
def test_row_063_a_refused_call_says_so_without_the_key(
    make: Make, _body: Any, _stream: Any, _cost: Any
) -> None:
    refusal = {
        "error": {
            "message": "Incorrect API key provided: a-key-of-mine for my illness",
            "type": "auth",
            "code": 401,
        }
    }
    result: LLMResponse = make(Server([answer(refusal, 401)])).call(prompt="hi")
    assert (result.success, result.cost_usd, result.content) == (False, None, "")
    assert result.error_type
    assert "a-key-of-mine" not in f"{result.error} {result!r}"


@pytest.mark.parametrize("how", ["complete", "stream"])
@pytest.mark.parametrize(("make", "_body", "_stream", "_cost"), PROVIDERS)
def test_row_063_a_key_that_the_provider_repeats_is_in_no_error_traceback_or_record(
    make: Make, _body: Any, _stream: Any, _cost: Any, how: str, recorder: Callable[[], Any], kept: Kept
) -> None:
    refusal = {
        "error": {
            "message": "Incorrect API key provided: a-key-of-mine for my illness",
            "type": "auth",
            "code": 401,
        }
    }
    default.register("openai", lambda **_: make(Server([answer(refusal, 401)])))
    client = Llm(LlmConfig(provider="openai", api_key="a-key-of-mine", model="m"), recorder=recorder)
    try:
        with pytest.raises(CallError, match="Incorrect API key") as caught:
            list(getattr(client, how)("hi"))
    finally:
        default.unregister("openai")
    told = "".join(traceback.format_exception(caught.value))
    assert "a-key-of-mine" not in told + repr(client.__dict__) + str(record_json(kept.only))
    assert kept.only.error_type is not None
    assert kept.only.error_type in told
    assert "illness" not in str(record_json(kept.only))  # no words of errors are kept unless asked for


def test_row_068_over_the_sdks_again_and_then_another_provider(
    recorder: Callable[[], Any], kept: Kept
) -> None:
    overloaded = Server([answer({"error": {"message": "overloaded", "type": "server_error"}}, 503)])
    default.register("openai", lambda **_: openai(overloaded))
    default.register("anthropic", lambda **_: anthropic(Server([answer(MESSAGE)])))
    first = LlmConfig(provider="openai", model="gpt-4o-mini", retries=1)
    second = LlmConfig(provider="anthropic", model="claude-haiku-4-5")
    client = Llm(first, fallbacks=[second], recorder=recorder)
    try:
        assert client.complete("hi") == "hello"
    finally:
        default.unregister("openai")
        default.unregister("anthropic")
    assert len(overloaded.requests) == 2
    assert [(each.provider, each.error_type, each.retries) for each in kept.records] == [
        ("openai", "InternalServerError", 0),
        ("openai", "InternalServerError", 1),
        ("anthropic", None, 0),
    ]
    assert (client.usage.total_cost, client.usage.unpriced_calls) == (Decimal("0.00114"), 2)


def test_row_068_what_a_stream_used_before_it_broke_is_counted(
    recorder: Callable[[], Any], kept: Kept
) -> None:
    whole = MESSAGE_STREAM.split(b"\n\n")
    cut = b"\n\n".join(
        [*whole[:3], b'event: error\ndata: {"type": "error", "error": {"type": "overloaded"}}', b""]
    )
    default.register("anthropic", lambda **_: anthropic(Server([streamed(cut)])))
    client = Llm(LlmConfig(provider="anthropic", model="claude-haiku-4-5"), recorder=recorder)
    try:
        with pytest.raises(CallError, match="overloaded") as caught:
            list(client.stream("hi"))
    finally:
        default.unregister("anthropic")
    assert type(caught.value.__cause__).__module__.startswith("anthropic")
    assert (kept.only.success, kept.only.input_tokens, kept.only.cached_tokens) == (False, 1000, 400)
    # 600 x 1 + 400 x 0.10 + the one token of the beginning x 5, a million
    assert client.usage.total_cost == Decimal("0.000645")


def test_row_064_forty_coroutines_ask_at_once(recorder: Callable[[], Any], kept: Kept) -> None:
    """Each is answered only when all have asked: none may stand in line behind another."""
    there = threading.Barrier(40, timeout=30)

    def together(request: Any) -> Any:
        there.wait()
        return answer(CHAT)(request)

    default.register("openai", lambda **_: openai(Server([together])))
    client = Llm(LlmConfig(provider="openai", model="gpt-4o-mini"), recorder=recorder)

    async def ask() -> list[str]:
        return await asyncio.gather(*(client.acomplete("hi", user_id=number) for number in range(40)))

    try:
        assert asyncio.run(ask()) == ["hello"] * 40
    finally:
        default.unregister("openai")
    assert {record.user for record in kept.records} == {str(number) for number in range(40)}
    assert client.usage.total_cost == 40 * Decimal("0.00018")


def test_a_host_is_called_at_its_address_with_its_key_and_priced_as_its_own(
    monkeypatch: pytest.MonkeyPatch, recorder: Callable[[], Any], kept: Kept
) -> None:
    import openai as sdk  # noqa: PLC0415 - slow to load

    server, real = Server([answer({**CHAT, "model": "deepseek-chat"})]), sdk.OpenAI
    monkeypatch.setattr(sdk, "OpenAI", lambda **given: real(**given, http_client=server.client()))
    monkeypatch.setenv("DEEPSEEK_API_KEY", "of-deepseek")
    client = Llm(LlmConfig(provider="deepseek", model="deepseek-chat"), recorder=recorder)
    assert client.complete("hi") == "hello"
    (request,) = server.requests
    assert str(request.url) == "https://api.deepseek.com/chat/completions"
    assert request.headers["Authorization"] == "Bearer of-deepseek"
    assert (kept.only.provider, kept.only.model, kept.only.cost_status) == (
        "deepseek",
        "deepseek-chat",
        "priced",
    )


def test_with_hooks_on_a_call_is_recorded_once(recorder: Callable[[], Any], kept: Kept) -> None:
    hooks = Hooks(recorder)
    hooks.instrument("openai", include_usage=True)
    default.register("openai", lambda **_: openai(Server([answer(CHAT), streamed(CHAT_STREAM)])))
    try:
        client = Llm(LlmConfig(provider="openai", model="gpt-4o-mini"), recorder=recorder)
        client.complete("hi")
        assert len(kept.records) == 1
        assert list(client.stream("hi")) == ["hel", "lo"]
    finally:
        default.unregister("openai")
        hooks.uninstrument()
    assert len(kept.records) == 2


def test_a_provider_that_cannot_be_reached_is_a_call_error(recorder: Callable[[], Any], kept: Kept) -> None:
    default.register("openai", lambda **_: openai(Server([ConnectionError("no route")])))
    try:
        with pytest.raises(CallError, match="Connection"):
            Llm(LlmConfig(provider="openai", model="gpt-4o-mini"), recorder=recorder).complete("hi")
    finally:
        default.unregister("openai")
    assert (kept.only.success, kept.only.cost) == (False, None)


@pytest.mark.parametrize("name", sorted(HOSTS))
def test_every_host_has_its_address_and_asks_for_its_key(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    host = HOSTS[name]
    if host.key is not None:
        monkeypatch.delenv(host.key, raising=False)
        with pytest.raises(SettingsError, match=f"{host.key} is not set"):
            get_adapter(name)
        monkeypatch.setenv(host.key, "k")
    adapter = get_adapter(name)
    assert isinstance(adapter, OpenAIAdapter)
    assert (adapter.name, adapter.model) == (name, host.model)
    assert host.base_url is None or str(adapter._client.base_url).rstrip("/") == host.base_url


@pytest.mark.parametrize(("name", "module"), [("anthropic", "anthropic"), ("google", "google")])
def test_without_its_sdk_a_provider_names_the_extra(
    name: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(MissingExtraError, match=rf"outlay\[{name}\]"):
        get_adapter(name, api_key="k")


def test_where_words_of_errors_are_kept_they_are_those_without_the_key(kept: Kept) -> None:
    refusal = {"error": {"message": "Incorrect API key provided: a-key-of-mine", "type": "auth", "code": 401}}
    default.register("openai", lambda **_: openai(Server([answer(refusal, 401)])))
    recorder = Recorder(kept, clock=SystemClock(), price=cost_of, errors=Texts())
    client = Llm(LlmConfig(provider="openai", api_key="a-key-of-mine", model="m"), recorder=lambda: recorder)
    try:
        with pytest.raises(CallError):
            client.complete("hi")
    finally:
        default.unregister("openai")
    assert "Incorrect API key provided: [key]" in (kept.only.error or "")
