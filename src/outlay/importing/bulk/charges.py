"""Prices of many calls: what a unit costs, once for each model, span of time and size, and set of units.

A charge is linear in its quantities as long as the same row of the book is matched: so one call of each kind
is charged by the book, and the others of its kind are multiplied out by the engine, exactly.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import orjson

from outlay.capture.fields import NO_USAGE
from outlay.core.codec import cost_json, line_json, price_json
from outlay.core.cost import Cost, CostLine
from outlay.core.money import multiply, rate_text, to_ledger_places
from outlay.core.usage import Usage
from outlay.importing.bulk.told import UNITS
from outlay.pricing import Book, Unpriced, cost_of
from outlay.pricing.timeline import Timeline

_FIRST, _LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
_MOST = 2**62
_DEAREST = 100  # money for one unit; dearer ones do not fit DECIMAL(20, 18)
_HOURS = 400  # changes of prices by the hour in one block; more take longer to look through
_FEE = "requests"  # what a call costs however much it uses
_TEXTS = ("head", "middle", "tail", "use")
Named = tuple[str | None, str | None]  # a provider and a model, as the rows name them


@dataclass(frozen=True, slots=True)
class Span:
    """Where one row of the book is matched: calls from an instant and a size of input on, up to others."""

    named: Named
    provider: str  # whom the call is recorded for
    since: datetime
    until: datetime
    least: int  # input tokens
    beyond: int


def spans_of(book: Book, named: Named, provider: str, period: tuple[datetime, datetime]) -> Iterator[Span]:
    """Give the spans of a model in a period; none where its prices are not linear in them.

    Prices by marginal or monthly tiers and with smallest quantities are reckoned call by call, and those by
    the hour of the day where the period has too many of them.
    """
    timeline = book.timeline(provider, named[1], ())
    hours = set(_hours(timeline, period))
    if timeline.provisioned or len(hours) > _HOURS:
        return
    edges = [_FIRST, *sorted({*timeline.edges, *hours}), _LAST]
    for since, until in pairwise(edges):
        if until <= period[0] or since > period[1]:
            continue
        card = timeline.at(max(since, period[0]))
        if isinstance(card, Unpriced):
            yield Span(named, provider, since, until, 0, _MOST)
            continue
        counted = not {*card.once, *card.least}.isdisjoint(UNITS)
        if counted or (card.tiers and card.kind != "request"):
            continue
        sizes = [0, *(tier.tokens + (not tier.at_least) for tier in card.tiers), _MOST]
        for least, beyond in pairwise(sizes):
            yield Span(named, provider, since, until, least, beyond)


def _hours(timeline: Timeline, period: tuple[datetime, datetime]) -> Iterator[datetime]:
    """Give the instants of a period, and of the days around it, at which prices by the hour may change."""
    clocks = {
        clock for row in timeline.windowed for each in row.windows for clock in (time(), each.start, each.end)
    }
    days = (period[1].date() - period[0].date()).days + 2 if clocks else 0
    for after in range(min(days, _HOURS + 1)):
        day = period[0].date() + timedelta(days=after)
        yield from (datetime.combine(day, clock, UTC) for clock in clocks)


def rate_of(
    book: Book, span: Span, at: datetime, quantities: Sequence[int], *, silent: bool
) -> dict[str, Any] | None:
    """Charge one call of a kind, and give by what the others are multiplied; None if they cannot be.

    A kind are the calls of one span that use the same units; ``silent`` calls say nothing of their usage.
    """
    counts = {unit: count for unit, count in zip(UNITS, quantities, strict=True) if count}
    usage = Usage(reason=NO_USAGE) if silent else Usage.of(counts)
    cost = cost_of(usage, provider=span.provider, model=span.named[1], at=at, book=book)
    lines = {line.unit: line for line in cost.lines}
    if len(lines) < len(cost.lines):
        return None
    fee = lines.pop(_FEE, None)
    if not all(_is_linear(line, counts) for line in lines.values()):
        return None
    if fee is not None and (fee is not cost.lines[-1] or fee.quantity != 1):
        return None
    if cost.amount is not None and to_ledger_places(cost.amount) is not cost.amount:
        return None
    written = _joined([lines.get(unit) for unit in UNITS], fee)
    return {
        **_facts(cost),
        **written,
        "fee_amount": None if fee is None else format(fee.amount, "f"),
        **_uses(list(counts)),
    }


def _each(line: CostLine) -> Decimal:
    return multiply(1, line.rate, line.per)


def _is_linear(line: CostLine, counts: Mapping[str, int]) -> bool:
    each = _each(line)
    fits = each < _DEAREST and to_ledger_places(each) is each
    return fits and line.quantity == counts.get(line.unit) and line.amount == multiply(line.quantity, each)


def _facts(cost: Cost) -> dict[str, Any]:
    written = cost_json(cost)
    return {
        "known": cost.amount is not None,
        "rate_currency": cost.currency,
        "rate_status": cost.status,
        "rate_reason": written.get("cost_reason"),
        "rate_flags": _json(written["cost_flags"]) if cost.flags else None,
        "rate_price": None if cost.price is None else _json(price_json(cost.price)),
    }


def _joined(lines: Sequence[CostLine | None], fee: CostLine | None) -> dict[str, Any]:
    """Give each unit's rate, and its line around quantity and amount: put together, they are a list."""
    charged = [line for line in lines if line is not None]
    found: dict[str, Any] = {f"{unit}_{name}": None for unit in UNITS for name in ("each", *_TEXTS)}
    for at, line in enumerate(charged):
        end = "]" if fee is None and line is charged[-1] else ""
        facts = (("note", line.note), ("model", line.model))
        more = {name: value for name, value in facts if value is not None}
        found |= {
            f"{line.unit}_each": format(_each(line), "f"),
            f"{line.unit}_head": f'{"," if at else "["}{{"unit":"{line.unit}","quantity":',
            f"{line.unit}_middle": f',"rate":"{rate_text(line.rate)}","per":{line.per},"amount":"',
            f"{line.unit}_tail": ('"}' if not more else f'",{_json(more)[1:]}') + end,
        }
    found["fee"] = None if fee is None else f"{',' if charged else '['}{_json(line_json(fee))}]"
    return found


def _uses(used: Sequence[str]) -> dict[str, str | None]:
    """Give the text of what is used around its quantities."""
    heads = {f"{unit}_use": f'{"," if at else "{"}"{unit}":' for at, unit in enumerate(used)}
    return {**heads, "use_end": "}" if used else None}


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


_FACTS = ("rate_currency", "rate_status", "rate_reason", "fee", "use_end")
RATE_COLUMNS: Mapping[str, str] = {
    "known": "BOOLEAN",
    **dict.fromkeys(_FACTS, "VARCHAR"),
    **dict.fromkeys(("rate_flags", "rate_price"), "JSON"),
    "fee_amount": "DECIMAL(38, 18)",
    **{f"{unit}_{name}": "VARCHAR" for unit in UNITS for name in ("each", *_TEXTS)},
}
"""The columns of a rate, as ``rate_of`` gives them."""
