"""Single calls as a table: when, which model, how much, how long, and the id that explain takes."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from outlay.core.record import Record
from outlay.render.as_table import Column, Page, table
from outlay.render.cells import count, dollars, local_time, milliseconds, name

_UNPRICED = ("unpriced", "partial")


def calls_text(records: Sequence[Record], page: Page, tz: ZoneInfo) -> str:
    """Show calls in the order given, one a row."""
    if not records:
        return "no calls"
    columns = [
        Column(f"at ({tz.key})", tuple(local_time(each.at, tz) for each in records), text=True, spare=2),
        Column("provider", tuple(name(each.provider) for each in records), text=True, spare=5),
        Column("model", tuple(name(each.model) for each in records), text=True),
        *_attributions(records),
        Column("input", tuple(count(each.input_tokens) for each in records), spare=3),
        Column("output", tuple(count(each.output_tokens) for each in records), spare=3),
        Column("latency", tuple(milliseconds(each.latency_ms) for each in records), spare=4),
        Column("cost", tuple(dollars(each.cost, each.currency) for each in records)),
        Column("status", tuple(_status(each) for each in records), text=True, spare=1),
        Column("id", tuple(each.id for each in records), spare=0),
    ]
    return table(columns, page)


def _attributions(records: Sequence[Record]) -> list[Column]:
    """Show user, session and query type only where some call has one."""
    found = []
    for heading, spare in (("user", 6), ("query_type", 7), ("session", 8)):
        values = [getattr(each, heading) for each in records]
        if any(value is not None for value in values):
            found.append(Column(heading, tuple(name(value) for value in values), text=True, spare=spare))
    return found


def _status(record: Record) -> str:
    """Say what went wrong, or that the price did; nothing where all is well."""
    if not record.success:
        return name(record.error_type or "error")
    return record.cost_status if record.cost_status in _UNPRICED else "ok"
