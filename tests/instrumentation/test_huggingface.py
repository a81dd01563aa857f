"""huggingface_hub: InferenceClient's chat, text generation and embeddings make one record each."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import huggingface_hub
import pytest
from huggingface_hub import AsyncInferenceClient, InferenceClient
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import _http
from tests.support.cancelled import cancel_while_reading
from tests.support.wire import Kept, Server, answer, sse, streamed

from outlay.capture import context
from outlay.capture.guard import failures
from outlay.instrumentation import Hooks

pytestmark = pytest.mark.usefixtures("hooks")

USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
UNITS = {"input": 1000, "output": 100}
MODEL = "meta-llama/Llama-3.3-70B-Instruct"
MESSAGES = [{"role": "user", "content": "hi"}]
CHAT = {
    "id": "1",
    "object": "chat.completion",
    "created": 1763800000,
    "model": MODEL,
    "system_fingerprint": "x",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
    "usage": USAGE,
}


def chunk(text: str, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": finish}
    base = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
    return {**base, "system_fingerprint": "x", "choices": [choice], **fields}


STREAM = sse(chunk("a"), chunk("b"), chunk("", "stop", usage=USAGE), done=True)
TOKEN = {"id": 1, "logprob": -0.1, "special": False, "text": "a"}
GENERATED_STREAM = sse(
    {"index": 1, "token": TOKEN, "generated_text": None, "details": None},
    {
        "index": 2,
        "token": TOKEN,
        "generated_text": "aa",
        "details": {"finish_reason": "length", "generated_tokens": 2, "input_length": 7, "seed": None},
    },
)


class Hub(Server):
    """Answers inference alone: what the hub's client asks beside it (HEAD, GET) takes no answer away."""

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.method != "POST":
            return httpx2.Response(404)
        return super().__call__(request)


@pytest.fixture
def serve() -> Iterator[Any]:
    """Let huggingface_hub's shared clients speak to a mock transport."""

    def serving(*replies: Any) -> Server:
        server = Hub(list(replies))
        huggingface_hub.close_session()
        huggingface_hub.set_client_factory(server.client)
        huggingface_hub.set_async_client_factory(server.async_client)
        return server

    yield serving
    huggingface_hub.close_session()
    huggingface_hub.set_client_factory(_http.default_client_factory)
    huggingface_hub.set_async_client_factory(_http.default_async_client_factory)


def client() -> InferenceClient:
    return InferenceClient(model=MODEL, token="hf_test")  # noqa: S106 - a made-up one


def direct() -> InferenceClient:
    return InferenceClient("https://llm.example.org")


def test_chat_and_its_stream_make_one_record_each(kept: Kept, serve: Any) -> None:
    serve(answer(CHAT), streamed(STREAM))
    api = client()  # a stream ends with its client
    with context(user="u1"):
        api.chat_completion(MESSAGES)
        chunks = list(api.chat_completion(MESSAGES, stream=True))
    assert [each.choices[0].delta.content for each in chunks] == ["a", "b", ""]
    assert [record.usage.units for record in kept.records] == [UNITS] * 2
    assert {(record.provider, record.model, record.user) for record in kept.records} == {
        ("huggingface", MODEL, "u1")
    }
    assert [(record.streamed, record.flags) for record in kept.records] == [(False, ()), (True, ())]


def test_the_form_of_openai_passes_the_same_hook(kept: Kept, serve: Any) -> None:
    serve(answer(CHAT))
    client().chat.completions.create(messages=MESSAGES)
    assert kept.only.usage.units == UNITS


def test_async_forms_make_one_record_each(kept: Kept, serve: Any) -> None:
    serve(answer(CHAT), streamed(STREAM))

    async def main() -> None:
        async with AsyncInferenceClient(model=MODEL, token="hf_test") as api:  # noqa: S106 - a made-up one
            await api.chat_completion(MESSAGES)
            async for _ in await api.chat_completion(MESSAGES, stream=True):
                pass

    asyncio.run(main())
    assert [(record.usage.units, record.flags) for record in kept.records] == [(UNITS, ())] * 2


def test_a_provider_behind_the_router_is_named_and_its_own_choice_is_not(kept: Kept, serve: Any) -> None:
    serve(answer(CHAT))
    InferenceClient("https://router.huggingface.co/together").chat_completion(MESSAGES)
    client().chat_completion(MESSAGES)
    assert [(record.provider, record.usage.term("upstream")) for record in kept.records] == [
        ("huggingface", "together"),
        ("huggingface", None),
    ]


def test_text_generation_tells_what_its_server_tells(kept: Kept, serve: Any) -> None:
    details = {"finish_reason": "length", "generated_tokens": 2, "prefill": [], "tokens": []}
    serve(
        answer([{"generated_text": "aa", "details": details}]),
        answer([{"generated_text": "aa"}]),
        streamed(GENERATED_STREAM),
    )
    direct().text_generation("hi", details=True)
    direct().text_generation("hi")
    assert list(direct().text_generation("hi", stream=True)) == ["a", "a"]
    assert [(record.usage.units, "partial" in record.flags) for record in kept.records] == [
        ({"output": 2}, True),
        ({}, True),
        ({"input": 7, "output": 2}, False),
    ]
    assert {(record.operation, record.cost) for record in kept.records} == {("text_completion", None)}


def test_embeddings_are_calls_whose_usage_nobody_tells(kept: Kept, serve: Any) -> None:
    serve(answer([[0.1, 0.2]]))
    direct().feature_extraction("hi")
    assert (kept.only.operation, kept.only.usage.units, kept.only.cost) == ("embeddings", {}, None)
    assert kept.only.charge.reason == "the server did not say all that was used"


def test_a_stream_that_is_left_is_one_partial_call(kept: Kept, serve: Any) -> None:
    serve(streamed(STREAM))
    api = client()
    stream: Any = api.chat_completion(MESSAGES, stream=True)
    next(iter(stream))
    del stream
    gc.collect()
    assert {"abandoned", "partial"} <= set(kept.only.flags)
    assert kept.only.model == MODEL


def test_a_stream_that_breaks_is_one_failed_call_and_its_error_is_untouched(kept: Kept, serve: Any) -> None:
    broken = RuntimeError("reset")
    serve(streamed(sse(chunk("a")), broken))
    api = client()
    with pytest.raises(RuntimeError) as caught:
        list(api.chat_completion(MESSAGES, stream=True))
    assert caught.value is broken
    assert (kept.only.status, kept.only.error_type) == ("error", "RuntimeError")


def test_a_cancelled_task_is_one_partial_call(kept: Kept, serve: Any) -> None:
    serve(streamed(STREAM))

    async def chunks() -> AsyncIterator[Any]:
        async with AsyncInferenceClient(model=MODEL, token="hf_test") as api:  # noqa: S106 - a made-up one
            async for chunk in await api.chat_completion(MESSAGES, stream=True):
                yield chunk

    cancel_while_reading(chunks)
    assert "partial" in kept.only.flags


def test_an_error_is_one_failed_call(kept: Kept, serve: Any) -> None:
    serve(answer({"error": "slow down"}, 429))
    with pytest.raises(HfHubHTTPError):
        client().chat_completion(MESSAGES)
    assert (kept.only.status, kept.only.error_type, kept.only.cost) == ("error", "HfHubHTTPError", None)


def test_other_tasks_are_no_calls_of_a_language_model(kept: Kept, serve: Any) -> None:
    serve(answer([{"label": "POSITIVE", "score": 0.9}]))
    assert json.dumps(direct().text_classification("hi"))
    assert not kept.records


def test_unhooking_restores(kept: Kept, hooks: Hooks, serve: Any) -> None:
    hooks.uninstrument("huggingface")
    assert not hasattr(InferenceClient._inner_post, "__wrapped__")
    serve(answer(CHAT))
    client().chat_completion(MESSAGES)
    assert not kept.records


def test_an_answer_that_our_reader_stumbles_over_is_a_call(kept: Kept, serve: Any, hooks: Hooks) -> None:
    """Such as a server's own words in place of JSON; the caller meets what the SDK makes of them."""
    serve(lambda _request: httpx2.Response(200, content=b"a stitch in time"))
    with pytest.raises(ValueError, match="Expecting value"):
        InferenceClient(model="http://localhost:8080").text_generation("hi")
    assert (kept.only.cost, kept.only.charge.reason) == (None, "the response could not be read")
    assert failures.pop("_settler.<locals>.settle") == 1
