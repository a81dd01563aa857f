"""Single calls as a table: when, which model, how much, how long, and the id that explain takes."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from outlay.core.query import Row
from outlay.core.record import Record
from outlay.render.cells import local_time
from outlay.render.reports import NO_CALLS
from outlay.render.sheets import Field, Sheet, View

_OLDER = "extrapolated"
_WHOM = (("user", 6), ("query_type", 7), ("session", 8))
_FIGURES = ("provider", "model", "latency_ms", "cost", "currency", "id")


def calls_view(records: Sequence[Record], tz: ZoneInfo) -> View:
    """Lay calls out in the order given; user, session and query type only where some call has one."""
    fields = (
        Field("at", f"at ({tz.key})", "time", spare=2),
        Field("provider", "provider", "text", spare=5),
        Field("model", "model", "text"),
        *(
            Field(name, name, "text", spare=spare)
            for name, spare in _WHOM
            if any(getattr(each, name) is not None for each in records)
        ),
        Field("input_tokens", "input", spare=3),
        Field("output_tokens", "output", spare=3),
        Field("latency_ms", "latency", "ms", spare=4),
        Field("cost", "cost", "money"),
        Field("status", "status", "text", spare=1),
        Field("id", "id", "id"),
    )
    sheet = Sheet(fields, [_row(each, tz) for each in records])
    return View((sheet,), empty=None if records else NO_CALLS)


def _row(record: Record, tz: ZoneInfo) -> Row:
    whom = {name: getattr(record, name) for name, _ in _WHOM}
    figures = {name: getattr(record, name) for name in _FIGURES}
    into, out = tokens_of(record)
    figures |= {"input_tokens": into, "output_tokens": out}
    return {"at": local_time(record.at, tz), "calls": 1, "status": status_of(record), **whom, **figures}


def tokens_of(record: Record) -> tuple[int | None, int | None]:
    """Give the tokens that went in and came out; of a call whose usage nobody told none, for 0 is a count."""
    if not record.usage.items and record.usage.reason is not None:
        return None, None
    return record.input_tokens, record.output_tokens


def status_of(record: Record) -> str:
    """Say what went wrong, or in which state the cost is; ``success`` where it was simply priced."""
    if not record.success:
        return record.error_type or "error"
    if record.cost_status != "priced":
        return record.cost_status
    return _OLDER if _OLDER in record.charge.flags else "success"
