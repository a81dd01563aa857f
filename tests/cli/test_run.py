"""``outlay run``: the program behaves as under Python, and its calls are recorded."""

import os
import py_compile
import signal
import subprocess
import sys
import zipapp
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., "subprocess.CompletedProcess[str]"]

TELLS = """
import __main__, os, sys
print(sys.argv[1:], __name__, __main__.__dict__ is globals(), os.path.realpath(sys.path[0]))
"""


def calls_in(command: Command) -> str:
    """Count what the ledger holds."""
    heading, only = (each.split(",") for each in command("report", "--csv").stdout.splitlines())
    return dict(zip(heading, only, strict=True))["calls"]


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], str]:
    def write(text: str) -> str:
        folder = tmp_path / "app"
        folder.mkdir(exist_ok=True)
        (folder / "prog.py").write_text(text, encoding="utf-8")
        return "app/prog.py"

    return write


def test_arguments_name_and_path_are_as_python_has_them(
    command: Command, program: Callable[[str], str], tmp_path: Path
) -> None:
    name = program(TELLS)
    args = ["--tag", "x=y", "--json", "-m", "--help", "--"]
    under_python = subprocess.run(
        [sys.executable, name, *args], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    done = command("run", "--tag", "team=search", name, *args)
    assert done.stdout == under_python.stdout
    assert str((tmp_path / "app").resolve()) in done.stdout
    assert (done.returncode, done.stderr) == (0, "")


def test_a_module_runs_from_the_working_folder(command: Command, tmp_path: Path) -> None:
    (tmp_path / "mod.py").write_text(f"{TELLS}\nprint(__file__ == sys.argv[0])", encoding="utf-8")
    done = command("run", "-m", "mod", "--help")
    assert done.stdout.splitlines()[0].startswith("['--help'] __main__ True")
    assert done.stdout.splitlines()[1] == "True"


@pytest.mark.parametrize(
    "text", ["import not_there_at_all", "raise ValueError('own')", "import sys; print(sys.argv)"]
)
def test_what_the_package_around_a_module_does_is_the_programs(
    command: Command, tmp_path: Path, text: str
) -> None:
    """A fault there is neither ours nor a module that is missing."""
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text(text, encoding="utf-8")
    (tmp_path / "package" / "mod.py").write_text("print('ran')", encoding="utf-8")
    under_python = subprocess.run(
        [sys.executable, "-m", "package.mod", "a"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    done = command("run", "-m", "package.mod", "a")
    assert (done.returncode, done.stdout) == (under_python.returncode, under_python.stdout)
    assert done.stderr.splitlines()[-1:] == under_python.stderr.splitlines()[-1:]
    assert "outlay" not in done.stderr


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("package", "package is a package without __main__.py; name one of its modules"),
        ("package.nope", "no module 'package.nope'"),
        ("__main__", "no module '__main__'"),
        (".package", "no module '.package'"),
    ],
)
def test_a_module_that_cannot_run_is_said_in_one_line(
    command: Command, tmp_path: Path, module: str, said: str
) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    done = command("run", "-m", module)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"outlay: {said}")
    assert len(done.stderr.splitlines()) == 1


def test_an_archive_that_begins_with_a_line_for_the_shell_runs(command: Command, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__main__.py").write_text("print('in an archive')")
    zipapp.create_archive(tmp_path / "app", tmp_path / "app.pyz", interpreter="/usr/bin/env python3")
    assert command("run", "app.pyz").stdout == "in an archive\n"


def test_bytecode_runs(command: Command, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("print('compiled')")
    py_compile.compile(str(tmp_path / "app.py"), str(tmp_path / "app.pyc"))
    assert command("run", "app.pyc").stdout == "compiled\n"


def test_an_archive_with_a_main_runs(command: Command, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "app.pyz", "w") as archive:
        archive.writestr("__main__.py", "import sys; print('in', sys.argv)")
    assert command("run", "app.pyz", "a").stdout == "in ['app.pyz', 'a']\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [("import sys; sys.exit(7)", 7), ("raise SystemExit", 0), ("import sys; sys.exit('sorry')", 1)],
)
def test_the_exit_code_is_the_programs(
    command: Command, program: Callable[[str], str], text: str, code: int
) -> None:
    done = command("run", program(text))
    assert done.returncode == code
    assert done.stderr == ("sorry\n" if "sorry" in text else "")


@pytest.mark.parametrize(
    "text", ["def f():\n    raise KeyError('x')\nf()", "x = = 1", "raise KeyboardInterrupt"]
)
def test_an_exception_is_shown_as_python_shows_it(
    command: Command, program: Callable[[str], str], tmp_path: Path, text: str
) -> None:
    name = program(text)
    under_python = subprocess.run(
        [sys.executable, name], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    done = command("run", name)
    assert done.returncode == under_python.returncode
    assert done.returncode == (-2 if "Interrupt" in text else 1)
    # The frames' file names are not compared: newer Pythons make them absolute.
    assert done.stderr.splitlines()[-1] == under_python.stderr.splitlines()[-1]
    assert len(done.stderr.splitlines()) == len(under_python.stderr.splitlines())


def test_what_the_program_records_is_in_the_ledger_with_the_tags(
    command: Command, program: Callable[[str], str]
) -> None:
    name = program("import outlay; outlay.record(provider='openai', model='gpt-4o', input_tokens=1000000)")
    assert command("run", "--tag", "team=search", name).returncode == 0
    done = command("report", "--by", "tag:team", "--csv")
    heading, first = (each.split(",") for each in done.stdout.splitlines())
    found = dict(zip(heading, first, strict=True))
    assert (found["tag:team"], found["calls"], found["cost"]) == ("search", "1", "2.5")


def test_a_call_recorded_by_an_exit_handler_or_a_late_thread_is_kept(
    command: Command, program: Callable[[str], str]
) -> None:
    text = """
import atexit, threading, time, outlay
call = lambda: outlay.record(provider='openai', model='gpt-4o', input_tokens=1)
atexit.register(call)
threading.Thread(target=lambda: (time.sleep(0.2), call())).start()
"""
    assert command("run", program(text)).stderr == ""
    done = command("report", "--csv")
    heading, only = (each.split(",") for each in done.stdout.splitlines())
    assert dict(zip(heading, only, strict=True))["calls"] == "2"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
def test_termination_drains_and_ends_by_the_signal(
    command: Command, program: Callable[[str], str], environ: dict[str, str], tmp_path: Path
) -> None:
    text = """
import outlay, sys, time
outlay.record(provider='openai', model='gpt-4o', input_tokens=1)
print('ready', flush=True)
for _ in range(600):
    time.sleep(0.1)  # Python takes a signal that comes just before a wait when that wait is over
"""
    with subprocess.Popen(
        [sys.executable, "-m", "outlay", "run", program(text)],
        stdout=subprocess.PIPE,
        cwd=tmp_path,
        env={**environ, "OUTLAY_SYNC": "never"},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.terminate()
        assert process.wait(30) == -15
    heading, only = (each.split(",") for each in command("report", "--csv").stdout.splitlines())
    assert dict(zip(heading, only, strict=True))["calls"] == "1"


def test_an_sdks_calls_are_recorded_without_a_change_to_the_program(
    command: Command, program: Callable[[str], str]
) -> None:
    body = {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
    }
    text = f"""
import httpx2, openai
transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json={body!r}))
client = openai.OpenAI(api_key="x", http_client=httpx2.Client(transport=transport))
answer = client.chat.completions.create(model="gpt-4o", messages=[{{"role": "user", "content": "hi"}}])
print(answer.choices[0].message.content)
"""
    done = command("run", program(text))
    assert (done.returncode, done.stdout, done.stderr) == (0, "hi\n", "")
    heading, first = (
        each.split(",") for each in command("report", "--by", "model", "--csv").stdout.splitlines()
    )
    found = dict(zip(heading, first, strict=True))
    # 1000 x 2.50 and 100 x 10.00, each a million
    assert (found["model"], found["calls"], found["cost"]) == ("gpt-4o-2024-08-06", "1", "0.0035")


def test_a_program_without_an_sdk_loads_none(command: Command, program: Callable[[str], str]) -> None:
    text = "import sys; print(sorted({'openai', 'anthropic', 'google.genai', 'duckdb'} & set(sys.modules)))"
    assert command("run", program(text)).stdout == "[]\n"


def test_ctrl_c_ends_the_program_by_its_signal_and_its_calls_are_kept(
    command: Command, program: Callable[[str], str], environ: dict[str, str], tmp_path: Path
) -> None:
    text = """
import atexit, outlay, time
atexit.register(lambda: print('its own handler ran'))
outlay.record(provider='openai', model='gpt-4o', input_tokens=1)
print('ready', flush=True)
for _ in range(600):
    time.sleep(0.1)  # Python takes a signal that comes just before a wait when that wait is over
"""
    with subprocess.Popen(
        [sys.executable, "-m", "outlay", "run", program(text)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=environ,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (-signal.SIGINT, b"its own handler ran\n")
    assert err.endswith(b"KeyboardInterrupt\n")
    assert calls_in(command) == "1"


def test_a_python_command_on_the_path_runs_and_no_other_does(
    command: Command, environ: dict[str, str], tmp_path: Path
) -> None:
    for name, first in (("asker", f"#!{sys.executable}"), ("lister", "#!/bin/sh")):
        script = tmp_path / "bin" / name
        script.parent.mkdir(exist_ok=True)
        script.write_text(f"{first}\nimport sys; print('in', sys.argv[1:])\n", encoding="utf-8")
        script.chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{environ['PATH']}"
    assert command("run", "asker", "--x", PATH=path).stdout == "in ['--x']\n"
    refused = command("run", "lister", PATH=path)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "is no Python program" in refused.stderr
