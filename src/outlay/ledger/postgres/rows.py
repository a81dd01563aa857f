"""A record as text for COPY, and what it shares with others: its kind, and its price with the rates."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, DecimalException
from operator import attrgetter
from typing import Any
from uuid import UUID

from orjson import dumps

from outlay.core.codec import line_json, price_json, quantity_json, usage_json
from outlay.core.cost import CostLine, Price
from outlay.core.errors import RefusedEntryError
from outlay.core.instants import text_of as instant_text
from outlay.core.money import EXACT, multiply, rate_text
from outlay.core.money import text_of as money_text
from outlay.core.record import Record
from outlay.core.usage import Quantity
from outlay.ledger.postgres.texts import Written, copied, json_text

KIND_COLUMNS = (
    *("provider", "model", "model_requested", "operation", "api", "status", "error_type", "streamed"),
    *("query_type", "agent", "action", "workspace", "flags", "usage_reason", "usage_model", "terms"),
    *("reported_currency", "currency", "cost_status", "cost_reason", "cost_flags"),
)
kind_of: Callable[[Record], tuple[Any, ...]] = attrgetter(  # in the order of the columns
    *("provider", "model", "model_requested", "operation", "api", "status", "error_type", "streamed"),
    *("query_type", "agent", "action", "workspace", "usage.flags", "usage.reason", "usage.model"),
    *("usage.terms", "usage.reported_currency", "charge.currency", "charge.status", "charge.reason"),
    "charge.flags",
)
"""What many calls have in common, as a key."""
PRICE_COLUMNS = ("price", "rates")
RECORD_COLUMNS = (
    *("id", "kind", "price", "at", "cost", "input_tokens", "cached_tokens", "cache_write_tokens"),
    *("output_tokens", "reasoning_tokens", "latency_ms", "user", "session", "response_id", "usage", "raw"),
    *("tags", "lines"),
    *("time_to_first_token_ms", "quality_score", "user_rating", "correct", "error", "trace_id", "span_id"),
    *("prompt", "reply", "retries", "prompt_length", "context_tokens", "reported_cost", "computed_cost"),
    *("parts", "extra"),
)
Rate = tuple[str, Decimal, int, str | None, str | None]  # unit, rate, per, note, model
Rates = tuple[Rate, ...]
PriceKey = tuple[Price | None, Rates | None]
_NULL = "\\N"
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_RARE = (  # the columns behind "lines", which hardly any call has, but for the last four
    *("time_to_first_token_ms", "quality_score", "user_rating", "correct", "error", "trace_id", "span_id"),
    *("prompt", "reply", "retries", "prompt_length"),
)
_rare_of = attrgetter(
    *_RARE, "usage.context_tokens", "usage.reported_cost", "charge.computed", "usage.parts", "extra"
)
_RARE_KEYS = frozenset((*_RARE, "context_tokens", "computed_cost", "extra"))
_NONE_RARE: tuple[Any, ...] = (*(None,) * 9, 0, *(None,) * 4, (), {})
_ALL_NULL = "\t".join([_NULL] * len(_NONE_RARE))


def kind_row(key: Sequence[Any]) -> list[str | bool | None]:
    """Give the row of a kind, in the order of its columns; what codec leaves out is missing here."""
    row = dict(zip(KIND_COLUMNS, key, strict=True))
    row["streamed"] = row["streamed"] or None
    for name in ("usage_reason", "usage_model"):
        row[name] = row[name] or None
    row["reported_currency"] = None if row["reported_currency"] == "USD" else row["reported_currency"]
    row["terms"] = Written(json_text(dict(row["terms"]))) if row["terms"] else None
    for name in ("flags", "cost_flags"):
        row[name] = Written(json_text(row[name])) if row[name] else None
    return [value if value is None or isinstance(value, bool | str) else str(value) for value in row.values()]


def price_row(price: Price | None, rates: Rates | None) -> list[str | None]:
    """Give the row of a price, in the order of its columns."""
    listed = [
        [unit, rate_text(rate), money_text(EXACT.divide(Decimal(1), per)), per, note, model]
        for unit, rate, per, note, model in rates or ()
    ]
    return [
        None if price is None else Written(json_text(price_json(price))),
        Written(json_text(listed)) if listed else None,
    ]


def rates_of(record: Record) -> Rates | None:
    """Give the rates that the lines of a cost follow from with the usage; None where they do not."""
    units = dict(record.usage.items)
    for line in record.charge.lines:
        if not _follows(line, units):
            return None
    return rates_listed(record)


def rates_listed(record: Record) -> Rates:
    """Give the rates of the lines of a cost."""
    return tuple([(line.unit, line.rate, line.per, line.note, line.model) for line in record.charge.lines])


def price_of(record: Record, rates: Rates | None) -> PriceKey | None:
    """Give a price with the rates that lines follow from, as a key; None where there is neither."""
    price = record.charge.price
    return (price, rates) if rates or price is not None else None


def _follows(line: CostLine, units: Mapping[str, Quantity]) -> bool:
    quantity = line.quantity
    if units.get(line.unit) != quantity:
        return False
    try:
        return multiply(quantity, line.rate, line.per) == line.amount
    except (DecimalException, KeyError):
        return False


def id_of(text: str) -> str:
    """Give an id as a column of type UUID writes it.

    Raises:
        RefusedEntryError: it is none.
    """
    if _ID.fullmatch(text):
        return text
    try:
        return str(UUID(text))
    except (ValueError, AttributeError, TypeError):
        raise RefusedEntryError(f"{text!r:.60} is no id of a record; ids are UUIDs") from None


def rest_of(record: Record, *, lines: bool) -> str:
    """Write a record by RECORD_COLUMNS, from "at" on, as a line of COPY without its end.

    With the lines of its cost only if ``lines``.
    """
    usage, charge = record.usage, record.charge
    units = {unit: n if type(n) is int else quantity_json(n) for unit, n in usage.items}
    whole, cached, written, output, reasoning = usage.totals
    amount = _NULL if charge.amount is None else money_text(charge.amount)
    rare = _rare_of(record)
    return (
        f"{instant_text(record.at)}\t{amount}"
        f"\t{whole}\t{cached}\t{written}\t{output}\t{reasoning}\t{_float(record.latency_ms)}\t{_text(record.user)}"
        f"\t{_text(record.session)}\t{_text(usage.response_id)}\t{_json(units)}\t{_json(usage.raw)}"
        f"\t{_tags(record.tags) if record.tags else _NULL}"
        f"\t{_json([line_json(line) for line in charge.lines]) if lines else _NULL}"
        f"\t{_ALL_NULL if rare == _NONE_RARE else _rare(rare)}"
    )


def rest_of_json(line: bytes, data: dict[str, Any], totals: Sequence[int], *, lines: bool) -> str:
    """Write the same from a usual line."""
    get = data.get
    amount, latency = get("cost", _NULL), get("latency_ms")
    whole, cached, written, output, reasoning = totals
    if line.isascii() and b"\\" not in line:  # nothing in it is odd
        text, json = _plain_text, _plain_json
    else:
        text, json = _text, _json
    return (
        f"{data['at']}\t{amount}"
        f"\t{whole}\t{cached}\t{written}\t{output}\t{reasoning}\t{_float(latency)}"
        f"\t{text(get('user'))}\t{text(get('session'))}\t{text(get('response_id'))}"
        f"\t{json(get('usage'))}\t{json(get('raw'))}\t{json(get('tags'))}"
        f"\t{json(get('lines')) if lines else _NULL}"
        f"\t{_ALL_NULL if _RARE_KEYS.isdisjoint(data) else _rare_of_json(data)}"
    )


def _plain_text(value: Any) -> str:
    return _NULL if value is None else value


def _plain_json(value: Any) -> str:
    return dumps(value).decode() if value else _NULL


def _rare_of_json(data: dict[str, Any]) -> str:
    get = data.get
    computed = Decimal(data["computed_cost"]) if "computed_cost" in data else None
    return _rare((*map(get, _RARE), get("context_tokens"), None, computed, (), get("extra", {})))


def _rare(values: Sequence[Any]) -> str:
    first, quality, rating, correct, error, trace, span, prompt, reply, retries, *rest = values
    length, context, reported, computed, parts, extra = rest
    return "\t".join(
        (
            *map(_float, (first, quality, rating)),
            _NULL if correct is None else str(correct),
            *map(_text, (error, trace, span, prompt, reply)),
            str(retries) if retries else _NULL,
            *(_NULL if value is None else str(value) for value in (length, context)),
            *(_NULL if amount is None else money_text(amount) for amount in (reported, computed)),
            _json([usage_json(part) for part in parts]),
            _json(dict(extra)),
        )
    )


def _json(value: Any) -> str:
    if not value:
        return _NULL
    text = json_text(value)
    return text.replace("\\", "\\\\") if "\\" in text else text


def _tags(tags: Mapping[str, str]) -> str:
    return _json({str(name): str(value) for name, value in tags.items()})


def _text(value: Any) -> str:
    return _NULL if value is None else copied(str(value))


def _float(value: float | None) -> str:
    return repr(value) if value is not None and math.isfinite(value) else _NULL
