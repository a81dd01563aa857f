"""Records to put in, and short ways to ask a ledger."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from outlay.core.cost import Cost, unpriced
from outlay.core.ids import uuid7
from outlay.core.instants import instant
from outlay.core.ports import Keeping, Ledger
from outlay.core.query import CallQuery, Query, Row
from outlay.core.record import Record
from outlay.core.usage import Usage
from outlay.testing.clock import NOON


def call(
    at: datetime | str = NOON,
    *,
    cost: str | None = "0.1",
    currency: str = "USD",
    units: Mapping[str, int] | None = None,
    **fields: Any,
) -> Record:
    """Make a record of a call; ``cost`` None makes it unpriced, other fields are those of Record."""
    moment = instant(at)
    charge = (
        unpriced("no price", currency=currency)
        if cost is None
        else Cost(Decimal(cost), "priced", currency=currency)
    )
    given = {"id": uuid7(moment), "provider": "openai", "model": "gpt-4o", "charge": charge, **fields}
    given.setdefault("usage", Usage.of(units or {}))
    return Record(at=moment, **given)


def keeping(ledger: Ledger) -> Keeping:
    """Give the ledger as what keeps house."""
    assert isinstance(ledger, Keeping)  # noqa: S101  # a contract speaks by assert
    return ledger


def by_label(rows: Iterable[Row], *names: str) -> dict[Any, Row]:
    """Give rows by the label of their dimension, or by a tuple of labels."""
    return {tuple(row[name] for name in names) if len(names) > 1 else row[names[0]]: row for row in rows}


def asked(ledger: Ledger, dimension: str, **query: Any) -> dict[Any, Row]:
    """Ask for one dimension; give rows by its label."""
    return by_label(ledger.rows(Query(by=(dimension,), **query)).rows, dimension)


def labels_of(ledger: Ledger, dimension: str, tz: str) -> list[str | None]:
    """Ask for one dimension in a zone; give its labels in the order of the rows."""
    return [row[dimension] for row in ledger.rows(Query(by=(dimension,), tz=tz)).rows]


def calls(ledger: Ledger, **query: Any) -> list[Record]:
    """Ask for single calls by the fields of a CallQuery."""
    return list(ledger.calls(CallQuery(**query)))
