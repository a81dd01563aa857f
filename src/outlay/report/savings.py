"""Savings: the few changes that would have made a user's own calls cheaper, with the money each saves."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from outlay.core.money import EXACT, ZERO
from outlay.core.query import Query, Row
from outlay.core.record import Record
from outlay.report.asked import conditions, scope_of
from outlay.report.caching import CacheRate, caching_of
from outlay.report.money import amounts, ratio
from outlay.report.plain import plain
from outlay.report.quality import quality_of
from outlay.report.reader import LedgerReader
from outlay.report.rolled import rolled_json
from outlay.report.values import PriceGap, price_gaps_json, scope_json

Kind = Literal["model", "tier", "batch", "caching"]
CALLS = 5_000  # of each model that are priced again, the newest ones
_MODELS = 5  # the dearest ones
_ENOUGH = 20  # judged calls, below which a rate of right answers says nothing


@dataclass(frozen=True, slots=True)
class Change:
    """One change to the calls of one model, and what they would have cost with it.

    ``saving`` is ``cost`` less ``cost_there``, over the ``calls`` whose price is known on both sides. With
    ``at_most`` it is a bound that is not reached. ``correct_rate`` and ``correct_rate_there`` are the shares
    of right answers of both models in the ledger, where enough are judged.
    """

    kind: Kind
    provider: str | None
    model: str | None
    to: str  # the other model, the tariff, or what to do
    calls: int
    cost: Decimal
    cost_there: Decimal
    currency: str = "USD"
    left_out: int = 0  # calls that could not be compared
    at_most: bool = False
    correct_rate: float | None = None
    correct_rate_there: float | None = None

    @property
    def saving(self) -> Decimal:
        """The money that the change would have saved."""
        return EXACT.subtract(self.cost, self.cost_there)

    def to_dict(self) -> dict[str, Any]:
        """Give the change as a JSON object; money is a plain decimal string."""
        names = ("kind", "provider", "model", "to", "calls", "cost", "cost_there", "saving", "currency")
        rates = ("left_out", "at_most", "correct_rate", "correct_rate_there")
        return {name: plain(getattr(self, name)) for name in (*names, *rates)}


Compare = Callable[[str | None, str | None, Iterable[Record]], Iterable[Change]]
"""A model and its calls -> what they would have cost otherwise; made by who knows prices."""


@dataclass(frozen=True, slots=True)
class Savings:
    """Changes that save, the largest saving first; each by itself, so that they do not add up.

    ``looked_at`` counts the calls that were priced again, ``calls`` all of the models that were looked at.
    """

    changes: tuple[Change, ...]
    looked_at: int
    calls: int
    total: Row
    query: Query
    price_gaps: tuple[PriceGap, ...] = ()
    rolled: int = 0  # calls that were pruned
    rolled_unknown: int = 0  # further ones, of which nobody knows whether they were asked for

    def to_dict(self) -> dict[str, Any]:
        """Give the savings as a JSON object; money is a plain decimal string."""
        return {
            **scope_json(self.query),
            "changes": [each.to_dict() for each in self.changes],
            "looked_at": self.looked_at,
            "calls": self.calls,
            "total": plain(self.total),
            **price_gaps_json(self.price_gaps),
            **rolled_json(self),
        }


def savings_of(
    reader: LedgerReader,
    compare: Compare,
    *,
    cache_rate: CacheRate | None = None,
    limit: int = CALLS,
    where: Any = None,
    **question: Any,
) -> Savings:
    """Price the newest calls of the dearest models again, as ``compare`` does, and keep what saves.

    ``question`` is the period and zone, as :meth:`LedgerReader.report` takes them.

    Raises:
        QueryError: the question cannot be.
    """
    scope = scope_of(question)
    by = ("provider", "model")
    found = reader.report(by, where=where, order="cost", limit=_MODELS, **scope)
    paid = [row for row in found.rows if amounts(row) and row["cost"] != ZERO]
    looked = _Looked()
    changes = [*_repriced(reader, compare, paid, looked, limit=limit, where=where, **scope)]
    changes += _cached(caching_of(reader, by, cache_rate=cache_rate, where=where, **scope).rows)
    judged = {row["model"]: row for row in quality_of(reader, "model", where=where, **scope).rows}
    kept = [_with_quality(each, judged) for each in changes if each.saving > 0]
    return Savings(
        changes=tuple(sorted(kept, key=lambda each: each.saving, reverse=True)),
        looked_at=looked.calls,
        calls=sum(row["calls"] for row in paid),
        total=found.total,
        query=found.query,
        price_gaps=found.price_gaps,
        rolled=found.rolled,
        rolled_unknown=found.rolled_unknown,
    )


@dataclass(slots=True)
class _Looked:
    """Counts calls as they pass."""

    calls: int = 0

    def through(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            self.calls += 1
            yield record


def _repriced(
    reader: LedgerReader, compare: Compare, rows: Iterable[Row], looked: _Looked, **question: Any
) -> Iterator[Change]:
    given = conditions(question.pop("where"))
    for row in rows:
        where = [*given, ("provider", row["provider"]), ("model", row["model"])]
        records = reader.each(order="time", where=where, **question)
        yield from compare(row["provider"], row["model"], looked.through(records))


def _cached(rows: Iterable[Row]) -> Iterator[Change]:
    """Say what a cache could save at most: reading all fresh input from it."""
    for row in rows:
        for currency, saving in amounts(row, "possible_saving").items():
            cost = amounts(row).get(currency)
            if cost is not None:
                yield Change(
                    kind="caching",
                    provider=row["provider"],
                    model=row["model"],
                    to="cache more" if row["cached_tokens"] else "use a cache",
                    calls=row["calls"] - row["unpriced_calls"],
                    cost=cost,
                    cost_there=EXACT.subtract(cost, saving),
                    currency=currency,
                    left_out=row["unpriced_calls"],
                    at_most=True,
                )


def _with_quality(change: Change, judged: dict[str | None, Row]) -> Change:
    if change.kind != "model":
        return change
    ours, theirs = (_rate(judged.get(name)) for name in (change.model, change.to))
    return replace(change, correct_rate=ours, correct_rate_there=theirs)


def _rate(row: Row | None) -> float | None:
    enough = row is not None and (row["judged_calls"] or 0) >= _ENOUGH  # unknown of calls that were pruned
    return ratio(row["correct_calls"], row["judged_calls"]) if row is not None and enough else None
