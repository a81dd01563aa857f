"""Reports over calls of which some were pruned: each answers, and says what daily totals do not tell."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from outlay import process
from outlay.settings import load

Outlay = Callable[..., Any]
DAYS = (0, 1, 2, 5, 6, 7, 8)  # of which four go


@pytest.fixture
def pruned(outlay: Outlay, environ: dict[str, str], tmp_path: Path) -> Outlay:
    """Give the command over seven days of two slow, right, half cached calls, four days pruned."""
    here, now = process.use(load(environ, tmp_path)), datetime.now(UTC)
    for day in DAYS:
        for user in ("u1", "u2"):
            record = here.recorder().record(
                provider="openai",
                model="gpt-4o",
                usage={"input": 1000, "cache_read": 500, "output": 100},
                latency_ms=12_000.0,
                at=now - timedelta(days=day),
                user=user,
            )
            here.recorder().score(record.id, correct=True)
    assert here.flush()
    assert outlay("ledger", "prune", "--older-than", "3d", "--yes").returncode == 0
    return outlay


@pytest.mark.parametrize("form", ["", "--json", "--csv", "--markdown"])
@pytest.mark.parametrize(
    "asked",
    [
        "report --by hour",
        "trend --by hour --since 20d",
        "trend",
        "trend --pattern",
        "forecast",
        "latency",
        "errors",
        "cache",
        "quality",
        "economics",
        "savings",
        "users",
    ],
)
def test_every_report_answers_in_every_form(pruned: Outlay, asked: str, form: str) -> None:
    done = pruned(*asked.split(), *form.split())
    assert (done.returncode, done.stderr) == (0, "")
    if form == "--json" and "total" in (told := json.loads(done.stdout)):
        assert told["total"]["calls"] == 14
        assert told["rolled"] == 8


def test_calls_of_no_known_hour_stand_last_in_a_trend_and_in_no_pattern(pruned: Outlay) -> None:
    rows = json.loads(pruned("trend", "--by", "hour", "--since", "20d", "--json").stdout)["rows"]
    assert (rows[-1]["hour"], rows[-1]["calls"], rows[-1]["complete"]) == (None, 8, False)
    assert sum(row["calls"] for row in rows) == 14
    hours = json.loads(pruned("trend", "--pattern", "--json").stdout)["hours"]
    assert sum(row["calls"] for row in hours) == 6
    assert "8 of these calls are kept as daily totals: nobody knows their hours" in (
        pruned("trend", "--pattern").stdout
    )


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("latency", "8 of these calls are kept as daily totals: no percentiles"),
        ("cache", "8 of these calls are kept as daily totals: what caching saved of them"),
        ("quality", "8 of these calls are kept as daily totals: how they were judged"),
        ("economics", "8 of these calls are kept as daily totals: no distinct users"),
        ("savings", "8 of these calls are kept as daily totals: they cannot be priced again"),
    ],
)
def test_a_report_says_what_is_lacking_of_them(pruned: Outlay, asked: str, told: str) -> None:
    assert told in pruned(asked).stdout


def test_the_slow_calls_that_are_left_are_shown(pruned: Outlay) -> None:
    assert len(json.loads(pruned("latency", "--json").stdout)["slowest"]) == 5


def test_a_distribution_that_nobody_knows_is_no_row_of_zeros(pruned: Outlay, tmp_path: Path) -> None:
    assert json.loads(pruned("dashboard", "--json").stdout)["latencies"] == []
    done = pruned("dashboard", "--html", str(tmp_path / "page.html"), "--png", str(tmp_path / "page.png"))
    assert done.returncode == 0, done.stderr
    assert '"rolled":8' in (tmp_path / "page.html").read_text("utf-8")


def test_doctor_asks_for_no_price_of_calls_that_only_daily_totals_tell_of(
    outlay: Outlay, environ: dict[str, str], tmp_path: Path
) -> None:
    """What it said to do was done, and it said so again: no reprice reaches them."""
    here, now = process.use(load(environ, tmp_path)), datetime.now(UTC)
    for day in DAYS:
        at = now - timedelta(days=day)
        here.recorder().record(provider="acme", model="none", usage={"input": 1, "output": 1}, at=at)
    assert here.flush()

    def asked() -> list[str]:
        found = json.loads(outlay("doctor", "--json").stdout)["findings"]
        return [each["what"] for each in found if each["name"] == "unpriced"]

    assert asked() == ["acme/none has no known price, or a partial one, for 7 calls"]
    assert outlay("ledger", "prune", "--older-than", "3d", "--yes").returncode == 0
    assert asked() == ["acme/none has no known price, or a partial one, for 3 calls"]
    price = ("none", "--provider", "acme", "--input", "1", "--output", "1")
    assert outlay("prices", "set", *price).returncode == 0
    assert outlay("reprice", "--since", "30d").returncode == 0
    assert asked() == []


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("", "8 calls are"),
        ("--where user=u1", "4 calls are"),
        ("--since 6d --where user=u1", "1 call is"),
        ("-n 7", "8 calls are"),
        ("-n 6", ""),
        ("--since 4d", ""),
        ("--where user=nobody", ""),
    ],
)
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_an_export_says_that_daily_totals_are_not_in_it(
    pruned: Outlay, tmp_path: Path, form: str, asked: str, told: str
) -> None:
    """It wrote a part of what reports count, without a word; with a limit nothing of theirs was asked for."""
    done = pruned("export", "--format", form, "-o", str(tmp_path / "all"), *asked.split())
    said = [line for line in done.stderr.splitlines() if line.startswith("outlay:")]
    kept = f"kept as daily totals alone, and {told[-3:].strip()} not in it"
    assert said == ([f"outlay: {told} {kept}"] if told else [])


def test_an_export_says_so_in_json_and_beside_its_output(pruned: Outlay, tmp_path: Path) -> None:
    done = pruned("export", "--format", "csv", "-o", str(tmp_path / "all"), "--json")
    told = json.loads(done.stdout)
    assert (told["calls"], told["rolled"], done.stderr) == (6, 8, "")
    done = pruned("export", "--format", "jsonl")
    assert len(done.stdout.splitlines()) == 6
    assert done.stderr == "outlay: 8 calls are kept as daily totals alone, and are not in it\n"


REST = "kept as daily totals alone, and"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("whatif --tier batch", "8 calls are"),
        ("whatif --tier batch --since 4d", ""),
        ("reprice --since 30d", "8 calls are"),
        ("reprice --since 30d --dry-run --where user=u1", "4 calls are"),
        ("calls", "8 calls are"),
        ("calls -n 7 --csv", "8 calls are"),
        ("calls -n 6", ""),
        ("calls -n 0", ""),
        ("calls --since 6d --where user=u1", "1 call is"),
        ("calls --until 4d --where user=u1", "4 calls are"),
        ("calls --since 4d --until 3d", ""),
        ("top", "8 calls are"),
        ("top -n 1 --by latency --markdown", "8 calls are"),
        ("top --until 4d --where user=u2", "4 calls are"),
        ("top --of models", ""),
    ],
)
def test_what_is_asked_of_single_calls_says_that_others_are_daily_totals(
    pruned: Outlay, asked: str, told: str
) -> None:
    """They answered for a part without a word, or said of a filter that no call has it."""
    done = pruned(*asked.split())
    assert done.returncode == 0
    assert done.stderr == (f"outlay: {told} {REST} {told[-3:].strip()} not in it\n" if told else "")
    without = pruned(*asked.replace("--csv", "").replace("--markdown", "").split(), "--json")
    assert without.stderr == ""


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("report", False),
        ("report --since 2000-01-01 --tz UTC", False),
        ("report --since 2000-01-01 --until 2100-01-01 --tz Asia/Kolkata", True),
        ("report --since 20d", True),
        ("latency --since 20d", True),
        ("cache --until 1m", True),
        ("quality --since 20d", True),
        ("economics --since 20d", True),
        ("trend --pattern --since 20d", True),
        ("report --since 3d", False),
    ],
)
def test_a_period_that_parts_a_day_says_that_pruned_days_count_wholly(
    pruned: Outlay, asked: str, *, told: bool
) -> None:
    """A period from noon on had either all of a pruned day or nothing of it, without a word."""
    done = pruned(*asked.split())
    assert done.returncode == 0
    assert ("; each counts wholly on its day in UTC" in done.stdout) is told
