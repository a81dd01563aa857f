"""xai-sdk: every form of a request over gRPC makes exactly one record, whatever becomes of it."""

import asyncio
import gc
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import grpc
import pytest
import xai_sdk
from pydantic import BaseModel, ValidationError
from tests.support.cancelled import cancel_while_reading
from tests.support.wire import Kept
from tests.support.xai_peer import Peer, serving
from xai_sdk.chat import user

from outlay.capture import context
from outlay.instrumentation import Hooks

pytestmark = [
    pytest.mark.usefixtures("hooks"),
    # The batch forms are on their way out; they still bill.
    pytest.mark.filterwarnings("ignore:.*will be deprecated:PendingDeprecationWarning"),
]

UNITS = {"input": 800, "cache_read": 200, "output": 90, "reasoning": 10, "web_search": 1}
STATED = Decimal("0.0012345")
AT_ONCE = timedelta(milliseconds=1)


class City(BaseModel):
    """What the parse form parses."""

    city: str


class Number(BaseModel):
    """What the answer is not."""

    number: int


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest.fixture
def address(peer: Peer) -> Iterator[str]:
    with serving(peer) as where:
        yield where


@pytest.fixture
def client(address: str) -> Iterator[xai_sdk.Client]:
    with xai_sdk.Client(api_key="k", api_host=address, use_insecure_channel=True) as made:
        yield made


def asked(client: Any) -> Any:
    return client.chat.create(model="grok-4", messages=[user("hi")])


FORMS: dict[str, Callable[[Any], Any]] = {
    "sample": lambda chat: chat.sample(),
    "sample_batch": lambda chat: chat.sample_batch(3),
    "stream": lambda chat: list(chat.stream()),
    "stream_batch": lambda chat: list(chat.stream_batch(2)),
    "parse": lambda chat: chat.parse(City),
    "defer": lambda chat: chat.defer(interval=AT_ONCE),
    "defer_batch": lambda chat: chat.defer_batch(2, interval=AT_ONCE),
    "compact": lambda chat: chat.compact(),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_sync_form_makes_one_record_with_the_cost_that_xai_states(
    form: str, kept: Kept, client: Any
) -> None:
    with context(user="u1"):
        FORMS[form](asked(client))
    record = kept.only
    assert record.usage.units == UNITS
    assert (record.cost, record.cost_status, record.user) == (STATED, "reported", "u1")
    assert (record.provider, record.model_requested, record.status) == ("xai", "grok-4", "success")
    assert record.model == ("grok-4" if form == "compact" else "grok-4-0709")
    assert record.streamed == form.startswith("stream")
    assert "partial" not in record.flags


def test_every_async_form_makes_one_record(kept: Kept, address: str) -> None:
    async def main() -> None:
        async with xai_sdk.AsyncClient(api_key="k", api_host=address, use_insecure_channel=True) as client:
            await asked(client).sample()
            await asked(client).sample_batch(3)
            await asked(client).parse(City)
            await asked(client).defer(interval=AT_ONCE)
            async for _ in asked(client).stream():
                pass
            await client.image.sample("a fjord", "grok-imagine-image")

    asyncio.run(main())
    assert [record.usage.units for record in kept.records] == [UNITS] * 5 + [{"images": 1}]
    assert {record.cost for record in kept.records} == {STATED}


def test_the_tier_that_served_is_kept(kept: Kept, client: Any) -> None:
    asked(client).sample()
    assert kept.only.usage.term("service_tier") == "priority"


def test_the_caller_gets_what_the_sdk_gives(kept: Kept, client: Any) -> None:
    response = asked(client).sample()
    assert (response.content, response.usage.reasoning_tokens) == ('{"city": "Oslo"}', 10)
    assert "".join(chunk.content for _, chunk in asked(client).stream()) == "abc"
    assert kept.records[-1].time_to_first_token_ms is not None


def test_an_answer_that_does_not_parse_was_billed_all_the_same(kept: Kept, client: Any) -> None:
    with pytest.raises(ValidationError):
        asked(client).parse(Number)
    assert (kept.only.usage.units, kept.only.cost) == (UNITS, STATED)


def test_an_error_is_recorded_and_raised_unchanged(kept: Kept, client: Any, peer: Peer) -> None:
    peer.fails = True
    with pytest.raises(grpc.RpcError) as caught:
        asked(client).sample()
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (kept.only.status, kept.only.error_type, kept.only.cost) == (
        "error",
        type(caught.value).__name__,
        None,
    )


def test_a_deferred_request_that_expires_is_one_failed_call(kept: Kept, client: Any, peer: Peer) -> None:
    peer.fails = True
    with pytest.raises(RuntimeError, match="expired"):
        asked(client).defer(interval=AT_ONCE)
    assert (kept.only.status, kept.only.cost) == ("error", None)


def test_a_stream_that_breaks_keeps_what_came(kept: Kept, client: Any, peer: Peer) -> None:
    peer.breaks = True
    with pytest.raises(grpc.RpcError):
        list(asked(client).stream())
    record = kept.only
    assert (record.status, record.usage["output"]) == ("error", 1)
    assert "partial" in record.flags


def test_a_stream_left_early_is_one_partial_call(kept: Kept, client: Any) -> None:
    stream = asked(client).stream()
    next(stream)
    stream.close()
    assert {"abandoned", "partial"} <= set(kept.only.flags)


def test_a_stream_that_is_dropped_is_one_partial_call(kept: Kept, client: Any) -> None:
    stream = asked(client).stream()
    next(stream)
    del stream
    gc.collect()
    assert "partial" in kept.only.flags


def test_a_stream_that_nobody_reads_is_never_sent(kept: Kept, client: Any, peer: Peer) -> None:
    stream = asked(client).stream()
    del stream
    gc.collect()
    assert not kept.records
    assert not peer.requests


def test_a_cancelled_task_is_one_partial_call(kept: Kept, address: str) -> None:
    async def stream() -> Any:
        async with xai_sdk.AsyncClient(api_key="k", api_host=address, use_insecure_channel=True) as client:
            async for part in asked(client).stream():
                yield part

    cancel_while_reading(stream)
    assert "partial" in kept.only.flags


def test_reading_a_stored_completion_costs_nothing(kept: Kept, client: Any) -> None:
    client.chat.get_stored_completion("one")
    assert not kept.records


def test_images_have_the_stated_cost_else_they_are_counted(kept: Kept, client: Any, peer: Peer) -> None:
    client.image.sample_batch("a fjord", "grok-imagine-image", 2)
    peer.fails = True  # an answer that states no usage
    client.image.sample_batch("a fjord", "grok-imagine-image", 2)
    first, second = kept.records
    assert (first.usage.units, first.cost, first.cost_status) == ({"images": 2}, STATED, "reported")
    assert second.usage.units == {"images": 2}
    assert (second.cost, second.cost_status) == (Decimal("0.04"), "priced")  # 2 x 0.02


def test_a_chat_of_an_older_client_is_seen_and_unhooking_lets_go(
    kept: Kept, hooks: Hooks, client: Any
) -> None:
    chat = asked(client)
    hooks.uninstrument("xai")
    chat.sample()
    with_plain_stub = asked(client)
    with_plain_stub.sample()
    assert not kept.records
    hooks.instrument("xai")
    asked(client).sample()
    assert kept.only.usage.units == UNITS
