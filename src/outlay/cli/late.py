"""Calls that came when their day had been pruned, as text."""

from collections.abc import Sequence

from outlay.core.instants import text_of
from outlay.core.record import Record
from outlay.render.as_table import Column, Page, table
from outlay.render.cells import name


def late_text(found: Sequence[Record], every: int, page: Page) -> str:
    """Lay them out, and say how many there are in all."""
    if not found:
        return "no call came too late"
    columns = [
        Column("at", tuple(text_of(each.at)[:19] for each in found), text=True),
        Column("call", tuple(each.id for each in found), text=True),
        Column("provider", tuple(name(each.provider) for each in found), text=True),
        Column("model", tuple(name(each.model) for each in found), text=True),
        Column("user", tuple(name(each.user) for each in found), text=True),
        Column("cost", tuple(_cost(each) for each in found)),
    ]
    return f"{table(columns, page)}\n{every:,} in all, in no total"


def _cost(record: Record) -> str:
    return "unknown" if record.cost is None else f"{record.cost:f} {record.currency}"
