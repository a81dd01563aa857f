"""Resolving: a model's rows, an instant and terms -> one rate card."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from outlay.core.cost import Price
from outlay.core.units import TOKEN_UNITS
from outlay.core.usage import merge_flags
from outlay.pricing.card import RateCard, Tier
from outlay.pricing.laying import (
    EVER,
    Change,
    Priced,
    factors_of,
    rank,
    standard_units,
    tariffs_of,
    with_allowances,
    with_factors,
    with_gaps,
    with_tariffs,
)
from outlay.pricing.rates import ASSUMED, Rate, filled, join_notes
from outlay.pricing.rows import Row
from outlay.pricing.tables import Model
from outlay.pricing.terms import PLACES, TARIFFS

ASSUMED_TIER = "assumed_tier"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a card is asked for: whose, which model, under which terms, found how."""

    provider: str
    model: Model
    terms: Mapping[str, str]
    flags: tuple[str, ...]
    reason: str | None
    version: str


def card_at(asked: Asked, rows: Sequence[Row], common: Sequence[Row], at: datetime) -> RateCard | str:
    """Make the card that holds at an instant, or say why there is none.

    A call from before the first known price of its hour takes that price, flagged ``extrapolated``.
    """
    terms = asked.terms
    fitting = [row for row in rows if all(terms.get(name) == value for name, value in row.when)]
    plain = [row for row in fitting if row.factor is None and not tariffs_of(row)]
    if not plain:
        return _nothing_fits(rows, terms)
    moment, extrapolated = at, False
    if not any(row.holds(at) for row in plain):
        first = min((row.start or EVER for row in plain if row.is_open(at)), default=EVER)
        if at >= first:
            return f"no price of {asked.model.id} is known {_lapsed(plain, at)}"
        moment, extrapolated = first, True
    active, general = (
        [row for row in group if row.spans(moment) and row.is_open(at)] for group in (fitting, common)
    )
    return _card(asked, active, general, (rows, at, extrapolated))


def _lapsed(rows: Iterable[Row], at: datetime) -> str:
    """Say when the last price ended, which is the same for every call behind it."""
    ended = max((row.end for row in rows if row.end is not None and row.end <= at), default=None)
    return "for that hour" if ended is None else f"from {ended:%Y-%m-%d} on"


def _belongs(tariff: Row, best: Row) -> bool:
    """Whether a tariff goes with a standard price: not of a lower layer, and not of another place."""
    there = {term for term in best.when if term[0] in PLACES}
    return tariff.layer >= best.layer and there.issubset(tariff.when)


def _nothing_fits(rows: Sequence[Row], terms: Mapping[str, str]) -> str:
    wanted = sorted({name for row in rows for name, _ in row.when if name not in TARIFFS})
    said = ", ".join(f"{name}={terms[name]}" for name in wanted if name in terms) or "nothing"
    return f"its price depends on {', '.join(wanted) or 'terms unknown'}; the call says {said}"


def _card(
    asked: Asked, active: Sequence[Row], common: Sequence[Row], when: tuple[Sequence[Row], datetime, bool]
) -> RateCard:
    rows, at, extrapolated = when
    plain = sorted((row for row in active if row.factor is None and not tariffs_of(row)), key=rank)
    best = plain[-1]
    plain, active, common = (_in_currency(best.currency, group) for group in (plain, active, common))
    units = standard_units(plain, common, asked.terms)
    tariff_rows = sorted((row for row in active if row.factor is None and tariffs_of(row)), key=rank)
    units, missing = with_tariffs(units, [row for row in tariff_rows if _belongs(row, best)], asked.terms)
    units, missing = with_factors(units, factors_of([*active, *common], active, best), asked.terms, missing)
    units, reasons = with_gaps(with_allowances(units, asked.model), missing)
    elsewhere = _elsewhere(asked.terms, rows, [*active, *common])
    flags = [
        *asked.flags,
        *((ASSUMED_TIER,) if reasons else ()),
        *(("assumed_place",) if elsewhere else ()),
        *(("extrapolated",) if extrapolated else ()),
    ]
    rates, tiers = _by_size(units)
    facts = asked.model.facts
    return RateCard(
        provider=asked.provider,
        model=asked.model.id,
        rates=rates,
        tiers=tiers,
        kind=next((row.kind for row in reversed(plain) if row.steps), "request"),
        price=Price(best.source, _since(best, rows, at), asked.version, extrapolated),
        until=_next_change(rows, at),
        currency=best.currency,
        flags=merge_flags(flags),
        reason=join_notes(asked.reason, *reasons, elsewhere),
        link=best.link,
        free=_is_free((rates, *(tier.rates for tier in tiers)), active, common),
        fee="requests" in rates,
        once=frozenset(facts.get("once", ())),
        untold=frozenset(facts.get("untold", ())),
        least=dict(facts.get("least", {})),
        context_window=facts.get("context_window"),
        max_output=facts.get("max_output"),
        deprecated=facts.get("deprecated"),
    )


def _is_free(tables: Iterable[Mapping[str, Rate]], rows: Iterable[Row], common: Iterable[Row]) -> bool:
    """Whether all that a model itself charges is nothing; a provider's fees for tools stand beside that."""
    fees = {unit for row in common for unit in row.rates}.difference(*(row.rates for row in rows))
    return all(rate.amount == 0 for table in tables for unit, rate in table.items() if unit not in fees)


def _in_currency(currency: str, rows: Iterable[Row]) -> list[Row]:
    """Leave out rates in other money, which cannot stand on one card; units that only they had have none."""
    return [row for row in rows if row.currency == currency or row.factor is not None]


def _elsewhere(terms: Mapping[str, str], rows: Iterable[Row], active: Iterable[Row]) -> str | None:
    """Say that other regions have prices of their own, and the one of the call has none in any row."""
    region = terms.get("region")
    if region is None or region == "global" or any(("region", region) in row.when for row in active):
        return None
    if not {value for row in rows for name, value in row.when if name == "region"} - {"global", "us-gov"}:
        return None
    return f"no rate for region {region} is known; the one without a region was taken"


def _since(best: Row, rows: Iterable[Row], at: datetime) -> datetime | None:
    """Say from when a price holds: a row that another one hid until then begins where that one ended."""
    ended = (row.end for row in rows if row.when == best.when and row.factor is None and row.end is not None)
    starts = [best.start, *(end for end in ended if end <= at)]
    return max((start for start in starts if start is not None), default=None)


def _next_change(rows: Iterable[Row], at: datetime) -> datetime | None:
    edges = {edge for row in rows for edge in (row.start, row.end) if edge is not None and edge > at}
    return min(edges, default=None)


def _by_size(units: Mapping[str, Priced]) -> tuple[dict[str, Rate], tuple[Tier, ...]]:
    sizes = sorted({(tokens, at_least) for priced in units.values() for tokens, at_least, _ in priced.steps})
    base = filled({unit: priced.rate for unit, priced in units.items()})
    tiers = tuple(Tier(tokens, at_least, filled(_above(units, tokens))) for tokens, at_least in sizes)
    return base, tiers


def _above(units: Mapping[str, Priced], size: int) -> dict[str, Rate]:
    found = {}
    for unit, priced in units.items():
        reached = [rate for tokens, _, rate in priced.steps if tokens <= size]
        found[unit] = reached[-1] if reached else priced.rate
        if not reached and unit in TOKEN_UNITS and priced.rate.amount:
            found[unit] = Change(note=f"no rate above {size}", flag=ASSUMED).of(priced.rate)
    return found
