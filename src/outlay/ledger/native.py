"""DuckDB's own library, under its usual name: ``from outlay.ledger.native import duckdb``.

The package ``duckdb`` puts relations, expressions and frames in Python around it, which no question of ours
uses and which take longer to load than most questions to answer. Every release since 1.4 has the library by
itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import _duckdb as duckdb

__all__ = ["duckdb", "interruptible"]

_INTERRUPTED = "Query interrupted"


@contextmanager
def interruptible() -> Iterator[None]:
    """Give Ctrl-C back as what it is; DuckDB ends its statement by it, and tells a RuntimeError of its own.

    Raises:
        KeyboardInterrupt: a statement was ended by Ctrl-C.
    """
    try:
        yield
    except RuntimeError as error:
        if str(error) != _INTERRUPTED:
            raise
        raise KeyboardInterrupt from None
