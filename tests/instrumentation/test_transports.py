"""Transports: what an unknown client sends to a known provider is one record; what an SDK sends stays one."""

import asyncio
import copy
import gc
import io
import json
import pickle
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import cohere
import google.genai
import groq
import httpx
import httpx2
import ollama
import openai
import pytest
import requests
from google.genai import types
from mistralai.client import Mistral
from requests.adapters import BaseAdapter
from tests.support.wire import Kept, Server, answer, sse, streamed
from tests.support.wire_httpx import HttpxServer
from urllib3 import HTTPResponse

from outlay.capture import context
from outlay.instrumentation import PACKAGES, TRANSPORTS, Hooks

URL = "https://api.openai.com/v1/chat/completions"
USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
UNITS = {"input": 1000, "output": 100}
# 1000 x 2.50 + 100 x 10 dollars a million
COST = Decimal("0.0035")
CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-2024-08-06",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
    "usage": USAGE,
}
CHUNK = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-2024-08-06"}
WORD = {**CHUNK, "choices": [{"index": 0, "delta": {"content": "a"}}]}
STREAM = sse(WORD, {**CHUNK, "choices": [], "usage": USAGE}, done=True)
ASK: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def transports(hooks: Hooks) -> Iterator[Hooks]:
    hooks.instrument(*TRANSPORTS)
    yield hooks
    hooks.uninstrument(*TRANSPORTS)


class Adapter(BaseAdapter):
    """Answers requests from memory; the same answer every time."""

    def __init__(self, body: bytes, status: int = 200, kind: str = "application/json") -> None:
        super().__init__()
        self._body, self._status, self._kind = body, status, kind

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        made = requests.Response()
        made.status_code, made.request, made.url = self._status, request, str(request.url)
        made.headers["content-type"] = self._kind
        made.raw = HTTPResponse(io.BytesIO(self._body), preload_content=False)
        return made

    def close(self) -> None:
        """Nothing is open."""


def session(body: bytes, status: int = 200, kind: str = "application/json") -> requests.Session:
    made = requests.Session()
    made.mount("https://", Adapter(body, status, kind))
    return made


def lines_of_httpx2() -> None:
    with Server([streamed(STREAM)]).client().stream("POST", URL, json={**ASK, "stream": True}) as response:
        assert list(response.iter_lines())


def lines_of_requests(*, text: bool) -> None:
    http = session(STREAM, kind="text/event-stream")
    with http.post(URL, json={**ASK, "stream": True}, stream=True) as response:
        assert len(list(response.iter_lines(decode_unicode=text))) == 6


FORMS: dict[str, Callable[[], Any]] = {
    "httpx": lambda: HttpxServer([answer(CHAT)]).sync_httpx().post(URL, json=ASK),
    "httpx2": lambda: Server([answer(CHAT)]).client().post(URL, json=ASK),
    "httpx2 stream": lines_of_httpx2,
    "requests": lambda: session(json.dumps(CHAT).encode()).post(URL, json=ASK),
    "requests stream": lambda: lines_of_requests(text=False),
    "requests stream as text": lambda: lines_of_requests(text=True),
}


@pytest.mark.usefixtures("transports")
@pytest.mark.parametrize("host", ["api.voyageai.com", "ai.mongodb.com"])
@pytest.mark.parametrize("path", ["embeddings", "multimodalembeddings", "contextualizedembeddings"])
def test_each_kind_of_voyage_s_embeddings_is_a_call(host: str, path: str, kept: Kept) -> None:
    """By its own SDK, which sends by requests; keys of MongoDB's go to another host."""
    body = {"object": "list", "data": [], "model": "voyage-4", "usage": {"total_tokens": 9}}
    session(json.dumps(body).encode()).post(f"https://{host}/v1/{path}", json={"model": "voyage-4"})
    record = kept.only
    assert (record.provider, record.api, record.usage.units) == ("voyage", "embeddings", {"input": 9})


@pytest.mark.usefixtures("transports")
@pytest.mark.parametrize("form", FORMS)
def test_a_client_without_a_hook_of_its_own_makes_one_record(form: str, kept: Kept) -> None:
    with context(user="u1"):
        FORMS[form]()
    record = kept.only
    assert (record.usage.units, record.cost, record.user) == (UNITS, COST, "u1")
    assert (record.provider, record.model, record.model_requested) == (
        "openai",
        "gpt-4o-2024-08-06",
        "gpt-4o",
    )
    assert record.streamed == ("stream" in form)


@pytest.mark.usefixtures("transports")
def test_async_clients_make_one_record_each(kept: Kept) -> None:
    async def main() -> None:
        await HttpxServer([answer(CHAT)]).async_httpx().post(URL, json=ASK)
        client = Server([streamed(STREAM)]).async_client()
        async with client.stream("POST", URL, json={**ASK, "stream": True}) as response:
            async for _ in response.aiter_lines():
                pass

    asyncio.run(main())
    assert [(record.usage.units, record.streamed) for record in kept.records] == [
        (UNITS, False),
        (UNITS, True),
    ]


@pytest.mark.usefixtures("transports")
def test_a_model_may_stand_in_the_path_alone(kept: Kept) -> None:
    body = {"candidates": [], "usageMetadata": {"promptTokenCount": 7, "totalTokenCount": 7}}
    url = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:generateContent"
    Server([answer(body)]).client().post(url, json={"contents": []})
    assert (kept.only.provider, kept.only.model, kept.only.usage.units) == (
        "google",
        "gemini-2.5-pro",
        {"input": 7},
    )


@pytest.mark.usefixtures("transports")
@pytest.mark.parametrize("path", ["embed", "embeddings"])
def test_embeddings_of_ollama_are_read_as_its_own(path: str, kept: Kept) -> None:
    body = {"model": "m", "embeddings": [[0.1]], "prompt_eval_count": 7}
    Server([answer(body)]).client().post(f"http://localhost:11434/api/{path}", json={"model": "m"})
    assert (kept.only.operation, kept.only.usage.units, kept.only.flags) == ("embeddings", {"input": 7}, ())


@pytest.mark.usefixtures("transports")
def test_strangers_other_paths_and_other_methods_pass_by(kept: Kept) -> None:
    http = Server([answer(CHAT)]).client()
    http.post("https://llm.example.org/v1/chat/completions", json=ASK)
    http.post("https://api.openai.com/v1/files", json={})
    http.get("https://api.openai.com/v1/responses/resp_1")
    session(b"{}").get("https://api.openai.com/v1/models")
    assert not kept.records


@pytest.mark.usefixtures("transports")
def test_errors_are_failed_calls_and_raised_unchanged(kept: Kept) -> None:
    broken = httpx2.ConnectError("no route")
    with pytest.raises(httpx2.ConnectError) as caught:
        Server([broken]).client().post(URL, json=ASK)
    assert caught.value is broken
    assert Server([answer({"error": {"message": "slow down"}}, 429)]).client().post(URL, json=ASK).is_error
    assert session(b"{}", 500).post(URL, json=ASK).status_code == 500
    assert [(record.error_type, record.error) for record in kept.records] == [
        ("ConnectError", None),
        ("HTTPStatusError", "HTTP 429"),
        ("HTTPStatusError", "HTTP 500"),
    ]


@pytest.mark.usefixtures("transports")
def test_a_stream_left_early_is_one_partial_call(kept: Kept) -> None:
    with Server([streamed(sse(WORD, WORD))]).client().stream("POST", URL, json=ASK) as response:
        next(response.iter_lines())
    http = session(sse(WORD, WORD), kind="text/event-stream")
    with http.post(URL, json=ASK, stream=True) as other:
        next(other.iter_lines())
    gc.collect()
    assert [{"abandoned", "partial"} <= set(record.flags) for record in kept.records] == [True, True]


def gemini(server: Server) -> google.genai.Client:
    http = types.HttpOptions(httpx_client=server.client(), httpx_async_client=server.async_client())
    return google.genai.Client(api_key="test", http_options=http)


def gemini_stream() -> None:
    body = {
        "candidates": [{"content": {"role": "model", "parts": [{"text": "a"}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 1000, "candidatesTokenCount": 100, "totalTokenCount": 1100},
    }
    stream = gemini(Server([streamed(sse(body))])).models.generate_content_stream(
        model="gemini-2.5-pro", contents="hi"
    )
    assert len(list(stream)) == 1


def ollama_stream() -> None:
    body = {"model": "m", "message": {"role": "assistant", "content": "a"}, "done": True}
    counted = {**body, "prompt_eval_count": 1000, "eval_count": 100}
    server = HttpxServer([answer(counted)])
    client = ollama.Client(host="http://localhost:11434", transport=httpx.MockTransport(server.handle))
    assert len(list(client.chat(model="m", stream=True))) == 1


def cohere_stream() -> None:
    usage = {"billed_units": {"input_tokens": 1000, "output_tokens": 100}}
    body = sse({"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": usage}}, named=True)
    client = cohere.ClientV2(api_key="test", httpx_client=HttpxServer([streamed(body)]).sync_httpx())
    message: Any = {"role": "user", "content": "hi"}
    assert len(list(client.chat_stream(model="command-a-03-2025", messages=[message]))) == 1


SDKS: dict[str, Callable[[], Any]] = {
    "openai": lambda: openai.OpenAI(
        api_key="k", http_client=Server([answer(CHAT)]).client()
    ).chat.completions.create(**ASK),
    "openai stream": lambda: list(
        openai.OpenAI(api_key="k", http_client=Server([streamed(STREAM)]).client()).chat.completions.create(
            stream=True, **ASK
        )
    ),
    "groq": lambda: groq.Groq(
        api_key="k", http_client=HttpxServer([answer(CHAT)]).sync_httpx()
    ).chat.completions.create(**ASK),
    "mistralai": lambda: Mistral(api_key="k", client=Server([answer(CHAT)]).client()).chat.complete(**ASK),
    "google stream": gemini_stream,
    "ollama stream": ollama_stream,
    "cohere stream": cohere_stream,
}


@pytest.mark.usefixtures("transports")
@pytest.mark.parametrize("sdk", SDKS)
def test_what_an_sdk_hook_counts_is_not_counted_below_it(sdk: str, kept: Kept) -> None:
    SDKS[sdk]()
    assert kept.only.usage.units == UNITS


@pytest.mark.parametrize("sdk", SDKS)
def test_without_the_hook_of_the_sdk_the_transport_counts_instead(
    sdk: str, kept: Kept, transports: Hooks
) -> None:
    transports.uninstrument(*PACKAGES)
    SDKS[sdk]()
    assert kept.only.usage.units == UNITS


def test_transports_are_off_until_they_are_named(kept: Kept, hooks: Hooks) -> None:
    Server([answer(CHAT)]).client().post(URL, json=ASK)
    assert not kept.records
    assert not {each.name for each in hooks.status()} & set(TRANSPORTS)
    assert "httpx2" in hooks.instrument("httpx2")
    assert [each.state for each in hooks.status() if each.name == "httpx2"] == ["hooked"]
    hooks.uninstrument("httpx2")
    assert not hasattr(httpx2.Client.send, "__wrapped__")


@pytest.mark.usefixtures("transports")
def test_a_close_that_is_handed_on_alone_outlives_its_response(kept: Kept) -> None:
    """As a web server is given it, for when its own answer is over."""
    response = session(STREAM, kind="text/event-stream").post(URL, json={**ASK, "stream": True}, stream=True)
    chunks, close = response.iter_content(64), response.close
    assert b"".join(chunks) == STREAM
    del response, chunks
    gc.collect()
    close()
    assert (kept.only.usage.units, kept.only.cost) == (UNITS, COST)


@pytest.mark.usefixtures("transports")
@pytest.mark.parametrize("waits", [False, True])
def test_a_response_that_was_read_can_be_copied_as_without_us(kept: Kept, *, waits: bool) -> None:
    """As caches of answers do."""
    server = Server([streamed(STREAM)])
    request = httpx2.Request("POST", URL, json=ASK)

    async def read() -> httpx2.Response:
        response = await server.async_client().send(request, stream=True)
        await response.aread()
        return response

    response = asyncio.run(read()) if waits else server.client().send(request, stream=True)
    assert response.read() == STREAM
    assert copy.deepcopy(response).content == STREAM
    assert pickle.dumps(response)
    assert kept.only.usage.units == UNITS


OLLAMA = "http://localhost:11434/api/chat"
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:streamGenerateContent"
LINES = (
    b'{"model": "m", "done": false}\n{"model": "m", "done": true, "prompt_eval_count": 10, "eval_count": 5}\n'
)
LIST = json.dumps(
    [
        {"candidates": [{"content": {}}], "modelVersion": "gemini-2.5-pro"},
        {
            "candidates": [{"finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15},
        },
    ]
).encode()
GROWING = {"ollama": (OLLAMA, LINES, "application/x-ndjson"), "google": (GEMINI, LIST, "application/json")}


@pytest.mark.usefixtures("transports")
@pytest.mark.parametrize("provider", GROWING)
@pytest.mark.parametrize("by", ["httpx2", "requests"])
def test_lines_and_lists_of_json_that_come_bit_by_bit_are_streams(by: str, provider: str, kept: Kept) -> None:
    url, body, kind = GROWING[provider]
    if by == "httpx2":
        answering = httpx2.MockTransport(
            lambda _request: httpx2.Response(
                200, stream=httpx2.ByteStream(body), headers={"content-type": kind}
            )
        )
        with httpx2.Client(transport=answering).stream("POST", url, json=ASK) as response:
            response.read()
    else:
        with requests.Session() as made:
            made.mount(url, Adapter(body, kind=kind))
            for _ in made.post(url, json=ASK, stream=True).iter_lines():
                pass
    assert (kept.only.provider, kept.only.streamed) == (provider, True)
    assert kept.only.usage.units == {"input": 10, "output": 5}
