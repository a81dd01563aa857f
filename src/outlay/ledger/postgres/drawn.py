"""Calls as lines of COPY, each drawn the shortest way there is: from a journal's line, or from a Record."""

from dataclasses import dataclass
from decimal import Decimal, DecimalException
from typing import Any

from outlay.core.errors import RefusedEntryError
from outlay.core.money import multiply
from outlay.core.record import Record
from outlay.ledger.postgres import rows
from outlay.ledger.stated import is_stated
from outlay.ledger.usual import Alike, Seen, Usual, read_usual, record_of

_ONE = Decimal(1)
_LONGEST = 60  # digits of an amount
_TENS = tuple(10**n for n in range(_LONGEST + 1))
Factor = tuple[str, int, int]
"""A unit, and the amount of one of it: a whole number, and how many of its digits are decimals."""


@dataclass(slots=True, eq=False)
class Sort:
    """What calls have in common."""

    kind: tuple[Any, ...]
    price: rows.PriceKey | None
    factors: tuple[Factor, ...] = ()  # of the lines of their costs
    stated: bool = False  # costs, whose lines follow from nothing else
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
                return sort, rows.rest_of_json(call.line, usual.data, usual.totals, lines=sort.stated)
        return _drawn(record_of(call))


def _drawn(record: Record) -> Drawn:
    try:
        rates = rows.rates_of(record)
        sort = Sort(rows.kind_of(record), rows.price_of(record, rates))
        hash((sort.kind, sort.price))
        return sort, rows.rest_of(record, lines=rates is None)
    except (TypeError, AttributeError, ValueError) as error:  # a text where there should be a number, say
        raise RefusedEntryError(f"an entry cannot be kept: {error}") from error


def _sort_of(usual: Usual, record: Record) -> Sort | None:
    lines = record.charge.lines
    if lines and is_stated(usual.data):
        return Sort(rows.kind_of(record), rows.price_of(record, None), stated=True)
    try:
        factors = tuple(_factor(line.unit, multiply(_ONE, line.rate, line.per)) for line in lines)
    except (DecimalException, KeyError, ValueError):
        return None
    return Sort(rows.kind_of(record), rows.price_of(record, rows.rates_listed(record)), factors)


def _factor(unit: str, amount: Decimal) -> Factor:
    """Write the amount of one as whole numbers.

    Raises:
        ValueError: it has more digits than any price.
    """
    sign, digits, exponent = amount.as_tuple()
    if sign or not isinstance(exponent, int) or not 0 <= -exponent < len(_TENS):
        raise ValueError(amount)
    return unit, int("".join(map(str, digits))), -exponent


def _follow(data: dict[str, Any], sort: Sort) -> bool:
    """Whether the lines of the cost follow from the usage and the rates.

    Reckoned in whole numbers, which are as exact as decimals and quicker.
    """
    if not sort.factors:
        return True
    usage, lines = data.get("usage", {}), data["lines"]
    if len(lines) != len(sort.factors):
        return False
    for line, (unit, factor, places) in zip(lines, sort.factors, strict=True):
        quantity = line["quantity"]
        whole, _, decimals = line["amount"].partition(".")
        digits = whole + decimals
        more = places - len(decimals)
        if usage.get(unit) != quantity or more < 0 or len(digits) > _LONGEST or not digits.isdecimal():
            return False
        if int(digits) * _TENS[more] != quantity * factor:
            return False
    return True
