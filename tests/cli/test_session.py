"""Where a command prints: how wide, in which colours, and on an output that knows few signs."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from outlay.cli.session import page_of_terminal
from outlay.render.as_table import Page

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "72")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_a_pipe_has_no_edge_and_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    assert page_of_terminal() == Page(None, color=False)


@pytest.mark.usefixtures("terminal")
def test_a_terminal_has_both() -> None:
    assert page_of_terminal() == Page(72, color=True)


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colours_can_be_unwanted(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert page_of_terminal() == Page(72, color=False)


def test_an_output_that_is_not_utf8_shows_escapes_rather_than_failing(command: Command) -> None:
    done = command("demo", "--calls", "1", "--no-sleep", PYTHONIOENCODING="latin-1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u2550" * 58 in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a Unix thing")
def test_the_summary_of_a_run_is_shown_on_a_terminal_alone(environ: dict[str, str], tmp_path: Path) -> None:
    import pty  # noqa: PLC0415 - Unix only

    (tmp_path / "prog.py").write_text(
        "import outlay; outlay.record(provider='openai', model='gpt-4o', input_tokens=1000)", encoding="utf-8"
    )
    args = [sys.executable, "-m", "outlay", "run", "prog.py"]
    ours, theirs = pty.openpty()
    done = subprocess.run(args, stdout=subprocess.PIPE, stderr=theirs, cwd=tmp_path, env=environ, check=True)
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert done.stdout == b""
    assert "COST & USAGE SUMMARY" in shown
    # 1000 x 2.50 a million
    assert "Total cost        : $0.002500" in shown
    piped = subprocess.run(args, capture_output=True, cwd=tmp_path, env=environ, check=True)
    assert (piped.stdout, piped.stderr) == (b"", b"")
