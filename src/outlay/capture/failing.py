"""What is kept of an error: facts that cannot quote a prompt, and its own words only by choice.

Providers repeat what they were sent: validators give the whole input back, moderation the sentence that was
flagged, and a parser the reply that it could not parse. So by default only the HTTP status, the provider's
own codes and the names of the classes that caused it are kept.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from outlay.capture.guard import note_failure
from outlay.capture.redact import redact, without_keys
from outlay.capture.texts import Texts
from outlay.extract.plain import fields_of

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")  # one word, as codes are; a sentence has blanks
_HTTP = re.compile(r"HTTP \d{3}")
_NAMES = ("type", "code", "status", "__type", "Code")
_BODIES = ("body", "details", "response_json", "raw_data", "error", "response")
_STATUSES = ("status_code", "code", "status")
_FLOORS = 3  # an error's object stands in at most two others
_CAUSES = 3
_LONGEST = 1 << 16
_LEAST, _MOST = 100, 599  # HTTP's own


class AnsweredError(Exception):
    """An answer that says it failed, as an error never raised; its words are a code or a status."""


def told(error: BaseException, errors: Texts | None) -> str | None:
    """Give what is kept of an error: its facts, or its message as well where errors' words are kept."""
    try:
        return facts_of(error) if errors is None else _message(error, errors)
    except Exception as fault:  # noqa: BLE001 - a stranger's attribute may raise anything; the call still counts
        note_failure("failing.told", fault)
        return None


def _message(error: BaseException, errors: Texts) -> str | None:
    kept = errors.kept(str(error))
    return None if kept is None else redact(kept)


def facts_of(error: BaseException) -> str | None:
    """Give an error's facts as a short text, ``HTTP 429, rate_limit_exceeded``; None where it has none."""
    if isinstance(error, AnsweredError):
        return next(_words(iter(error.args[:1])), None) or _http(error)
    status = _status_of(error)
    codes = dict.fromkeys((*_grpc(error), *_codes(error)))
    facts = [*(() if status is None else (f"HTTP {status}",)), *codes]
    return ", ".join(facts or _causes(error)) or None


def _own(value: Any, name: str) -> Any:
    """Give what an object itself holds by a name: a property of its class may warn, compute or raise."""
    return getattr(value, "__dict__", {}).get(name)


def _http(error: BaseException) -> str | None:
    text = str(error)
    return text if _HTTP.fullmatch(text) else None


def _status_of(error: Any) -> int | None:
    response = _own(error, "response")
    metadata = response.get("ResponseMetadata") if isinstance(response, dict) else None  # botocore's
    found = [_own(each, name) for each in (error, response) for name in _STATUSES]
    if isinstance(metadata, dict):
        found.append(metadata.get("HTTPStatusCode"))
    return next((each for each in found if type(each) is int and _LEAST <= each <= _MOST), None)


def _grpc(error: Any) -> Iterator[str]:
    code = getattr(type(error), "code", None)
    name = getattr(code(error), "name", None) if callable(code) else None
    if isinstance(name, str) and _CODE.fullmatch(name):
        yield name


def _codes(error: Any) -> Iterator[str]:
    """Give the codes that an error has itself, or that the body of the answer has which it was made of."""
    yield from _words(_own(error, name) for name in _NAMES)
    for name in _BODIES:
        yield from _codes_in(_own(error, name), _FLOORS)


def _codes_in(value: Any, floors: int) -> Iterator[str]:
    if isinstance(value, str | bytes):
        value = _parsed(value)
    if isinstance(value, list) and value:  # Google's
        value = value[0]
    if not isinstance(value, Mapping):
        value = fields_of(value) if type(value).__name__.endswith(("Error", "Data")) else None
    if not value or not floors:
        return
    yield from _words(value.get(name) for name in _NAMES)
    for name in ("error", "Error"):
        yield from _codes_in(value.get(name), floors - 1)


def _words(values: Iterator[Any]) -> Iterator[str]:
    for value in values:
        if (
            isinstance(value, str)
            and value != "error"
            and _CODE.fullmatch(value)
            and without_keys(value) == value
        ):
            yield value


def _parsed(text: str | bytes) -> Any:
    if len(text) > _LONGEST:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _causes(error: BaseException) -> Iterator[str]:
    """Name the classes of what an error came from, as far as it says so."""
    cause = error.__cause__
    for _ in range(_CAUSES):
        if cause is None:
            return
        yield type(cause).__name__
        cause = cause.__cause__
