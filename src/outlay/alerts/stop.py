"""Hard stops: a call that a spent budget does not let through raises before it is made.

Nobody asks the ledger at a call. A thread asks every ``refresh`` seconds what budgets with ``stop = true``
have spent, and what this process has recorded since is added at once. So a budget is overshot by the calls
that are under way when it is reached, and by what other processes spend until the thread asks again. No call
is refused while what is recorded lies below the budget. Groups that were over when last asked, here or by a
look at the rules, stand in home, so that a process that starts afterwards refuses its first call; one that
knows nothing yet lets calls pass.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from outlay.alerts.budgets import Budget, Spending
from outlay.alerts.closed import Closed
from outlay.alerts.messages import amount
from outlay.alerts.rules import Rule
from outlay.alerts.standing import Group, spent
from outlay.capture.contexts import Attribution
from outlay.capture.guard import guarded, note_failure
from outlay.core.codec import entry_from_json
from outlay.core.errors import BudgetExceededError
from outlay.core.instants import instant
from outlay.core.money import decimal_of
from outlay.core.ports import Ledger, Pending, Sink, hand_on, works_here
from outlay.core.record import Entry, Record
from outlay.journal.lifecycle import ENGINE_SECONDS, watch_exit, watch_forks
from outlay.report import LedgerReader

REFRESH = 15.0  # seconds between two looks into the ledger
_LEAVING = 5.0  # seconds that a process waits at its end for a question under way
_NAMES = ("provider", "model", "user", "session", "query_type", "agent", "action", "workspace")
_MODELS = 1000  # names of models that are remembered with the names they are served under


class Stop:
    """Refuses calls whose budget is spent; safe to use from any thread or task."""

    def __init__(
        self,
        rules: Sequence[Rule],
        reader: Callable[[], LedgerReader],
        closed: Closed,
        *,
        refresh: float = REFRESH,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._reader = reader
        self._closed = closed
        self._refresh = refresh
        self._now = now
        self._budgets = tuple(Budget(rule, now()) for rule in rules)
        self._served: dict[str, str] = {}  # a model as it is asked for -> as it is served
        self._lock = threading.RLock()  # a garbage collection within may end a stream, which is counted here
        self._leave = threading.Event()
        self._thread: threading.Thread | None = None
        self._asked: Ledger | None = None  # while it is asked
        watch_forks(self)
        watch_exit(self)

    def admit(self, provider: str, model: str | None, whom: Attribution) -> None:
        """Let a call pass.

        Raises:
            BudgetExceededError: a budget that it would be counted in is spent.
        """
        refusal = self._refusal(provider, model, whom)
        if refusal is not None:
            raise BudgetExceededError(refusal)

    @guarded
    def _refusal(self, provider: str, model: str | None, whom: Attribution) -> str | None:
        if self._thread is None:
            self._begin()
        served = None if model is None else self._served.get(model, model)
        facts = {
            "provider": provider,
            "model": served,
            **whom.fields,
            **{f"tag:{name}": value for name, value in whom.tags.items()},
        }
        now = self._now()
        with self._lock:
            for budget in self._budgets:
                group = budget.group_of(facts)
                if group is None:
                    continue
                budget.turn(now)
                value = budget.spent(group)
                if value >= budget.rule.limit:
                    return _refused(budget, group, value)
        return None

    @guarded
    def saw(self, record: Record) -> None:
        """Count what this process has recorded."""
        asked = record.model_requested if record.success else None  # nothing served a call that failed
        self._count(record, asked, facts_of(record))

    @guarded
    def saw_line(self, line: Mapping[str, Any]) -> None:
        """Count a call by its line, as ``core.codec`` writes a Record that need not be made for it."""
        cost = line.get("cost")
        spent = Spending(
            instant(line["at"]), None if cost is None else decimal_of(cost), line.get("currency", "USD")
        )
        tags = {f"tag:{name}": value for name, value in line.get("tags", {}).items()}
        asked = line.get("model_requested") if line.get("status") == "success" else None
        self._count(spent, asked, {**{name: line.get(name) for name in _NAMES}, **tags})

    def _count(self, spent: Record | Spending, asked: str | None, facts: Mapping[str, Any]) -> None:
        served = facts.get("model")
        if asked and served and len(self._served) < _MODELS:
            self._served[asked] = served
        now = self._now()
        with self._lock:
            for budget in self._budgets:
                budget.turn(now)
                budget.add(spent, facts)

    def watching(self, sink: Sink) -> Sink:
        """Give a sink that passes everything on and counts it here."""
        return _Watched(sink, self)

    def ask(self) -> None:
        """Ask the ledger once what the budgets have spent.

        Raises:
            OutlayError: the ledger cannot be asked.
        """
        began = self._now()
        with self._lock:
            for budget in self._budgets:
                budget.turn(began)
                budget.begin(datetime.fromtimestamp(began, UTC))
            asked = [(each, each.window, each.asked) for each in self._budgets]
        with self._reader() as reader:  # which brings in what was recorded until now
            self._asked = reader.ledger
            answers = [
                (spent(each.rule, window, reader, until), reader.whole) for each, window, until in asked
            ]
        self._asked = None
        with self._lock:
            for (budget, window, _), (answer, whole) in zip(asked, answers, strict=True):
                if budget.window == window:  # else it was over before the answer came
                    budget.learn(answer, whole=whole)
            over = {budget.key: budget.over() for budget in self._budgets}
        self._closed.write(over)

    def _begin(self) -> None:
        """Read who was over before, and start asking."""
        with self._lock:
            if self._thread is not None:
                return
            self._thread = threading.Thread(target=self._run, name="outlay-stop", daemon=True)
            known = self._closed.read()
            for budget in self._budgets:
                budget.learn(known.get(budget.key, {}))
            self._thread.start()

    def _run(self) -> None:
        while not self._leave.is_set():
            try:
                self.ask()
            except Exception as error:  # noqa: BLE001 - a ledger may be away in any way; it is asked again
                note_failure("alerts.stop", error)
            self._leave.wait(self._refresh)

    def drain_at_exit(self) -> None:
        """Let a question under way end; an engine that is asked must not be torn down."""
        self._leave.set()
        if self._thread is not None:
            self._thread.join(_LEAVING)
            if works_here(self._asked):
                self._thread.join(ENGINE_SECONDS)

    def start_anew_in_child(self) -> None:
        """Ask from a thread of its own in a forked child."""
        self._lock, self._leave, self._thread = threading.RLock(), threading.Event(), None


class _Watched:
    """A sink whose records a Stop counts."""

    def __init__(self, sink: Sink, stop: Stop) -> None:
        self._sink = sink
        self._stop = stop

    def append(self, entry: Entry) -> None:
        """Pass one entry on."""
        self._sink.append(entry)
        if isinstance(entry, Record):
            self._stop.saw(entry)

    def defer(self, pending: Pending) -> None:
        """Pass on what will be an entry, its line made: the next call must find this one counted."""
        if getattr(self._sink, "defer", None) is None:
            self.append(pending.entry())
            return
        line = pending.json()
        hand_on(_Made(line), self._sink)
        if "id" in line:  # a score, a revision and a loss have none of their own
            self._stop.saw_line(line)

    def flush(self, timeout: float | None = None) -> bool:
        """Return when all that was appended is kept."""
        return self._sink.flush(timeout)


@dataclass(frozen=True, slots=True)
class _Made:
    """An entry whose line is made already."""

    line: dict[str, Any]

    def entry(self) -> Entry:
        return entry_from_json(self.line)

    def json(self) -> dict[str, Any]:
        return self.line


def _refused(budget: Budget, group: Group, value: Decimal) -> str:
    rule, window = budget.rule, budget.window
    said = ", ".join(f"{name} {each}" for name, each in group)
    return (
        f"the budget {rule.name!r} is spent: {amount(value, rule.currency)} of "
        f"{amount(rule.limit, rule.currency)} in {window.label}{f' for {said}' if said else ''}; "
        f"calls are let through again from {window.end:%Y-%m-%d %H:%M} UTC"
    )


def facts_of(record: Record) -> dict[str, Any]:
    """Give what a budget may be for, as a record has it."""
    tags = {f"tag:{name}": value for name, value in record.tags.items()}
    return {**{name: getattr(record, name) for name in _NAMES}, **tags}
