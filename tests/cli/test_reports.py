"""``report``, ``top``, ``calls``, ``explain`` and ``doctor`` over a ledger of known calls."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from outlay import process
from outlay.core.money import decimal_of
from outlay.core.query import METRICS
from outlay.settings import load

Outlay = Callable[..., Any]


@pytest.fixture
def recorded(outlay: Outlay, environ: dict[str, str], tmp_path: Path) -> list[str]:
    """Record four calls: two of gpt-4o on two days, one failed, one of a model without a price."""
    here = process.use(load(environ, tmp_path))
    record = here.recorder().record
    fields: list[dict[str, Any]] = [
        {"model": "gpt-4o", "at": "2026-11-01T12:00:00Z", "input_tokens": 1000, "latency_ms": 100.0},
        {"model": "gpt-4o", "at": "2026-11-02T23:30:00Z", "output_tokens": 1000, "latency_ms": 300.0},
        {"model": "gpt-4o", "at": "2026-11-02T12:00:00Z", "status": "error", "error_type": "APIError"},
        {"model": "imaginary-9", "at": "2026-11-03T12:00:00Z", "input_tokens": 5, "latency_ms": 200.0},
    ]
    users = ("u1", "u2", "u1", None)
    ids = [
        record(provider="openai", user=user, tags={"team": "search"} if user else {}, **each).id
        for user, each in zip(users, fields, strict=True)
    ]
    assert here.flush()
    return ids


def rows(done: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(done.stdout)["rows"]
    return found


@pytest.mark.usefixtures("recorded")
def test_a_reports_json_adds_up_and_names_every_metric(outlay: Outlay) -> None:
    done = outlay("report", "--by", "day,user", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    data = json.loads(done.stdout)
    assert data["by"] == ["day", "user"]
    assert set(data["total"]) == set(METRICS)
    assert set(data["rows"][0]) == {"day", "user", *METRICS, "share", "cumulative_share"}
    # 1000 x 2.50 a million in, 1000 x 10.00 a million out
    assert data["total"]["cost"] == "0.0125"
    assert sum(decimal_of(row["cost"] or 0) for row in data["rows"]) == decimal_of("0.0125")
    assert sum(row["calls"] for row in data["rows"]) == data["total"]["calls"] == 4
    assert [row["user"] for row in data["rows"]].count(None) == 1
    assert {"provider": "openai", "model": "imaginary-9", "calls": 1, "errors": 0} in data["unpriced"]


@pytest.mark.usefixtures("recorded")
def test_options_stand_before_or_after_the_command(outlay: Outlay, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = str(tmp_path / "other")
    whole = outlay("report", "--json").stdout
    assert outlay("--json", "report").stdout == whole
    assert json.loads(outlay("--ledger", other, "report", "--json").stdout)["total"]["calls"] == 0
    assert json.loads(outlay("--json", "report", "--ledger", other).stdout)["total"]["calls"] == 0
    assert json.loads(whole)["total"]["calls"] == 4


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize(
    ("filters", "calls"),
    [
        (["user=u1"], 2),
        (["user=u1", "user=u2"], 3),
        (["user=u1", "status=error"], 1),
        (["tag:team=search"], 3),
        (["user="], 1),
        (["model=imaginary-9"], 1),
        (["user=nobody"], 0),
    ],
)
def test_filters_of_one_name_are_either_or_and_of_several_all(
    outlay: Outlay, filters: list[str], calls: int
) -> None:
    args = [part for each in filters for part in ("--where", each)]
    assert json.loads(outlay("report", "--json", *args).stdout)["total"]["calls"] == calls


@pytest.mark.usefixtures("recorded")
def test_days_and_bare_dates_are_those_of_the_zone(outlay: Outlay) -> None:
    # 23:30 UTC on the 2nd is the 3rd in Berlin.
    done = outlay("report", "--by", "day", "--tz", "Europe/Berlin", "--since", "2026-11-03", "--json")
    assert [(row["day"], row["calls"]) for row in rows(done)] == [("2026-11-03", 2)]
    assert json.loads(done.stdout)["since"] == "2026-11-02T23:00:00.000000Z"
    by_setting = outlay("report", "--by", "day", "--since", "2026-11-03", "--json", OUTLAY_TZ="Europe/Berlin")
    assert by_setting.stdout == done.stdout


@pytest.mark.usefixtures("recorded")
def test_the_table_names_what_has_no_price(outlay: Outlay) -> None:
    done = outlay("report", "--by", "model")
    assert done.stderr == ""
    assert "$0.012500" in done.stdout
    assert "\x1b" not in done.stdout
    assert "openai/imaginary-9 (1)" in done.stdout.splitlines()[-1]


@pytest.mark.usefixtures("recorded")
def test_csv_has_exact_money(outlay: Outlay) -> None:
    found = list(csv.DictReader(io.StringIO(outlay("report", "--by", "day", "--csv").stdout)))
    assert [(row["day"], row["calls"], row["cost"]) for row in found] == [
        ("2026-11-01", "1", "0.0025"),
        ("2026-11-02", "2", "0.01"),
        ("2026-11-03", "1", ""),
    ]


@pytest.mark.usefixtures("recorded")
def test_order_and_limit(outlay: Outlay) -> None:
    done = outlay("report", "--by", "day", "--order", "cost", "--limit", "1", "--json")
    assert [row["day"] for row in rows(done)] == ["2026-11-02"]
    assert json.loads(done.stdout)["left_out"] == 2


def test_top_and_calls_order_as_they_say(outlay: Outlay, recorded: list[str]) -> None:
    def ids(*args: str) -> list[str]:
        return [call["id"] for call in json.loads(outlay(*args, "--json").stdout)["calls"]]

    assert ids("calls") == [recorded[3], recorded[1], recorded[2], recorded[0]]
    assert ids("calls", "-n", "1") == [recorded[3]]
    assert ids("top", "-n", "2") == [recorded[1], recorded[0]]
    assert ids("top", "-n", "2", "--by", "latency") == [recorded[1], recorded[3]]
    assert ids("calls", "--where", "status=error") == [recorded[2]]
    assert "APIError" in outlay("calls").stdout


@pytest.mark.usefixtures("recorded")
def test_the_beginning_of_several_ids_names_some_of_them(outlay: Outlay) -> None:
    """It was said of none and of several alike."""
    ids = sorted(each["id"] for each in json.loads(outlay("calls", "--json").stdout)["calls"])
    done = outlay("explain", "01")
    assert (done.returncode, done.stdout) == (1, "")
    named = f"({', '.join(ids[:3])}, …)"
    assert done.stderr == f"outlay: several calls have an id that begins with '01' {named}; give more of it\n"


def test_explain_shows_the_lines_of_one_call(outlay: Outlay, recorded: list[str]) -> None:
    done = outlay("explain", recorded[0])
    assert done.returncode == 0
    assert ["input", "1,000", "2.50", "1,000,000", "0.0025"] in [
        line.split() for line in done.stdout.splitlines()
    ]
    assert "cost          0.0025 USD (priced)" in done.stdout
    data = json.loads(outlay("explain", recorded[0], "--json").stdout)
    assert (data["id"], data["cost"]) == (recorded[0], "0.0025")
    assert outlay("explain", recorded[3]).stdout.count("unknown (unpriced)") == 1


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([], "nothing in {ledger}; outlay doctor says where calls are looked for"),
        (["--ledger", "memory:"], "nothing in memory:; outlay doctor says where calls are looked for"),
        (["--since", "7d"], "nothing in that time; without --since and --until all calls are asked for"),
        (["--where", "model=gpt4o"], "there are no calls; outlay doctor says where they are looked for"),
        (
            ["--where", "model=gpt4o", "--since", "7d"],
            "nothing in that time; without --since and --until all calls are asked for",
        ),
    ],
)
def test_a_report_without_calls_says_why(outlay: Outlay, tmp_path: Path, args: list[str], says: str) -> None:
    done = outlay("report", *args)
    assert (done.returncode, done.stdout) == (0, "no calls\n")
    assert done.stderr == f"outlay: {says.format(ledger=tmp_path / 'ledger')}\n"


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize(
    ("where", "says"),
    [
        (["model=gpt4"], "no call has model=gpt4; did you mean gpt-4o?"),
        (["provider=OPENAI"], "no call has provider=OPENAI; did you mean openai?"),
        (
            ["model=sonnet", "model=opus"],
            "no call has model=sonnet or model=opus; there are gpt-4o, imaginary-9",
        ),
        (["user=u9"], "no call has user=u9; there are u2, u1"),
        (["session=s1"], "no call has session=s1"),
        (["tag:team=serch"], "no call has tag:team=serch; did you mean search?"),
        (["tag:taem=search"], "no call has tag:taem; did you mean tag:team?"),
        (["provider="], "no call is without provider"),
        (["model=imaginary-9", "user=u2"], "no call has all of model=imaginary-9, user=u2"),
    ],
)
def test_filters_that_leave_nothing_name_what_comes_nearest(
    outlay: Outlay, where: list[str], says: str
) -> None:
    """A typing error and an empty day looked alike."""
    done = outlay("calls", *(f"--where={each}" for each in where))
    assert (done.returncode, done.stdout, done.stderr) == (0, "no calls\n", f"outlay: {says}\n")


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("command", ["report --by tag:taem", "report --by day,tag:taem", "top --of tag:taem"])
def test_a_tag_that_no_call_has_is_named(outlay: Outlay, command: str) -> None:
    done = outlay(*command.split())
    assert (done.returncode, done.stderr) == (0, "outlay: no call has tag:taem; did you mean tag:team?\n")
    assert "tag:taem" in done.stdout
    of_others = "report --by tag:team --where model=imaginary-9"  # calls that were not asked for have it
    known = ("report --by tag:team", "report --by user,tag:team --where user=u1")
    for silent in (f"{command} --json", *known, of_others):
        assert outlay(*silent.split()).stderr == "", silent


@pytest.mark.usefixtures("recorded")
def test_every_question_says_so_and_what_a_program_reads_is_as_it_was(outlay: Outlay) -> None:
    for command in ("top", "top --of users", "report --by day", "report --csv", "errors"):
        asked = (*command.split(), "--where", "model=gpt4")
        assert outlay(*asked).stderr == "outlay: no call has model=gpt4; did you mean gpt-4o?\n", command
        if "--csv" not in asked:
            assert outlay(*asked, "--json").stderr == ""
    assert outlay("forecast", "--where", "model=gpt4").returncode == 0  # which has no total and no period


@pytest.mark.usefixtures("recorded")
def test_filters_that_leave_nothing_are_told_by_the_time_that_is_asked_for(outlay: Outlay) -> None:
    done = outlay("calls", "--where", "model=imaginary-9", "--until", "2026-11-03")
    assert done.stderr == "outlay: no call of that time has model=imaginary-9; there are gpt-4o\n"


def test_an_empty_ledger_answers_everything(outlay: Outlay) -> None:
    for name in ("calls", "top"):
        done = outlay(name)
        assert (done.returncode, done.stdout, done.stderr) == (0, "no calls\n", "")
    nothing = {"calls": [], "rolled": 0, "rolled_unknown": 0}
    assert json.loads(outlay("calls", "--json").stdout) == nothing


@pytest.mark.usefixtures("recorded")
def test_the_doctor_tells_what_is_kept_and_what_has_no_price(outlay: Outlay, tmp_path: Path) -> None:
    done = outlay("doctor", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    data = json.loads(done.stdout)
    assert data["recorded"] == {"calls": 4, "errors": 1, "unpriced_calls": 2, "cost": "0.0125"}
    assert (data["pending"], data["lost"]) == ({"bytes": 0}, {"calls": 0, "why": {}})
    assert (data["conflicts"], data["faults"]) == (0, {"lines": 0, "where": []})
    assert data["settings"]["home"] == str(tmp_path / "ledger")
    assert {"provider": "openai", "model": "imaginary-9", "calls": 1, "errors": 0} in data["unpriced"]
    assert {each["name"] for each in data["instrumentable"]} >= {"openai", "anthropic", "google"}
    without = (
        "openai/imaginary-9 has no known price, or a partial one, for 1 call: outlay prices set imaginary-9 "
    )
    assert any(advice.startswith(without) for advice in data["advice"])
    text = outlay("doctor").stdout
    assert "openai/imaginary-9" in text
    assert "to do\n" in text


def test_the_doctor_names_losses_faults_and_conflicts_with_what_to_do(outlay: Outlay, tmp_path: Path) -> None:
    journal = tmp_path / "ledger" / "journal"
    assert outlay("demo", "--calls", "1", "--no-sleep").returncode == 0
    (segment,) = journal.iterdir()
    line = json.loads(segment.read_text(encoding="utf-8").splitlines()[0])
    changed = {**line, "input_tokens": line["input_tokens"] + 1, "usage": {**line["usage"], "input": 9999}}
    loss = {"schema": 1, "lost": 3, "at": "2026-11-01T00:00:00.000000Z", "why": "disk full"}
    broken = "{no json}\n"
    (journal / segment.name.replace("-", "-second-", 1)).write_text(
        f"{json.dumps(changed)}\n{json.dumps(loss)}\n{broken}", encoding="utf-8"
    )
    data = json.loads(outlay("doctor", "--json").stdout)
    assert "error" not in data, data["error"]
    assert data["lost"] == {"calls": 3, "why": {"disk full": 3}}
    assert data["conflicts"] == 1
    assert data["faults"]["lines"] == 1
    said = " ".join(data["advice"])
    assert "3 calls were lost (disk full)" in said
    assert "1 faulty line in" in said
    assert "id that other content has" in said
    text = outlay("doctor").stdout
    assert "3 calls: disk full (3)" in text
    assert "first faulty lines" in text


def test_a_ledger_that_cannot_be_read_is_told_by_the_doctor_too(outlay: Outlay, tmp_path: Path) -> None:
    (tmp_path / "ledger").mkdir()
    (tmp_path / "ledger" / "ledger.duckdb").write_bytes(b"no ledger at all")
    done = outlay("doctor")
    assert done.returncode == 1
    assert "the ledger cannot be read" in done.stdout
    failed = outlay("report")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert len(failed.stderr.splitlines()) == 1


def test_a_url_that_names_no_ledger_is_a_wrong_command_line(outlay: Outlay) -> None:
    done = outlay("report", "--ledger", "mysql://somewhere/db")
    assert (done.returncode, done.stdout) == (2, "")
    assert "names no ledger" in done.stderr


def test_features_say_of_how_many_calls_none_is_known(
    outlay: Outlay, environ: dict[str, str], tmp_path: Path
) -> None:
    here = process.use(load(environ, tmp_path))
    for said in ({"tags": {"feature": "search"}}, {"query_type": "rag"}):
        here.recorder().record(provider="openai", model="gpt-4o", input_tokens=9, **said)
    assert here.flush()
    note = "1 call has no tag feature; outlay top --of query_type ranks query types"
    assert note in outlay("top", "--of", "features").stdout
    assert note not in outlay("top", "--of", "query_type").stdout


@pytest.mark.parametrize(
    "asked", ["report", "calls", "trend", "savings", "export --format csv", "top", "whatif --model gpt-4o"]
)
def test_a_period_that_ends_before_it_begins_is_refused(outlay: Outlay, asked: str) -> None:
    """It had no calls, as one in which nothing was recorded."""
    done = outlay(*asked.split(), "--since", "2021-01-01", "--until", "2020-01-01")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "outlay: since 2021-01-01 comes after until 2020-01-01\n"
    assert outlay("report", "--since", "2021-01-01", "--until", "2021-01-01").returncode == 0


@pytest.mark.parametrize(("asked", "begins"), [("trend", "2026-10-12"), ("savings", "2026-10-12")])
def test_without_a_beginning_the_days_before_the_end_are_asked_for(
    outlay: Outlay, asked: str, begins: str
) -> None:
    """They were those before now, of which none was left."""
    told = json.loads(outlay(asked, "--until", "2026-11-11", "--json").stdout)
    assert told["since"] == f"{begins}T00:00:00.000000Z"
    for unit in (asked, "trend --by month"):
        told = json.loads(outlay(*unit.split(), "--until", "0001-01-02", "--json").stdout)
        assert told["since"] == told["until"] == "0001-01-02T00:00:00.000000Z"  # a calendar has no day before
    future = json.loads(outlay("trend", "--since", "2999-01-01", "--json").stdout)
    assert future["total"]["calls"] == 0
