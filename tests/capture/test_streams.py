"""Asynchronous streams: where a task is cancelled tells whether its call failed, or was only let go."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.wire import Kept

from outlay.capture import Recorder, SystemClock
from outlay.capture.call import Call
from outlay.capture.streams import Watch, watch, watch_async
from outlay.core.usage import Usage
from outlay.extract import collector
from outlay.journal import segments
from outlay.pricing import cost_of

CHUNK = {"id": "c1", "object": "chat.completion.chunk", "model": "gpt-4o", "choices": []}


def watched(recorder: Recorder, chunks: AsyncIterator[Any]) -> AsyncIterator[Any]:
    call = Call(recorder, provider="openai", api="chat", model="gpt-4o", streamed=True)
    return watch_async(chunks, Watch(call, collector("openai", "chat")))


async def slowly() -> AsyncIterator[Any]:
    """Give one chunk, and the next never."""
    yield CHUNK
    await asyncio.sleep(60)


def test_a_task_cancelled_while_it_waits_for_a_chunk_is_a_call_that_failed(
    recorder: Recorder, kept: Kept
) -> None:
    async def main() -> None:
        came = asyncio.Event()

        async def reading() -> None:
            async for _ in watched(recorder, slowly()):
                came.set()

        task = asyncio.create_task(reading())
        await came.wait()
        await asyncio.sleep(0)  # it waits for the next by now
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert (kept.only.status, kept.only.error_type) == ("error", "CancelledError")
    assert "partial" in kept.only.flags


def test_a_stream_left_as_its_loop_ends_is_no_failure(recorder: Recorder, kept: Kept) -> None:
    """The loop closes the generator by a task of its own, and cancels that as it ends."""

    async def main() -> None:
        async for _ in watched(recorder, slowly()):
            break

    asyncio.run(main())
    assert (kept.only.status, kept.only.error_type) == ("success", None)
    assert {"partial", "abandoned"} <= set(kept.only.flags)


def test_an_error_that_the_caller_throws_in_is_the_calls(recorder: Recorder, kept: Kept) -> None:
    async def main() -> None:
        stream: Any = watched(recorder, slowly())
        await anext(stream)
        with pytest.raises(KeyError):
            await stream.athrow(KeyError("k"))

    asyncio.run(main())
    assert (kept.only.status, kept.only.error_type) == ("error", "KeyError")


COUNTS = st.fixed_dictionaries(
    {"prompt_tokens": st.integers(0, 9), "completion_tokens": st.integers(0, 9)},
    optional={
        "prompt_tokens_details": st.none() | st.fixed_dictionaries({"cached_tokens": st.integers(0, 3)})
    },
)
FIELDS = st.fixed_dictionaries(
    {"choices": st.sampled_from([[], [{"delta": {}}], [{"delta": {}, "finish_reason": "stop"}]])},
    optional={
        "id": st.sampled_from(["c-1", "", None]),
        "model": st.sampled_from(["gpt-4o", "gpt-4o-2024-08-06", ""]),
        "usage": st.none() | COUNTS | COUNTS.map(lambda counts: SimpleNamespace(**counts)) | st.just("odd"),
        "x_groq": st.none() | st.just({"usage": {"prompt_tokens": 3, "completion_tokens": 2}}),
    },
)
CHUNKS = st.lists(
    FIELDS.map(lambda fields: SimpleNamespace(**fields))
    | FIELDS.map(lambda fields: SimpleNamespace(**{"usage": None, **fields}))
    | FIELDS
    | st.just("odd"),
    max_size=8,
)


def is_only_usage(chunk: Any) -> bool:
    """As openai's chunk that only came because it was asked for; raises at a dict and a text."""
    return not chunk.choices and chunk.usage is not None


async def asynchronous(chunks: list[Any]) -> AsyncIterator[Any]:
    for chunk in chunks:
        yield chunk


async def gathered(chunks: AsyncIterator[Any]) -> list[Any]:
    return [chunk async for chunk in chunks]


@given(chunks=CHUNKS, hiding=st.booleans(), through_loop=st.booleans())
def test_a_chat_stream_watched_says_what_each_chunk_looked_at_says(
    *, chunks: list[Any], hiding: bool, through_loop: bool
) -> None:
    """No function is called for most chunks; the usage is the same, and so is what the caller sees."""
    kept = Kept()
    recorder = Recorder(kept, clock=SystemClock(), price=cost_of)
    whole: Any = collector("openai", "chat")
    for chunk in chunks:
        whole.add(chunk)
    complete, usage, body = whole.complete, whole.usage(), whole.as_body()
    call = Call(recorder, provider="openai", api="chat", model="gpt-4o", streamed=True)
    seen = Watch(call, collector("openai", "chat"), is_only_usage if hiding else None)
    if through_loop:
        passed = asyncio.run(gathered(watch_async(asynchronous(chunks), seen)))
    else:
        passed = list(watch(iter(chunks), seen))
    shown = [chunk for chunk in chunks if not (hiding and hidden(chunk))]
    assert [id(chunk) for chunk in passed] == [id(chunk) for chunk in shown]
    assert (seen.collector.complete, seen.usage()) == (complete, usage)
    if body is not None and body["usage"]:
        body = {name: value for name, value in body.items() if name != "choices"}
    assert seen.as_body() == body
    assert kept.only.usage.units == usage.units


@given(chunks=CHUNKS, left=st.integers(0, 8))
def test_a_chat_stream_that_is_left_says_what_its_chunks_so_far_say(chunks: list[Any], left: int) -> None:
    kept = Kept()
    recorder = Recorder(kept, clock=SystemClock(), price=cost_of)
    whole: Any = collector("openai", "chat")
    call = Call(recorder, provider="openai", api="chat", model="gpt-4o", streamed=True)
    stream: Any = watch(iter([*chunks, *({"choices": []},) * 9]), Watch(call, collector("openai", "chat")))
    for _ in range(left + 1):
        whole.add(next(stream))
    stream.close()
    assert kept.only.usage.units == whole.usage().units
    assert ("abandoned" in kept.only.flags) == (not whole.complete)


def hidden(chunk: Any) -> bool:
    try:
        return is_only_usage(chunk)
    except AttributeError:
        return False


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
def test_a_stream_that_is_open_when_its_process_forks_is_one_call(tmp_path: Path) -> None:
    """The child's copy is let go when the child ends; the parent reads its own to the end."""
    program = """
import os, sys
from outlay import process
from outlay.capture.call import Call
from outlay.capture.streams import Watch, watch
from outlay.extract import collector
recorder = process.current().recorder()
call = Call(recorder, provider="openai", api="chat", model="gpt-4o", streamed=True)
chunk = {"id": "c1", "model": "gpt-4o", "choices": []}
last = {**chunk, "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}}
stream = watch(iter([chunk, last]), Watch(call, collector("openai", "chat")))
next(stream)
child = os.fork()
if child == 0:
    stream.close()
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
list(stream)
"""
    environ = {**os.environ, "OUTLAY_LEDGER": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env=environ,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = b"".join(each.path.read_bytes() for each in segments(tmp_path / "journal")).splitlines()
    (made,) = map(json.loads, lines)
    # 1000 x 2.50 + 100 x 10 dollars a million
    assert (made["cost"], made["usage"]) == ("0.0035", {"input": 1000, "output": 100})


def test_a_stream_that_ends_with_the_interpreter_is_a_call_and_says_nothing(tmp_path: Path) -> None:
    """By then nothing can be imported any more, by which an annotation is evaluated."""
    program = f"""
import sys
from pathlib import Path
from outlay.capture import Recorder, SystemClock
from outlay.capture.call import Call
from outlay.capture.streams import Watch
from outlay.extract import collector
from outlay.journal import Journal
from outlay.pricing import cost_of

class Program:
    pass

recorder = Recorder(Journal(Path(sys.argv[1])), clock=SystemClock(), price=cost_of)
call = Call(recorder, provider="openai", api="chat", model="gpt-4o", streamed=True)
kept = Program()
kept.itself, kept.seen = kept, Watch(call, collector("openai", "chat"))
kept.seen.begin({CHUNK})
"""
    command = [sys.executable, "-c", program, str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    (made,) = (
        json.loads(line) for each in segments(tmp_path) for line in each.path.read_bytes().splitlines()
    )
    assert made["flags"] == ["abandoned", "partial"]


class Torn:
    """A collector that cannot read what it kept, as frames whose checksums are wrong."""

    def add(self, event: Any) -> None:
        """Keep it."""

    @property
    def complete(self) -> bool:
        raise ValueError("a frame is torn")

    def usage(self) -> Usage:
        raise ValueError("a frame is torn")


def test_a_stream_that_is_left_and_cannot_be_read_closes_as_ever(recorder: Recorder, kept: Kept) -> None:
    call = Call(recorder, provider="openai", api="chat", model="gpt-4o", streamed=True)
    stream: Any = watch(iter([CHUNK, CHUNK]), Watch(call, Torn()))
    next(stream)
    stream.close()
    assert (kept.only.status, kept.only.cost) == ("success", None)
    assert {"partial", "abandoned"} <= set(kept.only.flags)
