"""``track_llm_cost``: a decorator that logs each call of a function through ``log_llm_call``."""

import inspect
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from outlay.capture.guard import guarded
from outlay.logs.calls import log_llm_call

F = TypeVar("F", bound=Callable[..., Any])


def track_llm_cost(query_type: str | None = None) -> Callable[[F], F]:
    """Make a decorator for functions and coroutines that call a model.

    The prompt is the argument ``prompt``, else the first one that is a text; only its length is logged. An
    error is logged and raised. A log that fails never breaks the call.
    """

    def decorator(function: F) -> F:
        if inspect.iscoroutinefunction(function):

            @wraps(function)
            async def awaiting(*args: Any, **kwargs: Any) -> Any:
                start = time.perf_counter()
                try:
                    result = await function(*args, **kwargs)
                except BaseException as error:
                    _log(function, args, kwargs, error=error, latency=_since(start), query_type=query_type)
                    raise
                _log(function, args, kwargs, result=result, latency=_since(start), query_type=query_type)
                return result

            return cast("F", awaiting)

        @wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                result = function(*args, **kwargs)
            except BaseException as error:
                _log(function, args, kwargs, error=error, latency=_since(start), query_type=query_type)
                raise
            _log(function, args, kwargs, result=result, latency=_since(start), query_type=query_type)
            return result

        return cast("F", wrapper)

    return decorator


@guarded
def _log(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], **logged: Any) -> None:
    log_llm_call(prompt_in(function, args, kwargs), **logged)


def prompt_in(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Find the prompt among a call's arguments."""
    try:
        given = inspect.signature(function).bind_partial(*args, **kwargs).arguments
    except (TypeError, ValueError):  # arguments that do not fit, or a function that tells no signature
        given = dict(kwargs)
    inner = next((value for value in given.values() if isinstance(value, dict) and "prompt" in value), {})
    if "prompt" in given or "prompt" in inner:
        return given.get("prompt", inner.get("prompt"))
    return next((value for value in (*given.values(), *args) if isinstance(value, str)), "")


def _since(start: float) -> float:
    return time.perf_counter() - start
