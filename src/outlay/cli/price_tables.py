"""A model's price history as a table for people and as a document for programs."""

from collections.abc import Iterator, Mapping
from typing import Any

from outlay.core.instants import text_of as instant_text
from outlay.core.money import rate_text, text_of
from outlay.pricing import Rate
from outlay.pricing.history import History, Period
from outlay.pricing.lines import day_of, legend, lines_of, units_of
from outlay.pricing.rows import OVERLAY, USER
from outlay.pricing.windows import Window
from outlay.render.as_table import Column, Page, table
from outlay.render.cells import MISSING, count, name

_LAYERS = {OVERLAY: "overlay", USER: "own"}


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
    return {unit: {"rate": rate_text(rates[unit].amount), "per": rates[unit].per} for unit in units_of(rates)}


def _window_json(window: Window) -> dict[str, Any]:
    return {
        "from": f"{window.start:%H:%M}",
        "to": f"{window.end:%H:%M}",
        "days": sorted(window.days),
        "except": sorted(str(day) for day in window.closed),
    }


def history_text(history: History, page: Page) -> str:
    """Show what is known of a model, then one line for every price and every size from which it differs."""
    if all(each.common for each in history.periods):  # fees of tools are no price of the model
        return "\n".join((*_head(history), "no listed price holds then; calls take the first, extrapolated"))
    lines = lines_of(history)
    units = units_of(unit for line in lines for unit in line.rates)
    columns = [
        Column("from", tuple(day_of(line.period.start, MISSING) for line in lines), text=True),
        Column("to", tuple(day_of(line.period.end, MISSING) for line in lines), text=True),
        Column("terms", tuple(name(line.terms or MISSING) for line in lines), text=True),
        *(Column(unit, tuple(line.rate(unit) for line in lines), spare=n) for n, unit in enumerate(units)),
        Column("source", tuple(name(line.source) for line in lines), text=True, spare=20),
        Column("link", tuple(name(line.period.row.link) for line in lines), text=True, spare=21),
    ]
    return "\n".join((*_head(history), "", table(columns, page), "", legend(lines, units)))


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
