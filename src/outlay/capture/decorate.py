"""``track``: a decorator for whatever can be called and makes calls: functions, methods, generators."""

import inspect
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from functools import partial, partialmethod, wraps
from typing import Any, TypeVar, cast

from outlay.capture.recorder import UNKNOWN, Recorder
from outlay.capture.streams import CANCELLED
from outlay.capture.visits import Stepping, Visit

F = TypeVar("F", bound=Callable[..., Any])


def track(
    recorder: Callable[[], Recorder],
    *,
    provider: str = UNKNOWN,
    api: str | None = None,
    model: str | None = None,
    **attributes: Any,
) -> Callable[[F], F]:
    """Make a decorator that says whom the calls inside a function are for, and sees that none is missed.

    Calls by an instrumented SDK inside are recorded as ever, with these attributes. Where none was seen, the
    function's own result is read: a response with usage, or an exception, makes one record.
    """

    def visit() -> Visit:
        return Visit(recorder(), provider, api, model, attributes)

    def decorator(function: F) -> F:
        return cast("F", _tracked(function, visit))

    return decorator


def _tracked(function: Any, visit: Callable[[], Visit]) -> Any:
    """Wrap whatever can be called; what is called by way of a class keeps its kind."""
    if isinstance(function, classmethod | staticmethod):
        return type(function)(_tracked(function.__func__, visit))
    if isinstance(function, partialmethod):
        return partialmethod(_tracked(function.func, visit), *function.args, **function.keywords)
    if isinstance(function, type) or not callable(function):
        raise TypeError(f"track decorates functions and methods, not {function!r:.60}; decorate its methods")
    body = function if inspect.isroutine(function) or isinstance(function, partial) else function.__call__
    if inspect.isasyncgenfunction(body):
        return _wrap_async_generator(function, visit)
    if inspect.iscoroutinefunction(body):
        return _wrap_coroutine(function, visit)
    if inspect.isgeneratorfunction(body):
        return _wrap_generator(function, visit)
    return _wrap_function(function, visit)


def _wrap_function(function: Callable[..., Any], visit: Callable[[], Visit]) -> Callable[..., Any]:
    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        visiting = visit()
        try:
            with visiting:
                result = function(*args, **kwargs)
        except BaseException as error:
            visiting.raised(error)
            raise
        return _later(visiting, result)

    return wrapper


def _later(visiting: Visit, result: Any) -> Any:
    """Stay with what a plain function only began: a coroutine or generator that it gave back."""
    for began, wrap in (
        (inspect.iscoroutine, _wrap_coroutine),
        (inspect.isgenerator, _wrap_generator),
        (inspect.isasyncgen, _wrap_async_generator),
    ):
        if began(result):
            return wrap(lambda: result, lambda: visiting)()
    visiting.returned(result)
    return result


def _wrap_coroutine(
    function: Callable[..., Awaitable[Any]], visit: Callable[[], Visit]
) -> Callable[..., Awaitable[Any]]:
    @wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        visiting = visit()
        try:
            with visiting:
                result = await function(*args, **kwargs)
        except BaseException as error:
            visiting.raised(error)
            raise
        visiting.returned(result)
        return result

    return wrapper


def _wrap_generator(
    function: Callable[..., Iterator[Any]], visit: Callable[[], Visit]
) -> Callable[..., Iterator[Any]]:
    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        visiting = visit()
        inner = function(*args, **kwargs)
        try:
            result = yield from Stepping(inner, visiting)
        except BaseException as error:
            visiting.raised(error)
            raise
        visiting.returned(result)
        return result

    return wrapper


def _wrap_async_generator(
    function: Callable[..., AsyncIterator[Any]], visit: Callable[[], Visit]
) -> Callable[..., AsyncIterator[Any]]:
    @wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        visiting = visit()
        inner: Any = function(*args, **kwargs)
        step = _first_step(inner)
        let_go = False
        try:
            while True:
                with visiting:
                    item = await step
                try:
                    step = inner.asend((yield item))
                except GeneratorExit:
                    raise
                except BaseException as thrown:  # noqa: BLE001 - the inner generator decides
                    let_go = type(thrown).__name__ == CANCELLED
                    step = inner.athrow(thrown)
        except StopAsyncIteration:
            return
        except BaseException as error:
            if not let_go:
                visiting.raised(error)
            raise
        finally:
            # Left within a step, as where its loop has gone, it cannot be closed: it goes when it is let go.
            if not inner.ag_running:
                with visiting:
                    await inner.aclose()

    return wrapper


def _first_step(inner: Any) -> Any:
    """Begin a generator that its loop does not learn of: else both would close it where the loop ends."""
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, None)
    try:
        return inner.asend(None)
    finally:
        sys.set_asyncgen_hooks(*hooks)
