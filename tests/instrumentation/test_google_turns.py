"""google-genai's live sessions and interactions: one record for each turn, and one for each interaction."""

import asyncio
import gc
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx2
import pytest
import websockets
from google import genai
from google.genai import types
from tests.support.sockets import SocketPeer, listening
from tests.support.wire import Kept, Server, answer, sse, streamed

from outlay.capture import context

pytestmark = pytest.mark.usefixtures("hooks")

READY: dict[str, Any] = {"setupComplete": {}}
WORD = {"serverContent": {"modelTurn": {"role": "model", "parts": [{"text": "hello"}]}}}
USAGE = {"promptTokenCount": 100, "responseTokenCount": 20, "totalTokenCount": 120}
DONE = {"serverContent": {"turnComplete": True}, "usageMetadata": USAGE}
HELLO: Any = {"role": "user", "parts": [{"text": "hi"}]}


def client(base: str = "http://127.0.0.1:1", **options: Any) -> genai.Client:
    return genai.Client(api_key="k", http_options=types.HttpOptions(base_url=base, **options))


def spoken_to(address: str) -> genai.Client:
    """Speak to a peer on loopback, where there is no encryption."""
    api = client(f"http://{address}")
    api._api_client._websocket_base_url = lambda *_: f"ws://{address}"  # type: ignore[method-assign]
    api._api_client._websocket_ssl_ctx = {}
    return api


def test_each_turn_of_a_live_session_is_a_call(kept: Kept) -> None:
    async def main(address: str) -> None:
        async with spoken_to(address).aio.live.connect(model="gemini-2.5-flash") as session:
            for user in ("u1", "u2"):
                await session.send_client_content(turns=HELLO)
                with context(user=user):
                    assert [bool(message.server_content) async for message in session.receive()] == [True] * 2

    with listening(SocketPeer([], [[READY], [WORD, DONE], [WORD, DONE]], binary=True)) as address:
        asyncio.run(main(address))
    # 100 x 0.30 + 20 x 2.50 dollars a million
    assert [record.cost for record in kept.records] == [Decimal("0.00008")] * 2
    assert [record.user for record in kept.records] == ["u1", "u2"]
    first = kept.records[0]
    assert (first.usage.units, first.model) == ({"input": 100, "output": 20}, "gemini-2.5-flash")
    assert (first.provider, first.api, first.streamed, first.flags) == ("google", "live", True, ())


def test_a_turn_pays_for_the_searches_that_its_messages_tell_of(kept: Kept) -> None:
    found, more = ({"groundingMetadata": {"webSearchQueries": queries}} for queries in (["a"], ["a", "b"]))

    async def main(address: str) -> None:
        async with spoken_to(address).aio.live.connect(model="gemini-2.5-flash") as session:
            for _ in range(2):
                await session.send_client_content(turns=HELLO)
                assert [bool(message.server_content) async for message in session.receive()]

    turns: list[Any] = [
        [{"serverContent": found}, {"serverContent": more}, {"serverContent": found}, DONE],
        [WORD, DONE],
    ]
    with listening(SocketPeer([], [[READY], *turns], binary=True)) as address:
        asyncio.run(main(address))
    # 100 x 0.30 + 20 x 2.50 dollars a million, and 35 dollars a thousand prompts that were searched for
    assert [record.cost for record in kept.records] == [Decimal("0.03508"), Decimal("0.00008")]
    assert kept.records[0].usage.units == {"input": 100, "output": 20, "web_search": 2}


@pytest.mark.parametrize("breaks", [False, True])
def test_a_session_that_ends_within_a_turn_is_one_partial_call(breaks: bool, kept: Kept) -> None:  # noqa: FBT001 - a parameter of the test
    async def main(address: str) -> None:
        async with spoken_to(address).aio.live.connect(model="gemini-2.5-flash") as session:
            await session.send_client_content(turns=HELLO)
            async for _ in session.receive():
                if not breaks:
                    break

    peer = SocketPeer([], [[READY], [WORD]], binary=True, breaks=breaks)
    with listening(peer) as address:
        if breaks:
            with pytest.raises(genai.errors.APIError):
                asyncio.run(main(address))
        else:
            asyncio.run(main(address))
    assert "partial" in kept.only.flags
    assert (kept.only.status, kept.only.cost) == ("error" if breaks else "success", None)


ASKS: dict[str, Callable[[Any], Any]] = {
    "content": lambda session: session.send_client_content(turns=HELLO),
    "tools": lambda session: session.send_tool_response(
        function_responses={"id": "f", "name": "f", "response": {"a": 1}}
    ),
    "one of two": lambda session: session.send_tool_response(
        function_responses=[
            {"id": "f", "name": "f", "response": {}, "scheduling": "SILENT"},
            {"id": "g", "name": "g", "response": {}},
        ]
    ),
    "a silence": lambda session: session.send_realtime_input(activity_end={}),
}


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize("breaks", [False, True])
def test_a_request_in_a_live_session_that_nothing_answers_is_a_call(
    ask: str,
    breaks: bool,  # noqa: FBT001 - a parameter of the test
    kept: Kept,
) -> None:
    async def main(address: str) -> None:
        async with spoken_to(address).aio.live.connect(model="gemini-2.5-flash") as session:
            with context(user="u1"):
                await ASKS[ask](session)
            if breaks:
                await anext(session.receive())

    with listening(SocketPeer([], [[READY], []], binary=True, breaks=breaks)) as address:
        if breaks:
            with pytest.raises(genai.errors.APIError):
                asyncio.run(main(address))
        else:
            asyncio.run(main(address))
    record = kept.only
    assert (record.user, record.model, record.api, record.cost) == ("u1", "gemini-2.5-flash", "live", None)
    assert record.status == ("error" if breaks else "success")
    assert "partial" in record.flags


def test_what_asks_for_no_answer_is_no_call(kept: Kept) -> None:
    silent: Any = {"id": "f", "name": "f", "response": {}, "scheduling": "SILENT"}

    async def main(address: str) -> None:
        async with spoken_to(address).aio.live.connect(model="gemini-2.5-flash") as session:
            await session.send_client_content(turns=HELLO, turn_complete=False)
            await session.send_tool_response(function_responses=[silent])
            await session.send_realtime_input(text="hi")
            with pytest.warns(DeprecationWarning, match="deprecated") as told:
                await session.send(input="hi", end_of_turn=True)
            assert {each.filename for each in told} == {__file__}  # the program's own line, and not ours
            with pytest.raises(ValueError, match="Could not convert"):
                await session.send_client_content(turns={"parts": 7})  # type: ignore[arg-type]  # refused

    with listening(SocketPeer([], [[READY]], binary=True)) as address:
        asyncio.run(main(address))
    assert not kept.records


def test_a_request_in_a_live_session_that_could_not_be_sent_is_a_failed_call(kept: Kept) -> None:
    async def main(address: str) -> None:
        async with spoken_to(address).aio.live.connect(model="gemini-2.5-flash") as session:
            await session._ws.close()
            await session.send_client_content(turns=HELLO)

    with (
        listening(SocketPeer([], [[READY]], binary=True)) as address,
        pytest.raises(websockets.ConnectionClosedOK),
    ):
        asyncio.run(main(address))
    assert (kept.only.status, kept.only.error_type) == ("error", "ConnectionClosedOK")


def test_what_is_told_behind_the_end_of_a_turn_is_no_call(kept: Kept) -> None:
    behind: list[Any] = [
        {"serverContent": {each: {"text": "hello"}}} for each in ("inputTranscription", "outputTranscription")
    ]
    behind.append({"serverContent": {"turnComplete": True, "interactionStatus": "IDLE"}})

    async def main(address: str) -> None:
        async with spoken_to(address).aio.live.connect(model="gemini-2.5-flash") as session:
            await session.send_client_content(turns=HELLO)
            assert [message async for message in session.receive()]
            assert [message async for message in session.receive()]

    with listening(SocketPeer([], [[READY], [WORD, DONE, *behind]], binary=True)) as address:
        asyncio.run(main(address))
    assert kept.only.usage.units == {"input": 100, "output": 20}


UNITS = {"input": 1000, "output": 100, "reasoning": 10}
COST = Decimal("0.000575")  # 1000 x 0.30 + 110 x 2.50 dollars a million
INTERACTION: dict[str, Any] = {
    "id": "int_1",
    "object": "interaction",
    "model": "gemini-2.5-flash",
    "status": "completed",
    "created": "2026-11-01T00:00:00Z",
    "updated": "2026-11-01T00:00:01Z",
    "steps": [],
    "usage": {
        "total_input_tokens": 1000,
        "total_output_tokens": 100,
        "total_thought_tokens": 10,
        "total_tokens": 1110,
    },
}
EVENTS = sse(
    {
        "event_type": "interaction.created",
        "interaction": {**INTERACTION, "status": "in_progress", "usage": None},
    },
    {"event_type": "step.delta", "index": 0, "delta": {"type": "text", "text": "hello"}},
    {"event_type": "interaction.completed", "interaction": INTERACTION},
)
ASK: dict[str, Any] = {"model": "gemini-2.5-flash", "input": "hi"}


def over(server: Server) -> genai.Client:
    return client(httpx_client=server.client(), httpx_async_client=server.async_client())


FORMS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "create": (answer(INTERACTION), lambda api: api.create(**ASK)),
    "raw": (answer(INTERACTION), lambda api: api.with_raw_response.create(**ASK)),
    "stream": (streamed(EVENTS), lambda api: list(api.create(stream=True, **ASK))),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.filterwarnings("ignore:Interactions usage is experimental")
def test_every_form_of_an_interaction_makes_one_record(form: str, kept: Kept) -> None:
    reply, call = FORMS[form]
    call(over(Server([reply])).interactions)
    record = kept.only
    assert (record.usage.units, record.cost, record.response_id) == (UNITS, COST, "int_1")
    assert (record.provider, record.api, record.streamed) == ("google", "interactions", form == "stream")


@pytest.mark.filterwarnings("ignore:Interactions usage is experimental")
def test_async_interactions_make_one_record_each_and_reading_costs_nothing(kept: Kept) -> None:
    async def main() -> None:
        await over(Server([answer(INTERACTION)])).aio.interactions.create(**ASK)
        async for _ in await over(Server([streamed(EVENTS)])).aio.interactions.create(stream=True, **ASK):
            pass
        await over(Server([answer(INTERACTION)])).aio.interactions.get("int_1")

    asyncio.run(main())
    assert [record.usage.units for record in kept.records] == [UNITS, UNITS]


@pytest.mark.filterwarnings("ignore:Interactions usage is experimental")
def test_an_interaction_that_fails_is_one_failed_call(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)  # before the SDK tries again
    refused = answer({"error": {"code": 429, "message": "no", "status": "RESOURCE_EXHAUSTED"}}, 429)
    with pytest.raises(Exception, match=r"RESOURCE_EXHAUSTED|429") as caught:
        over(Server([refused])).interactions.create(**ASK)
    assert (kept.only.status, kept.only.error_type) == ("error", type(caught.value).__name__)


@pytest.mark.filterwarnings("ignore:Interactions usage is experimental")
def test_interaction_streams_that_are_left_or_break_are_one_partial_call_each(kept: Kept) -> None:
    stream = over(Server([streamed(EVENTS)])).interactions.create(stream=True, **ASK)
    next(iter(stream))
    stream.close()
    first = EVENTS.split(b"\n\n")[0] + b"\n\n"
    broken = over(Server([streamed(first, httpx2.ReadError("reset"))])).interactions.create(
        stream=True, **ASK
    )
    with pytest.raises(Exception, match="reset"):
        list(broken)
    gc.collect()
    assert [record.status for record in kept.records] == ["success", "error"]
    assert all("partial" in record.flags for record in kept.records)
