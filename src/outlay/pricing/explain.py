"""Explaining: a cost in plain lines, as one would reckon it on paper."""

from outlay.core.cost import Cost, CostLine
from outlay.core.money import rate_text, text_of
from outlay.core.usage import Usage
from outlay.pricing.rates import MILLION, THOUSAND

_PER = {MILLION: "per million", THOUSAND: "per thousand", 1: "each"}


def explain(cost: Cost, usage: Usage | None = None) -> list[str]:
    """Say how a cost came about: one line a unit, the total, the price's origin, and what was odd."""
    said = [_line(line, cost.currency) for line in cost.lines]
    said.append(_total(cost))
    if cost.computed is not None and cost.computed != cost.amount:
        said.append(f"by our prices {text_of(cost.computed)} {cost.currency}")
    if cost.price is not None:
        start = (
            "as far back as is known"
            if cost.price.effective_from is None
            else f"{cost.price.effective_from:%Y-%m-%d %H:%M} UTC"
        )
        said.append(f"price from {cost.price.source}, holds since {start}, book {cost.price.version}")
    if cost.price is not None and cost.price.extrapolated:
        said.append("the call is older than the first known price, which was taken")
    if cost.reason:
        said.append(cost.reason)
    flags = sorted({*cost.flags, *(usage.flags if usage else ())})
    if flags:
        said.append(f"flags: {', '.join(flags)}")
    return said


def _line(line: CostLine, currency: str) -> str:
    per = _PER.get(line.per, f"per {line.per}")
    model = f" of {line.model}" if line.model else ""
    note = f" ({line.note})" if line.note else ""
    sum_said = f"{line.quantity} x {rate_text(line.rate)} {per} = {text_of(line.amount)} {currency}"
    return f"{line.unit}{model}: {sum_said}{note}"


def _total(cost: Cost) -> str:
    if cost.amount is None:
        return f"cost unknown ({cost.status})"
    return f"total {text_of(cost.amount)} {cost.currency} ({cost.status})"
