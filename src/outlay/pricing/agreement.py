"""Agreement: our book beside another list of prices, rate by rate, and by whose word we differ."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

from outlay.core.money import EXACT
from outlay.core.units import rank
from outlay.core.usage import Term
from outlay.pricing.book import Book
from outlay.pricing.card import RateCard
from outlay.pricing.rates import Rate
from outlay.pricing.rows import OVERLAY, USER
from outlay.pricing.sources import Listed
from outlay.pricing.terms import label, normal_terms

TOLERANCE = Decimal("0.001")  # a tenth of a percent: lists round differently


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A rate on which two lists differ by more than the tolerance."""

    provider: str
    model: str
    unit: str
    terms: tuple[Term, ...]
    ours: Decimal
    theirs: Decimal
    per: int  # units that both rates are for
    currency: str  # of ours; theirs is in US dollars
    source: str  # of ours
    ruling: str | None  # by whose word ours stands, where it is our own dated row or the user's
    deprecated: str | None

    def to_dict(self) -> dict[str, Any]:
        """Give it with its terms as a mapping."""
        names = (
            *("provider", "model", "unit", "ours", "theirs", "per", "currency", "source", "ruling"),
            "deprecated",
        )
        return {**{name: getattr(self, name) for name in names}, "terms": dict(self.terms)}


@dataclass(slots=True)
class Tally:
    """Rates of one provider and unit: how many both list, on how many they agree, how many we lack."""

    compared: int = 0
    agree: int = 0
    only_theirs: int = 0


@dataclass(slots=True)
class Agreement:
    """One list beside ours."""

    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)  # by provider and unit
    disagreements: list[Disagreement] = field(default_factory=list)

    @property
    def total(self) -> Tally:
        """The tally over all providers and units."""
        return _sum(self.tallies.values())

    def by_provider(self) -> dict[str, Tally]:
        """Give the tallies of each provider over its units."""
        return _grouped(self.tallies, 0)

    def by_unit(self) -> dict[str, Tally]:
        """Give the tallies of each unit over all providers, in the vocabulary's order."""
        found = _grouped(self.tallies, 1)
        return {unit: found[unit] for unit in sorted(found, key=lambda unit: rank(unit.partition(" ")[0]))}


def compare_lists(
    book: Book, listed: Iterable[Listed], at: datetime, provider: str | None = None
) -> Agreement:
    """Compare every rate that a list states with ours, at an instant, below every tier."""
    found = Agreement()
    for each in listed:
        if provider is not None and each.provider != provider:
            continue
        tally = found.tallies.setdefault((each.provider, _unit(each)), Tally())
        card = book.resolve(each.provider, each.model, at, each.terms)
        ours = _own(card, each) if isinstance(card, RateCard) else None
        if ours is None or not isinstance(card, RateCard):
            tally.only_theirs += 1
            continue
        tally.compared += 1
        if _alike(ours.amount, each.rate) and card.currency == "USD":
            tally.agree += 1
        else:
            found.disagreements.append(_disagreement(book, card, each, ours, at))
    found.disagreements.sort(key=lambda each: (each.provider, each.model, rank(each.unit), each.terms))
    return found


def _alike(ours: Decimal, theirs: Decimal) -> bool:
    apart, greater = EXACT.subtract(ours, theirs).copy_abs(), max(ours.copy_abs(), theirs.copy_abs())
    return apart <= EXACT.multiply(TOLERANCE, greater)


def _own(card: RateCard, each: Listed) -> Rate | None:
    """Give our rate, unless another unit's or tariff's stands in for it."""
    rate = card.rates.get(each.unit)
    borrowed = rate is not None and ("rate of " in (rate.note or "") or rate.flag is not None)
    return None if borrowed or "assumed_tier" in card.flags else rate


def _disagreement(book: Book, card: RateCard, each: Listed, ours: Rate, at: datetime) -> Disagreement:
    return Disagreement(
        provider=each.provider,
        model=each.model,
        unit=each.unit,
        terms=each.terms,
        ours=ours.amount,
        theirs=each.rate,
        per=ours.per,
        currency=card.currency,
        source=card.price.source,
        ruling=_ruling(book, each, at),
        deprecated=card.deprecated,
    )


def _ruling(book: Book, each: Listed, at: datetime) -> str | None:
    """Name the source of our own rows that decide the rate, the narrowest; None if the tables decide."""
    terms = normal_terms(each.provider, dict(each.terms)).items()
    rows = [
        *(listing.row for listing in book.history(each.model, each.provider)),
        *(row for row in book.table(each.provider).common_rows() if terms >= dict(row.when).items()),
    ]
    ruled = [
        row
        for row in rows
        if row.layer in {OVERLAY, USER}
        and row.holds(at)
        and (each.unit in row.rates or row.factor is not None)
    ]
    if not ruled:
        return _said(book, each)
    best = max(ruled, key=lambda row: (row.layer, len(row.when), bool(row.windows)))
    return f"{best.source} {best.link}" if best.link else best.source


def _said(book: Book, each: Listed) -> str | None:
    """Find the overlay's word on a model where the tables decide."""
    for sheet in book.sheets:
        for ruling in sheet.rulings:
            if ruling.provider == each.provider and fnmatchcase(each.model, ruling.model):
                return f"{ruling.says} {ruling.link}" if ruling.link else ruling.says
    return None


def _unit(each: Listed) -> str:
    tariffs = [label(term) for term in each.terms if term[0] in {"batch", "service_tier"}]
    return " ".join((each.unit, *tariffs))


def _grouped(tallies: dict[tuple[str, str], Tally], place: int) -> dict[str, Tally]:
    names = sorted({key[place] for key in tallies})
    return {name: _sum(tally for key, tally in tallies.items() if key[place] == name) for name in names}


def _sum(tallies: Iterable[Tally]) -> Tally:
    whole = Tally()
    for each in tallies:
        whole.compared += each.compared
        whole.agree += each.agree
        whole.only_theirs += each.only_theirs
    return whole
