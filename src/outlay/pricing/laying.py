"""Laying: the rows of a card over one another, and what is done to their rates: tariffs, factors, gaps."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from outlay.core.money import EXACT
from outlay.core.units import TOKEN_UNITS
from outlay.core.usage import Term
from outlay.pricing.rates import ASSUMED, STAND_INS, Rate, Step, join_notes
from outlay.pricing.rows import USER, Row
from outlay.pricing.tables import Model
from outlay.pricing.terms import TARIFFS, label

EVER = datetime(1, 1, 1, tzinfo=UTC)
_HALF = Decimal("0.5")


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


def rank(row: Row) -> tuple[int, int, bool, datetime]:
    """Order rows as they are laid: by layer, then the narrower, the one of hours, the younger on top."""
    return row.layer, len(row.when), bool(row.windows), row.start or EVER


def tariffs_of(row: Row) -> list[Term]:
    """Give the terms of a row that ask for a tariff."""
    return [term for term in row.when if term[0] in TARIFFS]


def standard_units(
    plain: Sequence[Row], common: Sequence[Row], terms: Mapping[str, str]
) -> dict[str, Priced]:
    """Lay rows over one another: provider-wide fees, then from the widest row to the narrowest.

    Of rows with the same terms the latest counts, alone; a row of hours lies over the one of all day. Rows of
    a lower layer than the best do not shine through: a price of one's own is the whole price.
    """
    narrowing: dict[object, Row] = {}
    for row in plain:
        if row.layer == plain[-1].layer:
            narrowing[row.when, bool(row.windows)] = row
    units: dict[str, Priced] = {}
    for row in (*common, *sorted(narrowing.values(), key=rank)):
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


def with_tariffs(
    units: dict[str, Priced], rows: Sequence[Row], terms: Mapping[str, str]
) -> tuple[dict[str, Priced], list[Term]]:
    """Lay tariff rows over the standard rates, the widest first; give what was asked for and no row answers.

    Of rows for the same terms those of the highest layer count: a tariff of one's own is the whole tariff.
    """
    result, met = dict(units), set()
    highest = {row.when: row.layer for row in rows}
    for row in (row for row in rows if row.layer == highest[row.when]):
        own = _units(row)
        met |= set(tariffs_of(row))
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
        if unit not in TOKEN_UNITS or settled.get(unit) is not standard[unit]:  # a wider row has settled it
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
            note = f"no {label(tariffs_of(row)[0])} rate, standard rate"
            settled[unit] = standard[unit].mapped(Change(note=note, flag=ASSUMED))
    return settled


def factors_of(rows: Iterable[Row], active: Iterable[Row], best: Row) -> list[Row]:
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


def with_factors(
    units: dict[str, Priced], rows: Sequence[Row], terms: Mapping[str, str], missing: list[Term]
) -> tuple[dict[str, Priced], list[Term]]:
    """Multiply token rates by the factors whose terms hold; give what is asked for and still unanswered."""
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


def with_allowances(units: dict[str, Priced], model: Model) -> dict[str, Priced]:
    """Say where an account's monthly free allowance may cover a fee: how much of it is left, nobody tells."""
    change = Change(note="a free allowance may cover it", flag="free_allowance")
    allowed = {unit: units[unit].mapped(change) for unit in model.facts.get("allowance", ()) if unit in units}
    return {**units, **allowed}


def with_gaps(units: dict[str, Priced], missing: Sequence[Term]) -> tuple[dict[str, Priced], list[str]]:
    """Settle tariffs that nobody lists: half for batch, else the standard rate; both say so."""
    result, reasons = units, []
    for term in missing:
        if term == ("service_tier", "provisioned"):
            continue
        if term[0] == "batch":
            result = _times(result, Change(_HALF, "batch assumed x0.5"))
            reasons.append("no batch rate is known; half the standard rate was taken for tokens")
        else:
            reasons.append(f"no rate for {label(term)} is known; the standard rate was taken")
    return result, reasons
