"""Alerts as the settings of a process say: its rules, channels, state and stop."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from outlay.alerts.budgets import key_of
from outlay.alerts.check import Outcome, check
from outlay.alerts.closed import Closed
from outlay.alerts.rules import rules_of
from outlay.alerts.send import channels_of
from outlay.alerts.standing import Group, Standing, standings
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
    found = list(standings(rules, reader, now))
    outcome = check(found, channels, State(settings.alert_folder), now, dry=dry)
    # Where something is on its way, what others found spent stays so.
    if reader.whole and not dry and any(rule.stop for rule in rules):
        _write_spent(found, Closed(settings.alert_folder), now)
    return outcome


def _write_spent(found: Iterable[Standing], closed: Closed, now: datetime) -> None:
    over: defaultdict[str, dict[Group, Decimal]] = defaultdict(dict)
    for each in found:
        if each.rule.stop and now in each.window and each.value >= each.rule.limit:
            over[key_of(each.rule, each.window)][each.group] = each.value
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
