"""Summary: the few figures that a person wants first, in all and by provider."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from outlay.core.query import Row
from outlay.report.plain import plain
from outlay.report.values import PriceGap, Report, price_gaps_json


@dataclass(frozen=True, slots=True)
class Totals:
    """The figures of one provider, or of all calls."""

    calls: int
    succeeded: int
    input_tokens: int
    output_tokens: int
    cost: Decimal | None  # None: no call had a known price, or they are in several currencies
    avg_latency_ms: float | None  # None: no call was timed
    costs: Mapping[str, Decimal] | None = None  # by currency, where there are others than USD

    @property
    def total_tokens(self) -> int:
        """Input and output tokens together."""
        return self.input_tokens + self.output_tokens

    @property
    def success_rate(self) -> float:
        """The share of calls that worked, 0 to 1; 0 where there was none."""
        return self.succeeded / self.calls if self.calls else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Give the figures as a JSON object; money is a plain decimal string."""
        names = ("calls", "succeeded", "input_tokens", "output_tokens", "total_tokens", "cost")
        figures = {name: plain(getattr(self, name)) for name in names}
        foreign = {"costs": plain(self.costs)} if self.costs else {}
        return {
            **figures,
            **foreign,
            "success_rate": self.success_rate,
            "avg_latency_ms": self.avg_latency_ms,
        }


@dataclass(frozen=True, slots=True)
class Summary:
    """The totals of some calls, the same by provider, and whose price is not known."""

    total: Totals
    by_provider: tuple[tuple[str, Totals], ...] = ()
    price_gaps: tuple[PriceGap, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Give the summary as a JSON object."""
        return {
            "total": self.total.to_dict(),
            "by_provider": {name: totals.to_dict() for name, totals in self.by_provider},
            **price_gaps_json(self.price_gaps),
        }


def totals_of(row: Row) -> Totals:
    """Take a summary's figures out of a report's row; no calls at all cost nothing."""
    return Totals(
        calls=row["calls"],
        succeeded=row["calls"] - row["errors"],
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
        cost=row["cost"] if row["calls"] else Decimal(0),
        avg_latency_ms=row["avg_latency_ms"],
        costs=row.get("costs"),
    )


def summary_of(report: Report, order: Sequence[str] = ()) -> Summary:
    """Make a summary of a report by provider; the providers in ``order`` stand first.

    Raises:
        ValueError: the report is not by provider.
    """
    if report.query.by != ("provider",):
        raise ValueError(f"a summary is made of a report by provider, not by {report.query.by}")
    place = {name: index for index, name in enumerate(order)}
    groups = [(str(row["provider"]), totals_of(row)) for row in report.rows]
    groups.sort(key=lambda group: (place.get(group[0], len(place)), group[0]))
    return Summary(totals_of(report.total), tuple(groups), report.price_gaps)
