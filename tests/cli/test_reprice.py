"""``outlay reprice``: corrections beside what was recorded, and ``explain`` over both."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from outlay import process
from outlay.settings import load

Outlay = Callable[..., Any]
PRICES = """
[[model]]
provider = "openai"
model = "imaginary-9"
price = [{ rates = { input = "4", output = "8" } }]
[[model]]
provider = "openai"
model = "gpt-4o"
price = [{ rates = { input = "2", output = "8" } }]
"""


@pytest.fixture
def recorded(environ: dict[str, str], tmp_path: Path) -> list[str]:
    """Record a call of gpt-4o, one without a price, and one whose cost was stated; then change prices."""
    here = process.use(load(environ, tmp_path))
    record = here.recorder().record
    fields: list[dict[str, Any]] = [
        {"model": "gpt-4o", "at": "2026-11-01T12:00:00Z"},
        {"model": "imaginary-9", "at": "2026-11-02T12:00:00Z"},
        {"model": "gpt-4o", "at": "2026-11-03T12:00:00Z", "cost": "0.5"},
    ]
    ids = [record(provider="openai", input_tokens=1000, **each).id for each in fields]
    assert here.flush()
    process.use(None)
    (tmp_path / "ledger").mkdir(exist_ok=True)
    (tmp_path / "ledger" / "prices.toml").write_text(PRICES)
    return ids


def cost(outlay: Outlay) -> str:
    found: str = json.loads(outlay("report", "--json").stdout)["total"]["cost"]
    return found


def reprice(outlay: Outlay, *args: str) -> dict[str, Any]:
    done = outlay("reprice", "--since", "2026-11-01", "--json", *args)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.usefixtures("recorded")
def test_a_dry_run_shows_the_difference_and_writes_nothing(outlay: Outlay) -> None:
    # 1000 x 2.50 a million, and 0.5 as stated
    assert cost(outlay) == "0.5025"
    document = reprice(outlay, "--dry-run")
    assert (document["dry_run"], document["written"]) == (True, 0)
    assert [(row["day"], row["model"], row["before"], row["after"]) for row in document["rows"]] == [
        ("2026-11-01", "gpt-4o", "0.0025", "0.002"),  # 1000 x 2
        ("2026-11-02", "imaginary-9", None, "0.004"),  # 1000 x 4; nobody knows what it was
    ]
    assert document["totals"][0]["difference"] == "0.0035"
    assert (document["changed"], document["filled"], document["stated"]) == (1, 1, 1)
    assert cost(outlay) == "0.5025"
    assert reprice(outlay, "--dry-run") == document


@pytest.mark.usefixtures("recorded")
def test_revisions_count_from_then_on_and_once(outlay: Outlay) -> None:
    assert reprice(outlay)["written"] == 2
    # 0.002 + 0.004 + 0.5
    assert cost(outlay) == "0.506"
    assert json.loads(outlay("report", "--json").stdout)["total"]["unpriced_calls"] == 0
    again = reprice(outlay)
    assert (again["written"], again["same"], again["stated"], again["rows"]) == (0, 2, 1, [])
    assert json.loads(outlay("doctor", "--json").stdout)["ledger"]["revisions"] == 2


def test_explain_shows_both_costs(outlay: Outlay, recorded: list[str]) -> None:
    before = json.loads(outlay("explain", recorded[0], "--json").stdout)
    assert "costs" not in before
    reprice(outlay)
    document = json.loads(outlay("explain", recorded[0], "--json").stdout)
    assert document["cost"] == "0.002"
    assert [each["cost"] for each in document["costs"]] == ["0.0025", "0.002"]
    text = outlay("explain", recorded[0]).stdout.splitlines()
    assert any(line.startswith("recorded      0.0025 USD (priced)") for line in text)
    assert any(line.startswith("now           0.002 USD (priced), since 20") for line in text)
    filled = outlay("explain", recorded[1]).stdout
    assert "recorded      unknown (unpriced)" in filled


@pytest.mark.usefixtures("recorded")
def test_filters_and_periods_choose_the_calls(outlay: Outlay) -> None:
    assert reprice(outlay, "--where", "model=imaginary-9")["written"] == 1
    assert reprice(outlay, "--until", "2026-11-01")["calls"] == 0
    assert reprice(outlay)["written"] == 1


@pytest.mark.usefixtures("recorded")
def test_the_text_says_what_was_done(outlay: Outlay) -> None:
    dry = outlay("reprice", "--since", "2026-11-01", "--dry-run")
    assert dry.returncode == 0
    rows = [line.split() for line in dry.stdout.splitlines()]
    assert ["2026-11-01", "openai", "gpt-4o", "1", "0", "$0.002500", "$0.002000", "-$0.000500"] in rows
    assert ["total", "2", "1", "$0.002500", "$0.006000", "+$0.003500"] in rows
    assert "3 calls looked at, 2 cost something else now" in dry.stdout
    assert dry.stdout.splitlines()[-1] == "nothing was written (--dry-run)"
    assert outlay("reprice", "--since", "2026-11-01").stdout.splitlines()[-1] == "2 revisions were written"


@pytest.mark.parametrize(
    ("args", "says"), [([], "--since"), (["--since", "soon"], "is no period"), (["--since", "1d", "x"], "x")]
)
def test_a_wrong_command_line_is_one_line_and_2(outlay: Outlay, args: list[str], says: str) -> None:
    done = outlay("reprice", *args)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert says in done.stderr


def test_a_broken_price_file_changes_nothing(outlay: Outlay, recorded: list[str], tmp_path: Path) -> None:
    (tmp_path / "ledger" / "prices.toml").write_text("model = 1")
    done = outlay("reprice", "--since", "2026-11-01")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert "costs" not in json.loads(outlay("explain", recorded[0], "--json").stdout)


@pytest.mark.usefixtures("recorded")
def test_in_a_process_of_its_own(command: Callable[..., "subprocess.CompletedProcess[str]"]) -> None:
    done = command("--json", "reprice", "--since", "2026-11-01")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["written"] == 2
    assert json.loads(command("report", "--json").stdout)["total"]["cost"] == "0.506"
