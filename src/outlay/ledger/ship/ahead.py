"""The next parcel made ready by a thread while a server works at the one before."""

import threading
from collections.abc import Callable, Generator, Iterator
from typing import Generic, TypeVar

_T = TypeVar("_T")


class _Next(Generic[_T]):
    """The next of an iterator, drawn by a thread of its own; None at its end."""

    def __init__(self, made: Iterator[_T]) -> None:
        self._made = made
        self._found: _T | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="outlay-ahead", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._found = next(self._made, None)
        except Exception as error:  # noqa: BLE001  # raised where it is waited for
            self._error = error

    def join(self) -> None:
        self._thread.join()

    def get(self) -> _T | None:
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._found


def _started(made: Iterator[_T]) -> _Next[_T] | None:
    try:
        return _Next(made)
    except RuntimeError:  # the interpreter is ending, and starts no more threads
        return None


def ahead(made: Iterator[_T], more: Callable[[_T], bool]) -> Generator[_T, None, None]:
    """Give the same, each made while the one before is in use, where ``more`` says that another follows.

    What making one raises is raised where it would be given. Whoever stops early waits for the one in the
    making, so that nothing is read any more afterwards.
    """
    coming: _Next[_T] | None = None
    try:
        found = next(made, None)
        while found is not None:
            coming = _started(made) if more(found) else None
            yield found
            found = next(made, None) if coming is None else coming.get()
    finally:
        if coming is not None:
            coming.join()
