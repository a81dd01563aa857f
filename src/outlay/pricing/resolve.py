"""Resolving: a model's rows, an instant and terms -> one rate card."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from outlay.core.cost import Price
from outlay.core.money import EXACT
from outlay.core.units import TOKEN_UNITS
from outlay.core.usage import Term, merge_flags
from outlay.pricing.card import RateCard, Tier
from outlay.pricing.rates import ASSUMED, STAND_INS, Rate, Step, filled, join_notes
from outlay.pricing.rows import USER, Row
from outlay.pricing.tables import Model
from outlay.pricing.terms import PLACES, TARIFFS, label

_EVER = datetime(1, 1, 1, tzinfo=UTC)
_HALF = Decimal("0.5")
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


@dataclass(frozen=True, slots=True)
class Priced:
    """One unit's rate, and its rates from larger sizes on."""

    rate: Rate
    steps: tuple[tuple[int, bool, Rate], ...] = ()

    def mapped(self, change: "Change") -> "Priced":
        """Give the same with a change made to every rate."""
        steps = tuple((tokens, at_least, change.of(rate)) for tokens, at_least, rate in self.steps)
        return Priced(change.of(self.rate), steps)


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to a rate: multiplied, noted, flagged."""

    factor: Decimal | None = None
    note: str | None = None
    flag: str | None = None

    def of(self, rate: Rate) -> Rate:
        """Give the changed rate; the product is exact."""
        amount = rate.amount if self.factor is None else EXACT.multiply(rate.amount, self.factor)
        return Rate(amount, rate.per, join_notes(rate.note, self.note), self.flag or rate.flag)


def card_at(asked: Asked, rows: Sequence[Row], common: Sequence[Row], at: datetime) -> RateCard | str:
    """Make the card that holds at an instant, or say why there is none.

    A call from before the first known price of its hour takes that price, flagged ``extrapolated``.
    """
    terms = asked.terms
    fitting = [row for row in rows if all(terms.get(name) == value for name, value in row.when)]
    plain = [row for row in fitting if row.factor is None and not _tariffs(row)]
    if not plain:
        return _nothing_fits(rows, terms)
    moment, extrapolated = at, False
    if not any(row.holds(at) for row in plain):
        first = min((row.start or _EVER for row in plain if row.is_open(at)), default=_EVER)
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


def _tariffs(row: Row) -> list[Term]:
    return [term for term in row.when if term[0] in TARIFFS]


def _nothing_fits(rows: Sequence[Row], terms: Mapping[str, str]) -> str:
    wanted = sorted({name for row in rows for name, _ in row.when if name not in TARIFFS})
    said = ", ".join(f"{name}={terms[name]}" for name in wanted if name in terms) or "nothing"
    return f"its price depends on {', '.join(wanted) or 'terms unknown'}; the call says {said}"


def _rank(row: Row) -> tuple[int, int, bool, datetime]:
    return row.layer, len(row.when), bool(row.windows), row.start or _EVER


def _card(
    asked: Asked, active: Sequence[Row], common: Sequence[Row], when: tuple[Sequence[Row], datetime, bool]
) -> RateCard:
    rows, at, extrapolated = when
    plain = sorted((row for row in active if row.factor is None and not _tariffs(row)), key=_rank)
    best = plain[-1]
    units = _standard(plain, common, asked.terms)
    tariff_rows = sorted((row for row in active if row.factor is None and _tariffs(row)), key=_rank)
    units, missing = _with_tariffs(units, [row for row in tariff_rows if _belongs(row, best)], asked.terms)
    units, missing = _with_factors(units, _factors([*active, *common], active, best), asked.terms, missing)
    units, reasons = _with_gaps(_with_allowances(units, asked.model), missing)
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
        free=all(
            rate.amount == 0 for table in (rates, *(tier.rates for tier in tiers)) for rate in table.values()
        ),
        fee="requests" in rates,
        once=frozenset(facts.get("once", ())),
        least=dict(facts.get("least", {})),
        context_window=facts.get("context_window"),
        max_output=facts.get("max_output"),
        deprecated=facts.get("deprecated"),
    )


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


def _standard(plain: Sequence[Row], common: Sequence[Row], terms: Mapping[str, str]) -> dict[str, Priced]:
    """Lay rows over one another: provider-wide fees, then from the widest row to the narrowest.

    Of rows with the same terms the latest counts, alone; a row of hours lies over the one of all day. Rows of
    a lower layer than the best do not shine through: a price of one's own is the whole price.
    """
    narrowing: dict[object, Row] = {}
    for row in plain:
        if row.layer == plain[-1].layer:
            narrowing[row.when, bool(row.windows)] = row
    units: dict[str, Priced] = {}
    for row in (*common, *sorted(narrowing.values(), key=_rank)):
        if row.factor is None and all(terms.get(name) == value for name, value in row.when):
            units.update(_units(row))
    return units


def _units(row: Row) -> dict[str, Priced]:
    note = join_notes(row.note, *(label(term) for term in row.when), "in its hours" if row.windows else None)
    change = Change(note=note)
    return {unit: Priced(rate, _steps(unit, row.steps)).mapped(change) for unit, rate in row.rates.items()}


def _steps(unit: str, steps: Sequence[Step]) -> tuple[tuple[int, bool, Rate], ...]:
    found = []
    for step in steps:
        if unit in step.rates:
            rate = step.rates[unit]
            note = f"{'from' if step.at_least else 'above'} {step.tokens}"
            found.append((step.tokens, step.at_least, replace(rate, note=join_notes(note, rate.note))))
    return tuple(found)


def _with_tariffs(
    units: dict[str, Priced], rows: Sequence[Row], terms: Mapping[str, str]
) -> tuple[dict[str, Priced], list[Term]]:
    """Lay tariff rows over the standard rates; give what was asked for and no row answers."""
    result, met = dict(units), set()
    for row in rows:
        own = _units(row)
        met |= set(_tariffs(row))
        result.update(own)
        result = _without_own(result, units, own, row)
    return result, [
        (name, terms[name]) for name in TARIFFS if name in terms and (name, terms[name]) not in met
    ]


def _without_own(
    result: dict[str, Priced], standard: Mapping[str, Priced], own: Mapping[str, Priced], row: Row
) -> dict[str, Priced]:
    """Settle token units that a tariff row leaves out: they follow their stand-in, or stay, flagged."""
    settled = dict(result)
    for unit in standard.keys() - own.keys():
        if unit not in TOKEN_UNITS:
            continue
        parent = next((other for other, _ in STAND_INS[unit] if other in own), None)
        same = (
            parent is not None
            and parent in standard
            and standard[parent].rate.amount == standard[unit].rate.amount
        )
        if same:
            del settled[unit]
        elif standard[unit].rate.amount:
            note = f"no {label(_tariffs(row)[0])} rate, standard rate"
            settled[unit] = standard[unit].mapped(Change(note=note, flag=ASSUMED))
    return settled


def _factors(rows: Iterable[Row], active: Iterable[Row], best: Row) -> list[Row]:
    """Give the factors that apply: none where a row with rates of its own answers the same terms."""
    answered = {term for row in active if row.factor is None for term in row.when}
    chosen = {
        row.when: row  # of several factors on the same terms the last counts, alone
        for row in rows
        if row.factor is not None
        and (best.layer < USER or row.layer == USER)
        and not (row.when and answered.issuperset(row.when))
    }
    return list(chosen.values())


def _with_factors(
    units: dict[str, Priced], rows: Sequence[Row], terms: Mapping[str, str], missing: list[Term]
) -> tuple[dict[str, Priced], list[Term]]:
    result = units
    for row in rows:
        if not all(terms.get(name) == value for name, value in row.when):
            continue
        named = join_notes(*(label(term) for term in row.when)) or row.note or "factor"
        result = _times(result, Change(row.factor, f"{named} x{row.factor}"))
        missing = [term for term in missing if term not in row.when]
    return result, missing


def _times(units: Mapping[str, Priced], change: Change) -> dict[str, Priced]:
    """Multiply token rates; fees are not touched, as providers exempt them."""
    return {unit: priced.mapped(change) if unit in TOKEN_UNITS else priced for unit, priced in units.items()}


def _with_allowances(units: dict[str, Priced], model: Model) -> dict[str, Priced]:
    """Say where an account's monthly free allowance may cover a fee: how much of it is left, nobody tells."""
    change = Change(note="a free allowance may cover it", flag="free_allowance")
    allowed = {unit: units[unit].mapped(change) for unit in model.facts.get("allowance", ()) if unit in units}
    return {**units, **allowed}


def _with_gaps(units: dict[str, Priced], missing: Sequence[Term]) -> tuple[dict[str, Priced], list[str]]:
    """Settle tariffs that nobody lists: half for batch, else the standard rate; both say so."""
    result, reasons = units, []
    for term in missing:
        if term == ("service_tier", "provisioned"):
            continue
        if term[0] == "batch":
            result = _times(result, Change(_HALF, "batch assumed x0.5"))
            reasons.append("no batch rate is known; half the standard rate was taken")
        else:
            reasons.append(f"no rate for {label(term)} is known; the standard rate was taken")
    return result, reasons


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
