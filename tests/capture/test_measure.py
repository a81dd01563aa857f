"""measure: one record a block, attempts counted, failed billed ones with their tokens, nothing twice."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any, cast

import pytest
from tests.support.wire import Kept

from outlay.capture import Measure, Recorder
from outlay.capture.contexts import attribution, inside
from outlay.core.errors import ResponseError, UsageError


def response(model: str = "gpt-4o", read: int = 1000, written: int = 100) -> dict[str, Any]:
    usage = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
    return {"id": "r1", "model": model, "choices": [], "usage": usage}


@pytest.fixture
def measure(recorder: Recorder) -> Any:
    def make(**asked: Any) -> Measure:
        return Measure(lambda: recorder, **asked)

    return make


def test_a_response_is_read_priced_and_given_back(measure: Any, kept: Kept) -> None:
    body = response()
    with measure(provider="openai", model="gpt-4o", user="u1", team="search") as call:
        during = call.record
        assert call.response(body) is body
    record = kept.only
    assert (during, call.record) == (None, record)
    # 1000 x 2.50 and 100 x 10.00, each a million
    assert (record.cost, record.user, record.latency_ms) == (Decimal("0.0035"), "u1", 1000.0)
    assert record.tags == {"service": "web", "team": "search"}
    assert not attribution.get().fields


def test_the_first_token_is_the_first_that_came(measure: Any, kept: Kept) -> None:
    with measure(provider="openai", model="gpt-4o") as call:
        call.first_token()
        call.first_token()
        call.response(response())
    assert (kept.only.time_to_first_token_ms, kept.only.latency_ms) == (1000.0, 2000.0)


def test_counts_and_a_stated_cost_are_taken_as_they_are(measure: Any, kept: Kept) -> None:
    with measure(provider="acme", model="m1") as call:
        call.usage(input_tokens=10, cached_tokens=4, output_tokens=5, cost="0.0123")
    assert kept.only.usage.units == {"input": 6, "cache_read": 4, "output": 5}
    assert (kept.only.cost, kept.only.cost_status) == (Decimal("0.0123"), "reported")


def test_a_block_that_says_nothing_is_unpriced_with_that_reason(measure: Any, kept: Kept) -> None:
    with measure(provider="openai", model="gpt-4o"):
        pass
    assert kept.only.cost is None
    assert "hand over the response" in str(kept.only.charge.reason)


def test_an_exception_is_a_failed_call_and_passes_unchanged(measure: Any, kept: Kept) -> None:
    boom = TimeoutError("late")
    with pytest.raises(TimeoutError) as caught, measure(provider="openai", model="gpt-4o"):
        raise boom
    assert caught.value is boom
    assert (kept.only.status, kept.only.error_type, kept.only.cost) == ("error", "TimeoutError", None)


def test_attempts_that_were_not_billed_are_counted(measure: Any, kept: Kept) -> None:
    with measure(provider="openai", model="gpt-4o") as call:
        call.retry(TimeoutError("late"))
        call.retry(ConnectionError("refused"), model="gpt-4o-mini")
        call.response(response("gpt-4o-mini"))
    assert (kept.only.retries, kept.only.model, kept.only.status) == (2, "gpt-4o-mini", "success")


def test_a_failed_attempt_that_was_billed_is_a_record_of_its_own(measure: Any, kept: Kept) -> None:
    useless = ValueError("not the JSON that was asked for")
    with measure(provider="openai", model="gpt-4o", user="u1") as call:
        call.retry(useless, response=response())
        call.retry(TimeoutError("late"), provider="anthropic", model="claude-sonnet-4-5")
        call.usage(input_tokens=1000, output_tokens=100)
    failed, worked = kept.records
    assert (failed.status, failed.error_type, failed.cost) == ("error", "ValueError", Decimal("0.0035"))
    assert (failed.retries, failed.flags, failed.user) == (0, (), "u1")
    # 1000 x 3.00 and 100 x 15.00, each a million
    assert (worked.provider, worked.retries, worked.cost) == ("anthropic", 2, Decimal("0.0045"))
    assert worked.user == "u1"


def test_a_response_that_was_taken_before_the_failure_is_billed_too(measure: Any, kept: Kept) -> None:
    with measure(provider="openai", model="gpt-4o") as call:
        call.response(response())
        call.retry(ValueError("useless"))
        call.response(response())
    assert [(each.status, each.cost) for each in kept.records] == [
        ("error", Decimal("0.0035")),
        ("success", Decimal("0.0035")),
    ]


def test_several_responses_add_up(measure: Any, kept: Kept) -> None:
    with measure(provider="openai", model="gpt-4o") as call:
        call.response(response())
        call.response(response())
    assert kept.only.input_tokens == 2000


def test_several_responses_in_a_list_add_up_too(measure: Any, kept: Kept) -> None:
    with measure(provider="openai", model="gpt-4o") as call:
        call.retry(ValueError("no JSON"), response=[response() | {"object": "chat.completion"}] * 2)
        call.response([response() | {"object": "chat.completion"}] * 3)
    assert [(each.status, each.input_tokens) for each in kept.records] == [("error", 2000), ("success", 3000)]


def test_hooks_below_leave_the_call_to_it(measure: Any) -> None:
    with measure(provider="openai"):
        assert inside.get() is not None
    assert inside.get() is None


def test_a_stream_ends_the_call(measure: Any, kept: Kept) -> None:
    chunks = [{"choices": [{"delta": {"content": "a"}}]}, response()]
    with measure(provider="openai", model="gpt-4o", api="chat") as call:
        assert list(call.stream(chunks)) == chunks
    assert (kept.only.streamed, kept.only.input_tokens) == (True, 1000)
    assert kept.only.time_to_first_token_ms == 1000.0


def test_an_asynchronous_block_and_stream(measure: Any, kept: Kept) -> None:
    async def chunks() -> AsyncIterator[dict[str, Any]]:
        yield response()

    async def main() -> int:
        async with measure(provider="openai", model="gpt-4o") as call:
            return len([chunk async for chunk in call.stream(chunks())])

    assert asyncio.run(main()) == 1
    assert kept.only.output_tokens == 100


PIECE: dict[str, Any] = {"id": "r1", "model": "gpt-4o", "choices": [{"delta": {"content": "a"}}]}


def test_a_stream_that_is_read_behind_the_block_ends_the_call_then(measure: Any, kept: Kept) -> None:
    def ask() -> Iterator[Any]:
        with measure(provider="openai", model="gpt-4o", user="u1") as call:
            return cast("Iterator[Any]", call.stream([PIECE, response()]))

    stream = ask()
    assert not kept.records
    assert list(stream) == [PIECE, response()]
    assert (kept.only.usage.units, kept.only.cost) == ({"input": 1000, "output": 100}, Decimal("0.0035"))
    assert (kept.only.user, kept.only.streamed, kept.only.status) == ("u1", True, "success")


@pytest.mark.parametrize("read", [0, 1])
def test_a_stream_that_is_let_go_behind_the_block_is_one_partial_call(
    measure: Any, kept: Kept, read: int
) -> None:
    with measure(provider="openai", model="gpt-4o") as call:
        stream = call.stream([PIECE, response()])
    assert [next(stream) for _ in range(read)] == [PIECE] * read
    del stream
    assert {"partial", "abandoned"} <= set(kept.only.flags)
    assert kept.only.cost is None


def test_a_stream_that_breaks_behind_the_block_is_a_failed_call(measure: Any, kept: Kept) -> None:
    def broken() -> Iterator[Any]:
        yield PIECE
        raise TimeoutError

    with measure(provider="openai", model="gpt-4o") as call:
        stream = call.stream(broken())
    with pytest.raises(TimeoutError):
        list(stream)
    assert (kept.only.status, kept.only.error_type, kept.only.cost) == ("error", "TimeoutError", None)


def test_an_asynchronous_stream_may_be_read_behind_the_block_too(measure: Any, kept: Kept) -> None:
    async def main() -> list[Any]:
        async with measure(provider="openai", model="gpt-4o") as call:
            stream = call.stream(BothWays().__aiter__())
        return [chunk async for chunk in stream]

    assert len(asyncio.run(main())) == 2
    assert kept.only.usage.units == {"input": 1000, "output": 100}


def test_hooks_below_leave_a_stream_to_it_that_is_asked_for_when_it_is_read(measure: Any) -> None:
    """As are those of google-genai and Ollama."""
    seen = []

    def lazily() -> Iterator[Any]:
        seen.append(inside.get())
        yield response()

    with measure(provider="openai") as call:
        stream = call.stream(lazily())
    list(stream)
    assert seen != [None]
    assert inside.get() is None


def test_what_is_said_behind_a_stream_counts(measure: Any, kept: Kept) -> None:
    """Of a stream that says nothing of its usage the program may know it."""
    with measure(provider="acme", model="m1") as call:
        assert list(call.stream([PIECE])) == [PIECE]
        call.usage(input_tokens=10, output_tokens=5)
    assert kept.only.usage.units == {"input": 10, "output": 5}


def test_several_streams_of_a_block_are_all_counted(measure: Any, kept: Kept) -> None:
    with measure(provider="openai", model="gpt-4o") as call:
        for _ in range(2):
            list(call.stream([PIECE, response()]))
    assert kept.only.usage.units == {"input": 2000, "output": 200}


def test_a_streamed_attempt_that_was_of_no_use_is_a_record_of_its_own(measure: Any, kept: Kept) -> None:
    with measure(provider="openai", model="gpt-4o") as call:
        list(call.stream([PIECE, response()]))
        call.retry(ValueError("no JSON"))
        list(call.stream([PIECE, response(read=500)]))
    first, second = kept.records
    assert (first.status, first.input_tokens, first.retries) == ("error", 1000, 0)
    assert (second.status, second.input_tokens, second.retries) == ("success", 500, 1)


def test_a_streamed_attempt_that_never_began_is_counted_in_retries(measure: Any, kept: Kept) -> None:
    def refused() -> Iterator[Any]:
        yield PIECE["chunk"]

    with measure(provider="openai", model="gpt-4o") as call:
        try:
            list(call.stream(refused()))
        except KeyError as error:
            call.retry(error)
        list(call.stream([PIECE, response()]))
    assert (kept.only.status, kept.only.retries, kept.only.input_tokens) == ("success", 1, 1000)


def test_a_stream_that_broke_is_a_failed_call_though_the_block_goes_on(measure: Any, kept: Kept) -> None:
    def broken() -> Iterator[Any]:
        yield response()
        raise TimeoutError

    with measure(provider="openai", model="gpt-4o") as call, suppress(TimeoutError):
        list(call.stream(broken()))
    assert (kept.only.status, kept.only.error_type) == ("error", "TimeoutError")
    assert (kept.only.input_tokens, kept.only.latency_ms) == (1000, 2000.0)


def test_a_block_that_fails_while_its_stream_is_open_is_one_call_with_what_came(
    measure: Any, kept: Kept
) -> None:
    opened: list[Iterator[Any]] = []

    def ask() -> None:
        with measure(provider="openai", model="gpt-4o") as call:
            opened.append(call.stream([PIECE, response()]))
            raise ValueError(next(opened[0]))

    with pytest.raises(ValueError, match="choices"):
        ask()
    list(opened[0])
    assert (kept.only.status, kept.only.error_type, kept.only.cost) == ("error", "ValueError", None)


def test_a_second_block_of_one_measure_counts_for_itself(measure: Any, kept: Kept) -> None:
    both = measure(provider="openai", model="gpt-4o")
    for _ in range(2):
        with both as call:
            call.response(response())
    assert [record.input_tokens for record in kept.records] == [1000, 1000]


class BothWays:
    """A stream of a library that is read sync or async, as the caller likes."""

    def __init__(self) -> None:
        self.chunks = [{"id": "r1", "model": "gpt-4o", "choices": []}, response()]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.chunks)

    async def __aiter__(self) -> AsyncIterator[Any]:
        for chunk in self.chunks:
            yield chunk


@pytest.mark.parametrize("way", ["for", "next", "async for", "anext"])
def test_a_stream_that_can_be_read_both_ways_is_read_as_the_caller_reads_it(
    measure: Any, kept: Kept, way: str
) -> None:
    given = BothWays()

    async def read(stream: Any) -> list[Any]:
        return (
            [chunk async for chunk in stream] if way == "async for" else [await anext(stream) for _ in "ab"]
        )

    with measure(provider="openai", model="gpt-4o") as call:
        stream = call.stream(given)
        if way.startswith("a"):
            chunks = asyncio.run(read(stream))
        else:
            chunks = list(stream) if way == "for" else [next(stream), *stream]
    assert [id(chunk) for chunk in chunks] == [id(chunk) for chunk in given.chunks]
    assert (kept.only.usage.units, kept.only.streamed) == ({"input": 1000, "output": 100}, True)


def test_a_response_that_says_nothing_gives_the_reason(measure: Any, kept: Kept) -> None:
    with measure(provider="openai", model="gpt-4o") as call:
        call.response("text alone")
    assert kept.only.cost is None
    assert kept.only.charge.reason


def test_what_cannot_be_is_refused(measure: Any, kept: Kept) -> None:
    with pytest.raises(ResponseError, match="no API is named"):
        measure(api="chatt")
    with pytest.raises(UsageError, match="input_tokens"), measure(provider="openai") as call:
        call.usage(input_tokens=-1)
    with pytest.raises(TypeError, match="tokens_in"), measure(provider="openai") as call:
        call.usage(tokens_in=1)
    with pytest.raises(RuntimeError, match="with its block"):
        measure().response(response())


class Broken:
    """A response whose every look fails, as of a client that has gone."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


@pytest.mark.parametrize("several", [False, True])
def test_a_response_that_cannot_be_looked_at_does_not_fail_the_paid_call(
    measure: Any, kept: Kept, *, several: bool
) -> None:
    given: Any = [Broken()] if several else Broken()
    with measure(provider="acme", model="m1") as call:
        assert call.response(given) is given
    assert (kept.only.status, kept.only.cost) == ("success", None)
