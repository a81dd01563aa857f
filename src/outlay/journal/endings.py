"""Ends of a process that pass exit handlers by: ``os._exit``, another program in its place, a signal.

Job queues and pools end their forked workers by the first, supervisors by the last, and servers that have
handled such a signal send it to themselves once more. That often comes in the very moment in which the last
call is done.
"""

import _thread
import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from types import FrameType
from typing import Any, Protocol

from outlay.journal.nudging import Nudging

DRAIN_SECONDS = 5.0
SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""What ends a process that does not handle it. SIGQUIT and SIGINT, given back to the system, are left alone:
who sends those wants it to end even if its main thread never comes back to Python."""
_AGAIN = 0.1  # seconds
_REPLACED = ("execv", "execve")  # all others of exec*() go through these
_HARMLESS = frozenset(
    {
        *("SIGCHLD", "SIGCLD", "SIGCONT", "SIGURG", "SIGWINCH"),
        *("SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU"),
    }
)
"""What does not end a process that does not handle it."""
_FIRST = 1  # the process of a container whose end is the container's
_kill, _exit = os.kill, os._exit


class Drained(Protocol):
    """Something that can be written before the end."""

    def drain(self, timeout: float = DRAIN_SECONDS) -> bool:
        """Write what is pending, in bounded time; whether all of it is kept."""
        ...


class Shipping(Protocol):
    """Something that has more to do before the end than to write: what takes a server."""

    def drain_at_exit(self) -> None:
        """Hand over what is pending, in bounded time."""
        ...


_drained: "weakref.WeakSet[Drained]" = weakref.WeakSet()
_shipping: "weakref.WeakSet[Shipping]" = weakref.WeakSet()
_last_words: list[Callable[[], object]] = []
"""What has more to tell where a process surely ends; a program that is to take its place may not be there."""


def drain_all(timeout: float = DRAIN_SECONDS) -> None:
    """Drain whatever is watched, in this much time each."""
    for thing in list(_drained):
        thing.drain(timeout)


def _end_all() -> None:
    for tell in _last_words:
        with suppress(Exception):
            tell()
    drain_all()


def _ship_all() -> None:
    _end_all()
    for thing in list(_shipping):
        thing.drain_at_exit()


def watch_own_signals(thing: Shipping) -> None:
    """Have a thing drained too before a process that writes a journal ends itself by a signal.

    Servers that have handled one do so. Not before ``os._exit``: workers of job queues end so after each job.
    """
    _shipping.add(thing)


def watch_hard_ends(thing: Drained) -> None:
    """Have a thing drained before this process ends itself without its exit handlers."""
    _drained.add(thing)
    _watch()


def before_hard_ends(tell: Callable[[], object]) -> None:
    """Have this called before all is drained at such an end: what it tells is kept, too."""
    if tell not in _last_words:
        _last_words.append(tell)
    _watch()


def _watch() -> None:
    _wrap(os, "_exit", lambda *_, **__: True, _end_all)
    for name in _REPLACED:
        _wrap(os, name, lambda *_, **__: True, drain_all)
    _wrap(os, "kill", lambda pid=0, number=0, *_, **__: pid == os.getpid() and _is_fatal(number), _ship_all)
    _wrap(signal, "raise_signal", lambda number=0, *_, **__: _is_fatal(number), _ship_all)
    if _is_pool_worker():
        _handle(_Terminated(lambda _seconds: _end_all()))
        _nudging.begin()


def _wrap(owner: Any, name: str, is_end: Callable[..., bool], drain: Callable[[], None]) -> None:
    """Wrap a function, once, so that all is drained before a call of it that is the process's end."""
    plain = getattr(owner, name, None)
    if plain is None or hasattr(plain, "_outlay"):
        return

    @wraps(plain)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if not sys.is_finalizing():  # else all is drained already, and the writer's thread is frozen
            with suppress(BaseException):  # whatever it is, the process is to end here
                if is_end(*args, **kwargs):
                    drain()
        return plain(*args, **kwargs)

    wrapper._outlay = True  # type: ignore[attr-defined]  # noqa: SLF001 - our mark
    setattr(owner, name, wrapper)
    if plain in os.supports_fd:
        os.supports_fd.add(wrapper)


def _is_fatal(number: int) -> bool:
    """Whether a signal ends this process, for neither it nor we handle it."""
    kind = signal.Signals(number)
    return kind.name not in _HARMLESS and signal.getsignal(kind) in {signal.SIG_DFL, None}


def _is_pool_worker() -> bool:
    """Whether this is a child of multiprocessing; leaving the block of a pool terminates its workers."""
    process = sys.modules.get("multiprocessing.process")
    return process is not None and process.parent_process() is not None


def drain_when_terminated(flush: Callable[[float], object]) -> None:
    """On SIGTERM and SIGHUP write what is in flight, then end by that signal, as the program would have.

    A program that handles the signal itself ends as it likes, and is drained when it does. One that gives it
    back to the system does not escape: a worker of uvicorn imports its application, and with it the SDK,
    while it handles the signal; then it puts back what was there before and sends the signal to itself.
    """
    plain = signal.signal
    drain = _Terminated(flush)

    @wraps(plain)
    def keep_drain(signalnum: Any, handler: Any) -> Any:
        given_back = signalnum in SIGNALS and handler == signal.SIG_DFL
        return plain(signalnum, drain if given_back else handler)

    signal.signal = keep_drain
    _handle(drain)


def _handle(drain: "_Terminated") -> None:
    """Handle the signals that nobody handles; they can be set in the main thread alone."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:
            drain.plain(number, drain)


class _Terminated:
    """The handler of these signals.

    It never waits: the main thread that it interrupts may hold a lock that the writer needs. So that thread
    goes on, until what is in flight is written and the signal is sent once more.
    """

    def __init__(self, flush: Callable[[float], object]) -> None:
        self.plain = getattr(signal.signal, "__wrapped__", signal.signal)
        self._flush = flush
        self._begun = self._written = 0  # the process that did: a forked child begins anew

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        here = os.getpid()
        if self._written == here:
            self.plain(number, signal.SIG_DFL)
            _kill(here, number)
            if here == _FIRST:  # which the system ends by no signal that it does not handle
                _exit(128 + number)
        elif self._begun != here:
            self._begun = here
            # threading.Thread takes a lock, which may be held here too
            _thread.start_new_thread(self._write, (number,))

    def _write(self, number: int) -> None:
        try:
            self._flush(DRAIN_SECONDS)
        finally:
            self._written = here = os.getpid()
            # More than once, for the main thread may be just about to wait: what comes between Python's look
            # for signals and the system's call interrupts no wait.
            while self._handles(number):
                _kill(here, number)
                time.sleep(_AGAIN)

    def _handles(self, number: int) -> bool:
        return signal.getsignal(number) is self


_nudging = Nudging(lambda number: isinstance(signal.getsignal(number), _Terminated))
"""Of a pool's worker, which is mostly terminated in the moment in which it begins to wait for more work."""
