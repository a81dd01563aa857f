"""Whom a call is for, as frameworks carry it along: filled in where the program itself says nothing."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest
from tests.support.stub import Stub, stub
from tests.support.wire import Kept

from outlay.capture import carrying, context
from outlay.capture.contexts import NOBODY, attribution
from outlay.core.record import Record
from outlay.instrumentation import FRAMEWORKS, Hooks

pytestmark = [
    pytest.mark.usefixtures("collected"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # the frameworks' own
    pytest.mark.filterwarnings("ignore::UserWarning:pydantic"),  # of litellm's types
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # run_sync leaves the clients' connections open
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # likewise
]
ASK = "outlay:ok:1000:100:x where is it?"
TOOL = "outlay:tool:1000:100:x where is it?"
Said = dict[str, str]


@pytest.fixture
def server(hooks: Hooks) -> Iterator[Stub]:
    """Hook frameworks as they are imported; whatever one says goes with the call that it said it of."""
    hooks.watch()
    with stub() as running:
        yield running
    assert attribution.get() is NOBODY


def need(*modules: str) -> Any:
    """Import what a test needs, the first of them; or say what is missing."""
    found = [pytest.importorskip(each, reason=f"{each} is not installed here") for each in modules]
    return found[0]


def openai_url(server: Stub) -> dict[str, Any]:
    return {"base_url": f"{server.url('openai')}/v1", "api_key": "k"}


def whom(record: Record) -> Said:
    """Give what is said of whom a record is for."""
    fields = {name: getattr(record, name) for name in ("user", "session", "query_type", "agent")}
    return {**{name: value for name, value in fields.items() if value}, **record.tags}


async def read(chunks: Any) -> None:
    async for _ in chunks:
        pass


RUN = {
    "run_name": "answers",
    "tags": ["beta", "team:search", "of two words"],
    "metadata": {
        "user_id": "u1",
        "session_id": "s1",
        "tenant": "acme",
        "note": "of some words",
        "prompt": "hi",
    },
}
SAID = {
    "query_type": "answers",
    "user": "u1",
    "session": "s1",
    "tenant": "acme",
    "beta": "true",
    "team": "search",
}


def chat(server: Stub) -> Any:
    return need("langchain_openai").ChatOpenAI(model="gpt-4o", **openai_url(server))


def chain(server: Stub) -> Any:
    return need("langchain_core.runnables").RunnableLambda(lambda text: text) | chat(server)


def step(server: Stub) -> Any:
    """Make a step of a chain that asks by the SDK itself."""

    def ask(text: str) -> str:
        return asked(server, text)

    return need("langchain_core.runnables").RunnableLambda(ask)


def asked(server: Stub, text: str) -> str:
    """Ask by the SDK itself."""
    with need("openai").OpenAI(**openai_url(server)) as api:
        made = api.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": text}])
    return str(made.choices[0].message.content)


LITELLM: dict[str, Any] = {
    "messages": [{"role": "user", "content": ASK}],
    "api_key": "k",
    "user": "u1",
    "metadata": {
        "session_id": "s1",
        "trace_name": "answers",
        "tags": ["beta", "team:search"],
        "tenant": "acme",
    },
}


def litellm(server: Stub, model: str) -> dict[str, Any]:
    need("litellm")
    base = server.url("anthropic") if model.startswith("anthropic") else openai_url(server)["base_url"]
    return {"model": model, "api_base": base, **LITELLM}


def dspy_program(server: Stub) -> tuple[Any, Any]:
    """Give a program of one module, and what has it ask the stub."""
    dspy = need("dspy")
    fields = {"question": (str, dspy.InputField()), "city": (str, dspy.OutputField())}
    find = dspy.Predict(dspy.make_signature(fields, "Find a city.", "Find"))
    answers = type("Answers", (dspy.Module,), {"forward": lambda _self, question: find(question=question)})
    base = openai_url(server)["base_url"]
    lm = dspy.LM("openai/gpt-4o", api_base=base, api_key="k", cache=False, num_retries=0)
    return answers(), dspy.context(lm=lm, adapter=dspy.JSONAdapter())


def dspy_module(server: Stub) -> None:
    answers, settings = dspy_program(server)
    with settings:
        answers(question=ASK)


def runner(server: Stub) -> tuple[Any, Any, Any]:
    agents = need("agents")
    agents.set_tracing_disabled(disabled=True)
    client = need("openai").AsyncOpenAI(**openai_url(server))
    model = agents.OpenAIResponsesModel(model="gpt-4o", openai_client=client)
    facts = {"user_id": "u1", "tenant": "acme"}
    config = agents.RunConfig(workflow_name="answers", group_id="s1", trace_metadata=facts)
    return agents, agents.Agent(name="finder", model=model), config


async def agents_stream(server: Stub) -> None:
    agents, agent, config = runner(server)
    await read(agents.Runner.run_streamed(agent, ASK, run_config=config).stream_events())


def agents_run(server: Stub) -> None:
    agents, agent, config = runner(server)
    agents.Runner.run_sync(agent, ASK, run_config=config)


def pydantic_agent(server: Stub) -> Any:
    ai = need("pydantic_ai", "openai")
    provider = need("pydantic_ai.providers.openai").OpenAIProvider(**openai_url(server))
    return ai.Agent(
        need("pydantic_ai.models.openai").OpenAIChatModel("gpt-4o", provider=provider), name="finder"
    )


PYDANTIC: dict[str, Any] = {"metadata": {"user_id": "u1", "tenant": "acme"}, "conversation_id": "s1"}


async def pydantic_stream(server: Stub) -> None:
    async with pydantic_agent(server).run_stream(ASK, **PYDANTIC) as result:
        await read(result.stream_text())


def llama(server: Stub) -> Any:
    """Make a model of llama-index's that asks by the SDK itself, as its packages of models do."""
    llms = need("llama_index.core.llms", "openai")

    def complete(_self: Any, prompt: str, **_: Any) -> Any:
        return llms.CompletionResponse(text=asked(server, prompt))

    def stream_complete(_self: Any, prompt: str, **_: Any) -> Any:
        yield llms.CompletionResponse(text=asked(server, prompt))

    named = property(lambda _self: llms.LLMMetadata(model_name="gpt-4o"))
    acts = {"metadata": named, "complete": complete, "stream_complete": stream_complete}
    return type("Asking", (llms.CustomLLM,), {"__module__": __name__, **acts})()


def llama_openai(server: Stub) -> Any:
    made = need("llama_index.llms.openai").OpenAI
    return made(model="gpt-4o", api_base=openai_url(server)["base_url"], api_key="k")


TAGS = {"user_id": "u1", "session_id": "s1", "feature": "answers", "tenant": "acme", "note": "of some words"}


def tagged(ask: Callable[[], object]) -> None:
    """Ask inside of llama-index's own block of tags."""
    with need("llama_index.core.instrumentation.dispatcher").instrument_tags(TAGS):
        ask()


def llama_engine(server: Stub) -> None:
    engine = need("llama_index.core.chat_engine").SimpleChatEngine.from_defaults(llm=llama(server))
    tagged(lambda: engine.chat(ASK))


def llama_flow(server: Stub) -> Any:
    """Make a workflow that asks in a step, which is a task of its own."""
    flows, model = need("llama_index.core.workflow"), llama(server)

    async def ask(self: Any, ev: Any) -> Any:
        return flows.StopEvent(result=str(await model.acomplete(ASK)))

    ask.__annotations__ = {"ev": flows.StartEvent, "return": flows.StopEvent}
    ask.__qualname__ = "Answers.ask"  # a step of the class, and no function by itself
    return type("Answers", (flows.Workflow,), {"ask": flows.step(ask)})()


async def llama_workflow(server: Stub) -> None:
    flow = llama_flow(server)
    with need("llama_index.core.instrumentation.dispatcher").instrument_tags(TAGS):
        await flow.run()


LABELLED = {"beta": "true", "team": "search", "tenant": "acme"}
OF_LITELLM = {"user": "u1", "session": "s1", "query_type": "answers", **LABELLED}
OF_AGENTS = {"user": "u1", "session": "s1", "query_type": "answers", "agent": "finder", "tenant": "acme"}
OF_PYDANTIC = {"user": "u1", "session": "s1", "agent": "finder", "tenant": "acme"}
OF_LLAMA = {"user": "u1", "session": "s1", "query_type": "answers", "tenant": "acme"}
OF_DSPY = {"query_type": "Answers", "signature": "Find"}
USES: dict[str, tuple[Callable[[Stub], object], Said]] = {
    "langchain model": (lambda s: chat(s).invoke(ASK, config=RUN), SAID),
    "langchain chain": (lambda s: chain(s).invoke(ASK, config=RUN), SAID),
    "langchain stream": (lambda s: list(chain(s).stream(ASK, config=RUN)), SAID),
    "langchain ainvoke": (lambda s: asyncio.run(chain(s).ainvoke(ASK, config=RUN)), SAID),
    "langchain astream": (lambda s: asyncio.run(read(chain(s).astream(ASK, config=RUN))), SAID),
    "langchain batch": (lambda s: chain(s).batch([ASK], config=RUN), SAID),
    "the SDK in a step of langchain": (lambda s: step(s).invoke(ASK, config=RUN), SAID),
    "litellm by openai": (lambda s: need("litellm").completion(**litellm(s, "openai/gpt-4o")), OF_LITELLM),
    "litellm by openai, async": (
        lambda s: asyncio.run(need("litellm").acompletion(**litellm(s, "openai/gpt-4o"))),
        OF_LITELLM,
    ),
    "litellm": (
        lambda s: need("litellm").completion(**litellm(s, "anthropic/claude-sonnet-4-5")),
        OF_LITELLM,
    ),
    "litellm, async stream": (
        lambda s: asyncio.run(litellm_stream(**litellm(s, "anthropic/claude-sonnet-4-5"))),
        OF_LITELLM,
    ),
    "dspy": (dspy_module, OF_DSPY),
    "openai-agents": (agents_run, OF_AGENTS),
    "openai-agents stream": (lambda s: asyncio.run(agents_stream(s)), OF_AGENTS),
    "pydantic-ai": (lambda s: pydantic_agent(s).run_sync(ASK, **PYDANTIC), OF_PYDANTIC),
    "pydantic-ai stream": (lambda s: asyncio.run(pydantic_stream(s)), OF_PYDANTIC),
    "llama-index": (lambda s: tagged(lambda: llama(s).complete(ASK)), OF_LLAMA),
    "llama-index stream": (lambda s: tagged(lambda: list(llama(s).stream_complete(ASK))), OF_LLAMA),
    "llama-index async": (lambda s: tagged(lambda: asyncio.run(llama(s).acomplete(ASK))), OF_LLAMA),
    "llama-index engine": (llama_engine, OF_LLAMA),
    "llama-index workflow": (lambda s: asyncio.run(llama_workflow(s)), OF_LLAMA),
    "llama-index openai": (lambda s: tagged(lambda: llama_openai(s).complete(ASK)), OF_LLAMA),
    "llama-index openai stream": (
        lambda s: tagged(lambda: list(llama_openai(s).stream_complete(ASK))),
        OF_LLAMA,
    ),
    "llama-index openai async": (
        lambda s: tagged(lambda: asyncio.run(llama_openai(s).achat([llama_message()]))),
        OF_LLAMA,
    ),
}


def llama_message() -> Any:
    return need("llama_index.core.llms").ChatMessage(content=ASK)


async def litellm_stream(**asked: Any) -> None:
    await read(await need("litellm").acompletion(stream=True, **asked))


@pytest.mark.parametrize("use", USES)
def test_what_a_framework_says_of_a_call_stands_on_its_record(use: str, server: Stub, kept: Kept) -> None:
    act, said = USES[use]
    act(server)
    assert whom(kept.only) == said


@pytest.mark.parametrize(
    "use", ["langchain chain", "litellm by openai", "openai-agents", "pydantic-ai", "llama-index"]
)
def test_what_the_program_says_wins(use: str, server: Stub, kept: Kept) -> None:
    act, said = USES[use]
    with context(user="mine", tenant="own", more="x"):
        act(server)
    assert whom(kept.only) == {**said, "user": "mine", "tenant": "own", "more": "x"}


@pytest.mark.parametrize("how", ["Parallel", "batch"])
@pytest.mark.parametrize("threads", [1, 2])
def test_what_dspys_threads_ask_is_for_whom_the_program_says(
    how: str, threads: int, server: Stub, kept: Kept
) -> None:
    """A thread of an executor begins with no context: such calls were for nobody."""
    answers, settings = dspy_program(server)
    dspy = need("dspy")
    examples = [dspy.Example(question=f"{ASK} {n}").with_inputs("question") for n in range(3)]
    with settings, context(user="u1", team="search"):
        if how == "batch":
            answers.batch(examples, num_threads=threads, disable_progress_bar=True)
        else:
            pairs = [(answers, each) for each in examples]
            dspy.Parallel(num_threads=threads, disable_progress_bar=True)(pairs)
    assert [whom(each) for each in kept.records] == [{**OF_DSPY, "user": "u1", "team": "search"}] * 3


def test_what_litellms_batch_asks_is_for_whom_its_arguments_say(server: Stub, kept: Kept) -> None:
    """Its threads have no context; a pool of one's own has."""
    litellm_ = need("litellm", "openai")
    asked = litellm(server, "openai/gpt-4o")
    messages = asked.pop("messages")
    with context(desk="d1"):
        litellm_.batch_completion(messages=[messages] * 2, **asked)
        with carrying(ThreadPoolExecutor()) as pool:
            wait([pool.submit(litellm_.completion, messages=messages, **asked) for _ in range(2)])
    assert [whom(each) for each in kept.records] == [OF_LITELLM] * 2 + [{**OF_LITELLM, "desk": "d1"}] * 2


def test_langgraphs_thread_is_the_session_of_what_its_nodes_ask(server: Stub, kept: Kept) -> None:
    """As LangGraph hands it on: in the configuration, beside what it writes there for itself."""
    facts = {
        "langgraph_node": "ask",
        "langgraph_step": 3,
        "langgraph_path": "x",
        "ls_integration": "langgraph",
    }
    config = {"configurable": {"thread_id": "t1", "checkpoint_id": "c", "__own": "x"}, "metadata": facts}
    step(server).invoke(ASK, config=config)
    assert whom(kept.only) == {"session": "t1", "query_type": "ask", "langgraph_node": "ask"}


@pytest.mark.parametrize("how", ["langgraph", "langgraph async", "langgraph stream"])
def test_a_real_graphs_thread_is_the_session_of_each_of_its_nodes_calls(
    how: str, server: Stub, kept: Kept
) -> None:
    """Two nodes, one asking by LangChain's model and one by the SDK itself: a record of each."""
    graphs = need("langgraph.graph", "langchain_openai")
    graph = graphs.StateGraph(dict)
    graph.add_node("model", lambda state: {"text": state["text"], "said": chat(server).invoke(ASK).content})
    graph.add_node("sdk", lambda state: {"text": state["text"], "said": step(server).invoke(ASK)})
    graph.add_edge(graphs.START, "model")
    graph.add_edge("model", "sdk")
    graph.add_edge("sdk", graphs.END)
    asked = graph.compile()
    config: Any = {"configurable": {"thread_id": "t1"}, "metadata": {"user_id": "u1", "feature": "answers"}}
    if how == "langgraph":
        asked.invoke({"text": ASK}, config)
    elif how == "langgraph async":
        asyncio.run(asked.ainvoke({"text": ASK}, config))
    else:
        list(asked.stream({"text": ASK}, config))
    said = {"user": "u1", "session": "t1", "query_type": "answers"}
    assert [whom(each) for each in kept.records] == [
        {**said, "langgraph_node": "model"},
        {**said, "langgraph_node": "sdk"},
    ]
    assert [each.usage.units for each in kept.records] == [{"input": 1000, "output": 100}] * 2


def test_a_run_further_in_has_the_name_of_the_outermost(server: Stub, kept: Kept) -> None:
    inner = chain(server).with_config(run_name="inner")
    outer = need("langchain_core.runnables").RunnableLambda(inner.invoke).with_config(run_name="outer")
    outer.invoke(ASK)
    chain(server).invoke(ASK)  # whose outermost run has the name of a class, which is nobody's
    assert [record.query_type for record in kept.records] == ["outer", None]


def test_after_a_handoff_a_turn_is_the_other_agents(server: Stub, kept: Kept) -> None:
    agents, other, config = runner(server)
    model = agents.OpenAIChatCompletionsModel("gpt-4o", other.model._client)
    first = agents.Agent(name="clerk", model=model, handoffs=[agents.Agent(name="finder", model=model)])
    agents.Runner.run_sync(first, TOOL, run_config=config)
    assert [record.agent for record in kept.records] == ["clerk", "finder"]


def test_a_trace_around_several_runs_names_them(server: Stub, kept: Kept) -> None:
    agents, agent, _ = runner(server)
    agents.set_tracing_disabled(disabled=False)
    agents.set_trace_processors([])
    with agents.trace("answers", group_id="s1", metadata={"tenant": "acme"}):
        agents.Runner.run_sync(agent, ASK)
    agents.set_tracing_disabled(disabled=True)
    assert whom(kept.only) == {"query_type": "answers", "session": "s1", "agent": "finder", "tenant": "acme"}


def test_taken_out_again_nothing_is_said(hooks: Hooks, server: Stub, kept: Kept) -> None:
    hooks.uninstrument(*FRAMEWORKS)
    for use in ("langchain chain", "openai-agents", "pydantic-ai stream", "llama-index"):
        USES[use][0](server)
    assert [whom(record) for record in kept.records] == [{}] * 4


def test_llama_indexs_tags_end_with_their_block_and_lie_under_what_another_framework_says(
    server: Stub, kept: Kept
) -> None:
    tagged(lambda: chat(server).invoke(ASK, config={"metadata": {"user_id": "theirs"}}))
    llama(server).complete(ASK)
    assert [whom(record) for record in kept.records] == [{**OF_LLAMA, "user": "theirs"}, {}]


def test_a_workflow_of_llama_index_is_for_the_tags_where_it_starts_however_late_it_is_awaited(
    server: Stub, kept: Kept
) -> None:
    """Up to llama-index 0.11.9 it starts where it is awaited: its own events bear no tags there either."""
    running: list[Any] = []

    async def main() -> None:
        flow = llama_flow(server)
        tagged(lambda: running.append(flow.run()))
        await running[0]

    asyncio.run(main())
    starts_late = asyncio.iscoroutine(running[0])
    assert whom(kept.only) == ({} if starts_late else OF_LLAMA)
