"""Values of span attributes as counts, amounts and texts; what is none of them is said, never skipped."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from outlay.core.errors import UsageError
from outlay.core.money import decimal_of
from outlay.core.units import MAX_QUANTITY
from outlay.otel.names import Names

Attributes = Mapping[str, Any]


def text(attributes: Attributes, names: Names) -> str | None:
    """Give the first of these attributes that is a text with something in it."""
    return next((value for name in names if isinstance(value := attributes.get(name), str) and value), None)


def label(attributes: Attributes, names: Names) -> str | None:
    """Give the first of these attributes that names somebody: a text with something in it, or a number."""
    found = (attributes.get(name) for name in names)
    return next((str(value) for value in found if _names(value)), None)


def _names(value: object) -> bool:
    return bool(value) if isinstance(value, str) else isinstance(value, int) and not isinstance(value, bool)


def count(value: object) -> int | None:
    """Read a count: a whole number, also as a float or a text; None for any other shape."""
    if isinstance(value, str):
        value = int(value) if value.strip().isdecimal() and len(value) < len(str(MAX_QUANTITY)) else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_QUANTITY:
        return None
    return value


def amount(value: object) -> Decimal | None:
    """Read an amount of money: a number, also as a text; None for any other shape, or a negative one."""
    try:
        found = decimal_of(value)
    except UsageError:
        return None
    return found if found >= 0 else None


def table(value: object) -> Mapping[str, Any]:
    """Read a JSON object out of a text; none is an empty one."""
    if not isinstance(value, str):
        return {}
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
