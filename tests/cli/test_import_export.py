"""``outlay import``, ``export`` and ``sql`` as people run them: nothing doubled, lost or overwritten."""

import gzip
import io
import json
import os
import random
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

import outlay as face
from outlay import process
from outlay.cli import export
from outlay.core.copying import Copying
from outlay.core.errors import SettingsError
from outlay.ledger.parquet import write_parquet
from outlay.settings import load

Outlay = Callable[..., Any]
LOG = """\
{"timestamp": "2026-11-20T10:00:00Z", "user_id": "u1", "query_type": "faq", "status": "success", \
"model": "gpt-4o", "input_tokens": 1000, "output_tokens": 500, "cost": 0.0075, "latency": 2.5}
broken
{"timestamp": "2026-11-20T11:00:00Z", "status": "error", "error": "boom", "latency": 0.1}
{"timestamp": "2026-11-21T10:00:00Z", "model": "gpt-4o", "input_tokens": 1000, "output_tokens": 500}
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "llm_calls.jsonl"
    path.write_text(LOG, "utf-8")
    return path


@pytest.fixture
def recorded(environ: dict[str, str], tmp_path: Path) -> list[str]:
    """Record sixty calls of many kinds, with scores, tags and business fields."""
    here, chance = process.use(load(environ, tmp_path)), random.Random(7)  # noqa: S311 - a test's sample
    ids = []
    for n in range(60):
        record = here.recorder().record(
            provider="openai",
            model=chance.choice(["gpt-4o", "gpt-4o-mini", "imaginary-9"]),
            at=f"2026-11-{1 + n % 20:02d}T12:00:00.{n:06d}Z",
            input_tokens=chance.randrange(10_000),
            output_tokens=chance.randrange(1_000),
            user=chance.choice(["ä \"u'1", "=1+1", None]),
            tags={"team": "search", "a,b": "c\nd"},
            extra={"nested": {"n": [1, 2.5, None]}},
            latency_ms=chance.random() * 1000,
            **({"cost": "0.123456789012345678"} if n % 7 == 0 else {}),
        )
        ids.append(record.id)
    here.recorder().score(ids[0], quality_score=0.5, correct=True)
    assert here.flush()
    process.use(None)
    return ids


def test_the_second_time_changes_nothing(outlay: Outlay, log: Path) -> None:
    first = outlay("import", str(log), "--json")
    assert first.returncode == 1  # a row was bad
    (file,) = json.loads(first.stdout)["files"]
    assert (file["format"], file["rows"], file["calls"], file["new"], file["known"]) == ("plain", 4, 3, 3, 0)
    assert [fault["line"] for fault in file["faults"]] == [2]
    before = outlay("report", "--by", "day,status", "--json").stdout
    (again,) = json.loads(outlay("import", str(log), "--json").stdout)["files"]
    assert (again["calls"], again["new"], again["known"]) == (3, 0, 3)
    assert outlay("report", "--by", "day,status", "--json").stdout == before
    assert json.loads(before)["total"]["cost"] == "0.015"  # 0.0075 stated, 0.0075 priced, one unknown
    assert json.loads(before)["total"]["unpriced_calls"] == 1


def test_people_are_told_which_line_is_bad(outlay: Outlay, log: Path) -> None:
    done = outlay("import", str(log))
    assert "3 calls, 3 new, 1 bad row" in done.stdout
    assert "line 2: no JSON" in done.stdout


@pytest.mark.parametrize(
    ("command", "server"),
    [("import", ""), ("prices set a --provider b --input 1", ""), ("ship", "postgresql://127.0.0.1:1/x")],
)
def test_a_home_is_its_owners_alone_whichever_command_makes_it(
    outlay: Outlay, log: Path, tmp_path: Path, command: str, server: str
) -> None:
    """Some made it for files of their own, open to all, and doctor then said to close the ledger in it."""
    files = [str(log)] if command == "import" else []
    where = {"OUTLAY_HOME": str(tmp_path / "ledger"), "OUTLAY_LEDGER": server} if server else {}
    outlay(*command.split(), *files, **where)
    if os.name != "nt":
        assert stat.S_IMODE((tmp_path / "ledger").stat().st_mode) == 0o700
    assert "can be read by others" not in outlay("doctor").stdout


@pytest.mark.parametrize("way", ["duckdb", "memory", "dry run"])
def test_scores_and_newer_costs_of_an_export_are_told_as_no_calls(
    outlay: Outlay, recorded: list[str], tmp_path: Path, way: str
) -> None:
    """In an empty ledger some of the calls were "known already"."""
    file = tmp_path / "all.jsonl"
    outlay("prices", "set", "imaginary-9", "--provider", "openai", "--input", "1", "--output", "2")
    assert "written" in outlay("reprice", "--since", "2026-10-01").stdout
    outlay("export", "--format", "jsonl", "--output", str(file))
    assert len(file.read_text("utf-8").splitlines()) > len(recorded) == 60
    where = {"duckdb": str(tmp_path / "other"), "memory": "memory:", "dry run": str(tmp_path / "other")}[way]
    done = outlay("import", str(file), "--ledger", where, *(["--dry-run"] if way == "dry run" else []))
    told = "60 calls (dry run)" if way == "dry run" else "60 calls, 60 new"
    assert done.stdout.startswith(f"{file} (outlay): {told}\n")


def test_lines_about_calls_and_late_calls_are_told_as_what_they_are(outlay: Outlay, tmp_path: Path) -> None:
    """Scores alone had been "0 calls, 0 new", and a call whose day is pruned "known already"."""
    at = datetime.now(UTC) - timedelta(days=500)
    face.score(face.record(provider="openai", model="gpt-4o", input_tokens=5, at=at).id, correct=True)
    assert face.flush()
    (journal,) = (tmp_path / "ledger" / "journal").glob("*.jsonl")
    call, score = journal.read_text("utf-8").splitlines(keepends=True)
    (tmp_path / "call.jsonl").write_text(call, "utf-8")
    (tmp_path / "scores.jsonl").write_text(score * 2, "utf-8")
    where = {"OUTLAY_LEDGER": str(tmp_path / "other")}

    def told(name: str) -> str:
        done: str = outlay("import", name, **where).stdout
        return done.removeprefix(f"{name} (outlay): ").rstrip()

    assert told("scores.jsonl") == "0 calls, 0 new, 2 lines of scores, costs or losses"
    assert told("call.jsonl") == "1 call, 1 new"
    assert told("call.jsonl") == "1 call, 0 new, 1 known already"
    assert outlay("ledger", "prune", "--older-than", "400d", "--yes", **where).returncode == 0
    assert told("call.jsonl") == "1 call, 0 new, 1 known already or late"


def test_calls_that_share_an_id_are_not_told_as_known(outlay: Outlay, tmp_path: Path) -> None:
    """As the calls of one request of a web server, in the same second."""
    file = tmp_path / "calls.jsonl"
    file.write_text(
        "".join(
            f'{{"timestamp": "2026-11-20T10:00:00Z", "request_id": "web-1", "call": "c{n}", "cost": {n}}}\n'
            for n in (1, 2)
        )
    )
    done = outlay("import", str(file))
    assert "2 calls, 1 new, 1 known already" in done.stdout
    assert (
        "1 call came with the id of another, in no total: imported before with other options, or"
        in done.stderr
    )
    other = tmp_path / "other.jsonl"
    other.write_text('{"timestamp": "2026-11-20T10:00:00Z", "cost": 1}\n')
    for known in (0, 1):  # the conflict is of another file
        done = outlay("import", str(other))
        assert done.stderr == ""
        assert done.stdout.endswith(f"{1 - known} new{', 1 known already' * known}\n")
    done = outlay("import", str(file), "--map", "id=call")
    assert "2 calls, 2 new" in done.stdout


def test_a_file_that_is_imported_with_another_price_book_changes_nothing(
    outlay: Outlay, log: Path, tmp_path: Path
) -> None:
    """Each of its calls was set aside as another one, and doctor looked for programs that make ids."""
    outlay("import", str(log))
    outlay("prices", "set", "gpt-4o", "--provider", "openai", "--input", "1", "--output", "2")
    done = outlay("import", str(log))
    assert "0 new, 3 known already" in done.stdout
    assert done.stderr == ""
    assert json.loads(outlay("doctor", "--json").stdout)["conflicts"] == 0
    assert json.loads(outlay("report", "--json").stdout)["total"]["cost"] == "0.015"


def test_a_dry_run_keeps_nothing(outlay: Outlay, log: Path) -> None:
    assert "(dry run)" in outlay("import", "--dry-run", str(log)).stdout
    assert json.loads(outlay("report", "--json").stdout)["total"]["calls"] == 0


def test_a_dry_run_keeps_nothing_in_a_ledger_that_is_there(outlay: Outlay, log: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text('{"timestamp": "2026-11-19T10:00:00Z", "cost": 1}\n', "utf-8")
    outlay("import", str(other))
    (file_done,) = json.loads(outlay("import", "--dry-run", str(log), "--json").stdout)["files"]
    assert file_done["calls"] == 3
    assert json.loads(outlay("report", "--json").stdout)["total"]["calls"] == 1


def test_a_grown_file_brings_only_what_is_new(outlay: Outlay, log: Path) -> None:
    outlay("import", str(log))
    with log.open("a", encoding="utf-8") as file:
        file.write('{"timestamp": "2026-11-22T10:00:00Z", "cost": 1}\n')
    (file_done,) = json.loads(outlay("import", str(log), "--json").stdout)["files"]
    assert (file_done["new"], file_done["known"]) == (1, 3)


_NO_COLUMN = "its first line names no column that a call has. Read are JSON lines, JSON arrays and CSV"


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("hostname", b"myhost\n", _NO_COLUMN),
        ("passwd", b"root:x:0:0:root:/root:/bin/sh\nmail:x:8:8::/var/mail:/bin/false\n", _NO_COLUMN),
        ("run.sh", b"#!/bin/sh\necho hi\n", _NO_COLUMN),
        ("page.html", b"<html>\n<body>status</body>\n</html>\n", _NO_COLUMN),
        ("README.md", b"# About\n\nA, b; c\n", _NO_COLUMN),
        ("names.csv", b"date,name\n2026-11-20,a\n", _NO_COLUMN),
        ("empty-names.csv", b"date,name\n", _NO_COLUMN),
        ("quoted.csv", b'"date\n",name\n2026-11-20,a\n', _NO_COLUMN),
        ("number.json", b"42", _NO_COLUMN),
        ("bill.csv", b"BilledCost,ChargePeriodStart\n1,2026-11-20\n", "a row of a bill (FOCUS)"),
        ("paper.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "it is a PDF"),
        (
            "cut.gz",
            gzip.compress(b'{"cost": 1}\n', mtime=0)[:-9],
            "it is gzip that cannot be unpacked to its end",
        ),
        ("program", b"\x7fELF\x02\x01\x01\x00\x00\xff\n", "it is no text in UTF-8"),
    ],
)
def test_what_is_no_file_of_calls_is_said_in_one_line(
    outlay: Outlay, tmp_path: Path, name: str, data: bytes, says: str
) -> None:
    file, good = tmp_path / name, tmp_path / "good.jsonl"
    file.write_bytes(data)
    good.write_text('{"timestamp": "2026-11-19T10:00:00Z", "cost": 1}\n', "utf-8")
    for args in (["--dry-run", str(file)], [str(file)], [str(file), "--json"]):
        done = outlay("import", *args)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert f"{file}: " in done.stderr
        assert says in done.stderr
    both = outlay("import", str(good), str(file), "--json")  # those before it are imported, and told
    assert both.returncode == 2
    assert [(each["file"], each["new"]) for each in json.loads(both.stdout)["files"]] == [(str(good), 1)]


@pytest.mark.parametrize("data", ["", "\n  \n", "[]"])
def test_an_empty_file_has_no_calls(outlay: Outlay, tmp_path: Path, data: str) -> None:
    file = tmp_path / "empty"
    file.write_text(data, "utf-8")
    done = outlay("import", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{file}: 0 calls, 0 new, no row stands in it\n"


def test_a_heading_that_names_a_calls_columns_needs_no_rows(outlay: Outlay, tmp_path: Path) -> None:
    file = tmp_path / "calls.csv"
    file.write_text("when,llm,usd\n", "utf-8")
    assert outlay("import", str(file)).returncode == 2
    done = outlay("import", str(file), "--map", "cost=usd")
    assert (done.returncode, done.stdout) == (0, f"{file}: 0 calls, 0 new, no row stands in it\n")


@pytest.mark.parametrize("way", [(), ("--dry-run",)])
@pytest.mark.parametrize("array", [False, True])
def test_a_mapped_column_that_no_row_of_json_has_is_refused(
    outlay: Outlay,
    tmp_path: Path,
    way: tuple[str, ...],
    array: bool,  # noqa: FBT001  # a parameter
) -> None:
    """Its calls would be kept without the field, and would not be new when it is spelled right."""
    rows = ['{"at": "2026-11-20T10:00:00Z", "LLM": "gpt-4o", "größe": 1, "cost": 1}'] * 3
    file = tmp_path / "calls.jsonl"
    file.write_text(f"[{','.join(rows)}]" if array else "\n".join(rows), "utf-8")
    done = outlay("import", str(file), "--map", "model=LMM", *way)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no column 'LMM' for model; there are at, LLM, größe, cost" in done.stderr
    assert outlay("import", str(file), "--map", "model=LLM", "--map", "input_tokens=größe").returncode == 0
    (found, *_) = json.loads(outlay("calls", "--json").stdout)["calls"]
    assert (found["model"], found["input_tokens"]) == ("gpt-4o", 1)


@pytest.mark.parametrize("way", [(), ("--dry-run",)])
@pytest.mark.parametrize(
    ("field", "mapped"), [("prompt_tokens", "In"), ("User ID", "Who"), ("cost", "Nett amount")]
)
def test_a_mapped_column_that_is_missing_is_refused_where_another_tells_the_field(
    outlay: Outlay, tmp_path: Path, field: str, mapped: str, way: tuple[str, ...]
) -> None:
    """What the other one says was kept in its place, without a word."""
    file = tmp_path / "calls.csv"
    file.write_text("at,Cost,user,input_tokens\n2026-11-20,1,u1,10\n", "utf-8")
    done = outlay("import", str(file), "--map", f"{field}={mapped}", *way)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"no column {mapped!r} for " in done.stderr
    assert "; there are at, Cost, user, input_tokens" in done.stderr


def test_standard_input_tags_and_the_provider(command: Outlay) -> None:
    line = '{"timestamp": "2026-11-20T10:00:00Z", "model": "my-model", "cost": 1}'
    done = command("import", "-", "--provider", "house", "--tag", "source=old", stdin=line)
    assert done.returncode == 0, done.stderr
    found = json.loads(command("report", "--by", "provider,tag:source", "--json").stdout)
    assert [(row["provider"], row["tag:source"]) for row in found["rows"]] == [("house", "old")]


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (["import", "missing.jsonl"], 1, "missing.jsonl"),
        (["import"], 2, "FILE"),
        (["import", "x.jsonl", "--map", "model"], 2, "no NAME=VALUE"),
        (["import", "x.jsonl", "--map", "modle=LLM"], 2, "no field 'modle'; did you mean model?"),
        (["import", "x.jsonl", "--map", "colour=LLM"], 2, "there are at, id, provider, model"),
        (["import", "x.jsonl", "--map", "user=Who", "--map", "session=Who"], 2, "user=Who is not alone"),
        (["import", "x.jsonl", "--map", "user=Who", "--map", "user=Whom"], 2, "user=Who is not alone"),
        (
            ["import", "x.csv", "--map", "model=LMM"],
            2,
            "no column 'LMM' for model; there are cost, LLM",
        ),
        (["import", "x.jsonl", "--tz", "Mars/Base"], 2, "no time zone"),
        (["import", "x.jsonl", "--at", "someday"], 2, "is no time"),
        (["export", "--format", "parquet"], 2, "--output"),
        (["export", "--format", "xml"], 2, "xml"),
        (["export", "--format", "csv", "--json"], 2, "--output"),
        (["sql", "delete from calls"], 2, "one SELECT"),
        (["sql", "select 1; select 2"], 2, "one SELECT"),
        (["sql", "select nope from calls"], 2, "nope"),
        (["sql", "select max(at) from calls"], 2, 'write "at"'),
        (["sql", "select * from read_csv('x.jsonl')"], 2, "disabled"),
        (["sql", "select 1", "--ledger", "memory:"], 1, "takes no SQL"),
    ],
)
def test_one_line_says_what_is_wrong(
    outlay: Outlay, tmp_path: Path, args: list[str], code: int, told: str
) -> None:
    (tmp_path / "x.jsonl").write_text('{"cost": 1}', "utf-8")
    (tmp_path / "x.csv").write_text("cost,LLM\n1,gpt-4o\n", "utf-8")
    done = outlay(*args)
    assert done.returncode == code, done
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def test_json_lines_lose_nothing(outlay: Outlay, recorded: list[str], tmp_path: Path) -> None:
    assert outlay("reprice", "--since", "2026-11-01").returncode == 0
    out = tmp_path / "all.jsonl"
    assert outlay("export", "--format", "jsonl", "-o", str(out)).returncode == 0
    other = str(tmp_path / "other")
    (done,) = json.loads(outlay("import", str(out), "--ledger", other, "--json").stdout)["files"]
    assert (done["format"], done["new"], done["faults"]) == ("outlay", len(recorded), [])
    again = outlay("export", "--format", "jsonl", "--ledger", other)
    assert again.stdout == out.read_text("utf-8")
    for by in ("day", "model,user", "tag:team", "cost_status"):
        one, two = (outlay("report", "--by", by, "--json", "--ledger", name).stdout
                    for name in (str(tmp_path / "ledger"), other))  # fmt: skip
        assert _rounded(one) == _rounded(two)
    (back,) = json.loads(outlay("import", str(out), "--json").stdout)["files"]
    assert back["new"] == 0
    assert json.loads(outlay("doctor", "--json").stdout)["conflicts"] == 0


def _rounded(report: str) -> list[dict[str, Any]]:
    """Give a report's rows; the last digit of a mean depends on the order of its values."""
    rows = json.loads(report)["rows"]
    return [{k: round(v, 6) if isinstance(v, float) else v for k, v in row.items()} for row in rows]


def test_revised_costs_travel_with_the_cost_that_was_recorded(
    outlay: Outlay, recorded: list[str], tmp_path: Path
) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text(
        '[[model]]\nprovider = "openai"\nmodel = "imaginary-9"\n'
        'price = [{ rates = { input = "1", output = "1" } }]\n',
        "utf-8",
    )
    done = outlay("reprice", "--since", "2026-11-01", "--json", OUTLAY_PRICES=str(prices))
    assert json.loads(done.stdout)["written"] > 0
    out = tmp_path / "all.jsonl"
    outlay("export", "--format", "jsonl", "-o", str(out))
    revised = [
        json.loads(line)["revision"] for line in out.read_text("utf-8").splitlines() if '"revision"' in line
    ]
    assert set(revised) <= set(recorded)
    assert len(revised) == json.loads(done.stdout)["written"]
    other = str(tmp_path / "other")
    outlay("import", str(out), "--ledger", other)
    ids = (revised[0], "--json")
    assert outlay("explain", *ids).stdout == outlay("explain", *ids, "--ledger", other).stdout


def test_csv_has_a_row_a_call_and_is_known_again(outlay: Outlay, recorded: list[str], tmp_path: Path) -> None:
    out = tmp_path / "calls.csv"
    outlay("export", "--format", "csv", "-o", str(out))
    text = f"SELECT count(*), sum(cost::DECIMAL(38, 18)) FROM read_csv('{out}', all_varchar=true)"  # noqa: S608  # our own file
    count, cost = duckdb.execute(text).fetchall()[0]
    assert count == len(recorded)
    total = json.loads(outlay("report", "--json").stdout)["total"]
    assert Decimal(total["cost"]) == cost
    (done,) = json.loads(outlay("import", str(out), "--json").stdout)["files"]
    assert done["new"] == 0  # its ids are outlay's own


def test_parquet_has_a_folder_a_day_with_exact_money(
    outlay: Outlay, recorded: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    done = outlay("export", "--format", "parquet", "-o", str(folder), "--json")
    assert json.loads(done.stdout)["calls"] == len(recorded)
    assert len(list(folder.glob("day=2026-11-*"))) == 20
    total = json.loads(outlay("report", "--json").stdout)["total"]
    text = f"SELECT count(*), sum(cost), typeof(any_value(cost)) FROM '{folder}/*/*.parquet'"  # noqa: S608  # likewise
    assert duckdb.execute(text).fetchall() == [(len(recorded), Decimal(total["cost"]), "DECIMAL(38,18)")]


@pytest.mark.parametrize(
    "question",
    [
        {},
        {"limit": 7},
        {"since": "2026-11-05", "until": "2026-11-09T12:00:00"},
        {"where": {"model": "gpt-4o"}},
        {"where": {"cost_status": "priced"}, "limit": 25},
        {"where": {"tag:team": "search", "user": None}},
    ],
    ids=str,
)
def test_parquet_out_of_the_tables_holds_what_records_would(
    recorded: list[str],
    environ: dict[str, str],
    outlay: Outlay,
    tmp_path: Path,
    question: dict[str, Any],
) -> None:
    prices = '[[model]]\nprovider = "openai"\nmodel = "imaginary-9"\n'
    prices += 'price = [{ rates = { input = "1", output = "2" } }]\n'
    (tmp_path / "prices.toml").write_text(prices, "utf-8")
    assert (
        outlay("reprice", "--since", "2026-11-01", OUTLAY_PRICES=str(tmp_path / "prices.toml")).returncode
        == 0
    )
    assert len(recorded) == 60
    with face.open(environ["OUTLAY_LEDGER"]) as reader:
        slow = write_parquet(reader.each(**question), tmp_path / "slow")
        assert isinstance(reader.ledger, Copying)
        fast = reader.ledger.write_parquet(reader.calls_query(**question), tmp_path / "fast")
    assert fast == slow > 0
    rows = [_parquet(tmp_path / name) for name in ("fast", "slow")]
    assert rows[0] == rows[1]
    assert len(rows[0][1]) == fast


def _parquet(folder: Path) -> tuple[list[Any], list[Any]]:
    """Give the names and types of the columns, and every row in order."""
    files = f"'{folder}/*/*.parquet'"
    columns = duckdb.execute(f"DESCRIBE SELECT * FROM {files}").fetchall()  # noqa: S608  # our own files
    text = f'SELECT * REPLACE (epoch_us("at") AS "at") FROM {files} ORDER BY id'  # noqa: S608  # our own files
    return columns, duckdb.execute(text).fetchall()


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_what_is_there_is_never_written_over(
    outlay: Outlay, recorded: list[str], tmp_path: Path, form: str
) -> None:
    assert recorded
    there = tmp_path / "mine"
    there.write_text("mine", "utf-8")
    done = outlay("export", "--format", form, "-o", str(there))
    assert done.returncode in {1, 2}
    assert "is there already" in done.stderr
    assert there.read_text("utf-8") == "mine"


@pytest.mark.parametrize("links", ["links", "no links"])
def test_what_appears_while_an_export_is_written_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: str
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    if links == "no links":  # as on FAT
        monkeypatch.setattr(os, "link", refused)
    path = tmp_path / "calls.csv"
    with export._target(str(path)) as out:
        out.write(b"whole")
    assert path.read_bytes() == b"whole"
    path.unlink()
    with pytest.raises(SettingsError, match="is there already; name a new file"), _racing(path):
        pass
    assert path.read_text("utf-8") == "theirs"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name != "posix", reason="who writes a file holds it, by POSIX")
def test_what_a_killed_export_left_goes_with_the_next_one_and_no_other_does(tmp_path: Path) -> None:
    path = tmp_path / "calls [1].csv"
    program = "import sys, time; from outlay.cli import export\nwith export._target(sys.argv[1]) as out:\n"
    program += " out.write(b'half'); out.flush(); print(flush=True); time.sleep(60)"
    writers = [
        subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE) for _ in "ab"
    ]
    for each in writers:
        assert each.stdout is not None
        each.stdout.readline()
    dead, alive = writers
    before = set(tmp_path.iterdir())
    dead.kill()
    dead.communicate()
    others = [
        tmp_path / name for name in (".calls [1].csv.part", ".calls 1.csv.12.part", ".calls [1].csv.é.part")
    ]
    for other in others:
        other.write_bytes(b"theirs")
    with export._target(str(path)) as out:
        out.write(b"whole")
    assert set(tmp_path.iterdir()) == {*before, *others, path}  # a new file may not be held yet
    for file in tmp_path.iterdir():
        os.utime(file, (0, 0))
    with export._target(str(tmp_path / "calls 2.csv")):
        pass
    path.unlink()
    with export._target(str(path)) as out:
        out.write(b"whole")
    assert len(before - set(tmp_path.iterdir())) == 1
    assert set(others) < set(tmp_path.iterdir())
    alive.kill()
    alive.communicate()


@contextmanager
def _racing(path: Path) -> Iterator[None]:
    with export._target(str(path)) as out:
        out.write(b"ours")
        path.write_text("theirs", "utf-8")
        yield


def test_langfuses_parquet_is_told_with_the_way_out_which_works(outlay: Outlay, tmp_path: Path) -> None:
    file, lines = tmp_path / "observations.parquet", tmp_path / "calls.jsonl"
    duckdb.sql(f"""COPY (SELECT 'o1' AS id, 't1' AS trace_id, NULL::VARCHAR AS parent_observation_id,
        'GENERATION' AS type, TIMESTAMP '2026-11-20 10:00:00' AS start_time, 'gpt-4o' AS provided_model_name,
        MAP {{'input': 1000, 'output': 500}} AS usage_details) TO '{file}' (FORMAT parquet)""")
    done = outlay("import", str(file))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "it is Parquet, which is not read; write its calls as CSV or JSON lines" in done.stderr
    line = done.stderr.partition("DuckDB: ")[2].strip()
    assert line == "COPY (FROM 'calls.parquet') TO 'calls.jsonl' (FORMAT json)"
    duckdb.sql(line.replace("calls.parquet", str(file)).replace("calls.jsonl", str(lines)))
    (read,) = json.loads(outlay("import", str(lines), "--json").stdout)["files"]
    assert (read["format"], read["calls"], read["faults"]) == ("langfuse", 1, [])
    total = json.loads(outlay("report", "--json").stdout)["total"]
    assert (total["input_tokens"], total["output_tokens"], total["cost"]) == (1000, 500, "0.0075")


def test_an_export_can_be_narrowed(outlay: Outlay, recorded: list[str]) -> None:
    some = outlay("export", "--format", "jsonl", "--since", "2026-11-19", "--where", "model=gpt-4o")
    models = {json.loads(line)["model"] for line in some.stdout.splitlines()}
    assert models == {"gpt-4o"}
    assert len(outlay("export", "--format", "jsonl", "-n", "5").stdout.splitlines()) == 5
    assert len(recorded) == 60


def test_sql_sees_the_newest_costs_and_scores(outlay: Outlay, recorded: list[str]) -> None:
    sums = "sum(cost) as cost, sum(total_tokens) as tokens, count(correct) as judged"
    text = f"select count(*) as n, {sums} from calls"  # noqa: S608  # our own names
    found = json.loads(outlay("sql", text, "--json").stdout)
    total = json.loads(outlay("report", "--json").stdout)["total"]
    assert found["columns"] == ["n", "cost", "tokens", "judged"]
    assert found["rows"] == [
        {"n": len(recorded), "cost": total["cost"], "tokens": total["total_tokens"], "judged": 1}
    ]
    assert (
        outlay("sql", "select 1 as one, null as none, true as yes", "--csv").stdout
        == "one,none,yes\n1,,true\n"
    )
    assert "no rows" in outlay("sql", "select 1 where false").stdout


def test_a_statement_that_is_no_text_is_refused(outlay: Outlay, monkeypatch: pytest.MonkeyPatch) -> None:
    given = io.TextIOWrapper(io.BytesIO(b"SELECT '\xff'"), encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", given)
    done = outlay("sql", "-")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "outlay: standard input is no text in UTF-8, as a statement is\n"


def test_frames_hold_every_call(outlay: Outlay, recorded: list[str], environ: dict[str, str]) -> None:
    total = Decimal(json.loads(outlay("report", "--json").stdout)["total"]["cost"])
    with face.open(environ["OUTLAY_LEDGER"]) as ledger:
        polars, pandas, arrow = ledger.to_polars(), ledger.to_pandas(), ledger.to_arrow()
        assert ledger.to_polars(where={"model": "nothing"}).columns == polars.columns
    assert (len(polars), len(pandas), len(arrow)) == (len(recorded),) * 3
    assert polars["cost"].sum() == total
    assert sum(cost for cost in pandas["cost"] if cost is not None) == total
    assert sum(cost for cost in arrow["cost"].to_pylist() if cost is not None) == total
    assert str(polars["at"].dtype) == "Datetime(time_unit='us', time_zone='UTC')"
