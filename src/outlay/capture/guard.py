"""The guard of instrumentation: nothing of ours reaches the caller; failures are counted and logged once."""

import logging
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import ParamSpec, TypeVar

from outlay.core.errors import BudgetExceededError, OutlayError, ResponseError, UsageError

log = logging.getLogger("outlay")

P = ParamSpec("P")
T = TypeVar("T")

_MAX_PLACES = 100
_QUOTING = (UsageError, ResponseError)  # errors of ours that quote the value that cannot be
failures: dict[str, int] = {}
"""How often which of our functions failed in this process; bounded by the number of places."""


def note_failure(place: str, error: BaseException) -> None:
    """Count a failure of ours; the first one of a place is logged: its class and where it arose, no more.

    What an exception says is not ours to log: it may quote the prompt, the reply or the key that it met.
    """
    if place in failures:
        failures[place] += 1
    elif len(failures) < _MAX_PLACES:
        failures[place] = 1  # before it is logged: the program's handler may come by here again
        with suppress(Exception):  # of the program's handler, or its filter
            _log(place, error)


def _log(place: str, error: BaseException) -> None:
    if isinstance(error, OutlayError) and not isinstance(error, _QUOTING):  # written for who reads it
        log.warning("outlay: %s", error)
    else:
        log.warning(
            "outlay: %s failed and was left out: %s%s; later failures are only counted",
            place,
            type(error).__name__,
            "".join(f" at {step}" for step in _steps(error)[-1:]),
        )
    log.debug("outlay: where %s failed: %s", place, "; ".join(_steps(error)))


def _steps(error: BaseException) -> list[str]:
    """Name the lines through which an error came, without their source: it may hold a literal key."""
    steps = traceback.walk_tb(error.__traceback__)
    return [f"{frame.f_code.co_filename}:{line} ({frame.f_code.co_name})" for frame, line in steps]


def text_of(value: object) -> str | None:
    """Give a value's text; None where it has none, as a lazy one whose database is away."""
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - a stranger's object may raise anything
        note_failure("text_of", error)
        return None


def guarded(function: Callable[P, T]) -> Callable[P, T | None]:
    """Wrap a function so that it gives None where it would raise; a hard stop passes, it was asked for."""
    place = getattr(function, "__qualname__", type(function).__qualname__)  # a partial has no name

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T | None:
        try:
            return function(*args, **kwargs)
        except BudgetExceededError:
            raise
        except Exception as error:  # noqa: BLE001 - the guard's whole purpose
            note_failure(place, error)
            return None

    return wrapper
