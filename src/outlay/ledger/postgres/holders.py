"""Who holds a table that is to be written anew: asked of the server, and said in one line."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

ASKED: Final = """SELECT activity.pid, activity.application_name, activity.usename, activity.xact_start
    FROM pg_locks AS held LEFT JOIN pg_stat_activity AS activity ON activity.pid = held.pid
    WHERE held.relation = to_regclass(%s) AND held.granted AND held.pid IS DISTINCT FROM pg_backend_pid()
    ORDER BY activity.xact_start NULLS LAST LIMIT 1"""
"""The question for the transaction that has a table for longest; the table's name is the one parameter."""


def said(table: str, holders: Sequence[Sequence[Any]], patience: float) -> str:
    """Say who holds a table, as the question tells it, and what can be done."""
    waited = f"{table} could not be had to oneself within {patience:g} seconds"
    if not holders:  # whoever it was is gone by now
        return f"{waited}; compact again"
    pid, application, user, since = holders[0]
    if pid is None:
        return (
            f"{waited}: a prepared transaction has it; pg_prepared_xacts names it: end it, and compact again"
        )
    named = f"{application or 'a program that gives no name'}{f' of {user}' if user else ''}"
    return (
        f"{waited}: process {pid} ({named}) has it in a transaction {_begun(since)};"
        f" end that one, if need be by SELECT pg_terminate_backend({pid}), and compact again"
    )


def _begun(since: datetime | None) -> str:
    """Tell the moment as the session has it, UTC; a role without rights does not learn it."""
    return "of unknown age" if since is None else f"since {since:%Y-%m-%d %H:%M:%S} UTC"
