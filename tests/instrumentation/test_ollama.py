"""ollama: chat, generate and embed make one record each; a stream that nobody reads is never sent."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import httpx2
import ollama
import pytest
from tests.support.cancelled import cancel_while_reading
from tests.support.wire import Kept, Stream, answer
from tests.support.wire_httpx import HttpxServer

from outlay.capture import context
from outlay.instrumentation import Hooks

pytestmark = pytest.mark.usefixtures("hooks")

COUNTS = {
    "done": True,
    "done_reason": "stop",
    "total_duration": 5_000_000,
    "load_duration": 1_000_000,
    "prompt_eval_count": 26,
    "prompt_eval_duration": 1_000_000,
    "eval_count": 298,
    "eval_duration": 3_000_000,
}
UNITS = {"input": 26, "output": 298}
NAMED = {"model": "llama3.2", "created_at": "2026-11-01T00:00:00Z"}


def said(text: str) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": text}}


CHAT = {**NAMED, **said("hello"), **COUNTS}
GENERATED = {**NAMED, "response": "hello", **COUNTS}
PARTS = [
    {**NAMED, **said("a"), "done": False},
    {**NAMED, **said("b"), "done": False},
    {**NAMED, **said(""), **COUNTS},
]
ASK: dict[str, Any] = {"model": "llama3.2", "messages": [{"role": "user", "content": "hi"}]}


def stream_of(*parts: dict[str, Any], error: Exception | None = None) -> Any:
    """Answer each request with one object a line."""

    def reply(_request: Any) -> httpx2.Response:
        body = Stream(b"", error)
        body._parts = [json.dumps(part).encode() + b"\n" for part in parts]
        return httpx2.Response(200, stream=body)

    return reply


def client(server: HttpxServer) -> ollama.Client:
    return ollama.Client(host="http://localhost:11434", transport=httpx.MockTransport(server.handle))


def async_client(server: HttpxServer) -> ollama.AsyncClient:
    return ollama.AsyncClient(host="http://localhost:11434", transport=httpx.MockTransport(server.handle))


FORMS: dict[str, tuple[Any, Callable[[ollama.Client], Any]]] = {
    "chat": (answer(CHAT), lambda api: api.chat(**ASK)),
    "chat stream": (stream_of(*PARTS), lambda api: list(api.chat(stream=True, **ASK))),
    "generate": (answer(GENERATED), lambda api: api.generate(model="llama3.2", prompt="hi")),
    "generate stream": (
        stream_of({**NAMED, "response": "a", "done": False}, GENERATED),
        lambda api: list(api.generate(model="llama3.2", prompt="hi", stream=True)),
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_sync_form_makes_one_record(form: str, kept: Kept) -> None:
    reply, call = FORMS[form]
    with context(user="u1"):
        call(client(HttpxServer([reply])))
    record = kept.only
    assert record.usage.units == UNITS
    assert (record.provider, record.model, record.user) == ("ollama", "llama3.2", "u1")
    assert (record.streamed, record.cost, record.flags) == ("stream" in form, None, ())


def test_async_forms_make_one_record_each(kept: Kept) -> None:
    async def main() -> None:
        await async_client(HttpxServer([answer(CHAT)])).chat(**ASK)
        async for _ in await async_client(HttpxServer([stream_of(*PARTS)])).chat(stream=True, **ASK):
            pass
        await async_client(HttpxServer([answer(GENERATED)])).generate(model="llama3.2", prompt="hi")

    asyncio.run(main())
    assert [record.usage.units for record in kept.records] == [UNITS] * 3


def test_embeddings_have_input_alone(kept: Kept) -> None:
    body = {"model": "all-minilm", "embeddings": [[0.1]], "total_duration": 1, "prompt_eval_count": 8}
    client(HttpxServer([answer(body)])).embed(model="all-minilm", input="hi")
    assert (kept.only.operation, kept.only.usage.units, kept.only.flags) == ("embeddings", {"input": 8}, ())


def test_the_caller_gets_the_parts_as_they_came_for_whom_it_asked(kept: Kept) -> None:
    with context(user="u1"):
        stream = client(HttpxServer([stream_of(*PARTS)])).chat(stream=True, **ASK)
    assert [part.message.content for part in stream] == ["a", "b", ""]
    assert (kept.only.user, kept.only.time_to_first_token_ms is not None) == ("u1", True)


def test_a_stream_that_nobody_reads_is_no_call(kept: Kept) -> None:
    server = HttpxServer([stream_of(*PARTS)])
    stream = client(server).chat(stream=True, **ASK)
    del stream
    gc.collect()
    assert (server.requests, kept.records) == ([], [])


def test_a_stream_left_early_is_one_partial_call(kept: Kept) -> None:
    for part in client(HttpxServer([stream_of(*PARTS)])).chat(stream=True, **ASK):
        assert part.message.content == "a"
        break
    gc.collect()
    assert {"abandoned", "partial"} <= set(kept.only.flags)
    assert kept.only.status == "success"


def test_a_stream_that_breaks_is_one_failed_call_and_its_error_is_untouched(kept: Kept) -> None:
    broken = httpx.ReadError("reset")
    with pytest.raises(httpx.ReadError) as caught:
        list(client(HttpxServer([stream_of(PARTS[0], error=broken)])).chat(stream=True, **ASK))
    assert caught.value is broken
    assert (kept.only.status, kept.only.error_type) == ("error", "ReadError")


def test_an_error_is_one_failed_call_whichever_form(kept: Kept) -> None:
    with pytest.raises(ollama.ResponseError):
        client(HttpxServer([answer({"error": "no such model"}, 404)])).chat(**ASK)
    with pytest.raises(ollama.ResponseError):
        list(client(HttpxServer([answer({"error": "no such model"}, 404)])).chat(stream=True, **ASK))
    with pytest.raises(ollama.ResponseError):  # an error in the middle of a stream that began well
        list(client(HttpxServer([stream_of(PARTS[0], {"error": "out of memory"})])).chat(stream=True, **ASK))
    assert [(record.status, record.error_type) for record in kept.records] == [("error", "ResponseError")] * 3


def test_a_cancelled_task_is_one_partial_call(kept: Kept) -> None:
    cancel_while_reading(lambda: async_client(HttpxServer([stream_of(*PARTS)])).chat(stream=True, **ASK))
    assert "partial" in kept.only.flags


def test_pulling_a_model_is_no_call(kept: Kept) -> None:
    list(client(HttpxServer([stream_of({"status": "success"})])).pull("llama3.2", stream=True))
    client(HttpxServer([answer({"models": []})])).list()
    assert not kept.records


def test_unhooking_restores(kept: Kept, hooks: Hooks) -> None:
    hooks.uninstrument("ollama")
    assert not hasattr(ollama.Client._request, "__wrapped__")
    client(HttpxServer([answer(CHAT)])).chat(**ASK)
    assert not kept.records


def test_questions_to_a_system_one_model_are_a_call(kept: Kept) -> None:
    body = {
        "model": "one",
        "answers": {"rude": {"type": "noul", "noul": 0.1}},
        "usage": {"input_tokens": 26, "output_tokens": 298},
    }
    question = {"type": "noul", "instructions": "Is this rude?"}
    client(HttpxServer([answer(body)])).systemone(model="one", state="hi", questions={"rude": question})
    assert (kept.only.usage.units, kept.only.provider, kept.only.model) == (UNITS, "ollama", "one")


class Held(httpx.AsyncByteStream):
    """A body that says whether it was closed."""

    closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in PARTS:
            yield json.dumps(part).encode() + b"\n"

    async def aclose(self) -> None:
        self.closed = True


@pytest.mark.parametrize("ours", [True, False], ids=["hooked", "bare"])
def test_a_stream_that_is_closed_gives_its_connection_back_at_once(
    *, ours: bool, kept: Kept, hooks: Hooks
) -> None:
    if not ours:
        hooks.uninstrument("ollama")
    body = Held()
    answering = httpx.MockTransport(lambda _: httpx.Response(200, stream=body))

    async def main() -> None:
        api = ollama.AsyncClient(host="http://localhost:11434", transport=answering)
        stream: Any = await api.chat(stream=True, **ASK)
        await anext(stream)
        await stream.aclose()
        assert body.closed

    asyncio.run(main())
    assert len(kept.records) == ours
