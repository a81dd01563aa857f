"""Results of batches: each line is one call at batch price, whoever reads it and however often."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import anthropic
import groq
import httpx2
import openai
import pytest
from tests.support.wire import Kept, Server, Stream
from tests.support.wire_httpx import HttpxServer

from outlay.capture import Recorder, SystemClock, context
from outlay.core.ids import time_of
from outlay.instrumentation import Hooks
from outlay.ledger.memory import MemoryLedger
from outlay.pricing import cost_of

pytestmark = pytest.mark.usefixtures("hooks")

MADE = 1763800000
SENT = datetime.fromtimestamp(MADE + 60, UTC)
USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
# 1000 x 2.50 + 100 x 10.00 dollars a million, and half of that in a batch
PRICE = Decimal("0.00175")


def line(name: str, **body: Any) -> dict[str, Any]:
    answer = {"id": f"chatcmpl-{name}", "object": "chat.completion", "created": MADE + 60, "choices": []}
    whole = {**answer, "model": "gpt-4o-2024-08-06", "usage": USAGE, **body}
    response = {"status_code": 200, "request_id": "r", "body": whole}
    return {"id": f"batch_req_{name}", "custom_id": name, "response": response, "error": None}


REFUSED = {
    **line("c"),
    "response": {"status_code": 400, "body": {"error": {"type": "invalid_request_error", "message": "no"}}},
}
EXPIRED = {
    "id": "batch_req_d",
    "custom_id": "d",
    "response": None,
    "error": {"code": "batch_expired", "message": "too late"},
}
LINES = [line("a"), line("b"), REFUSED, EXPIRED]
BATCH = {
    "id": "batch_1",
    "object": "batch",
    "completion_window": "24h",
    "created_at": MADE,
    "endpoint": "/v1/chat/completions",
    "input_file_id": "file-in",
    "output_file_id": "file-out",
    "status": "completed",
    "usage": {"input_tokens": 2000, "output_tokens": 200, "total_tokens": 2200},
}


def written(*lines: dict[str, Any]) -> bytes:
    return b"\n".join(json.dumps(each).encode() for each in lines)  # without an end at the last line


class Pieces(Stream):
    """A body that comes in pieces that know no lines."""

    def __init__(self, body: bytes) -> None:
        super().__init__(b"")
        self._parts = [body[start : start + 500] for start in range(0, len(body), 500)]


def by_path(answers: dict[str, Any], *, whole: bool = True) -> Callable[[httpx2.Request], httpx2.Response]:
    """Answer by the end of the path: a document, or bytes that come at once or in pieces."""

    def respond(request: httpx2.Request) -> httpx2.Response:
        found = next(body for end, body in answers.items() if request.url.path.endswith(end))
        if isinstance(found, bytes):
            return (
                httpx2.Response(200, content=found) if whole else httpx2.Response(200, stream=Pieces(found))
            )
        return httpx2.Response(200, json=found)

    return respond


OPENAI = {
    "/batches/batch_1": BATCH,
    "/batches": BATCH,
    "/files/file-out/content": written(*LINES),
    "/files/file-pdf/content": b"%PDF-1.7",
    "/files/file-in/content": written({"custom_id": "a", "method": "POST", "url": "/v1/chat/completions"}),
}


def client(*, whole: bool = True) -> openai.OpenAI:
    server = Server([by_path(OPENAI, whole=whole)])
    return openai.OpenAI(api_key="k", http_client=server.client(), max_retries=0)


def test_each_line_of_results_is_one_call_at_batch_price_and_at_its_own_time(kept: Kept) -> None:
    api = client()
    api.batches.retrieve("batch_1")
    api.files.content("file-out")
    first, second, refused = kept.records
    assert [record.cost for record in (first, second)] == [PRICE, PRICE]
    assert (first.usage.units, first.usage.term("batch")) == ({"input": 1000, "output": 100}, "true")
    assert (first.at, first.latency_ms, first.api, first.provider) == (SENT, None, "chat", "openai")
    assert dict(first.extra) == {"custom_id": "a", "batch_id": "batch_1"}
    assert first.response_id == "chatcmpl-a"
    assert (refused.status, refused.error_type, refused.cost) == ("error", "HTTP 400", None)


def test_making_polling_and_listing_a_batch_costs_nothing(kept: Kept) -> None:
    api = client()
    api.batches.create(completion_window="24h", endpoint="/v1/chat/completions", input_file_id="file-in")
    for _ in range(3):
        api.batches.retrieve("batch_1")
    api.batches.list()
    api.files.content("file-in")
    api.files.content("file-pdf")
    assert not kept.records


def test_reading_again_counts_nothing_and_another_process_makes_the_same_ids(
    kept: Kept, hooks: Hooks
) -> None:
    api = client()
    api.batches.retrieve("batch_1")
    api.files.content("file-out")
    client().files.content("file-out")
    assert len(kept.records) == 3
    hooks.uninstrument()
    elsewhere = Kept()
    recorder = Recorder(elsewhere, clock=SystemClock(), price=cost_of)
    other = Hooks(lambda: recorder)
    other.instrument("openai")
    again = client()
    again.batches.list()  # whatever else it knows of the batch
    again.files.content("file-out")
    other.uninstrument()
    assert [record.id for record in elsewhere.records] == [record.id for record in kept.records]
    ledger = MemoryLedger()
    assert ledger.add(kept.records) == 3
    assert ledger.add(elsewhere.records) == 0


def test_a_batch_is_for_whom_it_was_made(kept: Kept) -> None:
    api = client()
    with context(user="u1", team="search"):
        api.batches.create(completion_window="24h", endpoint="/v1/chat/completions", input_file_id="file-in")
    api.batches.retrieve("batch_1")
    with context(user="u2"):
        api.files.content("file-out")
    assert {record.user for record in kept.records} == {"u1"}
    assert {record.tags["team"] for record in kept.records} == {"search"}


def streamed_content(files: Any) -> None:
    with files.with_streaming_response.content("file-out") as response:
        assert response.read() == written(*LINES)


def left_early(files: Any) -> None:
    with files.with_streaming_response.content("file-out") as response:
        pieces = response.iter_bytes()
        next(pieces)


READERS: dict[str, Callable[[Any], object]] = {
    "raw": lambda files: files.with_raw_response.content("file-out"),
    "streamed": streamed_content,
    "left early": left_early,
}


@pytest.mark.parametrize("form", READERS)
def test_raw_forms_count_what_is_read(form: str, kept: Kept) -> None:
    READERS[form](client(whole=form == "raw").files)
    assert len(kept.records) == (1 if form == "left early" else 3)
    assert kept.records[0].cost == PRICE


@pytest.mark.parametrize("answered", [True, False], ids=["embeddings", "an error"])
def test_a_line_whose_answer_says_no_time_is_of_when_its_own_id_was_made(
    kept: Kept,
    answered: bool,  # noqa: FBT001 - a parameter
) -> None:
    """Else it had an id of 1970, and came late to every ledger that was ever pruned."""
    name = f"{MADE + 7200:x}" + "e5e98190932e345eb13da6d1"
    told = line(name, object="list", created=None, id=None)
    told["response"] = told["response"] if answered else REFUSED["response"]
    for knows in (True, False):
        server = Server([by_path({**OPENAI, "/files/file-out/content": written(told)})])
        hooks = Hooks(lambda: Recorder(kept, clock=SystemClock(), price=cost_of))
        hooks.instrument("openai")
        api = openai.OpenAI(api_key="k", http_client=server.client())
        if knows:
            api.batches.retrieve("batch_1")
        api.files.content("file-out")
        hooks.uninstrument()
    first, again = kept.records
    wrote = datetime.fromtimestamp(MADE + 7200, UTC)
    assert (first.id, first.at, time_of(first.id)) == (again.id, again.at, wrote)
    ledger = MemoryLedger()
    ledger.prune(wrote)
    assert (ledger.add([first]), ledger.add([again]), ledger.info().late) == (1, 0, 0)


@pytest.mark.parametrize("name", ["403hYy7nMxrxXFWXiwvoLG1q", "f" * 32, "67b613c5e9187190932e345eb13da6d1"])
def test_an_id_of_another_kind_tells_no_time(kept: Kept, name: str) -> None:
    told = line(name, object="list", created=None, id=None)
    server = Server([by_path({**OPENAI, "/files/file-out/content": written(told)})])
    openai.OpenAI(api_key="k", http_client=server.client()).files.content("file-out")
    assert time_of(kept.records[0].id) is None
    assert kept.records[0].extra["time_assumed"]


def test_embeddings_say_no_time_and_have_the_same_id_all_the_same(kept: Kept) -> None:
    vector = line("e", object="list", created=None, data=[{"embedding": [0.1]}], id=None)
    del vector["response"]["body"]["choices"]
    ids = []
    for knows in (True, False):
        server = Server([by_path({**OPENAI, "/files/file-out/content": written(vector)})])
        hooks = Hooks(lambda: Recorder(kept, clock=SystemClock(), price=cost_of))
        hooks.instrument("openai")
        api = openai.OpenAI(api_key="k", http_client=server.client())
        if knows:
            api.batches.retrieve("batch_1")
        api.files.content("file-out")
        hooks.uninstrument()
        ids.append(kept.records[-1].id)
    assert kept.records[0].api == "embeddings"
    assert kept.records[0].at == datetime.fromtimestamp(MADE, UTC)
    assert ids[0] == ids[1]


def test_the_async_client_and_groq_are_read_alike(kept: Kept) -> None:
    async def main() -> None:
        server = Server([by_path(OPENAI)])
        api = openai.AsyncOpenAI(api_key="k", http_client=server.async_client())
        await api.files.content("file-out")
        async with groq.AsyncGroq(
            api_key="k", http_client=HttpxServer([by_path(OPENAI)]).async_httpx()
        ) as other:
            await other.files.content("file-out")

    asyncio.run(main())
    assert [record.provider for record in kept.records] == ["openai"] * 3 + ["groq"] * 3


MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1000, "output_tokens": 100, "service_tier": "batch"},
}
RESULTS = written(
    {"custom_id": "a", "result": {"type": "succeeded", "message": MESSAGE}},
    {
        "custom_id": "b",
        "result": {"type": "errored", "error": {"type": "error", "error": {"type": "api_error"}}},
    },
    {"custom_id": "c", "result": {"type": "canceled"}},
    {"custom_id": "d", "result": {"type": "expired"}},
)
MESSAGES = {
    "/results": RESULTS,
    "/batches/msgbatch_1": {
        "id": "msgbatch_1",
        "type": "message_batch",
        "created_at": "2025-11-22T08:26:40Z",
        "processing_status": "ended",
        "results_url": "https://api.anthropic.com/v1/messages/batches/msgbatch_1/results",
    },
}


def claude() -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="k", http_client=Server([by_path(MESSAGES, whole=False)]).client())


ANTHROPIC: dict[str, Callable[[anthropic.Anthropic], object]] = {
    "results": lambda api: list(api.messages.batches.results("msgbatch_1")),
    "beta": lambda api: list(api.beta.messages.batches.results("msgbatch_1")),
    "raw": lambda api: list(api.messages.batches.with_raw_response.results("msgbatch_1").parse()),
}


@pytest.mark.parametrize("form", ANTHROPIC)
def test_message_batches_are_read_line_by_line(form: str, kept: Kept) -> None:
    api = claude()
    api.messages.batches.retrieve("msgbatch_1")
    ANTHROPIC[form](api)
    ANTHROPIC[form](api)
    answered, failed = kept.records
    # 1000 x 3 + 100 x 15 dollars a million, and half of that in a batch
    assert (answered.cost, answered.model) == (Decimal("0.00225"), "claude-sonnet-4-5-20250929")
    assert answered.at == datetime.fromtimestamp(MADE, UTC)
    assert dict(answered.extra) == {"custom_id": "a", "batch_id": "msgbatch_1"}
    assert (failed.status, failed.error_type) == ("error", "api_error")


def test_message_batches_are_read_by_the_async_client(kept: Kept) -> None:
    async def main() -> None:
        server = Server([by_path(MESSAGES, whole=False)])
        api = anthropic.AsyncAnthropic(api_key="k", http_client=server.async_client())
        async for each in await api.messages.batches.results("msgbatch_1"):
            assert each.custom_id

    asyncio.run(main())
    assert [record.status for record in kept.records] == ["success", "error"]
