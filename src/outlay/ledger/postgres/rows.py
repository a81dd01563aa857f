"""A record as text for COPY, and what it shares with others: its kind, and its price with the rates."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, DecimalException
from operator import attrgetter
from typing import Any
from uuid import UUID

from outlay.core.codec import line_json, price_json, quantity_json, usage_json
from outlay.core.cost import CostLine, Price
from outlay.core.errors import RefusedEntryError
from outlay.core.instants import text_of as instant_text
from outlay.core.money import multiply, rate_text
from outlay.core.money import text_of as money_text
from outlay.core.record import Record
from outlay.core.usage import Quantity
from outlay.ledger.postgres.texts import copied, escaped, json_text

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
    *("output_tokens", "reasoning_tokens", "usage", "raw", "parts", "lines", "tags", "extra", "latency_ms"),
    *("time_to_first_token_ms", "quality_score", "user_rating", "correct", "user", "session", "error"),
    *("response_id", "trace_id", "span_id", "prompt", "reply", "retries", "prompt_length"),
    *("context_tokens", "reported_cost", "computed_cost"),
)
Rate = tuple[str, Decimal, int, str | None, str | None]  # unit, rate, per, note, model
Rates = tuple[Rate, ...]
_NULL = "\\N"
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TEXTS = attrgetter("user", "session", "error", "usage.response_id", "trace_id", "span_id", "prompt", "reply")
_FLOATS = attrgetter("latency_ms", "time_to_first_token_ms", "quality_score", "user_rating")


def kind_row(key: Sequence[Any]) -> list[str | bool | None]:
    """Give the row of a kind, in the order of its columns; what codec leaves out is missing here."""
    row = dict(zip(KIND_COLUMNS, key, strict=True))
    row["streamed"] = row["streamed"] or None
    for name in ("usage_reason", "usage_model"):
        row[name] = row[name] or None
    row["reported_currency"] = None if row["reported_currency"] == "USD" else row["reported_currency"]
    row["terms"] = json_text(dict(row["terms"])) if row["terms"] else None
    for name in ("flags", "cost_flags"):
        row[name] = json_text(row[name]) if row[name] else None
    return [value if value is None or isinstance(value, bool) else str(value) for value in row.values()]


def price_row(price: Price | None, rates: Rates | None) -> list[str | None]:
    """Give the row of a price, in the order of its columns."""
    listed = [
        [unit, rate_text(rate), money_text(Decimal(1) / per), per, note, model]
        for unit, rate, per, note, model in rates or ()
    ]
    return [
        None if price is None else json_text(price_json(price)),
        json_text(listed) if listed else None,
    ]


def rates_of(record: Record) -> Rates | None:
    """Give the rates that the lines of a cost follow from with the usage; None where they do not."""
    units = record.usage.units
    if all(_follows(line, units) for line in record.charge.lines):
        return tuple((line.unit, line.rate, line.per, line.note, line.model) for line in record.charge.lines)
    return None


def _follows(line: CostLine, units: Mapping[str, Quantity]) -> bool:
    if units.get(line.unit) != line.quantity:
        return False
    try:
        return multiply(line.quantity, line.rate, line.per) == line.amount
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


def line_of(record: Record, record_id: str, kind: int, price: int | None, *, lines: bool) -> str:
    """Write a record by RECORD_COLUMNS as a line of COPY without its end; cost lines only if ``lines``."""
    usage, charge = record.usage, record.charge
    fields = [record_id, str(kind), _NULL if price is None else str(price), instant_text(record.at)]
    fields.append(_money(charge.amount))
    fields += map(str, usage.totals)
    fields.append(_json({unit: n if type(n) is int else quantity_json(n) for unit, n in usage.items}))
    fields.append(_json(usage.raw))
    fields.append(_json([usage_json(part) for part in usage.parts]))
    fields.append(_json([line_json(line) for line in charge.lines]) if lines else _NULL)
    fields.append(_tags(record.tags) if record.tags else _NULL)
    fields.append(_json(dict(record.extra)))
    fields += [_float(value) for value in _FLOATS(record)]
    fields.append(_NULL if record.correct is None else str(record.correct))
    fields += [_NULL if value is None else copied(escaped(str(value))) for value in _TEXTS(record)]
    fields.append(str(record.retries) if record.retries else _NULL)
    fields += [
        _NULL if value is None else str(value) for value in (record.prompt_length, usage.context_tokens)
    ]
    fields += (_money(usage.reported_cost), _money(charge.computed))
    return "\t".join(fields)


def _json(value: Any) -> str:
    return json_text(value).replace("\\", "\\\\") if value else _NULL


def _tags(tags: Mapping[str, str]) -> str:
    return _json({str(name): str(value) for name, value in tags.items()})


def _money(amount: Decimal | None) -> str:
    return _NULL if amount is None else money_text(amount)


def _float(value: float | None) -> str:
    return repr(value) if value is not None and math.isfinite(value) else _NULL
