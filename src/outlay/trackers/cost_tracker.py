"""CostTracker: calls with their costs, in a JSON file or in memory, with totals by user, model and day."""

import threading
from datetime import tzinfo
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outlay.capture.printing import show_line
from outlay.core.instants import instant
from outlay.core.ports import Clock
from outlay.core.record import Record
from outlay.trackers import figures
from outlay.trackers.tracker import BaseTracker, Moment
from outlay.trackers.values import CallRecord, UserId, call_of

if TYPE_CHECKING:  # for an annotation alone: a tracker in memory needs no file
    from outlay.trackers.store import JsonFile


class CostTracker(BaseTracker):
    """Keeps calls in the JSON file at ``storage_path``, or in memory where that is None.

    Threads may share a tracker, and processes the file. A call that was logged is in the file when ``log``
    returns; a process that is killed loses at most the call in flight.
    """

    def __init__(
        self, storage_path: str | PathLike[str] | None = "usage.json", *, clock: Clock | None = None
    ) -> None:
        super().__init__(clock=clock)
        self._memory: list[Record] = []
        self._lock = threading.Lock()
        self._file = None if storage_path is None else self._open(Path(storage_path))

    def _open(self, path: Path) -> "JsonFile":
        from outlay.trackers.store import JsonFile  # noqa: PLC0415 - a tracker in memory needs no file

        return JsonFile(path, self._maker.of_usage_record)

    def _keep(self, record: Record) -> Record:
        if self._file is not None:
            self._file.append(record)
        else:
            with self._lock:
                self._memory.append(record)
        return record

    def calls(self) -> list[Record]:
        """Give every call as a Record, in the order in which they were taken."""
        if self._file is not None:
            return self._file.records()
        with self._lock:
            return list(self._memory)

    @property
    def records(self) -> list[CallRecord]:
        """Every call as a line of a call log."""
        return [call_of(record) for record in self.calls()]

    def get_total_cost(
        self, user_id: UserId | None = None, model: str | None = None, since: Moment = None
    ) -> float:
        """Give the known costs in dollars of the calls that pass every filter; ``since`` is inclusive.

        Raises:
            QueryError: ``since`` is no time; a ValueError.
        """
        start = None if since is None else instant(since)
        found = figures.chosen(self.calls(), user_id=user_id, model=model, since=start)
        return float(figures.cost_total(found))

    def get_daily_breakdown(self, tz: str | tzinfo = "UTC") -> dict[str, float]:
        """Give the cost of each day, ``{"2024-01-15": 0.0125}``, in order; days are those of ``tz``.

        ``tz`` is an IANA name, an offset such as ``+02:00``, or a tzinfo.

        Raises:
            QueryError: there is no such time zone; a ValueError.
        """
        local = figures.place(tz)
        return figures.breakdown(self.calls(), lambda record: figures.day_of(record.at, local))

    def get_model_breakdown(self) -> dict[str, float]:
        """Give the cost of each model, by name; it adds up to the total."""
        return figures.breakdown(self.calls(), lambda record: record.model or figures.UNKNOWN_MODEL)

    def total_calls(self) -> int:
        """Count the calls."""
        return len(self.calls())

    def successful_calls(self) -> int:
        """Count the calls that worked."""
        return sum(record.success for record in self.calls())

    def total_input_tokens(self) -> int:
        """Add up the input tokens, cached ones included."""
        return sum(record.input_tokens for record in self.calls())

    def total_output_tokens(self) -> int:
        """Add up the output tokens, reasoning included."""
        return sum(record.output_tokens for record in self.calls())

    def total_tokens(self) -> int:
        """Add up all tokens."""
        return sum(record.total_tokens for record in self.calls())

    def total_cost_usd(self) -> float:
        """Add up the known costs in dollars; ``unpriced_calls`` says how many are not in it."""
        return float(figures.cost_total(self.calls()))

    def avg_latency_ms(self) -> float:
        """Give the mean latency of the timed calls in milliseconds; 0 where there is none."""
        return figures.totals_of(self.calls()).avg_latency_ms or 0.0

    @property
    def unpriced_calls(self) -> int:
        """How many calls the total does not, or not wholly, contain, since nobody knows their price."""
        return len(figures.unpriced(self.calls()))

    def by_provider(self) -> dict[str, dict[str, Any]]:
        """Give calls, success_rate (0 to 1), tokens, cost_usd and avg_latency_ms for each provider."""
        return {
            name: {
                "calls": totals.calls,
                "success_rate": totals.success_rate,
                "input_tokens": totals.input_tokens,
                "output_tokens": totals.output_tokens,
                "cost_usd": None if totals.cost is None else float(totals.cost),
                "avg_latency_ms": totals.avg_latency_ms or 0.0,
            }
            for name, group in figures.by_provider(self.calls()).items()
            for totals in (figures.totals_of(group),)
        }

    def print_summary(self) -> None:
        """Print totals, and the same by provider where there are several."""
        from outlay.render.summary import summary_text  # noqa: PLC0415 - only who prints needs it

        show_line(summary_text(figures.summary_of(self.calls())))

    def print_call_log(self) -> None:
        """Print one row for each call: number, provider, tokens, milliseconds, cost and prompt."""
        from outlay.trackers.call_log import call_log  # noqa: PLC0415 - only who prints needs it

        show_line(call_log(self.calls()))
