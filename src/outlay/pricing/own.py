"""Prices that a caller states as a plain dictionary, made rows of a small book of their own.

One engine prices everything: what is stated here becomes rows, tiers and windows like those of any file.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from outlay.core.cost import Cost
from outlay.core.errors import PriceBookError
from outlay.core.money import decimal_of
from outlay.core.usage import Usage
from outlay.pricing.book import Book
from outlay.pricing.card import Unpriced
from outlay.pricing.charge import cost_of
from outlay.pricing.rates import MILLION, THOUSAND, TierKind
from outlay.pricing.rows import USER
from outlay.pricing.tables import sheet_from

OWN = "own"  # the provider and the model under which a stated price stands in its book
HAPPY_HOUR = "happy hour"
_UNITS = {
    "input": "input",
    "output": "output",
    "cached": "cache_read",
    "cache_write": "cache_write",
    "reasoning": "reasoning",
}
_STRATEGIES: Mapping[str, TierKind] = {"full": "request", "partial": "marginal", "month": "month"}
_HAPPY_KEYS = frozenset({"start", "finish", "pricing"})
_DYNAMIC_KEYS = frozenset({"threshold", "strategy", "pricing"})
_KEPT = 512
_HALF_HOURS = 48


def own_book(pricing: Mapping[str, Any], *, model: str = OWN, per: int = MILLION) -> Book:
    """Make a book of the prices stated for one model.

    ``pricing`` holds ``input``, ``output``, ``cached``, ``cache_write`` and ``reasoning`` in dollars per
    ``per`` tokens. ``happy_hour`` is ``{"start": "16:30", "finish": "00:30", "pricing": {…}}`` in UTC;
    ``dynamic`` is ``{"threshold": tokens, "strategy": …, "pricing": {…}}``, where ``full`` prices the whole
    request by its size, ``partial`` only what is above, and ``month`` by what the calendar month has used.

    Raises:
        PriceBookError: a key, rate, hour or strategy that cannot be; the message names the model.
    """
    return _book(_frozen(pricing, f"pricing of {model}"), model, per)


def own_cost(usage: Usage, book: Book, *, at: datetime | None = None, **terms: str) -> Cost:
    """Price a usage by a book that :func:`own_book` made."""
    return cost_of(usage, provider=OWN, model=OWN, at=at, book=book, **terms)


def rates_book(input_price: object, output_price: object, *, per: int = MILLION) -> Book:
    """Make a book of two rates.

    Raises:
        PriceBookError: a rate that cannot be.
    """
    return own_book({"input": input_price, "output": output_price}, per=per)


def per_thousand_book(cost_per_1k_input: object, cost_per_1k_output: object) -> Book:
    """Make a book of two rates in dollars per thousand tokens.

    Raises:
        PriceBookError: a rate that cannot be.
    """
    return rates_book(cost_per_1k_input, cost_per_1k_output, per=THOUSAND)


def is_happy_hour(cost: Cost, provider: str | None, model: str | None, at: datetime) -> bool:
    """Whether a cost was reckoned by the lower rate of a few hours of the day, at the instant of its call.

    A stated price says so itself. In the price book a rate counts as one that holds for less than half of
    the day and is lower than another of that day; the usual rate beside hours of peak is none.
    """
    if any(HAPPY_HOUR in (line.note or "") for line in cost.lines):
        return True
    if not any(line.quantity for line in cost.lines) or (cost.price is None or cost.status == "reported"):
        return False
    timeline = Book.default().timeline(provider, model, ())
    if not timeline.windowed:
        return False
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    cards = (timeline.at(midnight + timedelta(minutes=30 * half)) for half in range(_HALF_HOURS))
    day = [card.rates["input"].amount for card in cards if not isinstance(card, Unpriced)]
    card = timeline.at(at)
    now = None if isinstance(card, Unpriced) else card.rates["input"].amount
    return now is not None and bool(day) and now < max(day) and 2 * day.count(now) < len(day)


@lru_cache(maxsize=_KEPT)
def _book(frozen: tuple[Any, ...], model: str, per: int) -> Book:
    """Make a book once for each price; what is kept is bounded."""
    where = f"pricing of {model}"
    rows = _rows(_thawed(frozen), where, per)
    sheet = sheet_from({"model": [{"provider": OWN, "model": OWN, "price": rows}]}, where, USER)
    book = Book((sheet,), OWN)
    book.check(OWN)  # the packaged tables below it were checked when they were made
    return book


def _rows(pricing: Mapping[str, Any], where: str, per: int) -> list[dict[str, Any]]:
    # The usual number is not said, so that a rate which cannot be meant for it is refused.
    common = {
        "source": where.replace("pricing of", "own price of"),
        **({} if per == MILLION else {"per": per}),
    }
    steps = _steps(pricing, where)
    rows = [{"rates": _rates(pricing, where), **common, **steps}]
    if (happy := pricing.get("happy_hour")) is not None:
        inside = _checked(happy, _HAPPY_KEYS, f"{where}, happy_hour")
        own = _checked(inside.get("pricing"), None, f"{where}, happy_hour.pricing")
        rows.append(
            {
                "rates": _rates(own, f"{where}, happy_hour.pricing"),
                **common,
                "note": HAPPY_HOUR,
                "windows": [{"from": inside.get("start"), "to": inside.get("finish")}],
                **(_steps(own, where) or steps),
            }
        )
    return rows


def _steps(pricing: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Read the tiers; there may be one, or several of one strategy."""
    given = pricing.get("dynamic")
    if given is None:
        return {}
    tiers = given if isinstance(given, list) else [given]
    checked = [_checked(tier, _DYNAMIC_KEYS, f"{where}, dynamic") for tier in tiers]
    strategies = {tier.get("strategy", "full") for tier in checked}
    strategy = str(strategies.pop()) if len(strategies) == 1 else "several at once"
    if strategy not in _STRATEGIES:
        raise PriceBookError(
            f"{where}, dynamic.strategy: must be one of {', '.join(_STRATEGIES)}, not {strategy!r}"
        )
    above = [
        {
            "tokens": tier.get("threshold"),
            "rates": _rates(
                _checked(tier.get("pricing"), frozenset(_UNITS), f"{where}, dynamic.pricing"), where
            ),
        }
        for tier in checked
    ]
    return {"above": above, "kind": _STRATEGIES[strategy]}


def _rates(pricing: Mapping[str, Any], where: str) -> dict[str, Any]:
    _checked(pricing, frozenset(_UNITS) | {"happy_hour", "dynamic"}, where)
    rates = {_UNITS[name]: value for name, value in pricing.items() if name in _UNITS and value is not None}
    if not rates:
        raise PriceBookError(f"{where}: give at least input and output in dollars")
    try:
        return {unit: decimal_of(value, f"the rate of {unit}") for unit, value in rates.items()}
    except ValueError as error:
        raise PriceBookError(f"{where}: {error}") from None


def _checked(data: object, known: frozenset[str] | None, where: str) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise PriceBookError(f"{where}: must be a table of prices, not {data!r:.60}")
    if known is not None and (unknown := sorted(set(data) - known)):
        raise PriceBookError(f"{where}: there is no key {unknown[0]!r}; there are {', '.join(sorted(known))}")
    return data


def _frozen(value: Any, where: str) -> Any:
    """Make a hashable copy, by which a book is found again; the kind of a value is part of it."""
    if isinstance(value, Mapping):
        return ("map", *((str(key), _frozen(inner, where)) for key, inner in value.items()))
    if isinstance(value, list | tuple):
        return ("list", *(_frozen(inner, where) for inner in value))
    if not isinstance(value, str) and isinstance(value, Iterable):
        raise PriceBookError(f"{where}: {value!r:.60} is no price")
    return (type(value).__name__, value)


def _thawed(frozen: tuple[Any, ...]) -> Any:
    kind, *content = frozen
    if kind == "map":
        return {key: _thawed(inner) for key, inner in content}
    if kind == "list":
        return [_thawed(inner) for inner in content]
    return content[0]
