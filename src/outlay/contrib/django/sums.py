"""Exact sums of money in SQL, on SQLite too.

Django keeps decimals as floats in SQLite, and adds them up as such. There the amount is taken from the entry,
where it stands as it was recorded, and added by a function of ours; elsewhere SUM over the column is exact.
"""

from decimal import Decimal
from typing import Any

from django.db import connections
from django.db.models import Aggregate, F, Func, Sum, TextField, Value

from outlay.core.money import EXACT, ZERO

_NAME = "outlay_sum"


class Adder:
    """SQLite's aggregate: adds amounts that are written as text; nothing at all gives nothing."""

    def __init__(self) -> None:
        self._total: Decimal | None = None

    def step(self, amount: str | None) -> None:
        """Take one amount."""
        if amount is not None:
            self._total = EXACT.add(self._total or ZERO, EXACT.create_decimal(amount))

    def finalize(self) -> str | None:
        """Give the sum as text."""
        return None if self._total is None else format(self._total, "f")


class _TextSum(Aggregate):
    function = _NAME
    output_field = TextField()


def teach(connection: Any, **_signal: Any) -> None:
    """Teach a new connection our function; the receiver of Django's ``connection_created``."""
    if connection.vendor == "sqlite":
        connection.connection.create_aggregate(_NAME, 1, Adder)


def cost_sum(using: str, **options: Any) -> Any:
    """Give the aggregate that adds up ``cost`` in that database; the options are those of ``Sum``."""
    if connections[using].vendor != "sqlite":
        return Sum("cost", **options)
    amount = Func(F("entry"), Value("$.cost"), function="JSON_EXTRACT", output_field=TextField())
    return _TextSum(amount, **options)


def amount_of(total: Any) -> Decimal:
    """Read what the aggregate gave; no calls cost nothing."""
    return ZERO if total is None else Decimal(total)
