"""What doctor advises for a ledger that its command line named, and of addresses that were typed wrongly."""

import json
import shlex
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Done

from outlay.cli.typed import option_of, with_option
from outlay.ledger.ship import Offsets, targets

Outlay = Callable[..., Done]
SLIP = "postgresql://me:hush@127.0.0.1:1/slip"
SHOWN = "postgresql://127.0.0.1:1/slip"


def findings(outlay: Outlay, *args: str, **more: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(outlay("doctor", "--json", *args, **more).stdout)["findings"]
    return found


def spoil(home: Path) -> None:
    """Leave a line that nobody can read."""
    (segment,) = (home / "journal").iterdir()
    with segment.open("a", encoding="utf-8") as file:
        file.write("{no json}\n")


@pytest.fixture
def other(outlay: Outlay, tmp_path: Path) -> Path:
    """Give a ledger that no setting names, with a faulty line and a model without a price."""
    folder = tmp_path / "the other"
    done = outlay("demo", "--calls", "1", "--no-sleep", OUTLAY_LEDGER=str(folder))
    assert done.returncode == 0
    spoil(folder)
    return folder


def test_a_line_that_doctor_prints_works_as_it_stands(outlay: Outlay, other: Path) -> None:
    """The ledger that was looked at is another than the one that a line without it would look at."""
    (faulty,) = [each for each in findings(outlay, "--ledger", str(other)) if each["name"] == "faulty"]
    assert faulty["do"] == (
        f"outlay --ledger '{other}' doctor --json names each, under faults;"
        f" then outlay --ledger '{other}' doctor --acknowledge"
    )
    text = outlay("doctor", "--ledger", str(other)).stdout.splitlines()
    assert text[-1] == f"first: {faulty['do']}"
    for line in faulty["do"].split("; then "):
        done = outlay(*shlex.split(line.partition(" names")[0])[1:])
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout
    assert not [each for each in findings(outlay, "--ledger", str(other)) if each["name"] == "faulty"]
    assert all("--ledger" not in each["do"] for each in findings(outlay))


@pytest.mark.parametrize(("ledger", "option"), [
    (None, None), ("folder", "--ledger folder"), ("~/a b", "--ledger '~/a b'"),
    (SLIP, "--ledger postgresql://USER:PASSWORD@127.0.0.1:1/slip"), ("chdb:///f", "--ledger chdb:///f"),
])  # fmt: skip
def test_the_option_is_that_of_the_line_and_shows_no_password(ledger: str | None, option: str | None) -> None:
    assert option_of(ledger) == option


def test_only_commands_about_the_ledger_take_it() -> None:
    advice = (
        "outlay ledger late shows them; outlay prices set m && outlay reprice; then outlay ship --ledger u"
    )
    assert with_option(advice, "--ledger f") == (
        "outlay --ledger f ledger late shows them; outlay --ledger f prices set m"
        " && outlay --ledger f reprice; then outlay ship --ledger u"
    )
    for same in ("pip install --upgrade outlay", "mend [alerts] in outlay.toml", "outlay's own hooks know"):
        assert with_option(same, "--ledger f") == same


@pytest.fixture
def home(outlay: Outlay, tmp_path: Path) -> Path:
    """Give a home from which a server's address was once typed wrongly."""
    assert outlay("demo", "--calls", "1", "--no-sleep").returncode == 0
    done = outlay("ship", "--ledger", SLIP, OUTLAY_HOME=str(tmp_path / "ledger"))
    assert done.returncode == 1
    (slip,) = targets(tmp_path / "ledger")
    assert slip.target == SHOWN
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    Offsets(tmp_path / "ledger", SLIP).write(replace(slip, last_error_at=an_hour_ago))
    return tmp_path / "ledger"


def test_an_address_that_was_a_slip_is_good_to_know_and_can_be_forgotten(outlay: Outlay, home: Path) -> None:
    """It had been the first thing to do from then on, until a file was removed."""
    text = outlay("doctor").stdout.splitlines()
    assert text[-1] == "all is well"
    *_, last = findings(outlay)
    assert (last["name"], last["level"]) == ("never reached", "note")
    assert last["what"].startswith(f"{SHOWN} has never taken a call (")
    assert last["do"] == "if it was a slip, outlay doctor --acknowledge"
    done = outlay("doctor", "--acknowledge")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"forgotten: {SHOWN}, which never took a call\n"
    assert targets(home) == []
    assert "never reached" not in {each["name"] for each in findings(outlay)}
    assert json.loads(outlay("doctor", "--acknowledge", "--json").stdout)["forgotten"] == []


def test_a_server_that_is_away_at_first_is_behind_where_it_is_named(
    outlay: Outlay, home: Path, tmp_path: Path
) -> None:
    """Whoever looks at another ledger meanwhile does not forget it."""
    where = {"OUTLAY_LEDGER": SLIP, "OUTLAY_HOME": str(home)}
    assert [each["name"] for each in findings(outlay, **where) if each["level"] == "fault"] == ["server"]
    for at in ((), ("--ledger", str(home))):
        outlay("doctor", "--acknowledge", *at, **where)
        assert [each.target for each in targets(home)] == [SHOWN]
    (behind,) = [each for each in findings(outlay, "--ledger", str(home), **where) if SHOWN in each["what"]]
    assert (behind["name"], behind["level"]) == ("not shipped", "advice")
    (tmp_path / "outlay.toml").write_text(f'ledger = "{SLIP}"\n', encoding="utf-8")
    outlay("doctor", "--acknowledge", "--ledger", str(home), OUTLAY_LEDGER="", OUTLAY_HOME=str(home))
    assert [each.target for each in targets(home)] == [SHOWN]


def test_a_server_that_is_tried_again_and_again_is_no_slip(outlay: Outlay, home: Path) -> None:
    """A program ships to it by its own environment: the calls so far would never have reached it."""
    offsets = Offsets(home, SLIP)
    offsets.write(replace(offsets.read(), last_error_at=datetime.now(UTC) - timedelta(minutes=2)))
    (behind,) = [each for each in findings(outlay) if SHOWN in each["what"]]
    assert (behind["name"], behind["level"]) == ("not shipped", "advice")
    assert outlay("doctor", "--acknowledge").stdout.startswith(f"kept: {SHOWN}")
    assert [each.target for each in targets(home)] == [SHOWN]


def test_an_address_that_was_tried_just_now_is_told_why_it_does_not_go_yet(
    outlay: Outlay, home: Path
) -> None:
    """Of ten minutes nothing was said, and the server was the first thing to do meanwhile."""
    offsets = Offsets(home, SLIP)
    tried = datetime.now(UTC) - timedelta(minutes=2)
    offsets.write(replace(offsets.read(), last_error_at=tried))
    again = f"{tried + timedelta(minutes=10):%Y-%m-%d %H:%M:%S} UTC"
    (behind,) = [each for each in findings(outlay) if SHOWN in each["what"]]
    assert behind["do"].endswith(f"; if it was a slip, outlay doctor --acknowledge after {again}")
    done = outlay("doctor", "--acknowledge")
    assert done.stdout == (
        f"kept: {SHOWN}, which never took a call and was tried at {tried:%Y-%m-%d %H:%M:%S} UTC;"
        f" if nothing tries it again, outlay doctor --acknowledge forgets it after {again}\n"
    )
    (kept,) = json.loads(outlay("doctor", "--acknowledge", "--json").stdout)["kept"]
    assert (kept["target"], kept["until"][:19]) == (
        SHOWN,
        f"{tried + timedelta(minutes=10):%Y-%m-%dT%H:%M:%S}",
    )


def test_a_servers_file_that_cannot_be_read_keeps_journals_and_is_told(outlay: Outlay, home: Path) -> None:
    """Nothing said so: no journal was ever removed any more."""
    file = Offsets(home, SLIP).file
    file.write_text('{"target"', encoding="utf-8")
    (spoilt,) = [each for each in findings(outlay) if each["name"] == "spoilt progress"]
    assert (spoilt["level"], spoilt["what"]) == (
        "advice", f"how far a server is cannot be read in {file}; journals are kept for it"
    )  # fmt: skip
    assert spoilt["do"] == f"move {file} away; if a program ships there still, it begins anew, each call once"
    file.rename(home / "away")
    assert outlay("doctor").stdout.splitlines()[-1] == "all is well"


def test_a_server_that_took_calls_is_never_a_slip(outlay: Outlay, home: Path) -> None:
    offsets = Offsets(home, SLIP)
    offsets.write(replace(offsets.read(), last_success=datetime.now(UTC), shipped=1))
    assert "not shipped" in {each["name"] for each in findings(outlay)}
    assert outlay("doctor", "--acknowledge").stdout == "there is nothing new to take note of\n"
    assert [each.target for each in targets(home)] == [SHOWN]
