"""google-genai: every HTTP hop is one record, whichever method made it."""

import asyncio
import gc
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from google import genai
from google.genai import errors, types
from tests.support.cancelled import cancel_while_reading
from tests.support.wire import Kept, Server, answer, sse, streamed

pytestmark = pytest.mark.usefixtures("hooks")

USAGE = {
    "promptTokenCount": 5000,
    "cachedContentTokenCount": 3000,
    "candidatesTokenCount": 300,
    "thoughtsTokenCount": 100,
    "totalTokenCount": 5400,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 5000}],
}
UNITS = {"input": 2000, "cache_read": 3000, "output": 300, "reasoning": 100}
# 2000 x 1.25 + 3000 x 0.125 + 400 x 10 dollars a million
COST = Decimal("0.006875")


ASK: dict[str, Any] = {"model": "gemini-2.5-pro", "contents": "hi"}


def reply(
    *parts: dict[str, Any], usage: dict[str, Any] | None = None, finish: str | None = "STOP"
) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {
        "candidates": [candidate],
        "usageMetadata": USAGE if usage is None else usage,
        "modelVersion": "gemini-2.5-pro",
        "responseId": "r-1",
    }


BODY = reply({"text": "hello"})
STREAM = sse(
    reply({"text": "he"}, usage={"promptTokenCount": 5000, "totalTokenCount": 5000}, finish=None),
    reply({"text": "llo"}),
)


def client(server: Server, **options: Any) -> genai.Client:
    http = types.HttpOptions(httpx_client=server.client(), httpx_async_client=server.async_client())
    return genai.Client(api_key="test", http_options=http, **options)


def test_generate_content_makes_one_record(kept: Kept) -> None:
    client(Server([answer(BODY)])).models.generate_content(**ASK)
    record = kept.only
    assert (record.usage.units, record.cost) == (UNITS, COST)
    assert (record.provider, record.model, record.operation) == (
        "google",
        "gemini-2.5-pro",
        "generate_content",
    )
    assert record.response_id == "r-1"


def test_a_stream_makes_one_record_of_its_last_words(kept: Kept) -> None:
    stream = client(Server([streamed(STREAM)])).models.generate_content_stream(**ASK)
    assert "".join(chunk.text or "" for chunk in stream) == "hello"
    assert (kept.only.usage.units, kept.only.cost, kept.only.streamed) == (UNITS, COST, True)


def test_a_stream_dropped_early_is_one_partial_call(kept: Kept) -> None:
    stream = client(Server([streamed(STREAM)])).models.generate_content_stream(**ASK)
    next(iter(stream))
    del stream
    gc.collect()
    assert "partial" in kept.only.flags
    assert kept.only.usage.units == {"input": 5000}


def test_a_stream_left_early_is_one_partial_call(kept: Kept) -> None:
    stream = client(Server([streamed(STREAM)])).models.generate_content_stream(**ASK)
    next(iter(stream))
    stream.close()  # type: ignore[attr-defined]  # a generator
    assert {"abandoned", "partial"} <= set(kept.only.flags)


def test_a_stream_that_breaks_is_one_failed_call_and_its_error_is_untouched(kept: Kept) -> None:
    broken = httpx2.ReadError("reset")
    first = STREAM.split(b"\n\n")[0] + b"\n\n"
    with pytest.raises(httpx2.ReadError) as caught:
        list(client(Server([streamed(first, broken)])).models.generate_content_stream(**ASK))
    assert caught.value is broken
    assert (kept.only.status, kept.only.error_type) == ("error", "ReadError")
    assert kept.only.usage.units == {"input": 5000}


def test_a_cancelled_task_is_one_partial_call(kept: Kept) -> None:
    api = client(Server([streamed(STREAM)])).aio
    cancel_while_reading(lambda: api.models.generate_content_stream(**ASK))
    assert "partial" in kept.only.flags


def test_a_schema_makes_one_record(kept: Kept) -> None:
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=list[str])
    client(Server([answer(reply({"text": '["a"]'}))])).models.generate_content(**ASK, config=config)
    assert kept.only.cost == COST


def test_async_forms_make_one_record_each(kept: Kept) -> None:
    async def main() -> None:
        await client(Server([answer(BODY)])).aio.models.generate_content(**ASK)
        api = client(Server([streamed(STREAM)]))
        async for _ in await api.aio.models.generate_content_stream(**ASK):
            pass

    asyncio.run(main())
    assert [(record.usage.units, record.cost) for record in kept.records] == [(UNITS, COST)] * 2


def test_every_hop_of_automatic_function_calling_is_a_call(kept: Kept) -> None:
    def weather(city: str) -> str:
        """Tell the weather."""
        return f"fine in {city}"

    first = {"promptTokenCount": 100, "candidatesTokenCount": 10, "totalTokenCount": 110}
    second = {"promptTokenCount": 200, "candidatesTokenCount": 20, "totalTokenCount": 220}
    server = Server(
        [
            answer(reply({"functionCall": {"name": "weather", "args": {"city": "Oslo"}}}, usage=first)),
            answer(reply({"text": "fine"}, usage=second)),
        ]
    )
    config = types.GenerateContentConfig(tools=[weather])
    client(server).models.generate_content(**ASK, config=config)
    assert [record.usage.units for record in kept.records] == [
        {"input": 100, "output": 10},
        {"input": 200, "output": 20},
    ]


def test_chats_pass_the_same_hook(kept: Kept) -> None:
    client(Server([answer(BODY)])).chats.create(model="gemini-2.5-pro").send_message("hi")
    assert kept.only.usage.units == UNITS


def test_an_error_is_recorded_and_raised_unchanged(kept: Kept) -> None:
    body = {"error": {"code": 429, "message": "Resource exhausted", "status": "RESOURCE_EXHAUSTED"}}
    with pytest.raises(genai.errors.ClientError):
        client(Server([answer(body, 429)])).models.generate_content(**ASK)
    assert (kept.only.status, kept.only.error_type, kept.only.cost) == ("error", "ClientError", None)


def test_counting_tokens_is_no_billed_call(kept: Kept) -> None:
    client(Server([answer({"totalTokens": 5})])).models.count_tokens(**ASK)
    assert not kept.records


BUSY = answer({"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}, 503)
AGAIN = types.GenerateContentConfig(
    http_options=types.HttpOptions(
        retry_options=types.HttpRetryOptions(attempts=3, initial_delay=0.001, max_delay=0.001, jitter=0)
    )
)


def test_retries_are_counted_in_one_record(kept: Kept) -> None:
    api = client(Server([BUSY, answer(BODY)]))
    api.models.generate_content(**ASK, config=AGAIN)
    api = client(Server([BUSY, BUSY, streamed(STREAM)]))
    list(api.models.generate_content_stream(**ASK, config=AGAIN))
    assert [(record.retries, record.usage.units) for record in kept.records] == [(1, UNITS), (2, UNITS)]


def test_retries_of_an_async_call_that_fails_in_the_end_are_counted(kept: Kept) -> None:
    async def main() -> None:
        api = client(Server([BUSY]))
        with pytest.raises(errors.ServerError):
            await api.aio.models.generate_content(**ASK, config=AGAIN)

    asyncio.run(main())
    assert (kept.only.retries, kept.only.status) == (2, "error")
