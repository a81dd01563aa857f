"""The other clients of each SDK: on Azure, Bedrock, Vertex, Foundry; and hosts that speak OpenAI's tongue."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials
from tests.support.bedrock_bodies import chunk as wrapped
from tests.support.wire import Kept, Server, Stream, answer, sse, streamed

pytestmark = [
    pytest.mark.usefixtures("hooks"),
    pytest.mark.filterwarnings("ignore:The model .* is deprecated:DeprecationWarning"),
]

USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
UNITS = {"input": 1000, "output": 100}
CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1763800000,
    "model": "gpt-4o-2024-08-06",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}],
    "usage": USAGE,
}
CHUNK = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-2024-08-06"}
FILTERED = {**CHUNK, "model": "", "choices": [], "prompt_filter_results": []}  # Azure's first chunk
WORD = {**CHUNK, "choices": [{"index": 0, "delta": {"content": "a"}}]}
CHUNKS = sse(FILTERED, WORD, {**CHUNK, "choices": [], "usage": USAGE}, done=True)
ASK: dict[str, Any] = {"model": "my-deployment", "messages": [{"role": "user", "content": "hi"}]}
AZURE: dict[str, Any] = {
    "api_key": "k",
    "api_version": "2024-10-21",
    "azure_endpoint": "https://one.openai.azure.com",
}


def test_azure_names_the_model_and_not_the_deployment_whole_and_streamed(kept: Kept) -> None:
    whole, stream = Server([answer(CHAT)]), Server([streamed(CHUNKS)])
    openai.AzureOpenAI(http_client=whole.client(), **AZURE).chat.completions.create(**ASK)
    api = openai.AzureOpenAI(http_client=stream.client(), **AZURE)
    list(api.chat.completions.create(stream=True, **ASK))

    async def main() -> None:
        for server in (Server([answer(CHAT)]), Server([streamed(CHUNKS)])):
            api = openai.AsyncAzureOpenAI(http_client=server.async_client(), **AZURE)
            made = await api.chat.completions.create(stream=len(kept.records) == 3, **ASK)
            if isinstance(made, openai.AsyncStream):
                async for _ in made:
                    pass

    asyncio.run(main())
    assert "/deployments/my-deployment/" in whole.requests[0].url.path
    assert stream.sent[0]["stream_options"] == {"include_usage": True}
    # 1000 x 2.50 + 100 x 10 dollars a million
    assert [record.cost for record in kept.records] == [Decimal("0.0035")] * 4
    assert {(record.provider, record.model, record.model_requested) for record in kept.records} == {
        ("azure", "gpt-4o-2024-08-06", "my-deployment")
    }


@pytest.mark.parametrize(
    ("host", "usage", "units"),
    [
        ("https://api.x.ai/v1", {"cost_in_usd_ticks": 700_000_000}, {"images": 2}),
        (
            "https://openrouter.ai/api/v1",
            {**USAGE, "cost": 0.07, "completion_tokens_details": {"image_tokens": 60}},
            {"input": 1000, "output": 40, "output_image": 60},
        ),
    ],
)
def test_images_of_hosts_that_count_otherwise_have_their_counts(
    kept: Kept, host: str, usage: dict[str, Any], units: dict[str, int]
) -> None:
    """The SDK's object has OpenAI's counts beside, each None: there were none, and a flag for a fault."""
    server = Server([answer({"created": 1, "data": [{"url": "u"}, {"url": "v"}], "usage": usage})])
    api = openai.OpenAI(api_key="k", base_url=host, http_client=server.client())
    api.images.generate(model="some-model", prompt="hi")
    api.images.with_raw_response.generate(model="some-model", prompt="hi")
    assert [record.usage.units for record in kept.records] == [units] * 2
    assert [(record.cost, record.usage.flags) for record in kept.records] == [(Decimal("0.07"), ())] * 2


HOSTS = {
    "https://api.deepseek.com": "deepseek",
    "https://openrouter.ai/api/v1": "openrouter",
    "https://api.fireworks.ai/inference/v1": "fireworks",
    "https://api.x.ai/v1": "xai",
    "https://generativelanguage.googleapis.com/v1beta/openai": "google",
    "https://router.huggingface.co/v1": "huggingface",
    "http://localhost:11434/v1": "ollama",
    "http://localhost:8000/v1": "vllm",
    "https://llm.example.org/v1": "llm.example.org",
}


@pytest.mark.parametrize("base", HOSTS)
def test_a_host_that_speaks_openais_tongue_is_the_provider(base: str, kept: Kept) -> None:
    api = openai.OpenAI(api_key="k", base_url=base, http_client=Server([answer(CHAT)]).client())
    api.chat.completions.create(**ASK)
    assert (kept.only.provider, kept.only.usage.units) == (HOSTS[base], UNITS)


def test_openai_on_bedrock_is_bedrock(kept: Kept) -> None:
    api = openai.BedrockOpenAI(
        api_key="k", aws_region="us-west-2", http_client=Server([answer(CHAT)]).client(), max_retries=0
    )
    api.chat.completions.create(**ASK)
    assert kept.only.provider == "bedrock"


MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [{"type": "text", "text": "hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1000, "output_tokens": 100},
}
EVENTS: list[dict[str, Any]] = [
    {
        "type": "message_start",
        "message": {**MESSAGE, "content": [], "usage": {"input_tokens": 1000, "output_tokens": 1}},
    },
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 100}},
    {"type": "message_stop"},
]
SAY: dict[str, Any] = {"max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]}


def binary(_request: httpx2.Request) -> httpx2.Response:
    """Answer as Bedrock streams: events wrapped in AWS's binary frames."""
    body = Stream(b"")
    body._parts = [wrapped(each) for each in EVENTS]
    return httpx2.Response(200, headers={"content-type": "application/vnd.amazon.eventstream"}, stream=body)


KEYS: dict[str, Any] = {"aws_access_key": "a", "aws_secret_key": "s"}
TOKEN: dict[str, Any] = {"access_token": "t"}
Maker = Callable[[Server], Any]
CLIENTS: dict[str, tuple[str, str, Maker]] = {
    "bedrock": (
        "bedrock",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        lambda server: anthropic.AnthropicBedrock(
            aws_region="us-east-1", http_client=server.client(), **KEYS
        ),
    ),
    "vertex": (
        "vertex",
        "claude-sonnet-4-5@20250929",
        lambda server: anthropic.AnthropicVertex(
            region="us-east5", project_id="p", http_client=server.client(), **TOKEN
        ),
    ),
    "foundry": (
        "azure",
        "claude-sonnet-4-5",
        lambda server: anthropic.AnthropicFoundry(resource="one", api_key="k", http_client=server.client()),
    ),
    "mantle": (
        "bedrock",
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        lambda server: anthropic.AnthropicBedrockMantle(
            aws_region="us-east-1", api_key="k", http_client=server.client()
        ),
    ),
}


@pytest.mark.parametrize("name", CLIENTS)
def test_claude_elsewhere_is_one_record_whole_and_streamed(name: str, kept: Kept) -> None:
    provider, model, make = CLIENTS[name]
    make(Server([answer(MESSAGE)])).messages.create(model=model, **SAY)
    events = binary if name == "bedrock" else streamed(sse(*EVENTS, named=True))
    list(make(Server([events])).messages.create(model=model, stream=True, **SAY))
    with make(Server([events])).messages.stream(model=model, **SAY) as stream:
        stream.get_final_message()
    assert [record.usage.units for record in kept.records] == [UNITS] * 3
    assert {(record.provider, record.model_requested) for record in kept.records} == {(provider, model)}
    assert {record.cost_status for record in kept.records} == {"priced"}


@pytest.mark.parametrize(
    ("make", "model", "terms", "cost"),
    [
        # 1000 x 3.3 + 100 x 16.5 a million in the region, 1000 x 3 + 100 x 15 by a global profile.
        ("mantle", "anthropic.claude-sonnet-4-6", ("mantle", "us-east-1"), "0.00495"),
        ("mantle", "global.anthropic.claude-sonnet-4-6", (None, None), "0.0045"),
        ("bedrock", "anthropic.claude-3-haiku-20240307-v1:0", (None, "us-east-1"), "0.000375"),
    ],
)
def test_bedrocks_host_says_where_a_model_without_a_profile_served(
    make: str, model: str, terms: tuple[str | None, str | None], cost: str, kept: Kept
) -> None:
    body = {**MESSAGE, "model": model, "usage": {"input_tokens": 1000, "output_tokens": 100}}
    CLIENTS[make][2](Server([answer(body)])).messages.create(model=model, **SAY)
    (record,) = kept.records
    assert (record.usage.term("endpoint"), record.usage.term("region")) == terms
    assert record.cost == Decimal(cost)


def test_openais_client_on_mantle_is_bedrock_in_its_region(kept: Kept) -> None:
    body = {**CHAT, "model": "openai.gpt-6-sol", "usage": {"prompt_tokens": 1000, "completion_tokens": 100}}
    server = Server([answer(body)])
    url = "https://bedrock-mantle.eu-north-1.api.aws/v1"
    client = openai.OpenAI(api_key="k", base_url=url, http_client=server.client(), max_retries=0)
    client.chat.completions.create(model="openai.gpt-6-sol", messages=[{"role": "user", "content": "hi"}])
    (record,) = kept.records
    # 1000 x 2.2 + 100 x 11 a million
    assert (record.provider, record.cost) == ("bedrock", Decimal("0.0033"))


def gemini(server: Server) -> genai.Client:
    http = types.HttpOptions(httpx_client=server.client(), httpx_async_client=server.async_client())
    return genai.Client(
        vertexai=True,
        project="p",
        location="us-central1",
        credentials=Credentials("t"),  # type: ignore[no-untyped-call]  # untyped
        http_options=http,
    )


def test_gemini_on_vertex_is_vertex_with_its_region(kept: Kept) -> None:
    body = {
        "candidates": [{"content": {"role": "model", "parts": [{"text": "hi"}]}, "finishReason": "STOP"}],
        "usageMetadata": {
            "promptTokenCount": 1000,
            "candidatesTokenCount": 100,
            "totalTokenCount": 1100,
            "trafficType": "ON_DEMAND",
        },
        "modelVersion": "gemini-2.5-pro",
    }
    ask: dict[str, Any] = {"model": "gemini-2.5-pro", "contents": "hi"}
    gemini(Server([answer(body)])).models.generate_content(**ask)
    list(gemini(Server([streamed(sse(body))])).models.generate_content_stream(**ask))

    async def main() -> None:
        await gemini(Server([answer(body)])).aio.models.generate_content(**ask)
        api = gemini(Server([streamed(sse(body))])).aio
        async for _ in await api.models.generate_content_stream(**ask):
            pass

    asyncio.run(main())
    # 1000 x 1.25 + 100 x 10 dollars a million
    assert [record.cost for record in kept.records] == [Decimal("0.00225")] * 4
    assert {(record.provider, record.usage.term("region")) for record in kept.records} == {
        ("vertex", "us-central1")
    }


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (
            "gemini-embedding-001",  # asked by :predict
            {"predictions": [{"embeddings": {"values": [0.1], "statistics": {"token_count": 1000}}}]},
        ),
        (
            "gemini-embedding-2",  # asked by :embedContent
            {"embedding": {"values": [0.1]}, "usageMetadata": {"promptTokenCount": 1000}},
        ),
    ],
)
def test_embeddings_on_vertex_are_calls_whichever_way_its_model_is_asked(
    model: str, body: dict[str, Any], kept: Kept
) -> None:
    gemini(Server([answer(body)])).models.embed_content(model=model, contents="hi")

    async def main() -> None:
        await gemini(Server([answer(body)])).aio.models.embed_content(model=model, contents="hi")

    asyncio.run(main())
    assert [record.usage.units for record in kept.records] == [{"input": 1000}] * 2
    assert {(record.provider, record.api, record.model) for record in kept.records} == {
        ("vertex", "embeddings", model)
    }


def test_an_embedding_on_vertex_pays_for_the_characters_that_its_answer_bills(kept: Kept) -> None:
    rows = [{"embeddings": {"values": [0.1], "statistics": {"token_count": 10}}}]
    body = {"predictions": rows, "metadata": {"billableCharacterCount": 65}}
    gemini(Server([answer(body)])).models.embed_content(model="text-embedding-005", contents="hi")
    assert [record.usage.units for record in kept.records] == [{"input": 10, "characters": 65}]
    assert [record.cost for record in kept.records] == [Decimal("0.000001625")]
