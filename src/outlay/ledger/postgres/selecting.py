"""SQL of one's own over the documented view ``calls`` in PostgreSQL; nothing is written."""

import re

from outlay.core.query import Selected
from outlay.ledger.postgres.connection import Connection
from outlay.ledger.view import COLUMNS

_TEMPLATE = """WITH calls AS (
    SELECT {columns}, input_tokens + output_tokens AS total_tokens FROM {source}
) SELECT * FROM (
{text}
) AS answer"""


def select(connection: Connection, text: str) -> Selected:
    """Run one SELECT, in a transaction that reads alone.

    Raises:
        QueryError: it is not one SELECT, or PostgreSQL refuses it.
    """
    source = connection.dialect.judged.format(calls=connection.dialect.revised)
    columns = ", ".join(f'calls."{name}"' for name in COLUMNS)
    bare = re.sub(r"[;\s]+$", "", text)
    return Selected(*connection.answer(_TEMPLATE.format(columns=columns, source=source, text=bare)))
