"""together: chat and completions with their streams, embeddings, reranking: one record each."""

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import together
from tests.support.cancelled import cancel_while_reading
from tests.support.wire import Kept, answer, sse, streamed
from tests.support.wire_httpx import HttpxServer

from outlay.instrumentation import Hooks

pytestmark = pytest.mark.usefixtures("hooks")

USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100, "cached_tokens": 400}
UNITS = {"input": 600, "cache_read": 400, "output": 100}
MODEL = "meta-llama/Llama-3.3-70B-Instruct-Turbo"
CHAT = {
    "id": "nc-1",
    "object": "chat.completion",
    "created": 1763800000,
    "model": MODEL,
    "prompt": [],
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
    "usage": USAGE,
}


def chunk(text: str, **fields: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}
    return {
        "id": "nc-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": MODEL,
        "choices": [choice | fields.pop("choice", {})],
        **fields,
    }


CHUNKS = [chunk("a"), chunk("b"), chunk("", choice={"finish_reason": "stop"}, usage=USAGE)]
STREAM = sse(*CHUNKS, done=True)
ASK: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "hi"}]}


def client(server: HttpxServer) -> together.Together:
    return together.Together(api_key="test", http_client=server.sync_httpx(), max_retries=0)


def async_client(server: HttpxServer) -> together.AsyncTogether:
    return together.AsyncTogether(api_key="test", http_client=server.async_httpx(), max_retries=0)


FORMS: dict[str, tuple[Any, Callable[[together.Together], Any]]] = {
    "create": (answer(CHAT), lambda api: api.chat.completions.create(**ASK)),
    "raw": (answer(CHAT), lambda api: api.chat.completions.with_raw_response.create(**ASK).parse()),
    "stream": (streamed(STREAM), lambda api: list(api.chat.completions.create(stream=True, **ASK))),
    "raw stream": (
        streamed(STREAM),
        lambda api: list(api.chat.completions.with_raw_response.create(stream=True, **ASK).parse()),
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_sync_form_makes_one_record(form: str, kept: Kept) -> None:
    reply, call = FORMS[form]
    call(client(HttpxServer([reply])))
    record = kept.only
    assert record.usage.units == UNITS
    assert (record.provider, record.model, record.cost_status) == ("together", MODEL, "priced")


def test_async_forms_make_one_record_each(kept: Kept) -> None:
    async def main() -> None:
        await async_client(HttpxServer([answer(CHAT)])).chat.completions.create(**ASK)
        async for _ in await async_client(HttpxServer([streamed(STREAM)])).chat.completions.create(
            stream=True, **ASK
        ):
            pass

    asyncio.run(main())
    assert [record.usage.units for record in kept.records] == [UNITS] * 2


def test_completions_embeddings_and_reranking_make_one_record_each(kept: Kept) -> None:
    text = {**CHAT, "object": "text.completion", "choices": [{"text": "hello", "finish_reason": "stop"}]}
    client(HttpxServer([answer(text)])).completions.create(model=MODEL, prompt="hi")
    embedded = {
        "object": "list",
        "model": "BAAI/bge-base-en-v1.5",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.1]}],
        "usage": {"prompt_tokens": 9, "total_tokens": 9},
    }
    client(HttpxServer([answer(embedded)])).embeddings.create(model="BAAI/bge-base-en-v1.5", input="hi")
    ranked = {
        "id": "r-1",
        "object": "rerank",
        "model": "Salesforce/Llama-Rank-v1",
        "results": [{"index": 0, "relevance_score": 0.9, "document": {}}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 0, "total_tokens": 20},
    }
    client(HttpxServer([answer(ranked)])).rerank.create(
        model="Salesforce/Llama-Rank-v1", query="hi", documents=["a"]
    )
    assert [(record.operation, record.usage.units) for record in kept.records] == [
        ("text_completion", UNITS),
        ("embeddings", {"input": 9}),
        ("retrieval", {"input": 20}),
    ]


def test_a_stream_closed_early_keeps_nothing_it_was_not_told(kept: Kept) -> None:
    stream = client(HttpxServer([streamed(STREAM)])).chat.completions.create(stream=True, **ASK)
    next(iter(stream))
    stream.close()
    assert {"abandoned", "partial"} <= set(kept.only.flags)
    assert kept.only.cost is None


def test_a_stream_that_is_dropped_is_one_partial_call(kept: Kept) -> None:
    stream = client(HttpxServer([streamed(STREAM)])).chat.completions.create(stream=True, **ASK)
    next(iter(stream))
    del stream
    gc.collect()
    assert {"abandoned", "partial"} <= set(kept.only.flags)


def test_a_cancelled_task_is_one_partial_call(kept: Kept) -> None:
    api = async_client(HttpxServer([streamed(STREAM)]))
    cancel_while_reading(lambda: api.chat.completions.create(stream=True, **ASK))
    assert "partial" in kept.only.flags


def test_a_stream_that_breaks_is_one_failed_call_and_its_error_is_untouched(kept: Kept) -> None:
    broken = httpx.ReadError("reset")
    stream = client(HttpxServer([streamed(sse(CHUNKS[0]), broken)])).chat.completions.create(
        stream=True, **ASK
    )
    with pytest.raises(httpx.ReadError) as caught:
        list(stream)
    assert caught.value is broken
    assert kept.only.status == "error"


def test_an_error_is_one_failed_call(kept: Kept) -> None:
    with pytest.raises(together.AuthenticationError):
        client(HttpxServer([answer({"error": {"message": "who are you"}}, 401)])).chat.completions.create(
            **ASK
        )
    assert (kept.only.status, kept.only.error_type) == ("error", "AuthenticationError")


def test_unhooking_restores(kept: Kept, hooks: Hooks) -> None:
    hooks.uninstrument("together")
    assert not hasattr(together._base_client.SyncAPIClient.request, "__wrapped__")
    client(HttpxServer([answer(CHAT)])).chat.completions.create(**ASK)
    assert not kept.records
