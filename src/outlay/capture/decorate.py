"""``track``: a decorator for functions, coroutines, generators and async generators that make calls."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from functools import wraps
from typing import Any, TypeVar, cast

from outlay.capture import contexts
from outlay.capture.call import Call
from outlay.capture.guard import guarded
from outlay.capture.recorder import UNKNOWN, Recorder
from outlay.core.errors import OutlayError
from outlay.extract import read

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

    def decorator(function: F) -> F:
        def visit() -> _Visit:
            return _Visit(recorder(), provider, api, model, attributes)

        if inspect.isasyncgenfunction(function):
            return cast("F", _wrap_async_generator(function, visit))
        if inspect.iscoroutinefunction(function):
            return cast("F", _wrap_coroutine(function, visit))
        if inspect.isgeneratorfunction(function):
            return cast("F", _wrap_generator(function, visit))
        return cast("F", _wrap_function(function, visit))

    return decorator


class _Visit:
    """One run of a tracked function: its attributes, its scope, and the call it stands for if it saw none."""

    __slots__ = ("_api", "_attribution", "_call", "_scope", "_tokens")

    def __init__(
        self,
        recorder: Recorder,
        provider: str,
        api: str | None,
        model: str | None,
        attributes: dict[str, Any],
    ) -> None:
        self._api = api
        self._attribution = contexts.attribution.get().with_(attributes)
        self._scope = contexts.Scope(contexts.scope.get())
        self._tokens: tuple[Any, Any] | None = None
        with self:
            self._call = Call(recorder, provider=provider, api=api or "chat", model=model, counted=False)

    def __enter__(self) -> None:
        self._tokens = (contexts.attribution.set(self._attribution), contexts.scope.set(self._scope))

    def __exit__(self, *_: object) -> None:
        attribution, scope = cast("tuple[Any, Any]", self._tokens)
        contexts.scope.reset(scope)
        contexts.attribution.reset(attribution)

    @guarded
    def returned(self, result: Any) -> None:
        """The function gave a result: read it if no call was seen inside."""
        if self._scope.seen or result is None or isinstance(result, str | bytes | int | float | bool):
            return
        try:
            usage = read(result, provider=self._call.provider, api=self._api)
        except OutlayError:
            return
        if usage.items or usage.reported_cost is not None:
            self._call.finish(usage)
            self._tell_outer()

    def raised(self, error: BaseException) -> None:
        """The function failed: that is a failed call, unless the call was seen inside."""
        if not self._scope.seen and not isinstance(error, GeneratorExit):
            self._call.fail(error)
            self._tell_outer()

    def _tell_outer(self) -> None:
        if self._scope.outer is not None:
            self._scope.outer.saw_call()


def _wrap_function(function: Callable[..., Any], visit: Callable[[], _Visit]) -> Callable[..., Any]:
    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        visiting = visit()
        try:
            with visiting:
                result = function(*args, **kwargs)
        except BaseException as error:
            visiting.raised(error)
            raise
        visiting.returned(result)
        return result

    return wrapper


def _wrap_coroutine(
    function: Callable[..., Awaitable[Any]], visit: Callable[[], _Visit]
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
    function: Callable[..., Iterator[Any]], visit: Callable[[], _Visit]
) -> Callable[..., Iterator[Any]]:
    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        visiting = visit()
        inner = function(*args, **kwargs)
        try:
            result = yield from _Stepping(inner, visiting)
        except BaseException as error:
            visiting.raised(error)
            raise
        visiting.returned(result)
        return result

    return wrapper


class _Stepping:
    """A generator whose every step runs inside the visit, so that its context never leaks to the caller."""

    def __init__(self, inner: Any, visiting: _Visit) -> None:
        self._inner = inner
        self._visiting = visiting

    def __iter__(self) -> "_Stepping":
        return self

    def __next__(self) -> Any:
        with self._visiting:
            return next(self._inner)

    def send(self, value: Any) -> Any:
        with self._visiting:
            return self._inner.send(value)

    def throw(self, *error: Any) -> Any:
        with self._visiting:
            return self._inner.throw(*error)

    def close(self) -> None:
        with self._visiting:
            self._inner.close()


def _wrap_async_generator(
    function: Callable[..., AsyncIterator[Any]], visit: Callable[[], _Visit]
) -> Callable[..., AsyncIterator[Any]]:
    @wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        visiting = visit()
        inner: Any = function(*args, **kwargs)
        step = inner.asend(None)
        try:
            while True:
                with visiting:
                    item = await step
                try:
                    step = inner.asend((yield item))
                except GeneratorExit:
                    raise
                except BaseException as thrown:  # noqa: BLE001 - the inner generator decides
                    step = inner.athrow(thrown)
        except StopAsyncIteration:
            return
        except BaseException as error:
            visiting.raised(error)
            raise
        finally:
            with visiting:
                await inner.aclose()

    return wrapper
