"""Figures: how each chart looks, as plotly's plain objects; the page and the live dashboard show the same."""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from outlay.render.cells import short

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8a7a00", "#6b6b6b")
"""Told apart by colour-blind people too (Okabe and Ito), darkened where white would swallow them."""
_FEW = 5  # beyond it plotly's own steps are whole
_MARGIN = {"l": 64, "r": 16, "t": 36, "b": 48}
_BASE: Mapping[str, Any] = {
    "margin": _MARGIN,
    "height": 320,
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "colorway": list(COLOURS),
    "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},  # grows upwards
    "hovermode": "x unified",
    "font": {"family": "system-ui, sans-serif", "size": 13},
}
_TIME: Mapping[str, Any] = {"type": "category", "nticks": 8, "automargin": True}  # a narrow page turns them
_MONEY: Mapping[str, Any] = {  # left to itself, an axis has millionths of a dollar for 0.0001
    "tickformatstops": [{"dtickrange": [None, 0.01], "value": ".6~r"}],
    "hoverformat": ",.12~r",
}
NAMED: Mapping[str, str] = {"hovertemplate": "%{customdata}: %{x}<extra></extra>"}
Series = Mapping[str, tuple[Sequence[Any], Sequence[Any]]]
"""Names of series, each with its places and its values."""


def layouts(sign: str) -> dict[str, dict[str, Any]]:
    """Give the layout of every chart; ``sign`` is that of the currency."""
    money, calls, tokens = {**_titled(f"Cost ({sign})"), **_MONEY}, _titled("Calls"), _titled("Tokens")
    return {
        "daily": {**_BASE, "barmode": "stack", "yaxis": money, "xaxis": _TIME},
        "models": {**_BASE, "yaxis": _names(), "xaxis": money, "hovermode": "closest"},
        "users": {**_BASE, "yaxis": _names(), "xaxis": money, "hovermode": "closest"},
        "features": {**_BASE, "yaxis": _names(), "xaxis": money, "hovermode": "closest"},
        "latency": {
            **_BASE,
            "bargap": 0.02,
            "yaxis": calls,
            "xaxis": {
                "type": "category",
                "automargin": True,
                "title": {"text": "Latency", "standoff": 8},  # below names that a narrow page turns
            },
        },
        "success": {**_BASE, "barmode": "stack", "yaxis": calls, "xaxis": _TIME},
        "tokens": {**_BASE, "barmode": "stack", "yaxis": tokens, "xaxis": _TIME},
    }


def bare(text: str) -> dict[str, Any]:
    """Give what changes in a layout where there is nothing to draw: axes would show numbers of nobody."""
    said = {"text": text, "showarrow": False, "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5}
    return {"xaxis": {"visible": False}, "yaxis": {"visible": False}, "annotations": [said]}


def stacked(
    series: Series, layout: Mapping[str, Any], lack: str = "no calls", *, counts: bool = False
) -> dict[str, Any]:
    """Draw bars over time, one colour a series; of ``counts`` the axis has whole numbers alone."""
    if counts:
        layout = {**layout, "yaxis": {**layout.get("yaxis", {}), **_whole(series)}}
    data = [{"type": "bar", "name": name, "x": list(x), "y": list(y)} for name, (x, y) in series.items()]
    return _figure(data, layout, lack)


def _whole(series: Series) -> dict[str, Any]:
    """Give the steps of an axis of few; left to itself it has fifths of a call."""
    heights: Counter[Any] = Counter()
    for places, values in series.values():
        heights.update(dict(zip(places, values, strict=True)))
    return {"dtick": 1} if max(heights.values(), default=0) <= _FEW else {}


def ranked(
    labels: Sequence[str], values: Sequence[float], layout: Mapping[str, Any], lack: str = "no calls"
) -> dict[str, Any]:
    """Draw bars that lie, the first on top; a name that is cut beside its bar is whole where one points."""
    whole = [_literal(label) for label in labels]
    bar = {"type": "bar", "orientation": "h", "y": whole, "x": list(values), **NAMED, "customdata": whole}
    ticks = {"tickmode": "array", "tickvals": whole, "ticktext": [_literal(short(label)) for label in labels]}
    return _figure([bar], {**layout, "yaxis": {**layout.get("yaxis", {}), **ticks}}, lack)


def _literal(label: str) -> str:
    return escape(label, quote=False)  # plotly takes tags for bold and links


def _figure(data: list[dict[str, Any]], layout: Mapping[str, Any], lack: str) -> dict[str, Any]:
    drawn = any(value is not None for each in data for value in each["y"])
    return {"data": data, "layout": dict(layout) if drawn else {**layout, **bare(lack)}}


def _titled(text: str) -> dict[str, Any]:
    return {"title": {"text": text}, "rangemode": "tozero"}


def _names() -> dict[str, Any]:
    return {
        "type": "category",
        "autorange": "reversed",
        "automargin": True,
        "dtick": 1,
        "tickfont": {"size": 11},
    }
