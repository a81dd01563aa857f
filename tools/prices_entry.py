"""The form in which the build holds a model between its sources and the data files."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Rates = dict[str, Decimal]
AS_OF = "2026-11-22"  # the day of the sources; a price announced for later is not compared with one of today
SIGNIFICANT = 12  # digits; floats such as 1.3000000000000001e-07 end here


@dataclass
class PriceRow:
    """One row: rates, larger sizes, when it holds, and the number of its source."""

    rates: Rates = field(default_factory=dict)
    above: dict[int, Rates] = field(default_factory=dict)
    at_least: bool = False
    start: str | None = None
    end: str | None = None
    when: dict[str, str] = field(default_factory=dict)
    windows: list[dict[str, Any]] = field(default_factory=list)
    factor: Decimal | None = None
    source: tuple[str, str | None] = ("", None)

    def json(self, number: int) -> dict[str, Any]:
        """Give the row as the data file holds it; empty keys are left out."""
        data: dict[str, Any] = {"source": number}
        if self.start:
            data["from"] = self.start
        if self.end:
            data["to"] = self.end
        if self.when:
            data["when"] = dict(sorted(self.when.items()))
        if self.windows:
            data["windows"] = self.windows
        if self.factor is not None:
            data["factor"] = plain(self.factor)
        if self.rates:
            data["rates"] = {unit: plain(rate) for unit, rate in sorted(self.rates.items())}
        if self.above:
            data["above"] = [
                {"tokens": size, **({"at_least": True} if self.at_least else {}),
                 "rates": {unit: plain(rate) for unit, rate in sorted(rates.items())}}
                for size, rates in sorted(self.above.items())
            ]  # fmt: skip
        return data


@dataclass
class Entry:
    """One model of one provider."""

    id: str
    names: set[str] = field(default_factory=set)
    rows: list[PriceRow] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def standard(self) -> PriceRow | None:
        """Give the row that was in force without any term on the day of the sources."""
        rows = [row for row in self.rows if not row.when and not row.windows and row.factor is None]
        current = [row for row in rows if (row.start or "") <= AS_OF]
        return max(current, key=lambda row: row.start or "", default=None)


def plain(number: Decimal) -> str:
    """Write a number without exponent and trailing zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def clean(number: Decimal) -> Decimal:
    """Round to the digits that a price list can have meant, which takes the dirt of floats away."""
    if not number:
        return Decimal(0)
    return number.quantize(Decimal(1).scaleb(number.adjusted() - SIGNIFICANT + 1)).normalize()
