"""Totals of calls, added up by the database."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Min, Q, Sum
from django.db.models.functions import Coalesce

from outlay.contrib.django.rows import keyed, read, stored
from outlay.contrib.django.sums import amount_of, cost_sum
from outlay.core.money import ZERO
from outlay.trackers.values import UsageStats

DOLLARS = Q(currency="USD")
UNPRICED = Q(cost__isnull=True) | Q(cost_status="partial") | ~DOLLARS


def stats_of(
    table: Any,
    *,
    user_id: Any = None,
    llm_id: Any = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> UsageStats:
    """Give the totals of those calls of a queryset that pass every filter."""
    return _stats(table.filter(_who("user", user_id), _who("llm", llm_id), _when(since, until)))


def _stats(chosen: Any) -> UsageStats:
    found = chosen.order_by().aggregate(
        requests=Count("id"),
        prompt=Coalesce(Sum("input_tokens"), 0),
        completion=Coalesce(Sum("output_tokens"), 0),
        dollars=cost_sum(chosen.db, filter=DOLLARS),
        unpriced=Count("id", filter=UNPRICED),
        first=Min("at"),
        last=Max("at"),
    )
    prompt, completion = int(found["prompt"]), int(found["completion"])
    return UsageStats(
        total_requests=found["requests"],
        total_tokens=prompt + completion,
        total_prompt_tokens=prompt,
        total_completion_tokens=completion,
        total_cost=float(amount_of(found["dollars"])),
        period_start=read(found["first"]),
        period_end=read(found["last"]),
        unpriced_requests=found["unpriced"],
    )


def admin_totals(chosen: Any) -> dict[str, Any]:
    """Give what the admin shows over a list: calls, errors, tokens and dollars, in all and by model."""
    figures = {
        "calls": Count("id"),
        "errors": Count("id", filter=Q(status="error")),
        "unpriced": Count("id", filter=UNPRICED),
        "tokens_in": Coalesce(Sum("input_tokens"), 0),
        "tokens_out": Coalesce(Sum("output_tokens"), 0),
        "dollars": cost_sum(chosen.db, filter=DOLLARS),
    }
    rows = chosen.order_by().values("provider", "model").annotate(**figures)
    models = [_with_dollars(row) for row in rows]
    models.sort(key=lambda row: ((row["dollars"] or ZERO).copy_negate(), str(row["model"])))
    return {**_with_dollars(chosen.order_by().aggregate(**figures)), "models": models}


def _with_dollars(row: dict[str, Any]) -> dict[str, Any]:
    """Read the amount; None where there are calls, and of none of them is the cost known."""
    unknown = row["dollars"] is None and row["calls"]
    return {**row, "dollars": None if unknown else amount_of(row["dollars"])}


def _who(column: str, value: Any) -> Q:
    if value is None:
        return Q()
    text, is_number = keyed(value)
    return Q(**{column: text, f"{column}_is_number": is_number})


def _when(since: datetime | None, until: datetime | None) -> Q:
    found = Q()
    if since is not None:
        found &= Q(at__gte=stored(since, use_tz=settings.USE_TZ))
    if until is not None:
        found &= Q(at__lt=stored(until, use_tz=settings.USE_TZ))
    return found
