"""What the leaves share: a method measured from call to answer, an answer read, a stream's close noticed."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from outlay.capture.answers import read_answer
from outlay.capture.call import Call
from outlay.capture.contexts import inside, restore
from outlay.capture.guard import guarded, note_failure
from outlay.capture.streams import Watch
from outlay.core.usage import Usage

Begin = Callable[[Any, tuple[Any, ...], dict[str, Any]], Call | None]
"""(self, args, kwargs) -> the call that starts, or None where nothing is billed or another hook counts it."""
Settle = Callable[[Call, Any], Any]
"""(call, result) -> what the caller gets in its place, or None to give the result itself."""


UNREAD = Usage(reason="the response could not be read")


def settling(settle: Settle) -> Settle:
    """Have a call recorded over whose answer its reader stumbles: it was made, and is paid all the same."""
    place = getattr(settle, "__qualname__", type(settle).__qualname__)  # a partial has no name

    def settled(call: Call, result: Any) -> Any:
        try:
            return settle(call, result)
        except Exception as error:  # noqa: BLE001 - the guard
            note_failure(place, error)
            call.finish(UNREAD)
            return None

    return settled


def measured(original: Callable[..., Any], begin: Begin, settle: Settle) -> Callable[..., Any]:
    """Wrap a method that makes one request: one call around it, counted by nobody further in."""
    begin, settle = guarded(begin), settling(settle)

    @wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        call = begin(self, args, kwargs)
        if call is None:
            return original(self, *args, **kwargs)
        if call.said is not None:
            call.said.asked(kwargs, *args)
        token = inside.set(call)
        try:
            result = original(self, *args, **kwargs)
        except BaseException as error:
            call.fail(error)
            raise
        finally:
            restore(inside, token)
        given = settle(call, result)
        return result if given is None else given

    return method


def measured_async(
    original: Callable[..., Awaitable[Any]], begin: Begin, settle: Settle
) -> Callable[..., Awaitable[Any]]:
    """Wrap a coroutine method likewise."""
    begin, settle = guarded(begin), settling(settle)

    @wraps(original)
    async def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        call = begin(self, args, kwargs)
        if call is None:
            return await original(self, *args, **kwargs)
        if call.said is not None:
            call.said.asked(kwargs, *args)
        token = inside.set(call)
        try:
            result = await original(self, *args, **kwargs)
        except BaseException as error:
            call.fail(error)
            raise
        finally:
            restore(inside, token)
        given = settle(call, result)
        return result if given is None else given

    return method


Look = Callable[[Any, tuple[Any, ...], dict[str, Any], Any], object]
"""(self, args, kwargs, result): looks at what a request that costs nothing itself gave."""


def looked_at(original: Callable[..., Any], look: Look) -> Callable[..., Any]:
    """Wrap a method whose results are looked at."""
    look = guarded(look)

    @wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        look(self, args, kwargs, result)
        return result

    return method


def looked_at_async(original: Callable[..., Awaitable[Any]], look: Look) -> Callable[..., Awaitable[Any]]:
    """Wrap a coroutine method likewise."""
    look = guarded(look)

    @wraps(original)
    async def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = await original(self, *args, **kwargs)
        look(self, args, kwargs, result)
        return result

    return method


def attempting(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap what sends a call's request once: a client that tries again comes by here again."""

    @wraps(original)
    def attempt(*args: Any, **kwargs: Any) -> Any:
        _attempted()
        return original(*args, **kwargs)

    return attempt


def attempting_async(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Wrap a coroutine function likewise."""

    @wraps(original)
    async def attempt(*args: Any, **kwargs: Any) -> Any:
        _attempted()
        return await original(*args, **kwargs)

    return attempt


def _attempted() -> None:
    call = inside.get()
    if isinstance(call, Call):
        call.attempt()


def usage_in(body: Any, call: Call, api: str | None = None) -> Usage:
    """Read what an answer used; one that cannot be read gives the reason instead."""
    if call.said is not None:
        call.said.answered(body)
    return read_answer(body, call.provider, api or call.api)


def text_or_none(value: object) -> str | None:
    """Give a name that is text; an SDK's marker for what was not given is none."""
    return value if isinstance(value, str) and value else None


def mark(stream: Any, seen: Watch) -> None:
    """Tell a stream who watches it, so that its close is noticed; without a cycle."""
    stream._outlay_watch = seen  # noqa: SLF001 - our own mark on a stranger's object


def watch_of(stream: Any) -> Watch | None:
    """Give the one who watches a stream, if it is ours."""
    seen = getattr(stream, "_outlay_watch", None)
    return seen if isinstance(seen, Watch) else None


def _leave(stream: Any) -> None:
    """Tell whoever watches a stream, or the one inside of a helper, that it is closed."""
    seen = watch_of(stream) or watch_of(getattr(stream, "_raw_stream", None))
    if seen is not None:
        guarded(seen.leave)()


def leaving(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a stream's ``close`` or ``__exit__``: a call that is still open then was left early."""

    @wraps(original)
    def close(self: Any, *args: Any) -> Any:
        _leave(self)
        return original(self, *args)

    return close


def leaving_async(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Wrap an asynchronous ``close`` or ``__aexit__`` likewise."""

    @wraps(original)
    async def close(self: Any, *args: Any) -> Any:
        _leave(self)
        return await original(self, *args)

    return close
