"""The page: it works offline, its figures are the ledger's whatever is filtered, everyone can read it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it ships no types
from playwright.sync_api import Browser, Page, expect
from tests.report.test_cube import many
from tests.support.browser import browser

from outlay.core.cost import Cost
from outlay.core.record import Record
from outlay.core.usage import Usage
from outlay.ledger import open_ledger
from outlay.render.cells import short
from outlay.render.figures import ranked, stacked
from outlay.render.html import html_text
from outlay.render.sheets import shares
from outlay.report import LedgerReader
from outlay.report.page import page_of
from outlay.testing import NOON, call
from outlay.testing.asking import keeping

NASTY = "</script><img src=x onerror=alert(1)>{{css}}"


def reader(records: list[Record]) -> LedgerReader:
    ledger = open_ledger("memory:", home=Path())
    ledger.add(records)
    return LedgerReader(ledger, now=lambda: NOON)


def told(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="figures">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    document: dict[str, Any] = json.loads(found[1])
    return document


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@dataclass
class Notes:
    """What a page asked for, and what went wrong on it."""

    asked: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", lambda said: self.wrong.append(said.text) if said.type == "error" else None)


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def shown(chromium: Browser, tmp_path: Path, notes: Notes) -> Iterator[Page]:
    """Open the page of six hundred calls."""
    path = tmp_path / "page.html"
    path.write_text(html_text(page_of(reader(many()))), "utf-8")
    context = chromium.new_context(offline=True)
    page = context.new_page()
    notes.follow(page)
    page.goto(path.as_uri())
    page.wait_for_selector("#daily .main-svg")
    yield page
    context.close()


def tiles(page: Page) -> dict[str, str]:
    return dict(
        zip(
            page.locator("#tiles dt").all_inner_texts(),
            page.locator("#tiles dd").all_inner_texts(),
            strict=True,
        )
    )


def test_it_is_one_file_that_names_no_other() -> None:
    text = html_text(page_of(reader(many())))
    without_plotly = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r"\b(?:src|href)=(?!\"#)|url\(|@import", without_plotly)
    assert "default-src 'none'" in text
    assert len(text.encode()) < 6_000_000


def test_a_year_of_daily_data_stays_under_six_megabytes() -> None:
    year = [
        call(
            f"2025-{1 + n % 12:02d}-{1 + n % 28:02d}",
            model=f"model-{n % 8}",
            user=f"user-{n % 90}",
            query_type=f"feature-{n % 6}",
            cost=f"0.{n:06d}",
            latency_ms=float(n),
        )
        for n in range(12_000)
    ]
    page = page_of(reader(year))
    assert len(page.cube.cells) <= 10_000
    assert len(html_text(page).encode()) < 6_000_000


@pytest.mark.parametrize(
    ("feature", "shown"), [(None, "search"), ("query_type", "rag"), ("tag:team", "core"), ("day", "-")]
)
def test_the_dearest_calls_show_what_is_a_feature_on_the_page(feature: str | None, shown: str) -> None:
    record = call(query_type="rag", tags={"feature": "search", "team": "core"})
    found = told(html_text(page_of(reader([record]), feature=feature)))
    assert found["dearest"][0][3] == shown


def test_the_dearest_calls_show_no_tokens_where_nobody_counted_any() -> None:
    silent = replace(call(cost="0.5"), usage=Usage(reason="the response states no usage"))
    assert told(html_text(page_of(reader([silent]))))["dearest"][0][4:6] == ["-", "-"]


def test_models_of_unknown_cost_say_how_many_of_their_calls_failed() -> None:
    """The reader would look for a price, which lacks in none of them."""
    failed = [call(cost=None, status="error", error_type="E") for _ in range(2)]
    found = told(html_text(page_of(reader([call(), *failed, call(cost=None, model="imaginary-9")]))))
    assert sorted(found["unpriced"]) == ["gpt-4o, 2 failed", "imaginary-9"]


def test_a_narrow_page_has_its_legends_above_the_bars(
    chromium: Browser, tmp_path: Path, notes: Notes
) -> None:
    path = tmp_path / "narrow.html"
    path.write_text(html_text(page_of(reader(many()))), "utf-8")
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    page.goto(path.as_uri())
    page.wait_for_selector("#daily .legend")
    legend = page.locator("#daily .legend").bounding_box()
    bars = page.locator("#daily .barlayer").bounding_box()
    about = page.locator("#about").bounding_box()
    assert legend is not None
    assert bars is not None
    assert about is not None
    assert legend["y"] + legend["height"] <= bars["y"] + 1
    assert about["height"] < 80  # two or three lines, and no column of single words
    page.close()


def test_a_long_name_makes_no_page_wider(chromium: Browser, tmp_path: Path) -> None:
    long = "x" * 200
    path = tmp_path / "long.html"
    records = [call(cost=None, model=long), call(cost="1", model=long[1:], user=long, query_type=long)]
    path.write_text(html_text(page_of(reader(records))), "utf-8")
    page = chromium.new_page(viewport={"width": 1000, "height": 800})
    page.goto(path.as_uri())
    page.wait_for_selector("#features .main-svg")
    assert page.evaluate("document.documentElement.scrollWidth") == 1000
    for chart in ("models", "users", "features", "daily"):
        bars = page.locator(f"#{chart} .barlayer").bounding_box()
        assert bars is not None
        assert bars["width"] > 300, chart
    page.close()


OVERLAPPING = """chart => {
  const names = [...document.querySelectorAll(`#${chart} .xtick text`)].map(each => {
    const box = each.getBBox(), place = each.getScreenCTM();
    const turned = Math.atan2(place.b, place.a);
    return { box, turned, start: new DOMPoint(box.x, box.y).matrixTransform(place) };
  });
  return names.slice(1).filter(({ start, turned }, n) => {
    const apart = start.x - names[n].start.x, { width, height } = names[n].box;
    return apart * Math.cos(turned) < width && apart * Math.sin(turned) < 0.8 * height;
  }).length;
}"""
"""How many names below a chart lie on the one before them, whether they are turned or not."""


@pytest.mark.parametrize("days", [30, 365])
def test_days_below_a_chart_do_not_lie_on_each_other(chromium: Browser, tmp_path: Path, days: int) -> None:
    path = tmp_path / "page.html"
    records = [call(NOON - timedelta(days=n), cost="0.1", units={"input": 9}) for n in range(days)]
    path.write_text(html_text(page_of(reader(records))), "utf-8")
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.goto(path.as_uri())
    for width in (1280, 500, 380):
        page.set_viewport_size({"width": width, "height": 900})
        for chart in ("daily", "success", "tokens"):
            drawn = page.locator(f"#{chart} .main-svg").first
            expect(drawn).to_have_attribute("width", f"{min(width, 1120) - 48}", timeout=60_000)
            whole = page.locator(f"#{chart}").bounding_box()
            boxes = [each.bounding_box() for each in page.locator(f"#{chart} .xtick text").all()]
            assert whole is not None
            assert 3 <= len(boxes) <= 12
            assert all(box and box["y"] + box["height"] <= whole["y"] + whole["height"] for box in boxes)
            assert page.evaluate(OVERLAPPING, chart) == 0, (chart, width)
    page.close()


@pytest.mark.parametrize(
    ("cost", "written", "tick"), [("0.0004", "0.0004", "0.0002"), ("3000000", "3,000,000", "2M")]
)
def test_amounts_beside_charts_are_read_as_money(
    chromium: Browser, tmp_path: Path, cost: str, written: str, tick: str
) -> None:
    """They were 200μ of a dollar, and 3M where one points at three million and some."""
    path = tmp_path / "page.html"
    path.write_text(html_text(page_of(reader([call(cost=cost)]))), "utf-8")
    page = chromium.new_page()
    page.goto(path.as_uri())
    page.wait_for_selector("#models .main-svg")
    for axis in ("#daily .ytick text", "#models .xtick text"):
        ticks = page.locator(axis).all_text_contents()
        assert tick in ticks
        assert all(re.fullmatch(r"[\d.]+[kM]?", each) for each in ticks)
    page.locator("#models .nsewdrag").hover()
    expect(page.locator("#models .hoverlayer")).to_have_text(f"gpt-4o: {written}")
    page.close()


def test_a_bar_of_latencies_says_that_it_goes_up_to_its_name(chromium: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    slow = [call(latency_ms=each) for each in (1_600.0, 2_500.0, 700_000.0)]
    path.write_text(html_text(page_of(reader(slow))), "utf-8")
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.goto(path.as_uri())
    names = page.locator("#latency .xtick text")
    expect(names.first).to_have_text("≤ 2 s")
    expect(names.nth(1)).to_have_text("≤ 3 s")
    expect(names.last).to_have_text("> 600 s")
    page.close()


def test_names_cannot_end_the_script_they_stand_in() -> None:
    text = html_text(page_of(reader([call(model=NASTY, user=NASTY, query_type=NASTY)])))
    assert NASTY not in text
    assert told(text)["models"] == [NASTY]


def test_a_label_of_a_figure_is_no_markup() -> None:
    assert ranked(["<b>a</b> & b"], [1.0], {})["data"][0]["y"] == ["&lt;b&gt;a&lt;/b&gt; &amp; b"]


@pytest.mark.parametrize("drawn", [stacked({"cost": (["2026-11-01"], [None])}, {}), ranked([], [], {})])
def test_a_figure_without_a_bar_says_so_and_has_no_axes(drawn: dict[str, Any]) -> None:
    assert drawn["layout"]["annotations"][0]["text"] == "no calls"
    assert not drawn["layout"]["yaxis"]["visible"]
    assert stacked({"cost": (["2026-11-01", "2026-11-02"], [None, 0.0])}, {})["layout"] == {}


def test_a_name_in_a_chart_is_neither_a_link_nor_bold(
    chromium: Browser, tmp_path: Path, notes: Notes
) -> None:
    name = '<a href="https://example.org">a</a> <b>b</b> &amp;'
    path = tmp_path / "page.html"
    path.write_text(html_text(page_of(reader([call(model=name, user=name, cost="1")]))), "utf-8")
    page = chromium.new_page()
    notes.follow(page)
    page.goto(path.as_uri())
    for chart in ("models", "users"):
        expect(page.locator(f"#{chart} .ytick text")).to_have_text(short(name))
    expect(page.locator(".chart a[href]")).to_have_count(0)
    assert notes.wrong == []
    page.close()


FAILED = replace(call(cost=None, status="error", model=NASTY), usage=Usage(reason="it failed"))
FEW = {"none": [], "error": [FAILED]}


@pytest.mark.parametrize("records", FEW.values(), ids=FEW.keys())
def test_an_empty_ledger_and_one_error_have_a_page(
    chromium: Browser, tmp_path: Path, notes: Notes, records: list[Record]
) -> None:
    path = tmp_path / "page.html"
    path.write_text(html_text(page_of(reader(records))), "utf-8")
    page = chromium.new_page()
    notes.follow(page)
    page.goto(path.as_uri())
    assert tiles(page)["Calls"] == str(len(records))
    assert tiles(page)["Input tokens"] == tiles(page)["Output tokens"] == ("-" if records else "0")
    lack = "the cost is unknown" if records else "no calls"
    for chart in ("daily", "models", "users", "features"):
        expect(page.locator(f"#{chart} .annotation-text")).to_have_text(lack)
        expect(page.locator(f"#{chart} :is(.xtick, .ytick)")).to_have_count(0)
    expect(page.locator("#success .annotation-text")).to_have_count(0 if records else 1)
    below_zero = page.locator(".ytick text, .xtick text").filter(has_text=re.compile("^[-\u2212]"))
    expect(below_zero).to_have_count(0)
    assert notes.wrong == []
    page.close()


def test_it_asks_nobody_and_nothing_goes_wrong(shown: Page, notes: Notes) -> None:
    assert shown.title() == "LLM costs"
    assert [url for url in notes.asked if not url.startswith(("file:", "blob:", "data:"))] == []
    assert notes.wrong == []


def money(amount: Decimal) -> str:
    return f"${amount:,.6f}"


def test_the_figures_are_the_ledgers_whatever_is_chosen(shown: Page) -> None:
    asked = reader(many())
    total = asked.report().total
    assert tiles(shown)["Total cost"] == money(total["cost"])
    assert tiles(shown)["Calls"] == f"{total['calls']:,}"
    assert tiles(shown)["Calls of unknown cost"] == str(total["unpriced_calls"])
    assert "whose cost is not, or not wholly, known" in shown.locator("#note").inner_text()
    choices = [
        ("#model", "m3", {"model": "m3"}),
        ("#user", "u7", {"user": "u7"}),
        ("#feature", "q2", {"query_type": "q2"}),
    ]
    for selector, label, where in choices:
        shown.select_option(selector, label=label)
        row = asked.report(where=where).total
        assert tiles(shown)["Total cost"] == money(row["cost"])
        assert tiles(shown)["Input tokens"] == f"{row['input_tokens']:,}"
        assert tiles(shown)["Success rate"] == f"{100 * (row['calls'] - row['errors']) / row['calls']:.1f}%"
        shown.click("button[type=reset]")
        expect(shown.locator("#tiles dd").first).to_have_text(money(total["cost"]))
    shown.select_option("#from", label="2026-11-10")
    shown.select_option("#to", label="2026-11-12")
    period = asked.report(since="2026-11-10", until="2026-11-13").total
    assert tiles(shown)["Total cost"] == money(period["cost"])


def test_a_price_that_nobody_knows_is_no_zero(chromium: Browser, tmp_path: Path, notes: Notes) -> None:
    path = tmp_path / "page.html"
    records = [call(cost="0.5"), call(cost=None, model="imaginary-9"), call(cost="0", model="gift")]
    records += [call(cost="7", currency="EUR", model="abroad")]
    path.write_text(html_text(page_of(reader(records))), "utf-8")
    page = chromium.new_page()
    notes.follow(page)
    page.goto(path.as_uri())
    rows = {
        row.split("\t")[0]: row.split("\t")[4:]
        for row in page.locator("#by-model tbody tr").all_inner_texts()
    }
    assert rows["imaginary-9"] == ["unknown", "-"]
    assert rows["gift"] == ["$0.000000", "0.0%"]
    assert rows["gpt-4o"] == ["$0.500000", "100.0%"]
    assert rows["abroad"] == ["in EUR", "-"]
    page.select_option("#model", label="imaginary-9")
    assert tiles(page)["Total cost"] == "unknown"
    assert notes.wrong == []
    page.close()


def test_shares_are_those_of_a_report(chromium: Browser, tmp_path: Path) -> None:
    """Which add up to a hundred; each was rounded by itself."""
    records = [call(cost="1", model=model) for model in ("a", "b", "c")]
    path = tmp_path / "page.html"
    path.write_text(html_text(page_of(reader(records))), "utf-8")
    page = chromium.new_page()
    page.goto(path.as_uri())
    shown = [row.split("\t")[5] for row in page.locator("#by-model tbody tr").all_inner_texts()]
    assert shown == shares([1 / 3] * 3) == ["33.4%", "33.3%", "33.3%"]
    page.close()


def test_a_choice_is_in_the_address(shown: Page) -> None:
    shown.select_option("#model", label="m3")
    assert shown.url.endswith("#model=m3")
    before = tiles(shown)
    shown.reload()
    shown.wait_for_selector("#daily .main-svg")
    assert tiles(shown) == before
    assert shown.locator("#model option:checked").inner_text() == "m3"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everyone_can_read_it(shown: Page, scheme: Any) -> None:
    shown.emulate_media(color_scheme=scheme)
    shown.wait_for_timeout(200)
    found = Axe().run(shown).response["violations"]
    serious = [
        (each["id"], each["nodes"][0]["html"][:100])
        for each in found
        if each["impact"] in {"serious", "critical"}
    ]
    assert serious == []


def test_the_theme_can_be_turned(shown: Page) -> None:
    back = "getComputedStyle(document.body).backgroundColor"
    before = shown.evaluate(back)
    shown.click("#theme")
    assert shown.evaluate(back) != before


BY_MODEL = [call(model="gpt-4o", cost="1") for _ in range(3)]
IN_PART = replace(call(model="half", cost="2"), charge=Cost(Decimal(2), "partial"))
FAILED_TWICE = [call(model="bad", cost=None, status="error", error_type="E") for _ in range(2)]
ABROAD = call(model="abroad", cost="7", currency="EUR")
LATE = replace(
    call(model="old", cost="3"),
    charge=Cost(Decimal(3), "priced", flags=("extrapolated",)),
)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        (
            "",
            (
                "Costs are without 4 calls whose cost is not, or not wholly, known"
                " (bad, 2 failed; half; nope-1) and without amounts in EUR."
                " Calls that are older than the first known price have that one (old)."
            ),
        ),
        ("#model=gpt-4o", ""),
        (
            "#model=nope-1",
            "Costs are without 1 call whose cost is not, or not wholly, known (nope-1).",
        ),
        ("#model=half", "Costs are without what is not known of 1 call whose cost is known in part (half)."),
        (
            "#model=bad",
            "Costs are without 2 calls whose cost is not, or not wholly, known (bad, 2 failed).",
        ),
        ("#model=abroad", "Costs are without amounts in EUR."),
        ("#model=old", "Calls that are older than the first known price have that one (old)."),
    ],
)
def test_the_note_speaks_of_the_calls_that_are_chosen(
    chromium: Browser, tmp_path: Path, chosen: str, said: str
) -> None:
    """Under #model=gpt-4o it named models that were not chosen, as known in part."""
    records = [*BY_MODEL, call(model="nope-1", cost=None), IN_PART, *FAILED_TWICE, ABROAD, LATE]
    path = tmp_path / "page.html"
    path.write_text(html_text(page_of(reader(records))), "utf-8")
    page = chromium.new_page()
    page.goto(path.as_uri() + chosen)
    assert page.locator("#note").inner_text() == said
    page.close()


def test_models_that_stand_together_are_named_where_all_are_chosen(chromium: Browser, tmp_path: Path) -> None:
    """The dearest alone stand by themselves, and what has no price is never dear."""
    dear = [call(model=f"m{n}", cost=f"{n + 1}") for n in range(40)]
    path = tmp_path / "page.html"
    records = [*dear, call(model="nope-1", cost=None, user="u1")]
    path.write_text(html_text(page_of(reader(records))), "utf-8")
    page = chromium.new_page()
    page.goto(path.as_uri())
    assert "known (nope-1)." in page.locator("#note").inner_text()
    page.select_option("#user", label="u1")
    assert "known (nope-1)." in page.locator("#note").inner_text()
    page.close()


@pytest.mark.parametrize(
    ("unknown", "said"),
    [(1, "nope-0"), (2, "some of nope-0, nope-1"), (6, "some of nope-0, nope-1, nope-2, nope-3, nope-4, …")],
)
def test_models_of_unknown_cost_that_stand_together_are_named_under_filters(
    chromium: Browser, tmp_path: Path, unknown: int, said: str
) -> None:
    """It said "(all others)", and nobody knew whom to give a price."""
    dear = [call(model=f"m{n}", cost=f"{n + 1}") for n in range(40)]
    lacking = [call(model=f"nope-{n}", cost=None, user=f"u{n}") for n in range(unknown)]
    path = tmp_path / "page.html"
    path.write_text(html_text(page_of(reader([*dear, *lacking]))), "utf-8")
    page = chromium.new_page()
    page.goto(path.as_uri() + "#user=u0")
    lacks = f"Costs are without 1 call whose cost is not, or not wholly, known ({said})."
    assert page.locator("#note").inner_text() == lacks
    page.close()


def totalled(records: list[Record]) -> LedgerReader:
    """Give a reader of calls of which those before the last day are daily totals."""
    asked = reader(records)
    keeping(asked.ledger).prune(NOON)
    return asked


DAILY = "kept as daily totals: no percentiles, and they are in no distribution of latencies."
OLD = [call(NOON - timedelta(days=2), model=model) for model in ("a", "a", "b")]


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ("", f"3 calls are {DAILY}"),
        ("#model=a", f"2 calls are {DAILY}"),
        ("#model=b", f"1 call is {DAILY}"),
        ("#model=c", ""),
        ("#from=2026-11-22", ""),
    ],
)
def test_daily_totals_are_counted_among_the_calls_that_are_chosen(
    chromium: Browser, tmp_path: Path, chosen: str, said: str
) -> None:
    path = tmp_path / "page.html"
    path.write_text(html_text(page_of(totalled([*OLD, call(model="c")]))), "utf-8")
    page = chromium.new_page()
    page.goto(path.as_uri() + chosen)
    assert page.locator("#note").inner_text() == said
    assert "daily totals" in page.locator("#percentiles caption").inner_text()
    dearest = page.locator("#dearest caption").inner_text()
    assert dearest.endswith("; of those that are kept as daily totals, 3 calls, none is here")
    page.close()


@pytest.mark.parametrize(
    ("question", "wholly"),
    [
        ({}, False),
        ({"since": "2026-11-01", "tz": "UTC"}, False),
        ({"since": "30d"}, True),
        ({"tz": "Asia/Kolkata"}, True),  # whose days are not those of the totals
    ],
)
def test_days_that_a_prune_cannot_part_are_told_of_under_filters(
    chromium: Browser, tmp_path: Path, question: dict[str, Any], *, wholly: bool
) -> None:
    """The terminal said that each counts wholly on its day in UTC, the page did not."""
    path = tmp_path / "page.html"
    path.write_text(html_text(page_of(totalled([*OLD, call(model="c")]), **question)), "utf-8")
    page = chromium.new_page()
    page.goto(path.as_uri() + "#model=a")
    said = f"{DAILY[:-1]}; each counts wholly on its day in UTC." if wholly else DAILY
    assert page.locator("#note").inner_text() == f"2 calls are {said}"
    page.goto(path.as_uri() + "#model=c")
    expect(page.locator("#note")).to_have_text("")
    page.close()


def test_a_page_of_a_session_says_that_daily_totals_have_none(chromium: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    asked = totalled([*OLD, call(model="c", session="s1")])
    path.write_text(html_text(page_of(asked, where={"session": "s1"})), "utf-8")
    page = chromium.new_page()
    page.goto(path.as_uri())
    nobody = "nobody knows the session of them, and none of them is here."
    assert page.locator("#note").inner_text() == (f"3 further calls are kept as daily totals alone: {nobody}")
    page.close()


def test_daily_totals_have_no_session_to_be_chosen_by(chromium: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    old = [replace(each, session="s1") for each in OLD]
    asked = totalled([*old, call(session="s1", model="a")])
    path.write_text(html_text(page_of(asked, feature="session")), "utf-8")
    page = chromium.new_page()
    page.goto(path.as_uri() + "#feature=s1")
    lost = "calls are kept as daily totals: nobody knows the session of them, and none of them is here."
    assert page.locator("#note").inner_text() == f"3 {lost}"
    page.goto(path.as_uri() + "#feature=s1&model=a")
    expect(page.locator("#note")).to_have_text(f"2 {lost}")
    page.goto(path.as_uri())
    expect(page.locator("#note")).to_have_text(f"3 calls are {DAILY}")
    page.close()
