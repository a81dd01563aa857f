"""A sink that takes calls before their records are made, and makes none."""

from outlay.core.ports import Pending
from outlay.core.record import Entry


class Unmade:
    """A sink that takes calls before their records are made."""

    def __init__(self) -> None:
        self.taken: list[Pending] = []

    def append(self, entry: Entry) -> None:
        raise AssertionError(entry)

    def defer(self, pending: Pending) -> None:
        self.taken.append(pending)

    def flush(self, timeout: float | None = None) -> bool:
        return timeout is None
