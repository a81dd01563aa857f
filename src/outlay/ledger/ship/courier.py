"""The courier: a thread that ships what is recorded, backs off when it cannot, and drains at the end."""

import random
import threading
import time
from collections.abc import Callable

from outlay.journal import watch_exit, watch_forks, watch_own_signals
from outlay.journal.lifecycle import ENGINE_SECONDS
from outlay.journal.telling import warn
from outlay.ledger.ship.shipped import Shipped
from outlay.ledger.ship.shipper import Shipper

_INTERVAL = 1.0  # seconds between looks at the journals
_LONGEST = 60.0  # seconds between attempts when nothing works
_EXIT_SECONDS = 5.0  # how long the end of a process may wait for the server
_TURN = 0.05  # seconds between looks whether another process has done its work
_SUSPICIOUS = 5  # failures in a row, after which an entry may be at fault that the ledger does not name


class Courier:
    """Ships in the background; never raises, never keeps a process alive.

    ``flushed`` brings what was recorded into the journal first, at the end of the process and before answers.
    """

    def __init__(
        self,
        shipper: Shipper,
        target: str,
        *,
        flushed: Callable[[float], object] = lambda _: None,
        interval: float = _INTERVAL,
        after: Callable[[], object] = lambda: None,
    ) -> None:
        self._shipper = shipper
        self._target = target
        self._flushed = flushed
        self._interval = interval
        self._after = after  # keeping house, when all is shipped
        self._chance = random.Random()  # noqa: S311  # only moments; its own, since programs seed the common one
        self._begin()
        watch_forks(self)

    def _begin(self) -> None:
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._watched = False
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._deadline: float | None = None  # of the last pass
        self._failures = 0
        self._warned = False

    @property
    def running(self) -> bool:
        """Whether the thread has been started in this process."""
        return self._thread is not None

    def start(self) -> None:
        """Start the thread; never waits, as whoever records calls this."""
        if not self._starting.acquire(blocking=False):
            return
        try:
            if self._thread is None:
                self._start_thread()
        finally:
            self._starting.release()

    def _start_thread(self) -> None:
        if not self._watched:
            watch_exit(self)
            watch_own_signals(self)
            self._watched = True
        self._ending, self._deadline = threading.Event(), None
        thread = threading.Thread(target=self._live, args=(self._ending,), name="outlay-courier", daemon=True)
        try:
            thread.start()
        except (
            RuntimeError
        ):  # the interpreter is ending; what is in the journal is shipped by the next process
            return
        self._thread = thread

    def _live(self, ending: threading.Event) -> None:
        while not ending.is_set():
            self._wake.wait(self._pause())
            self._wake.clear()
            if not ending.is_set():
                self._pass()
        self._last_pass()

    def _last_pass(self) -> None:
        """Make the pass of the end; while another process ships, wait for the turn as long as there is time.

        Processes of one home often end at the same moment, and what one of them wrote last came after the
        pass of another began.
        """
        while self._pass().busy and self._may_go_on():
            time.sleep(_TURN)

    def _pause(self) -> float:
        """Give the seconds to the next attempt: longer after each failure, and never the same for all."""
        if not self._failures:
            return self._interval
        longest = min(_LONGEST, self._interval * 2.0 ** min(self._failures, 10))
        return longest * self._chance.uniform(0.5, 1.0)

    def _pass(self) -> Shipped:
        """Make one pass; whatever happens in it, the thread lives on."""
        try:
            done = self._shipper.run(self._may_go_on, suspicious=self._failures >= _SUSPICIOUS)
            if done.error is None and not done.busy:
                self._after()
        except Exception as error:  # noqa: BLE001  # of a driver, say; it is told, and tried again
            self._shipper.close()
            done = Shipped(error=repr(error))
        if done.error is None:
            self._failures, self._warned = 0, False
            return done
        self._failures += 1
        if not self._warned:
            self._warned = True
            warn("calls are kept in the journal until %s takes them again: %s", self._target, done.error)
        return done

    def _may_go_on(self) -> bool:
        return self._deadline is None or time.monotonic() < self._deadline

    def catch_up(self, seconds: float) -> str | None:
        """Ship what this home has pending now, for so long at most; say what is missing then, and why."""
        deadline = time.monotonic() + seconds
        self._flushed(seconds)
        goal = self._shipper.waiting()
        done = self._shipper.run(lambda: time.monotonic() < deadline)
        while done.busy and time.monotonic() < deadline and self._shipper.left(goal):
            time.sleep(_TURN)  # another process ships; as soon as it has done so, its work is ours
            done = self._shipper.run(lambda: time.monotonic() < deadline)
        left = self._shipper.left(goal)
        if not left:
            return None
        why = done.error or ("another process is shipping" if done.busy else "there was no time for more")
        return f"{left:,} bytes of this home's journals are not in {self._target} yet: {why}"

    def drain_at_exit(self) -> None:
        """Ship what is left when the process ends, in bounded time; the rest stays in the journal.

        A server that hangs is left to itself; an engine in this process is let finish its parcel.

        The connection is let go of here: who leaves that to the interpreter's own end hears of leaks from
        some drivers, and makes servers tell of clients that broke off.
        """
        thread = self._thread
        if thread is None:
            return
        self._flushed(_EXIT_SECONDS)
        self._deadline = time.monotonic() + _EXIT_SECONDS
        self._ending.set()
        self._wake.set()
        thread.join(_EXIT_SECONDS)
        if self._shipper.in_process:
            thread.join(ENGINE_SECONDS)
        if not thread.is_alive():
            self._shipper.close()

    def ship_last(self) -> None:
        """Ship before a signal ends the process; what it still records meanwhile is written too.

        Of a process whose children alone recorded the thread begins here.
        """
        self.start()
        self.close()
        self._flushed(_EXIT_SECONDS)

    def start_anew_in_child(self) -> None:
        """Begin without thread, turn and connection after a fork."""
        self._shipper.start_anew_in_child()
        self._begin()

    def close(self) -> None:
        """End the thread, as at the end of the process, and let go of the connection."""
        self.drain_at_exit()
        if self._thread is None or not self._thread.is_alive():
            self._shipper.close()
        self._thread = None
