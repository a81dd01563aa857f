"""Tables: right-aligned, fitted to the width, plain in a pipe, and honest about what a total lacks."""

from collections.abc import Sequence
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich import box
from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from outlay.core.query import METRICS, Query, Row
from outlay.render.as_table import Column, Page, fitting, table, widths, wrapped
from outlay.render.reports import price_gap_notes, report_text, report_view
from outlay.render.sheets import view_markdown
from outlay.report import PriceGap, Report

PIPE = Page()


def row(**given_values: Any) -> Row:
    zeros: Row = dict.fromkeys(METRICS, 0)
    unknown = {name: None for name in METRICS if "latency" in name}
    return {**zeros, **unknown, "cost": None, "avg_cost": None, **given_values}


def by_model(*rows: Row, price_gaps: tuple[PriceGap, ...] = (), **total: Any) -> Report:
    return Report(list(rows), row(**total), Query(by=("model",)), price_gaps)


def test_a_report_stands_as_a_table_with_its_total() -> None:
    report = by_model(
        row(
            model="gpt-4o",
            calls=1200,
            input_tokens=1000000,
            total_tokens=1000000,
            cost=Decimal("12.5"),
            avg_latency_ms=80.4,
        ),
        row(model=None, calls=1, cost=Decimal("0.0000000001")),
        calls=1201,
        input_tokens=1000000,
        total_tokens=1000000,
        cost=Decimal("12.5000000001"),
    )
    assert report_text(report, PIPE).splitlines() == [
        "model    calls       input   output            cost   avg cost     avg   p95",
        "────────────────────────────────────────────────────────────────────────────",
        "gpt-4o   1,200   1,000,000        0      $12.500000    unknown   80 ms     -",
        "-            1           -        -   $0.0000000001    unknown       -     -",
        "────────────────────────────────────────────────────────────────────────────",
        "total    1,201   1,000,000        0      $12.500000    unknown       -     -",
    ]


def test_one_line_names_the_models_whose_price_is_unknown() -> None:
    report = by_model(
        row(model="m", calls=3, unpriced_calls=3),
        price_gaps=(PriceGap("p", "m", 2), PriceGap("q", None, 1)),
        calls=3,
        unpriced_calls=3,
    )
    text = report_text(report, PIPE)
    assert text.splitlines()[-1] == (
        "cost unknown or partial for 3 calls, not wholly in the cost: p/m (2), q/- (1)"
    )
    assert "unknown" in text.splitlines()[2]
    assert "$0.000000" not in text


def test_the_line_says_which_calls_failed_for_then_no_price_lacks() -> None:
    gaps = [PriceGap("p", "m", 2, errors=2), PriceGap("q", "n", 3, errors=1), PriceGap("q", "o", 1)]
    (line,) = price_gap_notes(gaps)
    assert line.endswith(": p/m (2 failed), q/n (3, of which 1 failed), q/o (1)")


def test_many_unpriced_models_stay_one_line() -> None:
    (line,) = price_gap_notes([PriceGap("p", f"m{number}", 1) for number in range(7)])
    assert line.endswith("p/m3 (1), p/m4 (1) and 2 more")


def test_without_calls_that_is_what_it_says() -> None:
    assert report_text(by_model(), PIPE) == "no calls"


def test_what_a_limit_left_out_is_said() -> None:
    report = Report([row(model="m", calls=1)], row(calls=9), Query(by=("model",)), left_out=8)
    assert report_text(report, PIPE).splitlines()[-1] == "8 more not shown; the total is that of all"


def test_a_pipe_gets_no_escape_codes_and_a_terminal_does() -> None:
    report = by_model(row(model="m", calls=1), calls=1)
    assert "\x1b" not in report_text(report, PIPE)
    assert "\x1b[1m" in report_text(report, Page(color=True))


def test_a_blank_at_an_end_of_a_name_is_seen() -> None:
    """Or two rows would seem to be one model's."""
    names = {name: row(model=name, calls=1) for name in ("m", " m", "m ", "  ", "a b")}
    lines = report_text(by_model(*names.values(), calls=5), PIPE).splitlines()[2:7]
    assert [line.split("  ")[0].rstrip() for line in lines] == ["m", "␣m", "m␣", "␣␣", "a b"]


@pytest.mark.parametrize("evil", ["\x1b[2J", "a\nb", "[bold red]x", "\u202egnp", "a\rb"])
def test_a_name_cannot_move_the_cursor_or_write_markup(evil: str) -> None:
    text = report_text(by_model(row(model=evil, calls=1), calls=1), PIPE)
    assert len(text.splitlines()) == 5
    assert not {"\x1b", "\r", "\u202e"} & set(text)
    assert "[bold red]x" not in evil or "[bold red]x" in text


def test_a_narrow_terminal_leaves_out_the_spare_columns_first() -> None:
    columns = [
        Column("model", ("m" * 30,), text=True),
        Column("cost", ("$1.000000",)),
        Column("p95", ("1,000 ms",), spare=9),
        Column("input", ("1,000,000",), spare=1),
    ]
    # Names need 12 at least: 12+3+9 = 24, with input 36, with p95 47.
    assert [each.heading for each in fitting(columns, 47)] == ["model", "cost", "p95", "input"]
    assert [each.heading for each in fitting(columns, 46)] == ["model", "cost", "input"]
    assert [each.heading for each in fitting(columns, 35)] == ["model", "cost"]
    assert [each.heading for each in fitting(columns, 5)] == ["model", "cost"]


def test_names_are_cut_and_numbers_never() -> None:
    columns = [Column("model", ("m" * 30,), text=True), Column("cost", ("$1.000000",))]
    assert widths(columns, 30) == [18, 9]
    assert table(columns, Page(30)).splitlines()[2] == f"{'m' * 17}…   $1.000000"
    assert "$1.000000" in table(columns, Page(5))


def test_names_are_cut_further_where_no_column_can_be_spared() -> None:
    columns = [Column("model", ("m" * 40,), text=True), Column("cost", ("$1.000000",))]
    assert table(columns, Page(20)).splitlines()[2] == f"{'m' * 7}…   $1.000000"
    assert table(columns, Page(5)).splitlines()[2] == f"{'m' * 5}…   $1.000000"


def test_columns_without_room_are_named_below_their_table_and_names_that_are_cut_are_none() -> None:
    """Every table says it: those of single calls alone did."""
    columns = [
        Column("model", ("m" * 30,), text=True),
        Column("cost", ("$1.000000",)),
        Column("input", ("1,000,000",), spare=1),
        Column("p95", ("1,000 ms",), spare=9),
    ]
    assert table(columns, Page(46)).splitlines()[-1] == "no room here for p95; --json has all"
    lines = table(columns, Page(35, color=True)).splitlines()
    assert lines[-2:] == ["\x1b[2mno room here for input, p95; --json", "has all\x1b[0m"]
    for page in (Page(), Page(47), Page(200)):
        assert "no room" not in table(columns, page)
    assert "no room" not in table(columns[:2], Page(20))


def test_a_total_says_so_though_its_column_was_left_out() -> None:
    columns = [
        Column("provider", ("openai", "total"), text=True, spare=1),
        Column("model", ("gpt-4o", ""), text=True),
        Column("calls", ("10", "10")),
    ]
    _, _, _, _, last, *_ = table(columns, Page(20), total=True).splitlines()
    assert last == "total       10"


def drawn_by_rich(columns: Sequence[Column], page: Page, *, total: bool) -> str:
    """Draw the same table with the library that tables are told apart by."""
    shown = fitting(columns, page.width)
    wide = widths(shown, page.width)
    grid = Table(box=box.SIMPLE, pad_edge=False, show_edge=False, show_footer=total)
    for column, width in zip(shown, wide, strict=True):
        side: JustifyMethod = "left" if column.text else "right"
        footer = Text(column.cells[-1]) if total else ""
        grid.add_column(
            Text(column.heading), footer, justify=side, no_wrap=True, overflow="ellipsis", width=width
        )
    for row_of_cells in list(zip(*(column.cells for column in shown), strict=True))[: -1 if total else None]:
        grid.add_row(*map(Text, row_of_cells))
    out = StringIO()
    Console(file=out, width=sum(wide) + 3 * len(wide), highlight=False).print(grid)
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip().splitlines())


CELL = st.text(st.sampled_from("ab 1,.$日本語éÅ\u0301😀"), min_size=1, max_size=30).map(
    lambda text: f"x{text}x"
)


@given(
    st.data(), st.integers(1, 4), st.integers(1, 5), st.one_of(st.none(), st.integers(5, 120)), st.booleans()
)
def test_a_table_stands_as_rich_draws_it(
    data: st.DataObject, across: int, down: int, width: int | None, total: Any
) -> None:
    cells = st.lists(CELL, min_size=down, max_size=down).map(tuple)
    columns = [
        Column(data.draw(CELL), data.draw(cells), data.draw(st.booleans()), data.draw(st.integers(0, 2)))
        for _ in range(across)
    ]
    page = Page(width)
    lines = table(columns, page, total=total).splitlines()
    drawn = "\n".join(lines[: down + 2 + total]) if fitting(columns, width) else ""  # what lacks stands below
    room = sum(widths(fitting(columns, width), width))
    gaps = len(fitting(columns, width)) - 1
    if width is not None and gaps and room + gaps <= width < room + 3 * gaps:  # columns stand closer
        assert max(map(cell_len, drawn.splitlines())) <= width
    else:
        assert drawn == drawn_by_rich(columns, page, total=total)


@pytest.mark.parametrize(("width", "gap"), [(22, 3), (21, 2), (20, 2), (19, 1), (18, 1), (17, 3)])
def test_columns_stand_closer_where_names_cannot_be_cut_any_further(width: int, gap: int) -> None:
    columns = [Column(name, ("m" * 40,), text=True) for name in ("one", "two")]  # 6 places each at least
    columns.append(Column("cost", ("1000",)))
    first = table(columns, Page(width)).splitlines()[2]
    assert first == (" " * gap).join(("m" * 5 + "…", "m" * 5 + "…", "1000"))


def test_a_line_is_broken_between_words_and_a_long_word_stays_whole() -> None:
    said = "say it in a few words 日本語 and an-id-of-twenty-five-places"
    assert wrapped(said, None) == said
    assert wrapped(said, 12, 2).splitlines() == [
        "say it in a", "  few words", "  日本語 and", "  an-id-of-twenty-five-places"
    ]  # fmt: skip
    assert wrapped("    set in, twice", 12, 4).splitlines() == ["    set in,", "    twice"]


def test_a_heading_cannot_move_the_cursor_either() -> None:
    report = Report([{**row(calls=1), "tag:\x1b[2J": "a"}], row(calls=1), Query(by=("tag:\x1b[2J",)), ())
    assert "\x1b" not in report_text(report, PIPE)


@given(
    st.lists(st.text(st.characters(max_codepoint=127), max_size=40), min_size=1, max_size=5),
    st.integers(min_value=40, max_value=200),
)
def test_no_line_is_wider_than_the_terminal(names: list[str], width: int) -> None:
    rows = [row(model=name, calls=1, cost=Decimal(1)) for name in names]
    text = report_text(by_model(*rows, calls=len(rows)), Page(width))
    assert max(len(line) for line in text.splitlines()) <= width


def test_money_of_other_currencies_says_which() -> None:
    yuan, both = {"CNY": Decimal(7)}, {"CNY": Decimal(7), "USD": Decimal(2)}
    report = by_model(
        row(model="a", calls=1, cost=Decimal(7), avg_cost=Decimal(7), costs=yuan),
        row(model="b", calls=1, cost=Decimal(2), avg_cost=Decimal(2)),
        calls=2,
        costs=both,
    )
    _, _, first, second, _, last = report_text(report, PIPE).splitlines()
    assert first.count("7.000000 CNY") == 2
    assert "$" not in first
    assert second.count("$2.000000") == 2
    assert "7.000000 CNY + $2.000000" in last
    assert "unknown" not in last  # of several currencies there is no cost of one call; nothing lacks


ODD = (
    r"a|b\|c",
    "end\\",
    "<b>x</b>",
    "<script>alert(1)</script>",
    "*bold*",
    "_it_",
    "__init__",
    "`code`",
    "my_user",
    "[x](javascript:alert(1))",
    "&lt;none&gt;",
    "~~gone~~",
    r"\*x\*",
    "* x",
    "a * b",
    "snake_case_",
    r"C:\new",
)


def test_markdown_shows_names_as_they_are() -> None:
    """A bar behind a backslash moved the row's figures by a column, and what looked like a tag was gone."""
    rows = [row(model=odd, calls=1, cost=Decimal("0.5")) for odd in ODD]
    view = report_view(
        by_model(*rows, calls=len(rows), price_gaps=tuple(PriceGap("p", odd, 1) for odd in ODD))
    )
    shown = MarkdownIt("commonmark").enable("table").parse(view_markdown(view))
    cells = [token.children or [] for token in shown if token.type == "inline"]
    texts = ["".join(part.content for part in cell if part.type == "text") for cell in cells]
    assert all(part.type in ("text", "softbreak") for cell in cells for part in cell)
    for odd in ODD:
        assert texts[texts.index(odd) + 1] == "1"
    assert ODD[0] in texts[-1]
