"""One line of recorded response in, one line of its price out; nothing on a line can stop the next."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

from outlay.cli.price_forms import Form, Forms, facts_of
from outlay.core.codec import line_json, quantity_json, shared_price_json
from outlay.core.cost import Cost
from outlay.core.errors import OutlayError, ResponseError
from outlay.core.instants import instant
from outlay.core.money import text_of as money_text
from outlay.core.usage import Usage, merge_flags
from outlay.extract import closing_of, read, read_usual, words_of
from outlay.extract.sse import events_of
from outlay.pricing import Book, cost_of

_BODIES: Mapping[str, tuple[type, ...]] = {
    "response": (dict, list, str),
    "events": (list,),
    "sse": (str,),
}
FORMS = Forms()  # the process's; each holds the very card that it was learned from
_SIMPLE = frozenset({str, int, bool, type(None)})
_TIMES = frozenset({str, int, float})


def price_line(line: bytes, book: Book | None = None) -> tuple[bytes, bool]:
    """Price one line; give the answer, without its line end, and whether it is one and no error."""
    data: Any = None
    try:
        data = _parsed(line)
        return _answered(data, line, Book.default() if book is None else book), True
    except OutlayError as error:
        return _refused(data, line, str(error)), False
    except RecursionError:
        return _refused(data, line, "the line is nested too deeply"), False
    except Exception as error:  # noqa: BLE001 - the next line must not suffer from a fault of ours in this one
        return _refused(data, line, f"a fault of outlay's own: {error!r:.200}"), False


def _parsed(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as first:
        # The standard library also reads halves of surrogate pairs, which texts have that were cut off.
        try:
            return json.loads(line.decode().removeprefix("\ufeff"), parse_constant=_no_constant)
        except ValueError:
            raise ResponseError(
                f"the line is no JSON: {first}" if line.strip() else "the line is empty"
            ) from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _id_of(data: Mapping[str, Any], line: bytes) -> Any:
    """Give the id back as it came, digit for digit: floats and very long integers too."""
    found = data.get("id")
    if type(found) in _SIMPLE:
        return found

    def verbatim(text: str) -> orjson.Fragment:
        return orjson.Fragment(text)

    return json.loads(line, parse_int=verbatim, parse_float=verbatim)["id"]


def _answered(data: Any, line: bytes, book: Book) -> bytes:
    """Answer a line by the form of its kind, or the whole way where it has none."""
    if type(data) is not dict:
        raise ResponseError("a line must be a JSON object")
    provider, api, model = data.get("provider"), data.get("api"), data.get("model")
    if model is not None or type(provider) is not str or type(api) is not str or not provider or not api:
        provider, api, model = _text(data, "provider"), _text(data, "api"), _text(data, "model")
        if provider is None:
            raise ResponseError("the line names no provider")
    body, name = data.get("response"), data.get("id")
    if type(body) is not dict:
        body = _body(data, api)
    found = read_usual(body, provider=provider, api=api)
    at, facts, named = _at(data.get("at")), facts_of(found), (provider, model)
    new = None
    if facts is not None and type(name) in _SIMPLE:
        form = FORMS.of(facts, named, at, book)
        if type(form) is tuple:
            new = form, facts
        elif isinstance(form, Form) and (written := _name_json(name)) is not None:
            filled = form.filled(written, facts)
            if filled is not None:
                return filled
    usage = found if isinstance(found, Usage) else read(body, provider=provider, api=api)
    whole = _priced(usage, named, at, book)
    if new is not None:
        FORMS.learn(*new, whole)
    return _written({"id": _id_of(data, line), **whole})


def _name_json(name: object) -> str | None:
    try:
        return orjson.dumps(name).decode()
    except TypeError:  # see _written
        return None


def _priced(usage: Usage, named: tuple[str, str | None], at: datetime, book: Book) -> dict[str, Any]:
    """Give all of an answer but its id, the whole way."""
    provider, model = named
    cost = cost_of(usage, provider=provider, model=model, at=at, book=book)
    found = _answer(usage, provider, model, cost)
    if usage.parts:
        terms = dict(usage.terms)
        for part in usage.parts:
            own = part.with_terms(**{**terms, **dict(part.terms)})
            served = part.model or model
            cost = cost_of(own, provider=provider, model=served, at=at, book=book)
            found.setdefault("parts", []).append(_answer(own, provider, served, cost))
    return found


def _body(data: Mapping[str, Any], api: str | None) -> Any:
    for name, kinds in _BODIES.items():
        body = data.get(name)
        if body is not None:
            if isinstance(body, kinds):
                return _events(body, api) if isinstance(body, str) else body
            raise ResponseError(f"{name} cannot be of type {type(body).__name__}")
    raise ResponseError(f"the line has none of {', '.join(_BODIES)}")


def _events(text: str, api: str | None) -> Any:
    """Decode stream text here, in half the time that extraction's own reader takes; a body stays text."""
    if text.lstrip().startswith(("{", "[")):
        return text
    return events_of(text, _loads, words_of(api), closing_of(api))


def _loads(text: str) -> Any:
    try:
        return orjson.loads(text)
    except ValueError:
        return json.loads(text)  # knows halves of surrogate pairs


def _text(data: Mapping[str, Any], name: str) -> str | None:
    value = data.get(name)
    if value is None or type(value) is str:
        return value or None
    raise ResponseError(f"{name} must be a text, not {value!r:.60}")


def _at(value: Any) -> datetime:
    if value is None:
        return datetime.now(UTC)
    if type(value) not in _TIMES:
        raise ResponseError(f"at must be a time such as 2026-11-01T00:00:00Z, not {value!r:.60}")
    return instant(value)


def _answer(usage: Usage, provider: str, model: str | None, cost: Cost) -> dict[str, Any]:
    whole, _, _, output, _ = usage.totals
    amount, computed, price = cost.amount, cost.computed, cost.price
    found: dict[str, Any] = {
        "provider": provider,
        "model": model or usage.model,
        "usage": dict(usage.items),
        "totals": {"input": whole, "output": output},
        "cost": None if amount is None else money_text(amount),
        "currency": cost.currency,
        "cost_status": cost.status,
        "lines": [line_json(line) for line in cost.lines],
        "price": None if price is None else shared_price_json(price),
    }
    if computed is not None:
        found["computed_cost"] = money_text(computed)
    found["reason"] = cost.reason or usage.reason
    found["flags"] = merge_flags(usage.flags, cost.flags) if usage.flags or cost.flags else ()
    return found


def _refused(data: Any, line: bytes, message: str) -> bytes:
    found = None
    if isinstance(data, dict):
        try:
            found = _id_of(data, line)
        except (ValueError, RecursionError, KeyError):
            found = None  # an id that cannot even be read again
    return _written({"id": found, "error": " ".join(message.split())})


def _written(answer: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(answer, _number)
    except TypeError:
        # Halves of surrogate pairs, and integers of more than 64 bits: as escapes and digits.
        return json.dumps(answer, default=_fragment, allow_nan=False).encode()


def _number(value: object) -> int | float | str:
    """Write a quantity that is no whole number; orjson asks for nothing else."""
    if isinstance(value, Decimal):
        return quantity_json(value)
    raise TypeError(f"{value!r:.60} cannot be written as JSON")


def _fragment(value: object) -> Any:
    if isinstance(value, Decimal):
        return quantity_json(value)
    if isinstance(value, orjson.Fragment):
        return json.loads(value.contents)
    raise TypeError(f"{value!r:.60} cannot be written as JSON")
