"""From a Record to a row of the table, and back."""

from datetime import UTC, datetime
from typing import Any

import orjson

from outlay.contrib.django.models import NAME
from outlay.core.codec import record_from_json, record_json
from outlay.core.record import Record
from outlay.journal.lines import json_line
from outlay.trackers.values import user_of

_AS_THEY_ARE = (
    *("status", "input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens"),
    *("cost", "currency", "cost_status", "latency_ms"),
)
_NAMES = ("provider", "model", "query_type", "session", "error_type")
_NUL = "\x00"  # which PostgreSQL keeps in no text


def row_of(record: Record, *, use_tz: bool) -> dict[str, Any]:
    """Give the columns of a record; without Django's time zones an instant is kept as naive UTC."""
    user, user_is_number = keyed(user_of(record))
    llm, llm_is_number = keyed(record.extra.get("llm_id"))
    return {
        "id": record.id,
        "at": stored(record.at, use_tz=use_tz),
        "user": user,
        "user_is_number": user_is_number,
        "llm": llm,
        "llm_is_number": llm_is_number,
        "entry": json_line(record_json(record)).decode(),
        **{name: named(getattr(record, name)) for name in _NAMES},
        **{name: getattr(record, name) for name in _AS_THEY_ARE},
    }


def record_of(entry: str) -> Record:
    """Give the record of a row by its entry."""
    return record_from_json(orjson.loads(entry))


def keyed(value: Any) -> tuple[str | None, bool]:
    """Give an id as text, and whether it was a number: 7 and "7" are two users."""
    return (None, False) if value is None else (named(str(value)), not isinstance(value, str))


def named(value: str | None) -> str | None:
    """Give a name as a column keeps it."""
    return None if value is None else value.replace(_NUL, "\ufffd")[:NAME]


def stored(moment: datetime, *, use_tz: bool) -> datetime:
    """Give an instant as a column keeps it."""
    return moment if use_tz else moment.replace(tzinfo=None)


def read(moment: datetime | None) -> datetime | None:
    """Give an instant of a column as aware UTC."""
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
