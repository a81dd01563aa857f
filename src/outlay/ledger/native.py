"""DuckDB's own library, under its usual name: ``from outlay.ledger.native import duckdb``.

The package ``duckdb`` puts relations, expressions and frames in Python around it, which no question of ours
uses and which take longer to load than most questions to answer. Every release since 1.4 has the library by
itself.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread, current_thread, main_thread
from typing import Any, TypeVar


@contextmanager
def _loading() -> Iterator[None]:
    """Keep Ctrl-C back until this is done: while DuckDB loads, it would abort the process."""
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler) or current_thread() is not main_thread():
        yield
        return
    came: list[tuple[Any, Any]] = []
    signal.signal(signal.SIGINT, lambda *given: came.append(given))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if came:
        handler(*came[0])


with _loading():
    import _duckdb as duckdb

__all__ = ["duckdb", "heard", "interruptible"]

_INTERRUPTED = "Query interrupted"
_LOOK = 0.1  # seconds: on Windows Ctrl-C comes between two waits, elsewhere within one
_T = TypeVar("_T")


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


def heard(connection: duckdb.DuckDBPyConnection, work: Callable[[], _T]) -> _T:
    """Have this done in another thread, so that Ctrl-C ends it whatever DuckDB is at; give what it gives.

    By itself DuckDB looks for signals between two pieces of work; an endless product of tables is one piece.

    Raises:
        KeyboardInterrupt: it was ended by Ctrl-C.
    """
    done = Event()
    given: list[_T] = []
    wrong: list[BaseException] = []

    def run() -> None:
        try:
            given.append(work())
        except BaseException as error:  # noqa: BLE001  # it is the caller's, who waits
            wrong.append(error)
        finally:
            done.set()

    Thread(target=run, daemon=True).start()
    try:
        while not done.wait(_LOOK):
            pass
    finally:
        while not done.wait(_LOOK / 10):  # an interruption before the work began would be lost
            connection.interrupt()
    if wrong:
        raise wrong[0]
    return given[0]
