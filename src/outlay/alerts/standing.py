"""How rules stand at an instant: what was spent, failed or dear in their windows, asked of a ledger."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Context, Decimal
from itertools import takewhile
from typing import Any

from outlay.alerts.rules import HUNDRED, Rule
from outlay.alerts.windows import Window, window_before, window_of
from outlay.core.money import EXACT, ZERO
from outlay.core.query import Filter, Row
from outlay.core.record import Record
from outlay.report import LedgerReader

GRACE = timedelta(
    days=1
)  # for so long a window that is over is looked at again: a nightly check misses nothing
_WIDE = Context(prec=60)
DEAREST = 1000  # calls of one window that a rule of dear calls looks at
Group = tuple[tuple[str, str | None], ...]
"""Dimensions with the values that a budget is for."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One rule in one window for one group."""

    rule: Rule
    window: Window
    group: Group
    value: Decimal  # an amount, or percent of calls
    step: Decimal | None  # the highest step that was crossed, in percent of the limit
    calls: int = 0
    unpriced_calls: int = 0  # their cost is not known, and not in the value
    model: str | None = None  # of a dear call
    partial_calls: int = 0  # of their cost a part is known, and that alone is in the value

    @property
    def key(self) -> str:
        """The one name of a crossing: rule, window and group; a dear call is its own group."""
        said = self.group[-1:] if self.rule.kind == "call_cost" else self.group
        group = json.dumps(said, ensure_ascii=False)  # a value may hold any sign, and None is no "None"
        return f"{self.rule.key}|{self.window.label}|{group}"

    @property
    def percent(self) -> Decimal:
        """The value in percent of the limit."""
        return _percent(self.value, self.rule.limit, Decimal("0.1"))


def _percent(part: Decimal, whole: Decimal, places: Decimal) -> Decimal:
    return _WIDE.quantize(_WIDE.divide(EXACT.multiply(part, HUNDRED), whole), places)


def standings(
    rules: Iterable[Rule], reader: LedgerReader, now: datetime, *, grace: timedelta = GRACE
) -> Iterator[Standing]:
    """Say how rules stand now, and how they stood at the end of each window that was over within ``grace``.

    A budget or a rate gives one standing a group, the highest first; dear calls give one each.
    """
    for rule in rules:
        for window in _windows(rule, reader, now, grace):
            yield from _LOOK[rule.kind](rule, window, reader)


def _windows(rule: Rule, reader: LedgerReader, now: datetime, grace: timedelta) -> Iterator[Window]:
    window = window_of(rule.window, now, rule.tz)
    yield window
    before = window_before(rule.window, window, rule.tz)
    if rule.window == "hour" and grace:
        yield from _hours_crossed(rule, reader, window_of("hour", now - grace, rule.tz).start, window.start)
    elif now - before.end < grace:
        yield before


def _hours_crossed(rule: Rule, reader: LedgerReader, since: datetime, until: datetime) -> Iterator[Window]:
    """Give the hours of a period in which a rule was crossed, by one question for all of them."""
    if since >= until:
        return
    if rule.kind == "call_cost":
        dear = reader.each(DEAREST, "cost", since=since, until=until, where=_where(rule))
        moments = [each.at for each in takewhile(lambda each: (each.cost or ZERO) > rule.limit, dear)]
    else:
        where = _where(rule) if rule.kind == "budget" else rule.where
        rows = reader.rows(("hour", *rule.per), since=since, until=until, where=where, tz=rule.tz).rows
        over = [row["hour"] for row in rows if row["hour"] is not None and _is_over(rule, row)]
        moments = [datetime.fromisoformat(hour) for hour in over]
    yield from sorted(
        {window_of("hour", each, rule.tz) for each in moments}, key=lambda each: each.start, reverse=True
    )


def _is_over(rule: Rule, row: Row) -> bool:
    if rule.kind == "budget":
        return _highest(rule, row["cost"] or ZERO) is not None
    return _has_too_many_errors(rule, row["calls"], row["errors"])


def _has_too_many_errors(rule: Rule, calls: int, errors: int) -> bool:
    return calls >= rule.min_calls and errors * 100 > EXACT.multiply(rule.limit, calls)


def spent(rule: Rule, window: Window, reader: LedgerReader, until: datetime) -> dict[Group, Decimal]:
    """Add up what each group of a budget spent in a window on calls that began before an instant."""
    end = max(window.start, min(until, window.end))  # a clock that was set back says less than the start
    rows = reader.report(rule.per, since=window.start, until=end, where=_where(rule)).rows
    return {group_in(rule, row): row["cost"] or ZERO for row in rows}


def group_in(rule: Rule, values: Mapping[str, Any]) -> Group:
    """Give the group of a rule that these values belong to."""
    return tuple((name, values[name]) for name in rule.per)


def _budget(rule: Rule, window: Window, reader: LedgerReader) -> Iterator[Standing]:
    report = reader.report(rule.per, since=window.start, until=window.end, where=_where(rule), order="cost")
    lacking = _known_in_part(rule, window, reader) if report.price_gaps else {}
    for row in report.rows or ([] if rule.per else [report.total]):
        value = row["cost"] or ZERO
        yield Standing(
            rule,
            window,
            group_in(rule, row),
            value,
            _highest(rule, value),
            row["calls"],
            row["unpriced_calls"],
            partial_calls=lacking.get(group_in(rule, row), 0),
        )


def _known_in_part(rule: Rule, window: Window, reader: LedgerReader) -> dict[Group, int]:
    """Count the calls of each group of whose cost a part is known, and in the value, and the rest is not."""
    where = (*_where(rule), ("cost_status", ("partial",)))
    rows = reader.rows(rule.per, since=window.start, until=window.end, where=where, detail="counts").rows
    return {group_in(rule, row): row["calls"] for row in rows}


def _highest(rule: Rule, value: Decimal) -> Decimal | None:
    """Give the highest step that a value lies strictly above."""
    crossed = (
        step for step in rule.steps if EXACT.multiply(value, HUNDRED) > EXACT.multiply(rule.limit, step)
    )
    return max(crossed, default=None)


def _error_rate(rule: Rule, window: Window, reader: LedgerReader) -> Iterator[Standing]:
    report = reader.report(rule.per, since=window.start, until=window.end, where=rule.where, order="calls")
    for row in report.rows or ([] if rule.per else [report.total]):
        calls, errors = row["calls"], row["errors"]
        over = _has_too_many_errors(rule, calls, errors)
        percent = _percent(Decimal(errors), Decimal(calls), Decimal("0.01")) if calls else ZERO
        yield Standing(rule, window, group_in(rule, row), percent, HUNDRED if over else None, calls)


def _call_cost(rule: Rule, window: Window, reader: LedgerReader) -> Iterator[Standing]:
    calls = reader.each(DEAREST, "cost", since=window.start, until=window.end, where=_where(rule))
    for record in takewhile(lambda each: (each.cost or ZERO) > rule.limit, calls):
        yield Standing(
            rule, window, _of_call(rule, record), record.cost or ZERO, HUNDRED, 1, model=record.model
        )


def _of_call(rule: Rule, record: Record) -> Group:
    said = tuple((name, _value(record, name)) for name in rule.per)
    return (*said, ("call", record.id))


def _value(record: Record, name: str) -> str | None:
    if name.startswith("tag:"):
        return record.tags.get(name.removeprefix("tag:"))
    value: str | None = getattr(record, name)
    return value


def _where(rule: Rule) -> tuple[Filter, ...]:
    """Narrow a rule to its currency, so that amounts add up."""
    return (*rule.where, ("currency", (rule.currency,)))


_LOOK: Mapping[str, Callable[[Rule, Window, LedgerReader], Iterator[Standing]]] = {
    "budget": _budget,
    "error_rate": _error_rate,
    "call_cost": _call_cost,
}
