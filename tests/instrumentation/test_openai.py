"""openai: every form of a call makes exactly one record, whatever becomes of the call."""

import asyncio
import gc
import json
from collections.abc import Callable
from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from pydantic import BaseModel
from tests.support.cancelled import cancel_while_reading
from tests.support.wire import Kept, Server, answer, sse, streamed

from outlay.capture import Recorder, SystemClock, context
from outlay.capture.guard import failures
from outlay.core.record import Record
from outlay.instrumentation import Hooks, stainless
from outlay.journal import Journal, read_segment, segments
from outlay.pricing import cost_of

pytestmark = pytest.mark.usefixtures("hooks")

USAGE = {
    "prompt_tokens": 1000,
    "completion_tokens": 100,
    "total_tokens": 1100,
    "prompt_tokens_details": {"cached_tokens": 400},
    "completion_tokens_details": {"reasoning_tokens": 10},
}
UNITS = {"input": 600, "cache_read": 400, "output": 90, "reasoning": 10}
CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1763800000,
    "model": "gpt-4o-2024-08-06",
    "service_tier": "default",
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": '{"city": "Oslo"}'}}
    ],
    "usage": USAGE,
}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1763800000,
    "model": "gpt-4o-2024-08-06",
    "status": "completed",
    "output": [
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": '{"city": "Oslo"}', "annotations": []}],
        }
    ],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "usage": {
        "input_tokens": 1000,
        "input_tokens_details": {"cached_tokens": 400},
        "output_tokens": 100,
        "output_tokens_details": {"reasoning_tokens": 10},
        "total_tokens": 1100,
    },
}
MESSAGES: Any = [{"role": "user", "content": "hi"}]
# 600 x 2.50 + 400 x 1.25 + 100 x 10.00 dollars a million
COST = Decimal("0.003")


def chunk(**fields: Any) -> dict[str, Any]:
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-2024-08-06"}
    return {**base, "choices": [], **fields}


def words(*texts: str) -> list[dict[str, Any]]:
    return [chunk(choices=[{"index": 0, "delta": {"content": text}}]) for text in texts]


CHUNKS = [*words("a", "b", "c"), chunk(usage=USAGE)]
CHAT_STREAM = sse(*CHUNKS, done=True)
RESPONSE_STREAM = sse(
    {
        "type": "response.created",
        "sequence_number": 0,
        "response": {**RESPONSE, "status": "in_progress", "usage": None},
    },
    {
        "type": "response.output_text.delta",
        "sequence_number": 1,
        "item_id": "msg_1",
        "output_index": 0,
        "content_index": 0,
        "delta": "a",
        "logprobs": [],
    },
    {"type": "response.completed", "sequence_number": 2, "response": RESPONSE},
    named=True,
)


class City(BaseModel):
    """What the parse forms parse."""

    city: str


def client(server: Server, **options: Any) -> openai.OpenAI:
    return openai.OpenAI(api_key="sk-test", http_client=server.client(), max_retries=0, **options)


def async_client(server: Server, **options: Any) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(api_key="sk-test", http_client=server.async_client(), max_retries=0, **options)


def ask(api: Any, **more: Any) -> Any:
    return api.chat.completions.create(model="gpt-4o", messages=MESSAGES, **more)


def raw(api: Any, **more: Any) -> Any:
    return api.chat.completions.with_raw_response.create(model="gpt-4o", messages=MESSAGES, **more)


SYNC_FORMS: dict[str, tuple[Any, Callable[[openai.OpenAI], Any]]] = {
    "create": (answer(CHAT), ask),
    "raw": (answer(CHAT), raw),
    "raw parsed": (answer(CHAT), lambda api: raw(api).parse()),
    "parse": (
        answer(CHAT),
        lambda api: api.chat.completions.parse(model="gpt-4o", messages=MESSAGES, response_format=City),
    ),
    "stream": (streamed(CHAT_STREAM), lambda api: list(ask(api, stream=True))),
    "raw stream parsed": (
        streamed(CHAT_STREAM),
        lambda api: list(raw(api, stream=True).parse()),
    ),
    "responses": (answer(RESPONSE), lambda api: api.responses.create(model="gpt-4o", input="hi")),
    "responses parse": (
        answer(RESPONSE),
        lambda api: api.responses.parse(model="gpt-4o", input="hi", text_format=City),
    ),
    "responses stream": (
        streamed(RESPONSE_STREAM),
        lambda api: list(api.responses.create(model="gpt-4o", input="hi", stream=True)),
    ),
}


@pytest.mark.parametrize("form", SYNC_FORMS)
def test_every_sync_form_makes_one_record_with_the_right_units_and_cost(form: str, kept: Kept) -> None:
    reply, call = SYNC_FORMS[form]
    call(client(Server([reply])))
    record = kept.only
    assert record.usage.units == UNITS
    assert (record.cost, record.cost_status) == (COST, "priced")
    assert (record.provider, record.model, record.model_requested) == (
        "openai",
        "gpt-4o-2024-08-06",
        "gpt-4o",
    )
    assert record.status == "success"
    assert record.latency_ms is not None
    assert record.latency_ms > 0


def test_the_streaming_raw_form_is_read_as_it_passes(kept: Kept) -> None:
    create = client(Server([answer(CHAT)])).chat.completions.with_streaming_response.create
    with create(model="gpt-4o", messages=MESSAGES) as response:
        assert response.json() == CHAT
    assert kept.only.usage.units == UNITS


def test_the_chat_stream_helper_makes_one_record(kept: Kept) -> None:
    api = client(Server([streamed(CHAT_STREAM)]))
    with api.chat.completions.stream(model="gpt-4o", messages=MESSAGES) as stream:
        assert [event.type for event in stream if event.type == "content.delta"] == ["content.delta"] * 3
    assert kept.only.usage.units == UNITS


def test_the_responses_stream_helper_makes_one_record(kept: Kept) -> None:
    with client(Server([streamed(RESPONSE_STREAM)])).responses.stream(model="gpt-4o", input="hi") as stream:
        for _event in stream:
            pass
    assert kept.only.usage.units == UNITS


def test_embeddings_make_one_record(kept: Kept) -> None:
    body = {
        "object": "list",
        "model": "text-embedding-3-small",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.1]}],
        "usage": {"prompt_tokens": 1000, "total_tokens": 1000},
    }
    client(Server([answer(body)])).embeddings.create(model="text-embedding-3-small", input="hi")
    assert (kept.only.operation, kept.only.usage.units, kept.only.cost) == (
        "embeddings",
        {"input": 1000},
        Decimal("0.00002"),
    )


def test_async_forms_make_one_record_each(kept: Kept) -> None:
    async def main() -> None:
        await ask(async_client(Server([answer(CHAT)])))
        await raw(async_client(Server([answer(CHAT)])))
        async for _ in await ask(async_client(Server([streamed(CHAT_STREAM)])), stream=True):
            pass
        api = async_client(Server([streamed(CHAT_STREAM)]))
        async with api.chat.completions.stream(model="gpt-4o", messages=MESSAGES) as stream:
            async for _event in stream:
                pass
        create = async_client(Server([answer(CHAT)])).chat.completions.with_streaming_response.create
        async with create(model="gpt-4o", messages=MESSAGES) as response:
            assert await response.json() == CHAT
        await async_client(Server([answer(RESPONSE)])).responses.create(model="gpt-4o", input="hi")

    asyncio.run(main())
    assert [record.usage.units for record in kept.records] == [UNITS] * 6
    assert {record.cost for record in kept.records} == {COST}


def test_the_caller_gets_the_very_chunks_that_came_and_never_the_one_we_asked_for(kept: Kept) -> None:
    server = Server([streamed(CHAT_STREAM)])
    chunks = list(ask(client(server), stream=True))
    assert [each.choices[0].delta.content for each in chunks] == ["a", "b", "c"]
    assert server.sent[0]["stream_options"] == {"include_usage": True}
    assert kept.only.time_to_first_token_ms is not None
    assert kept.only.streamed


def refusing(request: httpx2.Request) -> httpx2.Response:
    """Answer as servers do that forbid what they do not know, such as vLLM before 0.5."""
    asked = json.loads(request.content)
    if "stream_options" in asked:
        detail = {"loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}
        return httpx2.Response(400, json={"error": {"message": str([detail])}})
    if asked.get("model") == "none":
        return httpx2.Response(400, json={"error": {"message": "no such model"}})
    return streamed(sse(*CHUNKS[:-1], done=True))(request)


def test_a_server_that_refuses_to_be_asked_for_usage_is_asked_as_the_program_did(kept: Kept) -> None:
    server = Server([refusing])
    api = openai.OpenAI(api_key="k", base_url="http://localhost:8080/v1", http_client=server.client())
    for _ in range(2):
        chunks = list(ask(api, stream=True))
        assert [each.choices[0].delta.content for each in chunks] == ["a", "b", "c"]
    assert ["stream_options" in sent for sent in server.sent] == [True, False, False]
    first, second = kept.records
    assert (first.status, first.retries, first.cost) == ("success", 1, None)
    assert (second.status, second.retries, second.cost) == ("success", 0, None)


def test_an_async_client_is_asked_as_the_program_did_too(kept: Kept) -> None:
    server = Server([refusing])

    async def main() -> list[Any]:
        api = openai.AsyncOpenAI(
            api_key="k", base_url="http://localhost:8080/v1", http_client=server.async_client()
        )
        stream = await api.chat.completions.create(model="m", messages=[], stream=True)
        return [each async for each in stream]

    assert len(asyncio.run(main())) == 3
    assert (kept.only.status, kept.only.retries) == ("success", 1)


def causes(error: BaseException) -> list[str]:
    """Name what an error came of: the SDK's own cause alone, and no refusal of what was ours."""
    found = error.__context__
    return [] if found is None else [type(found).__name__, *causes(found)]


def test_what_is_refused_for_another_reason_is_asked_once_and_fails_as_it_does_alone(kept: Kept) -> None:
    server = Server([answer({"error": {"message": "no such model"}}, 400)])
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client(server), stream=True)
    assert (len(server.requests), causes(caught.value)) == (1, ["HTTPStatusError"])
    refused = Server([refusing])
    api = openai.OpenAI(api_key="k", http_client=refused.client())
    with pytest.raises(openai.BadRequestError, match="no such model") as again:
        api.chat.completions.create(model="none", messages=[], stream=True)
    assert (len(refused.requests), causes(again.value)) == (2, ["HTTPStatusError"])
    assert [record.status for record in kept.records] == ["error", "error"]


def quoting(request: httpx2.Request) -> httpx2.Response:
    """Refuse one model, and quote the whole request as servers of pydantic's do; answer the others."""
    if json.loads(request.content)["model"] == "none":
        return httpx2.Response(400, json={"error": {"message": f"field required: {request.content!r}"}})
    return streamed(CHAT_STREAM)(request)


def test_an_error_that_only_quotes_the_question_is_the_programs_own_and_ends_no_asking(kept: Kept) -> None:
    server = Server([quoting])
    with pytest.raises(openai.BadRequestError) as caught:
        client(server).chat.completions.create(model="none", messages=[], stream=True)
    assert "stream_options" not in str(caught.value)
    api = client(server)
    for model in ("none", "gpt-4o"):
        with pytest.raises(openai.BadRequestError) if model == "none" else nullcontext():
            list(api.chat.completions.create(model=model, messages=[], stream=True))
    assert server.sent[-1]["stream_options"] == {"include_usage": True}
    assert kept.records[-1].usage.units == UNITS


def test_a_refusal_of_the_programs_own_stream_options_is_asked_once() -> None:
    unknown = {"error": {"message": "unknown field: stream_options.include_obfuscation"}}
    server = Server([answer(unknown, 400)])
    with pytest.raises(openai.BadRequestError, match="include_obfuscation"):
        ask(client(server), stream=True, stream_options={"include_obfuscation": False})
    assert len(server.requests) == 1


def test_the_copies_of_a_client_ask_no_more_either_and_those_for_another_server_do() -> None:
    server = Server([refusing])
    api = openai.OpenAI(api_key="k", base_url="http://localhost:8080/v1", http_client=server.client())
    for _ in range(2):
        list(ask(api.with_options(timeout=5), stream=True))
    list(ask(api.with_options(base_url="http://localhost:8081/v1"), stream=True))
    assert ["stream_options" in sent for sent in server.sent] == [True, False, False, True, False]


RAW_READERS: dict[str, Callable[[Any], Any]] = {
    "parse": lambda raw: [each.choices[0].delta.content for each in raw.parse()],
    "lines": lambda raw: [told(line) for line in raw.http_response.iter_lines() if line],
    "bytes": lambda raw: [
        told(line) for line in b"".join(raw.http_response.iter_bytes(7)).split(b"\n\n") if line
    ],
    "whole": lambda raw: [told(line) for line in raw.http_response.read().split(b"\n\n") if line],
}


def told(line: str | bytes) -> str:
    """Give the word that a line of a raw stream brings; the last one brings none."""
    text = (line.decode() if isinstance(line, bytes) else line).removeprefix("data: ")
    return str(json.loads(text)["choices"][0]["delta"]["content"]) if text != "[DONE]" else text


@pytest.mark.parametrize("read", RAW_READERS)
def test_the_chunk_we_asked_for_never_comes_to_who_reads_raw(kept: Kept, read: str) -> None:
    server = Server([streamed(CHAT_STREAM)])
    words = RAW_READERS[read](raw(client(server), stream=True))
    assert [word for word in words if word != "[DONE]"] == ["a", "b", "c"]
    assert server.sent[0]["stream_options"] == {"include_usage": True}
    assert (kept.only.usage.units, kept.only.cost) == (UNITS, COST)


class Counted(httpx2.SyncByteStream):
    """A connection that says how often it was given back."""

    closes = 0

    def __iter__(self) -> Any:
        for part in CHAT_STREAM.split(b"\n\n"):
            yield part + b"\n\n"

    def close(self) -> None:
        self.closes += 1


def test_a_raw_stream_that_is_dropped_gives_its_connection_back(kept: Kept) -> None:
    body = Counted()

    def reads_two_of(api: Any) -> None:
        events = raw(api, stream=True).parse()
        for _ in range(2):
            next(events)

    head = {"content-type": "text/event-stream"}
    reads_two_of(client(Server([httpx2.Response(200, headers=head, stream=body)])))
    gc.collect()
    assert body.closes == 1
    assert "partial" in kept.only.usage.flags


def test_nor_to_who_reads_raw_and_waits(kept: Kept) -> None:
    async def main() -> list[Any]:
        api = async_client(Server([streamed(CHAT_STREAM)])).chat.completions.with_streaming_response
        async with api.create(model="gpt-4o", messages=MESSAGES, stream=True) as response:
            return [told(line) async for line in response.iter_lines() if line]

    assert asyncio.run(main()) == ["a", "b", "c", "[DONE]"]
    assert kept.only.usage.units == UNITS


def test_a_raw_reader_who_asked_for_usage_sees_every_byte(kept: Kept) -> None:
    read = raw(client(Server([streamed(CHAT_STREAM)])), stream=True, stream_options={"include_usage": True})
    assert read.http_response.read() == CHAT_STREAM
    assert kept.only.usage.units == UNITS


@pytest.mark.parametrize("end", ["", "\n", "\r\n\r\n"])
def test_a_raw_stream_that_ends_with_that_chunk_keeps_all_before_it(end: str) -> None:
    before = sse(*words("a")).replace(b"\n", b"\r\n")
    last = b"data: " + json.dumps(chunk(usage=USAGE, choices=None)).encode() + end.encode()
    parts = [(before + last)[start : start + 9] for start in range(0, len(before + last), 9)]
    read = raw(client(Server([lambda _: httpx2.Response(200, content=iter(parts))])), stream=True)
    assert read.http_response.read() == before


def test_a_caller_who_asked_for_usage_sees_its_chunk(kept: Kept) -> None:
    server = Server([streamed(CHAT_STREAM)])
    chunks = list(ask(client(server), stream=True, stream_options={"include_usage": True}))
    assert len(chunks) == 4
    assert chunks[-1].usage.total_tokens == 1100
    assert kept.only.usage.units == UNITS


def test_a_caller_who_refused_usage_is_left_alone_and_the_call_is_flagged(kept: Kept) -> None:
    server = Server([streamed(sse(*words("a"), done=True))])
    list(ask(client(server), stream=True, stream_options={"include_usage": False}))
    assert server.sent[0]["stream_options"] == {"include_usage": False}
    assert (kept.only.cost, kept.only.cost_status) == (None, "unpriced")
    assert "partial" in kept.only.flags


def test_a_stranger_host_is_never_asked_for_usage() -> None:
    server = Server([streamed(sse(*words("a"), done=True))])
    list(ask(client(server, base_url="https://llm.example.org/v1"), stream=True))
    assert "stream_options" not in server.sent[0]


def test_the_options_of_the_caller_are_not_changed() -> None:
    options: dict[str, Any] = {"stream_options": {}}
    list(ask(client(Server([streamed(CHAT_STREAM)])), stream=True, **options))
    assert options == {"stream_options": {}}


def test_the_setting_turns_asking_off(kept: Kept, hooks: Hooks) -> None:
    hooks.uninstrument("openai")
    hooks.instrument("openai", include_usage=False)
    server = Server([streamed(sse(*words("a"), done=True))])
    list(ask(client(server), stream=True))
    assert "stream_options" not in server.sent[0]
    assert kept.only.cost is None
    assert "partial" in kept.only.flags


def test_a_stream_closed_early_is_one_partial_call(kept: Kept) -> None:
    stream = ask(client(Server([streamed(CHAT_STREAM)])), stream=True)
    next(stream)
    stream.close()
    assert {"abandoned", "partial"} <= set(kept.only.flags)
    assert (kept.only.status, kept.only.cost) == ("success", None)


def test_a_stream_that_is_dropped_is_one_partial_call(kept: Kept) -> None:
    stream = ask(client(Server([streamed(CHAT_STREAM)])), stream=True)
    next(stream)
    del stream
    gc.collect()
    assert "partial" in kept.only.flags


def test_a_stream_that_nobody_reads_is_one_partial_call(kept: Kept) -> None:
    stream = ask(client(Server([streamed(CHAT_STREAM)])), stream=True)
    assert stream is not None
    del stream
    gc.collect()
    assert "partial" in kept.only.flags


def test_a_stream_left_after_its_usage_came_is_complete(kept: Kept) -> None:
    stream = ask(client(Server([streamed(CHAT_STREAM)])), stream=True, stream_options={"include_usage": True})
    for each in stream:
        if each.usage:
            break
    stream.close()
    assert kept.only.usage.units == UNITS
    assert "partial" not in kept.only.flags


def test_a_stream_that_breaks_is_one_failed_call_and_its_error_is_untouched(kept: Kept) -> None:
    broken = httpx2.ReadError("connection reset")
    stream = ask(client(Server([streamed(sse(*words("a")), broken)])), stream=True)
    with pytest.raises(openai.APIConnectionError) as caught:
        list(stream)
    assert caught.value.__cause__ is broken
    assert (kept.only.status, kept.only.error_type) == ("error", "APIConnectionError")


def test_a_cancelled_task_is_one_partial_call(kept: Kept) -> None:
    cancel_while_reading(lambda: ask(async_client(Server([streamed(CHAT_STREAM)])), stream=True))
    assert "partial" in kept.only.flags


def test_an_error_is_recorded_and_raised_unchanged(kept: Kept) -> None:
    reply = answer(
        {"error": {"message": "Incorrect API key provided: sk-abcdefgh12345678", "code": "x"}}, 401
    )
    with pytest.raises(openai.AuthenticationError):
        ask(client(Server([reply])))
    record = kept.only
    assert (record.status, record.error_type, record.cost) == ("error", "AuthenticationError", None)
    assert "sk-abcdefgh" not in str(record)


def test_retries_are_counted_in_one_record(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    server = Server([answer({}, 500), answer({}, 500), answer(CHAT)])
    api = openai.OpenAI(api_key="sk-test", http_client=server.client(), max_retries=2)
    ask(api)
    assert (kept.only.retries, len(server.requests)) == (2, 3)


def test_an_azure_client_is_azure(kept: Kept) -> None:
    api = openai.AzureOpenAI(
        api_key="k",
        api_version="2024-10-21",
        azure_endpoint="https://one.openai.azure.com",
        http_client=Server([answer(CHAT)]).client(),
    )
    ask(api)
    assert (kept.only.provider, kept.only.model) == ("azure", "gpt-4o-2024-08-06")


def test_a_caller_may_do_as_it_likes_with_what_it_got(hooks: Hooks, tmp_path: Path) -> None:
    """Sums are often kept in the first answer's own usage, long before the journal's thread looks at it."""
    journal = Journal(tmp_path, batch_delay=30)
    recorder = Recorder(journal, clock=SystemClock(), price=cost_of)
    hooks.uninstrument()
    mine = Hooks(lambda: recorder)
    mine.instrument("openai", "anthropic")
    one = client(Server([answer(CHAT)]))
    first, second = ask(one), ask(one)
    first.usage.prompt_tokens += second.usage.prompt_tokens
    first.usage.prompt_tokens_details.cached_tokens = 0
    first.model = "another"
    last = list(ask(client(Server([streamed(sse(*CHUNKS, done=True))])), stream=True,
                    stream_options={"include_usage": True}))[-1]  # fmt: skip
    last.usage.completion_tokens = 10**6
    said: Any = client(Server([answer(RESPONSE)])).responses.create(model="gpt-4o", input="hi")
    said.usage.input_tokens_details.cached_tokens = 0
    assert journal.flush(10)
    mine.uninstrument()
    journal.close()
    (segment,) = segments(tmp_path)
    records = [entry for _, entry in read_segment(segment.path) if isinstance(entry, Record)]
    assert [(record.usage.units, record.cost) for record in records] == [(UNITS, COST)] * 4
    assert {record.model for record in records} == {"gpt-4o-2024-08-06"}


def test_reading_a_stored_response_costs_nothing(kept: Kept) -> None:
    client(Server([answer(RESPONSE)])).responses.retrieve("resp_1")
    assert not kept.records


def test_the_context_of_the_call_is_on_its_record_even_when_the_stream_is_read_outside(kept: Kept) -> None:
    with context(user="u1", team="search"):
        stream = ask(client(Server([streamed(CHAT_STREAM)])), stream=True)
    list(stream)
    assert (kept.only.user, dict(kept.only.tags)) == ("u1", {"team": "search"})


def test_no_text_of_prompt_or_reply_is_kept(kept: Kept) -> None:
    ask(client(Server([answer(CHAT)])))
    assert "Oslo" not in str(kept.only)


def test_hooking_twice_counts_once_and_unhooking_restores(kept: Kept, hooks: Hooks) -> None:
    hooks.instrument()
    ask(client(Server([answer(CHAT)])))
    assert len(kept.records) == 1
    hooks.uninstrument()
    assert not hasattr(openai._base_client.SyncAPIClient.request, "__wrapped__")
    assert not hasattr(openai._streaming.Stream.close, "__wrapped__")
    ask(client(Server([answer(CHAT)])))
    assert len(kept.records) == 1


def test_a_fault_of_ours_never_reaches_the_caller(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("our own fault")

    monkeypatch.setattr("outlay.capture.answers.read", broken)
    assert ask(client(Server([answer(CHAT)]))).id == "chatcmpl-1"
    assert kept.only.usage.reason == "the response could not be read"
    assert failures
    assert "RuntimeError at" in caplog.text
    assert "our own fault" not in caplog.text  # it could quote a prompt
    failures.clear()


def test_a_raw_stream_that_breaks_is_one_failed_call_and_one_that_ends_is_whole(kept: Kept) -> None:
    for error in (httpx2.ReadError("reset"), None):
        api = client(Server([streamed(sse(*words("a"), done=True), error)]))
        create = api.chat.completions.with_streaming_response.create
        with (
            create(model="gpt-4o", messages=MESSAGES, stream=True) as response,
            pytest.raises(httpx2.ReadError) if error else nullcontext(),
        ):
            list(response.iter_bytes())
    broken, whole = kept.records
    assert (broken.status, broken.error_type) == ("error", "ReadError")
    assert (whole.status, "abandoned" in whole.flags) == ("success", False)


@pytest.mark.parametrize(
    ("version", "more", "asks"),
    [
        ("2024-02-01", {}, False),
        ("2024-05-01-preview", {}, False),
        ("2024-10-21", {}, True),
        ("preview", {}, True),
        ("2024-10-21", {"extra_body": {"data_sources": [{"type": "azure_search"}]}}, False),
    ],
)
def test_azure_is_not_asked_for_what_it_refuses(
    version: str,
    more: dict[str, Any],
    asks: bool,  # noqa: FBT001 - a parameter of the test
    kept: Kept,
) -> None:
    """It answers ``stream_options`` by an error there, which would be the caller's."""
    server = Server([streamed(CHAT_STREAM)])
    azure = openai.AzureOpenAI(
        api_key="k",
        azure_endpoint="https://x.openai.azure.com",
        api_version=version,
        http_client=server.client(),
        max_retries=0,
    )
    list(ask(azure, stream=True, **more))
    assert ("stream_options" in server.sent[0]) == asks
    assert (kept.only.provider, kept.only.usage.units) == ("azure", UNITS)


def test_decisions_are_calls_at_their_own_price(kept: Kept) -> None:
    usage = {
        "input_tokens": 1000,
        "input_tokens_details": {"cached_tokens": 400, "cache_write_tokens": 0},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 10},
        "total_tokens": 1020,
    }
    said = {"type": "predicate", "name": "rude", "probability": 0.1}
    body = {"answers": [said], "model": "gpt-6-luna", "usage": usage}
    question: Any = {"type": "predicate", "name": "rude", "question": "Is this rude?"}
    asked: dict[str, Any] = {"model": "gpt-6-luna", "input": "hi", "questions": [question]}
    client(Server([answer(body)])).decisions.create(**asked)
    client(Server([answer(body)])).decisions.with_raw_response.create(**asked)

    async def main() -> None:
        await async_client(Server([answer(body)])).decisions.create(**asked)

    asyncio.run(main())
    # 600 x 0.10 + 400 x 0.01 dollars a million; what is put out is not charged
    assert [record.cost for record in kept.records] == [Decimal("0.000064")] * 3
    assert {tuple(record.usage.units.items()) for record in kept.records} == {
        (("input", 600), ("cache_read", 400), ("output", 10), ("reasoning", 10))
    }


def test_an_answer_that_our_reader_stumbles_over_is_a_call(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: Any) -> None:
        raise AttributeError("a release that moved its insides")

    monkeypatch.setattr(stainless, "mark", stumble)
    assert list(ask(client(Server([streamed(CHAT_STREAM)])), stream=True))
    assert (kept.only.cost, kept.only.charge.reason) == (None, "the response could not be read")
    assert failures.pop("stainless.settle") == 1
