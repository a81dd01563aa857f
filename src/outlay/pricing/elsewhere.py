"""What if: recorded calls priced as if another model or another tariff had served them, in one pass."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from outlay.core.cost import Cost
from outlay.core.money import EXACT, ZERO
from outlay.core.record import Record
from outlay.core.usage import Term, Usage, sort_terms
from outlay.pricing.book import Book
from outlay.pricing.card import Unpriced
from outlay.pricing.charge import cost_of

_TARIFFS = frozenset(
    {"service_tier", "traffic_type", "batch", "processing", "speed", "latency", "fallback_credit"}
)
TIERS = frozenset({"balanced", "batch", "decisions", "fast", "flex", "priority", "standard", "ultrafast"})
"""Tariffs that a packaged price list names; others are those of a user's own prices."""
_KNOWN = ("priced", "reported", "free")
TOLD = frozenset({"extrapolated", "guessed", "assumed_rate", "assumed_tier", "makers_price", "tier_unknown"})
"""Flags of a price that a comparison counts: what of it was assumed."""
_REASONS = 50  # kept at most; they may name what strangers made up
OTHER_REASONS = "other reasons"


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another model, another tariff (``batch``, ``flex``, ``priority``, …), or both; None is as it was."""

    model: str | None = None
    provider: str | None = None
    tier: str | None = None

    @property
    def terms(self) -> dict[str, str]:
        """The billing terms of the tariff."""
        if self.tier is None or self.tier == "standard":
            return {}
        return {"batch": "true"} if self.tier == "batch" else {"service_tier": self.tier}

    def cost(self, record: Record, book: Book, at: datetime | None = None) -> Cost:
        """Price a call's usage so, at the instant of the call if none is given.

        Counts are taken as they are: another model's tokenizer would count the same text differently. A
        cost that the provider stated is left aside, since it is that of the model which answered.
        """
        model = record.model if self.model is None else self.model
        provider = self.provider if self.model is not None or self.provider else record.provider
        usage = _same(record.usage) if self.model is None else _bare(record.usage)
        return cost_of(usage, provider=provider, model=model, at=at or record.at, book=book, **self.terms)


def _same(usage: Usage) -> Usage:
    """Keep all but the tariff: who takes another one stays in the same place."""
    parts = tuple(_same(part) for part in usage.parts)
    return Usage(
        items=usage.items,
        flags=usage.flags,
        reason=usage.reason,
        model=usage.model,
        terms=_untariffed(usage.terms),
        context_tokens=usage.context_tokens,
        parts=parts,
    )


def _bare(usage: Usage) -> Usage:
    """Keep what was used and the size of the request; terms are those of the model that answered."""
    return Usage(
        items=usage.items, flags=usage.flags, reason=usage.reason, context_tokens=usage.context_tokens
    )


def _untariffed(terms: Iterable[Term]) -> tuple[Term, ...]:
    return sort_terms({name: value for name, value in terms if name not in _TARIFFS})


@dataclass(slots=True)
class Sums:
    """The calls of one currency that are priced on both sides."""

    calls: int = 0
    cost: Decimal = ZERO
    there: Decimal = ZERO

    @property
    def difference(self) -> Decimal:
        """What the change would add; below zero it saves."""
        return EXACT.subtract(self.there, self.cost)


@dataclass(slots=True)
class Comparison:
    """One alternative over all calls; where a side's cost is unknown, the call is left out of both."""

    alternative: Alternative
    sums: dict[str, Sums] = field(default_factory=dict)  # by currency
    left_out: Counter[str] = field(default_factory=Counter)  # by reason
    flags: Counter[str] = field(default_factory=Counter)  # what was assumed, of calls that are in the sums

    def add(self, record: Record, there: Cost) -> None:
        """Count one call in."""
        reason = _why_not(record, there)
        if reason is not None:
            known = reason in self.left_out or len(self.left_out) < _REASONS
            self.left_out[reason if known else OTHER_REASONS] += 1
            return
        sums = self.sums.setdefault(there.currency, Sums())
        sums.calls += 1
        sums.cost = EXACT.add(sums.cost, record.cost or ZERO)
        sums.there = EXACT.add(sums.there, there.amount or ZERO)
        self.flags.update(TOLD.intersection(there.flags))

    def to_dict(self) -> dict[str, Any]:
        """Give the comparison; money is Decimal."""
        asked = self.alternative
        return {
            "model": asked.model,
            "provider": asked.provider,
            "tier": asked.tier,
            "sums": [
                {
                    "currency": currency,
                    "calls": sums.calls,
                    "cost": sums.cost,
                    "cost_there": sums.there,
                    "difference": sums.difference,
                }
                for currency, sums in sorted(self.sums.items())
            ],
            "flags": dict(sorted(self.flags.items())),
            "left_out": {"calls": self.left_out.total(), "reasons": dict(self.left_out.most_common())},
        }


def _why_not(record: Record, there: Cost) -> str | None:
    """Say why a call cannot be compared: a sum over unlike calls would show savings that are none."""
    if record.cost is None or record.cost_status not in _KNOWN:
        return f"its own cost is {record.cost_status}"
    if there.amount is None or there.status not in _KNOWN:
        return there.reason or f"its cost there is {there.status}"
    if record.currency != there.currency:
        return f"it was paid in {record.currency} and would be in {there.currency}"
    return None


def alternatives(models: Sequence[str], tiers: Sequence[str], provider: str | None) -> list[Alternative]:
    """Give every model under every tariff; without models the same model, without tiers the standard one."""
    return [
        Alternative(model, provider if model is not None else None, tier)
        for model in models or (None,)
        for tier in tiers or (None,)
    ]


def compare_calls(
    records: Iterable[Record], asked: Sequence[Alternative], book: Book, at: datetime | None = None
) -> tuple[int, list[Comparison]]:
    """Price every call on every alternative, call by call; give how many calls there were, and the sums."""
    found = [Comparison(each) for each in asked]
    calls = 0
    for record in records:
        calls += 1
        for comparison in found:
            comparison.add(record, comparison.alternative.cost(record, book, at))
    return calls, found


def unlisted(found: Iterable[Comparison]) -> list[str]:
    """Give tariffs that no list names and that no call found a price for: words that were mistyped."""
    named: dict[str, bool] = {}
    for each in found:
        tier = each.alternative.tier
        if tier is not None and tier not in TIERS:
            calls = sum(sums.calls for sums in each.sums.values())
            named[tier] = named.get(tier, False) or not calls or each.flags["assumed_tier"] < calls
    return [tier for tier, listed in named.items() if not listed]


def unknown(asked: Iterable[Alternative], book: Book, at: datetime | None) -> Mapping[Alternative, str]:
    """Give the alternatives whose model nobody knows, with the reason."""
    cards = {each: book.resolve(each.provider, each.model, at) for each in asked if each.model is not None}
    return {each: card.reason for each, card in cards.items() if isinstance(card, Unpriced)}
