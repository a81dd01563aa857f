"""langchain-core: models whose client nobody hooks are counted by their callbacks, and by those alone."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextvars import copy_context
from decimal import Decimal
from typing import Any

import pytest
from tests.support.cancelled import cancel_while_reading
from tests.support.form_bodies import CHAT
from tests.support.wire import Kept, answer
from tests.support.wire_httpx import HttpxServer

from outlay.capture import Recorder, SystemClock, context, track
from outlay.capture.guard import failures
from outlay.instrumentation import Hooks, langchain_runs
from outlay.otel import OutlaySpanProcessor
from outlay.pricing import cost_of

pytest.importorskip("langchain_core", reason="langchain-core is not installed: `uv sync --group frameworks`")

from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.tracers import context as tracers
from opentelemetry.sdk.trace import TracerProvider

pytestmark = pytest.mark.usefixtures("layers")
USED: Any = {
    "input_tokens": 1000,
    "output_tokens": 100,
    "total_tokens": 1100,
    "input_token_details": {"cache_read": 400},
    "output_token_details": {"reasoning": 30},
}
UNITS = {"input": 600, "cache_read": 400, "output": 70, "reasoning": 30}


class Own(BaseChatModel):
    """A model with a client of its own, which is asked first if there is one."""

    http: Any = None
    fails: bool = False
    used: Any = USED

    @property
    def _llm_type(self) -> str:
        return "own"

    def _get_ls_params(self, stop: Any = None, **kwargs: Any) -> Any:
        return {"ls_provider": "mistralai", "ls_model_name": "mistral-large-2512", "ls_model_type": "chat"}

    def _ask(self) -> None:
        if self.fails:
            raise ConnectionError("refused")
        if self.http is not None:
            self.http.post("https://api.mistral.ai/v1/chat/completions", json={"model": "mistral-large-2512"})

    def _generate(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        self._ask()
        message = AIMessage(content="hi", usage_metadata=self.used)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        self._ask()
        yield ChatGenerationChunk(message=AIMessageChunk(content="h"))
        yield ChatGenerationChunk(message=AIMessageChunk(content="i", usage_metadata=self.used))

    async def _astream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        for chunk in self._stream(messages):
            await asyncio.sleep(0)
            yield chunk


async def read(chunks: Any) -> None:
    async for _ in chunks:
        pass


WAYS: dict[str, tuple[Any, int, bool]] = {
    "invoke": (lambda model: model.invoke("hi"), 1, False),
    "stream": (lambda model: list(model.stream("hi")), 1, True),
    "ainvoke": (lambda model: asyncio.run(model.ainvoke("hi")), 1, False),
    "astream": (lambda model: asyncio.run(read(model.astream("hi"))), 1, True),
    "batch": (lambda model: model.batch(["hi"] * 3), 3, False),
    "generate": (lambda model: model.generate([[HumanMessage("hi")], [HumanMessage("ho")]]), 2, False),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_model_with_a_client_of_its_own_is_counted(way: str, kept: Kept) -> None:
    act, calls, streamed = WAYS[way]
    with context(user="u1"):
        act(Own())
    assert [record.usage.units for record in kept.records] == [UNITS] * calls
    assert {(each.provider, each.model, each.user, each.streamed) for each in kept.records} == {
        ("mistral", "mistral-large-2512", "u1", streamed)
    }
    # 600 x 0.50 + 400 x 0.05 + 100 x 1.50 dollars a million
    assert {record.cost for record in kept.records} == {Decimal("0.00047")}


@pytest.mark.parametrize("way", WAYS)
def test_what_a_hook_below_sees_is_counted_there(way: str, kept: Kept) -> None:
    act, calls, _ = WAYS[way]
    server = HttpxServer([answer(CHAT)])
    act(Own(http=server.sync_httpx()))
    assert len(server.requests) == calls
    assert len(kept.records) == calls  # by httpx's hook where that is on, else by the model's callbacks


def test_a_call_made_between_two_chunks_is_not_taken_for_the_models_own(kept: Kept) -> None:
    chunks = Own().stream("hi")
    next(chunks)
    Own().invoke("ho")
    list(chunks)
    assert [record.streamed for record in kept.records] == [False, True]


def test_a_stream_left_early_is_partial(kept: Kept) -> None:
    chunks: Any = Own().stream("hi")
    next(chunks)
    chunks.close()
    assert "partial" in kept.only.flags


def test_a_dropped_asynchronous_stream_is_partial(kept: Kept) -> None:
    cancel_while_reading(lambda: Own().astream("hi"))
    gc.collect()
    assert "partial" in kept.only.flags


def test_an_error_is_one_failed_call_and_the_callers_own(kept: Kept) -> None:
    with pytest.raises(ConnectionError, match="refused"):
        Own(fails=True).invoke("hi")
    assert (kept.only.status, kept.only.error_type, kept.only.cost) == ("error", "ConnectionError", None)


def test_runs_that_never_end_are_forgotten_in_time(monkeypatch: pytest.MonkeyPatch, kept: Kept) -> None:
    """Of two prompts a handler of the program's own refuses the second: the first one's run has no end."""

    class Refusing(BaseCallbackHandler):
        raise_error = True

        def on_chat_model_start(self, _what: Any, said: Any, **_about: Any) -> None:
            if said[0][0].content == "secret":
                raise PermissionError

    monkeypatch.setattr(langchain_runs, "MAX_RUNS", 20)
    both = [[HumanMessage("hi")], [HumanMessage("secret")]]
    for _ in range(50):
        with pytest.raises(PermissionError):
            copy_context().run(Own().generate, both, callbacks=[Refusing()])
    assert len(tracers._configure_hooks[-1][0].get()._runs) == 20
    Own().invoke("ho")
    assert kept.only.usage.units == UNITS


def test_an_answer_out_of_the_cache_is_no_call(kept: Kept) -> None:
    model = Own(cache=InMemoryCache())
    for _ in range(3):
        model.invoke("hi")
    assert kept.only.usage.units == UNITS


def test_a_silent_model_is_recorded_without_a_price(kept: Kept) -> None:
    Own(used=None).invoke("hi")
    assert (kept.only.cost, kept.only.charge.reason) == (None, "the model said nothing of its usage")


def test_the_callers_own_handlers_are_called_as_ever_and_ours_goes_when_it_is_taken_out(
    layers: Hooks, kept: Kept
) -> None:
    class Counting(BaseCallbackHandler):
        ended = 0

        def on_llm_end(self, response: Any, **about: Any) -> None:
            self.ended += 1

    counting = Counting()
    Own().invoke("hi", config={"callbacks": [counting]})
    layers.uninstrument()
    Own().invoke("hi", config={"callbacks": [counting]})
    assert (counting.ended, len(kept.records)) == (2, 1)


def test_a_tracked_function_around_leaves_the_call_to_the_model(kept: Kept) -> None:
    recorder = Recorder(kept, clock=SystemClock(), price=cost_of)

    @track(lambda: recorder, provider="mistral", query_type="rag")
    def ask() -> Any:
        return Own().invoke("hi")

    ask()
    assert (kept.only.query_type, kept.only.usage.units) == ("rag", UNITS)


class Odd(str):
    """A label that cannot be compared, as of a data frame."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        raise ValueError("ambiguous")


@pytest.mark.parametrize("facts", [{"row": 10**5000}, {"team": Odd("search")}], ids=["digits", "odd"])
def test_metadata_that_cannot_be_read_loses_no_call(kept: Kept, facts: dict[str, Any]) -> None:
    with context(user="u1"):
        Own().invoke("hi", {"metadata": facts})
    assert (kept.only.user, kept.only.usage.units) == ("u1", UNITS)
    failures.clear()


class Spans(BaseCallbackHandler):
    """A tracer of another's: it starts spans where LangChain calls it, with none around them."""

    def __init__(self, tracer: Any) -> None:
        self._tracer = tracer
        self._open: dict[Any, Any] = {}

    def on_chat_model_start(self, *_: Any, run_id: Any, **about: Any) -> None:
        self._open[run_id] = self._tracer.start_span("Own")

    def on_llm_end(self, *_: Any, run_id: Any, **about: Any) -> None:
        span = self._open.pop(run_id)
        span.set_attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.request.model": "mistral-large-2512",
                "gen_ai.usage.input_tokens": 1000,
                "gen_ai.usage.output_tokens": 100,
            }
        )
        span.end()


@pytest.mark.parametrize("answers", [[], [answer(CHAT)]], ids=["handler", "client"])
def test_models_asked_side_by_side_are_one_call_each_beside_anothers_spans(
    kept: Kept, answers: list[Any]
) -> None:
    recorder = Recorder(kept, clock=SystemClock(), price=cost_of)
    provider = TracerProvider()
    provider.add_span_processor(OutlaySpanProcessor(lambda: recorder))
    spans = Spans(provider.get_tracer("somebody"))
    model = Own(http=HttpxServer(answers).sync_httpx() if answers else None)
    asyncio.run(model.abatch(["a", "b"], {"callbacks": [spans]}))
    provider.force_flush()
    assert len(kept.records) == 2
    provider.shutdown()
