"""openai over websockets: one record for each response and for each transcript."""

import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import openai
import pytest
import websockets
from tests.support.sockets import SocketPeer, listening
from tests.support.wire import Kept

from outlay.capture import context
from outlay.instrumentation import Hooks
from outlay.journal import segments

pytestmark = [
    pytest.mark.usefixtures("hooks"),
    # How the SDK opens a connection is no concern of these tests.
    pytest.mark.filterwarnings("ignore:connect.. must be used as a context manager:DeprecationWarning"),
]

SESSION = {
    "type": "session.created",
    "event_id": "e0",
    "session": {
        "type": "realtime",
        "model": "gpt-realtime",
        "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}},
    },
}
USAGE = {
    "total_tokens": 300,
    "input_tokens": 200,
    "output_tokens": 100,
    "input_token_details": {"text_tokens": 120, "audio_tokens": 80, "cached_tokens": 0},
    "output_token_details": {"text_tokens": 20, "audio_tokens": 80},
}
UNITS = {"input": 120, "input_audio": 80, "output": 20, "output_audio": 80}
COST = Decimal("0.00848")  # 120 x 4 + 80 x 32 + 20 x 16 + 80 x 64 dollars a million
HEARD = {
    "type": "conversation.item.input_audio_transcription.completed",
    "event_id": "e1",
    "item_id": "i1",
    "content_index": 0,
    "transcript": "hello",
    "usage": {
        "type": "tokens",
        "total_tokens": 30,
        "input_tokens": 20,
        "input_token_details": {"text_tokens": 0, "audio_tokens": 20},
        "output_tokens": 10,
    },
}


def turn(name: str, **more: Any) -> list[dict[str, Any]]:
    body: dict[str, Any] = {"object": "realtime.response", "id": name, "output": []}
    return [
        {"type": "response.created", "event_id": "a", "response": {**body, "status": "in_progress"}},
        {"type": "response.output_audio.delta", "event_id": "b", "response_id": name, "delta": "AAAA"},
        {
            "type": "response.done",
            "event_id": "c",
            "response": {**body, "status": "completed", "usage": USAGE, **more},
        },
    ]


@pytest.fixture
def peer() -> SocketPeer:
    return SocketPeer([SESSION], [turn("resp_1"), [HEARD, *turn("resp_2")]])


@pytest.fixture
def address(peer: SocketPeer) -> Iterator[str]:
    with listening(peer) as where:
        yield where


def client(address: str) -> openai.OpenAI:
    return openai.OpenAI(api_key="k", base_url=f"http://{address}/v1")


def async_client(address: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(api_key="k", base_url=f"http://{address}/v1")


def until(connection: Any, kind: str) -> None:
    while connection.recv().type != kind:
        pass


def test_each_response_and_each_transcript_of_a_session_is_a_call(kept: Kept, address: str) -> None:
    with client(address).realtime.connect(model="gpt-realtime") as connection:
        connection.response.create()
        with context(user="u1"):
            until(connection, "response.done")
        connection.response.create()
        for event in connection:
            if event.type == "response.done":
                break
    first, heard, second = kept.records
    for record in (first, second):
        assert (record.usage.units, record.cost, record.model) == (UNITS, COST, "gpt-realtime")
        assert (record.provider, record.api, record.streamed) == ("openai", "realtime", True)
        assert record.time_to_first_token_ms is not None
        assert not record.flags
    assert [first.response_id, second.response_id] == ["resp_1", "resp_2"]
    assert [first.user, second.user] == ["u1", None]
    # 20 x 6 + 10 x 10 dollars a million
    assert (heard.api, heard.model, heard.cost) == ("transcription", "gpt-4o-transcribe", Decimal("0.00022"))
    assert "hello" not in str(kept.records)


def test_the_async_client_makes_the_same_records(kept: Kept, address: str) -> None:
    async def main() -> None:
        async with async_client(address).realtime.connect(model="gpt-realtime") as connection:
            for _ in range(2):
                await connection.response.create()
                while (await connection.recv()).type != "response.done":
                    pass

    asyncio.run(main())
    assert [record.usage.units for record in kept.records][::2] == [UNITS, UNITS]
    assert len(kept.records) == 3


def test_a_reader_of_bytes_is_seen_too_and_gets_them_unchanged(
    kept: Kept, address: str, peer: SocketPeer
) -> None:
    connection = client(address).realtime.connect(model="gpt-realtime").enter()
    connection.response.create()
    messages = [connection.recv_bytes() for _ in range(4)]
    assert b'"type": "response.done"' in messages[-1]
    connection.close()
    assert kept.only.usage.units == UNITS
    assert peer.paths == ["/v1/realtime?model=gpt-realtime"]


@pytest.mark.parametrize("end", ["closed", "dropped"])
def test_a_session_that_ends_within_a_response_leaves_one_partial_call(
    end: str, kept: Kept, address: str
) -> None:
    connection = client(address).realtime.connect(model="gpt-realtime").enter()
    connection.response.create()
    until(connection, "response.output_audio.delta")
    websocket = connection._connection
    if end == "closed":
        connection.close()
    else:
        del connection
        gc.collect()
    websocket.close()
    assert {"abandoned", "partial"} <= set(kept.only.flags)
    assert (kept.only.cost, kept.only.model) == (None, "gpt-realtime")


def test_a_connection_that_breaks_within_a_response_is_one_failed_call(kept: Kept) -> None:
    with listening(SocketPeer([SESSION], [turn("resp_1")[:2]], breaks=True)) as address:
        connection = client(address).realtime.connect(model="gpt-realtime").enter()
        connection.response.create()
        with pytest.raises(websockets.ConnectionClosedError) as caught:
            for _ in connection:
                pass
        connection.close()
    assert (kept.only.status, kept.only.error_type) == ("error", type(caught.value).__name__)


def test_a_response_that_fails_is_a_failed_call_and_one_that_was_cancelled_has_its_usage(kept: Kept) -> None:
    failed = turn("resp_1", status="failed", usage=None, status_details={"error": {"code": "server_error"}})
    answers = [failed, turn("resp_2", status="cancelled")]
    with (
        listening(SocketPeer([SESSION], answers)) as address,
        client(address).realtime.connect(model="gpt-realtime") as connection,
    ):
        for _ in range(2):
            connection.response.create()
            until(connection, "response.done")
    first, second = kept.records
    assert (first.status, first.error_type, first.cost) == ("error", "ResponseFailedError", None)
    assert (second.status, second.usage.units) == ("success", UNITS)


def test_a_receive_that_is_cancelled_ends_nothing(kept: Kept, address: str) -> None:
    async def main() -> None:
        async with async_client(address).realtime.connect(model="gpt-realtime") as connection:
            await connection.recv()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(connection.recv(), 0.05)
            await connection.response.create()
            while (await connection.recv()).type != "response.done":
                pass

    asyncio.run(main())
    assert kept.only.usage.units == UNITS


def test_responses_over_a_websocket_are_a_call_each(kept: Kept) -> None:
    body: dict[str, Any] = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1763800000,
        "model": "gpt-4o-2024-08-06",
        "output": [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }
    usage = {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100}
    answer = [
        {"type": "response.created", "sequence_number": 0, "response": {**body, "status": "in_progress"}},
        {"type": "response.output_text.delta", "sequence_number": 1, "item_id": "m", "delta": "a"},
        {
            "type": "response.completed",
            "sequence_number": 2,
            "response": {**body, "status": "completed", "usage": usage},
        },
    ]
    with (
        listening(SocketPeer([], [answer, answer])) as address,
        client(address).responses.connect() as connection,
    ):
        for _ in range(2):
            connection.send({"type": "response.create", "model": "gpt-4o", "input": "hi"})
            until(connection, "response.completed")
    assert [record.cost for record in kept.records] == [Decimal("0.0035")] * 2
    assert {(record.api, record.model) for record in kept.records} == {("responses", "gpt-4o-2024-08-06")}


REFUSED = {
    "type": "error",
    "status": 400,
    "error": {
        "type": "invalid_request_error",
        "code": "previous_response_not_found",
        "message": "Previous response with id 'resp_x' not found.",
        "param": "previous_response_id",
    },
}


def test_a_request_that_an_error_answers_is_a_failed_call(kept: Kept) -> None:
    response: dict[str, Any] = {"id": "resp_1", "object": "response", "model": "gpt-4o-2024-08-06"}
    usage = {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100}
    answer: list[dict[str, Any]] = [
        {"type": "response.created", "response": {**response, "status": "in_progress"}},
        {"type": "response.completed", "response": {**response, "status": "completed", "usage": usage}},
        {**REFUSED, "error": {"code": "websocket_connection_limit_reached"}},  # answers no request
    ]
    with (
        listening(SocketPeer([], [[REFUSED], answer])) as address,
        client(address).responses.connect() as connection,
    ):
        connection.response.create(model="gpt-4o", input="hi", previous_response_id="resp_x")
        until(connection, "error")
        connection.send({"type": "response.create", "model": "gpt-4o", "input": "hi"})
        until(connection, "error")
    refused, answered = kept.records
    assert (refused.status, refused.error_type, refused.error) == (
        "error",
        "ResponseFailedError",
        "previous_response_not_found",
    )
    assert (refused.api, refused.model, refused.cost, refused.usage.units) == (
        "responses",
        "gpt-4o",
        None,
        {},
    )
    assert (answered.status, answered.cost) == ("success", Decimal("0.0035"))


def test_a_request_of_the_async_client_that_an_error_answers_is_a_failed_call(kept: Kept) -> None:
    async def main(address: str) -> None:
        async with async_client(address).responses.connect() as connection:
            await connection.response.create(model="gpt-4o", input="hi")
            await connection.recv()

    with listening(SocketPeer([], [[REFUSED]])) as address:
        asyncio.run(main(address))
    assert (kept.only.status, kept.only.model) == ("error", "gpt-4o")


def ask_in_vain(connection: Any, end: str) -> None:
    """Ask for a response, and end the connection before anything answers."""
    with context(user="u1"):
        connection.response.create(model="gpt-4o", input="hi")
    if end == "breaks":
        with pytest.raises(websockets.ConnectionClosedError):
            connection.recv()
    connection.close()


@pytest.mark.parametrize(("end", "status"), [("breaks", "error"), ("closes", "success")])
def test_a_request_that_nothing_answers_is_a_call(end: str, status: str, kept: Kept) -> None:
    peer = SocketPeer([], [[]] if end == "breaks" else [], breaks=end == "breaks")
    with listening(peer) as address:
        ask_in_vain(client(address).responses.connect().enter(), end)
    record = kept.only
    assert (record.status, record.api, record.model, record.user) == (status, "responses", "gpt-4o", "u1")
    assert (record.cost, record.usage.units) == (None, {})
    assert status == "error" or {"abandoned", "partial"} <= set(record.flags)


def test_a_response_whose_beginning_was_not_told_is_one_call(kept: Kept) -> None:
    failed = {"id": "resp_1", "status": "failed", "error": {"code": "server_error"}}
    with (
        listening(SocketPeer([], [[{"type": "response.failed", "response": failed}]])) as address,
        client(address).responses.connect() as connection,
    ):
        connection.response.create(model="gpt-4o", input="hi")
        until(connection, "response.failed")
    assert (kept.only.status, kept.only.error, kept.only.model) == ("error", "server_error", "gpt-4o")


def test_a_request_that_could_not_be_sent_is_a_failed_call(kept: Kept) -> None:
    async def main(address: str) -> None:
        connection = await async_client(address).responses.connect().enter()
        await connection._connection.close()
        with pytest.raises(websockets.ConnectionClosed):
            await connection.response.create(model="gpt-4o", input="hi")
        await connection.close()

    with listening(SocketPeer([], [])) as address:
        sync = client(address).responses.connect().enter()
        sync._connection.close()
        with pytest.raises(websockets.ConnectionClosed):
            sync.response.create(model="gpt-4o", input="hi")
        sync.close()
        asyncio.run(main(address))
    assert [(record.status, record.model, record.error_type) for record in kept.records] == [
        ("error", "gpt-4o", "ConnectionClosedOK")
    ] * 2


def test_a_response_is_measured_from_its_request_and_for_whom_that_was_sent(kept: Kept) -> None:
    response: dict[str, Any] = {"id": "resp_1", "object": "response", "model": "gpt-4o-2024-08-06"}
    usage = {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100}
    answer: list[dict[str, Any]] = [
        {"type": "response.created", "response": {**response, "status": "in_progress"}},
        {"type": "response.completed", "response": {**response, "status": "completed", "usage": usage}},
    ]
    with (
        listening(SocketPeer([], [answer])) as address,
        client(address).responses.connect() as connection,
    ):
        with context(user="u1"):
            connection.response.create(model="gpt-4o", input="hi")
        time.sleep(0.05)
        until(connection, "response.completed")
    record = kept.only
    assert (record.user, record.model_requested, record.streamed) == ("u1", "gpt-4o", True)
    assert record.latency_ms is not None
    assert record.latency_ms >= 50


def test_an_error_in_a_realtime_session_is_no_call(kept: Kept) -> None:
    with (
        listening(SocketPeer([SESSION], [[REFUSED]])) as address,
        client(address).realtime.connect(model="gpt-realtime") as connection,
    ):
        connection.send({"type": "input_audio_buffer.commit"})
        until(connection, "error")
    assert not kept.records


@pytest.mark.parametrize(("end", "status"), [("breaks", "error"), ("closes", "success")])
def test_a_response_of_a_realtime_session_that_nothing_begins_is_a_call(
    end: str, status: str, kept: Kept
) -> None:
    peer = SocketPeer([SESSION], [[]] if end == "breaks" else [], breaks=end == "breaks")
    with listening(peer) as address:
        connection = client(address).realtime.connect(model="gpt-realtime").enter()
        connection.recv()
        with context(user="u1"):
            connection.response.create()
        if end == "breaks":
            with pytest.raises(websockets.ConnectionClosedError):
                connection.recv()
        connection.close()
    record = kept.only
    assert (record.status, record.api, record.model, record.user) == (
        status,
        "realtime",
        "gpt-realtime",
        "u1",
    )
    assert (record.cost, record.usage.units) == (None, {})
    assert status == "error" or {"abandoned", "partial"} <= set(record.flags)


@pytest.mark.parametrize(
    "refusal",
    [
        {"code": "invalid_value", "event_id": "mine"},
        {"code": "conversation_already_has_active_response", "event_id": None},
    ],
)
def test_a_response_of_a_realtime_session_that_an_error_refuses_is_a_failed_call(
    refusal: dict[str, Any], kept: Kept
) -> None:
    errors: list[Any] = [
        {"type": "error", "event_id": "e", "error": {"code": "of_another_event", "event_id": "other"}},
        {"type": "error", "event_id": "e", "error": refusal},
    ]

    async def main(address: str) -> None:
        async with async_client(address).realtime.connect(model="gpt-realtime") as connection:
            await connection.response.create(event_id="mine")
            for _ in range(3):
                await connection.recv()

    with listening(SocketPeer([SESSION], [errors])) as address:
        asyncio.run(main(address))
    assert (kept.only.status, kept.only.error, kept.only.model) == ("error", refusal["code"], "gpt-realtime")


def test_unhooking_lets_go(kept: Kept, hooks: Hooks, address: str) -> None:
    hooks.uninstrument("openai")
    with client(address).realtime.connect(model="gpt-realtime") as connection:
        connection.response.create()
        until(connection, "response.done")
    assert not kept.records


FORKING = """
import os, sys
from types import SimpleNamespace
from outlay import process
from outlay.capture.call import Call
from outlay.instrumentation.google_turns import Turns
from outlay.instrumentation.openai_sockets import Session
recorder = process.current().recorder
{begin}
child = os.fork()
if child == 0:
    {leave}
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
{end}
"""
SOCKET = (
    "it = Session(recorder, 'realtime', 'openai', 'gpt-realtime')\n"
    """it.hear('{"type": "response.created", "response": {"id": "r1"}}')"""
)
LIVE = """
it = Turns(lambda: Call(recorder(), provider="google", api="live", model="gemini-live-2.5-flash-preview"))
said = dict(usage_metadata=None, server_content=None, tool_call="a")
it.hear(SimpleNamespace(**said))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
@pytest.mark.parametrize(
    ("begin", "leave", "end"),
    [
        (SOCKET, "del it", """it.hear('{"type": "response.done", "response": {"id": "r1"}}')"""),
        (SOCKET, "it.closed(None)", "it.closed(None)"),
        (LIVE, "it.closed(None)", "it.closed(None)"),
    ],
)
def test_a_turn_that_is_under_way_when_its_process_forks_is_one_call(
    tmp_path: Path, begin: str, leave: str, end: str
) -> None:
    """The child's copy of the session is let go when the child ends; the parent's goes on."""
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKING.format(begin=begin, leave=leave, end=end)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OUTLAY_LEDGER": str(tmp_path)},
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = b"".join(each.path.read_bytes() for each in segments(tmp_path / "journal")).splitlines()
    assert len(lines) == 1
    assert json.loads(lines[0])["provider"] in {"openai", "google"}
