"""The tracker that keeps its calls in memory, and the protocol that every tracker meets."""

import threading
from datetime import datetime
from typing import Any, ClassVar, Protocol, runtime_checkable

from outlay.core.instants import instant
from outlay.core.ports import Clock
from outlay.core.record import Record
from outlay.trackers.figures import chosen, stats_of
from outlay.trackers.making import WHOLE, Maker
from outlay.trackers.values import UsageEntry, UsageStats, UserId, entry_of

Moment = datetime | str | None


@runtime_checkable
class UsageTracker(Protocol):
    """Takes calls and gives their totals; what a client needs of a tracker."""

    def record(self, *args: Any, **kwargs: Any) -> Any:
        """Take one call: llm_id, user_id, prompt_tokens, completion_tokens, cost, metadata."""
        ...

    def get_stats(self, *, user_id: UserId | None = None) -> Any:
        """Give the totals, of all calls or of one user's."""
        ...


class BaseTracker:
    """What all trackers share: taking calls, and totals over them; heirs say where calls are kept.

    ``takes`` are keywords beyond those of the protocol by which a client may tell a call whole.
    """

    takes: ClassVar[frozenset[str]] = WHOLE

    def __init__(self, *, clock: Clock | None = None) -> None:
        self._maker = Maker(clock)

    def _keep(self, record: Record) -> Record:
        raise NotImplementedError

    def calls(self) -> list[Record]:
        """Give every call as a Record, in the order in which they were taken."""
        raise NotImplementedError

    def record(self, result: Any = None, prompt_snippet: str = "", **given: Any) -> Record:
        """Take one call and give its Record.

        ``result`` is a response with ``input_tokens``, ``output_tokens``, ``cost_usd``, ``latency_ms``,
        ``success``, ``provider`` and ``model``; or everything is given by keywords: ``llm_id``, ``user_id``,
        ``prompt_tokens``, ``completion_tokens``, ``cost``, ``metadata``, …. Without a cost the price book is
        asked; a price that nobody knows is counted as such and never as zero.

        Raises:
            TypeError: an unknown keyword, or no token counts.
            UsageError: a count or cost that cannot be; a ValueError.
        """
        return self._keep(self._made(result, prompt_snippet, given))

    def _made(self, result: Any, prompt_snippet: str, given: dict[str, Any]) -> Record:
        if result is None:
            return self._maker.of_fields(given, prompt_snippet)
        return self._maker.of_result(result, prompt_snippet, given)

    def track(self, *args: Any, **kwargs: Any) -> Record:
        """Take one call; a second name of :meth:`record`."""
        return self.record(*args, **kwargs)

    def log(self, record: Any) -> Record:
        """Take a usage record of either kind and give its Record.

        One kind has model, input_tokens, output_tokens, timestamp and user_id; the other llm_id, user_id,
        prompt_tokens, completion_tokens, cost and timestamp. Any object with these attributes will do.

        Raises:
            UsageError: a count or cost that cannot be; a ValueError.
            QueryError: a timestamp that is none; a ValueError.
        """
        return self._keep(self._maker.of_usage_record(record))

    def get_stats(
        self,
        *,
        user_id: UserId | None = None,
        llm_id: Any = None,
        since: Moment = None,
        until: Moment = None,
    ) -> UsageStats:
        """Give the totals of all calls, or of those that pass every filter; since is inclusive.

        Raises:
            QueryError: a time that is none; a ValueError.
        """
        return stats_of(
            chosen(
                self.calls(),
                user_id=user_id,
                llm_id=llm_id,
                since=None if since is None else instant(since),
                until=None if until is None else instant(until),
            )
        )


class InMemoryTracker(BaseTracker):
    """Keeps calls for as long as it lives; safe to use from any thread or task."""

    def __init__(self, *, clock: Clock | None = None) -> None:
        super().__init__(clock=clock)
        self._calls: list[Record] = []
        self._lock = threading.Lock()

    def _keep(self, record: Record) -> Record:
        with self._lock:
            self._calls.append(record)
        return record

    def calls(self) -> list[Record]:
        """Give every call as a Record, in the order in which they were taken."""
        with self._lock:
            return list(self._calls)

    @property
    def records(self) -> list[UsageEntry]:
        """Every call as an entry with llm_id, user_id, tokens, cost, timestamp and metadata."""
        return [entry_of(record) for record in self.calls()]

    def reset(self) -> None:
        """Forget every call."""
        with self._lock:
            self._calls.clear()
