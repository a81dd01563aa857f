"""The picture, the page, the live dashboard and the letter: each figure is the ledger's."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from matplotlib.figure import Figure
from playwright.sync_api import Browser, Page
from tests.support.app_test import AppTest
from tests.support.browser import browser
from tests.support.shown import amounts as read_amounts
from tests.support.shown import check_view, tables
from tests.support.shown import frame as read_frame

from outlay import process
from outlay.contrib import streamlit_app
from outlay.core.query import LATENCY_BOUNDS_MS, Row
from outlay.render.html import html_text
from outlay.render.letter import letter_html, letter_markdown, sections_of
from outlay.render.png import png_bytes
from outlay.report import LedgerReader
from outlay.report.money import amounts
from outlay.report.page import page_of
from outlay.report.picture import picture_of
from outlay.report.plain import plain
from outlay.report.review import review_of

UTC = ZoneInfo("UTC")
Shown = Callable[..., str]
# Streamlit's own habits, not ours.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def dollars(row: Row) -> Decimal:
    return amounts(row).get("USD", Decimal(0))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Give the figures that are drawn."""
    found: list[Figure] = []
    save = Figure.savefig

    def keep(self: Figure, *args: Any, **options: Any) -> None:
        found.append(self)
        save(self, *args, **options)

    monkeypatch.setattr(Figure, "savefig", keep)
    return found


def test_what_is_drawn_is_what_the_ledger_says(reader: LedgerReader, drawn: list[Figure]) -> None:
    png_bytes(picture_of(reader))
    daily, by_model, latency, success = drawn[0].axes
    days = {row["day"]: row for row in reader.report("day").rows}
    models = reader.report(("provider", "model")).rows
    whole = reader.report(metrics=("latency_histogram",)).total
    points: list[float] = [value for line in daily.lines for value in line.get_ydata()]  # type: ignore[union-attr,misc]  # an array
    known = [float(dollars(row)) for row in days.values() if dollars(row) or not row["unpriced_calls"]]
    assert [value for value in points if value == value] == pytest.approx(known)  # noqa: PLR0124 - no NaN
    costs = sorted(float(dollars(row)) for row in models if "USD" in amounts(row))
    assert sorted(bar.get_width() for bar in by_model.patches if bar.get_width()) == pytest.approx(costs)  # type: ignore[attr-defined]
    heights = [bar.get_height() for bar in latency.patches]  # type: ignore[attr-defined]
    counts = list(whole.get("latency_histogram") or ())
    assert [height for height in heights if height] == [count for count in counts if count]
    said = {text.get_text() for text in success.texts}
    if whole["calls"]:
        parts = {"success": whole["calls"] - whole["errors"], "error": whole["errors"]}
        for label, count in parts.items():
            if count:
                assert {f"{label} ({count:,})", f"{100 * count / whole['calls']:.1f}%"} <= said
    else:
        assert said == {"no calls yet"}
    notes = " ".join(text.get_text() for text in drawn[0].texts)
    assert (f"{whole['unpriced_calls']:,} call" in notes) == bool(whole["unpriced_calls"])


def test_the_pictures_figures_as_json(reader: LedgerReader, outlay: Shown) -> None:
    document = json.loads(outlay("dashboard", "--json"))
    whole = reader.report().total
    for name in ("calls", "errors", "unpriced_calls", "input_tokens", "output_tokens"):
        assert sum(row[name] for row in document["days"]) == whole[name] == document["total"][name]
        assert sum(row[name] for row in document["models"]) == whole[name]
    assert document["total"]["cost"] == plain(whole["cost"])
    assert document["total"].get("costs") == plain(whole.get("costs"))
    counted = sum(each["calls"] for each in document["latencies"])
    assert counted == reader.report(metrics=("timed_calls",)).total["timed_calls"]


def told(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="figures">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    document: dict[str, Any] = json.loads(found[1])
    return document


def test_what_the_page_carries_is_what_the_ledger_says(reader: LedgerReader) -> None:
    """Its cells, added up by each of their kinds, are the ledger's groups."""
    page = page_of(reader)
    document = told(html_text(page))
    kinds = {"times": "day", "models": "model", "users": "user", "features": page.cube.feature}
    for place, (kind, dimension) in enumerate(kinds.items()):
        groups: defaultdict[str, list[Any]] = defaultdict(lambda: [0, 0, 0, 0, 0, 0, 0, Decimal(0)])
        for cell in document["cells"]:
            group = groups[document[kind][cell[place]]]
            for at in range(7):
                group[at] += cell[4 + at]
            group[7] += Decimal(cell[12])
        rows = {row[dimension] or "(none)": row for row in reader.report(dimension).rows}
        if "(all others)" not in groups:
            assert groups.keys() == rows.keys()
        whole = [sum(group[at] for group in groups.values()) for at in (0, 1, 2, 3, 4, 5, 7)]
        assert whole == _figures(reader.report().total)
        for label in groups.keys() - {"(all others)"}:
            assert [groups[label][at] for at in (0, 1, 2, 3, 4, 5, 7)] == _figures(rows[label])
    spread = [0] * (len(LATENCY_BOUNDS_MS) + 1)
    for cell in document["cells"]:
        for bucket, calls in zip(cell[13][::2], cell[13][1::2], strict=True):
            spread[bucket] += calls
    whole_spread = reader.report(metrics=("latency_histogram",)).total.get("latency_histogram")
    assert tuple(spread) == tuple(whole_spread or (0,) * len(spread))


def _figures(row: Row) -> list[Any]:
    names = ("calls", "errors", "unpriced_calls", "input_tokens", "cached_tokens", "output_tokens")
    return [*(row[name] for name in names), dollars(row)]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


def _tiles(page: Page) -> dict[str, str]:
    labels, values = page.locator("#tiles dt"), page.locator("#tiles dd")
    return dict(zip(labels.all_inner_texts(), values.all_inner_texts(), strict=True))


def test_what_the_page_shows_is_what_the_ledger_says(
    many: LedgerReader, chromium: Browser, tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    path.write_text(html_text(page_of(many)), "utf-8")
    page = chromium.new_page()
    page.goto(path.as_uri())
    page.wait_for_selector("#daily .main-svg")
    questions: list[tuple[str, str, dict[str, Any]]] = [
        ("#model", "All", {}),
        ("#model", "claude-sonnet-4-5", {"model": "claude-sonnet-4-5"}),
        ("#model", "own-model", {"model": "own-model"}),
    ]
    for selector, label, where in questions:
        if where:
            page.select_option(selector, label=label)
        row, tiles = many.report(where=where).total, _tiles(page)
        assert tiles["Calls"] == f"{row['calls']:,}"
        assert tiles["Input tokens"] == f"{row['input_tokens']:,}"
        assert tiles["Calls of unknown cost"] == f"{row['unpriced_calls']:,}"
        assert tiles["Success rate"] == f"{100 * (row['calls'] - row['errors']) / row['calls']:.1f}%"
        if amounts(row):
            assert abs(read_amounts(tiles["Total cost"])["USD"] - dollars(row)) <= Decimal("0.0000005")
        else:
            assert tiles["Total cost"] == "unknown"
    page.close()


def test_the_live_dashboard_says_what_the_ledger_says(
    reader: LedgerReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streamlit_app, "reader", lambda: reader)
    process.use(None)
    app = AppTest.from_function(_app, default_timeout=120)
    app.query_params["period"] = "all"
    app.run()
    assert not app.exception
    whole = reader.report().total
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Queries"] == f"{whole['calls']:,}"
    if whole["calls"]:
        rate = 100 * (whole["calls"] - whole["errors"]) / whole["calls"]
        assert shown["Success Rate"] == f"{rate:.1f}%"
    if amounts(whole):
        assert abs(read_amounts(shown["Total Cost"])["USD"] - dollars(whole)) <= Decimal("0.005")
    said = " ".join(each.value for each in app.warning)
    assert (f"{whole['unpriced_calls']:,} call" in said) == bool(whole["unpriced_calls"])
    for view, dimensions in _TABLES.items():
        app.sidebar.radio(key="view").set_value(view).run()
        assert not app.exception
        frames = [read_frame(each) for each in app.dataframe]
        for dimension in dimensions:
            _check_frame(reader, frames, dimension)
    process.use(None)


_TABLES: dict[str, Sequence[str]] = {
    "Performance": ("model",),
    "Tokens": ("model",),
    "Cost": ("model", "query_type"),
    "Users and agents": ("user", "session"),
}
_CELLS = {"calls": "calls", "errors": "errors", "input": "input_tokens", "cached": "cached_tokens",
          "output": "output_tokens", "of unknown cost": "unpriced_calls"}  # fmt: skip


def _app() -> None:
    from outlay.contrib.streamlit_app import main  # noqa: PLC0415 - the function's text is the app

    main()


def _check_frame(reader: LedgerReader, frames: list[list[dict[Any, Any]]], dimension: str) -> None:
    rows = {row[dimension] or "-": row for row in reader.report(dimension).rows}
    heading_of_it = dimension.replace("_", " ")
    found = [frame for frame in frames if frame and heading_of_it in frame[0]]
    assert bool(found) == bool(rows)
    for frame in found:
        for line in frame:
            row = rows[line[heading_of_it]]
            for heading, key in _CELLS.items():
                if line.get(heading) == "-" and key.endswith("_tokens"):
                    assert row["total_tokens"] == 0, (dimension, heading)
                elif isinstance(line.get(heading), int | str):
                    assert int(str(line[heading]).replace(",", "")) == row[key], (dimension, heading)
            costs = [text for heading, text in line.items() if heading.split()[0] == "cost"]
            if costs and amounts(row):
                cost = read_amounts(" + ".join(text for text in costs if text != "-"))
                assert cost.keys() == amounts(row).keys()
                assert {name: abs(cost[name] - amount) < 1 for name, amount in amounts(row).items()}
                for name, amount in amounts(row).items():
                    assert abs(cost[name] - amount) <= Decimal("0.0000005")
            elif costs:
                assert set(costs) == {"unknown"}


def test_the_letter_says_what_the_ledger_says(reader: LedgerReader, outlay: Shown) -> None:
    found = review_of(reader, "2026-W46", compare=None)
    week = {"since": "2026-11-09", "until": "2026-11-16"}
    whole = reader.report(**week).total  # type: ignore[arg-type]  # a question's keywords
    assert (found.trend.total["calls"], found.trend.total["cost"]) == (whole["calls"], whole["cost"])
    now = {(row["provider"], row["model"]): row for row in reader.report(("provider", "model"), **week).rows}  # type: ignore[arg-type]
    for mover in found.movers:
        row = now.get((mover["provider"], mover["model"]))
        assert mover["calls"] == (row["calls"] if row else 0)
        assert amounts(mover) == (amounts(row) if row else {next(iter(amounts(mover)), "USD"): 0})
    letter = letter_markdown(found, UTC)
    for section in sections_of(found, UTC):
        if section.view is not None:
            check_view(section.view, letter.partition(f"## {section.title}")[2].partition("\n## ")[0])
    if whole["calls"] and not amounts(whole):
        assert "whose cost is not known" in letter
    elif whole["unpriced_calls"]:
        assert f"The cost of {whole['unpriced_calls']:,} call" in letter
    cells = re.findall(r"<t[dh][^>]*>([^<]*)</t[dh]>", letter_html(found, UTC))
    assert cells == [cell for table in tables(letter) for row in table for cell in row]
    document = json.loads(outlay("review", "--week", "2026-W46", "--json"))
    assert document["trend"]["total"]["calls"] == whole["calls"]
    assert document["trend"]["total"]["cost"] == plain(whole["cost"])
