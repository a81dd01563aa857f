"""Drivers: which of calls, model mix, tokens a call, cache share and price made a day cost more or less."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

from outlay.core.buckets import span
from outlay.core.money import EXACT, total
from outlay.core.query import Row, zone
from outlay.core.units import TOKEN_UNITS
from outlay.report.asked import conditions
from outlay.report.plain import plain
from outlay.report.reader import LedgerReader

NAMES = ("calls", "model_mix", "tokens_per_call", "cache_share", "price")
"""The drivers, in the order in which they are taken from usual to this day's."""

BEFORE = 28  # days that a day is compared with
_PLACES = Decimal("0.000001")
_WIDE = Context(prec=60)
_NOTICEABLE = Fraction(1, 100)  # of all input; less is no driver, and stays in the price
Model = tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class Drivers:
    """What a day cost beside a usual day, the mean of the BEFORE days before it, in one currency.

    ``effects`` say by how much each of NAMES alone changed the cost, taken one after the other; ``price`` is
    what is left, the kinds of tokens among it. They add up to ``change``, to the last of six places.
    ``driver`` is the one with the greatest effect in the direction of the change.
    """

    day: str
    currency: str
    cost: Decimal
    usual: Decimal
    effects: tuple[tuple[str, Decimal], ...] = ()
    driver: str | None = None

    @property
    def change(self) -> Decimal:
        """How much more the day cost than a usual one."""
        return EXACT.subtract(self.cost, self.usual)

    def to_dict(self) -> dict[str, Any]:
        """Give the drivers as a JSON object; money is a plain decimal string."""
        names = ("day", "currency", "cost", "usual", "change", "driver")
        return {**{name: plain(getattr(self, name)) for name in names}, "effects": plain(dict(self.effects))}


@dataclass(slots=True)
class _Use:
    """What one model was used for on one (mean) day."""

    calls: Fraction = Fraction(0)
    cost: Fraction = Fraction(0)
    fresh: Fraction = Fraction(0)  # input tokens that were read from no cache
    cached: Fraction = Fraction(0)
    output: Fraction = Fraction(0)
    costs: defaultdict[str, Fraction] = field(default_factory=lambda: defaultdict(Fraction))  # by _part
    lined: defaultdict[str, Fraction] = field(default_factory=lambda: defaultdict(Fraction))  # tokens of them

    @property
    def tokens(self) -> Fraction:
        return self.fresh + self.cached + self.output

    def rate(self, part: str) -> Fraction | None:
        """Give what such a token cost, of the calls whose lines there are: pruned ones have none."""
        return self.costs[part] / self.lined[part] if self.lined[part] else None


def drivers_of(
    reader: LedgerReader, day: str, *, currency: str = "USD", tz: str = "UTC", where: Any = None
) -> Drivers:
    """Ask what drove the cost of a day (``2026-11-22``) in one currency.

    Raises:
        QueryError: no such day, or a filter or time zone that cannot be.
    """
    local = zone(tz)
    start, end = span("day", day, local)
    first = span("day", f"{datetime.fromisoformat(day) - timedelta(days=BEFORE):%Y-%m-%d}", local)[0]
    given = conditions(where)
    scope = {"tz": tz, "where": [*given, ("currency", currency)]}
    lived = _days_with_calls(reader, since=first, until=start, **scope)
    now = _uses(reader, 1, since=start, until=end, **scope)
    usual = _uses(reader, lived, since=first, until=start, **scope)
    if any(_moved(usual.get(model), use) for model, use in now.items()):
        _with_lines(now, reader, since=start, until=end, **scope)
        _with_lines(usual, reader, since=first, until=start, **scope)
    effects = _effects(usual, now)
    cost, before = (_money(_sum(uses.values(), lambda use: use.cost)) for uses in (now, usual))
    rounded = {name: _money(effect) for name, effect in effects.items()}
    change = EXACT.subtract(cost, before)
    rounded["price"] = EXACT.add(rounded["price"], EXACT.subtract(change, total(rounded.values())))
    return Drivers(day, currency, cost, before, tuple(rounded.items()), _greatest(rounded, change))


def _days_with_calls(reader: LedgerReader, **question: Any) -> int:
    """Count the days since the first one with a call, so that a young ledger's usual day is no half one."""
    rows = reader.rows("day", detail="sums", **question).rows
    if not rows:
        return 1
    end: datetime = question["until"]
    return (end.astimezone(zone(question["tz"])).date() - date.fromisoformat(rows[0]["day"])).days


def _uses(reader: LedgerReader, days: int, **question: Any) -> dict[Model, _Use]:
    """Give what each model was used for on a mean day."""
    found: defaultdict[Model, _Use] = defaultdict(_Use)
    for row in reader.rows(("provider", "model"), detail="sums", **question).rows:
        use = found[row["provider"], row["model"]]
        use.calls = Fraction(row["calls"], days)
        use.cost = Fraction(row["cost"] or 0) / days
        use.cached = Fraction(row["cached_tokens"], days)
        use.fresh = Fraction(row["input_tokens"], days) - use.cached
        use.output = Fraction(row["output_tokens"], days)
    return dict(found)


def _moved(old: _Use | None, use: _Use) -> bool:
    """Whether the share of cached input is another one: only then are the lines of costs asked for."""
    if old is None:
        return False
    whole, before = use.fresh + use.cached, old.fresh + old.cached
    return bool(whole and before and abs(use.cached / whole - old.cached / before) > _NOTICEABLE)


def _with_lines(uses: dict[Model, _Use], reader: LedgerReader, **question: Any) -> None:
    """Add what the parts of each model's tokens cost."""
    for line in reader.lines(("provider", "model"), **question):
        use = uses.get((line["provider"], line["model"]))
        if use is not None:
            use.costs[_part(line)] += Fraction(line["amount"])
            use.lined[_part(line)] += Fraction(line["quantity"])


def _part(line: Row) -> str:
    if line["unit"].startswith("cache_read"):
        return "cached"
    if TOKEN_UNITS.get(line["unit"]) == "input":
        return "fresh"
    return "output" if line["unit"] in TOKEN_UNITS else "other"


def _effects(usual: dict[Model, _Use], now: dict[Model, _Use]) -> dict[str, Fraction]:
    """Move from the usual day to this one, a driver at a time, and note what each step costs."""
    calls, before = (_sum(uses.values(), lambda use: use.calls) for uses in (now, usual))
    start, end = (_sum(uses.values(), lambda use: use.cost) for uses in (usual, now))
    if not before or not calls:
        return {"calls": end - start, **dict.fromkeys(NAMES[1:], Fraction(0))}
    scaled = start * calls / before
    mixed = Fraction(0)
    sized = Fraction(0)
    cached = Fraction(0)
    for model, use in now.items():
        old = usual.get(model)
        if old is None or not old.calls:  # a model that is new: all that it costs is mix
            mixed, sized, cached = mixed + use.cost, sized + use.cost, cached + use.cost
            continue
        each = old.cost / old.calls * use.calls
        larger = (
            each * (use.tokens / use.calls) / (old.tokens / old.calls) if old.tokens and use.calls else each
        )
        mixed, sized = mixed + each, sized + larger
        cached += larger + _recached(old, use)
    return {
        "calls": scaled - start,
        "model_mix": mixed - scaled,
        "tokens_per_call": sized - mixed,
        "cache_share": cached - sized,
        "price": end - cached,
    }


def _recached(old: _Use, use: _Use) -> Fraction:
    """What this day's share of cached input costs above the usual share, at usual rates, else this day's."""
    whole, before = use.fresh + use.cached, old.fresh + old.cached
    if not whole or not before or not old.fresh:
        return Fraction(0)
    dear, cheap = (_first(old.rate(part), use.rate(part)) for part in ("fresh", "cached"))
    if dear is None or cheap is None:  # nobody knows what either saved
        return Fraction(0)
    return (dear - cheap) * (old.cached / before - use.cached / whole) * whole


def _first(usual: Fraction | None, now: Fraction | None) -> Fraction | None:
    return now if usual is None else usual


def _sum(uses: Iterable[_Use], of: Callable[[_Use], Fraction]) -> Fraction:
    return sum((of(use) for use in uses), Fraction(0))


def _money(amount: Fraction) -> Decimal:
    return _WIDE.quantize(_WIDE.divide(Decimal(amount.numerator), Decimal(amount.denominator)), _PLACES)


def _greatest(effects: dict[str, Decimal], change: Decimal) -> str | None:
    if not change:
        return None
    return max(effects, key=lambda name: effects[name] if change > 0 else effects[name].copy_negate())
