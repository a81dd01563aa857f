"""``outlay alerts``: rules looked at from cron, over real receivers, restarts and processes."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from tests.support.command import Command, Done, command_here, run_command
from tests.support.receivers import mails, web

from outlay import process
from outlay.alerts import send_alert
from outlay.alerts.check import check
from outlay.alerts.rules import rules_of
from outlay.alerts.send import channels, post
from outlay.alerts.standing import standings
from outlay.alerts.state import State
from outlay.ledger import MemoryLedger
from outlay.report import LedgerReader
from outlay.settings import Settings
from outlay.testing import call

RULES = """
[[alerts.rules]]
name = "daily"
budget = 1

[[alerts.rules]]
name = "dear"
call_cost = 5
"""


def spend(folder: Path, cost: str) -> None:
    """Record a call."""
    here = process.use(Settings(home=folder / "ledger"))
    here.recorder().record(provider="openai", model="gpt-4o", cost=cost)
    process.use(None)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Give the command in a folder without rules."""
    return command_here(tmp_path, monkeypatch, capsys)


@pytest.fixture
def outlay(bare: Command, tmp_path: Path) -> Command:
    (tmp_path / "outlay.toml").write_text(RULES)
    return bare


def document(done: Done) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_row_102_nothing_fires_is_zero_and_something_is_one(outlay: Command, tmp_path: Path) -> None:
    quiet = outlay("alerts", "check")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    spend(tmp_path, "1.50")
    dry = outlay("alerts", "check", "--dry-run", "--json")
    assert (dry.returncode, [each["rule"] for each in document(dry)["fired"]]) == (1, ["daily"])
    fired = outlay("alerts", "check")
    assert fired.returncode == 1
    assert fired.stdout.startswith("ALERT: ⚠️ Budget Alert: daily: $1.50 of $1.00 (150%) in ")
    again = outlay("alerts", "check", "--json")
    assert (again.returncode, document(again)["fired"]) == (0, [])


def test_list_says_how_rules_stand(outlay: Command, tmp_path: Path) -> None:
    spend(tmp_path, "0.25")
    listed = outlay("alerts", "list", "--json")
    daily, dear = document(listed)["rules"]
    assert (daily["name"], daily["limit"], daily["standing"][0]["value"]) == ("daily", "1", "0.25")
    assert (daily["standing"][0]["percent"], daily["standing"][0]["told"]) == ("25", None)
    assert (dear["kind"], dear["standing"]) == ("call_cost", [])
    text = outlay("alerts", "list").stdout
    assert "$0.250000" in text
    assert "25%" in text


def test_without_rules_there_is_nothing_to_do(bare: Command) -> None:
    outlay = bare
    checked, listed = outlay("alerts", "check"), outlay("alerts", "list")
    assert checked.returncode == 0
    assert checked.stderr == f"outlay: {listed.stdout}"  # the same way out
    assert "no rules; write them into outlay.toml" in listed.stdout
    assert document(outlay("alerts", "list", "--json")) == {"rules": []}


def test_a_rule_that_cannot_be_is_one_line_and_two(bare: Command, tmp_path: Path) -> None:
    outlay = bare
    (tmp_path / "outlay.toml").write_text("[[alerts.rules]]\nbudgte = 1\n")
    for args in (("alerts", "check"), ("alerts", "list", "--json")):
        done = outlay(*args)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "outlay: alerts.rules 1: unknown key 'budgte'; did you mean budget?\n"
    assert outlay("report").returncode == 0  # only alerts are off, and doctor says so
    assert "alerts are off" in outlay("doctor").stdout


def test_row_100_and_102_mail_and_slack_get_a_crossing_once_over_restarts_and_processes(
    tmp_path: Path,
) -> None:
    (tmp_path / "outlay.toml").write_text(RULES)
    outlay = run_command(tmp_path)
    with web() as slack, mails() as server:
        where = {
            "OUTLAY_ALERT_SLACK": slack.url,
            "OUTLAY_ALERT_SMTP": server.url,
            "OUTLAY_ALERT_EMAIL": "team@example.org",
        }
        spend(tmp_path, "1.50")
        with ThreadPoolExecutor(4) as pool:
            codes = [
                each.returncode for each in pool.map(lambda _: outlay("alerts", "check", **where), range(4))
            ]
        assert sorted(codes) == [0, 0, 0, 1]
        assert outlay("alerts", "check", **where).returncode == 0
        assert len(slack.got) == len(server.got) == 1
        (letter,) = server.got
        assert slack.got[0]["text"].startswith("⚠️ Budget Alert: daily: $1.50 of $1.00")
        assert (letter["To"], letter["Subject"]) == ("team@example.org", "LLM cost alert")
        assert letter.get_content().strip() == slack.got[0]["text"]
        spend(tmp_path, "6")
        assert outlay("alerts", "check", **where).returncode == 1
        assert "EXPENSIVE QUERY: $6.0000 over $5.00" in slack.got[1]["text"]
        assert len(server.got) == 2


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # apprise still tries it
def test_row_100_any_other_channel_by_apprise_from_the_file(bare: Command, tmp_path: Path) -> None:
    outlay = bare
    with web() as taker:
        address = taker.url.replace("http://", "json://")
        (tmp_path / "outlay.toml").write_text(f'[alerts]\napprise = ["{address}"]\n{RULES}')
        spend(tmp_path, "1.50")
        done = outlay("alerts", "check", "--json")
        assert [each["channel"] for each in document(done)["sent"]] == ["apprise"]
        assert taker.got[0]["message"].startswith("⚠️ Budget Alert: daily: $1.50")


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # apprise still tries it
def test_an_apprise_address_that_refuses_has_the_others_told_once(tmp_path: Path) -> None:
    with web() as good, web() as bad:
        bad.status = 503
        urls = " ".join(each.url.replace("http://", "json://") for each in (good, bad))
        reached = channels({"OUTLAY_ALERT_APPRISE": urls})
        rules = rules_of({"rules": [{"name": "daily", "budget": 1}]})
        ledger, now = MemoryLedger(), datetime(2026, 11, 25, 12, tzinfo=UTC)
        ledger.add([call(now, cost="2")])
        for minute in (0, 2, 5):
            later = now + timedelta(minutes=minute)
            found = standings(rules, LedgerReader(ledger), later)
            outcome = check(found, reached, State(tmp_path), later)
            assert [delivery.channel for delivery, _ in outcome.failed] == ["apprise 2"]
        assert len(good.got) == 1


def test_row_100_an_alert_by_hand_goes_where_the_file_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    with web() as slack:
        (tmp_path / "outlay.toml").write_text(f'[alerts]\nslack = "{slack.url}"\n')
        send_alert("too dear")
        assert slack.got == [{"text": "too dear"}]
        (tmp_path / "outlay.toml").write_text("alerts = 3\n")
        send_alert("too dear")
    assert "only where the environment says" in caplog.text


def test_a_channel_that_refuses_keeps_no_connection() -> None:
    with web() as slack:
        slack.status = 503
        with pytest.raises(HTTPError) as refused:
            post(slack.url, "too dear")
        assert refused.value.closed


def test_an_unreachable_channel_is_told_by_doctor_and_tried_again(outlay: Command, tmp_path: Path) -> None:
    with web() as slack:
        slack.status = 503
        where = {"OUTLAY_ALERT_SLACK": slack.url}
        spend(tmp_path, "1.50")
        done = outlay("alerts", "check", **where)
        assert done.returncode == 1
        assert "slack did not take an alert (HTTPError 503); it is sent again" in done.stderr
        found = document(outlay("doctor", "--json", **where))
        assert found["alerts"]["channels"] == ["slack"]
        (stuck,) = found["alerts"]["undelivered"]
        assert (stuck["rule"], stuck["error"], stuck["attempts"]) == ("daily", "HTTPError 503", 1)
        said = outlay("doctor", **where).stdout
        assert "1 alert could not be sent to slack (HTTPError 503)" in said
        again = stuck["next"][:19].replace("T", " ")
        assert (
            f"mend slack in [alerts], or OUTLAY_ALERT_SLACK; outlay alerts check tries again from {again}"
            in said
        )
        (standing,) = document(outlay("alerts", "list", "--json"))["rules"][0]["standing"]
        assert (standing["told"], standing["waiting"]) == (None, ["slack"])
        assert "not by slack yet" in outlay("alerts", "list").stdout
        slack.status = 200
        done = outlay("alerts", "check", **where)
        assert (done.returncode, done.stdout) == (0, "")  # not yet: it waits a minute
        assert (
            done.stderr == f"outlay: an alert still waits for slack; it is sent again from {again} UTC on\n"
        )
        waiting = document(outlay("alerts", "check", "--json", **where))["waiting"]
        assert waiting == [{"channel": "slack", "message": stuck["message"], "next": stuck["next"]}]
        assert slack.got == []
        state = tmp_path / "ledger" / "alerts" / "state.json"
        state.write_text(state.read_text().replace(stuck["next"], stuck["at"]))
        done = outlay("alerts", "check", "--json", **where)
        assert (done.returncode, len(document(done)["sent"]), len(slack.got)) == (0, 1, 1)
        assert document(outlay("doctor", "--json", **where))["alerts"]["undelivered"] == []


def test_an_alert_that_nobody_took_is_told_by_doctor_whatever_channels_are_named_now(
    outlay: Command, tmp_path: Path
) -> None:
    """It was silent as soon as the channel that refused was replaced."""
    with web() as slack, web() as other:
        slack.status = other.status = 503
        spend(tmp_path, "1.50")
        assert outlay("alerts", "check", OUTLAY_ALERT_SLACK=slack.url).returncode == 1

        def undelivered(**where: str) -> list[tuple[str, str]]:
            found = document(outlay("doctor", "--json", **where))["findings"]
            return [(each["what"], each["do"]) for each in found if each["name"] == "undelivered"]

        then = "outlay alerts check then gives it to that one"
        assert undelivered() == [(
            "1 alert was taken by no channel (slack: HTTPError 503), and none that it waits for is named now",
            f"name slack, apprise, or smtp and email in [alerts]; {then}",
        )]  # fmt: skip
        named = {"OUTLAY_ALERT_APPRISE": f"json{other.url.removeprefix('http')}"}
        assert [do for _, do in undelivered(**named)] == ["outlay alerts check gives it to apprise"]
        assert outlay("alerts", "check", **named).returncode == 1
        ((what, _),) = undelivered(**named)
        assert what.startswith("1 alert could not be sent to apprise (")
        other.status = 200
        state = tmp_path / "ledger" / "alerts" / "state.json"
        text = state.read_text()
        for each in document(outlay("doctor", "--json", **named))["alerts"]["undelivered"]:
            text = text.replace(each["next"], each["at"])
        state.write_text(text)
        assert outlay("alerts", "check", **named).returncode == 0
        assert len(other.got) == 1
        assert undelivered(**named) == undelivered() == []


def test_without_apprise_the_extra_is_named(
    bare: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    (tmp_path / "outlay.toml").write_text(f'[alerts]\napprise = "json://127.0.0.1:1"\n{RULES}')
    spend(tmp_path, "1.50")
    done = bare("alerts", "check")
    assert done.returncode == 1
    said, run = "apprise is not installed", 'pip install "outlay[alerts]"'
    assert f"apprise did not take an alert ({said}; run: {run}); it is sent again" in done.stderr
    advised = f"1 alert could not be sent to apprise ({said}): {run}; outlay alerts check tries again from "
    assert advised in bare("doctor").stdout


@pytest.mark.parametrize(
    ("settings", "lacks"),
    [('email = "a@example.org"', "smtp"), ('smtp = "smtp://mail.example.org"', "email")],
)
def test_half_of_what_mail_needs_is_no_channel_and_no_silence(
    bare: Command, tmp_path: Path, settings: str, lacks: str
) -> None:
    (tmp_path / "outlay.toml").write_text(f"[alerts]\n{settings}\n{RULES}")
    spend(tmp_path, "1.50")
    said = f"mail needs smtp and email: name {lacks} in [alerts], or OUTLAY_ALERT_{lacks.upper()}"
    done = bare("alerts", "check")
    assert (done.returncode, done.stderr) == (2, f"outlay: {said}\n")
    looked = bare("doctor")
    assert looked.returncode == 1
    assert f"alerts are off ({said})" in " ".join(looked.stdout.split())


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ('slack = "hooks.example.org/SECRET"', "a webhook is an http or https URL"),
        (
            'smtp = "mail.example.org"\nemail = "a@example.org"',
            "a mail server is written smtp://USER:PASSWORD@HOST:PORT",
        ),
        ('apprise = "nonsense-SECRET"', "an apprise address cannot be read"),
        ('slack = "http://127.0.0.1:1/SECRET"', "ConnectionRefusedError"),
    ],
)
def test_an_address_that_cannot_be_says_what_one_is_and_keeps_its_secret(
    bare: Command, tmp_path: Path, settings: str, why: str
) -> None:
    (tmp_path / "outlay.toml").write_text(f"[alerts]\n{settings}\n{RULES}")
    spend(tmp_path, "1.50")
    said = bare("alerts", "check").stderr
    assert f"did not take an alert ({why}); it is sent again" in said
    assert "SECRET" not in said
