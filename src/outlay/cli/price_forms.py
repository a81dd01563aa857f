"""Forms of answers: the answer to a usual line is that of an earlier one like it, but for its id and counts.

A form is learned from the answer that the whole way gave to the first line of its kind, and is kept under all
that decides the rest. Whatever is unusual about a usage or its price goes the whole way.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from outlay.core.cost import Cost
from outlay.core.money import EXACT, ZERO, multiply
from outlay.core.money import text_of as money_text
from outlay.core.units import KINDS, TOKEN_UNITS
from outlay.core.usage import Quantity, Usage
from outlay.extract import Usual
from outlay.pricing import Book, tariff_of

Kind = tuple[object, ...]
"""What decides all of an answer but its id, counts and amounts."""
Whole = Callable[[], tuple[dict[str, Any], Usage, Cost]]
"""Makes an answer the whole way, without its id, and gives the usage and the cost that it tells of."""

_KEPT = 512  # forms; most inputs have few kinds of lines, but names that strangers make up could be many
_COUNT, _MONEY = "\0count", "\0money"  # what a form leaves open, and the same as JSON
_OPEN_COUNT, _OPEN_MONEY = '"\\u0000count"', '"\\u0000money"'
_times, _add = EXACT.multiply, EXACT.add


class Form:
    """The text of one kind of answer with its id, counts and amounts left open, and what each unit costs."""

    __slots__ = ("_each", "_inputs", "_tariff", "_text")

    def __init__(self, text: str, each: list[Decimal], inputs: int, tariff: object) -> None:
        self._text = text
        self._each = each
        self._inputs = inputs  # so many units stand on the input's side, and stand first
        self._tariff = tariff  # held, for its objects are known by their identity

    def filled(self, name: bytes, usual: Usual) -> bytes:
        """Give the answer to a line of this kind; ``name`` is its id as JSON."""
        counts = [quantity for _, quantity in usual[0]]
        inputs = self._inputs
        cost = ZERO
        lines: list[Quantity | str] = []
        for each, count in zip(self._each, counts, strict=True):
            amount = _times(each, count)
            cost = _add(cost, amount)
            lines += (count, money_text(amount))
        totals = sum(counts[:inputs]), sum(counts[inputs:])
        return b'{"id":%b,%b' % (name, (self._text % (*counts, *totals, money_text(cost), *lines)).encode())


class Forms:
    """The forms of a process, whichever books their prices are from; bounded."""

    def __init__(self) -> None:
        self._forms: dict[Kind, Form | None] = {}

    def of(
        self, usual: Usual, named: tuple[str, str | None], at: datetime, book: Book, whole: Whole
    ) -> Form | None:
        """Give the form of a usual line, learned from ``whole`` where it is the first one; else None.

        ``named`` are the provider and the model that the line itself names.
        """
        items, (served, _), terms, _ = usual
        provider, model = named[0], named[1] if named[1] is not None else served
        tariff = tariff_of(items, terms, provider=provider, model=model, at=at, book=book)
        if tariff is None:
            return None
        kind = (provider, model, terms, id(tariff[0]), id(tariff[1]), *[unit for unit, _ in items])
        try:
            return self._forms[kind]
        except KeyError:
            form = _learned(tariff, *whole())
        if len(self._forms) >= _KEPT:
            self._forms.clear()
        self._forms[kind] = form
        return form


def _learned(tariff: object, answer: dict[str, Any], usage: Usage, cost: Cost) -> Form | None:
    """Make a form of an answer; None where its lines are not the usage's units one by one, tokens alone."""
    units = [unit for unit, _ in usage.items]
    if [line.unit for line in cost.lines] != units or not KINDS.keys() >= set(units):
        return None
    open_lines = [{**line, "quantity": _COUNT, "amount": _MONEY} for line in answer["lines"]]
    counts = {"usage": dict.fromkeys(units, _COUNT), "totals": {"input": _COUNT, "output": _COUNT}}
    try:
        text = orjson.dumps({**answer, **counts, "cost": _MONEY, "lines": open_lines}).decode()
    except TypeError:  # a half of a surrogate pair in a name
        return None
    if text.count(_OPEN_COUNT) != 2 * len(units) + 2 or text.count(_OPEN_MONEY) != len(units) + 1:
        return None  # a name that is just what stands where something is left open
    text = text[1:].replace("%", "%%").replace(_OPEN_COUNT, "%d").replace(_OPEN_MONEY, '"%s"')
    each = [multiply(1, line.rate, line.per) for line in cost.lines]
    inputs = sum(TOKEN_UNITS[unit] == "input" for unit in units)
    return Form(text, each, inputs, tariff)
