"""Alerts as the settings of a process say: its rules, channels, state and stop."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from outlay.alerts.budgets import Budget
from outlay.alerts.check import Outcome, check
from outlay.alerts.closed import Closed
from outlay.alerts.rules import Rule, rules_of
from outlay.alerts.send import channels_of
from outlay.alerts.standing import spent, standings
from outlay.alerts.state import State
from outlay.alerts.stop import REFRESH, Stop
from outlay.core.errors import JournalError, SettingsError
from outlay.report import LedgerReader
from outlay.settings import Settings

_LEAST, _MOST = Decimal(1), Decimal(3600)


def check_rules(
    settings: Settings, reader: LedgerReader, environ: Mapping[str, str], now: datetime, *, dry: bool = False
) -> Outcome:
    """Look at every rule once, and tell what was newly crossed; see :func:`outlay.alerts.check.check`.

    Budgets that stop calls and are spent are written down for processes that start afterwards.

    Raises:
        SettingsError: a rule or channel that cannot be.
        OutlayError: the ledger cannot be asked, or what was told cannot be kept.
    """
    rules = rules_of(settings.alerts, settings.tz)
    channels = channels_of(settings.alerts, environ)
    found = standings(rules, reader, now)
    outcome = check(found, channels, State(settings.alert_folder), now, dry=dry)
    stopping = [rule for rule in rules if rule.stop]
    if stopping and not dry:
        _write_spent(stopping, reader, Closed(settings.alert_folder), now)
    return outcome


def _write_spent(rules: Sequence[Rule], reader: LedgerReader, closed: Closed, now: datetime) -> None:
    over = {}
    for budget in (Budget(rule, now.timestamp()) for rule in rules):
        budget.begin(now)
        budget.learn(spent(budget.rule, budget.window, reader, budget.asked))
        over[budget.key] = budget.over()
    if not reader.whole:  # something is on its way: what others found spent stays so
        return
    try:
        closed.write(over)
    except OSError as error:
        raise JournalError(f"{closed.path} cannot be written: {error.strerror or error}") from error


def stop_of(settings: Settings, reader: Callable[[], LedgerReader]) -> Stop | None:
    """Make what refuses calls, if any rule asks for it.

    Raises:
        SettingsError: a rule that cannot be.
    """
    rules = [rule for rule in rules_of(settings.alerts, settings.tz) if rule.stop]
    if not rules:
        return None
    return Stop(rules, reader, Closed(settings.alert_folder), refresh=refresh_of(settings))


def refresh_of(settings: Settings) -> float:
    """Give the seconds between two looks into the ledger.

    Raises:
        SettingsError: that is no such number.
    """
    value = settings.alerts.get("refresh", Decimal(str(REFRESH)))
    is_number = not isinstance(value, bool) and isinstance(value, int | Decimal)
    if not is_number or Decimal(value).is_nan() or not _LEAST <= value <= _MOST:
        raise SettingsError(f"alerts.refresh = {value!s:.40}: write seconds from {_LEAST} to {_MOST}")
    return float(value)
