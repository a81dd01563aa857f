"""The tariff of a usual call: what its cost depends on beside its counts, told by one look-up."""

from collections.abc import Mapping
from datetime import datetime

from outlay.core.instants import to_utc
from outlay.core.units import TOKEN_UNITS
from outlay.core.usage import Item, Term
from outlay.pricing.book import Book
from outlay.pricing.card import RateCard, Unpriced
from outlay.pricing.rates import Rate
from outlay.pricing.terms import MONTH_INPUT, MONTH_OUTPUT

Tariff = tuple[RateCard, Mapping[str, Rate]]
"""A card, and those of its rates that hold for a call of this size; both the very objects of the book."""
_MONTH = frozenset({MONTH_INPUT, MONTH_OUTPUT})


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
    if terms and not _MONTH.isdisjoint([name for name, _ in terms]):
        return None
    timeline = book.timeline(provider, model, terms)
    card = timeline.at(to_utc(at))
    if isinstance(card, Unpriced) or timeline.provisioned or card.fee or card.once or card.least:
        return None
    if not card.tiers:
        return card, card.rates
    size = sum([count for unit, count in items if TOKEN_UNITS.get(unit) == "input"])
    return (card, card.rates_for(int(size))) if card.kind == "request" else None
