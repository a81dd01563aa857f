"""A bell: rung by any thread, waited for by one.

An event of the standard library keeps a list of those who wait, under a lock, in eight functions of Python,
which a thread finds cold whenever it wakes; one who waits alone needs a lock and no more.
"""

import threading


class Bell:
    """Wakes the one thread that waits for it; rung while nobody waits, it wakes the next wait at once."""

    __slots__ = ("_silence",)

    def __init__(self) -> None:
        self._silence = threading.Lock()
        self._silence.acquire()

    def ring(self) -> None:
        """Wake whoever waits; safe from a finalizer, and within another ring. Further rings add nothing."""
        try:
            self._silence.release()
        except RuntimeError:  # it rings already
            return

    def wait(self, seconds: float | None = None) -> bool:
        """Sleep until the bell rings, at most so long; whether it rang. It is silent again then."""
        return self._silence.acquire(timeout=-1 if seconds is None else seconds)

    def hush(self) -> None:
        """Forget a ring that nobody waits for any more."""
        self._silence.acquire(blocking=False)
