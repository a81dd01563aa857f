"""What the server says beside its answers: how far a step is, and what it warns of."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from outlay.ledger.migrations import Migrating

_PART = re.compile(r"outlay: (\d+) of (\d+)")


@contextmanager
def warned(connection: psycopg.Connection[tuple[Any, ...]]) -> Iterator[list[str]]:
    """Collect what the server warns of."""
    warnings: list[str] = []

    def hear(notice: psycopg.errors.Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            warnings.append(notice.message_primary or "")

    connection.add_notice_handler(hear)
    try:
        yield warnings
    finally:
        connection.remove_notice_handler(hear)


@contextmanager
def heard(connection: psycopg.Connection[tuple[Any, ...]], steps: Migrating) -> Iterator[None]:
    """Tell how far a long step is, as it says itself by notices."""

    def hear(notice: psycopg.errors.Diagnostic) -> None:
        found = _PART.fullmatch(notice.message_primary or "")
        if found:
            steps.tell(int(found[1]) / int(found[2]))

    connection.add_notice_handler(hear)
    try:
        yield
    finally:
        connection.remove_notice_handler(hear)
