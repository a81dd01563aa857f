"""Values as foreign rows write them: counts as text, money as numbers, JSON within text."""

import re
from collections.abc import Mapping
from datetime import datetime
from math import isfinite
from typing import Any

from outlay.core.errors import UsageError
from outlay.core.instants import instant
from outlay.core.money import decimal_of
from outlay.importing.files import loaded

_MOST = 2**63 - 1  # the ledgers' columns of whole numbers
_TRUE = frozenset({"true", "1", "1.0", "yes", "y", "t"})
_FALSE = frozenset({"false", "0", "0.0", "no", "n", "f", ""})
_DOTTED = re.compile(r"[1-9]\d{0,2}(\.000)+")
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{2,3})*,\d{3}(\.\d+)?")  # thousands, or lakhs


def first(row: Mapping[str, Any], *names: str) -> Any:
    """Give the value of the first name that has one; None where none has."""
    for name in names:
        value = row.get(name)
        if value is not None and value != "":
            return value
    return None


def count(value: object, what: str) -> int | None:
    """Read a count of tokens; None stays unknown.

    Raises:
        UsageError: it is no whole number of 0 or more, or not certainly one, or beyond what ledgers hold.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        if _DOTTED.fullmatch(value.strip()):
            raise UsageError(f"{what} {value!r:.40} may be thousands or decimals; write it without a point")
        value = _number(_ungrouped(value.strip(), what), what)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise UsageError(f"{what} must be a whole number, 0 or more, not {value!r:.40}")
    if value > _MOST:
        raise UsageError(f"{what} must be a whole number up to {_MOST:,}, not {value!r:.40}")
    return value


def number(value: object, what: str) -> float | None:
    """Read a measure such as a latency or a score; None stays unknown.

    Raises:
        UsageError: it is no number.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return _number(value, what)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"{what} must be a number, not {value!r:.40}")
    return float(value)


def time_taken(value: object, what: str) -> float | None:
    """Read how long something took; None where it is not told, or runs backwards, as in ``between``.

    Raises:
        UsageError: it is no number.
    """
    taken = number(value, what)
    return None if taken is None or taken < 0 else taken


def money(value: object) -> object:
    """Give an amount as it was written, without a currency sign; None where there is none.

    Raises:
        UsageError: a comma in it does not, or not certainly, set thousands apart.
    """
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        return value
    amount = value.strip().removeprefix("$")
    if _GROUPED.fullmatch(amount) and "." not in amount and amount.count(",") == 1:
        raise UsageError(f"cost {value!r:.40} may be thousands or decimals; write it without a comma")
    return _ungrouped(amount, "cost")


def _ungrouped(text: str, what: str) -> str:
    """Leave out the commas that set thousands apart.

    Raises:
        UsageError: there are others: taken away, a decimal comma would make a thousand out of one.
    """
    if "," in text and not _GROUPED.fullmatch(text):
        raise UsageError(f"{what} {text!r:.40} has a comma that sets no thousands apart; write a point")
    return text.replace(",", "")


def stated(value: object) -> object:
    """Give an amount that is said; None where it is 0, which these programs write for what they do not know.

    Raises:
        UsageError: it is no amount.
    """
    amount = money(value)
    return None if amount is None or decimal_of(amount, "cost") == 0 else amount


def truth(value: object) -> bool | None:
    """Read a yes or no; None where it is neither."""
    if value is None or isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


def asked(value: object, what: str) -> bool | None:
    """Read a yes or no that is one; None where nothing is said.

    Raises:
        UsageError: it is neither.
    """
    found = truth(value)
    if found is None and value is not None:
        raise UsageError(f"{what} must be true or false, not {value!r:.40}")
    return found


def inner(value: object) -> Mapping[str, Any]:
    """Give an object that stands in a row, also as JSON text; empty where there is none."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, str) and value.lstrip()[:1] == "{":
        try:
            found = loaded(value.encode())
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}
    return {}


def between(start: object, end: object) -> float | None:
    """Give the milliseconds from one instant to another; None if either is not told or they run backwards."""
    if not isinstance(start, str | datetime) or not isinstance(end, str | datetime) or not start or not end:
        return None
    taken = (instant(end) - instant(start)).total_seconds() * 1000
    return taken if taken >= 0 else None


def kept(**fields: Any) -> dict[str, Any]:
    """Give the fields that say something."""
    return {name: value for name, value in fields.items() if value is not None and value != ""}


def _number(text: str, what: str) -> float:
    try:
        found = float(text)
    except ValueError:
        raise UsageError(f"{what} must be a number, not {text!r:.40}") from None
    if not isfinite(found):
        raise UsageError(f"{what} must be a number, not {text!r:.40}")
    return int(text) if found.is_integer() and "." not in text and "e" not in text.lower() else found
