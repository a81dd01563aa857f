"""A handler and a formatter for the logging module; the root logger stays as it is."""

import logging
from datetime import UTC, datetime
from os import PathLike
from typing import Any

from outlay.journal.lines import json_line
from outlay.logs.calls import CALL
from outlay.logs.jsonl import JsonlLog


class CostLogFormatter(logging.Formatter):
    """Formats a call as one JSON object, and any other record as one with timestamp, level and message."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the record as one line of JSON."""
        return json_line(entry_of(record)).decode()


class CostLogHandler(logging.Handler):
    """Writes each logged call as a line of JSON to a file; records that are no calls are left to others.

    Usable from ``dictConfig``, on the logger ``outlay`` with level INFO. The file may hold ``{query_type}``.
    """

    def __init__(
        self,
        filename: str | PathLike[str] = "llm_costs.log",
        *,
        level: int | str = logging.NOTSET,
        essentials: bool = False,
        max_bytes: int | None = None,
        keep: int = 5,
    ) -> None:
        super().__init__(level)
        self._log = JsonlLog(filename, essentials=essentials, max_bytes=max_bytes, keep=keep)
        self.setFormatter(CostLogFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        """Write a call; a failure goes where the logging module sends those of handlers."""
        entry = getattr(record, CALL, None)
        if entry is None:
            return
        try:
            self._log.write(entry)
        except Exception:  # noqa: BLE001 - the logging module's own way with faults of handlers
            self.handleError(record)


def entry_of(record: logging.LogRecord) -> dict[str, Any]:
    """Give the entry that a log record carries, or makes."""
    entry: dict[str, Any] | None = getattr(record, CALL, None)
    if entry is not None:
        return entry
    at = datetime.fromtimestamp(record.created, UTC).astimezone().replace(tzinfo=None)
    return {
        "timestamp": at.isoformat(timespec="microseconds"),
        "level": record.levelname,
        "message": record.getMessage(),
    }
