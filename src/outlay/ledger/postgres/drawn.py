"""Calls as lines of COPY, each drawn the shortest way there is: from a journal's line, or from a Record."""

from dataclasses import dataclass
from decimal import Decimal, DecimalException
from typing import Any

from outlay.core.errors import RefusedEntryError
from outlay.core.money import EXACT, multiply
from outlay.core.record import Record
from outlay.ledger.postgres import rows
from outlay.ledger.usual import Alike, Seen, Usual, read_usual, record_of

_ONE = Decimal(1)
_times = EXACT.multiply
_LONGEST = 60  # digits of an amount


@dataclass(slots=True, eq=False)
class Sort:
    """What calls have in common."""

    kind: tuple[Any, ...]
    price: rows.PriceKey | None
    factors: tuple[tuple[str, Decimal], ...] = ()  # of the lines of their costs: unit, and the amount of one
    numbers: str | None = None  # of both as the columns have them, once they are known


Drawn = tuple[Sort, str]
"""The columns of a call: what it shares with others, and the rest as text."""


class Drawing:
    """Draws calls; it remembers what it has seen."""

    def __init__(self) -> None:
        self._sorts = Alike(_sort_of)

    def draw(self, call: Record | Seen) -> Drawn:
        """Draw a call.

        Raises:
            RefusedEntryError: it is none, or not the one that it seemed to be.
        """
        if isinstance(call, Record):
            return _drawn(call)
        usual = read_usual(call)
        if usual is not None:
            sort = self._sorts.of(usual)
            if sort is not None and _follow(usual.data, sort):
                return sort, rows.rest_of_json(call.line, usual.data, usual.totals)
        return _drawn(record_of(call))


def _drawn(record: Record) -> Drawn:
    try:
        rates = rows.rates_of(record)
        sort = Sort(rows.kind_of(record), rows.price_of(record, rates))
        hash((sort.kind, sort.price))
        return sort, rows.rest_of(record, lines=rates is None)
    except (TypeError, AttributeError, ValueError) as error:  # a text where there should be a number, say
        raise RefusedEntryError(f"an entry cannot be kept: {error}") from error


def _sort_of(_: Usual, record: Record) -> Sort | None:
    lines = record.charge.lines
    try:
        factors = tuple((line.unit, multiply(_ONE, line.rate, line.per)) for line in lines)
    except (DecimalException, KeyError):
        return None
    return Sort(rows.kind_of(record), rows.price_of(record, rows.rates_listed(record)), factors)


def _follow(data: dict[str, Any], sort: Sort) -> bool:
    """Whether the lines of the cost follow from the usage and the rates."""
    if not sort.factors:
        return True
    usage = data.get("usage", {})
    try:
        for line, (unit, factor) in zip(data["lines"], sort.factors, strict=True):
            quantity, amount = line["quantity"], line["amount"]
            if usage.get(unit) != quantity or len(amount) > _LONGEST:
                return False
            if _times(quantity, factor) != Decimal(amount):
                return False
    except DecimalException:
        return False
    return True
