"""SQL of one's own over the documented view ``calls`` in PostgreSQL; nothing is written."""

import re

from outlay.core.errors import QueryError
from outlay.core.query import Selected
from outlay.ledger.postgres.connection import Connection
from outlay.ledger.view import over_calls, refused_plainly, unquoted


def select(connection: Connection, text: str) -> Selected:
    """Run one SELECT, in a transaction that reads alone.

    Raises:
        QueryError: it is not one SELECT, or PostgreSQL refuses it.
    """
    bare = re.sub(r"[;\s]+$", "", text)
    if found := re.search(r"\$\d+", unquoted(text)):  # ours, by which the server takes one statement alone
        raise QueryError(f"there is no parameter {found[0]}: write the value itself")
    with refused_plainly(text):
        return Selected(*connection.answer(over_calls(bare, connection.dialect)))
