"""Hourly: hardware that is paid by the hour, as rates for the tokens that it gets through in one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from outlay.core.errors import PriceBookError
from outlay.core.money import EXACT, text_of
from outlay.core.units import TOKEN_UNITS
from outlay.pricing.rates import MILLION, Rate, read_amount

HOURLY_KEYS = frozenset({"gpu_hour", "gpus", "tokens_per_hour"})
_PLACES = Decimal(1).scaleb(-12)  # of a million tokens' rate: one token then fits into a ledger's 18
_ROUNDING = Context(prec=60, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class Hour:
    """What an hour of one card costs, and how many tokens of each unit all the cards get through in one."""

    money: Decimal
    tokens: Mapping[str, int] = field(hash=False)
    gpus: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Give it by the keys that it has in a price file."""
        return {"gpu_hour": text_of(self.money), "gpus": self.gpus, "tokens_per_hour": dict(self.tokens)}

    def amounts(self) -> dict[str, Decimal]:
        """Give the rates a million that follow from it.

        Raises:
            PriceBookError: a figure that cannot be.
        """
        return {unit: rate.amount for unit, rate in hourly_rates(self.to_dict(), "an hour").items()}


def hourly_rates(data: Mapping[str, Any], where: str) -> dict[str, Rate]:
    """Give the rates of ``gpu_hour`` (money), ``gpus`` (1 if not said) and ``tokens_per_hour`` by unit.

    A rate is what the hour costs over the tokens of that unit that all the hardware gets through in one, if
    it does nothing else; rounded to 12 places a million where the quotient has no end.

    Raises:
        PriceBookError: one without the other, or a figure that cannot be.
    """
    if not HOURLY_KEYS & data.keys():
        return {}
    through = data.get("tokens_per_hour")
    if "gpu_hour" not in data or not isinstance(through, Mapping) or not through:
        raise PriceBookError(
            f"{where}: an hourly price needs gpu_hour and tokens_per_hour, such as {{ output = 4_000_000 }}"
        )
    gpus = data.get("gpus", 1)
    if type(gpus) is not int or gpus < 1:
        raise PriceBookError(f"{where}, gpus: must be a whole number above 0, not {gpus!r:.40}")
    money = _money(data["gpu_hour"], where)
    note = f"{text_of(money)} an hour{'' if gpus == 1 else f' x{gpus}'}"
    hour = EXACT.multiply(money, gpus)
    return {unit: Rate(_rate(hour, unit, count, where), note=note) for unit, count in through.items()}


def _money(value: object, where: str) -> Decimal:
    money = read_amount(value, f"{where}, gpu_hour")
    if money < 0:
        raise PriceBookError(f"{where}, gpu_hour: cannot be negative ({money})")
    return money


def _rate(hour: Decimal, unit: str, count: object, where: str) -> Decimal:
    if unit not in TOKEN_UNITS:
        raise PriceBookError(f"{where}, tokens_per_hour: {unit!r:.60} is no unit of tokens")
    if type(count) is not int or count < 1:
        raise PriceBookError(
            f"{where}, tokens_per_hour.{unit}: must be a whole number above 0, not {count!r:.40}"
        )
    rate = _ROUNDING.divide(EXACT.multiply(hour, MILLION), Decimal(count))
    return rate.quantize(_PLACES, context=_ROUNDING).normalize(_ROUNDING)
