"""litellm: one record for each request that it sends, by its own HTTP clients or by the SDK below it."""

import asyncio
import gc
import json
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from tests.support.bedrock_bodies import CONVERSE_EVENTS, CONVERSED, INVOKE_EVENTS
from tests.support.bedrock_bodies import UNITS as BEDROCKS
from tests.support.cancelled import cancel_while_reading
from tests.support.form_bodies import CHAT, CHUNKS, GEMINI, GENERATING, MESSAGE, SPEAKING
from tests.support.forms import UNITS
from tests.support.wire import Kept, Server, Stream, answer, streamed
from tests.support.wire_httpx import HttpxServer

from outlay.capture import Recorder, SystemClock, context
from outlay.capture.guard import failures
from outlay.capture.measure import Measure
from outlay.instrumentation import Hooks
from outlay.pricing import cost_of

litellm = pytest.importorskip("litellm", reason="litellm is not installed: `uv sync --group frameworks`")

pytestmark = [
    pytest.mark.usefixtures("layers"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # litellm's own
    pytest.mark.filterwarnings("ignore::UserWarning:pydantic"),  # of types that litellm makes when first used
]
SAY: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}], "api_key": "k"}
AWS = {"aws_access_key_id": "a", "aws_secret_access_key": "s", "aws_region_name": "us-west-2"}
WATSONX = {"api_base": "https://us-south.ml.cloud.ibm.com", "token": "t", "project_id": "p"}
OLLAMA = {
    "model": "m",
    "created_at": "2026-11-01T00:00:00Z",
    "message": {"role": "assistant", "content": "hi"},
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 1000,
    "eval_count": 100,
}


def sync_client(server: HttpxServer) -> Any:
    handler = litellm.llms.custom_httpx.http_handler.HTTPHandler()
    handler.client = server.sync_httpx()
    return handler


def async_client(server: HttpxServer) -> Any:
    handler = litellm.llms.custom_httpx.http_handler.AsyncHTTPHandler()
    handler.client = server.async_httpx()
    return handler


def frames(events: list[bytes]) -> Any:
    def reply(_request: httpx2.Request) -> httpx2.Response:
        body = Stream(b"")
        body._parts = events
        return httpx2.Response(
            200, headers={"content-type": "application/vnd.amazon.eventstream"}, stream=body
        )

    return reply


# litellm's name of a model -> whose it is, the answer, and what was used
WHOLE: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "anthropic/claude-sonnet-4-5": ("anthropic", MESSAGE, {}),
    "gemini/gemini-2.5-pro": ("google", GEMINI, {}),
    "mistral/mistral-large-latest": ("mistral", CHAT, {}),
    "groq/llama-3.3-70b-versatile": ("groq", {**CHAT, "service_tier": "on_demand"}, {}),
    "deepseek/deepseek-chat": ("deepseek", CHAT, {}),
    "ollama_chat/m": ("ollama", OLLAMA, {}),
    "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0": ("bedrock", CONVERSED, AWS),
    "watsonx/ibm/granite-3-8b": ("watsonx", CHAT, WATSONX),
    "vertex_ai/mistral-large-2411": ("vertex", CHAT, {}),
    "vertex_ai/claude-sonnet-4-5": ("vertex", MESSAGE, {}),
}


@pytest.fixture
def signed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give Vertex's token, which litellm would ask Google for."""
    from litellm.llms.vertex_ai.vertex_llm_base import VertexBase  # noqa: PLC0415 - it takes seconds to load

    monkeypatch.setattr(VertexBase, "_ensure_access_token", lambda *_, **__: ("t", "p"))


@pytest.mark.usefixtures("signed")
@pytest.mark.parametrize("model", WHOLE)
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_a_whole_answer_is_one_record_as_its_provider_wrote_it(
    model: str,
    asynchronous: bool,  # noqa: FBT001 - a parameter of the test
    kept: Kept,
) -> None:
    provider, body, more = WHOLE[model]
    server = HttpxServer([answer(body)])
    asked = {"model": model, **SAY, **more}
    with context(user="u1"):
        if asynchronous:
            asyncio.run(litellm.acompletion(client=async_client(server), **asked))
        else:
            litellm.completion(client=sync_client(server), **asked)
    record = kept.only
    assert (record.provider, record.user, record.status, record.streamed) == (
        provider,
        "u1",
        "success",
        False,
    )
    assert record.usage.units == (BEDROCKS if provider == "bedrock" else UNITS)
    assert len(server.requests) == 1


EMBEDDED = {"predictions": [{"embeddings": {"values": [0.1], "statistics": {"token_count": 6}}}]}


@pytest.mark.parametrize(
    ("where", "body", "units"),
    [
        ("google/models/text-embedding-005:predict", EMBEDDED, [{"input": 6}]),
        ("mistralai/models/mistral-large-2411:rawPredict", CHAT, [UNITS]),
        ("anthropic/models/claude-sonnet-4-5:rawPredict", MESSAGE, [UNITS]),
        ("anthropic/models/count-tokens:rawPredict", {"input_tokens": 6}, []),  # counting costs nothing
        ("google/models/imagen-4:predict", {"predictions": [{"bytesBase64Encoded": ""}]}, []),
    ],
)
def test_what_vertex_answers_is_read_by_whose_model_it_is(
    where: str, body: dict[str, Any], units: list[dict[str, int]], kept: Kept
) -> None:
    host = "https://us-central1-aiplatform.googleapis.com"
    url = f"{host}/v1/projects/p/locations/us-central1/publishers/{where}"
    assert sync_client(HttpxServer([answer(body)])).post(url, json={}).status_code == 200
    assert [record.usage.units for record in kept.records] == units
    assert all(record.usage.terms == (("region", "us-central1"),) for record in kept.records)


STREAMS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "anthropic/claude-sonnet-4-5": ("anthropic", streamed(SPEAKING), {}),
    "gemini/gemini-2.5-pro": ("google", streamed(GENERATING), {}),
    "mistral/mistral-large-latest": ("mistral", streamed(CHUNKS), {}),
    "ollama_chat/m": (
        "ollama",
        lambda _request: httpx2.Response(
            200,
            headers={"content-type": "application/x-ndjson"},
            stream=Stream(
                json.dumps({**OLLAMA, "done": False}).encode() + b"\n\n" + json.dumps(OLLAMA).encode() + b"\n"
            ),
        ),
        {},
    ),
    "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0": ("bedrock", frames(CONVERSE_EVENTS), AWS),
    "bedrock/invoke/us.anthropic.claude-sonnet-4-5-20250929-v1:0": ("bedrock", frames(INVOKE_EVENTS), AWS),
}


@pytest.mark.parametrize("model", STREAMS)
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_a_stream_is_one_record(
    model: str,
    asynchronous: bool,  # noqa: FBT001 - a parameter of the test
    kept: Kept,
) -> None:
    provider, reply, more = STREAMS[model]
    server = HttpxServer([reply])
    asked = {"model": model, "stream": True, **SAY, **more}

    async def main() -> None:
        async for _ in await litellm.acompletion(client=async_client(server), **asked):
            pass

    if asynchronous:
        asyncio.run(main())
    else:
        list(litellm.completion(client=sync_client(server), **asked))
    record = kept.only
    assert (record.provider, record.streamed, record.flags) == (provider, True, ())
    assert record.usage.units == (BEDROCKS if provider == "bedrock" else UNITS)


def openai_client(server: Server, *, asynchronous: bool) -> Any:
    openai = pytest.importorskip("openai", reason="litellm's way to OpenAI")
    if asynchronous:
        return openai.AsyncOpenAI(api_key="k", http_client=server.async_client(), max_retries=0)
    return openai.OpenAI(api_key="k", http_client=server.client(), max_retries=0)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_what_goes_by_the_sdk_of_openai_is_counted_there_alone(asynchronous: bool, kept: Kept) -> None:  # noqa: FBT001 - a parameter
    whole, stream = Server([answer(CHAT)]), Server([streamed(CHUNKS)])
    asked = {"model": "openai/gpt-4o", **SAY}

    async def main() -> None:
        await litellm.acompletion(client=openai_client(whole, asynchronous=True), **asked)
        client = openai_client(stream, asynchronous=True)
        async for _ in await litellm.acompletion(client=client, stream=True, **asked):
            pass

    if asynchronous:
        asyncio.run(main())
    else:
        litellm.completion(client=openai_client(whole, asynchronous=False), **asked)
        list(litellm.completion(client=openai_client(stream, asynchronous=False), stream=True, **asked))
    assert [record.usage.units for record in kept.records] == [UNITS, UNITS]
    assert [record.streamed for record in kept.records] == [False, True]


def test_a_stream_left_early_is_one_partial_record(kept: Kept) -> None:
    server = HttpxServer([streamed(SPEAKING)])
    chunks = litellm.completion("anthropic/claude-sonnet-4-5", stream=True, client=sync_client(server), **SAY)
    next(chunks)
    chunks.close()
    del chunks
    gc.collect()
    assert "partial" in kept.only.flags
    assert kept.only.usage.units["input"] == 1000


def test_a_cancelled_stream_is_one_record(kept: Kept) -> None:
    server = HttpxServer([streamed(SPEAKING)])
    client = async_client(server)
    cancel_while_reading(
        lambda: litellm.acompletion("anthropic/claude-sonnet-4-5", stream=True, client=client, **SAY)
    )
    assert "partial" in kept.only.flags


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_a_refused_request_is_one_failed_record_and_litellms_own_error(
    asynchronous: bool,  # noqa: FBT001 - a parameter of the test
    kept: Kept,
) -> None:
    server = HttpxServer([answer({"error": {"type": "rate_limit_error", "message": "slow down"}}, 429)])
    asked = {"model": "anthropic/claude-sonnet-4-5", "num_retries": 0, **SAY}

    def ask() -> Any:
        if asynchronous:
            return asyncio.run(litellm.acompletion(client=async_client(server), **asked))
        return litellm.completion(client=sync_client(server), **asked)

    with pytest.raises(litellm.RateLimitError):
        ask()
    assert (kept.only.status, kept.only.cost) == ("error", None)


def test_an_answer_that_nobody_was_asked_for_is_no_call(kept: Kept) -> None:
    litellm.completion("anthropic/claude-sonnet-4-5", mock_response="hi", **SAY)
    assert not kept.records


def test_embeddings_are_counted_by_the_sdk_and_not_at_all_inside_a_measured_block(kept: Kept) -> None:
    said = {"object": "list", "model": "m", "data": [], "usage": {"prompt_tokens": 7, "total_tokens": 7}}
    client = openai_client(Server([answer(said)]), asynchronous=False)
    ask = {"model": "openai/text-embedding-3-small", "input": ["hi"], "api_key": "k"}
    litellm.embedding(client=client, **ask)
    assert (kept.only.api, kept.only.usage.units) == ("embeddings", {"input": 7})
    kept.entries.clear()
    with Measure(lambda: recorder_of(kept), provider="openai", api="embeddings") as call:
        call.response(litellm.embedding(client=client, **ask))
    assert kept.only.usage.units == {"input": 7}


def recorder_of(kept: Kept) -> Recorder:
    return Recorder(kept, clock=SystemClock(), price=cost_of)


def test_taken_out_again_nothing_is_counted(layers: Hooks, kept: Kept) -> None:
    layers.uninstrument()
    litellm.completion(
        "anthropic/claude-sonnet-4-5", client=sync_client(HttpxServer([answer(MESSAGE)])), **SAY
    )
    assert not kept.records


def test_prices_are_those_of_the_provider(kept: Kept) -> None:
    usage = {
        **MESSAGE["usage"],
        "cache_creation": {"ephemeral_1h_input_tokens": 200},
        "cache_creation_input_tokens": 200,
    }
    server = HttpxServer([answer({**MESSAGE, "model": "claude-sonnet-4-5-20250929", "usage": usage})])
    litellm.completion("anthropic/claude-sonnet-4-5", client=sync_client(server), **SAY)
    # 1000 x 3 + 200 x 6 (kept for an hour) + 100 x 15 dollars a million
    assert kept.only.cost == Decimal("0.0057")


def test_metadata_that_cannot_be_read_loses_no_call(kept: Kept) -> None:
    server = HttpxServer([answer(MESSAGE)])
    litellm.completion(
        "anthropic/claude-sonnet-4-5", **SAY, client=sync_client(server), metadata={"tags": [Odd("a")]}
    )
    assert kept.only.usage.units == UNITS
    failures.clear()


class Odd(str):
    """A label that cannot be compared, as of a data frame."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        raise ValueError("ambiguous")
