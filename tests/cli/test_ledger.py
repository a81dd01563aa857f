"""``outlay ledger``: keeping house from the command line."""

import io
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.command import command_here

from outlay.ledger import DuckLedger
from outlay.testing import call

Outlay = Callable[..., Any]
TODAY = datetime.now(UTC)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Give the folder of a ledger with three old calls and one of now."""
    ledger = DuckLedger(tmp_path / "ledger")
    ledger.add([call(TODAY - timedelta(days=500 + n), model=f"m{n}") for n in range(3)])
    ledger.add([call(TODAY, model="m1")])
    ledger.close()
    return tmp_path / "ledger"


@pytest.mark.usefixtures("kept")
def test_prune_says_what_it_would_do_and_does_it_only_when_told_to(outlay: Outlay) -> None:
    done = outlay("ledger", "prune", "--older-than", "400d", "--dry-run", "--json")
    plan = json.loads(done.stdout)
    assert (plan["calls"], plan["rollups"], plan["costs"], plan["dry_run"]) == (3, 3, {"USD": "0.3"}, True)
    asked = outlay("ledger", "prune", "--older-than", "400d")
    assert (asked.returncode, asked.stdout) == (2, "")
    assert "--yes" in asked.stderr
    assert json.loads(outlay("ledger", "info", "--json").stdout)["pruned_calls"] == 0
    done = outlay("ledger", "prune", "--older-than", "400d", "--yes")
    assert (done.returncode, done.stdout.startswith("3 calls before ")) == (0, True)
    assert " (0.3 USD)" in done.stdout
    report = json.loads(outlay("report", "--by", "model", "--json").stdout)
    assert {row["model"]: row["calls"] for row in report["rows"]} == {"m0": 1, "m1": 2, "m2": 1}
    assert (report["total"]["cost"], report["rolled"]) == ("0.4", 3)
    assert "3 of these calls are kept as daily totals" in outlay("report").stdout
    assert outlay("ledger", "verify").stdout == "all agree: 1 call, 3 more in daily totals\n"


class Terminal(io.StringIO):
    """Somebody who answers."""

    def isatty(self) -> bool:
        return True


@pytest.mark.usefixtures("kept")
def test_prune_asks_where_no_data_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the output in a file nobody would see the question, and the file would begin with it."""
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    asked = command_here(tmp_path, monkeypatch, capsys)("ledger", "prune", "--older-than", "400d")
    assert (asked.returncode, asked.stdout.strip()) == (1, "")
    assert "cannot be undone. Go on? [y/N]:" in asked.stderr


@pytest.mark.usefixtures("kept")
def test_prune_wants_one_moment_in_the_past(outlay: Outlay) -> None:
    for wrong in (
        (),
        ("--older-than", "400d", "--before", "2025-01-01"),
        ("--older-than", "soon"),
        ("--before", "2999-01-01"),
        ("--older-than", "1h"),
    ):
        done = outlay("ledger", "prune", "--yes", *wrong)
        if wrong != ("--older-than", "1h"):
            assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), wrong
        else:  # of the day that has begun nothing is pruned
            assert done.returncode == 0


def test_verify_ends_with_one_where_things_disagree(outlay: Outlay, kept: Path) -> None:
    segment = kept / "journal" / "20261101T000000-host-1-00000000.jsonl"
    segment.parent.mkdir(exist_ok=True)
    segment.write_bytes(b"{broken\n")
    assert outlay("ledger", "verify").returncode == 0
    segment.write_bytes(b"")
    done = outlay("ledger", "verify", "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert (found["agree"], len(found["disagreements"])) == (False, 2)
    text = outlay("ledger", "verify")
    assert f"{segment.name}: bytes taken in: 0 at most expected, 8 found" in text.stdout


@pytest.mark.usefixtures("kept")
def test_info_migrate_and_compact(outlay: Outlay) -> None:
    lines = outlay("ledger", "info").stdout.splitlines()
    assert dict(line.split(maxsplit=1) for line in lines)["pruned_before"] == "never"
    told = json.loads(outlay("ledger", "info", "--json").stdout)
    assert (told["recorded"], told["pruned_before"]) == (4, None)
    assert outlay("ledger", "migrate").stdout.startswith("already at schema ")
    assert json.loads(outlay("ledger", "compact", "--json").stdout)["after_bytes"] > 0


def test_info_of_a_folder_that_settings_name_and_that_is_not_there_yet(
    outlay: Outlay, tmp_path: Path
) -> None:
    """It had told of an empty ledger in a temporary folder, with a size."""
    named = tmp_path / "ledger"
    done = outlay("ledger", "info")
    said = f"there is nothing in {named} yet; the first call makes the ledger\n"
    assert (done.returncode, done.stdout) == (0, said)
    told = json.loads(outlay("ledger", "info", "--json").stdout)
    assert (told["ledger"], told["schema"], told["recorded"]) == (str(named), 0, 0)
    assert "size_bytes" not in told
    checked = json.loads(outlay("ledger", "verify", "--json").stdout)
    assert (checked["agree"], checked["ledger"]) == (True, told)
    assert outlay("ledger", "migrate").stdout == said
    assert json.loads(outlay("ledger", "migrate", "--json").stdout) == {"before": 0, "after": 0}
    assert outlay("ledger", "compact").stdout == said
    done = outlay("ledger", "compact", "--json")
    assert json.loads(done.stdout) == {"before_bytes": 0, "after_bytes": 0}
    assert not named.exists()


def test_late_shows_what_came_when_its_day_was_pruned(outlay: Outlay, kept: Path) -> None:
    assert outlay("ledger", "late").stdout == "no call came too late\n"
    outlay("ledger", "prune", "--older-than", "400d", "--yes")
    ledger = DuckLedger(kept)
    missed = [call(TODAY - timedelta(days=510 + n), user=f"u{n}", cost="0.25") for n in range(2)]
    ledger.add(missed)
    ledger.close()
    text = outlay("ledger", "late", "-n", "1").stdout
    assert (missed[0].id in text, missed[1].id in text) == (True, False)
    assert text.endswith("2 in all, in no total; --count-in or --discard settles them\n")
    lines = outlay("export", "--format", "jsonl", "--ledger", str(kept)).stdout
    (kept.parent / "again.jsonl").write_text(lines, encoding="utf-8")
    again = outlay("import", str(kept.parent / "again.jsonl"))
    told = (
        "outlay: 2 calls of days that had been pruned came late, in no total; outlay ledger late shows them\n"
    )
    assert (again.returncode, again.stderr) == (0, told)
    found = json.loads(outlay("ledger", "late", "--json").stdout)
    assert (found["late"], [each["user"] for each in found["calls"]]) == (2, ["u0", "u1"])
    assert {each["cost"] for each in found["calls"]} == {"0.25"}
    assert outlay("ledger", "late", "-n", "0").returncode == 2
    assert outlay("ledger", "late", "-n", str(10**20), "--json").returncode == 0  # as others with -n


@pytest.mark.parametrize(
    ("flag", "verb", "calls"), [("--count-in", "count-in", 6), ("--discard", "discard", 4)]
)
def test_late_calls_are_settled_when_told_to(
    outlay: Outlay, kept: Path, flag: str, verb: str, calls: int
) -> None:
    outlay("ledger", "prune", "--older-than", "400d", "--yes")
    ledger = DuckLedger(kept)
    ledger.add([call(TODAY - timedelta(days=510 + n), cost="0.25") for n in range(2)])
    ledger.close()
    plan = json.loads(outlay("ledger", "late", flag, "--dry-run", "--json").stdout)
    rollups = 2 if verb == "count-in" else 0
    told = {"action": verb, "calls": 2, "rollups": rollups, "costs": {"USD": "0.5"}}
    assert plan == {**told, "dry_run": True}
    for asked in (outlay("ledger", "late", flag), outlay("ledger", "late", flag, "--json")):
        assert (asked.returncode, asked.stdout, len(asked.stderr.splitlines())) == (2, "", 1)
        assert "--yes" in asked.stderr
    assert json.loads(outlay("ledger", "info", "--json").stdout)["late"] == 2
    done = outlay("ledger", "late", flag, "--yes", "--json")
    assert json.loads(done.stdout) == {**told, "dry_run": False}
    again = outlay("ledger", "late", flag, "--yes")
    assert (again.returncode, again.stdout) == (0, "no call came too late\n")
    assert json.loads(outlay("report", "--json").stdout)["total"]["calls"] == calls
    assert outlay("ledger", "verify").returncode == 0


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("wrong", [("--count-in", "--discard"), ("--yes",), ("--dry-run",)])
def test_late_calls_are_settled_one_way(outlay: Outlay, wrong: tuple[str, ...]) -> None:
    done = outlay("ledger", "late", *wrong)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
