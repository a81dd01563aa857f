"""Spans of two emitters that tell of one call and do not stand above each other; bounded.

LangChain asks tracers of its asynchronous models in threads, where they see no span around them and put none
around the client's: nothing ties the two spans but what they say. Each repeats one other, so that equal calls
side by side stay as many as they are.
"""

from collections import deque
from typing import NamedTuple

from outlay.otel.identity import alike, overlap

MAX_TOLD = 256  # of an emitter
_FRAMEWORK = "langchain"


class Told(NamedTuple):
    """What a span says, by which another one that tells of the same call is known."""

    scope: str
    provider: str
    models: tuple[str, ...]
    response_id: str | None
    used: tuple[int, int]  # input and output; 0 where it says nothing of them
    start: int
    end: int


class Twins:
    """The last calls that no other span has repeated yet; used under a lock of its owner."""

    def __init__(self) -> None:
        self._told: dict[str, deque[Told]] = {}  # by emitter, for no emitter repeats itself

    def repeats(self, told: Told) -> bool:
        """Say whether a span repeats one of the last ones, which it uses up; if not, it is one of them."""
        others = [each for scope, last in self._told.items() if scope != told.scope for each in last]
        same = [other for other in others if _are_one(told, other)]
        if not same:
            self._told.setdefault(told.scope, deque(maxlen=MAX_TOLD)).append(told)
            return False
        first = min(same, key=_start)  # of calls side by side, the one that began with it
        self._told[first.scope].remove(first)
        return True


def _start(told: Told) -> int:
    return told.start


def _are_one(one: Told, other: Told) -> bool:
    """Whether two emitters mean one call: one within the other's time, of the same model and counts.

    Where they share no count, or name the answer otherwise, that is little: then the outer one is to be
    LangChain's, which gives answers ids of its own, too.
    """
    inner, outer = sorted((one, other), key=_room)
    sides = tuple(zip(one.used, other.used, strict=True))
    is_known = any(here == there > 0 for here, there in sides) and not _differ(
        one.response_id, other.response_id
    )
    return (
        outer.scope != inner.scope
        and outer.start <= inner.start
        and inner.end <= outer.end
        and all(here == there or not (here and there) for here, there in sides)
        and (is_known or _FRAMEWORK in outer.scope)
        and alike(one.provider, other.provider)
        and overlap(one.models, other.models)
    )


def _room(told: Told) -> tuple[int, bool]:
    """Give how much a span has room for; where a coarse clock gives both one time, LangChain's is outside."""
    return told.end - told.start, _FRAMEWORK in told.scope


def _differ(one: str | None, other: str | None) -> bool:
    return bool(one and other) and one != other
