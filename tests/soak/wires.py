"""SDKs on wires of their own: AWS's by botocore and aiobotocore, xAI's gRPC with a peer for it."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import boto3
import grpc
import xai_sdk
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.config import Config
from tests.support.stub import Bill
from tests.support.xai_peer import output
from xai_sdk.chat import user
from xai_sdk.proto import chat_pb2, chat_pb2_grpc, usage_pb2

_ASKED = re.compile(r"outlay:(\w+):(\d+):(\d+):(\w+)")
_AWS: dict[str, Any] = {
    "region_name": "us-east-1",
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
}
_HOW: dict[str, Any] = {
    "retries": {"total_max_attempts": 1},
    "max_pool_connections": 600,
    "read_timeout": 120,
}
_GRPC: dict[str, Any] = {"api_key": "k", "use_insecure_channel": True}
_SPARE = 64  # peer's threads, all there from the start, so that they can be counted
_TICKS = (
    30_000,
    150_000,
)  # what xAI's list asks for a token in and out, in ten-thousand-millionths of a dollar


def _messages(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"text": text}]}]}


class NowBedrock:
    """A client of boto3's, that all threads share."""

    def __init__(self, url: str) -> None:
        self._api = boto3.client("bedrock-runtime", endpoint_url=url, config=Config(**_HOW), **_AWS)

    def ask(self, model: str, text: str, streamed: bool) -> Any:  # noqa: FBT001 - which of two forms
        if streamed:
            return self._api.converse_stream(modelId=model, **_messages(text))["stream"]
        return self._api.converse(modelId=model, **_messages(text))

    def close(self) -> None:
        """Let go of its connections."""
        self._api.close()


class LaterBedrock:
    """A client of aiobotocore's, made by the first task that asks."""

    def __init__(self, url: str) -> None:
        self._made = get_session().create_client(
            "bedrock-runtime", endpoint_url=url, config=AioConfig(**_HOW), **_AWS
        )
        self._api: Any = None
        self._one = asyncio.Lock()

    async def ask(self, model: str, text: str, streamed: bool) -> Any:  # noqa: FBT001 - likewise
        async with self._one:
            if self._api is None:
                self._api = await self._made.__aenter__()
        if streamed:
            return _events((await self._api.converse_stream(modelId=model, **_messages(text)))["stream"])
        return await self._api.converse(modelId=model, **_messages(text))

    async def aclose(self) -> None:
        """Let go of its connections."""
        if self._api is not None:
            await self._made.__aexit__(None, None, None)


async def _events(stream: Any) -> AsyncIterator[Any]:
    try:
        async for event in stream:
            yield event
    finally:
        stream.close()


class NowGrok:
    """A client of xai-sdk's."""

    def __init__(self, address: str) -> None:
        self._api = xai_sdk.Client(api_host=address, **_GRPC)

    def ask(self, model: str, text: str, streamed: bool) -> Any:  # noqa: FBT001 - likewise
        chat = self._api.chat.create(model=model, messages=[user(text)])
        return chat.stream() if streamed else chat.sample()

    def close(self) -> None:
        """Let go of its channel."""
        self._api.close()


class LaterGrok:
    """An asynchronous client of xai-sdk's, made by the first task that asks: it belongs to a loop."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._api: Any = None

    def ask(self, model: str, text: str, streamed: bool) -> Any:  # noqa: FBT001 - likewise
        if self._api is None:
            self._api = xai_sdk.AsyncClient(api_host=self._address, **_GRPC)
        chat = self._api.chat.create(model=model, messages=[user(text)])
        return chat.stream() if streamed else chat.sample()

    async def aclose(self) -> None:
        """Let go of its channel, which keeps a thread and two sockets as long as anything refers to it.

        A log record does, where a test keeps those: since Python 3.12 streams of httpx that end with the
        loop raise, with hooks or without, and that traceback has the frame that knows all clients.
        """
        if self._api is not None:
            await self._api.close()
            self._api = None


class Grok(chat_pb2_grpc.ChatServicer):  # type: ignore[misc]  # untyped
    """Answers as the stub server does, and puts it on the same bill."""

    def __init__(self, bill: Bill) -> None:
        self._bill = bill
        self._one = threading.Lock()

    def GetCompletion(self, request: Any, context: Any) -> Any:  # noqa: N802 - the service's name
        mode, used = self._begin(request, context)
        if mode == "hold":
            self._add(held=1)
            _held(context, 60)
            context.abort(grpc.StatusCode.CANCELLED, "nobody waits for it")  # so it is not on the bill
        self._add(billed=1, input=used[0], output=used[1])
        said = {"message": {"content": "hi", "role": "ROLE_ASSISTANT"}, **output()}
        return chat_pb2.GetChatCompletionResponse(
            id="one", model=request.model, usage=_usage(*used), outputs=[said]
        )

    def GetCompletionChunk(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802 - likewise
        mode, used = self._begin(request, context)
        self._add(**{"held": 1, "input": used[0]} if mode == "hold" else {})
        yield _chunk(request, used[0], 0, done=False)
        if mode == "hold":
            _held(context, 3)
            return
        self._add(billed=1, input=used[0], output=used[1])
        yield _chunk(request, *used, done=True)

    def _begin(self, request: Any, context: Any) -> tuple[str, tuple[int, int]]:
        found = _ASKED.search(request.messages[0].content[0].text)
        assert found is not None
        mode, came, went, name = found.groups()
        self._add(requests=1)
        self._bill.arrived.add(name)
        if mode == "error":
            self._add(errors=1)
            context.abort(grpc.StatusCode.INTERNAL, "it broke")
        return mode, (int(came), int(went))

    def _add(self, **counts: int) -> None:
        with self._one:
            self._bill.add("xai", **counts)


def _held(context: Any, seconds: float) -> None:
    """Wait until the caller goes.

    xai-sdk lets a stream that was left run on until it is collected, with hooks or without: were each of them
    waited for, none of the threads would be left to answer.
    """
    gone = threading.Event()
    if context.add_callback(gone.set):
        gone.wait(seconds)


def _usage(came: int, went: int) -> Any:
    return usage_pb2.SamplingUsage(
        prompt_tokens=came,
        prompt_text_tokens=came,
        completion_tokens=went,
        total_tokens=came + went,
        cost_in_usd_ticks=came * _TICKS[0] + went * _TICKS[1],
    )


def _chunk(request: Any, came: int, went: int, *, done: bool) -> Any:
    part = {"delta": {"content": "a", "role": "ROLE_ASSISTANT"}, **output(done=done)}
    return chat_pb2.GetChatCompletionChunk(
        id="one", model=request.model, usage=_usage(came, went), outputs=[part]
    )


@contextmanager
def grok(bill: Bill) -> Iterator[str]:
    """Serve on a free port of loopback, on this bill; give the address."""
    pool = futures.ThreadPoolExecutor(max_workers=_SPARE)
    there = threading.Barrier(_SPARE + 1)
    for _ in range(_SPARE):
        pool.submit(there.wait)
    there.wait()
    server = grpc.server(pool, options=[("grpc.http2.max_ping_strikes", 0)])  # clients keep channels alive
    chat_pb2_grpc.add_ChatServicer_to_server(Grok(bill), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()
        pool.shutdown()
