"""anthropic: messages, beta messages and streams, each one record with the units of its last word."""

import asyncio
import gc
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import anthropic
import httpx2
import pytest
from pydantic import BaseModel
from tests.support.cancelled import cancel_while_reading
from tests.support.wire import Kept, Server, answer, sse, streamed

pytestmark = [
    pytest.mark.usefixtures("hooks"),
    # The golden prices are those of a model that is about to retire.
    pytest.mark.filterwarnings("ignore:The model .* is deprecated:DeprecationWarning"),
]

USAGE = {
    "input_tokens": 10,
    "cache_creation_input_tokens": 300,
    "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
    "cache_read_input_tokens": 1000,
    "output_tokens": 50,
    "service_tier": "standard",
    "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 0},
}
UNITS = {
    "input": 10,
    "cache_read": 1000,
    "cache_write": 100,
    "cache_write_1h": 200,
    "output": 50,
    "web_search": 2,
}
# 10 x 3 + 1000 x 0.30 + 100 x 3.75 + 200 x 6 + 50 x 15 dollars a million, and 2 searches at 10 a thousand
COST = Decimal("0.022655")
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [{"type": "text", "text": "hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": USAGE,
}
START = {**MESSAGE, "content": [], "stop_reason": None, "usage": {**USAGE, "output_tokens": 1}}
STREAM = sse(
    {"type": "message_start", "message": START},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hello"}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {
            "output_tokens": 50,
            "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 0},
        },
    },
    {"type": "message_stop"},
    named=True,
)
ASK: dict[str, Any] = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "hi"}],
}


class City(BaseModel):
    """What the parse form parses."""

    city: str


def client(server: Server) -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="sk-ant-test", http_client=server.client(), max_retries=0)


def async_client(server: Server) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(api_key="sk-ant-test", http_client=server.async_client(), max_retries=0)


def helper(api: Any) -> None:
    with api.stream(**ASK) as stream:
        assert "".join(stream.text_stream) == "hello"
        stream.get_final_message()


FORMS: dict[str, tuple[Any, Callable[[anthropic.Anthropic], Any]]] = {
    "create": (answer(MESSAGE), lambda api: api.messages.create(**ASK)),
    "raw": (answer(MESSAGE), lambda api: api.messages.with_raw_response.create(**ASK)),
    "raw parsed": (answer(MESSAGE), lambda api: api.messages.with_raw_response.create(**ASK).parse()),
    "beta": (answer(MESSAGE), lambda api: api.beta.messages.create(**ASK)),
    "stream": (streamed(STREAM), lambda api: list(api.messages.create(stream=True, **ASK))),
    "beta stream": (streamed(STREAM), lambda api: list(api.beta.messages.create(stream=True, **ASK))),
    "helper": (streamed(STREAM), lambda api: helper(api.messages)),
    "beta helper": (streamed(STREAM), lambda api: helper(api.beta.messages)),
    "raw stream": (
        streamed(STREAM),
        lambda api: list(api.messages.with_raw_response.create(stream=True, **ASK).parse()),
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_sync_form_makes_one_record_with_the_right_units_and_cost(form: str, kept: Kept) -> None:
    reply, call = FORMS[form]
    call(client(Server([reply])))
    record = kept.only
    assert record.usage.units == UNITS
    assert (record.cost, record.cost_status) == (COST, "priced")
    assert (record.provider, record.model) == ("anthropic", "claude-sonnet-4-5-20250929")
    assert (record.input_tokens, record.output_tokens) == (1310, 50)
    assert record.response_id == "msg_1"


def test_async_forms_make_one_record_each(kept: Kept) -> None:
    async def main() -> None:
        await async_client(Server([answer(MESSAGE)])).messages.create(**ASK)
        async for _ in await async_client(Server([streamed(STREAM)])).messages.create(stream=True, **ASK):
            pass
        async with async_client(Server([streamed(STREAM)])).messages.stream(**ASK) as stream:
            await stream.get_final_message()
        create = async_client(Server([answer(MESSAGE)])).messages.with_streaming_response.create
        async with create(**ASK) as response:
            assert await response.json() == MESSAGE

    asyncio.run(main())
    assert [record.usage.units for record in kept.records] == [UNITS] * 4
    assert {record.cost for record in kept.records} == {COST}


def test_a_stream_left_early_keeps_what_its_start_said(kept: Kept) -> None:
    with client(Server([streamed(STREAM)])).messages.stream(**ASK) as stream:
        next(iter(stream))
    record = kept.only
    assert {"abandoned", "partial"} <= set(record.flags)
    assert record.usage.units == {**UNITS, "output": 1}


def test_a_stream_that_is_dropped_is_one_partial_call(kept: Kept) -> None:
    stream = client(Server([streamed(STREAM)])).messages.create(stream=True, **ASK)
    next(iter(stream))
    del stream
    gc.collect()
    assert "partial" in kept.only.flags


def test_a_cancelled_task_is_one_partial_call(kept: Kept) -> None:
    api = async_client(Server([streamed(STREAM)]))
    cancel_while_reading(lambda: api.messages.create(stream=True, **ASK))
    assert "partial" in kept.only.flags
    assert kept.only.usage["cache_read"] == 1000


def test_a_stream_that_breaks_keeps_what_came(kept: Kept) -> None:
    first = STREAM.split(b"\n\n")[0] + b"\n\n"
    stream = client(Server([streamed(first, httpx2.ReadError("reset"))])).messages.create(stream=True, **ASK)
    with pytest.raises(httpx2.ReadError):
        list(stream)
    assert kept.only.status == "error"
    assert kept.only.usage["cache_read"] == 1000


def test_an_overloaded_provider_is_one_failed_call(kept: Kept) -> None:
    reply = answer({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, 529)
    with pytest.raises(anthropic.APIStatusError):
        client(Server([reply])).messages.create(**ASK)
    assert (kept.only.status, kept.only.cost, kept.only.cost_status) == ("error", None, "unpriced")


def test_a_runner_of_tools_makes_one_record_for_each_hop(kept: Kept) -> None:
    @anthropic.beta_tool
    def weather(city: str) -> str:
        """Tell the weather."""
        return f"fine in {city}"

    use = {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Oslo"}}
    first = {**MESSAGE, "content": [use], "stop_reason": "tool_use"}
    server = Server([answer(first), answer({**MESSAGE, "id": "msg_2"})])
    client(server).beta.messages.tool_runner(tools=[weather], **ASK).until_done()
    assert [record.response_id for record in kept.records] == ["msg_1", "msg_2"]
    assert {record.cost for record in kept.records} == {COST}


def test_parse_makes_one_record(kept: Kept) -> None:
    said = {**MESSAGE, "content": [{"type": "text", "text": '{"city": "Oslo"}'}]}
    client(Server([answer(said)])).messages.parse(output_format=City, **ASK)
    assert kept.only.cost == COST


def test_counting_tokens_is_no_billed_call(kept: Kept) -> None:
    body = {key: ASK[key] for key in ("model", "messages")}
    client(Server([answer({"input_tokens": 5})])).messages.count_tokens(**body)
    assert not kept.records
