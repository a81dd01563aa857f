"""A budget that stops, in memory: what each group has spent in the window of now, as far as is known."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from outlay.alerts.rules import Rule
from outlay.alerts.standing import Group
from outlay.alerts.windows import Window, window_of
from outlay.core.money import EXACT, ZERO
from outlay.core.record import Record

_EVER = datetime.min.replace(tzinfo=UTC)
_NEXT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Spending:
    """What a budget counts of a call."""

    at: datetime
    cost: Decimal | None
    currency: str


def key_of(rule: Rule, window: Window) -> str:
    """Name a rule's window."""
    return f"{rule.key}|{window.label}"


class Budget:
    """What one rule's groups have spent: the ledger's last answer, and this process's calls since."""

    __slots__ = ("_before", "_ended", "_known", "_latest", "_since", "asked", "rule", "window")

    def __init__(self, rule: Rule, now: float) -> None:
        self.rule = rule
        self._open(now)

    def _open(self, now: float) -> None:
        self.window: Window = window_of(self.rule.window, datetime.fromtimestamp(now, UTC), self.rule.tz)
        self._ended = self.window.end.timestamp()
        self.asked = _EVER  # the ledger was asked for calls that began before
        self._latest = _EVER  # the beginning of the latest call that counts here
        self._known: Mapping[Group, Decimal] = {}
        self._before: Mapping[Group, Decimal] = {}  # recorded here before the question under way
        self._since: defaultdict[Group, Decimal] = defaultdict(lambda: ZERO)  # and after it

    @property
    def key(self) -> str:
        """The name of rule and window."""
        return key_of(self.rule, self.window)

    def turn(self, now: float) -> None:
        """Begin anew when the window is over."""
        if now >= self._ended:
            self._open(now)

    def group_of(self, facts: Mapping[str, str | None]) -> Group | None:
        """Give the group that a call belongs to; None where the rule is not about it."""
        if any(facts.get(name) not in values for name, values in self.rule.where):
            return None
        return tuple((name, facts.get(name)) for name in self.rule.per)

    def spent(self, group: Group) -> Decimal:
        """Add up what is known of a group."""
        here = EXACT.add(self._before.get(group, ZERO), self._since.get(group, ZERO))
        return EXACT.add(self._known.get(group, ZERO), here)

    def add(self, record: Record | Spending, facts: Mapping[str, str | None]) -> None:
        """Count a call of this process; one begun before the last question is left to the next answer."""
        group = self.group_of(facts)
        cost = record.cost
        counts = (
            record.currency == self.rule.currency and record.at in self.window and record.at >= self.asked
        )
        if group is not None and cost is not None and counts:
            self._since[group] = EXACT.add(self._since[group], cost)
            self._latest = max(self._latest, record.at)

    def begin(self, now: datetime) -> None:
        """Ask for all calls that began before now, and for all that were counted here.

        Those may have begun in this very moment, or later, where the clock was set back since.
        """
        self.asked = max(now, self._latest + _NEXT)
        both = {*self._before, *self._since}  # the former, where the last question had no answer
        self._before = {
            group: EXACT.add(self._before.get(group, ZERO), self._since.get(group, ZERO)) for group in both
        }
        self._since = defaultdict(lambda: ZERO)

    def learn(self, answer: Mapping[Group, Decimal], *, whole: bool = True) -> None:
        """Take the answer; where it lacks what was on its way, no group has spent less than was known."""
        if not whole:
            groups = {*answer, *self._known, *self._before}
            answer = {group: max(answer.get(group, ZERO), self._until_asked(group)) for group in groups}
        self._known, self._before = answer, {}

    def _until_asked(self, group: Group) -> Decimal:
        return EXACT.add(self._known.get(group, ZERO), self._before.get(group, ZERO))

    def over(self) -> dict[Group, Decimal]:
        """Give the groups whose budget is spent."""
        groups = {*self._known, *self._since}
        found = {group: self.spent(group) for group in groups}
        return {group: value for group, value in found.items() if value >= self.rule.limit}
