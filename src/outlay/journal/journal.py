"""The journal: takes entries without waiting; a thread of its own writes them to disk."""

import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from outlay.core.ports import Clock, Pending
from outlay.core.record import Entry
from outlay.journal.bell import Bell
from outlay.journal.endings import DRAIN_SECONDS, watch_hard_ends
from outlay.journal.lifecycle import watch_exit, watch_forks
from outlay.journal.losses import Losses
from outlay.journal.room import Room
from outlay.journal.writer import Sync, Writer

_BATCH = 5_000  # entries a write, so that a long queue is not held twice in memory
_TURN = 1.0  # seconds to wait for a batch that is being written, at the end
_UNMADE = 2_000  # of what waits; it may refer to a whole response, where an entry holds a few numbers


class _SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class _Marker:
    """Stands in the queue behind the entries that a flush waits for."""

    __slots__ = ("kept", "reached")

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.kept = False


class Journal:
    """Appends entries to segment files in a folder, as one JSON line each; a ``core.ports.Sink``.

    A written line survives the death of the process. ``sync`` says when lines reach the disk itself:
    ``never`` leaves that to the system, ``interval`` syncs every ``interval`` seconds, ``always`` after each
    batch. The writer gathers entries for ``batch_delay`` seconds; at most ``max_pending`` may wait, more are
    counted as lost. A segment ends at ``segment_bytes`` or at midnight UTC; its name holds ``run``, if the
    process belongs to an ``outlay run``. With less than ``min_free`` bytes on the disk nothing is written,
    but counted as lost, until there is room again; see ``journal.room``.
    """

    def __init__(  # noqa: PLR0913  # each is a setting of its own, by keyword
        self,
        folder: Path,
        *,
        sync: Sync = "interval",
        interval: float = 1.0,
        batch_delay: float = 0.2,
        max_pending: int = 100_000,
        segment_bytes: int = 64 * 2**20,
        clock: Clock | None = None,
        run: str | None = None,
        min_free: int | None = None,
    ) -> None:
        self.folder = folder
        self._min_free = min_free
        self._run_id = run
        self._sync: Sync = sync
        self._interval = interval
        self._batch_delay = batch_delay
        self._max_pending = max_pending
        self._most_unmade = min(_UNMADE, max_pending)
        self._segment_bytes = segment_bytes
        self._clock = clock or _SystemClock()
        self._begin()
        watch_forks(self)

    def _begin(self) -> None:
        self._queue: deque[Entry | Pending | _Marker] = deque()
        self._push: Callable[[Entry | Pending], None] = self._queue.append
        self._losses = Losses()
        room = Room(self.folder, self._min_free, self._clock.monotonic)
        self._writer = Writer(self.folder, self._losses, self._clock, self._segment_bytes, self._run_id, room)
        self._starting = threading.Lock()
        self._draining = threading.Lock()
        self._wake = Bell()
        self._hurry = Bell()
        self._asleep = False
        self._busy = False  # whether there was something to write the last time
        self._in_hand = 0
        self._thread: threading.Thread | None = None
        self._watched = False
        self._all_kept = True  # since the last flush was answered
        self._stop = threading.Event()

    def defer(self, pending: Pending) -> None:
        """Take what the journal's own thread shall make an entry of; as quick as :meth:`append`.

        While the disk keeps that thread waiting, only so many are held unmade; more are made here.
        """
        if len(self._queue) >= self._most_unmade:
            self.append(pending.entry())
            return
        self._push(pending)
        if self._asleep:
            self._wake.ring()
        elif self._thread is None:
            self._start()

    def append(self, entry: Entry | Pending) -> None:
        """Take one entry; never waits, never raises, never touches the disk."""
        if len(self._queue) >= self._max_pending:
            self._losses.add(1, f"more than {self._max_pending} entries were waiting to be written")
            return
        self._push(entry)
        if self._asleep:
            self._wake.ring()
        elif self._thread is None:
            self._start()

    def flush(self, timeout: float | None = None) -> bool:
        """Return when all that was appended is on disk; False if that took too long or something was lost."""
        marker = _Marker()
        self._queue.append(marker)
        if sys.is_finalizing():  # a stream in a module's variable ends here; the thread is frozen by now
            self._drain()
            return marker.kept
        if self._thread is None:
            self._start()
        self._hurry.ring()
        self._wake.ring()
        if self._thread is None:
            self._drain()
        return marker.reached.wait(timeout) and marker.kept

    def close(self) -> None:
        """Write what is pending and end the thread; a later entry would start it again."""
        self.flush(DRAIN_SECONDS)
        with self._starting:
            thread, self._thread = self._thread, None
            self._stop.set()
            self._hurry.ring()
            self._wake.ring()
        if thread is not None:
            thread.join(DRAIN_SECONDS)
        self._tell_losses()

    @property
    def pending(self) -> int:
        """How many entries are not written yet."""
        return len(self._queue) + self._in_hand

    @property
    def lost(self) -> tuple[tuple[str, int], ...]:
        """Why entries of this process were lost, and how many for each reason."""
        return self._losses.by_reason

    def drain(self, timeout: float = DRAIN_SECONDS) -> bool:
        """Write what is pending, in bounded time; whether all of it is kept."""
        kept = self._flushed(timeout)
        self._tell_losses()
        return kept

    def _flushed(self, timeout: float) -> bool:
        # Whatever the queue looks like: the thread may have taken a batch out of it and not written it yet.
        return not (self._queue or self._thread is not None) or self.flush(timeout)

    def _tell_losses(self) -> None:
        """Have the count of what was lost kept where nothing else of this process is written any more."""
        if self._draining.acquire(timeout=0 if sys.is_finalizing() else _TURN):
            try:
                self._writer.tell_losses()
            finally:
                self._draining.release()

    def drain_at_exit(self) -> None:
        """Write what is pending when the process ends, in bounded time, however often Ctrl-C is pressed."""
        self._push = self._push_and_flush  # first: daemon threads still make calls while this one waits
        until = time.monotonic() + DRAIN_SECONDS
        interrupted: KeyboardInterrupt | None = None
        while (left := until - time.monotonic()) > 0:
            try:
                self._flushed(left)
                break
            except KeyboardInterrupt as error:
                interrupted = error
        self._losses.warn_of_rest()
        self._tell_losses()
        if interrupted is not None:
            raise interrupted

    def _push_and_flush(self, entry: Entry | Pending) -> None:
        """Take an entry from an exit handler that runs later still; now there is time to wait."""
        self._queue.append(entry)
        self.flush(DRAIN_SECONDS)
        self._tell_losses()

    def start_anew_in_child(self) -> None:
        """Begin with an empty queue, a new file and a new thread after a fork."""
        self._writer.abandon()
        self._begin()

    def _start(self) -> None:
        # Never waits: starting a thread can collect garbage, and a stream that is collected appends its entry
        # from inside of here.
        if sys.is_finalizing():
            self._drain()
            return
        if not self._starting.acquire(blocking=False):
            return
        try:
            too_late = not self._watched and _in_exit_handlers()  # none that is added now is run any more
            if self._thread is None:
                self._start_thread()
        finally:
            self._starting.release()
        if too_late:
            self.drain_at_exit()

    def _start_thread(self) -> None:
        if not self._watched:
            watch_exit(self)
            watch_hard_ends(self)
            self._watched = True
        self._stop = threading.Event()
        thread = threading.Thread(target=self._run, args=(self._stop,), name="outlay-journal", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the interpreter is ending; the drain at exit writes in its own thread
            return
        self._thread = thread

    def _run(self, stop: threading.Event) -> None:
        synced = self._clock.monotonic()
        while not stop.is_set():
            self._wait(synced, stop)
            self._busy = bool(self._queue)
            self._drain()
            if self._sync == "interval" and self._clock.monotonic() - synced >= self._interval:
                with self._draining:
                    self._writer.sync()
                synced = self._clock.monotonic()
        with self._draining:
            self._writer.close()

    def _wait(self, synced: float, stop: threading.Event) -> None:
        """Sleep until there is something to write or to sync, then give others time to join the batch.

        While calls come all the time, there is no sleep between two batches: a thread that is woken takes the
        interpreter from the one that makes calls, once more for each batch.
        """
        if not self._busy:
            self._sleep(synced, stop)
        if (self._queue or self._busy) and not stop.is_set():
            self._hurry.wait(self._batch_delay)
        self._hurry.hush()

    def _sleep(self, synced: float, stop: threading.Event) -> None:
        due = None
        if self._sync == "interval" and self._writer.dirty:
            due = max(0.0, synced + self._interval - self._clock.monotonic())
        self._asleep = True
        if not self._queue and not stop.is_set():
            self._wake.wait(due)
        self._asleep = False
        self._wake.hush()

    def _drain(self) -> None:
        """Write all that waits now; one thread at a time."""
        if not self._draining.acquire(blocking=not sys.is_finalizing()):
            return  # the thread was frozen within a batch
        try:
            for _ in range(len(self._queue) // _BATCH + 1):
                self._write_batch()
        finally:
            self._draining.release()

    def _write_batch(self) -> None:
        batch, markers = self._take()
        self._in_hand = len(batch)
        try:
            self._all_kept &= self._writer.write(batch)
            if markers or (batch and self._sync == "always"):
                self._all_kept &= self._writer.all_synced()
        except Exception as error:  # noqa: BLE001  # the thread must live on; what it had in hand is counted
            self._all_kept = False
            self._losses.add(len(batch), f"the journal's writer failed: {type(error).__name__}")
        finally:
            self._in_hand = 0
            self._losses.warn_once()
            self._answer(markers)

    def _answer(self, markers: list[_Marker]) -> None:
        for marker in markers:
            marker.kept = self._all_kept
            marker.reached.set()
        if markers:
            self._all_kept = True

    def _take(self) -> tuple[list[Entry | Pending], list[_Marker]]:
        next_one = self._queue.popleft
        taken = [next_one() for _ in range(min(len(self._queue), _BATCH))]
        batch = [entry for entry in taken if not isinstance(entry, _Marker)]
        markers = [] if len(batch) == len(taken) else [each for each in taken if isinstance(each, _Marker)]
        return batch, markers


def _in_exit_handlers() -> bool:
    """Whether the main thread has ended, and runs what was to be done then."""
    main = threading.main_thread()
    return threading.get_ident() == main.ident and not main.is_alive()
