"""Warnings that are said beside a command's answer, or beside its error, which may have the same reason."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:  # who asks no server loads none
    import logging

_waiting: list[str] = []


def hold() -> None:
    """Keep such warnings from now on, where they would go to standard error at once."""
    import logging

    if logging.lastResort is not None:
        logging.lastResort.addFilter(_passes)  # which is there once, however often it is added


def _passes(record: "logging.LogRecord") -> bool:
    if not getattr(record, "beside_answer", False):
        return True
    _waiting.append(record.getMessage())
    return False


def let_go(error: str | None = None) -> None:
    """Show what waited; what the command's error says itself is said once."""
    for message in _waiting:
        click.echo(message.removesuffix(f": {error}"), err=True)
    _waiting.clear()
