"""The command as a whole: help, exit codes, one line on standard error, clean pipes."""

import importlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from shutil import which
from typing import Any

import click
import pytest
from click.testing import CliRunner
from tests.support.command import HUMBLE

from outlay.cli.app import COMMANDS, root
from outlay.ledger import open_ledger
from outlay.ledger.offered import offered_ids
from outlay.testing import call

OUTLAY = (sys.executable, "-m", "outlay")
Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_the_root_says_what_the_command_says_of_itself(name: str) -> None:
    entry = COMMANDS[name]
    command: click.Command = getattr(importlib.import_module(f"outlay.cli.{entry.module}"), entry.attribute)
    assert command.name == name
    assert command.help is not None
    assert command.help.splitlines()[0].rstrip(".").startswith(entry.help.rstrip("."))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    done = CliRunner().invoke(root, [name, "--help"])
    assert done.exit_code == 0
    assert done.stdout.startswith(f"Usage: root {name}")


@pytest.mark.parametrize("args", [[], ["report"], ["prices", "show"], ["run"]])
def test_the_short_form_of_help_is_help(outlay: Callable[..., Any], args: list[str]) -> None:
    done = outlay(*args, "-h")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == outlay(*args, "--help").stdout


@pytest.mark.parametrize("args", [["--help"], ["report", "--help"], ["price", "--help"], ["run", "--help"]])
def test_help_loads_nothing_heavy(args: list[str]) -> None:
    heavy = {"duckdb", "rich", "orjson", "openai", "anthropic", "google.genai", "pandas", "polars", "pyarrow"}
    code = (
        "import sys; from outlay.cli.app import main; main(sys.argv[1:]); "
        f"print('LOADED', sorted({heavy!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED []"


def test_without_a_command_the_overview_is_shown_and_where_to_find_help(outlay: Callable[..., Any]) -> None:
    done = outlay()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("no calls in the last 30 days\noutlay run PROGRAM records the calls")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["nope"], "no command 'nope'"),
        (["reprot"], "did you mean report?"),
        (["help", "report"], "write outlay --help, or outlay COMMAND --help"),
        (["version"], "write outlay --version"),
        (["costs"], "no command 'costs'; write outlay report --by model (see outlay --help)"),
        (["daily"], "no command 'daily'; write outlay report --by day (see outlay --help)"),
        (["record"], "no command 'record'; write outlay run PROGRAM (see outlay --help)"),
        (["serve"], "no command 'serve'; write outlay dashboard (see outlay --help)"),
        (["alerts", "config"], "no command 'config'; there are check, list"),
        (["report", "--format", "json"], "no option --format; write --json, --csv or --markdown"),
        (["report", "--output", "x.csv"], "no option --output; write > FILE"),
        (["report", "-o", "x.csv"], "no option -o; write > FILE"),
        (["calls", "--days", "7"], "no option --days; write --since 7d"),
        (["dashboard", "--output", "x.png"], "no option --output; write --png FILE or --html FILE"),
        (["export", "--format", "csv", "x.csv"], "unexpected extra argument (x.csv); write --output FILE"),
        (["prices"], "name one of diff, set, show, update (see outlay prices --help)"),
        (["ledger"], "name one of compact, info, late, migrate, prune, verify (see outlay ledger --help)"),
        (
            ["prices", "list"],
            "no command 'list'; there are diff, set, show, update (see outlay prices --help)",
        ),
        (["ledger", "verfy"], "no command 'verfy'; did you mean verify?"),
        (["report", "--model", "gpt-4o"], "no option --model; write --where model=VALUE"),
        (["calls", "--query-type", "rag"], "no option --query-type; write --where query_type=VALUE"),
        (["report", "--from", "today"], "no option --from; write --since (see outlay report --help)"),
        (["report", "--group-by", "model"], "no option --group-by; write --by"),
        (["report", "--gruop-by", "model"], "no option --gruop-by; write --by"),
        (["report", "--group", "model"], "no option --group; write --by"),
        (["import", "--from", "today"], "No such option"),
        (["dashboard", "--png"], "requires an argument. (see outlay dashboard --help)"),
        (["report", "--by", "feature"], "a tag is tag:feature"),
        (["top", "-n", "0"], "0 is not in the range"),
        (["calls", "-n", "0"], "0 is not in the range"),
        (["calls", "--limit", "-1"], "-1 is not in the range"),
        (["users", "-n", "0"], "0 is not in the range"),
        (["export", "--format", "csv", "-n", "0"], "0 is not in the range"),
        (["export", "--format", "csv", "--output", "nowhere/calls.csv"], "there is no folder nowhere"),
        (["dashboard", "--html", "/"], "/ is a folder; name a file in it"),
        (["dashboard", "--html", "nowhere/page.html"], "there is no folder nowhere"),
        (["report", "--nope"], "--nope"),
        (["report", "--by", "modle"], "did you mean model?"),
        (["report", "--since", "soon"], "'soon' is no period"),
        (["report", "--until", "2026-13-01"], "is no period"),
        (["report", "--tz", "Mars/Olympus"], "no time zone"),
        (["report", "--where", "user"], "'user' is no NAME=VALUE"),
        (["report", "--where", "usr=u1"], "did you mean user?"),
        (["report", "--order", "beauty"], "no order 'beauty'"),
        (["report", "--limit", "-1"], "-1"),
        (["report", "--csv", "--json"], "either --csv or --json"),
        (["trend", "--markdown", "--csv"], "either --csv or --markdown"),
        (["report", "--by", "model", "--share", "beauty"], "no share of 'beauty'"),
        (["report", "--metric", "user"], "did you mean users?"),
        (["trend", "--by", "year"], "'year' is not one of"),
        (["latency", "--slow", "soon"], "'soon' is not a valid integer"),
        (["forecast", "--least", "much"], "must be a finite number"),
        (["top", "--of", "planets"], "no dimension 'planets'"),
        (["calls", "--where", "status=ok"], "no status 'ok'; there are success, error"),
        (["prices", "update"], "pip install --upgrade outlay"),
        (["top", "--by", "tokens"], "single calls are ranked by cost or latency"),
        (["calls", "--limit", "x"], "'x' is not a valid integer. (see outlay calls --help)"),
        (["calls", "--where", "=x"], "'=x' is no NAME=VALUE"),
        (["top", "--by", "beauty"], "beauty"),
        (["explain"], "ID"),
        (["explain", "x", "--tz", "Mars/Olympus"], "no time zone"),
        (["demo", "--calls", "-1"], "-1"),
        (["demo", "--provider", "nope"], "there are alibaba, anthropic, "),
        (["demo", "--provider", "openai"], "OPENAI_API_KEY is not set"),
        (["demo", "--multi", "--model", "mock-fast"], "--multi"),
        (["demo", "--provider", "mock-fast", "--model", "gpt-4o"], "has no model 'gpt-4o'"),
        (["run"], "name a program"),
        (["run", "-m"], "name a module"),
        (["run", "--tag", "x", "p.py"], "'x' is no NAME=VALUE"),
        (["completion", "tcsh"], "tcsh"),
    ],
)
def test_a_wrong_command_line_ends_with_two_and_one_line(
    outlay: Callable[..., Any], args: list[str], says: str
) -> None:
    done = outlay(*args)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("outlay: ")
    assert says in done.stderr


def test_an_id_that_no_call_has_ends_with_one_and_one_line(outlay: Callable[..., Any]) -> None:
    whole = "019a9f2c-0000-7000-8000-000000000000"
    for asked, says in (
        ("019a", "no call has an id that begins with '019a';"),
        (whole, f"no call has the id '{whole}';"),
    ):
        done = outlay("explain", asked)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == f"outlay: {says} `outlay calls` lists them\n"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["price", "missing.jsonl"], "missing.jsonl: No such file"),
        (["price", "."], ".: Is a directory; name a file, or - for standard input"),
        (["price", "a\0b"], "embedded null"),
        (["import", "missing.jsonl"], "missing.jsonl: No such file or directory; name a file, or - for"),
        (["import", "."], "Is a directory"),
        (
            ["prices", "diff", "old.toml", "new.toml"],
            "old.toml: No such file or directory; name a price file",
        ),
        (["prices", "diff", ".", "."], "overlay.toml: No such file or directory; name a price file, or a fo"),
        (["prices", "diff", "--litellm", "map.json"], "map.json: No such file or directory; name litellm's"),
        (["prices", "update", "--url", "prices.gz"], "prices.gz: No such file or directory; name a bundle"),
        (["run", "."], ". is a folder without __main__.py; name a Python file, or a module with -m"),
        (["run", "missing.py"], "no program 'missing.py'"),
        (["run", "-m", "missing.module"], "no module 'missing.module'"),
        (["run", "/bin/sh"], "/bin/sh is no Python program"),
        (["run", "python", "my_script.py"], "outlay run is the Python that runs it: leave 'python' out"),
        (["run", sys.executable, "my_script.py"], f"leave {sys.executable!r} out"),
    ],
)
def test_what_is_not_there_ends_with_one_and_one_line(
    outlay: Callable[..., Any], args: list[str], says: str
) -> None:
    done = outlay(*args)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert says in done.stderr


ASKING = (
    *(
        (),
        ("report",),
        ("top",),
        ("users",),
        ("trend",),
        ("forecast",),
        ("latency",),
        ("errors",),
        ("cache",),
    ),
    *(
        ("quality",),
        ("economics",),
        ("savings",),
        ("calls",),
        ("explain", "019a"),
        ("reprice", "--since", "7d"),
    ),
    *(("whatif", "--model", "gpt-4o-mini"), ("review",), ("watch", "--for", "0"), ("dashboard",)),
    *(("dashboard", "--json"), ("sql", "SELECT count(*) FROM calls"), ("export", "--format", "csv")),
    *(("ledger", "info"), ("ledger", "migrate"), ("ledger", "compact"), ("ledger", "verify")),
    *(("ledger", "late"), ("ledger", "prune", "--older-than", "9d", "--yes"), ("alerts", "check")),
    ("alerts", "list"),
)
"""Every command that asks a ledger."""


@pytest.mark.parametrize("args", ASKING, ids=" ".join)
def test_a_ledger_that_is_typed_and_not_there_ends_with_one_and_one_line(
    outlay: Callable[..., Any], tmp_path: Path, args: tuple[str, ...]
) -> None:
    """And none is made there; a file in its place is a wrong command line."""
    done = outlay(*args, "--ledger", "nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"outlay: there is no ledger in {tmp_path / 'nowhere'}; outlay doctor says where calls are kept\n"
    )
    assert [file.name for file in tmp_path.iterdir()] == []
    (tmp_path / "file").touch()
    done = outlay(*args, "--ledger", "file")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"outlay: {tmp_path / 'file'} is a file; a ledger is a folder or a URL\n"


def test_a_folder_of_other_things_is_no_ledger_and_stays_as_it_is(
    outlay: Callable[..., Any], tmp_path: Path
) -> None:
    """Typed as ``--ledger .`` it would have got a journal, a ledger and its locks among its files."""
    (tmp_path / "project.py").touch()
    done = outlay("report", "--ledger", ".")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"outlay: there is no ledger in {tmp_path}; outlay doctor says where calls are kept\n"
    )
    assert [file.name for file in tmp_path.iterdir()] == ["project.py"]
    assert outlay("demo", "--no-sleep", "--calls", "1", "--ledger", ".").returncode == 0
    assert outlay("report", "--ledger", ".").returncode == 0


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("report", "--ledger", ""), "there is an empty word after --ledger where a value belongs"),
        (("ledger", "info", "--ledger="), "there is nothing after --ledger= where a value belongs"),
        (("trend", "--since", ""), "there is an empty word after --since where a value belongs"),
        (("report", "--tz", ""), "there is an empty word after --tz where a value belongs"),
        (("import", ""), "there is an empty word after import where a value belongs"),
        (("report", "--share", "nope"), "no share of 'nope'; there are those of calls, errors, "),
        (("forecast", "--least", "-1"), "Invalid value for '--least': -1 is below 0"),
        (("watch", "--for", "nan"), "Invalid value for '--for': nan is no number of seconds"),
        (("report", "--where", "user=\udcff"), "'user=\\udcff' is no text in UTF-8"),
        (("import", "x", "--tag", "a=\udcff"), "'a=\\udcff' is no text in UTF-8"),
        (("sql", "SELECT '\udcff'"), "\"SELECT '\\udcff'\" is no text in UTF-8"),
    ],
)
def test_what_would_have_been_passed_over_in_silence_is_refused(
    outlay: Callable[..., Any], args: tuple[str, ...], says: str
) -> None:
    done = outlay(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"outlay: {says}")
    assert len(done.stderr.splitlines()) == 1


def test_an_empty_word_may_stand_for_no_dimension_and_is_passed_on_to_a_program(
    outlay: Callable[..., Any], tmp_path: Path
) -> None:
    assert outlay("report", "--by", "").returncode == 0
    (tmp_path / "words.py").write_text("import sys\nassert sys.argv[1:] == ['', '--x=']\n", "utf-8")
    # In a process of its own: the hooks would stay in this one.
    command = [sys.executable, "-m", "outlay", "run", "words.py", "", "--x="]
    assert subprocess.run(command, check=False, cwd=tmp_path, capture_output=True).returncode == 0


def test_every_command_that_asks_a_ledger_is_tried_with_one_that_is_not_there() -> None:
    """Those left out record, bring calls, send them or ask no ledger; doctor is about what is not there."""
    left_out = {"init", "demo", "run", "price", "prices", "import", "ship", "doctor", "completion"}
    assert {args[0] for args in ASKING if args} == set(COMMANDS) - left_out


@pytest.mark.parametrize("args", [("report",), ("calls",), ("ledger", "verify"), ("sql", "SELECT 1 AS one")])
def test_a_ledger_that_settings_name_is_empty_until_calls_come(
    outlay: Callable[..., Any], tmp_path: Path, args: tuple[str, ...]
) -> None:
    done = outlay(*args)
    assert done.returncode == 0, done
    assert done.stdout
    assert [file.name for file in tmp_path.iterdir()] == []


def test_doctor_names_a_ledger_that_is_typed_and_not_there(
    outlay: Callable[..., Any], tmp_path: Path
) -> None:
    done = outlay("doctor", "--ledger", "nowhere", "--json")
    assert done.returncode == 1
    (fault,) = (each for each in json.loads(done.stdout)["findings"] if each["level"] == "fault")
    assert fault["what"] == f"there is no ledger in {tmp_path / 'nowhere'}"
    assert [file.name for file in tmp_path.iterdir()] == []


def test_an_import_tried_out_on_a_ledger_to_come_makes_none(
    outlay: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "some.jsonl").write_text("", "utf-8")
    done = outlay("import", "some.jsonl", "--dry-run", "--ledger", "nowhere")
    assert (done.returncode, done.stderr) == (0, "")
    assert [file.name for file in tmp_path.iterdir()] == ["some.jsonl"]


def test_a_folder_whose_name_this_locale_cannot_say_is_one_line(
    environ: dict[str, str], tmp_path: Path
) -> None:
    home = tmp_path / "häus"
    home.mkdir()
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "OUTLAY_LEDGER": str(home)}
    done = subprocess.run(
        [*OUTLAY, "report"], capture_output=True, env={**environ, **ascii_only}, check=False, text=True
    )
    assert done.returncode == 1
    assert done.stderr.endswith("has no name in UTF-8 in this locale; set PYTHONUTF8=1\n")
    assert len(done.stderr.splitlines()) == 1


def test_the_ledger_of_the_settings_that_is_not_there_yet_is_empty(
    outlay: Callable[..., Any], tmp_path: Path
) -> None:
    done = outlay("users")
    assert (done.returncode, done.stderr) == (0, "")
    assert [file.name for file in tmp_path.iterdir()] == []


def test_a_process_of_its_own_ends_in_the_same_ways(command: Command) -> None:
    wrong, failed = command("reprot"), command("price", "missing.jsonl")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == "outlay: no command 'reprot'; did you mean report? (see outlay --help)\n"
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr == (
        "outlay: missing.jsonl: No such file or directory; name a file, or - for standard input\n"
    )


@pytest.mark.parametrize("args", [("price",), ("import",), ("run",), ("prices", "update", "--url")])
def test_a_file_that_is_not_for_this_user_ends_with_one_and_one_line(
    environ: dict[str, str], tmp_path: Path, args: tuple[str, ...]
) -> None:
    secret = tmp_path / "secret.py"
    secret.write_text("{}\n")
    secret.chmod(0)
    command = [*HUMBLE, *OUTLAY, *args, str(secret)]
    done = subprocess.run(command, capture_output=True, env=environ, check=False, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"outlay: {secret}: Permission denied; ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("args", [("report", "--json"), ("report",), ("prices", "show", "gpt-4o")])
def test_a_full_disk_behind_standard_output_is_said_in_one_line(
    environ: dict[str, str], args: tuple[str, ...]
) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*OUTLAY, *args], stdout=full, stderr=subprocess.PIPE, env=environ, check=False)
    assert done.returncode == 1
    assert done.stderr == b"outlay: standard output: No space left on device\n"


def test_without_any_output_a_command_does_what_it_does(environ: dict[str, str], tmp_path: Path) -> None:
    demo = shlex.join((*OUTLAY, "demo", "--no-sleep"))
    report = shlex.join((*OUTLAY, "report", "--json"))
    done = subprocess.run(
        ["sh", "-c", f"{demo} >&- 2>&-; {report} 2>&-"], capture_output=True, env=environ, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["total"]["calls"] == 6


def test_a_bad_setting_is_a_wrong_command_line(outlay: Callable[..., Any]) -> None:
    done = outlay("report", OUTLAY_SYNC="sometimes")
    assert done.returncode == 2
    assert done.stderr == "outlay: OUTLAY_SYNC = 'sometimes': write one of never, interval, always\n"


def test_a_fault_of_our_own_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from outlay.cli import app  # noqa: PLC0415 - its root is replaced

    @click.command
    def broken() -> None:
        raise KeyError("oh")

    monkeypatch.setattr(app, "root", broken)
    monkeypatch.delenv("OUTLAY_DEBUG", raising=False)
    assert app.main([]) == 1
    assert capsys.readouterr().err == (
        "outlay: a fault of outlay's own, KeyError('oh'); OUTLAY_DEBUG=1 shows where\n"
    )
    monkeypatch.setenv("OUTLAY_DEBUG", "1")
    with pytest.raises(KeyError):
        app.main([])


def test_an_interrupt_ends_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from outlay.cli import app  # noqa: PLC0415 - its root is replaced

    @click.command
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "root", interrupted)
    assert app.main([]) == 130
    assert capsys.readouterr().err == "\noutlay: interrupted\n"  # the first line is that of ^C


def test_ctrl_c_at_a_question_ends_its_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from outlay.cli import app  # noqa: PLC0415 - its root is replaced

    @click.command
    def asking() -> None:
        click.confirm("Go on?", err=True)

    def interrupt(_prompt: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("click.termui.visible_prompt_func", interrupt)
    monkeypatch.setattr(app, "root", asking)
    assert app.main([]) == 130
    assert capsys.readouterr().err == "\noutlay: interrupted\n"


def test_an_interrupt_before_the_command_is_loaded_ends_with_a_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from outlay.cli import main  # noqa: PLC0415 - it loads the command

    class Interrupted:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "outlay.cli.app":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "outlay.cli.app")
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    assert main([]) == 130
    assert capsys.readouterr().err == "\noutlay: interrupted\n"


@pytest.mark.parametrize(
    ("line", "stands"),
    [
        (["import", "x.jsonl"], "what was done till then is kept, and the same command does the rest"),
        (["ledger", "compact"], "the ledger is as it was"),
        (["import", "--dry-run", "x.jsonl"], None),
    ],
)
def test_an_interrupt_says_what_stands(
    line: list[str],
    stands: str | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from outlay.cli import app  # noqa: PLC0415 - its root is replaced

    @click.command(context_settings={"ignore_unknown_options": True})
    @click.argument("words", nargs=-1)
    def interrupted(words: tuple[str, ...]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "root", interrupted)
    assert app.main(line) == 130
    assert capsys.readouterr().err == f"\noutlay: interrupted{'' if stands is None else '; ' + stands}\n"


def test_an_interrupt_reaches_a_question_that_duckdb_works_at(
    outlay: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which DuckDB tells as a RuntimeError of its own."""
    from outlay.ledger.engine import Engine  # noqa: PLC0415 - DuckDB loads late

    def interrupted(*_: object) -> None:
        raise RuntimeError("Query interrupted")

    outlay("demo", "--no-sleep", "--calls", "1")
    monkeypatch.setattr(Engine, "all", interrupted)
    done = outlay("report")
    assert (done.returncode, done.stderr) == (130, "\noutlay: interrupted\n")


def test_a_reader_that_goes_away_is_no_error(environ: dict[str, str]) -> None:
    lines = b'{"id":1,"provider":"openai","api":"chat","response":{}}\n' * 20_000
    with subprocess.Popen(
        [sys.executable, "-m", "outlay", "price"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdout.close()
        try:
            process.stdin.write(lines)
            process.stdin.close()
        except BrokenPipeError:
            pass  # it ended before it read everything, as it may
        assert process.stderr.read() == b""
        assert process.wait() == 1


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_its_completion_script(command: Command, shell: str) -> None:
    done = command("completion", shell)
    assert done.returncode == 0
    assert "_OUTLAY_COMPLETE" in done.stdout
    assert ("autoload -Uz compinit" in done.stdout) == (shell == "zsh")  # which has not always loaded it
    assert ('string split --max 1 ","' in done.stdout) == (shell == "fish")  # which cut values at commas


@pytest.mark.skipif(which("fish") is None, reason="there is no fish on this machine")
def test_fish_offers_values_and_descriptions_with_their_commas(
    environ: dict[str, str], tmp_path: Path, command: Command
) -> None:
    (tmp_path / "outlay.fish").write_text(command("completion", "fish").stdout)
    done = subprocess.run(
        [
            "fish",
            "-N",
            "-c",
            "source outlay.fish; complete -C 'outlay report --by day,use'; complete -C 'outlay doc'",
        ],
        cwd=tmp_path,
        env={**environ, "HOME": str(tmp_path), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    values, described = done.stdout.splitlines()
    assert values == "day,user"
    assert described.startswith("doctor\tWhat is installed, recorded, pending")


@pytest.mark.skipif(which("zsh") is None, reason="there is no zsh on this machine")
def test_a_zsh_without_settings_of_its_own_takes_the_script(
    environ: dict[str, str], tmp_path: Path, command: Command
) -> None:
    (tmp_path / "outlay.zsh").write_text(command("completion", "zsh").stdout)
    done = subprocess.run(
        ["zsh", "-f", "-c", "source outlay.zsh; print $_comps[outlay]"],
        cwd=tmp_path,
        env={**environ, "HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("_outlay_completion\n", 0)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("outlay import ", "file,"),
        ("outlay price re", "file,re"),
        ("outlay run as", "file,as"),
        ("outlay dashboard --png x", "file,x"),
        ("outlay report --ledger sp", "dir,sp"),
        ("outlay report --by mod", "plain,model"),
        ("outlay report --by day,use", "plain,day,user"),
        ("outlay users --where qu", "plain,query_type="),
        ("outlay report --order p9", "plain,p95_latency_ms\nplain,p99_latency_ms"),
        ("outlay top --of feat", "plain,features"),
        ("outlay ledger ver", "plain,verify"),
        ("outlay top --by la", "plain,latency"),
        ("outlay whatif --model gpt-4o-mini-2", "plain,gpt-4o-mini-2024-07-18"),
        ("outlay whatif --model o1,gpt-4o-mini-tr", "plain,o1,gpt-4o-mini-transcribe"),
        ("outlay whatif --provider deeps", "plain,deepseek"),
        ("outlay savings --model gpt-4o-mini-2", "plain,gpt-4o-mini-2024-07-18"),
        ("outlay prices show gpt-4o-mini-2", "plain,gpt-4o-mini-2024-07-18"),
        ("outlay prices show x --provider deeps", "plain,deepseek"),
        ("outlay prices set gpt-4o-mini-2", "plain,gpt-4o-mini-2024-07-18"),
        ("outlay prices set x --provider deeps", "plain,deepseek"),
        ("outlay prices diff --provider deeps", "plain,deepseek"),
        ("outlay import x --provider deeps", "plain,deepseek"),
        ("outlay import x --tz Europe/Berl", "plain,Europe/Berlin"),
        ("outlay calls --tz Europe/Berl", "plain,Europe/Berlin"),
        ("outlay report --tz Europe/Berl", "plain,Europe/Berlin"),
        ("outlay report --metric sl", "plain,slow:"),
    ],
)
def test_the_shell_completes_values_too(command: Command, typed: str, offered: str) -> None:
    done = command(_OUTLAY_COMPLETE="bash_complete", COMP_WORDS=typed, COMP_CWORD=str(typed.count(" ")))
    assert (done.stdout.strip("\n"), done.stderr) == (offered, "")


@pytest.fixture
def tagged(environ: dict[str, str], tmp_path: Path, command: Command) -> Path:
    """Give the folder of a ledger that has taken in three calls with tags."""
    folder = tmp_path / "tagged"
    environ["OUTLAY_LEDGER"] = str(folder)
    ledger = open_ledger(str(folder), home=folder)
    ledger.add(
        call(user=user, tags={"team": team, "tenant": "a", "odd name": "b"})
        for team, user in (("core", "ann"), ("search", "bob"), ("my team", "x y"))
    )
    return folder


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("outlay report --where tag:", "plain,tag:team=\nplain,tag:tenant="),
        ("outlay report --where tag:ten", "plain,tag:tenant="),
        ("outlay report --where tag:team=s", "plain,tag:team=search"),
        ("outlay report --where user=", "plain,user=ann\nplain,user=bob"),
        ("outlay report --where day=", ""),
        ("outlay report --where imaginary=", ""),
        ("outlay report --by day,tag:te", "plain,day,tag:team\nplain,day,tag:tenant"),
        ("outlay top --of tag:ten", "plain,tag:tenant"),
        ("outlay report --ledger nowhere --where tag:", "plain,tag:"),
        ("outlay report --ledger postgresql://127.0.0.1:1/x --where user=", ""),
        ("outlay report --ledger nosql://a:b@c/x --where user=", ""),
    ],
)
def test_the_shell_completes_tags_and_values_of_the_ledger_and_changes_nothing(
    command: Command, tagged: Path, typed: str, offered: str
) -> None:
    before = sorted(tagged.rglob("*")), (tagged / "ledger.duckdb").read_bytes()
    done = command(_OUTLAY_COMPLETE="bash_complete", COMP_WORDS=typed, COMP_CWORD=str(typed.count(" ")))
    assert (done.stdout.strip("\n"), done.stderr) == (offered, "")
    assert (sorted(tagged.rglob("*")), (tagged / "ledger.duckdb").read_bytes()) == before
    assert not (tagged.parent / "nowhere").exists()


def test_the_shell_completes_the_id_of_a_call(command: Command, tagged: Path) -> None:
    done = command(_OUTLAY_COMPLETE="bash_complete", COMP_WORDS="outlay explain 0", COMP_CWORD="2")
    newest = [f"plain,{each}" for each in offered_ids(tagged, "")]
    assert (len(newest), done.stdout.splitlines(), done.stderr) == (3, newest, "")


@pytest.mark.skipif(which("bash") is None, reason="there is no bash on this machine")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("report --where tag : te", "team= tenant="),
        ("report --where tag :", "team= tenant="),
        ("report --where user = a", "ann"),
        ("report --ledger = tagged --where us", "user="),
        ("report --by day,tag : ten", "tenant"),
    ],
)
def test_bash_completes_behind_the_signs_at_which_it_cuts_words(
    environ: dict[str, str], tmp_path: Path, command: Command, tagged: Path, words: str, offered: str
) -> None:
    (tmp_path / "outlay.bash").write_text(command("completion", "bash").stdout)
    line = words.replace(" : ", ":").replace(" :", ":").replace(" = ", "=")
    script = (
        f'source outlay.bash; compopt() {{ :; }}; COMP_LINE="outlay {line}"; COMP_WORDS=(outlay {words});'
        ' COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _outlay_completion outlay; echo "${COMPREPLY[*]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        cwd=tmp_path,
        env={**environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == (f"{offered}\n", "")


def test_completion_names_commands_and_options(command: Command) -> None:
    done = command(_OUTLAY_COMPLETE="bash_complete", COMP_WORDS="outlay re", COMP_CWORD="1")
    assert done.stdout.splitlines() == ["plain,report", "plain,reprice", "plain,review"]


def test_the_version_is_the_packages(outlay: Callable[..., Any]) -> None:
    assert outlay("--version").stdout == f"outlay {version('outlay')}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="a shell's <&-")
@pytest.mark.parametrize("args", [("price",), ("import", "-"), ("sql", "-")])
def test_a_standard_input_that_is_closed_is_said_in_one_line(
    environ: dict[str, str], tmp_path: Path, args: tuple[str, ...]
) -> None:
    """As services may start a program; it was told as a fault of ours."""
    line = ["sh", "-c", 'exec "$0" "$@" <&-', sys.executable, "-m", "outlay", *args]
    done = subprocess.run(line, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("outlay: standard input is closed; ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("report", "--ledger", "postgres//me:s3cret@h/d"),
        ("postgresql://me:s3cret@h/d",),
        ("report", "postgresql://me:s3cret@h/d"),
        ("report", "--ledgr=postgresql://me:s3cret@h/d"),
        ("report", "--where", "postgresql://me:s3cret@h/d"),
        ("import", "postgresql://me:s3cret@h/d"),
        ("run", "postgresql://me:s3cret@h/d"),
        ("prices", "update", "--url", "file://me:s3cret@h/d"),
    ],
)
def test_no_message_repeats_a_password(outlay: Callable[..., Any], words: tuple[str, ...]) -> None:
    done = outlay(*words)
    assert done.returncode in {1, 2}
    assert done.stderr.startswith("outlay: ")
    assert "cret" not in done.stdout + done.stderr


def test_doctor_shows_no_password_of_where_prices_are_fetched_from(outlay: Callable[..., Any]) -> None:
    done = outlay("doctor", "--json", OUTLAY_PRICES_URL="https://me:s3cret@h/p?token=s3cret")
    assert "cret" not in done.stdout + done.stderr
    assert "https://…@h/p?token=…" in done.stdout
