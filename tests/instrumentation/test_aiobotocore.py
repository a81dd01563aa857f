"""aiobotocore: Bedrock's converse and invoke_model, whole and streamed, against a local server."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from aiobotocore.client import AioBaseClient
from aiobotocore.config import AioConfig
from aiobotocore.eventstream import AioEventStream
from aiobotocore.httpxsession import HttpxSession
from aiobotocore.response import HttpxStreamingBody, StreamingBody
from aiobotocore.session import get_session
from aiohttp import ClientPayloadError
from botocore.exceptions import ClientError, EventStreamError, ResponseStreamingError
from tests.support import bedrock_bodies as bodies
from tests.support.aws import Reply, bedrock
from tests.support.bedrock_bodies import COST, MODEL, UNITS
from tests.support.cancelled import cancel_while_reading
from tests.support.wire import Kept

from outlay.capture import SystemClock, context
from outlay.instrumentation import Hooks

pytestmark = [
    pytest.mark.usefixtures("hooks"),
    # A stream that is dropped or breaks leaves its connection to the garbage collector: that is tested.
    pytest.mark.filterwarnings("ignore:.*[Uu]nclosed:ResourceWarning"),
]

ASK: dict[str, Any] = {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": "hi"}]}]}
INVOKE: dict[str, Any] = {"modelId": MODEL, "body": b"{}"}
HOOKED = (
    (AioBaseClient, "_make_api_call"),
    (AioEventStream, "_parse_event"),
    (AioEventStream, "close"),
    (StreamingBody, "read"),
    (StreamingBody, "readinto"),
    (StreamingBody, "close"),
    (StreamingBody, "__aexit__"),
    (HttpxStreamingBody, "read"),
    (HttpxStreamingBody, "close"),
    (HttpxStreamingBody, "aclose"),
    (HttpxStreamingBody, "__aexit__"),
)
ORIGINALS = [owner.__dict__.get(name) for owner, name in HOOKED]  # before any test hooks them
IS_OLD = "aclose" not in vars(StreamingBody)
"""Whether a body is a proxy of the connection's own answer, as in aiobotocore 2, and can what that can."""


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Have what a test left to the garbage collector collected in that test, and not in another's time."""
    yield
    gc.collect()


@asynccontextmanager
async def client(*replies: Reply, **how: Any) -> AsyncIterator[Any]:
    with bedrock(*replies) as (url, _paths):
        made = get_session().create_client(
            "bedrock-runtime",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - a made-up one
            config=AioConfig(**how),
        )
        async with made as api:
            yield api


async def converse_stream(api: Any) -> None:
    assert len([event async for event in (await api.converse_stream(**ASK))["stream"]]) == 5


async def invoke(api: Any) -> None:
    assert json.loads(await (await api.invoke_model(**INVOKE))["body"].read()) == bodies.CLAUDE


async def invoke_in_pieces(api: Any) -> None:
    body = (await api.invoke_model(**INVOKE))["body"]
    assert json.loads(b"".join([piece async for piece in body.iter_chunks(16)])) == bodies.CLAUDE


async def invoke_silent(api: Any) -> None:
    assert json.loads(await (await api.invoke_model(**INVOKE))["body"].read()) == bodies.SILENT.body


async def invoke_stream(api: Any) -> None:
    response = await api.invoke_model_with_response_stream(**INVOKE)
    assert len([event async for event in response["body"]]) == 4


async def converse_parts(api: Any) -> AsyncIterator[Any]:
    return aiter((await api.converse_stream(**ASK))["stream"])


async def invoke_parts(api: Any) -> AsyncIterator[Any]:
    return aiter((await api.invoke_model_with_response_stream(**INVOKE))["body"])


async def invoke_pieces(api: Any) -> AsyncIterator[Any]:
    return aiter((await api.invoke_model(**INVOKE))["body"].iter_chunks(16))


async def read(parts: AsyncIterator[Any]) -> None:
    async for _ in parts:
        pass


FORMS: dict[str, tuple[Reply, Callable[[Any], Awaitable[Any]]]] = {
    "converse": (Reply(bodies.CONVERSED), lambda api: api.converse(**ASK)),
    "converse stream": (Reply(bodies.CONVERSE_EVENTS), converse_stream),
    "invoke": (bodies.INVOKED, invoke),
    "invoke in pieces": (bodies.INVOKED, invoke_in_pieces),
    "invoke, counted in the body alone": (Reply(bodies.CLAUDE), invoke),
    "invoke in pieces, counted in the body alone": (Reply(bodies.CLAUDE), invoke_in_pieces),
    "invoke, counted in the headers alone": (bodies.SILENT, invoke_silent),
    "invoke stream": (Reply(bodies.INVOKE_EVENTS), invoke_stream),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_makes_one_record_with_the_right_units_and_cost(form: str, kept: Kept) -> None:
    reply, call = FORMS[form]

    async def main() -> None:
        async with client(reply) as api:
            with context(user="u1"):
                await call(api)

    asyncio.run(main())
    record = kept.only
    assert record.usage.units == UNITS
    assert (record.cost, record.cost_status) == (COST, "priced")
    assert (record.provider, record.model, record.user) == ("bedrock", MODEL, "u1")
    assert (record.model_requested, record.retries, record.flags) == (MODEL, 0, ())
    assert (record.streamed, record.status) == ("stream" in form, "success")


PARTS: dict[str, tuple[Reply, Callable[[Any], Awaitable[AsyncIterator[Any]]]]] = {
    "converse stream": (Reply(bodies.CONVERSE_EVENTS), converse_parts),
    "invoke stream": (Reply(bodies.INVOKE_EVENTS), invoke_parts),
    "invoke in pieces": (bodies.INVOKED, invoke_pieces),
}


@pytest.mark.parametrize("form", PARTS)
def test_the_time_to_the_first_token_ends_with_the_first_part_and_the_call_with_the_last(
    form: str, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock that is set: asked at 0, the first part at 1, the rest at 3 seconds."""
    reply, call = PARTS[form]

    def now(seconds: float) -> None:
        monkeypatch.setattr(SystemClock, "monotonic", staticmethod(lambda: seconds))

    async def main() -> None:
        async with client(reply) as api:
            now(0)
            parts = await call(api)
            now(1)
            await anext(parts)
            assert not kept.records
            now(3)
            await read(parts)

    asyncio.run(main())
    assert (kept.only.time_to_first_token_ms, kept.only.latency_ms) == (1000, 3000)


@pytest.mark.parametrize(("form", "first"), [("converse", None), ("invoke", 0)])
def test_a_whole_answer_has_a_first_token_where_its_body_is_read_apart(
    form: str, first: int | None, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply, call = FORMS[form]
    monkeypatch.setattr(SystemClock, "monotonic", staticmethod(lambda: 7.0))

    async def main() -> None:
        async with client(reply) as api:
            await call(api)

    asyncio.run(main())
    assert kept.only.time_to_first_token_ms == first


def test_retries_are_counted_in_one_record(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.random", lambda: 0.0)  # so that nobody waits between them

    async def main() -> None:
        async with client(bodies.THROTTLED, Reply(bodies.CONVERSED), retries={"max_attempts": 1}) as api:
            await api.converse(**ASK)

    asyncio.run(main())
    assert (kept.only.retries, kept.only.usage.units) == (1, UNITS)


def test_a_region_decides_the_price_of_a_model_without_a_profile(kept: Kept) -> None:
    async def main() -> None:
        async with client(Reply(bodies.CONVERSED)) as api:
            await api.converse(**{**ASK, "modelId": MODEL.removeprefix("us.")})
            await api.converse(**ASK)

    asyncio.run(main())
    assert [record.usage.term("region") for record in kept.records] == ["us-east-1", None]


@pytest.mark.parametrize(
    "form", ["converse", *(name for name in FORMS if "invoke" in name and "stream" not in name)]
)
def test_where_httpx_carries_the_calls_they_are_the_same(form: str, kept: Kept) -> None:
    """But for streams of events, of which aiobotocore 3.10 itself reads none over httpx."""
    reply, call = FORMS[form]
    if IS_OLD and "pieces" in form:
        pytest.skip("it reads no body in pieces over httpx")

    async def main() -> None:
        async with client(reply, http_session_cls=HttpxSession) as api:
            await call(api)
            assert len(kept.records) == 1  # by its end, and not by anybody's who collects it

    asyncio.run(main())
    assert (kept.only.usage.units, kept.only.cost, kept.only.flags) == (UNITS, COST, ())


@pytest.mark.parametrize("amount", [None, -1])
def test_a_body_that_is_read_to_its_end_and_kept_is_one_call_at_once(amount: int | None, kept: Kept) -> None:
    async def main() -> None:
        async with client(Reply(bodies.CLAUDE)) as api:
            body = (await api.invoke_model(**INVOKE))["body"]
            assert json.loads(await body.read(amount)) == bodies.CLAUDE
            assert (kept.only.usage.units, kept.only.flags) == (UNITS, ())  # it is held, and its loop goes on

    asyncio.run(main())


def test_a_body_read_into_an_array_is_one_whole_call(kept: Kept) -> None:
    async def main() -> None:
        async with client(Reply(bodies.CLAUDE)) as api:
            body, buffer, whole = (await api.invoke_model(**INVOKE))["body"], bytearray(33), b""
            while amount := await body.readinto(buffer):
                whole += buffer[:amount]
            assert json.loads(whole) == bodies.CLAUDE
            assert (kept.only.usage.units, kept.only.flags) == (UNITS, ())

    asyncio.run(main())


async def leave(body: Any) -> None:
    async with body:
        pass


CLOSERS: dict[str, tuple[dict[str, Any], Callable[[Any], Any]]] = {
    "close": ({}, lambda body: body.close()),
    "aclose": ({}, lambda body: body.aclose()),
    "with": ({}, leave),
    "close over httpx": ({"http_session_cls": HttpxSession}, lambda body: body.close()),
    "aclose over httpx": ({"http_session_cls": HttpxSession}, lambda body: body.aclose()),
    "with over httpx": ({"http_session_cls": HttpxSession}, leave),
}


@pytest.mark.parametrize("close", CLOSERS)
def test_a_body_that_is_closed_unread_is_one_call_at_its_close(close: str, kept: Kept) -> None:
    how, closing = CLOSERS[close]
    if IS_OLD and close in ("aclose", "close over httpx"):
        pytest.skip("the connection's answer has no such close")

    async def main() -> None:
        async with client(bodies.INVOKED, Reply(bodies.CLAUDE), **how) as api:
            for count, flags in (
                (1, ()),
                (2, ("abandoned", "partial")),
            ):  # with counts in its headers, and without
                body = (await api.invoke_model(**INVOKE))["body"]
                closed = closing(body)
                await (closed if closed is not None else asyncio.sleep(0))
                assert len(kept.records) == count  # it is held, and its loop goes on
                assert kept.records[-1].flags == flags

    asyncio.run(main())


@pytest.mark.parametrize("over", [{}, {"http_session_cls": HttpxSession}], ids=["aiohttp", "httpx"])
def test_a_body_that_breaks_off_is_one_failed_call(over: dict[str, Any], kept: Kept) -> None:
    async def main() -> None:
        async with client(Reply([json.dumps(bodies.CLAUDE).encode()], broken=True), **over) as api:
            await (await api.invoke_model(**INVOKE))["body"].read()

    with pytest.raises((ClientPayloadError, ResponseStreamingError, httpx.RemoteProtocolError)) as raised:
        asyncio.run(main())
    assert (kept.only.status, kept.only.error_type) == ("error", type(raised.value).__name__)


@pytest.mark.parametrize("form", FORMS)
def test_a_client_of_aioboto3_is_counted_as_one_of_aiobotocore(form: str, kept: Kept) -> None:
    aioboto3 = pytest.importorskip("aioboto3", reason="it pins an older aiobotocore; tried apart")
    reply, call = FORMS[form]

    async def main() -> None:
        session = aioboto3.Session(aws_access_key_id="test", aws_secret_access_key="test")  # noqa: S106 - likewise
        with bedrock(reply) as (url, _paths), context(user="u1"):
            async with session.client("bedrock-runtime", endpoint_url=url, region_name="us-east-1") as api:
                await call(api)

    asyncio.run(main())
    record = kept.only
    assert (record.usage.units, record.cost, record.user) == (UNITS, COST, "u1")


def test_a_stream_closed_early_or_dropped_is_one_partial_call(kept: Kept, hooks: Hooks) -> None:
    hooks.uninstrument("boto3")  # its hook of the close that both inherit would tell, too

    async def main() -> None:
        async with client(Reply(bodies.CONVERSE_EVENTS)) as api:
            stream = (await api.converse_stream(**ASK))["stream"]
            async for _ in stream:
                break
            stream.close()
            assert len(kept.records) == 1  # by its close: the stream is held, and its loop goes on
            other = (await api.converse_stream(**ASK))["stream"]
            async for _ in other:
                break
            del other
            gc.collect()

    asyncio.run(main())
    gc.collect()
    assert [{"abandoned", "partial"} <= set(record.flags) for record in kept.records] == [True, True]


def test_a_cancelled_task_is_one_partial_call(kept: Kept) -> None:
    async def events() -> AsyncIterator[Any]:
        async with client(Reply(bodies.CONVERSE_EVENTS)) as api:
            async for event in (await api.converse_stream(**ASK))["stream"]:
                yield event

    cancel_while_reading(events)
    assert "partial" in kept.only.flags


def test_a_stream_with_an_exception_in_it_is_one_failed_call(kept: Kept) -> None:
    async def main() -> None:
        async with client(Reply(bodies.BROKEN_EVENTS)) as api:
            async for _ in (await api.converse_stream(**ASK))["stream"]:
                pass

    with pytest.raises(EventStreamError):
        asyncio.run(main())
    assert (kept.only.status, kept.only.error_type) == ("error", "EventStreamError")


def test_an_error_is_one_failed_call(kept: Kept) -> None:
    async def main() -> None:
        async with client(
            Reply({"message": "no"}, 403, {"x-amzn-errortype": "AccessDeniedException"})
        ) as api:
            await api.converse(**ASK)

    with pytest.raises(ClientError):
        asyncio.run(main())
    assert (kept.only.status, kept.only.error_type) == ("error", "AccessDeniedException")


def test_unhooking_restores_what_is_inherited_too(hooks: Hooks) -> None:
    hooks.uninstrument("aiobotocore")
    assert [owner.__dict__.get(name) for owner, name in HOOKED] == ORIGINALS
