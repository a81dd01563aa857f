"""Bounds: a rate so far from all that anybody lists that a unit was mixed up in it."""

from collections.abc import Mapping
from decimal import Decimal

from outlay.core.errors import PriceBookError
from outlay.core.money import EXACT, text_of
from outlay.core.units import TOKEN_UNITS, split_unit
from outlay.pricing.rates import THOUSAND, per_of

# Above the dearest of each kind in any list (input 150, output 600, a write for twelve hours 300 a million,
# cached text 37.50), below a hundred times the usual one; a mixed-up unit makes a thousand times of a price.
_MOST_TOKENS: Mapping[str, int] = {"input": 300, "cache_read": 100, "output": 900, "reasoning": 900}
_MOST_WRITTEN = 600
_LEAST_TOKENS = Decimal("0.001")  # the cheapest cached tokens cost 0.00115 a million
_MOST_COUNTED = 10_000  # for a thousand: ten dollars a search
_MOST_EACH = 1_000
_MOST_BY_UNIT: Mapping[str, int] = {"audio_seconds": 10, "characters": 1_000, "citation_tokens": 300}
# Of other currencies a unit may be worth next to nothing: 26,000 dong are a dollar.
_LIKE_A_DOLLAR = frozenset({"USD", "EUR", "GBP", "CHF", "CAD", "AUD", "NZD", "SGD"})
_WEAKEST = 100_000


def refuse_odd(unit: str, amount: Decimal, currency: str, where: str, way_out: str | None = None) -> None:
    """Refuse a rate, for as many units as the book states it for, that nobody can mean; 0 is a price.

    Raises:
        PriceBookError: it lies outside of the bounds of its unit; the message says what to write, which is
            ``way_out`` for a rate that was not written as one.
    """
    most = _most(unit) * (1 if currency in _LIKE_A_DOLLAR else _WEAKEST)
    least = _LEAST_TOKENS if unit in TOKEN_UNITS else 0
    if amount and not least <= amount <= most:
        per = per_of(unit)
        meant = f"rates are meant per {per} {'tokens' if unit in TOKEN_UNITS else 'units'}"
        if way_out is None:
            way_out = f"write per = 1 or per = 1000 if yours are not, and per = {per} if they are"
        raise PriceBookError(f"{where}, rates.{unit}: {text_of(amount)} cannot be; {meant}, {way_out}")


def moved(old: Decimal, new: Decimal, times: int) -> bool:
    """Whether a rate is so many times another one, or as many times less."""
    return new >= EXACT.multiply(old, times) or EXACT.multiply(new, times) <= old


def _most(unit: str) -> int:
    if unit in TOKEN_UNITS:
        return _MOST_TOKENS.get(split_unit(unit)[0], _MOST_WRITTEN)
    return _MOST_BY_UNIT.get(unit) or (_MOST_COUNTED if per_of(unit) == THOUSAND else _MOST_EACH)
