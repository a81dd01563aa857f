"""Watching the rules from a long-lived process, where no cron does: a thread that looks every so often."""

import logging
import os
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from outlay.alerts.setup import check_rules
from outlay.capture.guard import note_failure
from outlay.core.ports import Ledger, works_here
from outlay.journal.lifecycle import ENGINE_SECONDS, watch_exit
from outlay.report import LedgerReader
from outlay.settings import Settings

log = logging.getLogger("outlay")
EVERY = 60.0  # seconds
_LEAVING = 10.0  # seconds that a process waits at its end for a look under way


class Watch:
    """Looks at the rules until it is stopped; what fires is sent, and a warning of the logger ``outlay``.

    Nothing here ever waits in, or fails, a call. Several processes may watch; each crossing is told once.
    """

    def __init__(
        self,
        settings: Settings,
        reader: Callable[[], LedgerReader],
        *,
        every: float = EVERY,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._settings = settings
        self._reader = reader
        self._every = every
        self._environ = os.environ if environ is None else environ
        self._leave = threading.Event()
        self._asked: Ledger | None = None  # while it is asked
        self._thread = threading.Thread(target=self._run, name="outlay-alerts", daemon=True)
        watch_exit(self)
        self._thread.start()

    def look(self) -> None:
        """Look once.

        Raises:
            OutlayError: a rule cannot be, or the ledger cannot be asked.
        """
        with self._reader() as reader:
            self._asked = reader.ledger
            outcome = check_rules(self._settings, reader, self._environ, datetime.now(UTC))
        self._asked = None
        for fired in outcome.fired:
            log.warning("%s", fired.message)

    def _run(self) -> None:
        while not self._leave.wait(self._every):
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - a ledger may be away in any way; it is asked again
                note_failure("alerts.watch", error)

    def stop(self) -> None:
        """Look no more; a look under way ends first, unless a server takes too long over it."""
        self._leave.set()
        self._thread.join(_LEAVING)
        if works_here(self._asked):
            self._thread.join(ENGINE_SECONDS)

    def drain_at_exit(self) -> None:
        """End with the process."""
        self.stop()

    def start_anew_in_child(self) -> None:
        """Watch nothing in a forked child; the parent does."""
