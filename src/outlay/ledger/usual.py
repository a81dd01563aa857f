"""Usual lines of journals: calls from which a ledger makes its rows without a Record in between.

A line is usual if it says each thing in the one form in which a journal of this schema writes it, and has no
more than most calls have. Whatever is unusual in any way is left to ``journal.read_line``, which says what is
wrong with it, if anything.
"""

import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from operator import itemgetter
from typing import Any, Generic, NamedTuple, TypeVar, cast

import orjson

from outlay.core.codec import TOTALS, entry_from_json
from outlay.core.errors import RefusedEntryError, ResponseError
from outlay.core.record import SCHEMA, Entry, Record
from outlay.core.units import MAX_QUANTITY, TOKEN_UNITS
from outlay.core.usage import totals_of
from outlay.journal import Fault, read_line
from outlay.ledger.stated import LINE, is_amount, is_stated

_KIND = (  # texts that many calls have in common
    *("provider", "model", "model_requested", "operation", "api", "status", "error_type", "query_type"),
    *("agent", "action", "workspace", "usage_reason", "usage_model", "currency", "cost_status"),
    "cost_reason",
)
_TEXTS = ("error", "user", "session", "response_id", "trace_id", "span_id", "prompt", "reply")
_LISTS = ("flags", "cost_flags")
_NEEDED = frozenset(
    ("schema", "id", "at", "provider", "operation", "status", "currency", "cost_status", *TOTALS)
)
_LINES = frozenset((*LINE, *more) for more in ((), ("note",), ("model",), ("note", "model")))
_PRICE = ("source", "effective_from", "version", "extrapolated")
_HEAD = re.compile(
    rb'\{"schema":%d,"id":"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})","at":"([0-9]{4}-[0-9]{2}-[0-9]{2}'
    rb'T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z)",' % SCHEMA
)
_LARGEST = 2**63
_FORMS = 4096  # that are remembered
_T = TypeVar("_T")


class Seen(NamedTuple):
    """A line of which no more than the beginning was read: it may be that of a call."""

    id: str
    at: str  # in a form that sorts as time does
    line: bytes


class Usual(NamedTuple):
    """What a usual line says."""

    data: dict[str, Any]
    totals: tuple[int, ...]  # of tokens, in the order of TOTALS
    key: Hashable  # what it shares with other calls: all of a kind, the price and its rates


@dataclass(frozen=True, slots=True, eq=False)  # two of them are never alike
class _Shape:
    """Lines with the same names in the same order, and where to look in them."""

    kind: Callable[[dict[str, Any]], tuple[Any, ...]]
    texts: Callable[[dict[str, Any]], tuple[Any, ...]] | None
    checks: tuple[tuple[str, Callable[[Any], bool]], ...]
    lists: tuple[str, ...]
    usage: bool
    terms: bool
    lines: bool
    price: bool


def read(line: bytes) -> Entry | Seen:
    """Read a line, of that of a call as little as possible.

    Raises:
        RefusedEntryError: it is no entry of a journal.
    """
    return seen_in(line) or _entry(line)


def seen_in(line: bytes) -> Seen | None:
    """Read the beginning of a line; None where it is not that of a call."""
    found = _HEAD.match(line)
    return None if found is None else Seen(found[1].decode(), found[2].decode(), line)


def record_of(seen: Seen) -> Record:
    """Give the record of a line.

    Raises:
        RefusedEntryError: it is none, or not the one that it seemed to be.
    """
    found = _entry(seen.line)
    if isinstance(found, Record) and found.id == seen.id:
        return found
    raise RefusedEntryError("the line says two things")


def _entry(line: bytes) -> Entry:
    found = read_line(line, 0, 0)
    if isinstance(found, Fault):
        raise RefusedEntryError(found.reason)
    return found


def read_usual(seen: Seen) -> Usual | None:
    """Read a line; None if it is no usual one."""
    try:
        return usual_of(seen, orjson.loads(seen.line))
    except ValueError:
        return None


def usual_of(seen: Seen, data: dict[str, Any]) -> Usual | None:
    """Look at what a line says, or the most of it; None if it is no usual one."""
    try:
        shape = _shape(tuple(data))
        return None if shape is None else _read(seen, data, shape)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _read(seen: Seen, data: dict[str, Any], shape: _Shape) -> Usual | None:
    if not _is_sound(seen, data, shape):
        return None
    totals = totals_in(data["usage"]) if shape.usage else _NONE
    key = [shape, *shape.kind(data)]
    if totals is None or (shape.lines and not is_stated(data) and not _add_rates(key, data["lines"])):
        return None
    if shape.price:
        price = data["price"]
        key += price.values()
        if tuple(price) != _PRICE or type(key[-1]) is not bool:
            return None
    if shape.terms:
        key += data["terms"].items()
    for name in shape.lists:
        key.append(tuple(data[name]))
    return Usual(data, totals, tuple(key))


def _is_sound(seen: Seen, data: dict[str, Any], shape: _Shape) -> bool:
    """Whether all that is said of this one call alone is of its kind."""
    if data["id"] != seen.id or data["at"] != seen.at:  # said twice
        return False
    if not _is_day(seen.at[:10]):
        return False
    if shape.texts is not None and not _STR.issuperset(map(type, shape.texts(data))):
        return False
    for name, holds in shape.checks:  # noqa: SIM110  # a third quicker than all() of a generator
        if not holds(data[name]):
            return False
    return True


@lru_cache(maxsize=64)
def _is_day(text: str) -> bool:
    """Whether there is such a day."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def totals_in(usage: dict[str, Any]) -> tuple[int, ...] | None:
    """Add up the tokens of a usage, in the order of TOTALS; None if it is not written as outlay writes it."""
    if not _is_ordered(tuple(usage)):
        return None
    for count in usage.values():
        if type(count) is not int or not 0 < count <= MAX_QUANTITY:
            return None
    return totals_of(usage.items())


@lru_cache(maxsize=_FORMS)
def _is_ordered(units: tuple[str, ...]) -> bool:
    """Whether these are units of tokens, in the vocabulary's order."""
    return bool(units) and units == tuple(unit for unit in TOKEN_UNITS if unit in units)


def _add_rates(key: list[Any], lines: list[dict[str, Any]]) -> bool:
    """Add what the lines of costs have in common, quantities and amounts aside; False if one is unusual."""
    for line in lines:
        names = tuple(line)
        unit, quantity, rate, per, amount, *more = line.values()
        if (
            names not in _LINES
            or type(quantity) is not int
            or type(per) is not int
            or type(amount) is not str
        ):
            return False
        key.append((unit, rate, per, names[-1], *more) if more else (unit, rate, per))
    return bool(lines)


_STR, _NONE = frozenset((str,)), (0,) * len(TOTALS)


def _is_number(value: Any) -> bool:
    return type(value) is float or type(value) is int


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < _LARGEST


def _is_positive(value: Any) -> bool:
    return type(value) is int and 0 < value < _LARGEST


def _is_mapping(value: Any) -> bool:
    return type(value) is dict and bool(value)


def _is_tags(value: Any) -> bool:
    return type(value) is dict and bool(value) and _STR.issuperset(map(type, value.values()))


def _is_list(value: Any) -> bool:
    return type(value) is list and bool(value)


_CHECKS: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("latency_ms", "time_to_first_token_ms", "quality_score", "user_rating"), _is_number),
    **dict.fromkeys(("prompt_length", "context_tokens"), _is_count),
    **dict.fromkeys(("extra", "raw", "terms"), _is_mapping),
    **dict.fromkeys(_LISTS, _is_list),
    "retries": _is_positive,
    "tags": _is_tags,
    "streamed": lambda value: value is True,
    "correct": lambda value: type(value) is bool,
    **dict.fromkeys(("cost", "computed_cost"), is_amount),
}
_KNOWN = frozenset((*_NEEDED, *_KIND, *_TEXTS, *_CHECKS, "usage", "lines", "price"))


@lru_cache(maxsize=_FORMS)
def _shape(names: tuple[str, ...]) -> _Shape | None:
    there = frozenset(names)
    if not _NEEDED <= there <= _KNOWN:
        return None
    return _Shape(
        itemgetter(*(name for name in _KIND if name in there)),
        itemgetter("id", *texts) if (texts := [name for name in _TEXTS if name in there]) else None,
        tuple((name, check) for name, check in _CHECKS.items() if name in there),
        tuple(name for name in _LISTS if name in there),
        *(name in there for name in ("usage", "terms", "lines", "price")),
    )


class Alike(Generic[_T]):
    """What is worked out once for calls with the same key, out of the first of them as a Record."""

    def __init__(self, learn: Callable[[Usual, Record], _T | None]) -> None:
        self._learn = learn
        self._known: dict[Hashable, _T | None] = {}

    def of(self, usual: Usual) -> _T | None:
        """Give it; None where such calls are no usual ones for this ledger, or no records at all."""
        try:
            return self._known[usual.key]
        except (KeyError, TypeError):  # a key with a list in it
            return self._learnt(usual)

    def _learnt(self, usual: Usual) -> _T | None:
        if not _is_of_texts(usual.data):
            return None
        if len(self._known) >= _FORMS:
            self._known.clear()
        try:
            record = cast("Record", entry_from_json(usual.data))  # its names are those of a call alone
        except ResponseError:
            return None
        found = self._known[usual.key] = self._learn(usual, record)
        return found


def _is_of_texts(data: dict[str, Any]) -> bool:
    """Whether all texts of a key are texts: then another key that is equal says the same."""
    source, start, version, _ = data.get("price", dict.fromkeys(_PRICE, "")).values()
    lists = (each for name in _LISTS for each in data.get(name, ()))
    lines = (line[name] for line in data.get("lines", ()) for name in line if name not in {"quantity", "per"})
    kind = (data[name] for name in _KIND if name in data)
    texts = (source, start or "", version, *lists, *lines, *kind, *data.get("terms", {}).values())
    return _STR.issuperset(map(type, texts))
