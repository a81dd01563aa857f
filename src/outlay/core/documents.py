"""Whether the fields of a document from outside are of their kinds, before an entry is made of it."""

from collections.abc import Callable, Mapping
from json import dumps
from sys import float_info
from typing import Any

from outlay.core.kinds import KINDS, Kind, fields_of
from outlay.core.money import LIMIT, WORKED_OUT, decimal_of

_Read = Callable[[str, Any], Any]  # name and value, never null: gives the value as an entry has it
_COUNTS_BELOW = 2**63  # what every ledger's columns hold
_DEEPEST = 240  # readers of JSON go to 1,024; orjson writes 254, json half of the stack that is left


def sound(data: Mapping[str, Any]) -> dict[str, Any]:
    """Give the fields of an entry's document in the kinds that an entry has.

    Where there need be nothing a null is as good as missing. Ledgers hold texts, so a number or truth in a
    text's place is kept as its JSON; a list or object is none.
    Keys that no entry has are left as they are: nobody reads them.

    Raises:
        TypeError: a field is of another kind.
        ValueError: a number is not finite, or too great for a ledger.
    """
    found: dict[str, Any] = {}
    for name, value in data.items():
        if value is None:
            if name in _NEEDED:
                raise TypeError(f"{name} must not be null")
            continue
        if type(value) is str and name in _TEXTS:
            found[name] = value
        else:
            read = _FIELDS.get(name)
            found[name] = value if read is None else read(name, value)
    return found


def _text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return dumps(value)
    raise TypeError(f"{name} must be a text, not {value!r:.40}")


def _measure(name: str, value: Any) -> float:
    if isinstance(value, str):  # a numeral that no float holds to its last digit
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number, not {value!r:.40}")
    if not -float_info.max <= value <= float_info.max:  # also of what is no number, or too great for a float
        raise ValueError(f"{name} must be a finite number, not {value!r:.40}")
    return value


def _count(name: str, value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or not -_COUNTS_BELOW <= value < _COUNTS_BELOW:
        raise TypeError(f"{name} must be a whole number, not {value!r:.40}")
    return value


def _truth(name: str, value: Any) -> bool:
    if type(value) is bool:
        return value
    raise TypeError(f"{name} must be true or false, not {value!r:.40}")


def _object(name: str, value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    raise TypeError(f"{name} must be an object, not {value!r:.40}")


def _written_object(name: str, value: Any) -> Mapping[str, Any]:
    """Read an object that stands in a ledger as it is, and so must be one that can be written again."""
    level: list[Any] = [_object(name, value)]
    for _ in range(_DEEPEST):
        inner = (each.values() if isinstance(each, Mapping) else each for each in level)
        level = [each for within in inner for each in within if isinstance(each, Mapping | list | tuple)]
        if not level:
            return value  # type: ignore[no-any-return]  # a Mapping, as was seen
    raise ValueError(f"{name} must not be nested more than {_DEEPEST} deep")


def _list(name: str, value: Any) -> list[Any] | tuple[Any, ...]:
    if isinstance(value, list | tuple):
        return value
    raise TypeError(f"{name} must be a list, not {value!r:.40}")


def _amount(name: str, value: Any) -> Any:
    if decimal_of(value, name).copy_abs() > LIMIT:
        raise ValueError(f"{name} must be at most {LIMIT:,}, not {value!r:.40}")
    return value


def _texts_by_name(name: str, value: Any) -> dict[str, str]:
    return {key: _text(f"{name}.{key}"[:60], each) for key, each in _object(name, value).items()}


def _texts(name: str, value: Any) -> list[str]:
    return [_text(name, each) for each in _list(name, value)]


def _parts(name: str, value: Any) -> list[dict[str, Any]]:
    return [sound(_object(name, each)) for each in _list(name, value)]


def _lines(name: str, value: Any) -> list[dict[str, Any]]:
    return [_with(_LINE, name, each) for each in _list(name, value)]


def _price(name: str, value: Any) -> dict[str, Any]:
    return _with(_PRICE, name, value)


def _with(kinds: Mapping[str, _Read], name: str, value: Any) -> dict[str, Any]:
    return {
        key: each if each is None or key not in kinds else kinds[key](f"{name}: {key}"[:60], each)
        for key, each in _object(name, value).items()
    }


def _per(name: str, value: Any) -> int:
    if type(value) is int and 0 < value < _COUNTS_BELOW:
        return value
    raise ValueError(f"{name} must be a whole number above 0, not {value!r:.40}")


def _quantity(name: str, value: Any) -> Any:
    if decimal_of(value, name, WORKED_OUT).copy_abs() >= _COUNTS_BELOW:
        raise ValueError(f"{name} must be below {_COUNTS_BELOW:,}, not {value!r:.40}")
    return value


def _yes_or_no(name: str, value: Any) -> bool:
    """Read a truth that others take for equal to a 0 or 1 as well."""
    if isinstance(value, bool | int | float) and value in {0, 1}:
        return bool(value)
    raise TypeError(f"{name} must be true or false, not {value!r:.40}")


_TEXTS = frozenset(fields_of("text"))
_NEEDED = frozenset(("id", "at", "provider", "operation", "status", "currency", "cost_status"))
_LINE: Mapping[str, _Read] = {
    "unit": _text,
    "quantity": _quantity,
    "per": _per,
    "note": _text,
    "model": _text,
}
_PRICE: Mapping[str, _Read] = {
    "source": _text,
    "effective_from": _text,
    "version": _text,
    "extrapolated": _yes_or_no,
}
_OF_A_KIND: Mapping[Kind, _Read] = {
    "text": _text,
    "number": _measure,
    "count": _count,
    "truth": _truth,
    "amount": _amount,
    "object": _written_object,
    "labels": _texts_by_name,
    "list": _texts,
}
_NESTED: Mapping[str, _Read] = {"parts": _parts, "lines": _lines, "price": _price}
_FIELDS: Mapping[str, _Read] = {  # an instant is read by core.instants, which says what is wrong with it
    **{name: _OF_A_KIND[kind] for name, kind in KINDS.items() if kind in _OF_A_KIND},
    **_NESTED,
}
