"""One look at the rules: steps, groups, windows, what is told once, what is retried and when."""

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from outlay.alerts.check import Outcome, check
from outlay.alerts.messages import amount
from outlay.alerts.rules import rules_of
from outlay.alerts.send import Channel
from outlay.alerts.standing import standings
from outlay.alerts.state import Mark, State
from outlay.core.errors import JournalError
from outlay.core.instants import instant, text_of
from outlay.ledger import MemoryLedger
from outlay.report import LedgerReader
from outlay.testing import call

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
Look = Callable[..., Outcome]


class Desk:
    """A ledger, rules, channels and a clock that is set by hand."""

    def __init__(self, folder: Path) -> None:
        self.ledger = MemoryLedger()
        self.state = State(folder)
        self.sent: list[str] = []
        self.channels: dict[str, Channel] = {"kept": self.sent.append}

    def spend(self, cost: str | None, at: datetime = NOON, **fields: Any) -> str:
        record = call(at, cost=cost, **fields)
        self.ledger.add([record])
        return record.id

    def look(self, *rules: dict[str, Any], now: datetime = NOON, dry: bool = False) -> Outcome:
        found = standings(rules_of({"rules": list(rules)}), LedgerReader(self.ledger), now)
        return check(found, self.channels, self.state, now, dry=dry)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "alerts")


DAILY = {"name": "daily", "budget": 10, "steps": [80, 100]}


def test_row_102_steps_are_told_once_each_and_strictly_above(desk: Desk) -> None:
    desk.spend("8")
    assert desk.look(DAILY).is_quiet  # 80 % itself is not above 80 %
    desk.spend("0.01")
    assert not desk.look(DAILY).is_quiet
    assert desk.look(DAILY).is_quiet
    desk.spend("2")
    assert [fired.standing.step for fired in desk.look(DAILY).fired] == [Decimal(100)]
    assert desk.look(DAILY).is_quiet
    assert desk.sent == [
        "⚠️ Budget Alert: daily: $8.01 of $10.00 (80%) in 2026-11-25",
        "⚠️ Budget Alert: daily: $10.01 of $10.00 (100%) in 2026-11-25",
    ]


def test_groups_are_told_apart_whatever_their_values_are(desk: Desk) -> None:
    desk.spend("3", user=None, session="s")
    desk.spend("3", user="None", session="s")
    desk.spend("3", user="u,session=v", session="s")
    desk.spend("3", user="u", session="v,session=s")
    assert len(desk.look({"name": "each", "budget": 2, "per": ["user", "session"]}).fired) == 4
    assert len(desk.sent) == 4


def test_steps_that_are_crossed_at_once_are_one_alert(desk: Desk) -> None:
    desk.spend("12.34")
    desk.look(DAILY)
    assert desk.sent == ["⚠️ Budget Alert: daily: $12.34 of $10.00 (123%) in 2026-11-25"]


def test_row_102_budgets_by_user_model_query_type_and_tag(desk: Desk) -> None:
    desk.spend("3", user="u1", model="gpt-4o", query_type="rag", tags={"team": "search"})
    desk.spend("3", user="u2", model="gpt-4o-mini", tags={"team": "search"})
    desk.spend("3", user=None, model="gpt-4o-mini", query_type="faq")
    rules = [
        {"name": "user", "budget": 2, "per": "user"},
        {"name": "model", "budget": 5, "per": "model"},
        {"name": "type", "budget": 2, "where": {"query_type": "rag"}},
        {"name": "team", "budget": 5, "per": "tag:team"},
    ]
    desk.look(*rules)
    assert [message.removeprefix("⚠️ Budget Alert: ") for message in desk.sent] == [
        "user: $3.00 of $2.00 (150%) in 2026-11-25 for user u1",
        "user: $3.00 of $2.00 (150%) in 2026-11-25 for user u2",
        "user: $3.00 of $2.00 (150%) in 2026-11-25 for user (none)",
        "model: $6.00 of $5.00 (120%) in 2026-11-25 for model gpt-4o-mini",
        "type: $3.00 of $2.00 (150%) in 2026-11-25",
        "team: $6.00 of $5.00 (120%) in 2026-11-25 for tag:team search",
    ]


def test_row_102_weeks_and_months_add_up_and_begin_anew(desk: Desk) -> None:
    for days in range(3):
        desk.spend("4", NOON - timedelta(days=days))
    rules = [{"name": unit, "budget": 10, "window": unit} for unit in ("day", "week", "month")]
    desk.look(*rules)
    assert [message.rpartition(" in ")[2] for message in desk.sent] == ["2026-W48", "2026-11"]
    desk.look(*rules, now=NOON + timedelta(days=8))
    assert len(desk.sent) == 2
    desk.spend("11", NOON + timedelta(days=8))
    desk.look(*rules, now=NOON + timedelta(days=8))
    assert [message.rpartition(" in ")[2] for message in desk.sent[2:]] == [
        "2026-12-03",
        "2026-W49",
        "2026-12",
    ]


def test_a_day_is_that_of_the_rules_zone(desk: Desk) -> None:
    desk.spend("11", datetime(2026, 10, 24, 22, 30, tzinfo=UTC))  # 00:30 of the 25th in Berlin
    rule = {"name": "b", "budget": 10, "tz": "Europe/Berlin"}
    desk.look(rule, now=datetime(2026, 10, 25, 22, 59, tzinfo=UTC))  # the 25th's twenty-fifth hour
    assert desk.sent == ["⚠️ Budget Alert: b: $11.00 of $10.00 (110%) in 2026-10-25"]


def test_a_window_that_is_over_is_looked_at_for_a_day(desk: Desk) -> None:
    desk.spend("11", NOON)
    desk.look(DAILY, now=datetime(2026, 11, 27, 0, 0, tzinfo=UTC))
    assert desk.sent == []
    desk.look(DAILY, now=datetime(2026, 11, 26, 23, 59, tzinfo=UTC))
    assert len(desk.sent) == 1
    midnight, rules = datetime(2026, 11, 26, tzinfo=UTC), rules_of({"rules": [DAILY]})
    found = standings(rules, LedgerReader(desk.ledger), midnight, grace=timedelta(0))
    assert [each.window.start for each in found] == [midnight]


def test_costs_that_are_known_in_part_are_counted_by_group(desk: Desk) -> None:
    whole, part = (call(NOON, cost="11", user=user) for user in ("u", "v"))
    desk.ledger.add([whole, replace(part, charge=replace(part.charge, status="partial"))])
    rules = rules_of({"rules": [{**DAILY, "per": "user"}]})
    found = standings(rules, LedgerReader(desk.ledger), NOON, grace=timedelta(0))
    assert {each.group: each.partial_calls for each in found} == {(("user", "u"),): 0, (("user", "v"),): 1}


@pytest.mark.parametrize("tz", ["UTC", "Asia/Kolkata"])
@pytest.mark.parametrize("kind", ["budget", "call_cost", "error_rate"])
def test_row_102_a_check_at_night_misses_no_hour(desk: Desk, kind: str, tz: str) -> None:
    for hour in (1, 2, 13):
        desk.spend("3", NOON - timedelta(hours=hour), user="u", status="error")
    rule = {"name": "h", kind: 2, "window": "hour", "min_calls": 1, "per": "user", "tz": tz}
    night = NOON + timedelta(hours=13, minutes=1)
    crossed = list(standings(rules_of({"rules": [rule]}), LedgerReader(desk.ledger), night))
    assert [NOON - each.window.start for each in crossed if each.step] == (
        [timedelta(hours=1), timedelta(hours=2)]
        if tz == "UTC"
        else [timedelta(hours=1, minutes=30), timedelta(hours=2, minutes=30)]
    )
    desk.look(rule, now=night)
    count = len(desk.sent)
    assert count == (1 if kind == "call_cost" else 2)  # dear calls are told together
    desk.look(rule, now=night + timedelta(minutes=1))
    assert len(desk.sent) == count


@pytest.mark.parametrize("kind", ["budget", "call_cost", "error_rate"])
@pytest.mark.parametrize("minute", [0, 5])
def test_the_hour_of_a_nightly_check_itself_is_looked_at_the_next_night(
    desk: Desk, kind: str, minute: int
) -> None:
    """What was spent in it after the check was told by none."""
    night = datetime(2026, 11, 25, 0, minute, tzinfo=UTC)
    rule = {"name": "h", kind: 2, "window": "hour", "min_calls": 1}
    desk.look(rule, now=night)
    desk.spend("3", night + timedelta(minutes=25), status="error")
    desk.spend("3", night - timedelta(minutes=6), status="error")  # of an hour that is over for longer
    fired = desk.look(rule, now=night + timedelta(days=1)).fired
    assert [each.standing.window.label for each in fired] == ["2026-11-25T00h"]


def test_an_hour_that_comes_twice_is_looked_at_twice_at_night(desk: Desk) -> None:
    for minute in (30, 90):  # 02:30 in Berlin, both times
        desk.spend("3", datetime(2026, 10, 25, tzinfo=UTC) + timedelta(minutes=minute))
    rule = {"name": "h", "budget": 2, "window": "hour", "tz": "Europe/Berlin"}
    desk.look(rule, now=datetime(2026, 10, 25, 20, tzinfo=UTC))
    assert [message.rpartition(" in ")[2] for message in desk.sent] == [
        "2026-10-25T02h +0100",
        "2026-10-25T02h",
    ]


def test_a_call_without_a_price_is_named_and_other_money_is_left_out(desk: Desk) -> None:
    desk.spend("11")
    desk.spend(None)
    desk.look({"name": "b", "budget": 10}, {"name": "e", "budget": 1, "currency": "EUR"})
    (message,) = desk.sent
    assert message.startswith("⚠️ Budget Alert: b: $11.00 of $10.00 (110%) in 2026-11-25; ")
    assert message.endswith("; 1 call has no known cost and is not in it")


def test_row_102_dear_calls_are_told_once_each_in_one_message(desk: Desk) -> None:
    rule = {"name": "dear", "call_cost": 0.05}
    desk.spend("0.05")
    assert desk.look(rule).is_quiet
    desk.spend("0.0501", model="gpt-4o")
    dearest = desk.spend("0.0712", model="gpt-4o-mini")
    desk.look(rule)
    desk.look(rule)
    assert desk.sent == [
        f"⚠️ EXPENSIVE QUERY: $0.0712 and 1 more over $0.05: dear: gpt-4o-mini for call {dearest}"
    ]
    later = desk.spend("0.06", model="gpt-4o", user="u1")
    desk.look({**rule, "per": "user"})
    assert desk.sent[1:] == [
        f"⚠️ EXPENSIVE QUERY: $0.0600 over $0.05: dear: gpt-4o for user u1, call {later}",
    ]


def test_row_102_a_rate_of_errors_needs_enough_calls(desk: Desk) -> None:
    rule = {"name": "e", "error_rate": 5, "min_calls": 10, "window": "hour"}
    for number in range(9):
        desk.spend("0.01", status="error" if number == 0 else "success")
    assert desk.look(rule).is_quiet
    for _ in range(11):
        desk.spend("0.01")
    assert desk.look(rule).is_quiet  # 1 of 20 is 5 %, and not above it
    desk.spend("0.01", status="error")
    desk.look(rule)
    desk.look(rule)
    assert desk.sent == ["⚠️ Error Alert: e: 9.52% of 21 calls failed (limit: 5%) in 2026-11-25T12h"]


def test_another_limit_is_another_rule(desk: Desk) -> None:
    desk.spend("30")
    desk.look({"name": "b", "budget": 10})
    desk.look({"name": "b", "budget": 20})
    desk.look({"name": "b", "budget": 20.0})
    assert len(desk.sent) == 2


def test_a_dry_run_tells_nobody_and_remembers_nothing(desk: Desk) -> None:
    desk.spend("30")
    for _ in range(2):
        assert len(desk.look(DAILY, dry=True).fired) == 1
    assert desk.sent == []
    assert not desk.state.path.exists()


def test_a_channel_that_fails_is_tried_again_later_and_later_and_the_others_are_not(desk: Desk) -> None:
    tries: list[datetime] = []
    now = NOON

    def away(_message: str) -> None:
        tries.append(now)
        raise ConnectionRefusedError("smtp://user:secret@host")

    desk.channels["away"] = away
    desk.spend("30")
    for minute in range(64):
        now = NOON + timedelta(minutes=minute)
        desk.look(DAILY, now=now)
    assert [int((at - NOON).total_seconds()) // 60 for at in tries] == [0, 1, 3, 7, 15, 31, 63]
    assert len(desk.sent) == 1
    (stuck,) = desk.state.undelivered()
    assert (stuck["channel"], stuck["attempts"], stuck["error"]) == ("away", 7, "ConnectionRefusedError")
    assert "secret" not in desk.state.path.read_text()
    desk.channels["away"] = desk.sent.append
    now = NOON + timedelta(hours=3)
    assert [each.channel for each in desk.look(DAILY, now=now).sent] == ["away"]
    assert len(desk.sent) == 2
    assert list(desk.state.undelivered()) == []


def test_a_higher_step_takes_the_place_of_one_that_waits(desk: Desk) -> None:
    def away(_message: str) -> None:
        raise TimeoutError

    desk.channels["kept"] = away
    desk.spend("9")
    desk.look(DAILY)
    desk.channels["kept"] = desk.sent.append
    desk.spend("9")
    desk.look(DAILY)
    desk.look(DAILY, now=NOON + timedelta(hours=1))
    assert desk.sent == ["⚠️ Budget Alert: daily: $18.00 of $10.00 (180%) in 2026-11-25"]


def away(_message: str) -> None:
    raise ConnectionRefusedError


def test_a_step_that_is_crossed_while_a_lower_one_is_told_waits_for_its_channel(desk: Desk) -> None:
    """Another process finds it meanwhile, whose own connection is away."""

    def slow(message: str) -> None:
        desk.sent.append(message)
        desk.spend("9")
        desk.channels = {"kept": away}
        desk.look(DAILY)

    desk.channels = {"kept": slow}
    desk.spend("9")
    desk.look(DAILY)
    desk.channels = {"kept": desk.sent.append}
    desk.look(DAILY, now=NOON + timedelta(hours=1))
    assert ["(90%)" in desk.sent[0], "(180%)" in desk.sent[1], len(desk.sent)] == [True, True, 2]


def test_two_that_look_at_once_change_the_marks_one_after_the_other(tmp_path: Path) -> None:
    inside, order = threading.Event(), []

    def other() -> None:
        inside.wait(10)
        with State(tmp_path).changing(NOON) as marks:
            order.append(sorted(marks))

    thread = threading.Thread(target=other)
    thread.start()
    mark = Mark("r", "100", text_of(NOON), text_of(NOON), "said")
    with State(tmp_path).changing(NOON) as marks:
        inside.set()
        thread.join(0.3)
        assert not order
        marks["first"] = mark
    thread.join(10)
    assert order == [["first"]]


def test_what_no_channel_took_is_given_to_those_that_are_named_now_once(desk: Desk) -> None:
    """The channel that it waited for was replaced in the settings: the alert was forgotten with it."""
    desk.channels = {"slack": away}
    desk.spend("30")
    desk.look(DAILY)
    desk.channels = {"mail": desk.sent.append, "apprise": away}
    (delivery,) = desk.look(DAILY, now=NOON + timedelta(minutes=1)).sent
    assert (delivery.channel, len(desk.sent)) == ("mail", 1)
    assert {each["channel"] for each in desk.state.undelivered()} == {"slack", "apprise"}
    desk.channels["apprise"] = desk.sent.append  # it was named when the alert was given to all
    for minutes in range(2, 9):
        desk.look(DAILY, now=NOON + timedelta(minutes=minutes))
    assert len(desk.sent) == 2
    desk.channels = {"mail 1": desk.sent.append, "mail 2": desk.sent.append}
    assert desk.look(DAILY, now=NOON + timedelta(hours=1)).is_quiet
    assert len(desk.sent) == 2


def test_what_one_channel_took_is_not_told_over_one_that_comes_in_the_place_of_another(desk: Desk) -> None:
    desk.channels["slack"] = away
    desk.spend("30")
    desk.look(DAILY)
    desk.channels = {"kept": desk.sent.append, "apprise": desk.sent.append}
    assert desk.look(DAILY, now=NOON + timedelta(hours=1)).sent == ()
    assert len(desk.sent) == 1
    desk.channels["slack"] = desk.sent.append  # it is back
    assert [each.channel for each in desk.look(DAILY, now=NOON + timedelta(hours=1)).sent] == ["slack"]


def test_an_alert_that_was_printed_alone_is_not_told_again_over_the_first_channel(desk: Desk) -> None:
    desk.channels = {}
    desk.spend("30")
    desk.look(DAILY)
    desk.channels = {"kept": desk.sent.append}
    assert desk.look(DAILY, now=NOON + timedelta(hours=1)).is_quiet
    assert desk.sent == []


def test_a_state_that_does_not_say_who_took_an_alert_tells_it_nobody_else(desk: Desk) -> None:
    """One of an older outlay: mail had it perhaps."""
    desk.channels = {"slack": away}
    desk.spend("30")
    desk.look(DAILY)
    content = json.loads(desk.state.path.read_text())
    for mark in content["marks"].values():
        del mark["taken"]
    desk.state.path.write_text(json.dumps(content))
    desk.channels = {"mail": desk.sent.append}
    assert desk.look(DAILY, now=NOON + timedelta(hours=1)).sent == ()


def test_a_process_that_died_while_sending_leaves_it_to_the_next_check(desk: Desk) -> None:
    class Died(BaseException):
        pass

    def die(_message: str) -> None:
        raise Died

    desk.channels["kept"] = die
    desk.spend("30")
    with pytest.raises(Died):
        desk.look(DAILY)
    desk.channels["kept"] = desk.sent.append
    desk.look(DAILY, now=NOON + timedelta(minutes=1))
    assert desk.sent == []  # it might still be sending
    desk.look(DAILY, now=NOON + timedelta(minutes=3))
    assert len(desk.sent) == 1


def test_many_alerts_over_a_slow_channel_come_once_though_others_look_meanwhile(tmp_path: Path) -> None:
    """A lease of all of them, taken at the start, would be over before the last one is sent."""
    here, passed = Desk(tmp_path / "alerts"), 0.0
    sent: list[str] = []
    for number in range(6):
        here.spend("30", user=f"u{number}")
    rules = rules_of({"rules": [{"name": "each", "budget": 10, "per": "user"}]})

    def look(channel: Channel) -> Outcome:
        now = NOON + timedelta(seconds=passed)
        found = standings(rules, LedgerReader(here.ledger), now)
        return check(found, {"slow": channel}, State(tmp_path / "alerts"), now, passed=lambda: passed)

    def slow(message: str) -> None:
        nonlocal passed
        passed += 50
        if passed > 150:
            look(sent.append)  # another process, which waits for nothing
        sent.append(message)

    look(slow)
    assert len(sent) == 6
    assert len(set(sent)) == 6


def test_marks_of_windows_long_over_are_forgotten(desk: Desk) -> None:
    desk.spend("30")
    desk.look(DAILY)
    desk.look(DAILY, now=NOON + timedelta(days=9))
    assert json.loads(desk.state.path.read_text())["marks"] == {}


def test_a_damaged_state_is_set_aside_with_a_warning(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.spend("30")
    desk.look(DAILY)
    cut = desk.state.path.read_text()[:40]
    desk.state.path.write_text(cut)
    with caplog.at_level(logging.WARNING):
        desk.look(DAILY)
    assert len(desk.sent) == 2
    assert "could not be read" in caplog.text
    assert desk.state.path.with_name("state.json.bak").read_text() == cut


@pytest.mark.parametrize(
    ("name", "value"),
    [("step", "much"), ("until", "soon"), ("until", None), ("at", "x"), ("waiting", {"c": {}}), ("taken", 1)],
)
def test_a_mark_that_cannot_be_is_a_damaged_state(desk: Desk, name: str, value: object) -> None:
    desk.spend("30")
    desk.look(DAILY)
    content = json.loads(desk.state.path.read_text())
    for mark in content["marks"].values():
        mark[name] = value
    desk.state.path.write_text(json.dumps(content))
    desk.look(DAILY)
    assert len(desk.sent) == 2
    assert desk.state.path.with_name("state.json.bak").exists()


def test_a_damaged_state_that_cannot_be_set_aside_is_told_in_a_line(desk: Desk) -> None:
    desk.state.path.parent.mkdir()
    desk.state.path.write_text("{")
    desk.state.path.with_name("state.json.bak").mkdir()
    with pytest.raises(JournalError, match="damaged and cannot be set aside"):
        list(desk.state.undelivered())


def test_a_damaged_state_that_another_process_has_set_aside_holds_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.state.path.parent.mkdir()
    desk.state.path.write_text("{")

    def faster(path: Path, _target: Path) -> None:
        path.unlink()
        raise FileNotFoundError

    monkeypatch.setattr(Path, "replace", faster)
    assert desk.state.read() == {}


def test_the_time_of_a_mark_is_the_checks(desk: Desk) -> None:
    desk.spend("30")
    desk.look(DAILY)
    (mark,) = desk.state.read().values()
    assert instant(mark.at) == NOON
    assert (mark.rule, mark.step, mark.waiting) == ("daily", "100", {})
    assert desk.state.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "$0.00"),
        ("12.345", "$12.34"),
        ("1234567", "$1,234,567.00"),
        ("0.05", "$0.05"),
        ("0.0123456", "$0.012"),
        ("0.00001234", "$0.000012"),
    ],
)
def test_small_amounts_are_never_shown_as_nothing(value: str, text: str) -> None:
    assert amount(Decimal(value), "USD") == text
    assert amount(Decimal(value), "EUR") == f"{text[1:]} EUR"
