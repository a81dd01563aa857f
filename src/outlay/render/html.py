"""The page: one HTML file with figures, charts and plotly inside; it asks no other machine for anything."""

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from outlay.core.errors import MissingExtraError
from outlay.core.keeping import GONE
from outlay.core.money import text_of
from outlay.core.query import Row
from outlay.core.record import Record
from outlay.render.calls import tokens_of
from outlay.render.cells import LONGEST, count, dollars, latency_labels, milliseconds, name, sums
from outlay.render.figures import COLOURS, NAMED, bare, layouts
from outlay.render.rolled import WHOLLY, unknown_notes
from outlay.report.cube import OTHERS, Cell
from outlay.report.page import Page
from outlay.report.picture import Picture
from outlay.report.plain import plain
from outlay.report.rolled import is_parted


def html_text(page: Page) -> str:
    """Write the page.

    Raises:
        MissingExtraError: plotly is not installed.
    """
    try:
        from plotly.offline import get_plotlyjs  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError.of("html", "plotly") from None
    parts = {"data": _json(_told(page)), "plotly": get_plotlyjs(), "css": _part("css"), "script": _part("js")}
    head, *rest = _part("html").split("{{")
    return head + "".join(parts[key] + text for key, _, text in (each.partition("}}") for each in rest))


def _part(kind: str) -> str:
    return (files("outlay.render") / "page" / f"page.{kind}").read_text("utf-8")


def _json(document: dict[str, Any]) -> str:
    """Write JSON that cannot end the script element it stands in."""
    text = json.dumps(plain(document), ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _models(picture: Picture, *, extrapolated: bool) -> list[str]:
    """Name models whose price is not known, or not of their day, and say how many of their calls failed."""
    found: dict[str, int] = {}
    for each in picture.price_gaps:
        if each.extrapolated is extrapolated:
            found[name(each.model)] = found.get(name(each.model), 0) + each.errors
    return [f"{model}, {errors:,} failed" if errors else model for model, errors in found.items()]


def _folded(page: Page, shown: Sequence[str | None], *, extrapolated: bool) -> list[str]:
    """Name the models of such calls that stand among all others."""
    gaps = (each for each in page.picture.price_gaps if each.extrapolated is extrapolated)
    return list(dict.fromkeys(name(each.model) for each in gaps if each.model not in shown))


def _told(page: Page) -> dict[str, Any]:
    picture, cube = page.picture, page.cube
    sign = "$" if picture.currency == "USD" else picture.currency
    names = _names(page)
    places = [{label: place for place, label in enumerate(kind)} for kind in names]
    titles = ("times", "models", "users", "features")
    return {
        "about": page.about,
        "currency": picture.currency,
        "others": picture.others,
        "unpriced": _models(picture, extrapolated=False),
        "extrapolated": _models(picture, extrapolated=True),
        "rolled": picture.rolled,
        "parted": WHOLLY if is_parted(picture.query) else None,
        "unknown": unknown_notes(picture.rolled_unknown, picture.query),
        "gone": page.feature if page.feature in GONE else None,
        "rest": places[1].get(OTHERS),
        "folded": [_folded(page, names[1], extrapolated=each) for each in (False, True)],
        "colours": COLOURS,
        "layouts": layouts(sign),
        "bare": bare(""),
        "named": NAMED,
        "longest": LONGEST,
        "bounds": latency_labels(),
        **{title: [_shown(each) for each in keys] for title, keys in zip(titles, names, strict=True)},
        "cells": [_cell(key, cell, places) for key, cell in cube.cells.items()],
        "percentiles": [_latency(row) for row in page.latencies],
        "agents": [_agent(row) for row in page.agents],
        "dearest": [_call(record, page.feature) for record in page.dearest],
    }


def _names(page: Page) -> list[list[str | None]]:
    """Give the groups of each kind: times without gaps, others by name, none and the rest last."""
    found = [{key[place] for key in page.cube.cells} for place in range(4)]
    if page.cube.limits.unit == "day":
        found[0] |= {row["day"] for row in page.picture.days}
    return [sorted(kind, key=lambda each: (each is None, each == OTHERS, each or "")) for kind in found]


def _shown(label: str | None) -> str:
    return "(none)" if label is None else "(all others)" if label == OTHERS else name(label)


def _cell(key: Sequence[str | None], cell: Cell, places: Sequence[Mapping[str | None, int]]) -> list[Any]:
    at = [kind[label] for kind, label in zip(places, key, strict=True)]
    spread = [number for pair in enumerate(cell.latencies) if pair[1] for number in pair]
    further: list[Any] = [cell.elsewhere] if cell.elsewhere or any(cell.marks) else []
    further += [cell.marks] if any(cell.marks) else []
    return [*at, *cell.sums, round(cell.latency_ms, 3), text_of(cell.cost), spread, *further]


def _latency(row: Row) -> list[str]:
    percentiles = ("p50_latency_ms", "p90_latency_ms", "p95_latency_ms", "p99_latency_ms", "max_latency_ms")
    speed = row["output_tokens_per_second"]
    return [
        name(row["model"]),
        count(row["calls"]),
        *(milliseconds(row[each]) for each in percentiles),
        milliseconds(row["p50_first_token_ms"]),
        "-" if speed is None else f"{speed:,.1f}",
    ]


def _agent(row: Row) -> list[str]:
    costs = sums(row["cost"], row.get("costs"))
    return [name(row["agent"]), name(row["action"]), count(row["calls"]), count(row["errors"]), costs]


def _feature(record: Record, feature: str) -> object:
    if feature.startswith("tag:"):
        return record.tags.get(feature.removeprefix("tag:"))
    return getattr(record, feature, None)  # a day or a week is none of the record's own


def _call(record: Record, feature: str) -> list[str]:
    return [
        f"{record.at:%Y-%m-%d %H:%M:%S}Z",
        name(record.model),
        name(record.user),
        name(_feature(record, feature)),
        *map(count, tokens_of(record)),
        milliseconds(record.latency_ms),
        dollars(record.cost, record.currency),
        record.status if record.success else name(record.error_type or "error"),
        record.id,
    ]
