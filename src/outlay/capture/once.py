"""Answers that can be read again: whoever reads one, and however often, it is one record."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Generic, TypeVar

from outlay.capture.recorder import Recorder
from outlay.core.ids import uuid7
from outlay.core.record import Record

T = TypeVar("T")

_SEEN = 100_000  # ids of answers that this process has recorded; a ledger refuses what is forgotten here
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)  # an id of this instant tells none


class Lately(Generic[T]):
    """The newest values by key; older ones are forgotten, so that memory is bounded."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, T] = OrderedDict()

    def __setitem__(self, key: str, value: T) -> None:
        self._kept[key] = value
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def __contains__(self, key: str) -> bool:
        return key in self._kept

    def get(self, key: str | None) -> T | None:
        """Give what is known of a key, or None."""
        return None if key is None else self._kept.get(key)


class Once:
    """Records each answer once: its id is made of what identifies it and of the time it says of itself.

    What another process records of the same answer then has the same id, and a ledger refuses the copy.
    """

    def __init__(self, recorder: Callable[[], Recorder]) -> None:
        self._recorder = recorder
        self._seen: Lately[None] = Lately(_SEEN)

    def keep(self, record: Record, key: str, at: datetime | None) -> None:
        """Record an answer, unless this process has done so; ``at`` stands in the answer, or is unknown."""
        identity = uuid7(at or _BEGINNING, sha256(f"{record.provider}\n{key}".encode()).digest())
        if identity not in self._seen:
            self._seen[identity] = None
            self._recorder().sink.append(replace(record, id=identity))
