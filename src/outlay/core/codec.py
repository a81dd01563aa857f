"""Records, scores and losses as JSON objects, and back; one object is one line of a journal."""

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any

from outlay.core.cost import Cost, CostLine, Price
from outlay.core.documents import sound
from outlay.core.errors import ResponseError
from outlay.core.instants import instant
from outlay.core.instants import text_of as instant_text
from outlay.core.money import WORKED_OUT, decimal_of, rate_text
from outlay.core.money import text_of as money_text
from outlay.core.record import SCHEMA, Entry, Loss, Record, Revision, Score
from outlay.core.usage import Quantity, Usage, sort_terms

# Fields of Record that stand in the JSON object as they are; empty ones are left out.
_NESTED = {"id", "at", "provider", "usage", "charge"}
_MAPPINGS = frozenset({"tags", "extra"})
# Their zeros and falses say something, unlike the defaults that are left out.
_TELLING_ZEROS = frozenset(
    {"latency_ms", "time_to_first_token_ms", "prompt_length", "quality_score", "user_rating", "correct"}
)
_NAMES = tuple(f.name for f in fields(Record))
_FIELDS = tuple(name for name in _NAMES if name not in _NESTED)
_all_of = attrgetter(*_NAMES)
TOTALS = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
_SCORES = ("quality_score", "user_rating", "correct")


def quantity_json(quantity: Quantity) -> int | float | str:
    """Write a quantity as a JSON number where that is exact, else as a decimal string."""
    if isinstance(quantity, int):
        return quantity
    if quantity == quantity.to_integral_value():
        return int(quantity)
    near = float(quantity)
    return near if Decimal(repr(near)) == quantity else str(quantity)


def _quantity_of(value: object) -> Quantity:
    return value if isinstance(value, int) else decimal_of(value, "quantity", WORKED_OUT)


def usage_json(usage: Usage) -> dict[str, Any]:  # noqa: C901 - one look each, for every call passes here
    """Write a usage as the keys that stand for it in a record's object; empty ones are left out."""
    data: dict[str, Any] = {}
    if usage.items:
        data["usage"] = {unit: n if type(n) is int else quantity_json(n) for unit, n in usage.items}
    if usage.flags:
        data["flags"] = usage.flags
    if usage.reason:
        data["usage_reason"] = usage.reason
    if usage.model:
        data["usage_model"] = usage.model
    if usage.response_id:
        data["response_id"] = usage.response_id
    if usage.raw:
        data["raw"] = usage.raw
    if usage.terms:
        data["terms"] = dict(usage.terms)
    if usage.context_tokens is not None:
        data["context_tokens"] = usage.context_tokens
    if usage.reported_cost is not None:
        data["reported_cost"] = money_text(usage.reported_cost)
    if usage.reported_currency != "USD":
        data["reported_currency"] = usage.reported_currency
    if usage.parts:
        data["parts"] = [usage_json(part) for part in usage.parts]
    return data


def usage_from_json(data: Mapping[str, Any]) -> Usage:
    """Read what :func:`usage_json` wrote; quantities are checked again."""
    reported = data.get("reported_cost")
    return Usage.of(
        {unit: _quantity_of(quantity) for unit, quantity in data.get("usage", {}).items()},
        flags=tuple(data.get("flags", ())),
        reason=data.get("usage_reason"),
        model=data.get("usage_model"),
        response_id=data.get("response_id"),
        terms=sort_terms(data.get("terms", {})),
        context_tokens=data.get("context_tokens"),
        reported_cost=None if reported is None else decimal_of(reported, "reported_cost"),
        reported_currency=data.get("reported_currency", "USD"),
        parts=tuple(usage_from_json(part) for part in data.get("parts", ())),
        raw=data.get("raw"),
    )


def line_json(line: CostLine) -> dict[str, Any]:
    """Write one line of a cost; rates and amounts are decimal strings."""
    data: dict[str, Any] = {
        "unit": line.unit,
        "quantity": line.quantity if type(line.quantity) is int else quantity_json(line.quantity),
        "rate": rate_text(line.rate),
        "per": line.per,
        "amount": money_text(line.amount),
    }
    if line.note is not None:
        data["note"] = line.note
    if line.model is not None:
        data["model"] = line.model
    return data


@lru_cache(maxsize=4096, typed=True)  # few rates, over and over
def _rate_of(text: str) -> Decimal:
    return decimal_of(text, "rate", WORKED_OUT)


def line_from_json(data: Mapping[str, Any]) -> CostLine:
    """Read what :func:`line_json` wrote."""
    return CostLine(
        unit=data["unit"],
        quantity=_quantity_of(data["quantity"]),
        rate=_rate_of(data["rate"]),
        per=data["per"],
        amount=decimal_of(data["amount"], most=WORKED_OUT),
        note=data.get("note"),
        model=data.get("model"),
    )


def price_json(price: Price) -> dict[str, Any]:
    """Write which price was used."""
    return {
        "source": price.source,
        "effective_from": None if price.effective_from is None else instant_text(price.effective_from),
        "version": price.version,
        "extrapolated": price.extrapolated,
    }


_PRICES_KEPT = 1024
_written_prices: dict[int, tuple[Price, dict[str, Any]]] = {}


def shared_price_json(price: Price) -> dict[str, Any]:
    """Give the same as :func:`price_json`, not to be changed: a process uses few prices, over and over.

    They are known by identity, since the calls of one rate card share its price; comparing them takes longer
    than writing one.
    """
    known = _written_prices.get(id(price))
    if known is not None and known[0] is price:
        return known[1]
    if len(_written_prices) >= _PRICES_KEPT:
        _written_prices.clear()
    written = price_json(price)
    _written_prices[id(price)] = (price, written)
    return written


def price_from_json(data: Mapping[str, Any]) -> Price:
    """Read what :func:`price_json` wrote."""
    return _price_of(data["source"], data.get("effective_from"), data["version"], data["extrapolated"])


@lru_cache(maxsize=_PRICES_KEPT, typed=True)  # calls of one rate card share its price when they are read, too
def _price_of(source: str, start: str | None, version: str, extrapolated: bool) -> Price:  # noqa: FBT001  # as written
    return Price(
        source=source,
        effective_from=None if start is None else instant(start),
        version=version,
        extrapolated=extrapolated,
    )


def cost_json(cost: Cost) -> dict[str, Any]:
    """Write a cost as the keys that stand for it in a record's object; empty ones are left out."""
    data: dict[str, Any] = {"currency": cost.currency, "cost_status": cost.status}
    if cost.amount is not None:
        data["cost"] = money_text(cost.amount)
    if cost.reason is not None:
        data["cost_reason"] = cost.reason
    if cost.flags:
        data["cost_flags"] = cost.flags
    if cost.computed is not None:
        data["computed_cost"] = money_text(cost.computed)
    if cost.lines:
        data["lines"] = [line_json(line) for line in cost.lines]
    if cost.price is not None:
        data["price"] = shared_price_json(cost.price)
    return data


def cost_from_json(data: Mapping[str, Any]) -> Cost:
    """Read what :func:`cost_json` wrote."""
    amount, computed, price = data.get("cost"), data.get("computed_cost"), data.get("price")
    return Cost(
        amount=None if amount is None else decimal_of(amount, "cost"),
        status=data["cost_status"],
        currency=data.get("currency", "USD"),
        lines=tuple(line_from_json(line) for line in data.get("lines", ())),
        price=None if price is None else price_from_json(price),
        reason=data.get("cost_reason"),
        flags=tuple(data.get("cost_flags", ())),
        computed=None if computed is None else decimal_of(computed, "computed_cost"),
    )


def record_json(record: Record) -> dict[str, Any]:
    """Write a record as one flat object; token totals stand beside the units for those who read it raw."""
    return facts_json(dict(zip(_NAMES, _all_of(record), strict=True)))


def facts_json(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Write a Record's keywords as :func:`record_json` writes the Record, which need not be made for it."""
    usage: Usage = facts["usage"]
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "id": facts["id"],
        "at": instant_text(facts["at"]),
        "provider": facts["provider"],
    }
    for name, value in facts.items():
        if name in _NESTED:
            continue
        if value:
            data[name] = dict(value) if name in _MAPPINGS else value
        elif value is not None and (name in _TELLING_ZEROS or value == ""):
            data[name] = value
    data.update(usage_json(usage))
    data.update(zip(TOTALS, usage.totals, strict=True))
    data.update(cost_json(facts["charge"]))
    return data


def record_from_json(data: Mapping[str, Any]) -> Record:
    """Read what :func:`record_json` wrote.

    Raises:
        ResponseError: a field is missing, of the wrong kind, or the object is from a newer outlay.
    """
    _refuse_newer(data, "record")
    try:
        given = {name: data[name] for name in _FIELDS if name in data}
        given.setdefault("model", None)
        return Record(
            id=data["id"],
            at=instant(data["at"]),
            provider=data["provider"],
            usage=usage_from_json(data),
            charge=cost_from_json(data),
            **given,
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ResponseError(f"not a record: {error!r:.120}") from None


def _refuse_newer(data: Mapping[str, Any], what: str) -> None:
    schema = data.get("schema", SCHEMA)
    if isinstance(schema, int) and schema > SCHEMA:
        raise ResponseError(f"the {what} has schema {schema}; this outlay reads up to {SCHEMA}: upgrade it")


def entry_json(entry: Entry) -> dict[str, Any]:
    """Write any journal entry as one object."""
    if isinstance(entry, Record):
        return record_json(entry)
    if isinstance(entry, Score):
        judged = {name: value for name in _SCORES if (value := getattr(entry, name)) is not None}
        return {"schema": SCHEMA, "score": entry.record_id, "at": instant_text(entry.at), **judged}
    if isinstance(entry, Revision):
        return {
            "schema": SCHEMA,
            "revision": entry.record_id,
            "at": instant_text(entry.at),
            **cost_json(entry.charge),
        }
    return {"schema": SCHEMA, "lost": entry.count, "at": instant_text(entry.at), "why": entry.why}


def entry_from_json(data: Mapping[str, Any]) -> Entry:
    """Read what :func:`entry_json` wrote, or somebody else: each field is looked at.

    Raises:
        ResponseError: the object is no entry of a journal, a field is of another kind than it has there, or
            it is from a newer outlay.
    """
    try:
        data = sound(data)
        if "score" in data:
            _refuse_newer(data, "score")
            judged = {name: data[name] for name in _SCORES if name in data}
            return Score(record_id=data["score"], at=instant(data["at"]), **judged)
        if "revision" in data:
            _refuse_newer(data, "revision")
            return Revision(record_id=data["revision"], at=instant(data["at"]), charge=cost_from_json(data))
        if "lost" in data:
            _refuse_newer(data, "loss")
            return Loss(at=instant(data["at"]), count=data["lost"], why=data["why"])
    except ResponseError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ResponseError(f"not a journal entry: {error!r:.120}") from None
    return record_from_json(data)
