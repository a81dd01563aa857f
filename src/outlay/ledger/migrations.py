"""The numbered files that build each engine's tables: which there are, and which are still to be run."""

from functools import lru_cache
from importlib.resources import files

from outlay.core.errors import LedgerSchemaError

Steps = list[tuple[int, str]]
"""Numbers and texts, in order."""


@lru_cache(maxsize=8)  # they come with the program, and each question asks
def migrations(engine: str) -> Steps:
    """Give the steps in ``schema/<engine>``, such as ``duckdb``."""
    found = [
        (int(item.name.partition("_")[0]), item.read_text("utf-8"))
        for item in (files("outlay.ledger") / "schema" / engine).iterdir()
        if item.name.endswith(".sql")
    ]
    return sorted(found)


def pending(engine: str, have: int, ledger: object) -> Steps:
    """Give the steps that a ledger of version ``have`` still lacks.

    Raises:
        LedgerSchemaError: a newer outlay wrote the ledger, which is named in the message.
    """
    steps = migrations(engine)
    newest = steps[-1][0]
    if have > newest:
        raise LedgerSchemaError(
            f"{ledger} was written by a newer outlay (schema {have}, this one knows {newest}): upgrade outlay"
        )
    return [step for step in steps if step[0] > have]
