"""Charging: a usage -> a cost, with its parts, its stated cost, and everything odd said aloud."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from outlay.core.cost import Cost, CostLine, CostStatus, in_part, unpriced
from outlay.core.errors import UsageError
from outlay.core.instants import to_utc
from outlay.core.money import EXACT, ZERO
from outlay.core.twins import open_twin
from outlay.core.units import KINDS, TOKEN_UNITS
from outlay.core.usage import Item, Quantity, Term, Usage, merge_flags, sort_terms
from outlay.pricing.book import Book, default_book
from outlay.pricing.calculate import lines_of, split_lines, stated_line, sum_of
from outlay.pricing.card import RateCard, Unpriced
from outlay.pricing.measures import OTHER_MEASURE, charged_once
from outlay.pricing.rates import join_notes
from outlay.pricing.terms import MONTH_INPUT, MONTH_OUTPUT
from outlay.pricing.usual import usual_cost

_INCLUSIVE = frozenset(
    {"input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens"}
)
_COUNT = re.compile(r"[0-9]{1,18}")
_OpenCost = open_twin(Cost)
Said = tuple[tuple[CostLine, ...], str | None, tuple[str, ...]]
_TOKENS = frozenset(KINDS)
_MONTH = frozenset({MONTH_INPUT, MONTH_OUTPUT})
Month = tuple[int, int] | None
"""Input and output tokens that the calendar month has seen before a call; None where nobody says."""


def cost_of(
    usage: Usage | Mapping[str, Quantity],
    *,
    provider: str | None = None,
    model: str | None = None,
    at: datetime | None = None,
    book: Book | None = None,
    **terms: str,
) -> Cost:
    """Give what a usage costs; an unknown price is a cost without amount, never zero and never an error.

    Args:
        usage: a Usage, or counts by unit (``input``, ``cache_read``, …), or the inclusive ``input_tokens``,
            ``cached_tokens``, ``cache_write_tokens``, ``output_tokens``, ``reasoning_tokens``.
        provider: who served the call; None looks for the model at its maker.
        model: the model that served; the usage's own if None.
        at: when the call started, which decides the price; None is now. Naive times are read as UTC.
        book: the prices; the packaged book if None.
        terms: billing terms laid over the usage's own: ``service_tier=``, ``batch=``, ``geo=``, …;
            ``month_input_tokens=`` and ``month_output_tokens=`` say how much was used before in the calendar
            month, for prices that fall with volume.

    Raises:
        UsageError: counts that cannot be (negative, no whole number, both kinds of names).
    """
    used = usage if isinstance(usage, Usage) else usage_from_counts(usage)
    said = used.terms if not terms else sort_terms({**dict(used.terms), **terms})
    moment = datetime.now(UTC) if at is None else at if at.tzinfo is UTC else to_utc(at)
    prices = default_book() if book is None else book
    ask = (prices, provider, model if model is not None else used.model, said)
    ours = _of_parts(used, ask, moment) if used.parts else _of_one(used, ask, moment)
    if used.flags and "partial" in used.flags:
        ours = in_part(ours, used.reason or "the usage is told in part")
    return ours if used.reported_cost is None else _reported(used, used.reported_cost, ours)


Ask = tuple[Book, str | None, str | None, tuple[Term, ...]]


def usage_from_counts(counts: Mapping[str, Quantity]) -> Usage:
    """Make a usage from counts by unit, or from inclusive token counts, which are then made disjoint.

    Raises:
        UsageError: a count that cannot be, a part larger than its whole, or both kinds of names together.
    """
    if not isinstance(counts, Mapping):
        raise UsageError(f"a usage is a Usage or a mapping of counts, not {counts!r:.60}")
    if not counts:
        return Usage(reason="no counts were given")  # which is not that all of them are 0
    if not _INCLUSIVE & counts.keys():
        return Usage.of(counts)
    if strange := sorted(set(counts) & TOKEN_UNITS.keys()):
        raise UsageError(f"{strange[0]} and inclusive names such as input_tokens cannot stand together")
    whole = {name: _count(name, counts.get(name, 0)) for name in _INCLUSIVE}
    fresh = whole["input_tokens"] - whole["cached_tokens"] - whole["cache_write_tokens"]
    visible = whole["output_tokens"] - whole["reasoning_tokens"]
    if fresh < 0 or visible < 0:
        part = "cached_tokens and cache_write_tokens" if fresh < 0 else "reasoning_tokens"
        raise UsageError(
            f"{part} are a part of {'input' if fresh < 0 else 'output'}_tokens and cannot be more"
        )
    units = {
        "input": fresh,
        "cache_read": whole["cached_tokens"],
        "cache_write": whole["cache_write_tokens"],
        "output": visible,
        "reasoning": whole["reasoning_tokens"],
    }
    return Usage.of({**units, **{name: n for name, n in counts.items() if name not in _INCLUSIVE}})


def _count(name: str, value: object) -> int:
    if type(value) is not int or value < 0:
        raise UsageError(f"{name} must be a whole number from 0 on, not {value!r:.40}")
    return value


def _of_one(usage: Usage, ask: Ask, at: datetime, part_model: str | None = None) -> Cost:
    book, provider, model, terms = ask
    plain, so_far = _without_month(terms) if terms else ((), None)
    timeline = book.timeline(provider, model, plain)
    card = timeline.at(at)
    if isinstance(card, Unpriced):
        return unpriced(usage.reason or card.reason if not usage.items else card.reason)
    if not timeline.provisioned and (usual := usual_cost(usage, card, part_model)) is not None:
        return usual
    items = usage.items
    if not items and usage.reason is not None and (not card.fee or "error" in usage.flags):
        if card.free and "error" not in usage.flags:
            return _free_of(card)
        return unpriced(usage.reason, currency=card.currency)
    # Counts stand behind tokens: most calls end with a token unit, and have nothing that is stated twice.
    again = 0
    if items and items[-1][0] not in _TOKENS:
        again, items = len(items), charged_once(items, card.rates)
        again -= len(items)
    if card.fee or card.once or card.least:
        items = _with_fees(items, card)
    if card.tiers:
        lines, missing, flags = _tiered(usage, items, card, so_far, part_model)
    else:
        lines, missing, flags = lines_of(items, card.rates, part_model)
    if again:
        flags = {*flags, OTHER_MEASURE}
    cost = _cost(usage, card, lines, missing, flags)
    return _provisioned(cost, card) if timeline.provisioned else cost


def _without_month(terms: tuple[Term, ...]) -> tuple[tuple[Term, ...], Month]:
    for name, _ in terms:
        if name in _MONTH:
            break
    else:
        return terms, None
    said = dict(terms)
    given, made = (_month_count(said.pop(name, "0")) for name in (MONTH_INPUT, MONTH_OUTPUT))
    return sort_terms(said), None if given is None or made is None else (given, made)


def _month_count(text: object) -> int | None:
    """Read a count as text; None for what is none, as "1e6": that is not the month's first call."""
    digits = str(text)
    return int(digits) if _COUNT.fullmatch(digits) else None


def _with_fees(items: tuple[Item, ...], card: RateCard) -> tuple[Item, ...]:
    """Add the flat fee of the call where it has one; count once, or at least so much, what is charged so."""
    if card.least:
        items = tuple((unit, max(quantity, card.least.get(unit, 0))) for unit, quantity in items)
    counted = tuple(
        (unit, 1) if unit in card.once and quantity > 1 else (unit, quantity) for unit, quantity in items
    )
    if card.fee and all(unit != "requests" for unit, _ in items):
        counted = (*counted, ("requests", 1))
    return counted


def _tiered(
    usage: Usage, items: tuple[Item, ...], card: RateCard, so_far: Month, model: str | None
) -> tuple[list[CostLine], list[str], set[str]]:
    if card.kind == "request":
        size = usage.input_tokens if usage.context_tokens is None else usage.context_tokens
        if usage.context_tokens is None and "summed_calls" in usage.flags and size >= card.tiers[0].tokens:
            # The input is a sum over calls of a server tool, none of which need have been so large.
            lines, missing, flags = lines_of(items, card.rates, model)
            return lines, missing, {*flags, "tier_unknown"}
        return lines_of(items, card.rates_for(size), model)
    if card.kind == "marginal":
        return split_lines(items, card, (0, 0), model)
    lines, missing, flags = split_lines(items, card, so_far or (0, 0), model)
    return lines, missing, flags if so_far is not None else {*flags, "tier_unknown"}


def _cost(
    usage: Usage,
    card: RateCard,
    lines: list[CostLine],
    missing: list[str],
    flags: set[str],
) -> Cost:
    amount = sum_of(lines)
    untold = card.untold.difference(unit for unit, _ in usage.items)
    if not (missing or flags or card.flags or card.free or untold) and usage.items:
        return _priced(amount, "priced", card, (tuple(lines), card.reason, ()))
    status: CostStatus = "free" if card.free and not amount else "priced"
    reason = card.reason
    if missing:
        flags = {*flags, "no_rate"}
        lacking = f"{card.model} has no rate for {', '.join(missing)}"
        if not lines:
            return unpriced(lacking, currency=card.currency, flags=merge_flags(card.flags, flags))
        status, reason = "partial", lacking if reason is None else f"{lacking}; {reason}"
    if usage.reason is not None and not usage.items:
        status, reason = "partial", f"only the fee of the call is known: {usage.reason}"
    if "fee_unknown" in card.flags and status == "priced":
        status, reason = "partial", "the fee of the route's web search is not in the response"
    if untold:
        flags = {*flags, "fee_unknown"}
        charged = f"{card.model} is charged for {', '.join(sorted(untold))}, not told in the response"
        status, reason = "partial", join_notes(charged, reason)
    said = card.flags if not flags else merge_flags(card.flags, flags)
    return _priced(amount, status, card, (tuple(lines), reason, said))


def _priced(amount: Decimal, status: CostStatus, card: RateCard, said: Said) -> Cost:
    """Make a cost by its twin."""
    cost: Any = _OpenCost()
    cost.amount = amount
    cost.status = status
    cost.currency = card.currency
    cost.lines, cost.reason, cost.flags = said
    cost.price = card.price
    cost.computed = None
    cost.__class__ = Cost
    made: Cost = cost
    return made


def _free_of(card: RateCard) -> Cost:
    """Price an answer that states no usage, of a model that costs nothing, as OpenAI's moderation."""
    return _priced(
        ZERO, "free", card, ((), f"{card.model} costs nothing, and so whatever it used", card.flags)
    )


def _provisioned(cost: Cost, card: RateCard) -> Cost:
    if cost.status == "unpriced":
        return cost
    reason = (
        "provisioned throughput is paid by the hour; this call adds nothing, its list price is in computed"
    )
    return Cost(ZERO, "free", card.currency, (), card.price, reason, ("provisioned",), computed=cost.amount)


def _of_parts(usage: Usage, ask: Ask, at: datetime) -> Cost:
    """Price each part on its own model; what no part accounts for is priced on the main one."""
    book, provider, model, terms = ask
    costs = []
    for part in usage.parts:
        named = part.model or model
        costs.append(_of_one(part, (book, provider, named, _laid(terms, part.terms)), at, named))
    rest = _rest(usage)
    if rest:
        whole = Usage(items=rest, context_tokens=usage.context_tokens)
        costs.append(_of_one(whole, (book, provider, model, terms), at, model))
    return combined(costs)


def _laid(terms: tuple[Term, ...], own: tuple[Term, ...]) -> tuple[Term, ...]:
    return terms if not own else sort_terms({**dict(terms), **dict(own)})


def _rest(usage: Usage) -> tuple[Item, ...]:
    left = dict(usage.items)
    for part in usage.parts:
        for unit, quantity in part.items:
            left[unit] = _less(left.get(unit, 0), quantity)
    return tuple((unit, quantity) for unit, quantity in left.items() if quantity > 0)


def _less(one: Quantity, other: Quantity) -> Quantity:
    """Subtract exactly, whatever the decimal context of who calls."""
    return one - other if type(one) is int and type(other) is int else EXACT.subtract(one, other)


def combined(costs: list[Cost]) -> Cost:
    """Join the costs of the parts of one response; one that is unknown beside known ones makes it partial."""
    known = [cost for cost in costs if cost.amount is not None]
    reasons = "; ".join(dict.fromkeys(cost.reason for cost in costs if cost.reason))
    flags = merge_flags(*(cost.flags for cost in costs))
    currencies = {cost.currency for cost in known}
    if not known or len(currencies) > 1:
        return unpriced(reasons or "the parts are billed in several currencies", flags=flags)
    lines = tuple(line for cost in known for line in cost.lines)
    statuses = {cost.status for cost in costs}
    status: CostStatus = "free" if statuses == {"free"} else "priced"
    if statuses & {"unpriced", "partial"}:
        status = "partial"
    return Cost(sum_of(lines), status, known[0].currency, lines, known[0].price, reasons or None, flags)


def _reported(usage: Usage, stated: Decimal, ours: Cost) -> Cost:
    """Take the provider's own figure, and keep ours beside it where it is in the same currency."""
    cost: Any = _OpenCost()
    cost.amount = EXACT.plus(stated)
    cost.status = "reported"
    cost.currency = usage.reported_currency
    cost.lines = (stated_line(stated),)
    cost.price = ours.price
    cost.reason = None
    cost.flags = ours.flags if ours.amount is not None else ()
    # Where nothing was counted, 0 would not be what the book says of the call.
    cost.computed = ours.amount if ours.lines and ours.currency == usage.reported_currency else None
    cost.__class__ = Cost
    made: Cost = cost
    return made
