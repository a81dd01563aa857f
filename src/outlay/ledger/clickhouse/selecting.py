"""SQL of one's own over the documented view ``calls`` in ClickHouse; nothing is written."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from outlay.core.errors import QueryError
from outlay.core.query import Selected
from outlay.ledger.clickhouse.client import Client
from outlay.ledger.view import ONE_SELECT, over_calls, refused_plainly

READING: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "readonly": 2,  # the server itself refuses to write; 1 would refuse the settings of a question too
        "query_plan_remove_redundant_sorting": 0,  # the statement is a subquery, whose order is the answer's
        "optimize_duplicate_order_by_and_distinct": 0,
        "enable_global_with_statement": 1,  # the view is known in each part of a UNION
    }
)
"""The settings of a statement of one's own."""


def select(client: Client, text: str) -> Selected:
    """Run what the engine's own parser reads as one SELECT, read-only by the server's setting.

    Raises:
        QueryError: it is not one SELECT, or ClickHouse refuses it.
    """
    with refused_plainly(text):
        whole = over_calls(_as_parsed(client, text), client.dialect)
        names, rows = client.answer(whole, READING)
    if not rows:  # then the driver is told of no columns either
        names = tuple(column[0] for column in client.answer(f"DESCRIBE TABLE ({whole})", READING)[1])
    return Selected(names, rows)


def _as_parsed(client: Client, text: str) -> str:
    """Give the statement as the engine writes it, without comments and end; nothing of it is run."""
    _, ((parsed,),) = client.answer("SELECT formatQuery({text:String})", READING, {"text": text})
    if parsed.split(None, 1)[0] not in ("SELECT", "WITH"):
        raise QueryError(ONE_SELECT)
    return str(parsed)
