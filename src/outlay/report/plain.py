"""Values as JSON can hold them: money as plain decimal strings, instants as ISO 8601 text."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from math import isfinite
from typing import Any

from outlay.core.instants import text_of as instant_text
from outlay.core.money import text_of as money_text


def plain(value: Any) -> Any:
    """Give the value with every Decimal, instant and mapping inside it in JSON's own kinds."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    return _scalar(value)


def _scalar(value: Any) -> str | int | float | None:
    if isinstance(value, Decimal):
        return money_text(value)
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, float) and not isfinite(value):
        return None  # JSON has no such number
    return value if value is None or isinstance(value, str | int | float) else str(value)
