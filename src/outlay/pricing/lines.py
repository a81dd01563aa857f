"""A price history as the lines that people read: each price, and each size from which it differs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from outlay.core.money import rate_text, text_of
from outlay.core.units import rank
from outlay.pricing.history import History, Period
from outlay.pricing.rates import Rate
from outlay.pricing.rows import USER
from outlay.pricing.terms import label
from outlay.pricing.windows import Window

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEK = 7
_PER = {1_000_000: "per million", 1_000: "per thousand", 1: "each"}
_KIND = {"request": "", "marginal": " (of what is above)", "month": " in the month"}


@dataclass(frozen=True, slots=True)
class Line:
    """The rates of a period under some terms, which are empty where the price is the plain one."""

    period: Period
    terms: str
    rates: Mapping[str, Rate]

    @property
    def source(self) -> str:
        """Who says so."""
        row = self.period.row
        return f"{row.source} (yours)" if row.layer == USER else row.source

    def rate(self, unit: str) -> str:
        """Show the rate of a unit, with its currency unless that is dollars; nothing where there is none."""
        rate = self.rates.get(unit)
        if rate is None:
            return ""
        currency = "" if self.period.row.currency == "USD" else f" {self.period.row.currency}"
        return f"{rate_text(rate.amount)}{currency}"


def lines_of(history: History) -> list[Line]:
    """Give a line for every price, and for every size from which it differs."""
    return [line for period in history.periods for line in _lines(period)]


def units_of(rates: Iterable[str]) -> list[str]:
    """Give units once each, in their usual order."""
    return sorted(set(rates), key=rank)


def day_of(moment: datetime | None, missing: str) -> str:
    """Show an instant, the hour only where it is not midnight."""
    if moment is None:
        return missing
    return f"{moment:%Y-%m-%d}" if moment.time() == moment.min.time() else f"{moment:%Y-%m-%d %H:%M}"


def legend(lines: Iterable[Line], units: Iterable[str]) -> str:
    """Say what the figures are meant for: most units by the million tokens, some by the thousand or each."""
    per = {unit: rate.per for line in lines for unit, rate in line.rates.items()}
    groups: dict[int, list[str]] = {}
    for unit in units:
        groups.setdefault(per[unit], []).append(unit)
    said = [
        f"{', '.join(groups[size])} {_PER.get(size, f'per {size}')}" for size in sorted(groups, reverse=True)
    ]
    return f"USD unless another currency stands there; {'; '.join(said)}; times are UTC"


def _lines(period: Period) -> Iterator[Line]:
    row, terms = period.row, _terms(period)
    yield Line(period, terms, row.rates)
    for step in row.steps:
        size = f"{'from' if step.at_least else 'above'} {step.tokens:,}{_KIND[row.kind]}"
        yield Line(period, ", ".join(filter(None, (terms, size))), step.rates)


def _terms(period: Period) -> str:
    row = period.row
    said = [label(term) for term in row.when]
    said += [_window(each) for each in row.windows]
    if row.factor is not None:
        said.append(f"x{text_of(row.factor)}")
    if period.common:
        said.append("every model")
    return ", ".join(said)


def _window(window: Window) -> str:
    hours = f"{window.start:%H:%M}-{window.end:%H:%M} UTC"
    days = "" if len(window.days) == _WEEK else f" {_weekdays(sorted(window.days))}"
    return f"{hours}{days}{' but holidays' if window.closed else ''}"


def _weekdays(days: list[int]) -> str:
    names = [_DAYS[day - 1] for day in days]
    in_a_row = len(days) > 1 and days == list(range(days[0], days[-1] + 1))
    return f"{names[0]}-{names[-1]}" if in_a_row else "/".join(names)
