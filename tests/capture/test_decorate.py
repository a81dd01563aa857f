"""track: attributes reach the calls inside, results are read where nothing was seen, nothing leaks."""

import asyncio
import gc
import inspect
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextvars import copy_context
from functools import partial, partialmethod
from typing import Any, ClassVar, cast

import pytest
from tests.support.wire import Kept

from outlay.capture import Recorder, context, track
from outlay.capture.contexts import attribution

RESPONSE = {
    "model": "gpt-4o",
    "choices": [],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
}


def test_attributes_reach_the_calls_inside_and_end_with_the_function(recorder: Recorder, kept: Kept) -> None:
    @track(lambda: recorder, query_type="summary", team="search")
    def summarize(text: str) -> str:
        """Shorten a text."""
        recorder.record(provider="openai", model="gpt-4o", input_tokens=1)
        return text[:1]

    assert summarize("abc") == "a"
    assert summarize.__name__ == "summarize"
    assert summarize.__doc__ == "Shorten a text."
    assert kept.only.query_type == "summary"
    assert kept.only.tags["team"] == "search"
    assert not attribution.get().fields


def test_a_response_that_no_hook_saw_is_read(recorder: Recorder, kept: Kept) -> None:
    @track(lambda: recorder, provider="openai", query_type="faq")
    def ask() -> dict[str, Any]:
        return RESPONSE

    assert ask() is RESPONSE
    assert kept.only.usage.units == {"input": 10, "output": 5}
    assert (kept.only.query_type, kept.only.latency_ms) == ("faq", 1000.0)


MESSAGE = {"type": "message", "model": "claude-sonnet-4-5", "usage": {"input_tokens": 7, "output_tokens": 3}}
GEMINI = {
    "modelVersion": "gemini-2.5-flash",
    "candidates": [],
    "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 3, "totalTokenCount": 10},
}


@pytest.mark.parametrize(
    ("results", "calls"),
    [
        ([RESPONSE | {"object": "chat.completion"}] * 3, [(10, 5)] * 3),
        (("an answer", RESPONSE | {"object": "chat.completion"}), [(10, 5)]),
        ([MESSAGE, MESSAGE, None], [(7, 3)] * 2),
        # several answers of Gemini have several ids; the chunks of a stream have one, and the last says all
        ([GEMINI | {"responseId": "a"}, GEMINI | {"responseId": "b"}], [(7, 3)] * 2),
        ([GEMINI | {"responseId": "a"}, GEMINI | {"responseId": "a"}], [(7, 3)]),
        ([{"id": n} for n in range(3)], []),
    ],
)
def test_each_answer_of_a_list_is_a_call_and_the_chunks_of_a_stream_are_one(
    recorder: Recorder, kept: Kept, results: Any, calls: list[tuple[int, int]]
) -> None:
    @track(lambda: recorder, provider="p", user="u1")
    def ask() -> Any:
        return results

    assert ask() is results
    assert [(each.input_tokens, each.output_tokens) for each in kept.records] == calls
    assert len({(each.user, each.at) for each in kept.records}) <= 1  # all began with the function


def test_a_function_that_makes_no_call_makes_no_record(recorder: Recorder, kept: Kept) -> None:
    @track(lambda: recorder)
    def plain() -> list[int]:
        return [1, 2]

    assert plain() == [1, 2]
    assert not kept.entries


def test_a_call_is_counted_once_however_deep_the_functions_nest(recorder: Recorder, kept: Kept) -> None:
    @track(lambda: recorder, provider="openai", query_type="inner")
    def inner() -> dict[str, Any]:
        return RESPONSE

    @track(lambda: recorder, provider="openai", query_type="outer")
    def outer() -> dict[str, Any]:
        return inner()

    outer()
    assert kept.only.query_type == "inner"


def test_an_exception_is_one_failed_call_and_passes_unchanged(recorder: Recorder, kept: Kept) -> None:
    boom = ValueError("boom")

    @track(lambda: recorder)
    def fail() -> None:
        raise boom

    with pytest.raises(ValueError, match="boom") as caught:
        fail()
    assert caught.value is boom
    assert (kept.only.status, kept.only.error_type, kept.only.error) == ("error", "ValueError", None)


def test_coroutines_are_awaited_and_read(recorder: Recorder, kept: Kept) -> None:
    @track(lambda: recorder, provider="openai", user="u1")
    async def ask() -> dict[str, Any]:
        await asyncio.sleep(0)
        return RESPONSE

    assert asyncio.run(ask()) is RESPONSE
    assert (kept.only.user, kept.only.total_tokens) == ("u1", 15)


def test_a_generators_context_never_leaks_between_its_steps(recorder: Recorder, kept: Kept) -> None:
    @track(lambda: recorder, user="inside")
    def steps() -> Iterator[int]:
        recorder.record(model="m", input_tokens=1)
        got = yield 1
        assert got is None
        recorder.record(model="m", input_tokens=2)
        yield 2

    with context(user="outside"):
        for _ in steps():
            recorder.record(model="m", input_tokens=3)
    assert [record.user for record in kept.records] == ["inside", "outside", "inside", "outside"]


def test_generators_can_be_sent_to_thrown_into_and_closed(recorder: Recorder) -> None:
    ended: list[str] = []

    @track(lambda: recorder)
    def echo() -> Iterator[Any]:
        value: Any = None
        try:
            while True:
                try:
                    value = yield value
                except KeyError as error:
                    value = error
        finally:
            ended.append("closed")

    generator: Any = echo()
    assert next(generator) is None
    assert generator.send("a") == "a"
    thrown = KeyError("k")
    assert generator.throw(thrown) is thrown
    generator.close()
    assert ended == ["closed"]


def test_async_generators_keep_their_context_and_take_exceptions(recorder: Recorder, kept: Kept) -> None:
    @track(lambda: recorder, user="inside")
    async def steps() -> AsyncIterator[int]:
        recorder.record(model="m", input_tokens=1)
        try:
            yield 1
        except KeyError:
            recorder.record(model="m", input_tokens=2)
            yield 2

    async def main() -> None:
        generator: Any = steps()
        assert await generator.asend(None) == 1
        recorder.record(model="m", input_tokens=3)
        assert await generator.athrow(KeyError("k")) == 2
        await generator.aclose()

    asyncio.run(main())
    assert [record.user for record in kept.records] == ["inside", None, "inside"]


def test_an_async_generator_that_is_open_as_its_loop_ends_is_closed_once(
    recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    """The loop closes every generator that it knows of, all at a time."""
    closed = []

    @track(lambda: recorder)
    async def answers() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            closed.append(True)

    stream = answers()

    async def main() -> int:
        return await anext(stream)

    assert asyncio.run(main()) == 1
    assert (closed, caplog.messages) == ([True], [])


class _Pause:
    """Waits for ever."""

    def __await__(self) -> Generator[None, None, None]:
        yield


def test_an_async_generator_that_is_dropped_within_a_step_raises_nothing(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So is one whose loop has gone, and its context with it."""

    @track(lambda: recorder, user="u1")
    async def stream() -> AsyncIterator[int]:
        yield 1
        await _Pause()

    async def read() -> None:
        async for _ in stream():
            pass

    raised: list[Any] = []
    monkeypatch.setattr("sys.unraisablehook", raised.append)
    reading = read()
    copy_context().run(reading.send, None)
    reading.close()
    del reading
    gc.collect()
    assert not raised


def test_an_async_generator_that_is_left_as_its_loop_ends_is_no_failed_call(
    recorder: Recorder, kept: Kept
) -> None:
    """The loop closes it by a task of its own, and cancels that as it ends."""

    @track(lambda: recorder)
    async def steps() -> AsyncIterator[int]:
        yield 1
        yield 2

    async def main() -> None:
        async for _ in steps():
            break

    asyncio.run(main())
    assert not kept.entries


class Asker:
    """Methods of every kind, each making one call and giving back its user; tracked in the test."""

    make: ClassVar[Callable[[], str | None]]

    def method(self) -> str | None:
        return Asker.make()

    @classmethod
    def of_class(cls) -> str | None:
        assert cls is Asker
        return Asker.make()

    @staticmethod
    def static() -> str | None:
        return Asker.make()

    def named(self, name: str) -> str | None:
        assert name == "n"
        return Asker.make()

    with_name = partialmethod(named, "n")

    def __call__(self) -> str | None:
        return Asker.make()


@pytest.mark.parametrize("name", ["method", "of_class", "static", "with_name"])
def test_every_kind_of_method_is_tracked(recorder: Recorder, kept: Kept, name: str) -> None:
    Asker.make = lambda: recorder.record(model="m", input_tokens=1).user
    decorated = track(lambda: recorder, user="inside")(cast("Any", Asker.__dict__[name]))
    kind = type("Asker", (), {name: decorated}) if name != "of_class" else Asker
    if name == "of_class":
        assert decorated.__get__(None, Asker)() == "inside"
    else:
        assert getattr(kind(), name)() == "inside"
    assert kept.only.user == "inside"
    assert not attribution.get().fields


async def coroutine(_: int) -> str | None:
    await asyncio.sleep(0)
    return Asker.make()


def generator(_: int) -> Iterator[str | None]:
    yield Asker.make()


async def async_generator(_: int) -> AsyncIterator[str | None]:
    yield Asker.make()


class AsyncAsker:
    """An object that is called and awaited."""

    async def __call__(self) -> str | None:
        return await coroutine(1)


async def last(given: Any) -> Any:
    """Wait for whatever an asynchronous callable gave."""
    return [item async for item in given][-1] if hasattr(given, "__anext__") else await given


@pytest.mark.parametrize(
    "function",
    [
        Asker(),
        lambda: Asker.make(),  # noqa: PLW0108 - a lambda is what is tested
        AsyncAsker(),
        partial(coroutine, 1),
        partial(generator, 1),
        partial(async_generator, 1),
        lambda: coroutine(1),
        lambda: generator(1),
        lambda: async_generator(1),
    ],
)
def test_every_kind_of_callable_is_tracked(recorder: Recorder, kept: Kept, function: Any) -> None:
    Asker.make = lambda: recorder.record(model="m", input_tokens=1).user
    given = track(lambda: recorder, user="inside")(function)()
    if inspect.isgenerator(given):
        given = next(given)
    elif not isinstance(given, str):
        given = asyncio.run(last(given))
    assert given == "inside"
    assert kept.only.user == "inside"
    assert not attribution.get().fields


def test_frameworks_still_see_what_kind_of_function_it_is(recorder: Recorder) -> None:
    tracking = track(lambda: recorder)
    assert inspect.iscoroutinefunction(tracking(coroutine))
    assert inspect.isgeneratorfunction(tracking(generator))
    assert inspect.isasyncgenfunction(tracking(async_generator))


def test_a_class_is_refused(recorder: Recorder) -> None:
    with pytest.raises(TypeError, match="decorate its methods"):
        track(lambda: recorder)(dict)
