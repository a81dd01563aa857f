"""Picture: what a page of charts shows of a period, each part the ledger's answer to one question."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from outlay.core.money import ZERO
from outlay.core.query import LATENCY_BOUNDS_MS, LEFT_OUT, Query, Row
from outlay.report.asked import sort_key
from outlay.report.money import added, amounts, money
from outlay.report.plain import plain
from outlay.report.reader import LedgerReader
from outlay.report.rolled import rolled_json
from outlay.report.trend import compared
from outlay.report.values import PriceGap, price_gaps_json, scope_json

_FURTHER = ("latency_histogram", "successful_calls")


@dataclass(frozen=True, slots=True)
class Picture:
    """Costs by day and by model, latencies, outcomes.

    ``days`` are the rows of a trend without gaps; ``models`` stand dearest first; ``latencies`` counts the
    calls of each bucket of LATENCY_BOUNDS_MS and beyond, and is empty where some were pruned: nobody knows
    theirs. Charts show ``currency``, that of most calls; ``others`` names the further ones, whose amounts
    they leave out.
    """

    days: tuple[Row, ...]
    models: tuple[Row, ...]
    latencies: tuple[int, ...]
    total: Row
    currency: str
    others: tuple[str, ...]
    price_gaps: tuple[PriceGap, ...]
    scope: dict[str, Any]
    rolled: int = 0  # calls that were pruned
    rolled_unknown: int = 0  # further ones, of which nobody knows whether they were asked for
    query: Query = field(default=Query(), kw_only=True)  # that of the days

    @property
    def untimed(self) -> int:
        """Count the calls of which nobody told a latency; 0 where that is not known, as of pruned ones."""
        known = not self.rolled and any(self.latencies)
        return self.total["calls"] - sum(self.latencies) if known else 0

    def amount(self, row: Row) -> Decimal | None:
        """Give a row's cost in the picture's currency; None where nothing of it is known."""
        known = amounts(row).get(self.currency)
        return Decimal(0) if known is None and not row["unpriced_calls"] else known

    def bar(self, row: Row) -> Decimal | None:
        """Give what a bar of a row's own shows; None where all that is known of it is other money."""
        told = amounts(row)
        return None if told and self.currency not in told else self.amount(row)

    def by_model(self) -> tuple[Row, ...]:
        """Give the costs of models, the dearest first: charts name the model, whoever provides it."""
        named: dict[str | None, list[Row]] = {}
        for row in self.models:
            named.setdefault(row["model"], []).append(row)
        return tuple(
            sorted((_together(model, rows) for model, rows in named.items()), key=self._dearest_first)
        )

    def _dearest_first(self, row: Row) -> tuple[bool, Decimal]:
        amount = self.bar(row)
        return amount is None, (amount or ZERO).copy_negate()

    def to_dict(self) -> dict[str, Any]:
        """Give the picture as a JSON object; money is a plain decimal string."""
        return {
            **self.scope,
            "currency": self.currency,
            "others": list(self.others),
            "days": plain(self.days),
            "models": plain(self.models),
            "latencies": [
                {"up_to_ms": bound, "calls": calls}
                for bound, calls in zip((*LATENCY_BOUNDS_MS, None), self.latencies, strict=True)
            ]
            if self.latencies
            else [],
            "total": plain(self.total),
            **price_gaps_json(self.price_gaps),
            **rolled_json(self),
        }


def picture_of(reader: LedgerReader, **question: Any) -> Picture:
    """Ask for a picture; ``question`` is what :meth:`LedgerReader.report` takes beside dimensions.

    Raises:
        QueryError: a filter, period or time zone that cannot be.
    """
    with reader.together():
        found, days = compared(reader, "day", detail="sums", **question)
        groups = reader.rows(("provider", "model"), detail="sums", **question).rows
        models = sorted(groups, key=sort_key("cost", found.query))
        further = reader.rows((), metrics=_FURTHER, detail="counts", **question).total
        first, *others = _currencies(reader, models, question)
    buckets = further["latency_histogram"] if further["calls"] else (0,) * (len(LATENCY_BOUNDS_MS) + 1)
    return Picture(
        days=tuple(map(_shown, days)),
        models=tuple(map(_shown, models)),
        latencies=tuple(buckets or ()),
        total=_shown(found.total) | {name: further[name] for name in _FURTHER},
        currency=first,
        others=tuple(others),
        price_gaps=found.price_gaps,
        scope={**scope_json(found.query), "by": []},
        rolled=found.rolled,
        rolled_unknown=found.rolled_unknown,
        query=found.query,
    )


def _together(model: str | None, rows: Sequence[Row]) -> Row:
    unpriced = sum(row["unpriced_calls"] for row in rows)
    return {"model": model, "unpriced_calls": unpriced, **money(added(map(amounts, rows)))}


def _shown(row: Row) -> Row:
    """Leave away what no chart shows and nobody asked for."""
    return {name: value for name, value in row.items() if name not in LEFT_OUT["sums"]}


def _currencies(reader: LedgerReader, groups: Sequence[Row], question: dict[str, Any]) -> list[str]:
    """Give the currencies in which some cost is known, that of most calls first; dollars where none is."""
    found = {currency for row in groups for currency in amounts(row)}
    if len(found) <= 1:
        return list(found) or ["USD"]
    rows = reader.rows("currency", detail="counts", **question).rows
    known = [row for row in rows if row["calls"] > row["unpriced_calls"]]
    return [str(row["currency"]) for row in sorted(known, key=lambda row: -row["calls"])]
