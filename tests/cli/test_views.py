"""Every report as text, JSON, CSV and Markdown: clean in a pipe, no wider than the terminal."""

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.support.spending import EUROPEAN, MODELS, lines

from outlay import process
from outlay.core.cost import Cost
from outlay.core.record import Record
from outlay.core.usage import Usage
from outlay.journal import line_of
from outlay.settings import load

Outlay = Callable[..., Any]
COMMANDS: tuple[list[str], ...] = (
    [],
    ["report", "--by", "model"],
    ["top", "-n", "3"],
    ["top", "--of", "users", "-n", "3"],
    ["top", "--of", "sessions", "--by", "latency", "-n", "3"],
    ["top", "--of", "features", "--by", "tokens"],
    ["users"],
    ["trend", "--by", "week", "--since", "2026-09-01"],
    ["trend", "--pattern"],
    ["forecast"],
    ["latency"],
    ["errors"],
    ["cache"],
    ["quality"],
    ["economics", "--by", "model"],
    ["savings", "--since", "2026-11-01", "--limit", "50"],
)
FORMED = [command for command in COMMANDS if command]
IDS = [" ".join(command) or "outlay" for command in COMMANDS]


@pytest.fixture
def spent(tmp_path: Path) -> Path:
    """Give a ledger's folder with the journal of a small company."""
    journal = tmp_path / "ledger" / "journal"
    journal.mkdir(parents=True)
    (journal / "0-0-0.jsonl").write_bytes(b"".join(lines(1500, (*MODELS, EUROPEAN))))
    return tmp_path / "ledger"


@pytest.mark.parametrize("args", COMMANDS, ids=IDS)
@pytest.mark.usefixtures("spent")
def test_text_is_plain_in_a_pipe_and_hides_no_unpriced_call(outlay: Outlay, args: list[str]) -> None:
    done = outlay(*args)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    if args and args[:2] != ["top", "-n"] and args != ["latency"]:  # these show no sum of money
        assert "cost unknown or partial for" in done.stdout


@pytest.mark.parametrize("args", COMMANDS, ids=IDS)
@pytest.mark.usefixtures("spent")
def test_json_is_one_document(outlay: Outlay, args: list[str]) -> None:
    done = outlay(*args, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)


@pytest.mark.parametrize("args", FORMED, ids=[" ".join(command) for command in FORMED])
@pytest.mark.usefixtures("spent")
def test_csv_is_a_table_and_markdown_has_the_rows_of_the_text(outlay: Outlay, args: list[str]) -> None:
    found = list(csv.DictReader(io.StringIO(outlay(*args, "--csv").stdout)))
    assert found
    assert len({len(row) for row in found}) == 1
    markdown = outlay(*args, "--markdown").stdout
    assert re.search(r"^\|( (:--|--:) \|)+$", markdown, re.MULTILINE)


@pytest.mark.parametrize("args", COMMANDS, ids=IDS)
def test_an_empty_ledger_says_so_in_every_form(outlay: Outlay, args: list[str]) -> None:
    for form in ((), ("--csv",), ("--markdown",), ("--json",)):
        if args or form in ((), ("--json",)):
            done = outlay(*args, *form)
            hinted = not form and args[:1] == ["report"]
            assert (done.returncode, done.stderr.startswith("outlay: nothing in ")) == (0, hinted), form
            assert len(done.stderr.splitlines()) == hinted
            assert done.stdout.strip()


@pytest.mark.usefixtures("spent")
def test_shares_shown_add_up_to_a_hundred(outlay: Outlay) -> None:
    for by, share in (("user", "calls"), ("session", "calls"), ("query_type", "total_tokens")):
        text = outlay("report", "--by", by, "--share", share, "--where", "currency=USD").stdout
        heading, *body = text.splitlines()
        place = heading.index("share") + len("share")
        shown = [line[:place].split()[-1] for line in body if line[:place].endswith("%")]
        assert sum(Decimal(each.removesuffix("%")) for each in shown) == 100, by


@pytest.mark.usefixtures("spent")
def test_several_currencies_stand_apart_everywhere(outlay: Outlay) -> None:
    total = json.loads(outlay("economics", "--json").stdout)["total"]
    assert set(total["costs"]) == {"EUR", "USD"}
    assert (total["cost"], total["cost_per_call"]) == (None, None)
    assert " EUR + $" in outlay("report", "--by", "query_type").stdout
    assert {row["currency"] for row in json.loads(outlay("forecast", "--json").stdout)["currencies"]} in (
        {"EUR", "USD"},
        set(),  # once the generated days are older than what a forecast looks at
    )


def recorded(environ: dict[str, str], folder: Path, *calls: dict[str, Any]) -> list[Record]:
    here = process.use(load(environ, folder))
    found = [here.recorder().record(provider="openai", **call) for call in calls]
    assert here.flush()
    return found


def test_a_cost_that_is_partial_is_said_beside_csv(
    outlay: Outlay, environ: dict[str, str], tmp_path: Path
) -> None:
    recorded(environ, tmp_path, {"model": "gpt-4o", "usage": {"input": 1000, "odd_tool": 2}})
    done = outlay("report", "--by", "model", "--csv")
    assert next(csv.DictReader(io.StringIO(done.stdout)))["cost"] == "0.0025"
    assert done.stderr == (
        "outlay: cost unknown or partial for 1 call, not wholly in the cost: openai/gpt-4o (1)\n"
    )


def test_bars_and_savings_of_several_currencies_are_not_mixed(
    outlay: Outlay, environ: dict[str, str], tmp_path: Path
) -> None:
    prices = ("--provider", "openai", "--input", "7", "--output", "10", "--currency", "CNY")
    assert outlay("prices", "set", "yuan-1", *prices).returncode == 0
    now = datetime.now(UTC)
    at = [now - timedelta(days=back) for back in (2, 1, 0)]
    calls: list[dict[str, Any]] = [
        {"model": "yuan-1", "input_tokens": 1000, "at": at[0]},
        {"model": "gpt-4o", "input_tokens": 1000, "at": at[1]},
        {"model": "gpt-4o", "input_tokens": 2000, "at": at[2]},
    ]
    recorded(environ, tmp_path, *calls)
    rows = {line.partition(" ▁")[0].strip(): line for line in outlay().stdout.splitlines() if "▁" in line}
    # 7 and 2.50 a million: 0.007 yuan, then 0.0025 and 0.005 dollars
    assert rows["cost CNY"].endswith("▁█▁▁   0.000000 CNY to 0.007000 CNY")
    assert rows["cost"].endswith("▁▁▅█   $0.000000 to $0.005000")
    assert outlay("trend").stdout.startswith("calls by day  ")
    # fresh gpt-4o input might have cost 1.25 a million less out of a cache; yuan-1 has no rate of one
    total = outlay("cache").stdout.splitlines()
    assert next(line for line in total if line.startswith("total")).count("$0.003750") == 1


def test_the_overview_has_today_the_week_and_the_month(
    outlay: Outlay, environ: dict[str, str], tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    today = {"model": "gpt-4o", "input_tokens": 1_000_000, "at": now - timedelta(seconds=1)}
    yesterday = {"model": "gpt-4o", "input_tokens": 2_000_000, "at": now - timedelta(days=1)}
    recorded(environ, tmp_path, today, yesterday)
    found = json.loads(outlay("--json").stdout)
    assert (found["week"]["cost"], found["week"]["calls"]) == ("7.5", 2)
    assert found["days"][-2]["calls"] + found["days"][-1]["calls"] == 2
    assert found["models"][0]["model"] == "gpt-4o"
    text = outlay().stdout
    assert "last 7 days" in text
    assert "█" in text
    assert text.splitlines()[-1].startswith("outlay --help")


def test_what_stands_out_is_named_with_its_driver(
    outlay: Outlay, environ: dict[str, str], tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    calls = [
        {"model": "gpt-4o", "input_tokens": 1_000_000, "at": now - timedelta(days=day)}
        for day in range(1, 31)
        for _ in range(5 if day == 2 else 1)
    ]
    recorded(environ, tmp_path, *calls)
    found = json.loads(outlay("forecast", "--json").stdout)
    (unusual,) = found["unusual"]
    assert unusual["day"] == f"{now - timedelta(days=2):%Y-%m-%d}"
    assert (unusual["driver"], unusual["cost"], unusual["change"]) == ("calls", "12.5", "10")
    assert "mostly by" in outlay("forecast").stdout


def test_savings_are_those_of_the_price_book_on_the_calls_themselves(
    outlay: Outlay, environ: dict[str, str], tmp_path: Path
) -> None:
    at = datetime.now(UTC) - timedelta(days=1)
    recorded(
        environ, tmp_path, {"model": "gpt-4o", "input_tokens": 1_000_000, "output_tokens": 100_000, "at": at}
    )
    found = json.loads(outlay("savings", "--json").stdout)
    changes = {each["to"]: each for each in found["changes"]}
    # 2.50 + 1.00 on gpt-4o; 0.15 + 0.06 on gpt-4o-mini; at most 1.25 for input that comes from a cache
    assert (changes["gpt-4o-mini"]["cost"], changes["gpt-4o-mini"]["cost_there"]) == ("3.5", "0.21")
    assert (changes["use a cache"]["saving"], changes["use a cache"]["at_most"]) == ("1.25", True)
    text = outlay("savings").stdout
    assert "priced again: 1 of the 1 call" in text
    assert "$3.290000" in text
    unknown = outlay("savings", "--model", "gpt-99")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr.startswith("outlay: no price of gpt-99 is known")


def test_savings_offer_no_model_of_the_demonstration_to_real_calls(
    outlay: Outlay, environ: dict[str, str], tmp_path: Path
) -> None:
    models = ("gpt-4o", "mock-fast", "mock-premium")
    calls = [{"model": model, "input_tokens": 1_000_000, "at": datetime.now(UTC)} for model in models]
    recorded(environ, tmp_path, *calls)
    changes = json.loads(outlay("savings", "--json").stdout)["changes"]
    moves = {(each["model"], each["to"]) for each in changes if each["kind"] == "model"}
    assert ("gpt-4o", "gpt-4o-mini") in moves
    assert ("gpt-4o", "mock-fast") not in moves
    assert ("mock-premium", "mock-fast") in moves


def in_a_terminal(
    environ: dict[str, str],
    folder: Path,
    *args: str,
    columns: int = 80,
    is_told: bool = False,
    **more: str,
) -> str:
    """Run the command on a terminal of its own, so many columns wide, and give what it wrote.

    What it tells on standard error comes there too, if asked for.
    """
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (24, columns))
    done = subprocess.Popen(
        [sys.executable, "-m", "outlay", *args],
        stdout=follower,
        stderr=follower if is_told else None,
        cwd=folder,
        env={**environ, "TERM": "xterm-256color", "COLUMNS": "", **more},
    )
    os.close(follower)
    written = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # the terminal is gone with its process
            break
        if not part:
            break
        written += part
    os.close(leader)
    assert done.wait(60) == 0
    return written.decode()


@pytest.mark.usefixtures("spent")
@pytest.mark.parametrize(("limit", "of"), [([], 1500), (["-n", "2"], 2)])
def test_an_export_shows_on_a_terminal_how_far_it_is(
    environ: dict[str, str], tmp_path: Path, limit: list[str], of: int
) -> None:
    export = ["export", "--format", "csv", *limit, "--output"]
    written = in_a_terminal(environ, tmp_path, *export, "calls.csv", is_told=True)
    assert f"{of}/{of}" in written
    assert len((tmp_path / "calls.csv").read_text("utf-8").splitlines()) == 1 + of
    quiet = subprocess.run(
        [sys.executable, "-m", "outlay", *export, "again.csv"],
        capture_output=True,
        cwd=tmp_path,
        env=environ,
        check=True,
        text=True,
    )
    assert (quiet.stdout, quiet.stderr) == ("", f"{of:,} calls written to again.csv\n")


@pytest.mark.usefixtures("spent")
@pytest.mark.parametrize(
    "args", [["report", "--by", "model"], ["latency"], ["trend", "--since", "2026-11-01"]]
)
def test_a_terminal_gets_colours_and_lines_no_wider_than_it_is(
    environ: dict[str, str], tmp_path: Path, args: list[str]
) -> None:
    found = in_a_terminal(environ, tmp_path, *args)
    assert "\x1b[" in found
    tables = [
        line for line in re.sub(r"\x1b\[[0-9;]*m", "", found).splitlines() if "   " in line or "──" in line
    ]
    assert tables
    assert max(len(line) for line in tables) <= 80
    assert "\x1b" not in in_a_terminal(environ, tmp_path, *args, NO_COLOR="1")


@pytest.mark.parametrize("args", [["quality"], ["quality", "--by", "model,user"], ["explain"], ["cache"]])
def test_forty_columns_are_enough(environ: dict[str, str], tmp_path: Path, args: list[str]) -> None:
    usage = {"input": 12_345, "cache_read": 1_234_567, "output": 100}
    calls = recorded(
        environ, tmp_path, *({"model": "gpt-4o", "usage": usage, "user": f"user-{n}"} for n in range(3))
    )
    here = process.use(load(environ, tmp_path))
    for each in calls:
        here.recorder().score(each.id, quality_score=0.9, user_rating=4, correct=True)
    assert here.flush()
    process.use(None)
    asked = [*args, calls[0].id] if args == ["explain"] else args
    found = in_a_terminal(environ, tmp_path, *asked, columns=40, NO_COLOR="1")
    assert len(found.splitlines()) >= 5
    assert max(map(len, found.splitlines())) <= 40


ODD = "a\x1b[31mred"  # what a terminal would take for a colour


@pytest.fixture
def odd(outlay: Outlay, tmp_path: Path) -> Outlay:
    """Give the command over a call whose every name moves a terminal's cursor."""
    names: dict[str, Any] = dict.fromkeys(("model", "provider", "user", "operation", "agent"), ODD)
    charge = Cost(Decimal(1), "reported", currency=f"E{ODD}")
    at = datetime(2026, 11, 20, tzinfo=UTC)
    record = Record(id=str(uuid4()), at=at, usage=Usage(), charge=charge, **names)
    file = tmp_path / "odd.jsonl"
    file.write_bytes(line_of(record))
    assert outlay("import", str(file)).returncode == 0
    return outlay


def test_a_name_in_csv_is_the_recorded_one_though_it_looks_like_a_colour(odd: Outlay) -> None:
    for args in ("report --by model", "calls", "cache --by model"):
        assert ODD in odd(*args.split(), "--csv").stdout
    assert ODD in odd("sql", "SELECT model FROM calls", "--csv").stdout


def test_no_control_character_reaches_a_terminal(odd: Outlay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    (call,) = json.loads(odd("calls", "--json").stdout)["calls"]
    for args in (
        ("report", "--by", "model", "--csv"),
        ("report", "--by", "model", "--markdown"),
        (),
        ("review", "--week", "2026-W47"),
        ("report", "--by", "model,user"),
        ("calls",),
        ("explain", call["id"]),
        ("trend",),
        ("forecast",),
        ("sql", "SELECT model FROM calls", "--csv"),
        ("explain", ODD),
        ("import", f"{ODD}.jsonl"),
    ):
        done = odd(*args)
        assert "\x1b" not in done.stdout + done.stderr, args


def test_columns_of_one_name_are_refused_where_one_would_be_lost(outlay: Outlay) -> None:
    done = outlay("sql", "SELECT 1 AS a, 2 AS a", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "several columns are named a; tell them apart with AS" in done.stderr
    assert outlay("sql", "SELECT 1 AS a, 2 AS a", "--csv").stdout == "a,a\n1,2\n"
