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
                session="s1" if user == "u1" else None,
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
    assert done.returncode == 0
    assert all("8 of these calls are kept as daily totals" in line for line in done.stderr.splitlines())
    assert not done.stderr or form == "--csv"
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
    assert (told["calls"], told["rolled"], told["rolled_unknown"], done.stderr) == (6, 8, 0, "")
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
    counted = json.loads(without.stdout)
    if "--of" not in asked:  # which is a report, and has them in it
        assert (counted["rolled"], counted["rolled_unknown"]) == (int(told[:1] or 0), 0)


@pytest.mark.parametrize("asked", ["calls", "top", "whatif --tier batch", "reprice --since 30d --dry-run"])
def test_a_session_may_have_had_calls_that_are_daily_totals_now(pruned: Outlay, asked: str) -> None:
    """A session's calls were given as all of them, or "no call has it" was said of one that was pruned."""
    for session in ("s1", "gone"):
        question = (*asked.split(), "--where", f"session={session}", "--where", "user=u1")
        said = [line for line in pruned(*question).stderr.splitlines() if line.startswith("outlay:")]
        assert said == [f"outlay: {UNKNOWN}"]
        told = json.loads(pruned(*question, "--json").stdout)
        assert (told["rolled"], told["rolled_unknown"]) == (0, 4)


NOBODY = "nobody knows the session of them, and none of them is here"
UNKNOWN = f"4 further calls are kept as daily totals alone: {NOBODY}"


@pytest.mark.parametrize(
    "asked",
    [
        *("report", "report --by day", "trend", "trend --pattern", "forecast", "latency", "errors", "cache"),
        *("quality", "economics", "savings", "users", "top --of models"),
    ],
)
@pytest.mark.parametrize("session", ["s1", "gone"])
def test_a_report_about_a_session_says_that_daily_totals_have_none(
    pruned: Outlay, asked: str, session: str
) -> None:
    """It gave the figures of the calls that are left without a word, or said that there were none."""
    question = (*asked.split(), "--where", f"session={session}", "--where", "user=u1")
    done = pruned(*question)
    assert (done.returncode, done.stderr) == (0, "")
    assert UNKNOWN in " ".join(done.stdout.split())
    told = json.loads(pruned(*question, "--json").stdout)
    assert (told["rolled"], told["rolled_unknown"]) == (0, 4)
    beside = pruned(*question, "--csv")
    assert beside.stderr == f"outlay: {UNKNOWN}\n"


def test_a_letter_says_that_daily_totals_are_not_among_its_dearest_calls(pruned: Outlay) -> None:
    week = f"{datetime.now(UTC) - timedelta(days=7):%G-W%V}"
    told = json.loads(pruned("review", "--week", week, "--json").stdout)
    rolled, there = told["features"]["rolled"], len(told["dearest"])
    assert rolled
    assert rolled + there == told["trend"]["total"]["calls"]
    are = f"{rolled} calls are kept as daily totals alone, and are not among single ones"
    assert are in pruned("review", "--week", week).stdout


def test_calls_without_a_session_are_asked_for_where_daily_totals_have_none(pruned: Outlay) -> None:
    told = json.loads(pruned("report", "--where", "session=", "--json").stdout)
    assert (told["total"]["calls"], told["rolled"], told["rolled_unknown"]) == (11, 8, 0)


def test_an_hour_may_hold_the_daily_totals_of_its_day_alone(pruned: Outlay) -> None:
    day = datetime.now(UTC) - timedelta(days=6)
    for at in (day, day - timedelta(days=90)):
        hour = f"hour={at:%Y-%m-%dT%H}:00:00+00:00"
        told = json.loads(pruned("report", "--where", hour, "--tz", "UTC", "--json").stdout)
        assert (told["rolled"], told["rolled_unknown"]) == (0, 2 if at == day else 0)


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
        ("report --by day", False),
        ("report --by day --tz Asia/Kolkata", True),
        ("report --by model --tz Asia/Kolkata", False),
        ("trend --since 2026-01-01", False),
        ("trend --since 20d", True),
        ("trend --by week --since 2026-01-01 --tz America/New_York", True),
        ("errors", False),
        ("errors --since 20d", True),
        ("forecast", False),
        ("forecast --tz Asia/Kolkata", True),
    ],
)
def test_a_period_that_parts_a_day_says_that_pruned_days_count_wholly(
    pruned: Outlay, asked: str, *, told: bool
) -> None:
    """A period from noon on had either all of a pruned day or nothing of it, without a word."""
    done = pruned(*asked.split())
    assert done.returncode == 0
    assert ("; each counts wholly on its day in UTC" in " ".join(done.stdout.split())) is told
