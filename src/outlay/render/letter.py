"""The weekly letter: a review as sections of plain sentences and tables, in Markdown or as one HTML page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from zoneinfo import ZoneInfo

from outlay.core.query import Row
from outlay.render.cells import MISSING, UNKNOWN, count, dollars, many, name, signed, sums
from outlay.render.rolled import single_notes
from outlay.render.sheets import Field, Sheet, View, columns, literal, view_markdown
from outlay.render.time_views import trend_view
from outlay.render.views import errors_view, latency_view, savings_view
from outlay.report.drivers import Drivers
from outlay.report.money import amounts
from outlay.report.review import Review

_MOVERS = 8
_CSS = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:24px auto;padding:0 16px;color:#1a1a1a;"
    "background:#fff}table{border-collapse:collapse;margin:8px 0}"
    "th,td{padding:3px 12px 3px 0;text-align:right;border-bottom:1px solid #d0d0d0}"
    "th.text,td.text{text-align:left}h2{margin-top:28px}"
)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, sentences, and tables under them."""

    title: str
    lines: tuple[str, ...] = ()
    view: View | None = None


def sections_of(review: Review, tz: ZoneInfo) -> tuple[Section, ...]:
    """Give the sections of the letter, those without anything to say left out."""
    if not review.trend.total["calls"]:
        return (Section("What it cost", (f"No calls were recorded in the week {review.week}.",)),)
    found = (
        Section("What it cost", tuple(_cost(review)), trend_view(review.trend)),
        Section("What changed, and why", tuple(map(_unusual, review.unusual)), _movers(review)),
        Section("What is expensive", (), _expensive(review)),
        Section("What is slow", (), latency_view(review.latency, tz)),
        Section("What fails", (), errors_view(review.errors)) if review.trend.total["errors"] else None,
        Section("What to do", (), savings_view(review.savings)) if review.savings is not None else None,
    )
    return tuple(each for each in found if each is not None)


def letter_markdown(review: Review, tz: ZoneInfo) -> str:
    """Write the letter as Markdown."""
    parts = [f"# {title_of(review)}"]
    for section in sections_of(review, tz):
        parts += [f"## {section.title}", *map(literal, section.lines)]
        if section.view is not None:
            parts.append(view_markdown(section.view))
    return "\n\n".join(parts)


def letter_html(review: Review, tz: ZoneInfo) -> str:
    """Write the letter as one HTML page that asks nobody for anything."""
    body = "".join(
        f"<h2>{escape(section.title)}</h2>"
        + "".join(f"<p>{escape(line)}</p>" for line in section.lines)
        + ("" if section.view is None else _view(section.view))
        for section in sections_of(review, tz)
    )
    title = escape(title_of(review))
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><style>{_CSS}</style></head>'
        f"<body><h1>{title}</h1>{body}</body></html>\n"
    )


def title_of(review: Review) -> str:
    """Give the letter's title."""
    return f"LLM costs, week {review.week}" + ("" if review.complete else " so far")


def _cost(review: Review) -> Iterator[str]:
    total = review.trend.total
    calls, failed = many(total["calls"], "call"), f"{count(total['errors'])} failed."
    if not amounts(total):
        yield f"{calls}, whose cost is not known; {failed}"
        return
    yield f"{calls} cost {sums(total['cost'], total.get('costs'))}; {failed}"
    if total["unpriced_calls"]:
        yield f"The cost of {many(total['unpriced_calls'], 'call')} is not known, and not in that sum."


def _unusual(each: Drivers) -> str:
    cost, usual = dollars(each.cost, each.currency), dollars(each.usual, each.currency)
    because = f", mostly by {each.driver.replace('_', ' ')}" if each.driver else ""
    return f"{each.day} stands out: {cost}, where {usual} is usual{because}."


def _movers(review: Review) -> View:
    fields = (
        Field("provider", "provider", "text"),
        Field("model", "model", "text"),
        Field("calls", "calls"),
        Field("cost", "cost", "money"),
        Field("calls_before", "calls before"),
        Field("cost_before", "cost before", "money"),
        Field("change", "change", "text"),
    )
    rows = [{**row, "change": _change(row)} for row in review.movers[:_MOVERS]]
    left = len(review.movers) - len(rows)
    lacking = (f"{many(left, 'more model')} not shown",) if left > 0 else ()
    return View((Sheet(fields, rows),), lacking)


def _change(row: Row) -> str:
    """Show how much more a model cost; of other money than before there is no such figure."""
    if row["cost_change"] is not None:
        return signed(row["cost_change"], row["currency"] or "USD")
    return MISSING if all(amounts(row, each) for each in ("cost", "cost_before")) else UNKNOWN


def _expensive(review: Review) -> View:
    sheets = [
        Sheet(
            (
                Field(found.query.by[0], title, "text"),
                Field("calls", "calls"),
                Field("cost", "cost", "money"),
                Field("share", "share", "share"),
            ),
            found.rows,
            title=f"By {title}",
        )
        for title, found in (("feature", review.features), ("user", review.users))
    ]
    calls = Sheet(
        (
            Field("at", "at", "text"),
            Field("model", "model", "text"),
            Field("user", "user", "text"),
            Field("latency_ms", "latency", "ms"),
            Field("cost", "cost", "money"),
            Field("id", "id", "id"),
        ),
        [
            {
                "at": f"{record.at:%Y-%m-%d %H:%M:%S}Z",
                "model": name(record.model),
                "user": name(record.user),
                "latency_ms": record.latency_ms,
                "cost": record.cost,
                "currency": record.currency,
                "calls": 1,
                "id": record.id,
            }
            for record in review.dearest
        ],
        title="The dearest calls",
    )
    return View((*sheets, calls), single_notes(review.features.rolled))


def _view(view: View) -> str:
    if view.empty is not None:
        return "".join(f"<p>{escape(line)}</p>" for line in (view.empty, *view.notes))
    head = "".join(f"<p>{escape(line)}</p>" for line in view.head)
    tables = "".join(_table(sheet) for sheet in view.sheets if sheet.rows or sheet.total)
    return head + tables + "".join(f"<p>{escape(line)}</p>" for line in view.notes)


def _table(sheet: Sheet) -> str:
    shown = columns(sheet)
    kinds = [' class="text"' if column.text else "" for column in shown]
    headings = [column.heading for column in shown]
    head = _line([f'th scope="col"{kind}' for kind in kinds], headings)
    lines = zip(*(column.cells for column in shown), strict=True)
    rows = "".join(_line([f"td{kind}" for kind in kinds], line) for line in lines)
    title = "" if sheet.title is None else f"<caption>{escape(sheet.title)}</caption>"
    return f"<table>{title}<thead>{head}</thead><tbody>{rows}</tbody></table>"


def _line(tags: Sequence[str], cells: Sequence[str]) -> str:
    shown = [f"<{tag}>{escape(cell)}</{tag[:2]}>" for tag, cell in zip(tags, cells, strict=True)]
    return f"<tr>{''.join(shown)}</tr>"
