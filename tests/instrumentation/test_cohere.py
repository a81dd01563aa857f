"""cohere: both versions of its API make one record a request, with what it bills."""

import asyncio
import gc
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import cohere
import httpx
import pytest
from cohere.errors import ServiceUnavailableError, TooManyRequestsError
from cohere.v2.raw_client import RawV2Client
from tests.support.cancelled import cancel_while_reading
from tests.support.wire import Kept, answer, sse, streamed
from tests.support.wire_httpx import HttpxServer

from outlay.capture import context
from outlay.capture.guard import failures
from outlay.instrumentation import Hooks

pytestmark = pytest.mark.usefixtures("hooks")

MODEL = "command-a-03-2025"
USAGE = {
    "billed_units": {"input_tokens": 1000, "output_tokens": 100},
    "tokens": {"input_tokens": 1500, "output_tokens": 110},
    "cached_tokens": 400,
}
UNITS = {"input": 1000, "output": 100}
# 1000 x 2.50 + 100 x 10 dollars a million: what is billed, not what passed the model
COST = Decimal("0.0035")
CHAT = {
    "id": "c-1",
    "finish_reason": "COMPLETE",
    "message": {"role": "assistant", "content": [{"type": "text", "text": "hello"}]},
    "usage": USAGE,
}
STREAM = sse(
    {"type": "message-start", "id": "c-1", "delta": {"message": {"role": "assistant", "content": []}}},
    {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "a"}}}},
    {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "b"}}}},
    {"type": "message-end", "id": "c-1", "delta": {"finish_reason": "COMPLETE", "usage": USAGE}},
    named=True,
)
V1_CHAT = {
    "response_id": "r-1",
    "generation_id": "g-1",
    "text": "hello",
    "finish_reason": "COMPLETE",
    "meta": {"api_version": {"version": "1"}, **USAGE},
}
# Version 1 streams one JSON object a line.
V1_STREAM = (
    b'{"is_finished":false,"event_type":"stream-start","generation_id":"g-1"}\n'
    b'{"is_finished":false,"event_type":"text-generation","text":"hello"}\n'
    b'{"is_finished":true,"event_type":"stream-end","finish_reason":"COMPLETE","response":'
    b'{"generation_id":"g-1","response_id":"r-1","text":"hello","meta":{"billed_units":'
    b'{"input_tokens":1000,"output_tokens":100}}}}\n'
)
ASK: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "hi"}]}


def client(server: HttpxServer) -> cohere.ClientV2:
    return cohere.ClientV2(api_key="test", httpx_client=server.sync_httpx())


def old_client(server: HttpxServer) -> cohere.Client:
    return cohere.Client(api_key="test", httpx_client=server.sync_httpx())


def async_client(server: HttpxServer) -> cohere.AsyncClientV2:
    return cohere.AsyncClientV2(api_key="test", httpx_client=server.async_httpx())


def raw_stream(server: HttpxServer) -> None:
    with client(server).with_raw_response.chat_stream(**ASK) as response:
        assert len(list(response.data)) == 4


FORMS: dict[str, tuple[Any, Callable[[HttpxServer], Any]]] = {
    "chat": (answer(CHAT), lambda server: client(server).chat(**ASK)),
    "raw": (answer(CHAT), lambda server: client(server).with_raw_response.chat(**ASK)),
    "stream": (streamed(STREAM), lambda server: list(client(server).chat_stream(**ASK))),
    "raw stream": (streamed(STREAM), raw_stream),
    "version 1": (answer(V1_CHAT), lambda server: old_client(server).chat(model=MODEL, message="hi")),
    "version 1 stream": (
        streamed(V1_STREAM),
        lambda server: list(old_client(server).chat_stream(model=MODEL, message="hi")),
    ),
    "version 2 of the old client": (answer(CHAT), lambda server: old_client(server).v2.chat(**ASK)),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_sync_form_makes_one_record_with_the_right_units_and_cost(form: str, kept: Kept) -> None:
    reply, call = FORMS[form]
    with context(user="u1"):
        call(HttpxServer([reply]))
    record = kept.only
    assert (record.usage.units, record.cost, record.cost_status) == (UNITS, COST, "priced")
    assert (record.provider, record.model, record.model_requested) == ("cohere", MODEL, MODEL)
    assert (record.user, record.streamed) == ("u1", "stream" in form)


def test_async_forms_make_one_record_each(kept: Kept) -> None:
    async def main() -> None:
        await async_client(HttpxServer([answer(CHAT)])).chat(**ASK)
        async for _ in async_client(HttpxServer([streamed(STREAM)])).chat_stream(**ASK):
            pass
        opened = async_client(HttpxServer([streamed(STREAM)])).with_raw_response.chat_stream(**ASK)
        async with opened as response:
            async for _ in response.data:
                pass

    asyncio.run(main())
    assert [(record.usage.units, record.cost) for record in kept.records] == [(UNITS, COST)] * 3


def test_embeddings_and_rerankings_are_billed_by_their_units(kept: Kept) -> None:
    embedded = {
        "id": "e-1",
        "embeddings": {"float": [[0.1]]},
        "texts": ["hi"],
        "meta": {"billed_units": {"input_tokens": 7}},
    }
    client(HttpxServer([answer(embedded)])).embed(
        model="embed-v4.0", input_type="search_query", texts=["hi"], embedding_types=["float"]
    )
    ranked = {
        "id": "r-1",
        "results": [{"index": 0, "relevance_score": 0.9}],
        "meta": {"billed_units": {"search_units": 1}},
    }
    client(HttpxServer([answer(ranked)])).rerank(model="rerank-v3.5", query="hi", documents=["a"])
    assert [(record.operation, record.usage.units) for record in kept.records] == [
        ("embeddings", {"input": 7}),
        ("retrieval", {"search_units": 1}),
    ]
    assert kept.records[1].cost == Decimal("0.002")  # two dollars a thousand searches


def test_parsed_pages_have_their_price_and_a_transcript_says_nothing_of_its_usage(kept: Kept) -> None:
    parsed = {"id": "p-1", "pages": [], "meta": {"billed_units": {"pages": 2}}}
    document = cohere.ParseDocument(image_url="https://example.com/a.png")
    client(HttpxServer([answer(parsed)])).parse(model="parse-v5.0", document=document)
    spoken: dict[str, Any] = {"model": "cohere-transcribe", "language": "en", "file": b"sound"}
    client(HttpxServer([answer({"text": "hello"})])).audio.transcriptions.create(**spoken)

    async def main() -> None:
        await async_client(HttpxServer([answer(parsed)])).parse(model="parse-v5.0", document=document)
        await async_client(HttpxServer([answer({"text": "hello"})])).audio.transcriptions.create(**spoken)

    asyncio.run(main())
    assert [record.api for record in kept.records] == ["ocr", "transcription"] * 2
    pages, transcript, *_ = kept.records
    assert (pages.usage.units, pages.cost) == ({"pages": 2}, Decimal("0.003"))  # 1.50 dollars a thousand
    assert (transcript.model, transcript.cost) == ("cohere-transcribe", None)
    assert transcript.charge.reason


def test_each_batch_of_many_texts_is_a_call(kept: Kept) -> None:
    embedded = {
        "id": "e-1",
        "response_type": "embeddings_floats",
        "embeddings": [[0.1]],
        "texts": ["hi"],
        "meta": {"billed_units": {"input_tokens": 7}},
    }
    server = HttpxServer([answer(embedded)])
    old_client(server).embed(
        model="embed-v4.0", input_type="search_query", texts=["hi"] * 100
    )  # 96 at a time
    assert [record.usage.units for record in kept.records] == [{"input": 7}] * len(server.requests)
    assert len(server.requests) == 2


def test_the_caller_gets_the_events_as_they_came(kept: Kept) -> None:
    events = list(client(HttpxServer([streamed(STREAM)])).chat_stream(**ASK))
    assert [event.type for event in events] == [
        "message-start",
        "content-delta",
        "content-delta",
        "message-end",
    ]
    assert kept.only.time_to_first_token_ms is not None


def test_a_stream_closed_early_or_dropped_is_one_partial_call(kept: Kept) -> None:
    with client(HttpxServer([streamed(STREAM)])).with_raw_response.chat_stream(**ASK) as response:
        next(iter(response.data))
    stream = client(HttpxServer([streamed(STREAM)])).chat_stream(**ASK)
    next(iter(stream))
    del stream
    gc.collect()
    assert [{"abandoned", "partial"} <= set(record.flags) for record in kept.records] == [True, True]
    assert [record.cost for record in kept.records] == [None, None]


def test_a_stream_that_breaks_is_one_failed_call_and_its_error_is_untouched(kept: Kept) -> None:
    broken = httpx.ReadError("reset")
    first = STREAM.split(b"\n\n")[0] + b"\n\n"
    with pytest.raises(httpx.ReadError) as caught:
        list(client(HttpxServer([streamed(first, broken)])).chat_stream(**ASK))
    assert caught.value is broken
    assert (kept.only.status, kept.only.error_type) == ("error", "ReadError")


def test_an_error_of_the_reader_goes_its_way(kept: Kept) -> None:
    own = RuntimeError("mine")

    def reading() -> None:
        with client(HttpxServer([streamed(STREAM)])).with_raw_response.chat_stream(**ASK):
            raise own

    with pytest.raises(RuntimeError) as caught:
        reading()
    assert caught.value is own
    assert "partial" in kept.only.flags


def test_an_error_is_one_failed_call_whichever_form(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    reply = answer({"message": "slow down"}, 429)
    with pytest.raises(TooManyRequestsError):
        client(HttpxServer([reply])).chat(**ASK)
    with pytest.raises(TooManyRequestsError):
        list(client(HttpxServer([reply])).chat_stream(**ASK))
    assert [(record.status, record.error_type) for record in kept.records] == [
        ("error", "TooManyRequestsError")
    ] * 2


def test_a_cancelled_task_is_one_partial_call(kept: Kept) -> None:
    cancel_while_reading(lambda: async_client(HttpxServer([streamed(STREAM)])).chat_stream(**ASK))
    assert "partial" in kept.only.flags


def test_counting_tokens_is_no_billed_call(kept: Kept) -> None:
    old_client(HttpxServer([answer({"tokens": [1], "token_strings": ["a"]})])).tokenize(
        text="a", model=MODEL, offline=False
    )
    assert not kept.records


def test_unhooking_restores(kept: Kept, hooks: Hooks) -> None:
    hooks.uninstrument("cohere")
    assert not hasattr(RawV2Client.chat, "__wrapped__")
    client(HttpxServer([answer(CHAT)])).chat(**ASK)
    assert not kept.records


def test_a_stream_that_our_reader_stumbles_over_is_a_call(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: Any) -> None:
        raise AttributeError("a release that moved its insides")

    monkeypatch.setattr("outlay.instrumentation.cohere._place", stumble)
    assert list(client(HttpxServer([streamed(STREAM)])).chat_stream(**ASK))
    assert (kept.only.cost, kept.only.charge.reason) == (None, "the response could not be read")
    assert failures.pop("_watch") == 1


def test_retries_are_counted_in_one_record(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    client(HttpxServer([answer({"message": "busy"}, 503), answer(CHAT)])).chat(**ASK)
    assert (kept.only.retries, kept.only.usage.units) == (1, UNITS)


def test_retries_of_an_async_call_that_fails_in_the_end_are_counted(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cohere.core.http_client._retry_timeout", lambda **_: 0)

    async def main() -> None:
        with pytest.raises(ServiceUnavailableError):
            await async_client(HttpxServer([answer({"message": "busy"}, 503)])).chat(**ASK)

    asyncio.run(main())
    assert (kept.only.retries, kept.only.status) == (2, "error")
