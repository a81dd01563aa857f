"""Texts and JSON as PostgreSQL can hold them: a NUL, which it cannot, is written as U+FFFF and a digit."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from outlay.core.errors import RefusedEntryError

_MARK = "\uffff"  # no character, so that hardly any text has it; where one does, it is marked itself
_ODD = re.compile(f"[\x00{_MARK}]")
_MARKED = re.compile(f"{_MARK}([01])")
_ODD_JSON = re.compile(rf"\\u0000|{_MARK}")
_COPY = re.compile(f"[\\\\\t\n\r\x00{_MARK}]")
_IN_COPY = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


class Written(str):
    """JSON text that :func:`json_text` wrote, to be handed over as it is."""

    __slots__ = ()


def escaped(text: str) -> str:
    """Write a text so that it has no NUL."""
    return _ODD.sub(lambda odd: _MARK + ("0" if odd[0] == "\x00" else "1"), text)


def restored(text: str) -> str:
    """Read what :func:`escaped` wrote."""
    if _MARK not in text:
        return text
    return _MARKED.sub(lambda mark: "\x00" if mark[1] == "0" else _MARK, text)


def copied(text: str) -> str:
    """Write a text as a field of COPY's text form, so that it has no NUL."""
    if _COPY.search(text) is None:
        return text
    return _COPY.sub(lambda found: _IN_COPY.get(found[0], found[0]), escaped(text))


def json_text(value: Any) -> str:
    """Write a value as JSON without a NUL; half a surrogate pair becomes a question mark.

    Raises:
        RefusedEntryError: it holds something that JSON does not know.
    """
    text = _dumped(value)
    if ("\\" in text or _MARK in text) and _ODD_JSON.search(text):
        return _dumped(_each_text(orjson.loads(text), escaped))
    return text


def restored_json(text: str) -> str:
    """Read what :func:`json_text` wrote, as JSON that may have a NUL."""
    return _dumped(_each_text(orjson.loads(text), restored)) if _MARK in text else text


def _dumped(value: Any) -> str:
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
    except orjson.JSONEncodeError:
        try:
            return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace").decode()
        except (TypeError, ValueError) as error:
            raise RefusedEntryError(f"an entry cannot be written as JSON: {error}") from error


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each_text(each, change) for each in value]
    if isinstance(value, Mapping):
        return {change(name): _each_text(each, change) for name, each in value.items()}
    return value
