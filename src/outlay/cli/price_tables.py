"""A model's price history as a table for people and as a document for programs."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from outlay.core.instants import text_of as instant_text
from outlay.core.money import rate_text, text_of
from outlay.core.units import rank
from outlay.pricing import Rate
from outlay.pricing.history import History, Period
from outlay.pricing.rows import OVERLAY, USER
from outlay.pricing.terms import label
from outlay.pricing.windows import Window
from outlay.render.as_table import Column, Page, table
from outlay.render.cells import MISSING, count, name

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEK = 7
_LAYERS = {OVERLAY: "overlay", USER: "own"}
_PER = {1_000_000: "per million", 1_000: "per thousand", 1: "each"}
_KIND = {"request": "", "marginal": " (of what is above)", "month": " in the month"}


def history_json(history: History) -> dict[str, Any]:
    """Give a history with every rate as a decimal string."""
    return {
        "provider": history.provider,
        "model": history.model,
        "context_window": history.facts.get("context_window"),
        "max_output": history.facts.get("max_output"),
        "deprecated": history.facts.get("deprecated"),
        "prices": [_period_json(each) for each in history.periods],
    }


def _period_json(period: Period) -> dict[str, Any]:
    row = period.row
    return {
        "from": None if period.start is None else instant_text(period.start),
        "to": None if period.end is None else instant_text(period.end),
        "when": dict(row.when),
        "windows": [_window_json(each) for each in row.windows],
        "currency": row.currency,
        "rates": _rates_json(row.rates),
        "above": [
            {"tokens": step.tokens, "at_least": step.at_least, "rates": _rates_json(step.rates)}
            for step in row.steps
        ],
        "kind": row.kind if row.steps else None,
        "factor": None if row.factor is None else text_of(row.factor),
        "every_model": period.common,
        "layer": _LAYERS.get(row.layer, "generated"),
        "source": row.source,
        "link": row.link,
        "note": row.note,
    }


def _rates_json(rates: Mapping[str, Rate]) -> dict[str, Any]:
    return {unit: {"rate": rate_text(rates[unit].amount), "per": rates[unit].per} for unit in _units(rates)}


def _window_json(window: Window) -> dict[str, Any]:
    return {
        "from": f"{window.start:%H:%M}",
        "to": f"{window.end:%H:%M}",
        "days": sorted(window.days),
        "except": sorted(str(day) for day in window.closed),
    }


def history_text(history: History, page: Page) -> str:
    """Show what is known of a model, then one line for every price and every size from which it differs."""
    if not history.periods:
        return "\n".join((*_head(history), "no listed price holds then; calls take the first, extrapolated"))
    lines = [line for period in history.periods for line in _lines(period)]
    units = _units(unit for _, _, rates in lines for unit in rates)
    columns = [
        Column("from", tuple(_day(period.start) for period, _, _ in lines), text=True),
        Column("to", tuple(_day(period.end) for period, _, _ in lines), text=True),
        Column("terms", tuple(terms for _, terms, _ in lines), text=True),
        *(_unit_column(unit, [(p, rates) for p, _, rates in lines], n) for n, unit in enumerate(units)),
        Column("source", tuple(_source(period) for period, _, _ in lines), text=True, spare=20),
        Column("link", tuple(name(period.row.link) for period, _, _ in lines), text=True, spare=21),
    ]
    return "\n".join((*_head(history), "", table(columns, page), "", _legend(history, units)))


def _head(history: History) -> Iterator[str]:
    yield f"{name(history.provider)} {name(history.model)}"
    facts = history.facts
    known = [
        f"context window {count(facts['context_window'])}" if facts.get("context_window") else "",
        f"at most {count(facts['max_output'])} out" if facts.get("max_output") else "",
        f"deprecated {facts['deprecated']}" if facts.get("deprecated") else "",
    ]
    if any(known):
        yield ", ".join(filter(None, known))


def _lines(period: Period) -> Iterator[tuple[Period, str, Mapping[str, Rate]]]:
    row = period.row
    yield period, _terms(period) or MISSING, row.rates
    for step in row.steps:
        size = f"{'from' if step.at_least else 'above'} {step.tokens:,}{_KIND[row.kind]}"
        yield period, ", ".join(filter(None, (_terms(period), size))), step.rates


def _terms(period: Period) -> str:
    row = period.row
    said = [name(label(term)) for term in row.when]
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


def _unit_column(unit: str, lines: list[tuple[Period, Mapping[str, Rate]]], place: int) -> Column:
    return Column(unit, tuple(_cell(period, rates.get(unit)) for period, rates in lines), spare=place)


def _cell(period: Period, rate: Rate | None) -> str:
    if rate is None:
        return ""
    currency = "" if period.row.currency == "USD" else f" {period.row.currency}"
    return f"{rate_text(rate.amount)}{currency}"


def _day(moment: datetime | None) -> str:
    """Show an instant, the hour only where it is not midnight."""
    if moment is None:
        return MISSING
    return f"{moment:%Y-%m-%d}" if moment.time() == moment.min.time() else f"{moment:%Y-%m-%d %H:%M}"


def _source(period: Period) -> str:
    return name(f"{period.row.source} (yours)" if period.row.layer == USER else period.row.source)


def _units(units: Iterable[str]) -> list[str]:
    return sorted(set(units), key=rank)


def _legend(history: History, units: Iterable[str]) -> str:
    """Say what the figures are meant for: most units by the million tokens, some by the thousand or each."""
    per = {
        unit: rate.per
        for period in history.periods
        for rates in (period.row.rates, *(step.rates for step in period.row.steps))
        for unit, rate in rates.items()
    }
    groups: dict[int, list[str]] = {}
    for unit in units:
        groups.setdefault(per[unit], []).append(unit)
    said = [
        f"{', '.join(groups[size])} {_PER.get(size, f'per {size}')}" for size in sorted(groups, reverse=True)
    ]
    return f"USD unless another currency stands there; {'; '.join(said)}; times are UTC"
