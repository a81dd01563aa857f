"""Comparing prices: what changed between two instants or two books."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from outlay.pricing.book import Book
from outlay.pricing.card import RateCard
from outlay.pricing.rates import Rate

_COMPARED = ("input", "cache_read", "cache_write", "output")


@dataclass(frozen=True, slots=True)
class PriceChange:
    """One unit of one model whose rate or its currency differs; None where a side has no rate."""

    provider: str
    model: str
    unit: str
    before: Decimal | None
    after: Decimal | None
    per: int
    currency: str  # of ``after``, or of ``before`` where there is no rate after
    currency_before: str


def price_changes(
    before: tuple[Book, datetime], after: tuple[Book, datetime], providers: Iterable[str] | None = None
) -> Iterator[PriceChange]:
    """Give every standard rate that differs between two books, or between two instants of one."""
    wanted = providers if providers is not None else sorted({*before[0].providers(), *after[0].providers()})
    for provider in wanted:
        models = {*before[0].models(provider), *after[0].models(provider)}
        for home, model in sorted(models):
            cards = [book.resolve(home, model, at) for book, at in (before, after)]
            yield from _changes(
                home, model, *(card if isinstance(card, RateCard) else None for card in cards)
            )


def _changes(provider: str, model: str, old: RateCard | None, new: RateCard | None) -> Iterator[PriceChange]:
    known = new or old
    if known is None:
        return
    for unit in _units(old, new):
        one, other = (_own(card, unit) for card in (old, new))
        was, now = (card.currency if card and rate else None for card, rate in ((old, one), (new, other)))
        if (one and one.amount, was) != (other and other.amount, now):
            yield PriceChange(
                provider,
                model,
                unit,
                one.amount if one else None,
                other.amount if other else None,
                (other or one or Rate(Decimal(0))).per,
                now or was or known.currency,
                was or now or known.currency,
            )


def _units(*cards: RateCard | None) -> list[str]:
    listed = {unit for card in cards if card for unit in card.rates if _own(card, unit)}
    return [*(unit for unit in _COMPARED if unit in listed), *sorted(listed.difference(_COMPARED))]


def _own(card: RateCard | None, unit: str) -> Rate | None:
    """Give a unit's rate unless it is only another's that stands in."""
    rate = card.rates.get(unit) if card else None
    return None if rate is None or (rate.note or "").startswith("rate of ") else rate
