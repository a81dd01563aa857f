"""``tracked_chat``: a decorator that logs what the response of a function says it used."""

import inspect
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any, TypeVar, cast

from outlay.capture.answers import FAILED
from outlay.capture.guard import guarded, note_failure
from outlay.capture.recorder import UNKNOWN
from outlay.capture.redact import words_of
from outlay.capture.results import named, read_result
from outlay.core.cost import unpriced
from outlay.core.usage import Usage
from outlay.trackers.prices import call_charge, maker_of
from outlay.trackers.tracker import BaseTracker, UsageTracker
from outlay.trackers.values import UserId

F = TypeVar("F", bound=Callable[..., Any])


def tracked_chat(tracker: UsageTracker, user_id: UserId | None = None) -> Callable[[F], F]:
    """Make a decorator for a function or coroutine that calls a model; each call is logged once.

    The model is the one that the response names, else the function's argument ``model``, else that
    argument's default. A call that raises is logged as failed. A tracker that fails never breaks the call.
    """

    def decorator(function: F) -> F:
        if inspect.iscoroutinefunction(function):

            @wraps(function)
            async def awaiting(*args: Any, **kwargs: Any) -> Any:
                visit = _Visit(tracker, user_id, _asked(function, args, kwargs))
                try:
                    result = await function(*args, **kwargs)
                except GeneratorExit as error:  # nothing may be awaited any more
                    visit.failed(error)
                    raise
                except BaseException as error:
                    await visit.log_awaiting(visit.told_of_failure(error))
                    raise
                await visit.log_awaiting(visit.told_of(result))
                return result

            return cast("F", awaiting)

        @wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            visit = _Visit(tracker, user_id, _asked(function, args, kwargs))
            try:
                result = function(*args, **kwargs)
            except BaseException as error:
                visit.failed(error)
                raise
            visit.returned(result)
            return result

        return cast("F", wrapper)

    return decorator


class _Visit:
    """One run of a tracked function."""

    def __init__(self, tracker: UsageTracker, user_id: UserId | None, model: str | None) -> None:
        self._tracker = tracker
        self._user = user_id
        self._model = model
        self._at = datetime.now(UTC)
        self._start = time.perf_counter()

    def returned(self, result: Any) -> None:
        """Log what a response used."""
        self._log(self.told_of(result))

    def failed(self, error: BaseException) -> None:
        """Log that the call failed."""
        self._log(self.told_of_failure(error))

    async def log_awaiting(self, told: dict[str, Any] | None) -> None:
        """Log from a coroutine: a tracker that can wait without holding up the loop does."""
        waiting = getattr(self._tracker, "arecord", None)
        if told is None or waiting is None:
            self._log(told)
            return
        try:
            await waiting(**told)
        except Exception as error:  # noqa: BLE001 - a tracker that fails never breaks the call
            note_failure("tracked_chat", error)

    @guarded
    def _log(self, told: dict[str, Any] | None) -> None:
        if told is not None:
            self._tracker.record(**told)

    @guarded
    def told_of(self, result: Any) -> dict[str, Any]:
        """Say what a response used, as the tracker's keywords."""
        provider = named(result, "provider")
        reading = read_result(result, provider=provider if isinstance(provider, str) else UNKNOWN)
        return self._told(reading.usage, reading.model or self._model, {})

    @guarded
    def told_of_failure(self, error: BaseException) -> dict[str, Any]:
        """Say that the call failed, as the tracker's keywords."""
        what = {"success": False, "error": words_of(error), "error_type": type(error).__name__}
        return self._told(Usage(reason=FAILED), self._model, what)

    def _told(self, usage: Usage, model: str | None, what: dict[str, Any]) -> dict[str, Any]:
        known = usage.items or usage.reason is None or usage.reported_cost is not None
        charge = call_charge(usage, model, self._at) if known else unpriced(usage.reason or FAILED)
        latency = round((time.perf_counter() - self._start) * 1000, 3)
        if not isinstance(self._tracker, BaseTracker):
            return {
                "llm_id": model,
                "user_id": self._user,
                "prompt_tokens": usage.input_tokens,
                "completion_tokens": usage.output_tokens,
                "cost": charge.amount,
                "metadata": {"latency_ms": latency, **what},
            }
        return {
            "usage": usage,
            "charge": charge,
            "model": model,
            "provider": maker_of(model),
            "user_id": self._user,
            "timestamp": self._at,
            "latency_ms": latency,
            **what,
        }


@guarded
def _asked(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """Find the model that a call asks for, in its arguments or their defaults."""
    if isinstance(kwargs.get("model"), str):
        return str(kwargs["model"])
    bound = inspect.signature(function).bind_partial(*args, **kwargs)
    bound.apply_defaults()
    model = bound.arguments.get("model")
    return model if isinstance(model, str) else None
