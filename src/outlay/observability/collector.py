"""LlmOperationCollector: every recorded call as a row of a polars frame, with filters."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from outlay.core.errors import MissingExtraError
from outlay.core.record import Record

if TYPE_CHECKING:
    import polars as pl

COLUMNS = (
    "session_id",
    "workspace",
    "agent_id",
    "action_id",
    "operation_id",
    "timestamp",
    "operation_type",
    "provider",
    "model",
    "success",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "total_tokens",
    "cost",
    "cost_status",
    "latency_ms",
    "error_message",
    "user_id",
    "query_type",
    "system_prompt",
    "user_prompt",
    "response",
    "temperature",
    "max_tokens",
    "extras",
)
"""The frame's columns. Prompts and responses are there only where they were kept by choice."""
Moment = str | datetime | None


class Ledger(Protocol):
    """What the collector asks of a ledger; ``outlay.open()`` gives one."""

    def calls(self, limit: int | None, *, since: Moment, until: Moment, where: Any) -> Sequence[Record]:
        """Give single calls, newest first."""
        ...


class LlmOperationCollector:
    """Gives what was recorded as a data frame."""

    @classmethod
    def polars_from_db(  # noqa: PLR0913 - the documented filters
        cls,
        agent_id: str | None = None,
        action_id: str | None = None,
        session_id: str | None = None,
        workspace: str | None = None,
        start_date: Moment = None,
        end_date: Moment = None,
        *,
        ledger: Ledger | None = None,
    ) -> "pl.DataFrame":
        """Give every call that passes the filters, newest first; the frame has its columns when it is empty.

        ``start_date`` is inclusive and ``end_date`` is not; both are written as periods are elsewhere:
        ``2026-11-01``, ``30d``, ``today``. The calls this process made last are in it.

        Raises:
            MissingExtraError: polars is not installed.
            QueryError: a date that is none; a ValueError.
        """
        wanted = {"agent": agent_id, "action": action_id, "session": session_id, "workspace": workspace}
        where = {name: value for name, value in wanted.items() if value is not None}
        with nullcontext(ledger) if ledger is not None else _ledger() as asked:
            calls = asked.calls(None, since=start_date, until=end_date, where=where)
        return frame_of([row_of(record) for record in calls])


def row_of(record: Record) -> dict[str, Any]:
    """Show a record as a row; the cost is a float of dollars, None where it is not known."""
    extra = record.extra
    return {
        "session_id": record.session,
        "workspace": record.workspace,
        "agent_id": record.agent,
        "action_id": record.action,
        "operation_id": record.id,
        "timestamp": record.at,
        "operation_type": record.operation,
        "provider": record.provider,
        "model": record.model,
        "success": record.success,
        "input_tokens": record.input_tokens,
        "output_tokens": record.output_tokens,
        "cached_tokens": record.cached_tokens,
        "cache_write_tokens": record.cache_write_tokens,
        "total_tokens": record.total_tokens,
        "cost": None if record.cost is None or record.currency != "USD" else float(record.cost),
        "cost_status": record.cost_status,
        "latency_ms": record.latency_ms,
        "error_message": record.error,
        "user_id": record.user,
        "query_type": record.query_type,
        "system_prompt": _text(extra.get("system_prompt")),
        "user_prompt": record.prompt,
        "response": record.reply,
        "temperature": _number(extra.get("temperature")),
        "max_tokens": _number(extra.get("max_tokens")),
        "extras": _json({**record.tags, **extra}),
    }


def frame_of(rows: Sequence[Mapping[str, Any]]) -> "pl.DataFrame":
    """Make the frame.

    Raises:
        MissingExtraError: polars is not installed.
    """
    try:
        import polars as pl  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError.of("polars", "polars") from None
    counts = ("input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "total_tokens")
    kinds: dict[str, Any] = {
        **dict.fromkeys(COLUMNS, pl.String),
        **dict.fromkeys(counts, pl.Int64),
        **dict.fromkeys(("cost", "latency_ms", "temperature", "max_tokens"), pl.Float64),
        "timestamp": pl.Datetime("us", "UTC"),
        "success": pl.Boolean,
    }
    columns = {name: [row[name] for row in rows] for name in COLUMNS}
    return pl.DataFrame(columns, schema={name: kinds[name] for name in COLUMNS})


def _ledger() -> AbstractContextManager[Ledger]:
    # Imported when asked: the process wires this room together with those below.
    from outlay import process  # noqa: PLC0415 - see above

    return process.current().open()


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _json(value: Mapping[str, Any]) -> str:
    import orjson  # noqa: PLC0415 - with polars, of which it is a fraction

    return orjson.dumps(dict(value), default=str, option=orjson.OPT_NON_STR_KEYS).decode()
