"""The one set of settings, sink, recorder and hooks that a process has, made at first use."""

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from outlay.core.addresses import DJANGO, MEMORY, is_server, named
from outlay.core.cost import Cost, unpriced
from outlay.core.ports import Ledger, Sink
from outlay.core.record import Entry
from outlay.core.usage import Usage
from outlay.home import working_folder
from outlay.settings import Settings, load

if TYPE_CHECKING:  # for annotations alone: a program that only records or asks does not load both
    from outlay.alerts.stop import Stop
    from outlay.capture import Recorder
    from outlay.capture.texts import Texts
    from outlay.instrumentation import Hooks
    from outlay.ledger.ship import Courier
    from outlay.pricing import Book
    from outlay.report import LedgerReader

_PATIENCE = 10.0  # seconds that a question waits for what is on its way to a server


class Process:
    """Wires the rooms together for one process; safe to use from any thread.

    With settings given, nothing is read from the environment: that is how tests and commands make their own.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self._lock = threading.RLock()
        self._settings = settings
        self._recorder: Recorder | None = None
        self._idle: Recorder | None = None  # in place of it where settings cannot be
        self._hooks: Hooks | None = None
        self._memory: Ledger | None = None
        self._book: Book | None = None
        self._spare_book: Book | None = None  # in place of it where settings or prices cannot be
        self._courier: Courier | None = None  # ships to a server's ledger what this process records
        self._stop: Stop | None = None

    def start_anew_in_child(self) -> None:
        """Take a lock of its own in a forked child; a thread that is not there any more may hold this one."""
        self._lock = threading.RLock()
        if self._hooks is not None:
            self._hooks.start_anew_in_child()

    @property
    def hooks(self) -> "Hooks":
        """The hooks of SDKs, which stay the same as long as the process lives."""
        with self._lock:
            if self._hooks is None:
                from outlay.instrumentation import Hooks  # noqa: PLC0415 - who only asks loads none

                self._hooks = Hooks(self.recorder)
            return self._hooks

    def reset(self, settings: Settings | None = None) -> None:
        """Start over with these settings, or with those of the environment; hooks stay on and record anew."""
        with self._lock:
            self.flush()
            if self._courier is not None:
                self._courier.close()
            if self._stop is not None:
                self._stop.drain_at_exit()
            self._settings, self._recorder, self._memory, self._book = settings, None, None, None
            self._courier = self._stop = self._idle = self._spare_book = None

    @property
    def settings(self) -> Settings:
        """The settings, read once.

        Raises:
            SettingsError: the environment or outlay.toml says what cannot be.
        """
        with self._lock:
            if self._settings is None:
                self._settings = load(os.environ, working_folder())
            self._settings = resolved(self._settings)
            return self._settings

    def recorder(self) -> "Recorder":
        """Give the recorder; it writes to the journal, or straight into a ledger in memory."""
        if self._recorder is None:
            with self._lock:
                if self._recorder is None:
                    self._recorder = self._make_recorder(self.settings)
        return self._recorder

    def recorder_around_work(self) -> "Recorder":
        """Give the recorder to what stands around a program's own work, which is not to fail for our sake.

        Where settings or prices cannot be, a warning says so once, and it is one that keeps nothing.
        """
        if self._recorder is not None:
            return self._recorder
        if self._idle is None:
            from outlay.capture.guard import note_failure  # noqa: PLC0415 - `import outlay` itself stays light

            try:
                return self.recorder()
            except Exception as error:  # noqa: BLE001 - whatever it is, the work goes on
                note_failure("Process.recorder", error)
                self._idle = _idle_recorder()
        return self._idle

    def _make_recorder(self, settings: Settings) -> "Recorder":
        from outlay.capture import Recorder, SystemClock, watch_end  # noqa: PLC0415 - who only asks loads none
        from outlay.capture.guard import guarded  # noqa: PLC0415 - likewise
        from outlay.pricing import cost_of, tariff_of  # noqa: PLC0415 - `import outlay` itself stays light

        book = self.book()
        sink = self._sink(settings)
        stop = self._stop = guarded(self._stop_of)(settings) if settings.alerts else None
        watch_end()
        return Recorder(
            sink if stop is None else stop.watching(sink),
            clock=SystemClock(),
            price=partial(cost_of, book=book),
            tariff=partial(tariff_of, book=book),
            tags=settings.tags,
            gate=None if stop is None else stop.admit,
            texts=_texts(settings) if settings.store_prompts else None,
            errors=_texts(settings) if settings.store_errors else None,
        )

    def _stop_of(self, settings: Settings) -> "Stop | None":
        """Make what refuses calls over budget; rules that cannot be are told by a warning and by doctor."""
        from outlay.alerts.setup import stop_of  # noqa: PLC0415 - only where there are rules

        return stop_of(settings, self.open)

    def book(self) -> "Book":
        """Give the book that calls are priced by: the newest tables, under prices of one's own, read once.

        Raises:
            PriceBookError: the price file is missing or breaks the format.
        """
        from outlay.pricing.newest import book_of  # noqa: PLC0415 - `import outlay` itself stays light

        with self._lock:
            if self._book is None:
                self._book = book_of(self.settings.prices, self.settings.price_updates)
            return self._book

    def book_around_work(self) -> "Book":
        """Give the book to what tells a cost beside a program's own work, which is not to fail for our sake.

        It is the one that recorded calls are priced by, so that the two agree. Where settings or prices
        cannot be, a warning says so once, and it is the book that came with outlay.
        """
        if self._book is not None:
            return self._book
        if self._spare_book is None:
            from outlay.capture.guard import note_failure  # noqa: PLC0415 - `import outlay` itself stays light
            from outlay.pricing import Book  # noqa: PLC0415 - likewise

            try:
                return self.book()
            except Exception as error:  # noqa: BLE001 - whatever it is, the work goes on
                note_failure("Process.book", error)
                self._spare_book = Book.default()
        return self._spare_book

    def _sink(self, settings: Settings) -> Sink:
        if settings.ledger == MEMORY:
            return _LedgerSink(self._memory_ledger())
        from outlay.journal import Journal  # noqa: PLC0415 - a program that only asks needs no writer

        journal = Journal(
            settings.journal,
            sync=settings.sync,
            interval=settings.sync_interval,
            run=settings.run,
            min_free=settings.min_free,
        )
        if not is_server(settings.ledger) or settings.ledger is None or not settings.ship:
            return journal
        from outlay.ledger.ship import ShippedSink, courier_of  # noqa: PLC0415 - only for servers

        self._courier = courier_of(settings.home, settings.ledger, journal.flush, settings.journal_keep)
        return ShippedSink(journal, self._courier)

    def _memory_ledger(self) -> Ledger:
        with self._lock:
            if self._memory is None:
                from outlay.ledger import open_ledger  # noqa: PLC0415 - only who asks needs a ledger

                self._memory = open_ledger(MEMORY, home=Path())
            return self._memory

    def flush(self, timeout: float | None = None) -> bool:
        """Return when all that was recorded is in the journal on disk; False if that took too long."""
        return True if self._recorder is None else self._recorder.flush(timeout)

    def bring_home(self, timeout: float) -> None:
        """Write what was recorded, and ship what waits for a server, before a signal ends the process."""
        self.flush(timeout) if self._courier is None else self._courier.ship_last()

    def open(self, url: str | None = None) -> "LedgerReader":
        """Open a ledger to ask it; what this process has recorded so far is in every answer."""
        from outlay.ledger import (  # noqa: PLC0415 - a program that only records needs no ledger
            DuckLedger,
            open_ledger,
        )
        from outlay.report import LedgerReader  # noqa: PLC0415 - likewise

        settings = self.settings
        name = _named(url) if url is not None else settings.ledger
        ledger = self._memory_ledger() if name == MEMORY else open_ledger(name, home=settings.home)
        if name is not None and is_server(name):
            return LedgerReader(ledger, refresh=self._shipping_first(settings, name))
        if isinstance(ledger, DuckLedger):
            ledger.journal_keep = settings.journal_keep
        return LedgerReader(ledger, refresh=self.flush)

    def _shipping_first(self, settings: Settings, url: str) -> Callable[[], object]:
        """Give what is done before each question to a server's ledger: what this home has for it is shipped.

        Nothing is shipped to a ledger that was named for reading alone, unless this home feeds it anyway.
        """
        from outlay.ledger.ship import Offsets, courier_of, shipping_first  # noqa: PLC0415 - only for servers

        own = url == settings.ledger and not settings.peek
        if not own and not Offsets(settings.home, url).file.exists():
            return self.flush
        courier = self._courier if url == settings.ledger else None
        return shipping_first(
            courier or courier_of(settings.home, url, self.flush, settings.journal_keep), _PATIENCE
        )


def resolved(settings: Settings) -> Settings:
    """Give settings whose ledger is named as it is opened: ``django:`` is looked up in a project's settings.

    Raises:
        SettingsError: the project's settings cannot be read, or have no such database.
        NotSupportedError: that database is none of PostgreSQL.
    """
    name = settings.ledger
    return settings if name is None or not name.startswith(DJANGO) else replace(settings, ledger=_named(name))


def _named(ledger: str) -> str:
    if not (ledger := named(ledger)).startswith(DJANGO):
        return ledger
    # By its name, since it stands on a floor above those that record through this module.
    url: str = import_module("outlay.contrib.django.ledger").ledger_url(ledger)
    return url


def _texts(settings: Settings) -> "Texts":
    from outlay.capture.texts import Texts, named  # noqa: PLC0415 - only where texts are kept

    return Texts(None if settings.redact is None else named(settings.redact), settings.max_text)


class _LedgerSink:
    """A sink that is a ledger itself: nothing is journalled, all is gone with the process."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = threading.RLock()  # a garbage collection within may end a stream, whose entry comes here
        self._pid = os.getpid()

    def append(self, entry: Entry) -> None:
        """Keep one entry at once."""
        if self._pid != os.getpid():  # forked, perhaps while a thread that is not here held the lock
            self._pid, self._lock = os.getpid(), threading.RLock()
        with self._lock:
            self._ledger.add((entry,))

    def flush(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - the port's signature
        """Nothing is ever pending."""
        return True


class _NoSink:
    """Takes entries and keeps none."""

    def append(self, entry: Entry) -> None:
        """Let it go."""

    def flush(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - the port's signature
        """Nothing is ever pending."""
        return True


def _idle_recorder() -> "Recorder":
    from outlay.capture import Recorder, SystemClock  # noqa: PLC0415 - as above

    return Recorder(_NoSink(), clock=SystemClock(), price=_no_price)


def _no_price(usage: Usage, **_facts: object) -> Cost:  # noqa: ARG001 - the port's signature
    return unpriced("settings cannot be read, and this call is not kept")


_current = Process()
if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(after_in_child=_current.start_anew_in_child)


def current() -> Process:
    """Give the process's own set."""
    return _current


def use(settings: Settings | None) -> Process:
    """Start the process's own set over; see :meth:`Process.reset`."""
    _current.reset(settings)
    return _current
