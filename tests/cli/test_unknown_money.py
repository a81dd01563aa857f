"""Money that is unknown says so in every report; a dash is for what there is nothing of."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.test_views import recorded

from outlay import process
from outlay.settings import load

Outlay = Callable[..., Any]


def cells(outlay: Outlay, *args: str) -> dict[str, dict[str, str]]:
    """Give the cells of the last table by heading, a row by its first cell."""
    lines = [each for each in outlay(*args, "--markdown").stdout.splitlines() if each.startswith("|")]
    head = max(at for at, each in enumerate(lines) if each.startswith("| :--")) - 1
    rows = [
        [cell.strip() for cell in each.strip("|").split("|")] for each in (lines[head], *lines[head + 2 :])
    ]
    return {row[0]: dict(zip(rows[0], row, strict=True)) for row in rows[1:]}


@pytest.fixture
def unknown(outlay: Outlay, environ: dict[str, str], tmp_path: Path) -> Outlay:
    """Give the command over calls of a model without a price, one failed, and a priced one."""
    usage = {"input": 1000, "cache_read": 500, "cache_write": 10, "output": 5}
    used = {"usage": usage, "user": "u", "session": "s"}
    recorded(
        environ,
        tmp_path,
        {"model": "gpt-99", **used},
        {"model": "gpt-99", "status": "error", "error_type": "RateLimitError"},
        {"model": "gpt-4o", "input_tokens": 1000},
    )
    return outlay


def test_the_cost_of_failed_calls_that_nobody_knows_is_unknown(unknown: Outlay) -> None:
    found = cells(unknown, "errors")
    assert found["openai"]["errors cost"] == "unknown"
    assert found["total"]["errors cost"] == "unknown"
    asked = cells(unknown, "report", "--by", "model", "--metric", "error_cost")
    assert {name: row["error cost"] for name, row in asked.items()} == {
        "gpt-99": "unknown",
        "gpt-4o": "-",
        "total": "unknown",
    }


def test_what_calls_of_unknown_cost_cost_each_is_unknown(unknown: Outlay) -> None:
    row = cells(unknown, "economics", "--by", "model")
    known = ("a call", "a success", "a user", "a session", "1,000 tokens")
    assert {name: row["gpt-99"][name] for name in known} == dict.fromkeys(known, "unknown")
    assert row["gpt-99"]["a right answer"] == "-"
    assert [row["gpt-4o"][name] for name in ("a user", "a session")] == ["-", "-"]


def test_what_a_cache_saved_of_calls_of_unknown_cost_is_unknown(unknown: Outlay) -> None:
    row = cells(unknown, "cache", "--by", "model")
    saved = ("reading saved", "writing cost", "saved", "at most more")
    assert {name: row["gpt-99"][name] for name in saved} == dict.fromkeys(saved, "unknown")
    assert [row["gpt-4o"][name] for name in saved[:3]] == ["-", "-", "-"]


def test_a_right_answer_of_unknown_cost_is_unknown(
    outlay: Outlay, environ: dict[str, str], tmp_path: Path
) -> None:
    right = recorded(environ, tmp_path, {"model": "gpt-99", "input_tokens": 10})
    wrong = recorded(environ, tmp_path, {"model": "gpt-4o", "input_tokens": 10})
    here = process.use(load(environ, tmp_path))
    for each in (*right, *wrong):
        here.recorder().score(each.id, correct=each in right)
    assert here.flush()
    asked = cells(outlay, "report", "--by", "model", "--metric", "judged_cost")
    assert [asked["gpt-99"][name] for name in ("judged cost", "judged calls")] == ["unknown", "1"]
    found = cells(outlay, "quality")
    assert found["gpt-99"]["cost of a right one"] == "unknown"
    assert found["gpt-4o"]["cost of a right one"] == "-"


def test_the_overview_has_an_unknown_mean(outlay: Outlay, environ: dict[str, str], tmp_path: Path) -> None:
    recorded(environ, tmp_path, {"model": "gpt-99", "input_tokens": 10})
    text = outlay().stdout.splitlines()
    assert next(line for line in text if line.startswith("this month")).split().count("unknown") == 2


def test_several_currencies_have_no_cost_of_one_which_is_not_unknown(
    outlay: Outlay, environ: dict[str, str], tmp_path: Path
) -> None:
    recorded(
        environ,
        tmp_path,
        *({"model": "m", "cost": 1, "currency": each, "user": "u"} for each in ("USD", "EUR")),
    )
    row = cells(outlay, "economics", "--by", "model")["m"]
    assert [row[name] for name in ("a call", "a user", "a right answer")] == ["-", "-", "-"]
    (found,) = csv.DictReader(io.StringIO(outlay("economics", "--by", "model", "--csv").stdout))
    assert found["cost_per_call"] == ""


def test_a_change_from_or_to_an_unknown_cost_is_unknown(
    outlay: Outlay, environ: dict[str, str], tmp_path: Path
) -> None:
    """A dash is for the first day, and for days of other money."""
    day = {number: f"2026-11-{number:02d}T12:00:00Z" for number in range(2, 14)}
    priced, nobody = {"model": "m", "cost": "1"}, {"model": "gpt-99", "input_tokens": 10}
    recorded(
        environ,
        tmp_path,
        *({**priced, "at": day[number]} for number in (2, 4, 9, 11)),
        *({**nobody, "at": day[number]} for number in (3, 5, 10)),
        {"model": "abroad", "cost": "1", "currency": "EUR", "at": day[2]},
        {"model": "abroad", "cost": "1", "at": day[9]},
        {**priced, "currency": "EUR", "at": day[12]},
    )
    days = cells(outlay, "trend", "--since", "2026-11-02", "--until", "2026-11-06", "--where", "currency=USD")
    assert [row["change"] for row in days.values()] == ["-", "unknown", "unknown", "unknown", "-"]
    days = cells(outlay, "trend", "--since", "2026-11-11", "--until", "2026-11-13")
    assert [row["change"] for row in days.values()] == ["-", "-", "-"]
    letter = outlay("review", "--week", "2026-W46").stdout
    moved = letter.split("## What changed, and why")[1].split("##")[0]
    changes = {
        cell[2].strip(): cell[-2].strip() for line in moved.splitlines() if len(cell := line.split("|")) > 3
    }
    assert (changes["gpt-99"], changes["abroad"]) == ("unknown", "-")
