"""``carry`` and ``carrying``: what a context says, taken along into threads, executors and callbacks."""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from contextvars import ContextVar, Token
from functools import update_wrapper, wraps
from typing import Any, ParamSpec, TypeVar, cast

from outlay.capture import contexts

P = ParamSpec("P")
T = TypeVar("T")


def carry(function: Callable[P, T]) -> Callable[P, T]:
    """Make a function that runs, wherever and whenever it is called, in the context that is open now.

    For what does not follow contexts by itself: ``threading.Thread``, executors, callbacks of other threads.
    The result of a plain function can be pickled if the function can; in another process it has the user,
    session and tags of here.
    """
    if inspect.iscoroutinefunction(function):
        return cast("Callable[P, T]", _carried_coroutine(function))
    return _Carried(function, contexts.attribution.get(), contexts.scope.get(), contexts.inside.get())


def carrying(executor: Executor) -> Executor:
    """Make an executor that runs what it is given in the context of whoever gives it; on top of another."""
    return _CarryingExecutor(executor)


class _Carried:
    """A function with the context of another place."""

    def __init__(
        self,
        function: Callable[..., Any],
        attribution: contexts.Attribution,
        scope: contexts.Scope | None,
        inside: object | None,
    ) -> None:
        update_wrapper(self, function)
        self._function = function
        self._said = (attribution, scope, inside)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with _standing(*self._said):
            return self._function(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave behind what means nothing in another process: the calls that are under way here."""
        attribution, _, inside = self._said
        return _Carried, (self._function, attribution, None, inside if isinstance(inside, str) else None)


def _carried_coroutine(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    said = (contexts.attribution.get(), contexts.scope.get(), contexts.inside.get())

    @wraps(function)
    async def carried(*args: Any, **kwargs: Any) -> Any:
        with _standing(*said):
            return await function(*args, **kwargs)

    return carried


@contextmanager
def _standing(
    attribution: contexts.Attribution, scope: contexts.Scope | None, inside: object | None
) -> Iterator[None]:
    tokens: tuple[tuple[ContextVar[Any], Token[Any]], ...] = (
        (contexts.inside, contexts.inside.set(inside)),
        (contexts.scope, contexts.scope.set(scope)),
        (contexts.attribution, contexts.attribution.set(attribution)),
    )
    try:
        yield
    finally:
        for variable, token in tokens:
            contexts.restore(variable, token)


class _CarryingExecutor(Executor):
    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        return self._executor.submit(carry(fn), *args, **kwargs)

    def map(self, fn: Callable[..., T], *iterables: Iterable[Any], **how: Any) -> Iterator[T]:
        return self._executor.map(carry(fn), *iterables, **how)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - Executor's
        self._executor.shutdown(wait, cancel_futures=cancel_futures)
