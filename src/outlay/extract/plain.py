"""The rim: SDK objects, protobuf messages and odd JSON values as plain data, without any SDK."""

from collections.abc import Mapping, MutableSequence, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any

from outlay.core.errors import UsageError
from outlay.core.money import decimal_of

_INERT = frozenset({float, bool, type(None)})
_STILL = frozenset({int, str, type(None), float, bool})  # what nobody can change under our hands
_ASIDE = _STILL | {list}
_WITHOUT_FIELDS = (str, bytes, int, float, list, tuple, type(None))
_JSON_INT = 2**63  # larger whole numbers do not fit the serialisers that write journals
_USUAL = 2**30 - 1  # what a whole number of one digit inside of Python holds; larger ones are looked at
_TEXT = 100  # characters of a text inside of a usage; never prose
NAME = 256  # of the name of a model, tier or answer: ARNs and paths of a cloud have more than a hundred
_DEPTH = 8  # the deepest known usage object has 5 floors


def fields_of(value: Any) -> Mapping[str, Any] | None:
    """Give the fields of a mapping or an SDK object, one floor deep; None when it has none."""
    if type(value) is dict:
        return value
    if type(value) in _ASIDE:  # what JSON has beside objects; asking it for fields costs an exception
        return None
    try:
        extra = value.__pydantic_extra__
        own: Mapping[str, Any] = value.__dict__
    except Exception:  # noqa: BLE001 - a stranger's attribute may raise anything; then it is no such object
        return _other_fields(value)
    return {**own, **extra} if extra else own


def _other_fields(value: Any) -> Mapping[str, Any] | None:
    if isinstance(value, _WITHOUT_FIELDS) and not hasattr(value, "_asdict"):
        return None
    if isinstance(value, Mapping):
        return value
    try:
        return _object_fields(value)
    except Exception:  # noqa: BLE001 - likewise; an object that cannot be looked into has no fields
        return None


def _object_fields(value: Any) -> Mapping[str, Any] | None:
    for message in (value, getattr(value, "proto", None), getattr(value, "_pb", None)):
        # protobuf, or an SDK's wrapper around it
        if message is not None and hasattr(message, "ListFields"):
            return {field.name: _of_protobuf(field, content) for field, content in message.ListFields()}
    return getattr(value, "__dict__", None) or _converted(value)


def _of_protobuf(field: Any, content: Any) -> Any:
    """Give a field as its JSON has it: an enum by its name, what is repeated as a list."""
    many = isinstance(content, MutableSequence)
    kind = getattr(field, "enum_type", None)
    if kind is None:
        return list(content) if many else content
    known = kind.values_by_number  # a newer server may send others
    names = [known[each].name if each in known else each for each in (content if many else (content,))]
    return names if many else names[0]


def _converted(value: Any) -> Mapping[str, Any] | None:
    for name in ("model_dump", "to_dict", "_asdict"):
        method = getattr(value, name, None)
        if callable(method):
            made = method()
            return made if isinstance(made, Mapping) else None
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    return {name: getattr(value, name) for name in slots if hasattr(value, name)} or None


def copy_of(usage: Any) -> Any:
    """Copy a usage object as far as its owner could still change it; whoever reads it looks at the rest."""
    fields = fields_of(usage)
    if fields is None:
        return plain(usage)
    copied = dict(fields)
    for name, value in copied.items():
        if type(value) not in _STILL:
            copied[name] = plain(value)
    return copied


def plain(value: Any, depth: int = _DEPTH) -> Any:  # noqa: PLR0911 - one return for each kind of value
    """Copy a usage object into plain JSON data; long strings are cut, huge numbers become text."""
    if type(value) is dict:
        return _copied(value, depth) if depth else None
    if isinstance(value, Enum):
        return plain(value.value, depth)
    if isinstance(value, str):
        return text_of(value)
    if type(value) in _INERT or isinstance(value, int):
        return _number(value)
    if isinstance(value, (list, tuple)) and not hasattr(value, "_asdict"):
        return [plain(item, depth - 1) for item in value] if depth else None
    found = fields_of(value)
    if found is None:
        return str(value)[:_TEXT] if isinstance(value, Decimal) else None
    return _copied(dict(found), depth) if depth else None


def _number(value: Any) -> Any:
    if isinstance(value, int) and not -_JSON_INT <= value < _JSON_INT:
        return f"about 2^{value.bit_length()}"
    return value


def _copied(found: dict[Any, Any], depth: int) -> dict[str, Any]:
    made: dict[str, Any] = found.copy()
    for key, content in found.items():
        kind = type(content)
        if kind is float:
            continue
        if kind is int:
            if content > _USUAL or content < 0:
                made[key] = _number(content)
        elif kind is str:
            if len(content) > _TEXT or not content.isascii():
                made[key] = text_of(content)
        elif kind not in _INERT:
            made[key] = plain(content, depth - 1)
    try:
        if "".join(found).isascii():
            return made
    except TypeError:  # a key that is no string
        pass
    return {text_of(str(key)): content for key, content in made.items()}


def rows_of(value: Any) -> Sequence[Any]:
    """Give a list or tuple as it is; none of anything else."""
    return value if isinstance(value, (list, tuple)) else ()


def text_of(value: str, most: int = _TEXT) -> str:
    """Give a short string that any serialiser can write."""
    shown = value[:most]
    return shown if shown.isascii() else shown.encode("utf-8", "replace").decode("utf-8")


def name_of(value: object) -> str | None:
    """Read a name (of a model, an answer, a tier): a string with something in it, or an enum's value."""
    if type(value) is not str and isinstance(value, Enum):
        value = value.value
    return text_of(value, NAME) if isinstance(value, str) and value else None


def number_of(value: object) -> Decimal | None:
    """Read a finite number from whatever JSON and gRPC write numbers as; None for anything else."""
    try:
        return decimal_of(value)
    except (UsageError, ValueError):  # ValueError: an integer with thousands of digits
        return None
