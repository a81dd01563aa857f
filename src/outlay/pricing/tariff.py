"""The tariff of a call: what its cost depends on beside its counts, told by one look-up."""

from collections.abc import Mapping
from datetime import UTC, datetime

from outlay.core.instants import to_utc
from outlay.core.units import TOKEN_UNITS
from outlay.core.usage import Item, Term
from outlay.pricing.book import Book
from outlay.pricing.card import RateCard, Unpriced
from outlay.pricing.rates import Rate
from outlay.pricing.terms import MONTH_INPUT, MONTH_OUTPUT

Tariff = tuple[RateCard, Mapping[str, Rate]]
"""A card, and those of its rates that hold for a call of this size; both the very objects of the book."""
Basis = tuple[RateCard | Unpriced, Mapping[str, Rate]]
"""The same, or why there is no price, with no rates."""
_MONTH = frozenset({MONTH_INPUT, MONTH_OUTPUT})
_NO_RATES: Mapping[str, Rate] = {}
_INPUTS = frozenset(unit for unit, side in TOKEN_UNITS.items() if side == "input")


Asked = tuple[str | None, str | None, tuple[Term, ...], datetime]
"""What is asked of the book: who served, which model, under which terms, and when."""


def tariff_of(
    items: tuple[Item, ...],
    terms: tuple[Term, ...],
    *,
    provider: str | None,
    model: str | None,
    at: datetime,
    book: Book,
) -> Tariff | None:
    """Give what a usual call is priced by: one whose usage is these units and terms, and nothing more.

    Of one tariff, terms and units :func:`outlay.pricing.cost_of` makes the same cost but for quantities and
    amounts. None where more than that decides: fees, tiers that are no whole request's, an unknown price.
    """
    found = basis_of(items, (provider, model, terms, at), book)
    if found is None or isinstance(found[0], Unpriced) or found[0].fee:
        return None
    return found[0], found[1]


def basis_of(
    items: tuple[Item, ...],
    asked: Asked,
    book: Book,
    flags: tuple[str, ...] = (),
    context_tokens: int | None = None,
) -> Basis | None:
    """Give what a call is priced by that has these units, terms and flags, and no parts.

    Of one basis, terms, flags, reason and units the cost is the same but for quantities and amounts, if no
    unit measures another one again. None where quantities decide more than amounts.
    """
    provider, model, terms, at = asked
    for name, _ in terms:
        if name in _MONTH:
            return None
    timeline = book.timeline(provider, model, terms)
    card = timeline.at(at if at.tzinfo is UTC else to_utc(at))
    if isinstance(card, Unpriced):
        return card, _NO_RATES
    if timeline.provisioned or card.least:
        return None
    if card.once and not card.once.isdisjoint([unit for unit, _ in items]):
        return None
    return (card, card.rates) if not card.tiers else _by_size(items, card, flags, context_tokens)


def _by_size(
    items: tuple[Item, ...], card: RateCard, flags: tuple[str, ...], context_tokens: int | None
) -> Tariff | None:
    size = context_tokens
    if size is None:
        size = int(sum([count for unit, count in items if unit in _INPUTS]))
        if "summed_calls" in flags and size >= card.tiers[0].tokens:
            return None  # no single call need have been so large
    return (card, card.rates_for(size)) if card.kind == "request" else None
