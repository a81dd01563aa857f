"""The guard of instrumentation: nothing of ours reaches the caller; failures are counted and logged once."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from outlay.core.errors import BudgetExceededError, OutlayError

log = logging.getLogger("outlay")

P = ParamSpec("P")
T = TypeVar("T")

_MAX_PLACES = 100
failures: dict[str, int] = {}
"""How often which of our functions failed in this process; bounded by the number of places."""


def note_failure(place: str, error: BaseException) -> None:
    """Count a failure of ours; the first one of a place is logged with its traceback."""
    if place not in failures:
        if len(failures) >= _MAX_PLACES:
            return
        if isinstance(error, OutlayError):  # written for who reads it
            log.warning("outlay: %s", error)
        else:
            log.warning(
                "outlay: %s failed and was left out: %r; later failures are only counted", place, error
            )
        log.debug("outlay: where %s failed", place, exc_info=error)
    failures[place] = failures.get(place, 0) + 1


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
