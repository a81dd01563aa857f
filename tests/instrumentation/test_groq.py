"""groq: every form of a call makes exactly one record; the usage in ``x_groq`` and ``usage`` counts once."""

import asyncio
import gc
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import groq
import httpx
import pytest
from tests.support.cancelled import cancel_while_reading
from tests.support.wire import Kept, answer, sse, streamed
from tests.support.wire_httpx import HttpxServer

from outlay.capture import context
from outlay.instrumentation import Hooks

pytestmark = pytest.mark.usefixtures("hooks")

USAGE = {
    "queue_time": 0.01,
    "prompt_tokens": 1000,
    "prompt_time": 0.02,
    "completion_tokens": 100,
    "completion_time": 0.2,
    "total_tokens": 1100,
    "total_time": 0.22,
}
UNITS = {"input": 1000, "output": 100}
# 1000 x 0.59 + 100 x 0.79 dollars a million
COST = Decimal("0.000669")
MODEL = "llama-3.3-70b-versatile"
CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1763800000,
    "model": MODEL,
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
    "usage": USAGE,
    "x_groq": {"id": "req_1"},
}


def chunk(**fields: Any) -> dict[str, Any]:
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
    return {**base, "choices": [], **fields}


def words(*texts: str) -> list[dict[str, Any]]:
    return [
        chunk(choices=[{"index": 0, "delta": {"content": text}, "finish_reason": None}]) for text in texts
    ]


END = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
STREAM = sse(*words("a", "b"), chunk(x_groq={"id": "req_1", "usage": USAGE}, **END), done=True)
TWICE = sse(
    *words("a", "b"),
    chunk(x_groq={"id": "req_1", "usage": USAGE}, **END),
    chunk(usage=USAGE),
    done=True,
)
ASK: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "hi"}]}


def client(server: HttpxServer, **options: Any) -> groq.Groq:
    return groq.Groq(api_key="gsk_test", http_client=server.sync_httpx(), max_retries=0, **options)


def async_client(server: HttpxServer) -> groq.AsyncGroq:
    return groq.AsyncGroq(api_key="gsk_test", http_client=server.async_httpx(), max_retries=0)


def streamed_raw(api: groq.Groq) -> None:
    with api.chat.completions.with_streaming_response.create(**ASK) as response:
        assert response.json() == CHAT


FORMS: dict[str, tuple[Any, Callable[[groq.Groq], Any]]] = {
    "create": (answer(CHAT), lambda api: api.chat.completions.create(**ASK)),
    "raw": (answer(CHAT), lambda api: api.chat.completions.with_raw_response.create(**ASK)),
    "raw parsed": (answer(CHAT), lambda api: api.chat.completions.with_raw_response.create(**ASK).parse()),
    "streaming raw": (answer(CHAT), streamed_raw),
    "stream": (streamed(STREAM), lambda api: list(api.chat.completions.create(stream=True, **ASK))),
    "usage twice": (streamed(TWICE), lambda api: list(api.chat.completions.create(stream=True, **ASK))),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_sync_form_makes_one_record_with_the_right_units_and_cost(form: str, kept: Kept) -> None:
    reply, call = FORMS[form]
    with context(user="u1"):
        call(client(HttpxServer([reply])))
    record = kept.only
    assert record.usage.units == UNITS
    assert (record.cost, record.cost_status) == (COST, "priced")
    assert (record.provider, record.model, record.model_requested) == ("groq", MODEL, MODEL)
    assert (record.user, record.status) == ("u1", "success")


def test_async_forms_make_one_record_each(kept: Kept) -> None:
    async def main() -> None:
        await async_client(HttpxServer([answer(CHAT)])).chat.completions.create(**ASK)
        await async_client(HttpxServer([answer(CHAT)])).chat.completions.with_raw_response.create(**ASK)
        async for _ in await async_client(HttpxServer([streamed(STREAM)])).chat.completions.create(
            stream=True, **ASK
        ):
            pass
        create = async_client(HttpxServer([answer(CHAT)])).chat.completions.with_streaming_response.create
        async with create(**ASK) as response:
            assert await response.json() == CHAT

    asyncio.run(main())
    assert [(record.usage.units, record.cost) for record in kept.records] == [(UNITS, COST)] * 4


def test_the_caller_gets_the_chunks_as_they_came(kept: Kept) -> None:
    chunks = list(
        client(HttpxServer([streamed(STREAM)])).chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "hi"}], stream=True
        )
    )
    assert [each.choices[0].delta.content for each in chunks] == ["a", "b", None]
    assert (kept.only.streamed, kept.only.time_to_first_token_ms is not None) == (True, True)


def test_a_stream_closed_early_or_dropped_is_one_partial_call(kept: Kept) -> None:
    stream = client(HttpxServer([streamed(STREAM)])).chat.completions.create(stream=True, **ASK)
    next(stream)
    stream.close()
    other = client(HttpxServer([streamed(STREAM)])).chat.completions.create(stream=True, **ASK)
    next(other)
    del other
    gc.collect()
    assert [{"abandoned", "partial"} <= set(record.flags) for record in kept.records] == [True, True]
    assert {record.cost for record in kept.records} == {None}
    # Not that the program should ask for usage: it came to no end that could tell one.
    assert {record.usage.reason for record in kept.records} == {"the stream was left before its end"}


def test_a_stream_that_breaks_is_one_failed_call_and_its_error_is_untouched(kept: Kept) -> None:
    broken = httpx.ReadError("reset")
    stream = client(HttpxServer([streamed(sse(*words("a")), broken)])).chat.completions.create(
        stream=True, **ASK
    )
    with pytest.raises(httpx.ReadError) as caught:
        list(stream)
    assert caught.value is broken
    assert (kept.only.status, kept.only.error_type) == ("error", "ReadError")
    assert kept.only.usage.reason == "the call failed before any usage was known"


def test_a_cancelled_task_is_one_partial_call(kept: Kept) -> None:
    cancel_while_reading(
        lambda: async_client(HttpxServer([streamed(STREAM)])).chat.completions.create(stream=True, **ASK)
    )
    assert "partial" in kept.only.flags


def test_an_error_is_one_failed_call(kept: Kept) -> None:
    with pytest.raises(groq.RateLimitError):
        client(HttpxServer([answer({"error": {"message": "slow down"}}, 429)])).chat.completions.create(**ASK)
    assert (kept.only.status, kept.only.error_type, kept.only.cost) == ("error", "RateLimitError", None)


def test_retries_are_counted_in_one_record(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    server = HttpxServer([answer({}, 500), answer(CHAT)])
    groq.Groq(api_key="gsk_test", http_client=server.sync_httpx(), max_retries=2).chat.completions.create(
        **ASK
    )
    assert (kept.only.retries, len(server.requests)) == (1, 2)


def test_embeddings_make_one_record(kept: Kept) -> None:
    body = {
        "object": "list",
        "model": "nomic-embed-text-v1_5",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.1]}],
        "usage": {"prompt_tokens": 7, "total_tokens": 7},
    }
    client(HttpxServer([answer(body)])).embeddings.create(model="nomic-embed-text-v1_5", input="hi")
    assert (kept.only.operation, kept.only.usage.units) == ("embeddings", {"input": 7})


def test_a_list_of_models_is_no_billed_call(kept: Kept) -> None:
    client(HttpxServer([answer({"object": "list", "data": []})])).models.list()
    assert not kept.records


def test_unhooking_restores(kept: Kept, hooks: Hooks) -> None:
    hooks.uninstrument("groq")
    assert not hasattr(groq._base_client.SyncAPIClient.request, "__wrapped__")
    client(HttpxServer([answer(CHAT)])).chat.completions.create(**ASK)
    assert not kept.records
