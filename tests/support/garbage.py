"""A garbage collection that comes while a lock of ours is held, as one may wherever something is made."""

import gc
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager


def ends_within(
    lock: AbstractContextManager[object],
    collected: Callable[[], object],
    then: Callable[[], object] = lambda: None,
) -> bool:
    """Collect garbage while a lock is held, and do more; say whether that came to its end.

    What is ``collected`` is done once, by the thread that holds the lock, as the end of a stream is that was
    dropped within a cycle.
    """
    left = [collected]

    def notice(_phase: str, _about: object) -> None:
        if left and threading.current_thread() is working:
            left.pop()()

    def work() -> None:
        with lock:
            gc.collect()
            then()

    working = threading.Thread(target=work, daemon=True)
    gc.callbacks.append(notice)
    try:
        working.start()
        working.join(20)
    finally:
        gc.callbacks.remove(notice)
    return not working.is_alive() and not left
