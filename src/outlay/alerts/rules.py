"""Rules as outlay.toml has them: a budget, a dear call or a rate of errors, for whom and for how long."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Literal, get_args

from outlay.alerts.windows import Unit
from outlay.core.errors import OutlayError, SettingsError
from outlay.core.money import decimal_of, text_of
from outlay.core.query import TIME_DIMENSIONS, Filter, check_dimension, filters, zone
from outlay.settings.tables import ALERT_KEYS, RULE_KEYS

Kind = Literal["budget", "call_cost", "error_rate"]
HUNDRED = Decimal(100)
MIN_CALLS = 20  # fewer calls say nothing of a rate
BEFORE_THE_CALL = frozenset(
    {"provider", "model", "user", "session", "query_type", "agent", "action", "workspace"}
)
"""What is known of a call before it is made, and may stand in a rule that stops; tags are too."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; amounts are in ``currency``, a rate of errors is in percent."""

    name: str
    kind: Kind
    limit: Decimal  # of a window, of one call, or percent
    window: Unit = "day"
    per: tuple[str, ...] = ()  # dimensions; each of their values has the limit for itself
    where: tuple[Filter, ...] = ()
    steps: tuple[Decimal, ...] = (HUNDRED,)  # percent of a budget at which to tell, ascending
    tz: str = "UTC"
    currency: str = "USD"
    min_calls: int = MIN_CALLS
    stop: bool = False

    @property
    def key(self) -> str:
        """What makes this rule another one: what was told of an old limit says nothing of a new one."""
        return f"{self.name}|{self.kind}|{text_of(self.limit)}|{self.window}|{self.tz}"


def rules_of(alerts: Mapping[str, Any], tz: str = "UTC") -> tuple[Rule, ...]:
    """Read the rules of a settings' ``alerts``; ``tz`` holds where a rule names no zone.

    Raises:
        SettingsError: a key, value or pair of values that cannot be; the rule is named.
    """
    if unknown := sorted(set(alerts) - ALERT_KEYS):
        raise SettingsError(f"alerts: unknown key {unknown[0]!r:.60}; {_nearest(unknown[0], ALERT_KEYS)}")
    written = alerts.get("rules", [])
    if not isinstance(written, list) or not all(isinstance(each, dict) for each in written):
        raise SettingsError("alerts.rules: write each rule as a table, [[alerts.rules]]")
    found = tuple(_rule(each, number, tz) for number, each in enumerate(written, 1))
    names = [rule.name for rule in found]
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"alerts: two rules have the name {name!r:.60}; give each its own")
    return found


def _rule(written: Mapping[str, Any], number: int, tz: str) -> Rule:
    where = f"alerts.rules {written.get('name', number)!r:.60}"
    try:
        return Rule(**dict(_fields(written, tz)))
    except (OutlayError, TypeError, ValueError) as error:
        raise SettingsError(f"{where}: {error}") from None


def _fields(written: Mapping[str, Any], tz: str) -> Iterator[tuple[str, Any]]:
    if unknown := sorted(set(written) - RULE_KEYS):
        raise ValueError(f"unknown key {unknown[0]!r:.60}; {_nearest(unknown[0], RULE_KEYS)}")
    kinds = [kind for kind in get_args(Kind) if kind in written]
    if len(kinds) != 1:
        raise ValueError(f"write one of {', '.join(get_args(Kind))}")
    (kind,) = kinds
    limit = _positive(written[kind], kind)
    window = written.get("window", "day")
    if window not in get_args(Unit):
        raise ValueError(f"window = {window!r:.40}; write one of {', '.join(get_args(Unit))}")
    per = _dimensions(written.get("per", ()))
    yield "name", _text(written.get("name", _name(kind, limit, window, per)), "name")
    yield from (("kind", kind), ("limit", limit), ("window", window), ("per", per))
    yield "where", _where(written.get("where", {}))
    yield "tz", zone(_text(written.get("tz", tz), "tz")).key
    yield "currency", _text(written.get("currency", "USD"), "currency").upper()
    yield "min_calls", _count(written.get("min_calls", MIN_CALLS))
    if kind != "budget" and (odd := {"steps", "stop"} & set(written)):
        raise ValueError(f"{min(odd)} belongs to a budget")
    yield "steps", _steps(written.get("steps", [100]))
    yield "stop", _stop(written.get("stop", False), written, per)


def _name(kind: str, limit: Decimal, window: str, per: tuple[str, ...]) -> str:
    what = f"{kind.replace('_', ' ')} {text_of(limit)}"
    return f"{what} a {window}{' per ' + ', '.join(per) if per else ''}"


def _positive(value: object, what: str) -> Decimal:
    number = decimal_of(value, what)
    if number <= 0:
        raise ValueError(f"{what} must be above 0, not {number}")
    return number


def _dimensions(value: object) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise TypeError("per: write a dimension, or a list of them")
    checked = tuple(check_dimension(name) for name in names)
    if times := [name for name in checked if name in TIME_DIMENSIONS]:
        raise ValueError(f"per = {times[0]!r}: time is said by window")
    return checked


def _where(value: object) -> tuple[Filter, ...]:
    if not isinstance(value, dict):
        raise TypeError('where: write a table, { query_type = "rag" }')
    return filters(value)


def _steps(value: object) -> tuple[Decimal, ...]:
    if not isinstance(value, list) or not value:
        raise TypeError("steps: write a list of percents, [80, 100]")
    return tuple(sorted({_positive(each, "steps") for each in value}))


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"min_calls must be a whole number above 0, not {value!r:.40}")
    return value


def _stop(value: object, written: Mapping[str, Any], per: tuple[str, ...]) -> bool:
    if not isinstance(value, bool):
        raise TypeError("stop: write true or false")
    for name in (*per, *written.get("where", {})):
        if value and name not in BEFORE_THE_CALL and not name.startswith("tag:"):
            raise ValueError(f"stop: {name} is not known before a call is made")
    return value


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise TypeError(f"{what}: write a text in quotes that is not empty")
    return value.strip()


def _nearest(key: str, known: frozenset[str]) -> str:
    near = get_close_matches(key, known, n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
