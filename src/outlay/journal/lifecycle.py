"""Where a process ends or splits: drain at exit, begin anew in a forked child."""

import atexit
import os
import sys
import weakref
from typing import Protocol

ENGINE_SECONDS = 60.0
"""How long the end of a process may wait for an engine that works inside it. Python takes its lock away from
threads that are left over; a C++ engine that comes back from its work then aborts the process, which should
end with 0. So a question or a batch under way is waited for, and no other is begun."""


class Lifelong(Protocol):
    """Something that must know of its process's end."""

    def drain_at_exit(self) -> None:
        """Write what is pending, in bounded time."""
        ...


class Forking(Protocol):
    """Something that must know of forks."""

    def start_anew_in_child(self) -> None:
        """Forget everything that belongs to the parent process."""
        ...


_forking: "weakref.WeakKeyDictionary[Forking, None]" = weakref.WeakKeyDictionary()


def watch_exit(thing: Lifelong) -> None:
    """Have a thing drained when this process ends normally.

    Children of multiprocessing skip ``atexit`` and run their own finalizers instead.
    """
    reference = weakref.ref(thing)

    def drain() -> None:
        alive = reference()
        if alive is not None:
            alive.drain_at_exit()

    atexit.register(drain)
    weakref.finalize(thing, atexit.unregister, drain).atexit = False  # else it would run before the drain
    children = sys.modules.get("multiprocessing.util")
    if children is not None:
        children.Finalize(None, drain, exitpriority=0)


def watch_forks(thing: Forking) -> None:
    """Have a thing begin anew in each forked child."""
    _forking[thing] = None


def _begin_anew() -> None:
    for thing in list(_forking):
        thing.start_anew_in_child()


if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(after_in_child=_begin_anew)  # once for all: what is told there stays for ever
