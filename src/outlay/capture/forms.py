"""Forms: the JSON of a usual call is that of an earlier one like it, but for its id, times and counts.

A form is learned from what the whole way (Usage, Cost, Record's keywords, codec) made of a first call, and is
kept under all that decides the rest. Whatever is unusual about a call, in its usage or in its price, goes the
whole way.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from outlay.core.codec import TOTALS, facts_json
from outlay.core.cost import Cost
from outlay.core.ids import uuid7
from outlay.core.instants import text_of
from outlay.core.money import EXACT, ZERO, multiply, to_ledger_places
from outlay.core.money import text_of as money_text
from outlay.core.units import KINDS
from outlay.core.usage import Item, Term, Usage
from outlay.extract import Usual

_KEPT = 512  # forms; a program has few kinds of calls, but names that strangers make up could be many
# What a call has or has not, whatever its kind: left out of the form, and filled in by the call.
_OWN: Mapping[str, Any] = {"time_to_first_token_ms": None, "retries": 0, "extra": {}}
_times, _add = EXACT.multiply, EXACT.add


class Tariffs(Protocol):
    """Tells what a usual call is priced by; ``outlay.pricing.tariff_of`` is one."""

    def __call__(
        self,
        items: tuple[Item, ...],
        terms: tuple[Term, ...],
        *,
        provider: str | None,
        model: str | None,
        at: datetime,
    ) -> tuple[object, object] | None:
        """Give the same two objects for all calls with the same rates, None for a call that is not usual."""
        ...


Kind = tuple[object, ...]
"""What decides all of a call's object but its id, times, counts, amounts, and whom it is for."""
Whole = Callable[[], dict[str, Any]]
"""Makes a Record's keywords the whole way, as of a call that is for nobody in particular."""


class Form:
    """What the objects of one kind of call have in common, and what each of its units costs."""

    __slots__ = ("_data", "_each", "_lines", "_sums", "_tariff")

    def __init__(self, data: dict[str, Any], each: list[Decimal], tariff: tuple[object, object]) -> None:
        self._tariff = tariff  # held, for its objects are known by their identity
        self._data = data
        self._each = each
        self._lines: list[dict[str, Any]] = data["lines"]
        self._sums = _sums([line["unit"] for line in self._lines])
        data.update(dict.fromkeys(TOTALS, 0))

    def filled(self, usual: Usual, at: datetime) -> dict[str, Any]:
        """Give the object of a call that started then and used so much."""
        items, (_, response_id), _, raw = usual
        data = self._data.copy()
        data["id"] = uuid7(at)
        data["at"] = text_of(at)
        data["usage"] = counts = dict(items)
        data["response_id"] = response_id
        data["raw"] = raw
        for total, unit in self._sums:
            data[total] += counts[unit]
        data["lines"] = lines = []
        cost = ZERO
        for each, line in zip(self._each, self._lines, strict=True):
            quantity = counts[line["unit"]]
            amount = _times(each, quantity)
            cost = _add(cost, amount)
            lines.append({**line, "quantity": quantity, "amount": money_text(amount)})
        data["cost"] = money_text(cost)
        return data


class Forms:
    """The forms of one recorder, for whichever thread makes lines; bounded."""

    def __init__(self, tariff: Tariffs) -> None:
        self._tariff = tariff
        self._forms: dict[Kind, Form | None] = {}

    def of(
        self, call: Kind, usual: Usual, billed: tuple[str, str | None, datetime], whole: Whole
    ) -> Form | None:
        """Give the form of a usual call, learned from ``whole`` where it is the first one; else None."""
        items, (served, response_id), terms, raw = usual
        if not response_id or not raw:
            return None
        provider, model, at = billed
        tariff = self._tariff(items, terms, provider=provider, model=model, at=at)
        if tariff is None:
            return None
        card, rates = tariff
        kind = (call, provider, model, served, terms, id(card), id(rates), *[unit for unit, _ in items])
        try:
            return self._forms[kind]
        except KeyError:
            return self._learned(kind, tariff, whole())

    def _learned(self, kind: Kind, tariff: tuple[object, object], facts: dict[str, Any]) -> Form | None:
        if len(self._forms) >= _KEPT:
            self._forms.clear()
        each = _each_of(facts["usage"], facts["charge"])
        form = self._forms[kind] = None if each is None else Form(facts_json({**facts, **_OWN}), each, tariff)
        return form


def _sums(units: list[str]) -> list[tuple[str, str]]:
    """Give which unit counts towards which total."""
    return [
        (total, unit)
        for unit in units
        for total, count in zip(TOTALS, Usage(items=((unit, 1),)).totals, strict=True)
        if count
    ]


def _each_of(usage: Usage, cost: Cost) -> list[Decimal] | None:
    """Give what one of each unit costs; None where the lines of the cost are not these units one by one."""
    priced = [(line.unit, line.quantity) for line in cost.lines]
    if priced != list(usage.items) or not all(unit in KINDS for unit, _ in priced):
        return None
    each = [multiply(1, line.rate, line.per) for line in cost.lines]
    exact = all(to_ledger_places(one) is one for one in each)
    return each if each and exact and cost.amount is not None and cost.computed is None else None
