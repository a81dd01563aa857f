"""Streams, watched: the caller gets the very same chunks in the same order; one Record when the stream ends.

Whether a stream runs to its end, is closed early, fails, is cancelled, or is dropped and collected: its
call is recorded once, with what the chunks so far said of usage.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, TypeVar

from outlay.capture.call import Call
from outlay.capture.guard import guarded
from outlay.core.usage import Usage
from outlay.extract import Collector

T = TypeVar("T")


class Watch:
    """Collects what a stream's events say of usage, and ends the call once.

    It must not refer to the stream itself: a stream that is dropped has to be collected at once, and this
    with it, for that is how a stream that nobody reads is noticed.
    """

    __slots__ = ("add", "call", "collector", "hidden")

    def __init__(self, call: Call, collector: Collector, hidden: Callable[[Any], bool] | None = None) -> None:
        self.call = call
        self.collector = collector
        self.add = guarded(collector.add)
        self.hidden = (
            None if hidden is None else guarded(hidden)
        )  # tells a chunk that only came because we asked for it

    def usage(self) -> Usage:
        """Give what is known of the usage so far; a fault of ours gives a reason instead."""
        return guarded(self.collector.usage)() or Usage(reason="the stream's usage could not be read")

    def finish(self) -> None:
        """The stream came to its end."""
        if not self.call.done:
            self.call.finish(self.usage())

    def fail(self, error: BaseException) -> None:
        """The stream broke, or its task was cancelled."""
        if not self.call.done:
            self.call.fail(error, self.usage())

    def leave(self) -> None:
        """The caller let go of the stream: complete if the usage had come, partial otherwise."""
        if self.call.done:
            return
        if self.collector.complete:
            self.call.finish(self.usage())
        else:
            self.call.leave(self.usage())

    def __del__(self) -> None:
        if not self.call.done:
            guarded(self.leave)()


def watch(chunks: Iterator[T], seen: Watch) -> Iterator[T]:
    """Pass a stream's chunks on, each the very object that came, and end its call when it ends."""
    add, hidden, call = seen.add, seen.hidden, seen.call
    try:
        for chunk in chunks:
            call.first_token()
            add(chunk)
            if hidden is None or not hidden(chunk):
                yield chunk
    except GeneratorExit:
        seen.leave()
        raise
    except BaseException as error:
        seen.fail(error)
        raise
    seen.finish()


async def watch_async(chunks: AsyncIterator[T], seen: Watch) -> AsyncIterator[T]:
    """Do the same for an asynchronous stream."""
    add, hidden, call = seen.add, seen.hidden, seen.call
    try:
        async for chunk in chunks:
            call.first_token()
            add(chunk)
            if hidden is None or not hidden(chunk):
                yield chunk
    except GeneratorExit:
        seen.leave()
        raise
    except BaseException as error:
        seen.fail(error)
        raise
    seen.finish()
