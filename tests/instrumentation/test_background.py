"""Responses made in the background: one record when the usage is there, whoever reads them back."""

import asyncio
import gc
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import openai
import pytest
from tests.support.wire import Kept, Server, answer, sse, streamed

from outlay.capture import context
from outlay.instrumentation import Hooks

pytestmark = pytest.mark.usefixtures("hooks")

UNITS = {"input": 1000, "output": 90, "reasoning": 10}
COST = Decimal("0.0035")  # 1000 x 2.50 + 100 x 10.00 dollars a million
DONE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1763800000,
    "model": "gpt-4o-2024-08-06",
    "status": "completed",
    "background": True,
    "output": [],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "usage": {
        "input_tokens": 1000,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 100,
        "output_tokens_details": {"reasoning_tokens": 10},
        "total_tokens": 1100,
    },
}
QUEUED = {**DONE, "status": "queued", "usage": None}
EVENTS = (
    {"type": "response.created", "sequence_number": 0, "response": QUEUED},
    {"type": "response.in_progress", "sequence_number": 1, "response": {**QUEUED, "status": "in_progress"}},
    {"type": "response.completed", "sequence_number": 2, "response": DONE},
)
STREAM = sse(*EVENTS, named=True)
ASK: dict[str, Any] = {"model": "gpt-4o", "input": "hi", "background": True}


def client(*answers: Any) -> openai.OpenAI:
    return openai.OpenAI(api_key="k", http_client=Server(list(answers)).client(), max_retries=0)


def test_a_queued_response_is_counted_once_when_polling_finds_it_done(kept: Kept) -> None:
    api = client(answer(QUEUED), answer(QUEUED), answer(DONE))
    with context(user="u1"):
        api.responses.create(**ASK)
    assert not kept.records
    for _ in range(4):
        api.responses.retrieve("resp_1")
    record = kept.only
    assert (record.usage.units, record.cost, record.user) == (UNITS, COST, "u1")
    assert (record.model_requested, record.status, record.response_id) == ("gpt-4o", "success", "resp_1")
    assert record.latency_ms is not None


def test_one_that_is_asked_for_in_the_extra_body_is_counted_once_too(kept: Kept) -> None:
    api = client(answer(QUEUED), answer(DONE))
    api.responses.create(**{**ASK, "background": False}, extra_body={"background": True})
    assert not kept.records
    api.responses.retrieve("resp_1")
    assert kept.only.usage.units == UNITS


def test_another_process_that_polls_makes_the_same_id(kept: Kept, hooks: Hooks) -> None:
    client(answer(DONE)).responses.retrieve("resp_1")
    hooks.uninstrument("openai")
    hooks.instrument("openai")  # knows nothing of what was recorded before
    client(answer(DONE)).responses.with_raw_response.retrieve("resp_1")
    first, second = kept.records
    assert first.id == second.id
    assert (first.at, first.latency_ms) == (datetime.fromtimestamp(1763800000, UTC), None)


def test_reading_any_other_response_back_costs_nothing(kept: Kept) -> None:
    client(answer({**DONE, "background": False})).responses.retrieve("resp_1")
    client(answer({**DONE, "background": None})).responses.retrieve("resp_1")
    assert not kept.records


def test_a_background_stream_and_its_response_read_back_are_one_call(kept: Kept) -> None:
    api = client(streamed(STREAM), answer(DONE))
    assert len(list(api.responses.create(stream=True, **ASK))) == 3
    api.responses.retrieve("resp_1")
    assert (kept.only.usage.units, kept.only.streamed) == (UNITS, True)


def test_a_background_stream_that_is_left_goes_on_and_is_counted_when_taken_up_again(kept: Kept) -> None:
    api = client(streamed(STREAM), streamed(STREAM))
    stream = api.responses.create(stream=True, **ASK)
    next(stream)
    stream.close()
    assert not kept.records
    list(api.responses.retrieve("resp_1", stream=True, starting_after=0))
    assert kept.only.usage.units == UNITS


def test_a_background_stream_that_is_dropped_makes_no_record_yet(kept: Kept) -> None:
    api = client(streamed(STREAM), answer(DONE))
    stream = api.responses.create(stream=True, **ASK)
    next(stream)
    del stream
    gc.collect()
    assert not kept.records
    api.responses.retrieve("resp_1")
    assert kept.only.usage.units == UNITS


def test_a_response_that_was_cancelled_is_one_call_with_what_it_used(kept: Kept) -> None:
    api = client(answer(QUEUED), answer({**DONE, "status": "cancelled"}))
    api.responses.create(**ASK)
    api.responses.cancel("resp_1")
    assert kept.only.usage.units == UNITS


def test_a_request_that_fails_is_one_failed_call_and_a_poll_that_fails_is_none(kept: Kept) -> None:
    wrong = answer({"error": {"message": "no", "code": "x"}}, 400)
    with pytest.raises(openai.BadRequestError):
        client(wrong).responses.create(**ASK)
    assert kept.only.error_type == "BadRequestError"
    with pytest.raises(openai.BadRequestError):
        client(wrong).responses.retrieve("resp_1")
    assert len(kept.records) == 1


def test_the_async_client_does_the_same(kept: Kept) -> None:
    async def main() -> None:
        server = Server([answer(QUEUED), answer(DONE), streamed(STREAM)])
        api = openai.AsyncOpenAI(api_key="k", http_client=server.async_client(), max_retries=0)
        await api.responses.create(**ASK)
        await api.responses.retrieve("resp_1")
        async for _ in await api.responses.retrieve("resp_1", stream=True):
            pass

    asyncio.run(main())
    assert kept.only.usage.units == UNITS


AT_ONCE = {name: value for name, value in DONE.items() if name != "background"}
"""What a server answers that has no background, as many that speak its tongue, and overlooks the wish."""
BEGUN = {**AT_ONCE, "status": "in_progress", "usage": None}
AT_ONCE_STREAM = sse(
    {"type": "response.created", "sequence_number": 0, "response": BEGUN},
    {"type": "response.completed", "sequence_number": 1, "response": AT_ONCE},
    named=True,
)


@pytest.mark.parametrize("said", [AT_ONCE, {**AT_ONCE, "background": False}, {**AT_ONCE, "id": None}])
def test_a_server_without_a_background_answers_at_once_and_that_is_a_call(
    said: dict[str, Any], kept: Kept
) -> None:
    api = client(answer(said), answer(AT_ONCE))
    api.responses.create(**ASK)
    assert kept.only.usage.units == UNITS
    api.responses.retrieve("resp_1")  # as of any other response, reading back costs nothing
    assert kept.only.cost == COST


def test_one_that_waits_and_does_not_say_so_is_counted_when_it_is_done(kept: Kept) -> None:
    api = client(answer({**AT_ONCE, "status": "queued", "usage": None}), answer(AT_ONCE), answer(AT_ONCE))
    api.responses.create(**ASK)
    assert not kept.records
    api.responses.retrieve("resp_1")
    api.responses.retrieve("resp_1")
    assert kept.only.usage.units == UNITS


def test_a_stream_of_such_a_server_is_a_call(kept: Kept) -> None:
    list(client(streamed(AT_ONCE_STREAM)).responses.create(stream=True, **ASK))
    assert (kept.only.usage.units, kept.only.streamed) == (UNITS, True)


@pytest.mark.parametrize("way", ["closed", "dropped"])
def test_a_stream_of_such_a_server_that_is_left_is_one_partial_call(way: str, kept: Kept) -> None:
    stream = client(streamed(AT_ONCE_STREAM)).responses.create(stream=True, **ASK)
    next(stream)
    if way == "closed":
        stream.close()
    del stream
    gc.collect()
    assert (kept.only.cost, "partial" in kept.only.flags) == (None, True)


@pytest.mark.parametrize("events", [STREAM, AT_ONCE_STREAM])
def test_a_stream_in_the_background_that_is_read_raw_is_a_call(events: bytes, kept: Kept) -> None:
    api = client(streamed(events), streamed(events))
    list(api.responses.with_raw_response.create(stream=True, **ASK).parse())
    assert (kept.only.usage.units, kept.only.streamed) == (UNITS, True)


def test_a_raw_stream_in_the_background_that_is_left_goes_on(kept: Kept) -> None:
    api = client(streamed(STREAM), answer(DONE))
    with api.responses.with_streaming_response.create(stream=True, **ASK) as response:
        next(response.iter_lines())
    assert not kept.records
    api.responses.retrieve("resp_1")
    assert kept.only.usage.units == UNITS


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("said", [DONE, AT_ONCE])
def test_an_answer_that_the_program_reads_itself_is_a_call(
    said: dict[str, Any],
    asynchronous: bool,  # noqa: FBT001 - a parameter
    kept: Kept,
) -> None:
    body = streamed(json.dumps(said).encode())  # not there before it is read, as over a wire

    async def main() -> None:
        server = Server([body])
        api = openai.AsyncOpenAI(api_key="k", http_client=server.async_client(), max_retries=0)
        async with api.responses.with_streaming_response.create(**ASK) as response:
            await response.json()

    if asynchronous:
        asyncio.run(main())
    else:
        with client(body).responses.with_streaming_response.create(**ASK) as response:
            response.json()
    assert kept.only.usage.units == UNITS


def test_a_retry_of_the_request_is_counted(monkeypatch: pytest.MonkeyPatch, kept: Kept) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    server = Server([answer({}, 500), answer(DONE)])
    openai.OpenAI(api_key="k", http_client=server.client(), max_retries=1).responses.create(**ASK)
    assert (kept.only.usage.units, kept.only.retries) == (UNITS, 1)
