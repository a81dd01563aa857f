"""What an alert says, in one line."""

from collections.abc import Sequence
from decimal import Decimal

from outlay.alerts.standing import Group, Standing
from outlay.core.money import EXACT, text_of


def message_of(standings: Sequence[Standing]) -> str:
    """Say what happened; several standings are dear calls of one rule, the dearest first."""
    first = standings[0]
    if first.rule.kind == "call_cost":
        return _dear(first, len(standings))
    return _rate(first) if first.rule.kind == "error_rate" else _budget(first)


def _budget(standing: Standing) -> str:
    rule = standing.rule
    spent, limit = amount(standing.value, rule.currency), amount(rule.limit, rule.currency)
    unpriced = standing.unpriced_calls
    lack = (
        "1 call has no known cost and is"
        if unpriced == 1
        else f"{unpriced:,} calls have no known cost and are"
    )
    missing = f"; {lack} not in it" if unpriced else ""
    if partial := standing.partial_calls:
        missing += (
            f"; of {'1 call' if partial == 1 else f'{partial:,} calls'} a part of the cost alone is in it"
        )
    where = f"{standing.window.label}{_whom(standing.group)}"
    return f"⚠️ Budget Alert: {rule.name}: {spent} of {limit} ({standing.percent:.0f}%) in {where}{missing}"


def _dear(standing: Standing, count: int) -> str:
    rule = standing.rule
    price = amount(standing.value, rule.currency, least_places=4)
    more = f" and {count - 1:,} more" if count > 1 else ""
    over = amount(rule.limit, rule.currency)
    return (
        f"⚠️ EXPENSIVE QUERY: {price}{more} over {over}: {rule.name}: {standing.model}{_whom(standing.group)}"
    )


def _rate(standing: Standing) -> str:
    rule = standing.rule
    return (
        f"⚠️ Error Alert: {rule.name}: {text_of(standing.value)}% of {standing.calls:,} calls failed "
        f"(limit: {text_of(rule.limit)}%) in {standing.window.label}{_whom(standing.group)}"
    )


def _whom(group: Group) -> str:
    said = ", ".join(f"{name} {'(none)' if value is None else value}" for name, value in group)
    return f" for {said}" if said else ""


def amount(value: Decimal, currency: str, least_places: int = 2) -> str:
    """Write an amount with two places, or with as many as it takes to say something of a small one."""
    exponent = EXACT.normalize(value).as_tuple().exponent
    needed = -exponent if isinstance(exponent, int) else 0
    places = least_places if value >= 1 or not value else max(least_places, min(1 - value.adjusted(), needed))
    text = f"{value:,.{places}f}"
    return f"${text}" if currency == "USD" else f"{text} {currency}"
