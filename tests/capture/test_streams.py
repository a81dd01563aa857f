"""Asynchronous streams: where a task is cancelled tells whether its call failed, or was only let go."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.support.wire import Kept

from outlay.capture import Recorder
from outlay.capture.call import Call
from outlay.capture.streams import Watch, watch_async
from outlay.extract import collector

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
