"""How one cost came about, line by line: unit x rate / per = amount, and where the rate is from."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from outlay.core.cost import CostLine, Price
from outlay.core.money import rate_text, text_of, total
from outlay.core.record import Record, Revision
from outlay.render.as_table import Column, Page, table, wrapped
from outlay.render.calls import tokens_of
from outlay.render.cells import UNKNOWN, count, local_time, milliseconds, name, quantity

_LABEL = 14
_INDENT = 2  # of what is set below its label, on a narrow page
_WHOLE = 36  # characters of an id
_NAMED = 3  # of those that begin alike
ALIKE: Final = _NAMED + 1
"""How many of them are to be asked for: one more shows that there are more."""


def explain_text(record: Record, page: Page, tz: ZoneInfo, costs: Sequence[Revision] = ()) -> str:
    """Show everything that decided the cost of one call, and the costs that it had before, if any."""
    parts = ["\n".join(_facts(_head(record, tz), page))]
    if record.lines:
        parts.append(_lines(record, page))
    parts.append("\n".join(_facts(_tail(record), page)))
    if len(costs) > 1:
        parts.append("\n".join(_facts(_history(costs, tz), page)))
    return "\n\n".join(parts)


def not_one(start: str, alike: Sequence[str]) -> str:
    """Say that no call has an id that begins so, or which calls have."""
    if alike:
        names = ", ".join((*alike[:_NAMED], *("…" for _ in alike[_NAMED:])))
        return f"several calls have an id that begins with {start!r:.60} ({names}); give more of it"
    what = "the id" if len(start) >= _WHOLE else "an id that begins with"
    return f"no call has {what} {start!r:.60}; `outlay calls` lists them"


def _facts(pairs: Iterator[tuple[str, str | None]], page: Page) -> Iterator[str]:
    """Set each fact beside its label, or below it where a word of it has no room there."""
    for label, value in pairs:
        if not value:
            continue
        if page.width is None or max(map(len, value.split(" "))) <= page.width - _LABEL:
            yield wrapped(f"{label:<{_LABEL}}{value}", page.width, _LABEL)
        else:
            yield label
            yield wrapped(" " * _INDENT + value, page.width, _INDENT)


def _head(record: Record, tz: ZoneInfo) -> Iterator[tuple[str, str | None]]:
    yield "call", record.id
    yield "at", f"{local_time(record.at, tz)} {tz.key}"
    yield "model", _once(record.provider, name(record.model))
    if record.model_requested not in (None, record.model):
        yield "asked for", name(record.model_requested)
    yield "operation", _once(record.operation, record.api)
    yield "status", record.status if record.success else _failed(record.error_type)
    yield "error", None if record.error is None else name(record.error)
    yield "attempts", count(record.retries + 1) if record.retries else None
    yield "latency", None if record.latency_ms is None else milliseconds(record.latency_ms)
    yield "tokens", _tokens(record)
    yield "terms", ", ".join(f"{name(key)} {name(value)}" for key, value in record.usage.terms)
    who = ("user", "session", "query_type", "agent", "action", "workspace")
    yield "for", ", ".join(f"{key} {name(value)}" for key in who if (value := getattr(record, key)))
    yield "tags", ", ".join(f"{name(key)}={name(value)}" for key, value in sorted(record.tags.items()))


def _failed(error_type: str | None) -> str:
    return "error, of no known type" if error_type is None else f"error {name(error_type)}"


def _once(*facts: str | None) -> str:
    """Say facts one after the other, one that says what another does only once: chat by the API chat."""
    return " ".join(dict.fromkeys(name(each) for each in facts if each))


def _tokens(record: Record) -> str:
    into, out = tokens_of(record)
    return UNKNOWN if into is None else f"{count(into)} in, {count(out)} out"


def _lines(record: Record, page: Page) -> str:
    lines = record.lines
    summed = text_of(total(line.amount for line in lines))
    notes = [", ".join(name(each) for each in (line.model, line.note) if each) for line in lines]
    columns = [
        Column("unit", (*(name(line.unit) for line in lines), "sum"), text=True),
        Column("quantity", (*(quantity(line.quantity) for line in lines), "")),
        Column("rate", (*(rate_text(line.rate) for line in lines), "")),
        Column("per", (*(f"{line.per:,}" for line in lines), "")),
        Column("amount", (*(text_of(line.amount) for line in lines), summed)),
        *([Column("note", (*notes, ""), text=True)] if any(notes) else []),
    ]
    drawn = table(columns, page, total=True)
    rule = drawn.splitlines()[1]  # as wide as the table
    if page.width is None or len(rule) <= page.width:
        return drawn
    sums = (*(_sum(line, note) for line, note in zip(lines, notes, strict=True)), f"sum: {summed}")
    return "\n".join(wrapped(each, page.width, _INDENT) for each in sums)


def _sum(line: CostLine, note: str) -> str:
    """Write a line as the sum that it is, for a page on which no number of its row could be left out."""
    per = "" if line.per == 1 else f" / {line.per:,}"
    amount = f"{quantity(line.quantity)} x {rate_text(line.rate)}{per} = {text_of(line.amount)}"
    return f"{name(line.unit)}: {amount}" + (f" ({note})" if note else "")


def _tail(record: Record) -> Iterator[tuple[str, str | None]]:
    charge = record.charge
    yield "cost", f"{_money(charge.amount, charge.currency)} ({charge.status})"
    reasons = dict.fromkeys((charge.reason, record.usage.reason))  # often the same words
    yield "why", "; ".join(name(each) for each in reasons if each)
    if charge.computed is not None:  # beside what was reported, or what is paid by the hour
        yield "by the book", f"{_money(charge.computed, charge.currency)} beside the {charge.status} cost"
    yield "price", None if charge.price is None else _price(charge.price)
    yield "flags", ", ".join(name(flag) for flag in record.flags)


def _history(costs: Sequence[Revision], tz: ZoneInfo) -> Iterator[tuple[str, str | None]]:
    """Tell how the cost was corrected, the recorded one first; the last one is the one above."""
    for place, each in enumerate(costs):
        charge = each.charge
        label = "recorded" if not place else "revised" if place < len(costs) - 1 else "now"
        said = [f"{_money(charge.amount, charge.currency)} ({charge.status})"]
        said += [] if not place else [f"since {local_time(each.at, tz)}"]
        said += [] if charge.price is None else [_price(charge.price)]
        said += [] if charge.amount is not None or not charge.reason else [name(charge.reason)]
        yield label, ", ".join(said)


def _money(amount: Decimal | None, currency: str) -> str:
    return "unknown" if amount is None else f"{text_of(amount)} {name(currency)}"


def _price(price: Price) -> str:
    since = "since ever, as far as known"
    if price.effective_from is not None:
        since = f"effective from {price.effective_from:%Y-%m-%d}"
    older = "; the call is older than this first known price" if price.extrapolated else ""
    return f"{name(price.source)}, {since}, version {name(price.version)}{older}"
