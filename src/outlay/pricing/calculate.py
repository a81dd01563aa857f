"""Calculating: units x rates -> lines that add up exactly; pure sums, no look-ups."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from outlay.core.cost import CostLine
from outlay.core.money import EXACT, ZERO
from outlay.core.twins import open_twin
from outlay.core.units import TOKEN_UNITS, split_unit
from outlay.core.usage import Item, Quantity
from outlay.pricing.card import RateCard
from outlay.pricing.rates import Rate

_OpenLine = open_twin(CostLine)  # lines are what pricing makes most of
_times = EXACT.multiply
# A prompt begins with what is cached; what lies above a threshold is therefore the fresh part first.
_LAID_OUT = ("cache_read", "cache_write", "cache_write_30m", "cache_write_1h", "cache_write_12h", "input")


def lines_of(
    items: Iterable[Item], rates: Mapping[str, Rate], model: str | None = None
) -> tuple[list[CostLine], list[str], set[str]]:
    """Price units one by one, exactly; give the lines, the units without a rate, and the flags of rates."""
    lines: list[CostLine] = []
    missing: list[str] = []
    flags: set[str] = set()
    for unit, quantity in items:
        rate = rates.get(unit)
        if rate is None:
            missing.append(unit)
            continue
        if rate.flag is not None:
            flags.add(rate.flag)
        lines.append(line_of(unit, quantity, rate, model))
    return lines, missing, flags


def line_of(unit: str, quantity: Quantity, rate: Rate, model: str | None) -> CostLine:
    """Price one unit, exactly."""
    line: Any = _OpenLine()
    line.unit = unit
    line.quantity = quantity
    line.rate = rate.amount
    line.per = rate.per
    line.amount = _times(rate.each, quantity)
    line.note = rate.note
    line.model = model
    line.__class__ = CostLine
    made: CostLine = line
    return made


def stated_line(amount: Decimal) -> CostLine:
    """Make the one line of a cost that the provider states."""
    line: Any = _OpenLine()
    line.unit = "reported"
    line.quantity = line.per = 1
    line.rate = line.amount = amount
    line.note = "stated by the provider"
    line.model = None
    line.__class__ = CostLine
    made: CostLine = line
    return made


def sum_of(lines: Iterable[CostLine]) -> Decimal:
    """Add the amounts of lines exactly."""
    amount = ZERO
    add = EXACT.add
    for line in lines:
        amount = add(amount, line.amount)
    return amount


def split_lines(
    items: Iterable[Item], card: RateCard, used: tuple[int, int], model: str | None = None
) -> tuple[list[CostLine], list[str], set[str]]:
    """Price token units tier by tier: each side of the bill is laid on its own count, from ``used`` on.

    ``used`` are the input and output tokens that came before: zeros for marginal tiers, what the calendar
    month holds so far for monthly ones. A unit that crosses an edge gets a line on either side of it.
    """
    position = {"input": used[0], "output": used[1]}
    lines: list[CostLine] = []
    missing: list[str] = []
    flags: set[str] = set()
    for unit, quantity in sorted(items, key=_laid_out):
        side = TOKEN_UNITS.get(unit)
        pieces = [(quantity, card.rates)]
        if side is not None:
            pieces = list(_pieces(card, position[side], int(quantity)))
            position[side] += int(quantity)
        for part, rates in pieces:
            more, lost, said = lines_of([(unit, part)], rates, model)
            lines += more
            missing += [each for each in lost if each not in missing]
            flags |= said
    return lines, missing, flags


def _laid_out(item: Item) -> tuple[int, str]:
    kind, _ = split_unit(item[0])
    return (_LAID_OUT.index(kind) if kind in _LAID_OUT else len(_LAID_OUT)), item[0]


def _pieces(card: RateCard, start: int, count: int) -> Iterable[tuple[int, Mapping[str, Rate]]]:
    """Cut a run of tokens at the tiers' edges; the token at an ``at_least`` edge is already above it."""
    edges = [tier.tokens - 1 if tier.at_least else tier.tokens for tier in card.tiers]
    tables = [card.rates, *(tier.rates for tier in card.tiers)]
    end = start + count
    for low, high, rates in zip([0, *edges], [*edges, None], tables, strict=True):
        inside = min(end, high if high is not None else end) - max(start, low)
        if inside > 0:
            yield inside, rates
