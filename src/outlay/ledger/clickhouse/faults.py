"""Errors of the driver, the wire and the engine as ours: one line each, without passwords or data."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from outlay.core.errors import (
    LedgerBusyError,
    LedgerError,
    MissingExtraError,
    OutlayError,
    QueryError,
    RefusedEntryError,
)
from outlay.ledger.clickhouse.place import Place

_DRIVER = "clickhouse_connect."  # begins the modules of its errors; this file does without an import of it
_NOT_KEPT = frozenset((6, 26, 27, 38, 41, 53, 69, 70, 72, 117, 130, 131, 321, 376, 407, 467))
"""The server's codes for a value that does not fit its column, or a line that it cannot read."""
_REFUSED = frozenset((192, 193, 194, 195, 497, 516))  # unknown user, wrong or missing password, no right to
_PREFIX = re.compile(r"Code: \d+\. (?:DB::Exception: )?|std::exception\. |.*e\.what\(\) = ", re.DOTALL)
_END = re.compile(  # where the line has said what is wrong, and begins to show data or the engine's insides
    r" before: |: \(while |: \(at row|: While |: \(in file|, Stack trace"
    r"|\. \([A-Z_]+\)|\(version |: In scope "
)
_LONGEST = 300


@contextmanager
def told_plainly(place: Place, *, sending: bool = False, asking: bool = False) -> Iterator[None]:
    """Raise the driver's errors as ours; they may be about what was sent, or about what somebody asked.

    Raises:
        QueryError: the server refuses what was asked.
        MissingExtraError: the driver or the engine is not installed.
        RefusedEntryError: the server cannot read or hold what was sent.
        LedgerBusyError: the folder is open in another process.
        LedgerError: anything else that the driver raised.
    """
    try:
        yield
    except MissingExtraError:
        raise
    except ImportError:
        raise MissingExtraError.of("chdb", "chdb") from None
    except Exception as error:
        if not any(each.__module__.startswith(_DRIVER) for each in type(error).__mro__):
            raise
        raise _ours(place, error, sending=sending, asking=asking) from None


def _ours(place: Place, error: Exception, *, sending: bool, asking: bool) -> OutlayError:
    broken = None if place.host is None else _on_the_wire(error)
    if broken is not None:
        return LedgerError(f"{place} cannot be reached, or broke off: {broken}")
    line = line_of(str(error))
    if getattr(error, "code", None) in _REFUSED:
        return LedgerError(f"{place} refuses {place.user or 'default'!r:.60}: {line}")
    code = getattr(error, "code", None)
    if sending and code in _NOT_KEPT:
        return RefusedEntryError(f"{place}: an entry cannot be kept: {line}")
    if asking and code is not None:
        return QueryError(f"ClickHouse says: {line}")
    return _of_the_engine(place, line)


def _of_the_engine(place: Place, line: str) -> LedgerError:
    if "already initialized" in line:
        return LedgerError(f"{place}: a process can have one chdb: folder open, and has another one: {line}")
    if line.endswith("Error initializing EmbeddedServer"):
        return LedgerBusyError(f"{place} is open in another process; close it there")
    return LedgerError(f"{place}: {line}")


def _on_the_wire(error: BaseException) -> str | None:
    """Give what broke below HTTP, which is the innermost cause; None if an answer came."""
    told = None
    cause = error.__cause__
    while cause is not None:
        told = getattr(cause, "strerror", None) or str(cause)
        cause = getattr(cause, "reason", None) or cause.__cause__ or cause.__context__
        if isinstance(cause, str):
            break
    return None if told is None else " ".join(told.split())[:_LONGEST]


def line_of(text: str) -> str:
    """Give what an error of the server says, in one line: without its own prefixes and without data."""
    told = _PREFIX.sub("", text)
    return " ".join(_END.split(told, maxsplit=1)[0].split()).rstrip(".: ")[:_LONGEST]
