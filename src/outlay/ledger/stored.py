"""From stored rows back to the values they were: records, judgements on them, costs reckoned again."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

import orjson

from outlay.core.codec import cost_from_json, record_from_json
from outlay.core.record import Record, Revision, Score
from outlay.ledger.dialect import Dialect
from outlay.ledger.totals import plain

COST_COLUMNS = (
    *("cost", "currency", "cost_status", "cost_reason", "cost_flags", "computed_cost"),
    *("lines", "price"),
)
_TEXTS_OF_JSON = frozenset(
    ("usage", "flags", "terms", "parts", "raw", "cost_flags", "lines", "price", "extra"),
)


class Asked(Protocol):
    """Something that answers SQL in a dialect."""

    @property
    def dialect(self) -> Dialect:
        """How it wants its questions written."""
        ...

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a question and give all rows."""
        ...


def record_of(names: Sequence[str], row: Sequence[Any]) -> Record:
    """Make the record of a row of calls, equal to the one that was written."""
    data = {name: _value(name, value) for name, value in zip(names, row, strict=True) if value is not None}
    return record_from_json(data)


def _value(name: str, value: Any) -> Any:
    if name in _TEXTS_OF_JSON:
        return orjson.loads(value)
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    return str(value) if name == "id" else value


def scores_of(asked: Asked, ids: Sequence[str]) -> dict[str, list[Score]]:
    """Give the judgements on these calls, oldest first."""
    rows = asked.all(
        'SELECT record_id, "at", quality_score, user_rating, correct FROM scores'  # noqa: S608  # our own names
        f' WHERE record_id {asked.dialect.among} ORDER BY "at", {asked.dialect.arrival}',
        [list(ids)],
    )
    found: defaultdict[str, list[Score]] = defaultdict(list)
    for name, at, quality, rating, correct in rows:
        key = str(name)
        found[key].append(
            Score(
                record_id=key,
                at=at.replace(tzinfo=UTC),
                quality_score=quality,
                user_rating=rating,
                correct=correct,
            )
        )
    return found


def revisions_of(asked: Asked, ids: Sequence[str]) -> dict[str, list[Revision]]:
    """Give the costs of these calls that were reckoned again, oldest first."""
    names = ", ".join(f'"{name}"' for name in COST_COLUMNS)
    rows = asked.all(
        f'SELECT record_id, "at", {names} FROM revisions'  # noqa: S608  # our own names
        f' WHERE record_id {asked.dialect.among} ORDER BY "at", {asked.dialect.arrival}',
        [list(ids)],
    )
    found: defaultdict[str, list[Revision]] = defaultdict(list)
    for name, at, *values in rows:
        pairs = zip(COST_COLUMNS, values, strict=True)
        charge = cost_from_json({key: _value(key, value) for key, value in pairs if value is not None})
        key = str(name)
        found[key].append(Revision(record_id=key, at=at.replace(tzinfo=UTC), charge=charge))
    return found
