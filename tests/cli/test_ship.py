"""``outlay ship``, and what the doctor tells of it."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.faulty import FaultyLedger, of_user

from outlay import process
from outlay.cli import letters
from outlay.core.ports import Ledger
from outlay.ledger.ship import Offsets, making
from outlay.ledger.ship.turns import Turn
from outlay.settings import Settings
from outlay.testing import call

Outlay = Callable[..., Any]
URL = "postgresql://me:hush@127.0.0.1:1/calls"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FaultyLedger:
    """Give what stands in for the server's ledger."""
    ledger = FaultyLedger()

    def opened(_url: str | None, *, home: Path) -> Ledger:
        assert home.is_absolute()
        return ledger

    monkeypatch.setattr(making, "open_ledger", opened)
    monkeypatch.setattr("outlay.ledger.open_ledger", opened)
    return ledger


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Give a home in which two calls wait, one of which no server keeps."""
    here = process.use(Settings(home=tmp_path / "home"))
    for user in ("good", "bad"):
        here.recorder().sink.append(call(user=user))
    assert here.flush(10)
    process.use(Settings(home=tmp_path / "nowhere"))
    yield tmp_path / "home"
    process.use(None)


def test_once_ships_what_is_pending_and_the_doctor_tells_of_it(
    outlay: Outlay, server: FaultyLedger, home: Path
) -> None:
    server.refuses = of_user("bad")
    server.faults = ["before"]
    where = {"OUTLAY_LEDGER": URL, "OUTLAY_HOME": str(home)}
    failed = outlay("ship", "--json", **where)
    assert failed.returncode == 1
    told = json.loads(failed.stdout)
    assert (told["shipped"], told["error"]) == (0, "server closed the connection unexpectedly")
    assert told["pending_bytes"] > 0
    done = outlay("ship", "--once", "--json", **where)
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert (told["new_calls"], told["dead"], told["pending_bytes"], told["error"]) == (1, 1, 0, None)
    (shipping,) = json.loads(outlay("doctor", "--json", **where).stdout)["shipping"]
    assert (shipping["shipped"], shipping["dead"], shipping["pending_bytes"]) == (1, 1, 0)
    assert shipping["last_success"] is not None
    assert Path(shipping["dead_letters"]).read_text(encoding="utf-8").count("\n") == 1
    text = outlay("doctor", **where).stdout
    assert "shipping to postgresql://127.0.0.1:1/calls" in text
    assert "1 line was set aside in" in text
    assert "hush" not in text


def test_a_report_ships_first_what_this_home_has_for_the_server(
    outlay: Outlay, server: FaultyLedger, home: Path
) -> None:
    where = {"OUTLAY_LEDGER": URL, "OUTLAY_HOME": str(home)}
    report = outlay("report", "--json", **where)
    assert json.loads(report.stdout)["total"]["calls"] == 2
    assert server.info().calls == 2


def test_a_report_that_lacks_calls_says_so(
    outlay: Outlay, server: FaultyLedger, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults = ["before"] * 5
    report = outlay("report", "--json", OUTLAY_LEDGER=URL, OUTLAY_HOME=str(home))
    assert (report.returncode, json.loads(report.stdout)["total"]["calls"]) == (0, 0)
    assert "bytes of this home's journals are not in postgresql://127.0.0.1:1/calls yet" in caplog.text


@pytest.mark.parametrize("url", ["postgresql://me@127.0.0.1:9/x", "clickhouse://127.0.0.1:9/x"])
def test_why_a_question_fails_is_said_once_beside_what_waits(
    command: Callable[..., Any], tmp_path: Path, url: str
) -> None:
    """What waits cannot be shipped for the same reason that there is no answer."""
    program = "import outlay; outlay.record(provider='openai', model='gpt-4o', input_tokens=1)"
    (tmp_path / "prog.py").write_text(program, encoding="utf-8")
    where = {"OUTLAY_LEDGER": url, "OUTLAY_HOME": str(tmp_path / "home")}
    assert command("run", "prog.py", **where).returncode == 0
    done = command("report", **where)
    waits, why = done.stderr.splitlines()
    assert re.fullmatch(r"\d+ bytes of this home's journals are not in \S+/x yet", waits)
    assert (why.startswith("outlay: "), done.stderr.count("refused"), done.returncode) == (True, 1, 1)


def test_a_command_of_several_questions_says_it_once(
    outlay: Outlay, server: FaultyLedger, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults = ["before"] * 50
    outlay("doctor", OUTLAY_LEDGER=URL, OUTLAY_HOME=str(home))
    assert caplog.text.count("bytes of this home's journals are not in") == 1


def test_a_server_that_nothing_waits_for_is_not_said_to_have_answered(
    outlay: Outlay, server: FaultyLedger, home: Path
) -> None:
    where = {"OUTLAY_LEDGER": URL, "OUTLAY_HOME": str(home)}
    assert outlay("ship", **where).stdout.startswith("2 entries to postgresql://127.0.0.1:1/calls in ")
    again = outlay("ship", **where)
    told = "nothing waits for postgresql://127.0.0.1:1/calls; it was not asked\n"
    assert (again.returncode, again.stdout) == (0, told)


def test_a_ledger_named_for_reading_is_not_given_this_homes_calls(
    outlay: Outlay, server: FaultyLedger, home: Path
) -> None:
    """Else a look at another's ledger would put calls into it that are none of its."""
    report = outlay("report", "--json", "--ledger", URL, OUTLAY_LEDGER="", OUTLAY_HOME=str(home))
    assert json.loads(report.stdout)["total"]["calls"] == 0
    assert server.info().calls == 0


def test_without_a_server_there_is_nothing_to_ship_to(outlay: Outlay) -> None:
    done = outlay("ship")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert outlay("ship", "--once", "--follow").returncode == 2


def test_dead_letters_are_listed_retried_and_discarded(
    outlay: Outlay, server: FaultyLedger, home: Path
) -> None:
    where = {"OUTLAY_LEDGER": URL, "OUTLAY_HOME": str(home)}
    server.refuses = of_user("bad")
    outlay("ship", **where)
    listed = outlay("ship", "--dead", "list", "--json", **where)
    found = json.loads(listed.stdout)
    (letter,), target = found["dead"], found["target"]
    assert (letter["reason"], target) == ("a value is out of range", "postgresql://127.0.0.1:1/calls")
    assert letter["id"] in outlay("ship", "--dead", "list", **where).stdout
    again = outlay("ship", "--dead", "retry", "--json", **where)
    assert (again.returncode, json.loads(again.stdout)["dead"], server.info().calls) == (1, 1, 1)
    server.refuses = of_user("nobody")
    again = outlay("ship", "--dead", "retry", **where)
    assert (again.returncode, again.stdout) == (0, "1 line kept, 1 new call; 0 refused still\n")
    assert server.info().calls == 2
    assert outlay("ship", "--dead", "list", **where).stdout == "no lines are set aside\n"
    (shipping,) = json.loads(outlay("doctor", "--json", **where).stdout)["shipping"]
    assert (shipping["dead"], shipping["dead_letters"]) == (0, None)


def test_dead_letters_are_given_up_only_by_who_says_so(
    outlay: Outlay, server: FaultyLedger, home: Path
) -> None:
    where = {"OUTLAY_LEDGER": URL, "OUTLAY_HOME": str(home)}
    server.refuses = of_user("bad")
    outlay("ship", **where)
    asked = outlay("ship", "--dead", "discard", **where)
    assert (asked.returncode, asked.stdout, "--yes" in asked.stderr) == (2, "", True)
    done = outlay("ship", "--dead", "discard", "--yes", "--json", **where)
    assert (done.returncode, json.loads(done.stdout)["discarded"]) == (0, 1)
    assert json.loads(outlay("ship", "--dead", "list", "--json", **where).stdout)["dead"] == []
    assert outlay("ledger", "verify", **where).returncode == 0


def test_who_is_asked_and_declines_is_told_that_nothing_was_given_up(
    outlay: Outlay, server: FaultyLedger, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = {"OUTLAY_LEDGER": URL, "OUTLAY_HOME": str(home)}
    server.refuses = of_user("bad")
    outlay("ship", **where)
    monkeypatch.setattr(letters, "sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    monkeypatch.setattr("click.confirm", lambda *_, **__: False)
    done = outlay("ship", "--dead", "discard", **where)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "nothing was given up\n")
    assert len(json.loads(outlay("ship", "--dead", "list", "--json", **where).stdout)["dead"]) == 1


def test_a_server_that_a_home_has_left_is_given_up(outlay: Outlay, server: FaultyLedger, home: Path) -> None:
    """Each call after a move waited for the old one, and doctor said to ship there ever after."""
    server.refuses = of_user("bad")
    where = {"OUTLAY_LEDGER": URL, "OUTLAY_HOME": str(home)}
    assert outlay("ship", **where).returncode == 0
    kept = outlay("ship", "--forget", **where)
    assert (kept.returncode, kept.stderr.count("\n")) == (2, 1)
    assert "settings say that calls go to" in kept.stderr
    moved = {"OUTLAY_LEDGER": "clickhouse://h/d", "OUTLAY_HOME": str(home)}
    strange = outlay("ship", "--ledger", "postgresql://elsewhere/d", "--forget", **moved)
    assert (strange.returncode, "ships nothing to" in strange.stderr) == (1, True)
    turn = Turn(Offsets(home, URL).lock)
    assert turn.take()
    busy = outlay("ship", "--ledger", URL, "--forget", **moved)
    turn.give()
    assert (busy.returncode, "at this moment" in busy.stderr) == (1, True)
    done = outlay("ship", "--ledger", URL, "--forget", "--json", **moved)
    told = json.loads(done.stdout)
    assert told["forgotten"] == "postgresql://127.0.0.1:1/calls"
    assert Path(told["dead_letters"]).is_file()
    assert "hush" not in done.stdout + strange.stderr + busy.stderr + kept.stderr
    assert not any(each["target"] == told["forgotten"] for each in targets_of(outlay, moved))
    assert (outlay("ship", **where).returncode, server.info().calls) == (0, 1)


def targets_of(outlay: Outlay, where: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(outlay("doctor", "--json", **where).stdout)["shipping"]
    return found


def test_one_of_once_follow_and_dead(outlay: Outlay) -> None:
    done = outlay("ship", "--once", "--dead", "list", OUTLAY_LEDGER=URL)
    assert (done.returncode, "take one of" in done.stderr) == (2, True)


def test_verify_counts_what_a_server_did_not_take(outlay: Outlay, server: FaultyLedger, home: Path) -> None:
    """It said that all agree while both lines of the journal were refused."""
    where = {"OUTLAY_LEDGER": URL, "OUTLAY_HOME": str(home)}
    server.faults = ["before"] * 100
    done = outlay("ledger", "verify", "--json", **where)
    told = json.loads(done.stdout)
    assert (done.returncode, told["agree"], told["pending"], told["disagreements"]) == (1, False, 2, [])
    assert told["ledger"]["pending_bytes"] > 0
    done = outlay("ledger", "verify", **where)
    assert (done.returncode, done.stdout.startswith("2 lines ("), "agree" in done.stdout) == (1, True, False)
    assert "pending " in outlay("ledger", "info", **where).stdout
    server.faults = []
    outlay("ship", **where)
    told = json.loads(outlay("ledger", "verify", "--json", **where).stdout)
    assert (told["agree"], told["pending"], told["ledger"]["pending_bytes"]) == (True, 0, 0)
