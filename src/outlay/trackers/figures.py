"""Figures over records: which of them count, and what they add up to."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

from outlay.core.money import total
from outlay.core.query import zone
from outlay.core.record import Record
from outlay.report.summary import Summary, Totals
from outlay.report.values import PriceGap
from outlay.trackers.values import UsageStats, UserId, user_of

UNKNOWN_MODEL = "unknown"


def chosen(
    records: Iterable[Record],
    *,
    user_id: UserId | None = None,
    llm_id: Any = None,
    model: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Record]:
    """Give the records that pass every filter that is not None; since is inclusive, until is not."""
    return [
        record
        for record in records
        if (user_id is None or _is(user_of(record), user_id))
        and (llm_id is None or _is(record.extra.get("llm_id"), llm_id))
        and (model is None or record.model == model)
        and (since is None or record.at >= since)
        and (until is None or record.at < until)
    ]


def _is(kept: Any, wanted: Any) -> bool:
    """Whether an id is the wanted one: 7 is not "7", but another kind, a UUID say, is its text in a file."""
    return bool(kept == wanted) or (not isinstance(wanted, str | int) and str(kept) == str(wanted))


def cost_total(records: Iterable[Record]) -> Decimal:
    """Add up the known costs in dollars, exactly."""
    return total(r.cost for r in records if r.cost is not None and r.currency == "USD")


def unpriced(records: Iterable[Record]) -> list[Record]:
    """Give the calls that a total in dollars does not, or not wholly, contain."""
    return [r for r in records if r.cost is None or r.cost_status == "partial" or r.currency != "USD"]


def place(tz: str | tzinfo) -> tzinfo:
    """Give a time zone by its IANA name or its offset from UTC.

    Raises:
        QueryError: there is none; a ValueError.
    """
    if isinstance(tz, tzinfo):
        return tz
    try:
        fixed = datetime.strptime(tz, "%z").tzinfo if tz[:1] in ("+", "-") else None
    except ValueError:
        fixed = None
    return fixed or zone(tz)


def day_of(moment: datetime, local: tzinfo) -> str:
    """Name the day of an instant in a zone; that of UTC at both ends of time, where the zone's is none."""
    try:
        there = moment.astimezone(local)
    except OverflowError:
        there = moment
    return there.date().isoformat()


def breakdown(records: Iterable[Record], key: Callable[[Record], str]) -> dict[str, float]:
    """Add up costs by a key, in its order."""
    groups: defaultdict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[key(record)].append(record)
    return {name: float(cost_total(groups[name])) for name in sorted(groups)}


def stats_of(records: Sequence[Record]) -> UsageStats:
    """Give the totals of records."""
    return UsageStats(
        total_requests=len(records),
        total_tokens=sum(record.total_tokens for record in records),
        total_prompt_tokens=sum(record.input_tokens for record in records),
        total_completion_tokens=sum(record.output_tokens for record in records),
        total_cost=float(cost_total(records)),
        period_start=min((record.at for record in records), default=None),
        period_end=max((record.at for record in records), default=None),
        unpriced_requests=len(unpriced(records)),
    )


def totals_of(records: Sequence[Record]) -> Totals:
    """Give the figures of a summary."""
    times = [record.latency_ms for record in records if record.latency_ms is not None]
    known = any(record.cost is not None and record.currency == "USD" for record in records)
    return Totals(
        calls=len(records),
        succeeded=sum(record.success for record in records),
        input_tokens=sum(record.input_tokens for record in records),
        output_tokens=sum(record.output_tokens for record in records),
        cost=cost_total(records) if known or not records else None,
        avg_latency_ms=sum(times) / len(times) if times else None,
    )


def by_provider(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Group records by provider, by name."""
    groups: defaultdict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[record.provider].append(record)
    return {name: groups[name] for name in sorted(groups)}


def summary_of(records: Sequence[Record]) -> Summary:
    """Give the summary of records: totals, the same by provider, and whose price is not known."""
    counts: defaultdict[tuple[str, str | None], list[bool]] = defaultdict(list)
    for record in unpriced(records):
        counts[record.provider, record.model].append(record.success)
    missing = (PriceGap(*names, len(ends), errors=ends.count(False)) for names, ends in counts.items())
    return Summary(
        totals_of(records),
        tuple((name, totals_of(group)) for name, group in by_provider(records).items()),
        tuple(sorted(missing, key=lambda each: (-each.calls, str(each.model)))),
    )
