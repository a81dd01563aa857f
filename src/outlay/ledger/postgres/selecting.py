"""SQL of one's own over the documented view ``calls`` in PostgreSQL; nothing is written."""

import re

from outlay.core.query import Selected
from outlay.ledger.postgres.connection import Connection
from outlay.ledger.view import over_calls


def select(connection: Connection, text: str) -> Selected:
    """Run one SELECT, in a transaction that reads alone.

    Raises:
        QueryError: it is not one SELECT, or PostgreSQL refuses it.
    """
    bare = re.sub(r"[;\s]+$", "", text)
    return Selected(*connection.answer(over_calls(bare, connection.dialect)))
