"""Rules of outlay.toml: what they may say, and what is refused with the rule's name."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from outlay.alerts.rules import Rule, rules_of
from outlay.alerts.setup import refresh_of
from outlay.core.errors import SettingsError
from outlay.settings import load

TOML = """
tz = "Europe/Berlin"

[alerts]
slack = "https://example.org/hook"

[[alerts.rules]]
name = "all of it"
budget = 10.10
window = "month"
steps = [100, 80]
stop = true

[[alerts.rules]]
budget = 2
per = ["user", "tag:team"]
where = { query_type = ["rag", "faq"], model = "gpt-4o" }
tz = "America/New_York"

[[alerts.rules]]
call_cost = 0.05

[[alerts.rules]]
error_rate = 2.5
window = "hour"
min_calls = 5
"""


def read(folder: Path, text: str) -> tuple[Rule, ...]:
    (folder / "outlay.toml").write_text(text, encoding="utf-8")
    settings = load({}, folder)
    return rules_of(settings.alerts, settings.tz)


def test_every_kind_of_rule_is_read(tmp_path: Path) -> None:
    month, user, dear, errors = read(tmp_path, TOML)
    assert month == Rule(
        name="all of it",
        kind="budget",
        limit=Decimal("10.10"),
        window="month",
        steps=(Decimal(80), Decimal(100)),
        tz="Europe/Berlin",
        stop=True,
    )
    assert (user.name, user.per, user.tz) == (
        "budget 2 a day per user, tag:team",
        ("user", "tag:team"),
        "America/New_York",
    )
    assert user.where == (("model", ("gpt-4o",)), ("query_type", ("rag", "faq")))
    assert (dear.kind, dear.limit) == ("call_cost", Decimal("0.05"))
    assert (errors.kind, errors.limit, errors.window, errors.min_calls) == (
        "error_rate",
        Decimal("2.5"),
        "hour",
        5,
    )


def test_a_budget_is_the_numeral_that_was_written(tmp_path: Path) -> None:
    (rule,) = read(tmp_path, "[[alerts.rules]]\nbudget = 0.10000000000000000001\n")
    assert str(rule.limit) == "0.10000000000000000001"


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({}, "alerts.rules 1: write one of budget, call_cost, error_rate"),
        ({"budget": 1, "call_cost": 1}, "write one of"),
        ({"budget": 0}, "budget must be above 0"),
        ({"budget": "much"}, "budget must be a finite number"),
        ({"budget": True}, "budget must be a number"),
        (
            {"name": "b", "budget": 1, "windw": "day"},
            "alerts.rules 'b': unknown key 'windw'; did you mean window?",
        ),
        ({"budget": 1, "window": "year"}, "window = 'year'; write one of hour, day, week, month"),
        ({"budget": 1, "per": "usr"}, "did you mean user?"),
        ({"budget": 1, "per": "day"}, "time is said by window"),
        ({"budget": 1, "where": "user=u1"}, "where: write a table"),
        ({"budget": 1, "steps": []}, "steps: write a list"),
        ({"budget": 1, "steps": [0]}, "steps must be above 0"),
        ({"budget": 1, "tz": "Mars/Olympus"}, "no time zone"),
        ({"budget": 1, "stop": "yes"}, "stop: write true or false"),
        ({"budget": 1, "stop": True, "per": "status"}, "status is not known before a call"),
        ({"budget": 1, "stop": True, "where": {"error_type": "x"}}, "error_type is not known before a call"),
        ({"call_cost": 1, "stop": True}, "stop belongs to a budget"),
        ({"error_rate": 1, "min_calls": 0}, "min_calls must be a whole number above 0"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(rule: dict[str, Any], says: str) -> None:
    with pytest.raises(
        SettingsError, match=f"^alerts.rules .*{says.partition(': ')[2] or says}".replace("?", r"\?")
    ):
        rules_of({"rules": [rule]})


@pytest.mark.parametrize(
    ("alerts", "says"),
    [
        ({"rulez": []}, "did you mean rules"),
        ({"rules": {"budget": 1}}, "write each rule as a table"),
        ({"rules": [{"budget": 1, "name": "a"}, {"budget": 2, "name": "a"}]}, "two rules have the name 'a'"),
    ],
)
def test_a_table_that_cannot_be_is_refused(alerts: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        rules_of(alerts)


def test_alerts_stand_in_the_file_alone(tmp_path: Path) -> None:
    assert load({"OUTLAY_ALERTS": "x"}, tmp_path).alerts == {}
    (tmp_path / "outlay.toml").write_text("alerts = 3\n")
    with pytest.raises(SettingsError, match=r"\[\[alerts.rules\]\]"):
        load({}, tmp_path)


@pytest.mark.parametrize("written", ["0.5", "3601", "nan", "inf", "true", "'15'"])
def test_seconds_between_two_looks_that_cannot_be_are_said(tmp_path: Path, written: str) -> None:
    (tmp_path / "outlay.toml").write_text(f"home = '.'\n[alerts]\nrefresh = {written}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"alerts\.refresh = .*: write seconds from 1 to 3600"):
        refresh_of(load({}, tmp_path))
