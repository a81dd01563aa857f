"""Two emitters tell of one call, and nothing ties their spans: LangChain asked asynchronously, above all."""

import json
import random
from typing import Any

import pytest
from tests.support.wire import Kept

import outlay
from outlay.otel.twins import MAX_TOLD, Told, Twins

MS = 1_000_000
START = 1_793_534_400_000_000_000  # 2026-11-01 12:00 UTC
CLIENT, CHAIN = "com.anthropic.sdk.python", "openinference.instrumentation.langchain"
COUNTED: dict[str, Any] = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100}
SDK: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-sonnet-4-5",
    "gen_ai.response.model": "claude-sonnet-4-5-20250929",
}
LANGCHAIN: dict[str, Any] = {
    "openinference.span.kind": "LLM",
    "llm.provider": "anthropic",
    "llm.model_name": "claude-sonnet-4-5",
}
BOTH: dict[str, Any] = {"llm.token_count.prompt": 1000, "llm.token_count.completion": 100}


def result(own: str, **metadata: str) -> dict[str, str]:
    """Give what LangChain's span says of an answer."""
    message = {"lc": 1, "type": "constructor", "kwargs": {"id": own, "response_metadata": metadata}}
    return {"output.value": json.dumps({"generations": [[{"text": "hi", "message": message}]]})}


def emit(provider: Any, scope: str, said: dict[str, Any], start: int, end: int, parent: Any = None) -> None:
    """Make one span from one millisecond to another."""
    span = provider.get_tracer(scope).start_span(
        "chat", context=parent, attributes=said, start_time=START + start * MS
    )
    span.end(end_time=START + end * MS)


@pytest.mark.parametrize(
    "said",
    [
        BOTH | result("lc_run--01a2-0", id="msg_01abfe"),
        result("msg_01abfe"),
        BOTH | {"llm.token_count.prompt": 0} | result("lc_run--01a2"),  # a stream of Anthropic's
        BOTH | result("lc_run--01a2", model_name="claude-sonnet-4-5"),  # a stream of OpenAI's tells no id
        BOTH | {"output.value": "__REDACTED__"},
    ],
    ids=["id", "own id", "one side", "no id", "hidden"],
)
@pytest.mark.parametrize("order", [1, -1], ids=["client first", "chain first"])
def test_a_call_of_which_two_tell_without_a_tie_is_one(
    provider: Any, kept: Kept, said: dict[str, Any], order: int
) -> None:
    spans = [
        (CLIENT, SDK | COUNTED | {"gen_ai.response.id": "msg_01abfe"}, 20, 780),
        (CHAIN, LANGCHAIN | said, 0, 800),
    ]
    for scope, attributes, start, end in spans[::order]:
        emit(provider, scope, attributes, start, end)
    assert len(kept.records) == 1


def test_calls_that_say_the_same_side_by_side_are_as_many_as_they_are(provider: Any, kept: Kept) -> None:
    """Three of LangChain's over the client's, and two of the client's alone."""
    for begun in (0, 5, 10):
        emit(provider, CLIENT, SDK | COUNTED, begun + 2, begun + 700)
        emit(provider, CHAIN, LANGCHAIN | BOTH, begun, begun + 720)
    for begun in (4, 9):
        emit(provider, CLIENT, SDK | COUNTED, begun, 500)
    assert len(kept.records) == 5


def test_a_call_that_nobody_counted_is_one_beside_langchains(provider: Any, kept: Kept) -> None:
    emit(provider, CLIENT, SDK, 20, 780)
    emit(provider, CHAIN, LANGCHAIN, 0, 800)
    assert len(kept.records) == 1
    emit(provider, "somebody", LANGCHAIN, 0, 800)  # that nothing was counted ties nobody else's
    emit(provider, CLIENT, SDK, 20, 780)
    assert len(kept.records) == 3


@pytest.mark.parametrize("order", [1, -1], ids=["client first", "chain first"])
def test_a_call_that_a_coarse_clock_gives_one_time_is_one(provider: Any, kept: Kept, order: int) -> None:
    for scope, said in [(CLIENT, SDK), (CHAIN, LANGCHAIN)][::order]:
        emit(provider, scope, said, 0, 800)
    assert len(kept.records) == 1


def test_a_call_is_repeated_once_and_what_says_the_same_again_is_another(provider: Any, kept: Kept) -> None:
    """Two of LangChain's at once, of which the client of one alone makes spans."""
    emit(provider, CLIENT, SDK | COUNTED, 20, 780)
    for end in (800, 810):
        emit(provider, CHAIN, LANGCHAIN | BOTH, 0, end)
    assert len(kept.records) == 2


@pytest.mark.parametrize(
    "other",
    [
        BOTH | {"llm.token_count.prompt": 1001},
        BOTH | {"llm.model_name": "claude-haiku-4-5"},
        BOTH | {"llm.provider": "openai"},
    ],
    ids=["counts", "model", "provider"],
)
def test_what_differs_is_another_call(provider: Any, kept: Kept, other: dict[str, Any]) -> None:
    emit(provider, CLIENT, SDK | COUNTED, 20, 780)
    emit(provider, CHAIN, LANGCHAIN | other, 0, 800)
    assert len(kept.records) == 2


@pytest.mark.parametrize(("start", "end"), [(0, 700), (30, 800)])
def test_what_lasted_at_another_time_is_another_call(provider: Any, kept: Kept, start: int, end: int) -> None:
    emit(provider, CLIENT, SDK | COUNTED, 20, 780)
    emit(provider, CHAIN, LANGCHAIN | BOTH, start, end)
    assert len(kept.records) == 2


def test_answers_of_other_ids_are_a_call_each(provider: Any, kept: Kept) -> None:
    """One question asked twice at once, by two libraries: the counts are the same."""
    emit(provider, CLIENT, SDK | COUNTED | {"gen_ai.response.id": "msg_01abfe"}, 0, 800)
    emit(provider, "somebody", SDK | COUNTED | {"gen_ai.response.id": "msg_02cd"}, 20, 780)
    assert len(kept.records) == 2


def test_a_span_that_ended_before_is_another_call_than_the_one_a_hook_saw(provider: Any, kept: Kept) -> None:
    """Both within a request that goes on."""
    with provider.get_tracer("web").start_as_current_span("GET /"):
        with provider.get_tracer("somebody").start_as_current_span("chat", attributes=SDK | COUNTED):
            pass
        outlay.record(model="claude-sonnet-4-5", provider="anthropic", input_tokens=7, output_tokens=3)
    assert [each.usage.units["input"] for each in kept.records] == [7, 1000]


def test_a_span_that_ended_before_is_another_call_than_one_that_began_then(provider: Any, kept: Kept) -> None:
    """Spans that were never current, of three emitters, within a trace that goes on."""
    with provider.get_tracer("web").start_as_current_span("GET /"):
        first = provider.get_tracer("somebody").start_span("chat", attributes=SDK | COUNTED)
        chain, inner = (provider.get_tracer("web").start_span(name) for name in ("chain", "step"))
        first.end()
        provider.get_tracer(CLIENT).start_span(
            "chat", attributes=SDK | {"gen_ai.usage.input_tokens": 5}
        ).end()
        inner.end()
        chain.end()
    assert len(kept.records) == 2


def test_a_bounded_number_of_calls_is_held() -> None:
    twins = Twins()
    told = [Told("a", "openai", ("gpt-4o",), None, (each + 1, 7), 10, 20) for each in range(MAX_TOLD + 1)]
    assert not any(map(twins.repeats, told))
    outer = [each._replace(scope="b", start=0) for each in told]
    assert [twins.repeats(each) for each in outer[-3:]] == [True] * 3
    assert not twins.repeats(outer[0])


@pytest.mark.parametrize("seed", range(20))
def test_however_calls_lie_beside_each_other_each_counts_once(provider: Any, kept: Kept, seed: int) -> None:
    """Every call of the client's is one, and LangChain's around some of them are none beside these."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    spans, calls = [], 12
    for number in range(calls):
        start = rng.randrange(0, 60, 2)
        end = start + rng.randrange(2, 40, 2)
        spans.append((CLIENT, SDK | COUNTED, start, end))
        if number % 3:
            spans.append((CHAIN, LANGCHAIN | BOTH, start - rng.randrange(9), end + rng.randrange(1, 9)))
    for scope, said, start, end in sorted(spans, key=lambda span: span[3]):
        emit(provider, scope, said, 100 + start, 100 + end)
    assert len(kept.records) == calls
    assert {(record.extra or {})["otel"]["scope"] for record in kept.records} == {CLIENT}


def test_prompts_of_one_request_are_a_call_each(provider: Any, kept: Kept) -> None:
    """LangChain's `generate`: their spans begin one after the other, none is current, and end likewise."""
    tracer = provider.get_tracer(CHAIN)
    spans = [tracer.start_span("ChatAnthropic", attributes=LANGCHAIN | BOTH) for _ in range(3)]
    for span in spans:
        span.end()
    assert len(kept.records) == 3


def test_streams_that_are_read_in_turn_are_a_call_each(provider: Any, kept: Kept) -> None:
    tracer = provider.get_tracer(CLIENT)
    spans = [tracer.start_span("chat", attributes=SDK | COUNTED) for _ in range(3)]
    for span in reversed(spans):
        span.end()
    assert len(kept.records) == 3


def test_a_span_that_was_never_current_repeats_what_its_trace_tells_later(provider: Any, kept: Kept) -> None:
    """A chain goes on: nothing is decided until it has ended, when all around the call have ended too."""
    with provider.get_tracer(CHAIN).start_as_current_span("RunnableSequence"):
        outer = provider.get_tracer(CHAIN).start_span("ChatAnthropic", attributes=LANGCHAIN)
        provider.get_tracer(CLIENT).start_span("chat", attributes=SDK | COUNTED).end()
        outer.end()
    assert kept.only.usage.units == {"input": 1000, "output": 100}


def test_an_agent_around_a_call_that_nothing_ties_to_it_is_no_twin(provider: Any, kept: Kept) -> None:
    """Its figures are sums of calls of its own, be they those of the other; an agent alone counts."""
    agent = SDK | COUNTED | {"gen_ai.operation.name": "invoke_agent"}
    emit(provider, CLIENT, SDK | COUNTED, 20, 780)
    emit(provider, CHAIN, agent, 0, 800)
    assert sorted(record.operation for record in kept.records) == ["chat", "invoke_agent"]


def test_an_embedding_of_which_two_tell_is_one_by_its_only_count(provider: Any, kept: Kept) -> None:
    """It has no output that both could tell."""
    said = SDK | {"gen_ai.operation.name": "embeddings", "gen_ai.usage.input_tokens": 1000}
    emit(provider, CLIENT, said, 20, 780)
    emit(provider, "somebody", said, 0, 800)
    assert len(kept.records) == 1
