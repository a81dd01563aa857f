"""mistralai: every method that makes a request makes one record, sync and async, whatever becomes of it."""

import asyncio
import gc
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from mistralai.azure.client import MistralAzure
from mistralai.client import Mistral
from mistralai.client.chat import Chat
from mistralai.client.errors import SDKError
from mistralai.client.utils.eventstreaming import EventStream
from mistralai.client.utils.retries import BackoffStrategy, RetryConfig
from pydantic import BaseModel
from tests.support.cancelled import cancel_while_reading
from tests.support.wire import Kept, Server, answer, sse, streamed

from outlay.capture import context
from outlay.instrumentation import Hooks

pytestmark = pytest.mark.usefixtures("hooks")

USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
UNITS = {"input": 1000, "output": 100}
# 1000 x 0.50 + 100 x 1.50 dollars a million
COST = Decimal("0.00065")
MODEL = "mistral-large-2512"
CHAT = {
    "id": "cmpl-1",
    "object": "chat.completion",
    "created": 1763800000,
    "model": MODEL,
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": '{"city": "Oslo"}'}}
    ],
    "usage": USAGE,
}


def chunk(text: str, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    base = {"id": "cmpl-1", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
    return {**base, "choices": [choice], **fields}


STREAM = sse(chunk("a"), chunk("b"), chunk("", "stop", usage=USAGE), done=True)
TALK = (
    b"event: conversation.response.started\n"
    + sse({"type": "conversation.response.started", "conversation_id": "conv_1"})
    + b"event: conversation.response.done\n"
    + sse({"type": "conversation.response.done", "usage": USAGE})
)
ASK: dict[str, Any] = {"model": "mistral-large-latest", "messages": [{"role": "user", "content": "hi"}]}


class City(BaseModel):
    """What the parse forms parse."""

    city: str


def client(server: Server) -> Mistral:
    return Mistral(api_key="test", client=server.client(), async_client=server.async_client())


SYNC: dict[str, tuple[Any, Callable[[Mistral], Any]]] = {
    "complete": (answer(CHAT), lambda api: api.chat.complete(**ASK)),
    "stream": (streamed(STREAM), lambda api: list(api.chat.stream(**ASK))),
    "parse": (answer(CHAT), lambda api: api.chat.parse(response_format=City, **ASK)),
    "parse stream": (streamed(STREAM), lambda api: list(api.chat.parse_stream(response_format=City, **ASK))),
    "fim": (answer(CHAT), lambda api: api.fim.complete(model="mistral-large-latest", prompt="def f(")),
    "fim stream": (
        streamed(STREAM),
        lambda api: list(api.fim.stream(model="mistral-large-latest", prompt="def f(")),
    ),
}


@pytest.mark.parametrize("form", SYNC)
def test_every_sync_form_makes_one_record_with_the_right_units_and_cost(form: str, kept: Kept) -> None:
    reply, call = SYNC[form]
    with context(user="u1"):
        call(client(Server([reply])))
    record = kept.only
    assert (record.usage.units, record.cost, record.cost_status) == (UNITS, COST, "priced")
    assert (record.provider, record.model, record.model_requested) == (
        "mistral",
        MODEL,
        "mistral-large-latest",
    )
    assert (record.user, record.flags) == ("u1", ())


def test_async_forms_make_one_record_each(kept: Kept) -> None:
    async def main() -> None:
        await client(Server([answer(CHAT)])).chat.complete_async(**ASK)
        await client(Server([answer(CHAT)])).chat.parse_async(response_format=City, **ASK)
        async for _ in await client(Server([streamed(STREAM)])).chat.stream_async(**ASK):
            pass
        await client(Server([answer(CHAT)])).agents.complete_async(agent_id="ag_1", messages=ASK["messages"])

    asyncio.run(main())
    assert [(record.usage.units, record.cost) for record in kept.records] == [(UNITS, COST)] * 4


@pytest.mark.filterwarnings("ignore:ast:DeprecationWarning")  # a library of the SDK's, on Python 3.13
def test_embeddings_pages_and_conversations_make_one_record_each(kept: Kept) -> None:
    embedded = {
        "id": "e-1",
        "object": "list",
        "model": "mistral-embed",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.1]}],
        "usage": {"prompt_tokens": 9, "total_tokens": 9, "completion_tokens": 0},
    }
    client(Server([answer(embedded)])).embeddings.create(model="mistral-embed", inputs=["hi"])
    page = {"index": 0, "markdown": "x", "images": [], "dimensions": None}
    pages = {"pages": [page], "model": "mistral-ocr-2505", "usage_info": {"pages_processed": 3}}
    client(Server([answer(pages)])).ocr.process(
        model="mistral-ocr-latest",
        document={"type": "document_url", "document_url": "https://example.org/a.pdf"},
    )
    talk = {"conversation_id": "conv_1", "outputs": [], "usage": USAGE, "object": "conversation.response"}
    client(Server([answer(talk)])).beta.conversations.start(model=MODEL, inputs="hi")
    list(client(Server([streamed(TALK)])).beta.conversations.start_stream(model=MODEL, inputs="hi"))
    assert [(record.api, record.usage.units) for record in kept.records] == [
        ("embeddings", {"input": 9}),
        ("ocr", {"pages": 3}),
        ("chat", UNITS),
        ("chat", UNITS),
    ]
    assert {record.model for record in kept.records[2:]} == {MODEL}
    assert kept.records[0].usage.flags == ()


def test_the_caller_gets_the_events_as_they_came(kept: Kept) -> None:
    events = list(client(Server([streamed(STREAM)])).chat.stream(**ASK))
    assert [event.data.choices[0].delta.content for event in events] == ["a", "b", ""]
    assert (kept.only.streamed, kept.only.time_to_first_token_ms is not None) == (True, True)


def test_a_stream_closed_early_or_dropped_is_one_partial_call(kept: Kept) -> None:
    with client(Server([streamed(STREAM)])).chat.stream(**ASK) as stream:
        next(stream)
    other = client(Server([streamed(STREAM)])).chat.stream(**ASK)
    next(other)
    del other
    gc.collect()
    assert [{"abandoned", "partial"} <= set(record.flags) for record in kept.records] == [True, True]
    assert [record.cost for record in kept.records] == [None, None]


def test_a_stream_that_breaks_is_one_failed_call_and_its_error_is_untouched(kept: Kept) -> None:
    broken = httpx2.ReadError("reset")
    stream = client(Server([streamed(sse(chunk("a")), broken)])).chat.stream(**ASK)
    with pytest.raises(httpx2.ReadError) as caught:
        list(stream)
    assert caught.value is broken
    assert (kept.only.status, kept.only.error_type) == ("error", "ReadError")


def test_a_cancelled_task_is_one_partial_call(kept: Kept) -> None:
    cancel_while_reading(lambda: client(Server([streamed(STREAM)])).chat.stream_async(**ASK))
    assert "partial" in kept.only.flags


def test_an_error_is_one_failed_call(kept: Kept) -> None:
    with pytest.raises(SDKError):
        client(Server([answer({"message": "slow down"}, 429)])).chat.complete(**ASK)
    assert (kept.only.status, kept.only.error_type, kept.only.cost) == ("error", "SDKError", None)


def test_a_client_of_azure_is_azure(kept: Kept) -> None:
    api = MistralAzure(
        api_key="k", server_url="https://one.services.ai.azure.com", client=Server([answer(CHAT)]).client()
    )
    api.chat.complete(**ASK)
    assert (kept.only.provider, kept.only.usage.units) == ("azure", UNITS)


def test_a_list_of_models_is_no_billed_call(kept: Kept) -> None:
    client(Server([answer({"object": "list", "data": []})])).models.list()
    assert not kept.records


def test_unhooking_restores(kept: Kept, hooks: Hooks) -> None:
    hooks.uninstrument("mistralai")
    for method in (Chat.complete, Chat.stream, Chat.complete_async, EventStream.close):
        assert not hasattr(method, "__wrapped__")
    client(Server([answer(CHAT)])).chat.complete(**ASK)
    assert not kept.records


def test_retries_are_counted_in_one_record(kept: Kept) -> None:
    again = RetryConfig(
        "backoff", BackoffStrategy(1, 1, 1, 60_000, jitter_ms=0), retry_connection_errors=True
    )
    busy = answer({"message": "busy"}, 503)

    async def main() -> None:
        api = client(Server([busy, busy, answer(CHAT)]))
        await api.chat.complete_async(**ASK, retries=again)

    list(client(Server([busy, streamed(STREAM)])).chat.stream(**ASK, retries=again))
    asyncio.run(main())
    client(Server([answer(CHAT)])).chat.complete(**ASK, retries=again)
    assert [record.retries for record in kept.records] == [1, 2, 0]
    assert [record.usage.units for record in kept.records] == [UNITS] * 3
