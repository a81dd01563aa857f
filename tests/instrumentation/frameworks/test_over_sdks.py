"""Frameworks that call through an SDK that is hooked: they need nothing, and each request is one record."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import BaseModel
from tests.support.stub import Stub, stub
from tests.support.wire import Kept

from outlay.capture import context

pytestmark = [
    pytest.mark.usefixtures("collected", "layers"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # the frameworks' own
    pytest.mark.filterwarnings("ignore::UserWarning:pydantic"),  # of litellm's types
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # run_sync leaves the clients' connections open
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # likewise
]
UNITS = {"input": 1000, "output": 100}
ASK = "outlay:ok:1000:100:x where is it?"
TOOL = "outlay:tool:1000:100:x where is it?"
Use = Callable[[Stub], object]


class City(BaseModel):
    """What structured answers are made into."""

    city: str


@pytest.fixture
def server() -> Iterator[Stub]:
    with stub() as running:
        yield running


def need(*modules: str) -> Any:
    """Import what a test needs, the first of them; or say what is missing."""
    found = [pytest.importorskip(each, reason=f"{each} is not installed here") for each in modules]
    return found[0]


def openai_url(server: Stub) -> dict[str, Any]:
    return {"base_url": f"{server.url('openai')}/v1", "api_key": "k"}


def anthropic_url(server: Stub) -> dict[str, Any]:
    return {"base_url": server.url("anthropic"), "api_key": "k"}


async def read(chunks: Any) -> None:
    async for _ in chunks:
        pass


def langchain_openai(server: Stub) -> Any:
    return need("langchain_openai").ChatOpenAI(model="gpt-4o", **openai_url(server))


def langchain_anthropic(server: Stub) -> Any:
    return need("langchain_anthropic").ChatAnthropic(model="claude-sonnet-4-5", **anthropic_url(server))


def llama_openai(server: Stub) -> Any:
    url = f"{server.url('openai')}/v1"
    return need("llama_index.llms.openai").OpenAI(model="gpt-4o", api_base=url, api_key="k")


def pydantic_openai(server: Stub) -> Any:
    ai = need("pydantic_ai", "openai")
    provider = need("pydantic_ai.providers.openai").OpenAIProvider(**openai_url(server))
    return ai.Agent(need("pydantic_ai.models.openai").OpenAIChatModel("gpt-4o", provider=provider))


def pydantic_anthropic(server: Stub) -> Any:
    ai = need("pydantic_ai", "anthropic")
    client = need("anthropic").AsyncAnthropic(**anthropic_url(server))
    provider = need("pydantic_ai.providers.anthropic").AnthropicProvider(anthropic_client=client)
    return ai.Agent(
        need("pydantic_ai.models.anthropic").AnthropicModel("claude-sonnet-4-5", provider=provider)
    )


async def pydantic_stream(agent: Any) -> None:
    async with agent.run_stream(ASK) as result:
        await read(result.stream_text())


def pydantic_tools(server: Stub) -> None:
    agent = pydantic_openai(server)

    def find(city: str) -> str:
        return f"{city} it is"

    agent.tool_plain(find)
    agent.run_sync(TOOL)


def agents_model(server: Stub, kind: str) -> Any:
    agents = need("agents")
    agents.set_tracing_disabled(disabled=True)
    client = need("openai").AsyncOpenAI(**openai_url(server))
    return getattr(agents, kind)(model="gpt-4o", openai_client=client)


def agents_tools(server: Stub, kind: str) -> None:
    agents = need("agents")

    def find(city: str) -> str:
        """Find a city."""
        return f"{city} it is"

    model = agents_model(server, kind)
    agent = agents.Agent(name="finder", model=model, tools=[agents.function_tool(find)])
    agents.Runner.run_sync(agent, TOOL)


async def agents_stream(server: Stub) -> None:
    agents = need("agents")
    agent = agents.Agent(name="finder", model=agents_model(server, "OpenAIResponsesModel"))
    await read(agents.Runner.run_streamed(agent, ASK).stream_events())


def dspy_lm(model: str, url: str) -> Any:
    return need("dspy").LM(model, api_base=url, api_key="k", cache=False, num_retries=0)


def dspy_program(server: Stub) -> None:
    dspy = need("dspy")
    lm = dspy_lm("openai/gpt-4o", f"{server.url('openai')}/v1")
    with dspy.context(lm=lm, adapter=dspy.JSONAdapter()):
        dspy.Predict("question -> city")(question=ASK)


def instructor_openai(server: Stub) -> Any:
    return need("instructor").from_openai(need("openai").OpenAI(**openai_url(server)))


def instructor_ask(server: Stub) -> None:
    made = instructor_openai(server).chat.completions.create(
        model="gpt-4o", response_model=City, messages=[{"role": "user", "content": TOOL}]
    )
    assert made.city == "Oslo"


# what is done -> how, on whose bill, and how many requests that is
USES: dict[str, tuple[Use, str, int]] = {
    "langchain-openai invoke": (lambda s: langchain_openai(s).invoke(ASK), "openai", 1),
    "langchain-openai stream": (lambda s: list(langchain_openai(s).stream(ASK)), "openai", 1),
    "langchain-openai ainvoke": (lambda s: asyncio.run(langchain_openai(s).ainvoke(ASK)), "openai", 1),
    "langchain-openai astream": (lambda s: asyncio.run(read(langchain_openai(s).astream(ASK))), "openai", 1),
    "langchain-openai batch": (lambda s: langchain_openai(s).batch([ASK] * 3), "openai", 3),
    "langchain-openai structured": (
        lambda s: langchain_openai(s).with_structured_output(City).invoke(ASK),
        "openai",
        1,
    ),
    "langchain-anthropic invoke": (lambda s: langchain_anthropic(s).invoke(ASK), "anthropic", 1),
    "langchain-anthropic stream": (lambda s: list(langchain_anthropic(s).stream(ASK)), "anthropic", 1),
    "langchain-anthropic astream": (
        lambda s: asyncio.run(read(langchain_anthropic(s).astream(ASK))),
        "anthropic",
        1,
    ),
    "llama-index-openai complete": (lambda s: llama_openai(s).complete(ASK), "openai", 1),
    "llama-index-openai stream": (lambda s: list(llama_openai(s).stream_complete(ASK)), "openai", 1),
    "llama-index-openai acomplete": (lambda s: asyncio.run(llama_openai(s).acomplete(ASK)), "openai", 1),
    "pydantic-ai openai": (lambda s: pydantic_openai(s).run_sync(ASK), "openai", 1),
    "pydantic-ai openai stream": (lambda s: asyncio.run(pydantic_stream(pydantic_openai(s))), "openai", 1),
    "pydantic-ai openai tools": (pydantic_tools, "openai", 2),
    "pydantic-ai anthropic": (lambda s: pydantic_anthropic(s).run_sync(ASK), "anthropic", 1),
    "openai-agents chat tools": (lambda s: agents_tools(s, "OpenAIChatCompletionsModel"), "openai", 2),
    "openai-agents responses tools": (lambda s: agents_tools(s, "OpenAIResponsesModel"), "openai", 2),
    "openai-agents stream": (lambda s: asyncio.run(agents_stream(s)), "openai", 1),
    "dspy openai": (dspy_program, "openai", 1),
    "dspy anthropic": (
        lambda s: dspy_lm("anthropic/claude-sonnet-4-5", s.url("anthropic"))(ASK),
        "anthropic",
        1,
    ),
    "instructor": (instructor_ask, "openai", 1),
}


@pytest.mark.parametrize("use", USES)
def test_each_request_is_one_record(use: str, server: Stub, kept: Kept) -> None:
    act, label, requests = USES[use]
    with context(user="u1"):
        act(server)
    assert server.bill.of(label)["billed"] == requests
    assert [record.usage.units for record in kept.records] == [UNITS] * requests
    assert {(record.provider, record.user, record.status) for record in kept.records} == {
        (label, "u1", "success")
    }
