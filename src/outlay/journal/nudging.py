"""A signal that comes just before the main thread begins to wait is noticed all the same.

Python looks for signals, then waits: one that comes between is handled when the wait is over, which may be
never. A program that handles no signal ends there, and one for which we handle it is to end likewise.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any

_NUDGE: Any = getattr(signal, "SIGURG", None)  # which the system passes over, and nearly nobody handles
_AGAIN = 0.1  # seconds
_MOST = 100  # times; a main thread that is busy outside Python for longer looks for signals by itself
_NONE = -1  # no file of whoever wants to be told of signals


class Nudging:
    """Interrupts the main thread's wait while a signal is not handled yet, once it has come."""

    def __init__(self, waits: Callable[[int], bool]) -> None:
        self._waits = waits  # whether a signal that has come is still to be handled
        self._write = _NONE

    def begin(self) -> None:
        """Have it done from now on, in this process, if its main thread asks for that.

        Who wants to be told of signals otherwise, as an event loop may, is told as if there were no other.
        """
        main = threading.main_thread()
        if _NUDGE is None or threading.current_thread() is not main or main.ident is None:
            return
        if signal.getsignal(_NUDGE) is not signal.SIG_DFL:  # it is done already, or another handles it
            return
        read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        if before != _NONE:  # an event loop stands around us already
            signal.set_wakeup_fd(before, warn_on_full_buffer=False)
            os.close(read)
            os.close(self._write)
            self._write = _NONE
            return
        signal.signal(_NUDGE, _pass_over)
        self._hide()
        os.register_at_fork(after_in_child=self._end)
        args = (read, main.ident)
        threading.Thread(target=self._watch, args=args, name="outlay-signals", daemon=True).start()

    def _hide(self) -> None:
        plain = signal.set_wakeup_fd

        @wraps(plain)
        def without_ours(fd: int, /, **kwargs: Any) -> int:
            before = plain(fd, **kwargs)
            if fd == _NONE and self._write != _NONE:
                plain(self._write, warn_on_full_buffer=False)
            return _NONE if before == self._write else before

        signal.set_wakeup_fd = without_ours
        self._plain = plain

    def _end(self) -> None:
        """Leave a forked child alone: what comes to it is not for its parent, and nobody watches here."""
        write, self._write = self._write, _NONE
        with suppress(ValueError):  # forked by another thread than the main one
            before = self._plain(_NONE)
            if before not in {write, _NONE}:
                self._plain(before, warn_on_full_buffer=False)

    def _watch(self, read: int, main: int) -> None:
        while came := os.read(read, 64):
            for number in set(came):
                for _ in range(_MOST):
                    if not self._waits(number):
                        break
                    time.sleep(_AGAIN)  # mostly it is handled by then
                    signal.pthread_kill(main, _NUDGE)


def _pass_over(_number: int, _frame: object) -> None:
    """Handle the signal: that the wait was interrupted is all it is for."""
