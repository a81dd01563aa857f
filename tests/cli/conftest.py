"""The command as people run it, in this process or in one of its own; nothing but the test is known to it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from outlay import process
from outlay.cli import main


@dataclass(frozen=True)
class Done:
    """What a command printed and how it ended."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Give an environment in which nothing but the test's own folder is known."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OUTLAY_", "OPENAI_"))}
    return {**kept, "OUTLAY_LEDGER": str(tmp_path / "ledger"), "PYTHONIOENCODING": "utf-8", "COLUMNS": "80"}


@pytest.fixture
def outlay(
    tmp_path: Path,
    environ: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Callable[..., Done]]:
    """Give a function that runs the command in this process."""
    monkeypatch.chdir(tmp_path)
    for name in set(os.environ) - set(environ):
        monkeypatch.delenv(name)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    def run(*args: str, **more: str) -> Done:
        with monkeypatch.context() as patch:
            for name, value in more.items():
                patch.setenv(name, value)
            code = main(args)
        out, err = capsys.readouterr()
        return Done(code, out, err)

    yield run
    process.use(None)
    for name in set(os.environ) - set(environ):  # what `outlay run` hands down to the program's children
        if name.startswith("OUTLAY_"):
            del os.environ[name]


@pytest.fixture
def command(tmp_path: Path, environ: dict[str, str]) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Give a function that runs the command in a process of its own."""

    def run(*args: str, stdin: str = "", **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "outlay", *args],
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=tmp_path,
            env={**environ, **more},
            check=False,
        )

    return run
