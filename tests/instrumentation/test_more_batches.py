"""Batches of Mistral, Gemini, xAI and Together: each answer is one call, when it is read, and once."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest
import together
import xai_sdk
from google import genai
from google.genai import types
from mistralai.client import Mistral
from tests.support.wire import Kept, Server, answer
from tests.support.wire_httpx import HttpxServer
from tests.support.xai_peer import TICKS, Peer, serving
from xai_sdk.proto import batch_pb2

from outlay.capture import context
from outlay.ledger import MemoryLedger

pytestmark = pytest.mark.usefixtures("hooks")
MADE = 1763800000
UNITS = {"input": 1000, "output": 100}
USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}


def line(name: str) -> dict[str, Any]:
    body = {"id": f"cmpl-{name}", "object": "chat.completion", "created": MADE + 60, "choices": []}
    whole = {**body, "model": "mistral-medium-2508", "usage": USAGE}
    return {
        "id": f"b-{name}",
        "custom_id": name,
        "response": {"status_code": 200, "body": whole},
        "error": None,
    }


REFUSED = {
    **line("c"),
    "response": {"status_code": 422, "body": {"object": "error", "message": "no", "type": "invalid"}},
}
JOB = {
    "id": "job-1",
    "input_files": ["file-in"],
    "endpoint": "/v1/chat/completions",
    "errors": [],
    "status": "SUCCESS",
    "created_at": MADE,
    "total_requests": 3,
    "completed_requests": 3,
    "succeeded_requests": 2,
    "failed_requests": 1,
    "model": "mistral-medium-2508",
    "output_file": "file-out",
    "metadata": {},
}
FILE = "\n".join(json.dumps(each) for each in (line("a"), line("b"), REFUSED)).encode()
# 1000 x 0.40 + 100 x 2 dollars a million, and half of that in a batch where the list says so


def mistral(*answers: Any) -> tuple[Mistral, Server]:
    server = Server(list(answers))
    return Mistral(api_key="k", client=server.client(), async_client=server.async_client()), server


def raw(body: bytes) -> Any:
    return lambda _request: httpx2.Response(
        200, headers={"content-type": "application/octet-stream"}, content=body
    )


def test_lines_of_mistrals_file_are_for_whom_the_batch_was_made(kept: Kept) -> None:
    api, _ = mistral(answer(JOB), answer(JOB), raw(FILE), raw(FILE))
    with context(user="u1"):
        api.batch.jobs.create(endpoint="/v1/chat/completions", input_files=["file-in"], model="m")
    api.batch.jobs.get(job_id="job-1")
    assert not kept.records
    api.files.download(file_id="file-out").read()
    api.files.download(file_id="file-out").read()
    assert [record.extra for record in kept.records] == [
        {"custom_id": name, "batch_id": "job-1"} for name in "abc"
    ]
    assert [record.usage.units for record in kept.records] == [UNITS, UNITS, {}]
    assert [record.status for record in kept.records] == ["success", "success", "error"]
    assert {record.user for record in kept.records} == {"u1"}
    assert {record.usage.term("batch") for record in kept.records[:2]} == {"true"}
    assert {record.at.timestamp() for record in kept.records[:2]} == {MADE + 60}


def test_answers_inside_of_mistrals_job_are_the_same_calls(kept: Kept) -> None:
    api, _ = mistral(answer({**JOB, "outputs": [line("a"), line("b")]}), raw(FILE))

    async def main() -> None:
        await api.batch.jobs.get_async(job_id="job-1", inline=True)
        response = await api.files.download_async(file_id="file-out")
        await response.aread()

    asyncio.run(main())
    assert [record.extra["custom_id"] for record in kept.records] == ["a", "b", "c"]


def test_a_file_of_anything_else_is_no_call(kept: Kept) -> None:
    api, _ = mistral(raw(b'{"text": "no results"}\n'))
    api.files.download(file_id="file-x").read()
    assert not kept.records


def said(name: str, **more: Any) -> dict[str, Any]:
    counts = {"promptTokenCount": 1000, "candidatesTokenCount": 100, "totalTokenCount": 1100}
    body = {"candidates": [], "usageMetadata": counts, "modelVersion": "gemini-2.5-pro", "responseId": name}
    return {"response": body, **more}


ABOUT = {
    "model": "models/gemini-2.5-pro",
    "state": "BATCH_STATE_PENDING",
    "createTime": "2026-11-20T10:00:00Z",
}
PENDING = {"name": "batches/one", "metadata": ABOUT}
INSIDE = {
    "name": "batches/one",
    "metadata": {**ABOUT, "state": "BATCH_STATE_SUCCEEDED"},
    "done": True,
    "response": {
        "inlinedResponses": {
            "inlinedResponses": [
                said("r1", metadata={"key": "a"}),
                said("r2"),
                {"error": {"code": 3, "message": "no"}},
            ]
        }
    },
}
IN_FILE = {**PENDING, "done": True, "response": {"responsesFile": "files/batch-one"}}
LINES = "\n".join(json.dumps(each) for each in (said("r1", key="a"), said("r2", key="b"))).encode()
# 1000 x 1.25 + 100 x 10 dollars a million, and half of that in a batch
PRICE = Decimal("0.001125")


def gemini(*answers: Any) -> genai.Client:
    server = Server(list(answers))
    http = types.HttpOptions(httpx_client=server.client(), httpx_async_client=server.async_client())
    return genai.Client(api_key="k", http_options=http)


def test_answers_inside_of_geminis_job_are_counted_once_however_often_it_is_asked_for(kept: Kept) -> None:
    api = gemini(answer(PENDING), answer(PENDING), answer(INSIDE), answer(INSIDE))
    with context(user="u1"):
        api.batches.create(model="gemini-2.5-pro", src=[types.InlinedRequest(contents="hi")])
    for _ in range(3):
        api.batches.get(name="batches/one")
    assert [record.status for record in kept.records] == ["success", "success", "error"]
    assert [record.cost for record in kept.records] == [PRICE, PRICE, None]
    assert [record.extra["custom_id"] for record in kept.records] == ["a", "1", "2"]
    assert {(record.provider, record.user, record.api) for record in kept.records} == {
        ("google", "u1", "generate_content")
    }
    assert kept.records[0].at.isoformat() == "2026-11-20T10:00:00+00:00"


def test_lines_of_geminis_file_are_the_same_calls(kept: Kept) -> None:
    api = gemini(answer(INSIDE), answer(IN_FILE), raw(LINES))

    async def main() -> None:
        await api.aio.batches.get(name="batches/one")
        await api.aio.batches.get(name="batches/one")
        await api.aio.files.download(file="files/batch-one")

    asyncio.run(main())
    assert [record.usage.response_id for record in kept.records] == ["r1", "r2", None]


def test_answers_of_geminis_job_count_in_a_ledger_that_was_pruned(kept: Kept) -> None:
    """Their ids tell no time: they had come late, and were of 1970 when they were counted in."""
    gemini(answer(INSIDE)).batches.get(name="batches/one")
    day = kept.records[0].at.replace(hour=0)
    ledger = MemoryLedger()
    ledger.prune(day)
    assert (ledger.add(kept.records), ledger.info().late) == (3, 0)
    assert ledger.prune(day + timedelta(days=1)).calls == 3
    read_later = [replace(each, at=each.at + timedelta(days=9)) for each in kept.records]
    assert (ledger.add([*kept.records, *read_later]), ledger.info().late) == (0, 0)


def embedded(tokens: int, **more: Any) -> dict[str, Any]:
    return {"response": {"embedding": {"values": [0.1]}, "tokenCount": tokens}, **more}


ABOUT_EMBEDDED = {**ABOUT, "model": "models/gemini-embedding-001"}
EMBEDDING = {"name": "batches/two", "metadata": ABOUT_EMBEDDED}
EMBEDDED = {
    **EMBEDDING,
    "done": True,
    "response": {
        "inlinedEmbedContentResponses": {
            "inlinedResponses": [
                embedded(1000),
                embedded(4000, metadata={"key": "b"}),
                {"error": {"code": 3}},
            ]
        }
    },
}
EMBEDDED_IN_FILE = {**EMBEDDING, "done": True, "response": {"responsesFile": "files/batch-two"}}
EMBEDDED_LINES = "\n".join(json.dumps(embedded(n, key=k)) for k, n in (("0", 1000), ("b", 4000))).encode()
# 1000 and 4000 x 0.15 dollars a million, and half of that in a batch
EMBEDDED_AT = [Decimal("0.000075"), Decimal("0.0003")]


@pytest.mark.filterwarnings("ignore:batches.create_embeddings:google.genai.errors.ExperimentalWarning")
@pytest.mark.filterwarnings("ignore:.*experimental")
def test_embeddings_of_geminis_batch_are_counted_once_in_the_job_or_in_its_file(kept: Kept) -> None:
    api = gemini(
        answer(EMBEDDING), answer(EMBEDDED), answer(EMBEDDED), answer(EMBEDDED_IN_FILE), raw(EMBEDDED_LINES)
    )
    contents = types.EmbedContentBatch(contents=[types.Content(parts=[types.Part(text="a")])])
    source = types.EmbeddingsBatchJobSource(inlined_requests=contents)
    with context(user="u1"):
        api.batches.create_embeddings(model="gemini-embedding-001", src=source)
    api.batches.get(name="batches/two")
    api.batches.get(name="batches/two")
    api.batches.get(name="batches/two")
    assert [record.usage.units for record in kept.records] == [{"input": 1000}, {"input": 4000}, {}]
    assert [record.cost for record in kept.records] == [*EMBEDDED_AT, None]
    assert {(each.api, each.model, each.user) for each in kept.records} == {
        ("embeddings", "gemini-embedding-001", "u1")
    }
    kept.entries.clear()
    api.files.download(file="files/batch-two")
    assert [record.cost for record in kept.records] == EMBEDDED_AT


def drawn() -> Any:
    said = {"model": "grok-imagine-image", "usage": {"cost_in_usd_ticks": TICKS}}
    images = {**said, "images": [{"url": "https://example.org/1.png"}] * 2}
    film = {
        "model": "grok-imagine-video",
        "usage": {"cost_in_usd_ticks": 2 * TICKS},
        "video": {"duration": 5},
    }
    return batch_pb2.ListBatchResultsResponse(
        results=[
            {"batch_request_id": "a", "response": {"image_response": images}},
            {"batch_request_id": "b", "response": {"video_response": film}},
            {"batch_request_id": "c", "response": {"video_response": {"error": {"code": "moderated"}}}},
        ]
    )


def test_images_and_films_of_xais_batch_are_counted_once_at_what_it_states(kept: Kept) -> None:
    with serving(Peer(results=drawn())) as address:
        api = xai_sdk.Client(api_key="k", api_host=address, use_insecure_channel=True)
        for _ in range(2):
            api.batch.list_batch_results("batch-1")
        api.close()
    assert [record.cost for record in kept.records] == [
        Decimal(TICKS) / 10**10,
        Decimal(2 * TICKS) / 10**10,
        None,
    ]
    assert [record.usage.units for record in kept.records] == [{"images": 2}, {}, {}]
    assert [record.model for record in kept.records] == ["grok-imagine-image", "grok-imagine-video", None]
    assert [record.error_type for record in kept.records] == [None, None, "moderated"]


def results() -> Any:
    answered = {"completion_response": Peer._answer(1)}
    return batch_pb2.ListBatchResultsResponse(
        results=[
            {"batch_request_id": "a", "response": answered},
            {"batch_request_id": "b", "error": {"code": 8, "message": "no"}},
        ]
    )


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_results_of_xais_batch_are_counted_once(asynchronous: bool, kept: Kept) -> None:  # noqa: FBT001 - a parameter
    peer = Peer(results=results())
    with serving(peer) as address:

        async def main() -> None:
            api = xai_sdk.AsyncClient(api_key="k", api_host=address, use_insecure_channel=True)
            for _ in range(2):
                await api.batch.list_batch_results("batch-1")

        if asynchronous:
            asyncio.run(main())
        else:
            api = xai_sdk.Client(api_key="k", api_host=address, use_insecure_channel=True)
            for _ in range(2):
                api.batch.list_batch_results("batch-1")
    assert [record.status for record in kept.records] == ["success", "error"]
    first = kept.records[0]
    assert (first.provider, first.cost, first.extra["custom_id"]) == ("xai", Decimal(TICKS) / 10**10, "a")
    assert first.usage.units["input"] == 800


def test_lines_of_togethers_file_are_counted_once(kept: Kept) -> None:
    job = {
        "id": "batch-1",
        "status": "COMPLETED",
        "output_file_id": "file-out",
        "created_at": "2026-11-20T10:00:00Z",
    }
    server = HttpxServer([answer(job), raw(FILE)])
    api = together.Together(api_key="k", http_client=server.sync_httpx(), max_retries=0)
    api.batches.retrieve("batch-1")
    for _ in range(2):
        api.files.content("file-out").read()
    assert [record.status for record in kept.records] == ["success", "success", "error"]
    assert {(record.provider, record.extra["batch_id"]) for record in kept.records} == {
        ("together", "batch-1")
    }
