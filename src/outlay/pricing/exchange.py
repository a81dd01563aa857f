"""Exchange: prices of one currency made prices of another, at rates that a user gives, each for its time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from outlay.core.errors import PriceBookError
from outlay.core.money import EXACT, text_of
from outlay.pricing.rates import Rate, join_notes, read_amount
from outlay.pricing.rows import USER, Row, read_currency, read_instant

_KEYS = frozenset({"of", "into", "rate", "from", "to", "source"})


@dataclass(frozen=True, slots=True)
class Exchange:
    """What one unit of a currency is worth in another for calls with ``start <= call < end``."""

    of: str
    into: str
    rate: Decimal
    start: datetime | None = None
    end: datetime | None = None
    source: str | None = None

    @property
    def pair(self) -> tuple[str, str]:
        """The two currencies."""
        return self.of, self.into

    @property
    def note(self) -> str:
        """What a line of a cost says of it: ``CNY x0.14 USD, ECB``."""
        said = f"{self.of} x{text_of(self.rate)} {self.into}"
        return said if self.source is None else f"{said}, {self.source}"


def read_exchanges(entries: Iterable[Mapping[str, Any]], name: str, layer: int) -> tuple[Exchange, ...]:
    """Read the rates of a file, in its order.

    Raises:
        PriceBookError: a key, currency, rate or instant that cannot be; or rates that are not a user's own,
            for no list of prices knows at which rate somebody pays.
    """
    found = tuple(_exchange(entry, f"{name}, [[exchange]] {n}") for n, entry in enumerate(entries, 1))
    if found and layer < USER:
        raise PriceBookError(f"{name}: rates of exchange stand in a user's own file alone")
    return found


def _exchange(entry: Mapping[str, Any], where: str) -> Exchange:
    if unknown := sorted(set(entry) - _KEYS):
        raise PriceBookError(f"{where}: there is no key {unknown[0]!r}; there are {', '.join(sorted(_KEYS))}")
    of, into = (read_currency(entry.get(key), f"{where}, {key}") for key in ("of", "into"))
    start, end = (read_instant(entry.get(key), where, key) for key in ("from", "to"))
    source = entry.get("source")
    if of == into:
        raise PriceBookError(f"{where}: of and into must be two currencies, not {of} twice")
    if start is not None and end is not None and start >= end:
        raise PriceBookError(f"{where}: to must be after from")
    if source is not None and not isinstance(source, str):
        raise PriceBookError(f"{where}, source: must be text, not {source!r:.40}")
    return Exchange(of, into, _worth(entry.get("rate"), where), start, end, source)


def _worth(value: object, where: str) -> Decimal:
    rate = read_amount(value, f"{where}, rate")
    if rate <= 0:
        raise PriceBookError(f"{where}, rate: must be above 0, not {rate}")
    return rate


def exchanged(row: Row, exchanges: Sequence[Exchange]) -> list[Row]:
    """Cut a row where a rate of exchange begins or ends, and turn the parts that have one; once, never twice.

    Of several rates for the same time the last of the file counts. Where there is none the row stays in its
    own currency: no rate is carried on to a time for which nobody gave it.
    """
    left, done = [row], []
    for each in reversed(exchanges):
        if each.of != row.currency or row.factor is not None:
            continue
        inside = (part.clipped(each.start, each.end) for part in left)
        done += [_turned(part, each) for part in inside if part is not None]
        before = (one.clipped(None, each.start) for one in left if each.start is not None)
        after = (one.clipped(each.end, None) for one in left if each.end is not None)
        left = [part for part in (*before, *after) if part is not None]
    return [*left, *done]


def _turned(row: Row, by: Exchange) -> Row:
    def turned(rates: Mapping[str, Rate]) -> dict[str, Rate]:
        return {
            unit: replace(rate, amount=EXACT.multiply(rate.amount, by.rate)) for unit, rate in rates.items()
        }

    steps = tuple(replace(step, rates=turned(step.rates)) for step in row.steps)
    return replace(
        row, rates=turned(row.rates), steps=steps, currency=by.into, note=join_notes(row.note, by.note)
    )
