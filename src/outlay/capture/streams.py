"""Streams, watched: the caller gets the very same chunks in the same order; one Record when the stream ends.

Whether a stream runs to its end, is closed early, fails, is cancelled, or is dropped and collected: its
call is recorded once, with what the chunks so far said of usage.
"""

import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, TypeVar, cast

from outlay.capture import contexts
from outlay.capture.call import Call
from outlay.capture.guard import guarded, note_failure
from outlay.capture.texts import Listening
from outlay.core.usage import Usage
from outlay.extract import Collector, body_of
from outlay.extract.streams import LastUsage

T = TypeVar("T")
_NONE = object()  # in place of a chunk, where there is no more
CANCELLED = "CancelledError"  # by its name: asyncio takes long to load
"""What a generator that was dropped is closed with where its loop ends just then: its caller let it go."""


class Open:
    """What may be left before its end; its kind is how the end of a program finds it."""

    __slots__ = ()

    def leave(self) -> None:
        """Record what is under way as left, unless that is recorded already, or a parent's to record."""
        raise NotImplementedError


class Watch(Open):
    """Collects what a stream's events say of usage, and ends the call once.

    It must not refer to the stream itself: a stream that is dropped has to be collected at once, and this
    with it, for that is how a stream that nobody reads is noticed.
    """

    __slots__ = ("_pid", "call", "collector", "hidden")

    def __init__(self, call: Call, collector: Collector, hidden: Callable[[Any], bool] | None = None) -> None:
        self.call = call
        self.collector: Collector = collector if call.said is None else Listening(collector, call.said)
        self.hidden = hidden  # tells a chunk that only came because we asked for it
        self._pid = os.getpid()

    def begin(self, chunk: Any) -> None:
        """Take the first chunk, and note when it came."""
        self.call.first_token()
        self.take(chunk)

    def take(self, chunk: Any) -> None:
        """Take a chunk; a fault of ours is noted and the chunk goes on."""
        try:
            self.collector.add(chunk)
        except Exception as error:  # noqa: BLE001 - the guard, without a further call a chunk
            note_failure("Watch.take", error)

    def taker(self) -> Callable[[Any], None]:
        """Give what takes each further chunk, in one call a chunk; whoever calls it guards it."""
        if type(self).take is not Watch.take:
            return self.take
        rest: Callable[[Any], None] | None = getattr(self.collector, "rest", None)
        return self.collector.add if rest is None else rest

    def kept(self, chunk: Any) -> LastUsage | None:
        """Give the collector, if all that it does with most chunks like this is to find no usage on them."""
        if type(self).take is not Watch.take:
            return None
        kept = self.collector
        return kept if type(kept) is LastUsage and hasattr(chunk, "usage") else None

    def stumbled(self, chunk: Any, error: Exception) -> None:
        """A chunk was not taken: it is of another kind than the first one, or that is a fault of ours."""
        if isinstance(error, AttributeError) and type(getattr(self, "collector", None)) is LastUsage:
            self.take(chunk)
        else:
            note_failure("Watch.take", error)

    def hides(self, chunk: Any) -> bool:
        """Whether the caller must not see a chunk."""
        try:
            return self.hidden is not None and self.hidden(chunk)
        except Exception as error:  # noqa: BLE001 - likewise
            note_failure("Watch.hides", error)
            return False

    def usage(self) -> Usage:
        """Give what is known of the usage so far; a fault of ours gives a reason instead."""
        try:
            return self.collector.usage()
        except Exception as error:  # noqa: BLE001 - the guard
            note_failure("Watch.usage", error)
            return Usage(reason="the stream's usage could not be read")

    def as_body(self) -> Mapping[str, Any] | None:
        """Give the body that a finished stream amounts to, where its collector can tell."""
        return body_of(self.collector)

    def finish(self) -> None:
        """The stream came to its end: its usage is read when the Record is made, where that can wait."""
        if self.call.done:
            return
        try:
            hold = getattr(self.collector, "hold", None)
            if hold is not None:
                hold()
                self.call.finish(self)
                return
        except Exception as error:  # noqa: BLE001 - likewise
            note_failure("Watch.finish", error)
        self.call.finish(self.usage())

    def fail(self, error: BaseException) -> None:
        """The stream broke, or its task was cancelled."""
        if not self.call.done:
            self.call.fail(error, self.usage())

    def leave(self) -> None:
        """The caller let go of the stream: complete if the usage had come, partial otherwise.

        A forked child that only ends lets go of a copy: the call is its parent's to record.
        """
        if self.call.done or self._pid != os.getpid():
            return
        if self._has_all():
            self.call.finish(self.usage())
        else:
            self.call.leave(self.usage())

    def _has_all(self) -> bool:
        try:
            return self.collector.complete
        except Exception as error:  # noqa: BLE001 - the guard
            note_failure("Watch.leave", error)
            return False

    @guarded  # here, for none can be made while the interpreter is torn down
    def __del__(self) -> None:
        if not self.call.done:
            self.leave()


def watch(chunks: Iterator[T], seen: Watch) -> Iterator[T]:
    """Pass a stream's chunks on, each the very object that came, and end its call when it ends."""
    take: Callable[[Any], None] = seen.begin
    then, hidden = seen.taker(), seen.hidden
    kept: LastUsage | None = None
    try:
        for chunk in chunks:
            try:
                if kept is None:
                    take(chunk)
                    if take is not then:
                        take, kept = then, seen.kept(chunk)
                else:  # no function is called for most chunks
                    kept.last = chunk
                    if chunk.usage is not None:  # type: ignore[attr-defined]  # the first one has it
                        kept.carry(chunk)
            except Exception as error:  # noqa: BLE001 - the guard
                seen.stumbled(chunk, error)
            if hidden is not None and (kept is None or kept.carrier is chunk) and seen.hides(chunk):
                continue
            yield chunk
    except GeneratorExit:
        seen.leave()
        raise
    except BaseException as error:
        seen.fail(error)
        raise
    seen.finish()


async def watch_async(  # noqa: C901 - the way of a chunk, without a further call
    chunks: AsyncIterator[T], seen: Watch
) -> AsyncIterator[T]:
    """Do the same for an asynchronous stream."""
    take: Callable[[Any], None] = seen.begin
    then, hidden = seen.taker(), seen.hidden
    kept: LastUsage | None = None
    try:
        async for chunk in chunks:
            try:
                if kept is None:
                    take(chunk)
                    if take is not then:
                        take, kept = then, seen.kept(chunk)
                else:  # no function is called for most chunks
                    kept.last = chunk
                    if chunk.usage is not None:  # type: ignore[attr-defined]  # the first one has it
                        kept.carry(chunk)
            except Exception as error:  # noqa: BLE001 - the guard
                seen.stumbled(chunk, error)
            if hidden is not None and (kept is None or kept.carrier is chunk) and seen.hides(chunk):
                continue
            try:
                yield chunk
            except BaseException as error:
                if type(error).__name__ == CANCELLED:  # not while it waited for a chunk: it was let go
                    seen.leave()
                raise
    except GeneratorExit:
        seen.leave()
        raise
    except BaseException as error:
        seen.fail(error)
        raise
    seen.finish()


def first_inside(call: Call, chunks: Iterator[T]) -> Iterator[T]:
    """Pass chunks on whose request is sent when the first is read: no hook further in counts it too."""
    token = contexts.inside.set(call)
    try:
        first = next(chunks, _NONE)
    finally:
        contexts.restore(contexts.inside, token)
    if first is not _NONE:
        yield cast("T", first)
        yield from chunks


async def first_inside_async(call: Call, chunks: AsyncIterator[T]) -> AsyncIterator[T]:
    """Do the same for an asynchronous stream."""
    token = contexts.inside.set(call)
    try:
        first = await anext(chunks, _NONE)
    finally:
        contexts.restore(contexts.inside, token)
    if first is not _NONE:
        yield cast("T", first)
        async for chunk in chunks:
            yield chunk


class Either:
    """A stream that can be read both ways, as litellm's: it is watched the way that it is read."""

    def __init__(self, chunks: Any, seen: Watch) -> None:
        self._chunks = chunks
        self._seen = seen
        self._each: Iterator[Any] | None = None
        self._each_async: AsyncIterator[Any] | None = None

    def __iter__(self) -> Iterator[Any]:
        if self._each is None:
            self._each = watch(first_inside(self._seen.call, iter(self._chunks)), self._seen)
        return self._each

    def __next__(self) -> Any:
        return next(iter(self))

    def __aiter__(self) -> AsyncIterator[Any]:
        if self._each_async is None:
            self._each_async = watch_async(
                first_inside_async(self._seen.call, aiter(self._chunks)), self._seen
            )
        return self._each_async

    async def __anext__(self) -> Any:
        return await anext(aiter(self))
