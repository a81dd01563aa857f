"""Money of rows: by currency, divided, compared; several currencies are never added up."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Context, Decimal
from typing import Any

from outlay.core.money import EXACT, ZERO, text_of, to_ledger_places
from outlay.core.query import Row

Amounts = Mapping[str, Decimal]
_DIVISION = Context(prec=60)


def amounts(row: Row, name: str = "cost") -> dict[str, Decimal]:
    """Give a sum of money of a row by currency; empty where nothing is known."""
    several = row.get(f"{name}s")
    if several:
        return dict(several)
    return {} if row[name] is None else {"USD": row[name]}


def by_currency(rows: Sequence[Row]) -> dict[str, list[Decimal | None]]:
    """Give the costs of rows by currency: 0 where a row has known costs and none of that one.

    Calls whose price is not known leave a row unknown, unless something of it is known. Rows without any call
    are in no currency of their own: USD is left out where nothing but they would be in it.
    """
    found = [amounts(row) for row in rows]
    called = [known for row, known in zip(rows, found, strict=True) if row["calls"]]
    currencies = sorted({currency for known in called for currency in known})
    return {
        currency: [
            known.get(currency, ZERO) if known or not row["calls"] else None
            for row, known in zip(rows, found, strict=True)
        ]
        for currency in currencies
    }


def added(many: Iterable[Amounts]) -> dict[str, Decimal]:
    """Add amounts, each currency by itself."""
    found: dict[str, Decimal] = {}
    for each in many:
        for currency, amount in each.items():
            found[currency] = EXACT.add(found.get(currency, ZERO), amount)
    return dict(sorted(found.items()))


def less(whole: Amounts, part: Amounts) -> dict[str, Decimal]:
    """Take amounts off others, each currency by itself."""
    return added((whole, {currency: amount.copy_negate() for currency, amount in part.items()}))


def money(known: Amounts, name: str = "cost") -> dict[str, Any]:
    """Give the keys of a row that stand for amounts: the sum if there is but one, and others by currency."""
    keys: dict[str, Any] = {name: sole(known)}
    if set(known) - {"USD"}:
        keys[f"{name}s"] = dict(sorted(known.items()))
    return keys


def sole(known: Amounts) -> Decimal | None:
    """Give the amount if it is of one currency, else None."""
    return next(iter(known.values())) if len(known) == 1 else None


def sole_currency(many: Iterable[Amounts]) -> str | None:
    """Give the one currency of all these amounts; None where there are several, or nothing is known."""
    found = {currency for each in many for currency in each}
    return next(iter(found)) if len(found) == 1 else None


def per(amount: Decimal | None, count: int | Decimal, times: int = 1) -> Decimal | None:
    """Give an amount by a count, to the ledger's places; None where either is unknown or nothing."""
    if amount is None or not count:
        return None
    return Decimal(text_of(to_ledger_places(_DIVISION.divide(EXACT.multiply(amount, times), Decimal(count)))))


def ratio(part: Decimal | float | None, whole: Decimal | float | None) -> float | None:
    """Give a part of a whole as a plain number; None where either is unknown or the whole is nothing."""
    if part is None or not whole:
        return None
    return float(_DIVISION.divide(Decimal(part), Decimal(whole)))


def change(now: Decimal | float | None, before: Decimal | float | None) -> float | None:
    """Give how much more there is than before, 0.5 for half more; None where there was nothing."""
    found = ratio(now, before)
    return None if found is None else found - 1.0
