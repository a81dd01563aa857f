"""Picture: what a page of charts shows of a period, each part the ledger's answer to one question."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from outlay.core.query import LATENCY_BOUNDS_MS, Row
from outlay.report.money import amounts
from outlay.report.plain import plain
from outlay.report.reader import LedgerReader
from outlay.report.trend import trend_of
from outlay.report.values import Unpriced, scope_json, unpriced_json


@dataclass(frozen=True, slots=True)
class Picture:
    """Costs by day and by model, latencies, outcomes.

    ``days`` are the rows of a trend without gaps; ``models`` stand dearest first; ``latencies`` counts the
    calls of each bucket of LATENCY_BOUNDS_MS and beyond. Charts show ``currency``, that of most calls;
    ``others`` names the further ones, whose amounts they leave out.
    """

    days: tuple[Row, ...]
    models: tuple[Row, ...]
    latencies: tuple[int, ...]
    total: Row
    currency: str
    others: tuple[str, ...]
    unpriced: tuple[Unpriced, ...]
    scope: dict[str, Any]

    def amount(self, row: Row) -> Decimal | None:
        """Give a row's cost in the picture's currency; None where nothing of it is known."""
        known = amounts(row).get(self.currency)
        return Decimal(0) if known is None and not row["unpriced_calls"] else known

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
            ],
            "total": plain(self.total),
            "unpriced": unpriced_json(self.unpriced),
        }


def picture_of(reader: LedgerReader, **question: Any) -> Picture:
    """Ask for a picture; ``question`` is what :meth:`LedgerReader.report` takes beside dimensions.

    Raises:
        QueryError: a filter, period or time zone that cannot be.
    """
    days = trend_of(reader, "day", **question)
    models = reader.report(("provider", "model"), order="cost", **question)
    whole = reader.report((), metrics=("latency_histogram", "successful_calls"), **question)
    first, *others = _currencies(reader.rows("currency", detail="sums", **question).rows)
    buckets = whole.total.get("latency_histogram") if whole.total["calls"] else None
    return Picture(
        days=days.rows,
        models=tuple(models.rows),
        latencies=tuple(buckets or (0,) * (len(LATENCY_BOUNDS_MS) + 1)),
        total=whole.total,
        currency=first,
        others=tuple(others),
        unpriced=whole.unpriced,
        scope=scope_json(whole.query),
    )


def _currencies(rows: Sequence[Row]) -> list[str]:
    """Give the currencies in which some cost is known, that of most calls first; dollars where none is."""
    known = [row for row in rows if row["calls"] > row["unpriced_calls"]]
    named = [str(row["currency"]) for row in sorted(known, key=lambda row: -row["calls"])]
    return named or ["USD"]
