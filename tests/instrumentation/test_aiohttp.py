"""aiohttp on a real server: what is sent to a known provider is one record, whichever way it is read."""

import asyncio
import gc
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from google import genai
from google.genai import types
from tests.support.wire import Kept, sse

from outlay.capture import context
from outlay.instrumentation import Hooks

USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
UNITS = {"input": 1000, "output": 100}
COST = Decimal("0.0035")  # 1000 x 2.50 + 100 x 10 dollars a million
CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-4o-2024-08-06",
    "choices": [],
    "usage": USAGE,
}
CHUNK = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "gpt-4o-2024-08-06"}
WORD = {**CHUNK, "choices": [{"index": 0, "delta": {"content": "a"}}]}
STREAM = sse(WORD, {**CHUNK, "choices": [], "usage": USAGE}, done=True)
ASK: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
GEMINI = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "hello"}]}, "finishReason": "STOP"}],
    "usageMetadata": {"promptTokenCount": 1000, "candidatesTokenCount": 100, "totalTokenCount": 1100},
    "modelVersion": "gemini-2.5-pro",
}


@pytest.fixture(autouse=True)
def transport(hooks: Hooks) -> Iterator[None]:
    hooks.instrument("aiohttp")
    yield
    hooks.uninstrument("aiohttp")


class Here(AbstractResolver):
    """Finds every host on loopback."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)
        ]

    async def close(self) -> None:
        pass


async def answering(request: web.Request) -> web.StreamResponse:
    body = await request.read()
    path = request.path
    if path.endswith("/models"):
        return web.json_response({"data": []})
    if path.endswith(("GenerateContent", "generateContent")):
        return (
            web.json_response(GEMINI) if not request.query.get("alt") else await written(request, sse(GEMINI))
        )
    asked = json.loads(body)
    if asked.get("refuse"):
        return web.json_response({"error": {"message": "no"}}, status=429)
    if not asked.get("stream"):
        answer = web.json_response(CHAT)
        answer.enable_compression()
        return answer
    return await written(request, STREAM, after_first=asked.get("after_first"))


async def written(request: web.Request, body: bytes, *, after_first: str | None = None) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    for part in body.split(b"\n\n"):
        await response.write(part + b"\n\n")
        await asyncio.sleep(0)
        if after_first == "stall":
            await asyncio.sleep(60)  # until the server is stopped
        if after_first == "break":
            assert request.transport is not None
            await asyncio.sleep(0.01)
            request.transport.abort()
            break
    return response


@asynccontextmanager
async def served(host: str = "api.openai.com") -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    """Serve on loopback under a provider's name."""
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answering)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listener).start()
    connector = aiohttp.TCPConnector(resolver=Here())
    try:
        async with aiohttp.ClientSession(connector=connector) as session:
            yield session, f"http://{host}:{listener.getsockname()[1]}"
    finally:
        await runner.cleanup()


Reader = Callable[[aiohttp.ClientResponse], Awaitable[bytes]]


async def lines(response: aiohttp.ClientResponse) -> bytes:
    return b"".join([line async for line in response.content])


async def chunks(response: aiohttp.ClientResponse) -> bytes:
    return b"".join([part async for part in response.content.iter_any()])


async def some(response: aiohttp.ClientResponse) -> bytes:
    parts = []
    while part := await response.content.read(7):
        parts.append(part)
    return b"".join(parts)


READERS: dict[str, Reader] = {
    "read": lambda response: response.read(),
    "lines": lines,
    "chunks": chunks,
    "some": some,
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("stream", [False, True])
def test_every_way_of_reading_makes_one_record(reader: str, stream: bool, kept: Kept) -> None:  # noqa: FBT001 - a parameter of the test
    async def main() -> None:
        async with served() as (session, base):
            with context(user="u1"):
                answer = await session.post(f"{base}/v1/chat/completions", json={**ASK, "stream": stream})
            body = await READERS[reader](answer)
            assert body == STREAM + b"\n\n" if stream else json.loads(body) == CHAT

    asyncio.run(main())
    record = kept.only
    assert (record.usage.units, record.cost, record.user) == (UNITS, COST, "u1")
    assert (record.provider, record.model_requested, record.streamed) == ("openai", "gpt-4o", stream)
    assert record.time_to_first_token_ms is not None


def test_a_body_of_bytes_and_a_base_url_are_seen_too(kept: Kept) -> None:
    async def main() -> None:
        async with served() as (session, base):
            async with session.post(f"{base}/v1/chat/completions", data=json.dumps(ASK).encode()) as answer:
                await answer.json()
            connector = aiohttp.TCPConnector(resolver=Here())
            async with (
                aiohttp.ClientSession(base, connector=connector) as other,
                other.request("post", "/v1/chat/completions", data=json.dumps(ASK)) as answer,
            ):
                await answer.json()

    asyncio.run(main())
    assert [record.model_requested for record in kept.records] == ["gpt-4o", "gpt-4o"]


def test_what_is_no_call_is_left_alone(kept: Kept) -> None:
    async def main() -> None:
        async with served() as (session, base):
            await (await session.get(f"{base}/v1/models")).read()
            await (await session.post(f"{base}/v1/models", json=ASK)).read()
        async with served("llm.example.org") as (session, base):
            await (await session.post(f"{base}/v1/chat/completions", json=ASK)).read()

    asyncio.run(main())
    assert not kept.records


def test_an_error_status_is_one_failed_call(kept: Kept) -> None:
    async def main() -> None:
        async with served() as (session, base):
            answer = await session.post(f"{base}/v1/chat/completions", json={**ASK, "refuse": True})
            assert (answer.status, await answer.json()) == (429, {"error": {"message": "no"}})

    asyncio.run(main())
    assert (kept.only.status, kept.only.error_type, kept.only.cost) == ("error", "HTTPStatusError", None)


def test_a_request_that_cannot_be_sent_is_one_failed_call_and_its_error_is_untouched(kept: Kept) -> None:
    async def main() -> None:
        async with served() as (session, _):
            await session.post("http://api.openai.com:1/v1/chat/completions", json=ASK)

    with pytest.raises(aiohttp.ClientConnectorError):
        asyncio.run(main())
    assert kept.only.error_type == "ClientConnectorError"


def test_a_stream_that_breaks_is_one_failed_call(kept: Kept) -> None:
    async def main() -> None:
        async with served() as (session, base):
            asked = {**ASK, "stream": True, "after_first": "break"}
            async with session.post(f"{base}/v1/chat/completions", json=asked) as answer:
                with pytest.raises(aiohttp.ClientPayloadError):
                    await answer.read()

    asyncio.run(main())
    assert kept.only.status == "error"
    assert "partial" in kept.only.flags


@pytest.mark.filterwarnings("ignore:Unclosed:ResourceWarning")  # aiohttp's word on what is dropped
@pytest.mark.parametrize("how", ["closed", "dropped", "cancelled"])
def test_a_stream_that_is_left_is_one_partial_call(how: str, kept: Kept) -> None:
    async def read(session: aiohttp.ClientSession, base: str) -> None:
        asked = {**ASK, "stream": True, "after_first": "stall"}
        answer = await session.post(f"{base}/v1/chat/completions", json=asked)
        assert await answer.content.readline()
        if how == "dropped":
            return
        async with answer:
            if how == "cancelled":
                await answer.content.read()

    async def main() -> None:
        async with served() as (session, base):
            task = asyncio.create_task(read(session, base))
            await asyncio.wait([task], timeout=0.2)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled() == (how == "cancelled")

    asyncio.run(main())
    gc.collect()  # aiohttp holds on to what was dropped until its session is closed
    assert {"abandoned", "partial"} <= set(kept.only.flags)


def test_google_genai_over_aiohttp_is_counted_once(kept: Kept) -> None:
    async def main() -> None:
        async with served("generativelanguage.googleapis.com") as (session, base):
            http = types.HttpOptions(base_url=base, aiohttp_client=session)
            api = genai.Client(api_key="k", http_options=http).aio
            await api.models.generate_content(model="gemini-2.5-pro", contents="hi")
            async for _ in await api.models.generate_content_stream(model="gemini-2.5-pro", contents="hi"):
                pass

    asyncio.run(main())
    assert [record.usage.units for record in kept.records] == [UNITS, UNITS]
    assert {(record.provider, record.model) for record in kept.records} == {("google", "gemini-2.5-pro")}
