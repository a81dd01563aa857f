"""Forms of answers: a line's answer is that of an earlier one like it, but for its id, counts and amounts.

A form is learned from the answer that the whole way gave to the second line of its kind, and kept under all
that decides the rest. It is only used if it says what the whole way said there, to the byte.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from outlay.core.money import EXACT, ZERO, rate_text
from outlay.core.money import text_of as money_text
from outlay.core.units import TOKEN_UNITS
from outlay.core.usage import Item, Term, Usage
from outlay.extract import Usual
from outlay.pricing import Basis, Book, basis_of

Kind = tuple[object, ...]
"""What decides all of an answer but its id, counts and amounts."""
Unknown = tuple[Kind, Basis]
"""A kind of which no form was learned yet, and what such a line is priced by."""

_KEPT = 2048  # forms, of a kilobyte; names that strangers make up are not among them
_COUNT, _MONEY = "\0count", "\0money"  # what a form leaves open, and the same as JSON
_OPEN_COUNT, _OPEN_MONEY = '"\\u0000count"', '"\\u0000money"'
_TWICE = "audio_seconds"  # may measure again what tokens measure
_times, _add = EXACT.multiply, EXACT.add


Facts = tuple[
    tuple[Item, ...],
    str | None,
    tuple[Term, ...],
    tuple[str, ...],
    str | None,
    int | None,
    Decimal | None,
    str,
]
"""All that a response says of its cost where it has no parts: units, the model that served, terms, flags, the
reason, tokens of the context, the stated cost and its currency. A bare tuple, since each line makes one."""


def facts_of(found: Usual | Usage) -> Facts | None:
    """Give the facts of a response; None of one that is made of parts."""
    if type(found) is tuple:
        return found[0], found[1][0], found[2], (), None, None, None, "USD"
    assert isinstance(found, Usage)  # noqa: S101 - what is left of the union
    if found.parts:
        return None
    return (
        *(found.items, found.model, found.terms, found.flags, found.reason, found.context_tokens),
        *(found.reported_cost, found.reported_currency),
    )


class Form:
    """The text of one kind of answer with its id, counts and amounts left open, and what each unit costs."""

    __slots__ = ("_basis", "_each", "_fee", "_inputs", "_more", "_outputs", "_own", "_pieces")

    def __init__(self, pieces: list[str], facts: Facts, basis: Basis, *, own: bool) -> None:
        """Take the text around what is left open, and whether it tells of a cost by our prices."""
        units, rates = [unit for unit, _ in facts[0]], basis[1]
        sides = [TOKEN_UNITS.get(unit) for unit in units]  # inputs stand first, then outputs, then the rest
        self._pieces = [piece for text in pieces for piece in (text, "")][:-1]
        self._basis = basis  # held, for its objects are known by their identity
        self._own = own
        self._each = [rates[unit].each if unit in rates else None for unit in units] if own else []
        self._fee = rates["requests"].each if "requests" in rates and "requests" not in units else ZERO
        self._inputs = sides.count("input")
        self._outputs = len(units) - sides.count(None)
        self._more = None in sides

    def filled(self, name: str, facts: Facts) -> bytes | None:
        """Give the answer to a line of this kind, its id as JSON; None where a count is no whole one."""
        counts: list[Any] = [quantity for _, quantity in facts[0]]
        if self._more and not all(type(count) is int for count in counts):
            return None
        cost, stated = self._fee, facts[6]
        shown = [*map(str, counts)]
        lines: list[str] = []
        for each, count, text in zip(self._each, counts, shown, strict=False):
            if each is not None:
                amount = _times(each, count)
                cost = _add(cost, amount)
                if stated is None:
                    lines += text, money_text(amount)
        own = (money_text(cost),) if self._own else ()
        if stated is not None:
            text = money_text(stated)
            own = (text, rate_text(stated), text, *own)
        inputs, outputs = self._inputs, self._outputs
        asked = shown[0] if inputs == 1 else str(sum(counts[:inputs]))
        answered = shown[inputs] if outputs == inputs + 1 else str(sum(counts[inputs:outputs]))
        pieces = self._pieces.copy()
        pieces[1::2] = name, *shown, asked, answered, *own, *lines
        return "".join(pieces).encode()


class Forms:
    """The forms of a process, whichever books their prices are from; bounded."""

    def __init__(self) -> None:
        self._forms: dict[Kind, Form | None] = {}
        self._seen: set[Kind] = set()  # once; what strangers make up is mostly not seen again

    def of(
        self, facts: Facts, named: tuple[str, str | None], at: datetime, book: Book
    ) -> "Form | Unknown | None":
        """Give the form of a line; None where there can be none, and what one can be made of if it is new.

        ``named`` are the provider and the model that the line itself names.
        """
        items, served, terms, flags, reason, context, stated, currency = facts
        provider, model = named
        model = served if model is None else model
        basis = basis_of(items, (provider, model, terms, at), book, flags, context)
        if basis is None:
            return None
        card, rates = basis
        units = tuple([unit for unit, _ in items])
        kind = provider, model, terms, flags, reason, stated is None, currency, id(card), id(rates), units
        try:
            return self._forms[kind]
        except KeyError:
            return kind, basis

    def learn(self, unknown: "Unknown", facts: Facts, whole: dict[str, Any]) -> None:
        """Learn the form of a line from its answer, without the id, if it is the second of its kind."""
        kind, basis = unknown
        if kind not in self._seen:
            if len(self._seen) >= _KEPT:
                self._seen.clear()
            self._seen.add(kind)
            return
        if len(self._forms) >= _KEPT:
            self._forms.clear()
        self._forms[kind] = (
            None if any(unit == _TWICE for unit, _ in facts[0]) else _learned(facts, basis, whole)
        )


def _learned(facts: Facts, basis: Basis, answer: dict[str, Any]) -> Form | None:
    """Make a form of an answer; None where it would not say that very answer."""
    units, stated = [unit for unit, _ in facts[0]], facts[6] is not None
    left = {"rate": _MONEY, "amount": _MONEY} if stated else {"quantity": _COUNT, "amount": _MONEY}
    opened = {
        **answer,
        "usage": dict.fromkeys(units, _COUNT),
        "totals": {"input": _COUNT, "output": _COUNT},
        "lines": [{**line, **left} if stated or line["unit"] in units else line for line in answer["lines"]],
        **{name: _MONEY for name in ("cost", "computed_cost") if answer.get(name) is not None},
    }
    own = answer.get("computed_cost" if stated else "cost") is not None
    try:
        text = orjson.dumps(opened).decode().replace(_OPEN_MONEY, _OPEN_COUNT.join('""'))
        form = Form(['{"id":', *("," + text[1:]).split(_OPEN_COUNT)], facts, basis, own=own)
        return form if form.filled("null", facts) == orjson.dumps({"id": None, **answer}) else None
    except (
        TypeError,
        ValueError,
    ):  # half of a surrogate pair in a name, or one that is just what is left open
        return None
