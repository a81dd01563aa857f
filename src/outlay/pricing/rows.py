"""Rows of the price book: what holds from when to when, under which terms; read and checked."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from outlay.core.errors import OutlayError, PriceBookError, PriceFileError
from outlay.core.instants import instant, to_utc
from outlay.core.money import EXACT
from outlay.core.units import COUNT_NAME, TOKEN_UNITS
from outlay.core.usage import Term
from outlay.pricing.bounds import refuse_odd
from outlay.pricing.hourly import HOURLY_KEYS, hourly_rates
from outlay.pricing.rates import TIER_KINDS, Rate, Step, TierKind, join_notes, per_of, read_amount
from outlay.pricing.windows import Window, read_window

BASE, OVERLAY, USER = 0, 1, 2  # layers: a higher one wins
_KEYS = frozenset(
    {
        "rates",
        "above",
        "kind",
        "from",
        "to",
        "when",
        "windows",
        "factor",
        "source",
        "link",
        "currency",
        "per",
        "note",
        "unproven",
    }
)
_ROW_KEYS = _KEYS | HOURLY_KEYS
_PERS = frozenset(10**power for power in range(7))
_STEP_KEYS = frozenset({"tokens", "at_least", "rates"})
UNPROVEN = "unproven"
_ISO_4217 = re.compile(r"[A-Z]{3}")
_BY_THE_HOUR = "gpu_hour is money for an hour of one card, tokens_per_hour what all of them get through in it"


@dataclass(frozen=True, slots=True)
class Stated:
    """How a row states its rates: for how many units, in which money, and whether one could be a slip."""

    per: int | None
    currency: str
    may_slip: bool


@dataclass(frozen=True, slots=True)
class Row:
    """Rates that hold for ``start <= call < end``, in the windows, under the terms; or a factor on them.

    ``kind`` of the steps by size: ``request`` prices the whole call by its size, ``marginal`` only what lies
    above, ``month`` by what was used so far in the calendar month.
    """

    rates: Mapping[str, Rate]
    steps: tuple[Step, ...] = ()
    kind: TierKind = "request"
    start: datetime | None = None
    end: datetime | None = None
    when: tuple[Term, ...] = ()
    windows: tuple[Window, ...] = ()
    factor: Decimal | None = None  # on every token rate, after all else
    source: str = ""
    link: str | None = None
    currency: str = "USD"
    layer: int = BASE
    note: str | None = None

    def holds(self, at: datetime) -> bool:
        """Whether an instant lies between start and end and in one of the windows."""
        return self.spans(at) and self.is_open(at)

    def is_open(self, at: datetime) -> bool:
        """Whether an instant lies in one of the windows, also before start or behind end; yes without any."""
        return not self.windows or any(window.holds(at) for window in self.windows)

    def spans(self, at: datetime) -> bool:
        """Whether an instant lies between start and end."""
        return (self.start is None or self.start <= at) and (self.end is None or at < self.end)

    def clipped(self, start: datetime | None, end: datetime | None) -> "Row | None":
        """Give the part of the row between two instants, or None when nothing is left."""
        first = max((each for each in (self.start, start) if each is not None), default=None)
        last = min((each for each in (self.end, end) if each is not None), default=None)
        if first is not None and last is not None and first >= last:
            return None
        return replace(self, start=first, end=last)


def read_row(
    data: Mapping[str, Any], where: str, layer: int, sources: Iterable[Mapping[str, str]] = ()
) -> Row:
    """Read one row; ``sources`` is the file's list that a numbered ``source`` points into.

    Raises:
        PriceBookError: a key, unit, rate or instant that cannot be; the message names file, row and key.
            A PriceFileError in a file of one's own.
    """
    try:
        return _row(data, where, layer, tuple(sources) if layer == BASE else ())
    except PriceBookError as error:
        raise (PriceFileError(str(error)) if layer == USER else error) from None


def _row(data: Mapping[str, Any], where: str, layer: int, sources: tuple[Mapping[str, str], ...]) -> Row:
    _check_keys(data, _ROW_KEYS, where)
    _check_kinds(data, where)
    source, link = _source(data, sources, where)
    start, end = read_instant(data.get("from"), where, "from"), read_instant(data.get("to"), where, "to")
    if start is not None and end is not None and start >= end:
        raise PriceBookError(f"{where}: to must be after from")
    per, currency = _per(data.get("per"), where), read_currency(data.get("currency", "USD"), where)
    stated = Stated(per, currency, per is None or layer < USER)  # who writes ``per`` knows the unit
    row = Row(
        rates=_all_rates(data, stated, where),
        steps=_steps(data["above"], stated, where) if "above" in data else (),
        kind=_kind(data.get("kind", "request"), where),
        start=start,
        end=end,
        when=tuple(sorted((str(k), str(v).lower()) for k, v in data.get("when", {}).items())),
        windows=_windows(data["windows"], where) if "windows" in data else (),
        factor=None if "factor" not in data else _factor(data["factor"], where),
        source=source,
        link=link,
        currency=currency,
        layer=layer,
        note=data.get("note"),
    )
    if not row.rates and row.factor is None:
        raise PriceBookError(f"{where}: a row needs rates or a factor")
    return row


def _all_rates(data: Mapping[str, Any], stated: Stated, where: str) -> dict[str, Rate]:
    rates = _rates(data.get("rates", {}), stated, where)
    if not HOURLY_KEYS.isdisjoint(data):
        rates = {**_hourly(data, stated, where), **rates}
    return _marked(rates, data["unproven"], where) if "unproven" in data else rates


def _windows(data: object, where: str) -> tuple[Window, ...]:
    return tuple(read_window(window, where) for window in objects_of(data, f"{where}, windows"))


def _check_keys(data: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    if not known.issuperset(data):
        raise PriceBookError(
            f"{where}: there is no key {min(set(data) - known)!r}; there are {', '.join(sorted(known))}"
        )


_TEXTS = ("link", "note")
_TABLES = ("rates", "when")


def _check_kinds(data: Mapping[str, Any], where: str) -> None:
    for key in _TEXTS:
        if not isinstance(data.get(key, ""), str):
            raise PriceBookError(f"{where}, {key}: must be text, not {data[key]!r:.40}")
    for key in _TABLES:
        if not isinstance(data.get(key, {}), Mapping):
            example = '{ input = "2.50" }' if key == "rates" else '{ batch = "true" }'
            raise PriceBookError(f"{where}, {key}: must be a table such as {example}, not {data[key]!r:.40}")
    for name, value in data.get("when", {}).items():
        if not isinstance(value, (str, bool, int)):
            raise PriceBookError(f"{where}, when.{name}: must be text, not {value!r:.40}")


def objects_of(value: object, where: str) -> list[Mapping[str, Any]]:
    """Give a list of tables as it stands in a file.

    Raises:
        PriceBookError: it is anything else.
    """
    if isinstance(value, (list, tuple)) and all(isinstance(each, Mapping) for each in value):
        return list(value)
    raise PriceBookError(f"{where}: must be a list of tables, not {value!r:.40}")


def _rates(data: Mapping[str, Any], stated: Stated, where: str) -> dict[str, Rate]:
    return {unit: _rate(unit, value, stated, where) for unit, value in data.items()}


def _hourly(data: Mapping[str, Any], stated: Stated, where: str) -> dict[str, Rate]:
    rates = hourly_rates(data, where)
    for unit, rate in rates.items():
        refuse_odd(unit, rate.amount, stated.currency, f"{where}, tokens_per_hour", _BY_THE_HOUR)
    return rates


def _rate(unit: str, value: object, stated: Stated, where: str) -> Rate:
    if type(value) is str:
        try:
            return _common_rate(unit, value, stated.per, stated.currency, stated.may_slip)
        except PriceBookError:
            pass  # said again, with its place
    return _read_rate(unit, value, stated, where)


@lru_cache(maxsize=2048)
def _common_rate(unit: str, value: str, *stated: Any) -> Rate:
    """Read a rate that many rows have; it is read once."""
    return _read_rate(unit, value, Stated(*stated), "")


def _read_rate(unit: str, value: object, stated: Stated, where: str) -> Rate:
    amount = read_amount(value, f"{where}, rates.{unit}")
    if unit not in TOKEN_UNITS and not COUNT_NAME.fullmatch(unit):
        raise PriceBookError(f"{where}: {unit!r:.60} is no unit")
    if amount < 0:
        raise PriceBookError(f"{where}, rates.{unit}: a rate cannot be negative ({amount})")
    usual = per_of(unit)
    if stated.per is not None:
        amount = EXACT.normalize(EXACT.divide(EXACT.multiply(amount, usual), stated.per))
    if stated.may_slip:
        refuse_odd(unit, amount, stated.currency, where)
    return Rate(amount, usual)


def _marked(rates: dict[str, Rate], unproven: object, where: str) -> dict[str, Rate]:
    """Mark rates on which sources differ and none shows what is charged; the line of a cost says so."""
    if not isinstance(unproven, (list, tuple)) or any(unit not in rates for unit in unproven):
        raise PriceBookError(f"{where}, unproven: must be a list of units of the rates, not {unproven!r:.40}")
    marked = dict(rates)
    for unit in unproven:
        marked[unit] = replace(rates[unit], note=join_notes(rates[unit].note, UNPROVEN), flag=UNPROVEN)
    return marked


def _per(value: object, where: str) -> int | None:
    if value is None or (type(value) is int and value in _PERS):
        return value
    raise PriceBookError(f"{where}: per must be a power of ten up to 1000000, not {value!r}")


def _steps(data: Iterable[Mapping[str, Any]], stated: Stated, where: str) -> tuple[Step, ...]:
    steps = []
    for step in objects_of(data, f"{where}, above"):
        _check_keys(step, _STEP_KEYS, f"{where}, above")
        tokens = step.get("tokens")
        if type(tokens) is not int or tokens < 1:
            raise PriceBookError(f"{where}, above.tokens: must be a whole number above 0, not {tokens!r}")
        if not isinstance(step.get("rates"), Mapping) or not step["rates"]:
            raise PriceBookError(f'{where}, above: needs rates, such as {{ input = "5" }}')
        if not isinstance(step.get("at_least", False), bool):
            raise PriceBookError(f"{where}, above.at_least: must be true or false")
        steps.append(
            Step(tokens, _rates(step.get("rates", {}), stated, where), bool(step.get("at_least", False)))
        )
    return tuple(sorted(steps, key=lambda step: step.tokens))


def _kind(value: object, where: str) -> TierKind:
    for kind in TIER_KINDS:
        if value == kind:
            return kind
    raise PriceBookError(f"{where}, kind: must be one of {', '.join(TIER_KINDS)}, not {value!r}")


def _factor(value: object, where: str) -> Decimal:
    factor = read_amount(value, f"{where}, factor")
    if not Decimal("0.01") <= factor <= Decimal(100):
        raise PriceBookError(f"{where}, factor: must lie between 0.01 and 100, not {factor}")
    return factor


def _source(
    data: Mapping[str, Any], sources: tuple[Mapping[str, str], ...], where: str
) -> tuple[str, str | None]:
    source = data.get("source", "")
    if isinstance(source, str):
        return source or where, data.get("link")
    if not isinstance(source, int) or not 0 <= source < len(sources):
        raise PriceBookError(f"{where}, source: there is no source number {source!r}")
    return sources[source]["name"], sources[source].get("link")


def read_currency(value: object, where: str) -> str:
    """Read an ISO 4217 code.

    Raises:
        PriceBookError: anything else.
    """
    if isinstance(value, str) and _ISO_4217.fullmatch(value):
        return value
    raise PriceBookError(f"{where}, currency: must be a code of three capitals such as USD, not {value!r}")


def read_instant(value: object, where: str, key: str) -> datetime | None:
    """Read an instant from a datetime, a date (its start in UTC) or ISO 8601 text; None stays None.

    Raises:
        PriceBookError: anything else.
    """
    if value is None or isinstance(value, datetime):
        return None if value is None else to_utc(value)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    try:
        return instant(str(value))
    except OutlayError:
        raise PriceBookError(
            f"{where}, {key}: {value!r:.40} is no instant; write 2026-08-16T16:00:00Z"
        ) from None
