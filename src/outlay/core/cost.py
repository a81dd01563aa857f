"""Cost: what a usage costs, made of lines that add up, with the price it was reckoned by."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal

from outlay.core.money import to_ledger_places
from outlay.core.usage import Quantity

CostStatus = Literal["priced", "reported", "free", "unpriced", "partial"]
COST_STATUSES: tuple[CostStatus, ...] = ("priced", "reported", "free", "unpriced", "partial")


@dataclass(frozen=True, slots=True)
class CostLine:
    """One unit's share of a cost: ``amount`` is ``quantity * rate / per`` exactly."""

    unit: str
    quantity: Quantity
    rate: Decimal  # money for ``per`` units
    per: int  # a power of ten: 1_000_000 for tokens, 1_000 or 1 for counts
    amount: Decimal
    note: str | None = None  # why this rate: "rate of input", "batch", "above 200000", …
    model: str | None = None  # only where one response bills several models


@dataclass(frozen=True, slots=True)
class Price:
    """Which price was used: where it came from and from when it holds."""

    source: str
    effective_from: datetime | None  # aware UTC; None: since ever, as far as is known
    version: str  # of the price book
    extrapolated: bool = False  # the call is older than the first known price, which was taken


@dataclass(frozen=True, slots=True)
class Cost:
    """What a usage costs.

    ``amount`` is None when no unit could be priced: unknown is never zero. ``priced``: all units have a
    rate; ``partial``: some unit has none, or the usage is told in part, and the amount is the rest;
    ``reported``: the provider stated it, and ``computed`` holds our own figure beside it; ``free``: known to
    cost nothing; ``unpriced``: see reason.
    """

    amount: Decimal | None
    status: CostStatus
    currency: str = "USD"
    lines: tuple[CostLine, ...] = ()
    price: Price | None = None
    reason: str | None = None
    flags: tuple[str, ...] = ()
    computed: Decimal | None = None  # ours, beside a reported amount


def unpriced(reason: str, *, currency: str = "USD", flags: tuple[str, ...] = ()) -> Cost:
    """Make the cost of a call whose price is not known."""
    return Cost(None, "unpriced", currency=currency, reason=reason, flags=flags)


def in_part(cost: Cost, why: str) -> Cost:
    """Say that the cost of a usage told in part, as of a stream that was cut off, is a part, too."""
    if cost.status not in {"priced", "partial"}:
        return cost
    reason = cost.reason
    if reason is None or why not in reason:
        reason = why if reason is None else f"{reason}; {why}"
    return replace(cost, status="partial", reason=reason)


def fitting(cost: Cost) -> Cost:
    """Round an amount, or ours beside it, that no ledger could hold, and say so; listed prices never do."""
    amount = None if cost.amount is None else to_ledger_places(cost.amount)
    computed = None if cost.computed is None else to_ledger_places(cost.computed)
    if amount is cost.amount and computed is cost.computed:
        return cost
    return replace(cost, amount=amount, computed=computed, flags=(*cost.flags, "rounded"))
