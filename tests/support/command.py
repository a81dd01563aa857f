"""The command in a process and a folder of its own; nothing of the machine's settings is known to it."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from outlay import process
from outlay.cli import main

Done = subprocess.CompletedProcess[str]
Command = Callable[..., Done]
HUMBLE = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
"""What stands before a command that files shall refuse: to root nothing is forbidden without it."""


def clean_environ(folder: Path) -> dict[str, str]:
    """Give an environment in which no key and no setting is known but a ledger in the folder."""
    foreign = ("OUTLAY_", "OPENAI_", "ANTHROPIC_", "DJANGO_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, "OUTLAY_LEDGER": str(folder / "ledger"), "PYTHONIOENCODING": "utf-8", "COLUMNS": "80"}


def command_here(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Give a function that does the same in this process, where a process of its own proves nothing more."""

    def run(*args: str, **environ: str) -> Done:
        with monkeypatch.context() as patch:
            patch.chdir(folder)
            for name in set(os.environ) - set(clean_environ(folder)):
                patch.delenv(name)
            for name, value in {**clean_environ(folder), **environ}.items():
                patch.setenv(name, value)
            code = main(args)
            process.use(None)
        out, err = capsys.readouterr()
        return Done(args, code, out, err)

    return run


def run_command(folder: Path) -> Command:
    """Give a function that runs ``outlay`` in that folder; keywords go into its environment."""

    def run(*args: str, files: Mapping[str, str] | None = None, **environ: str) -> Done:
        for name, text in (files or {}).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        return subprocess.run(
            [sys.executable, "-m", "outlay", *args],
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=folder,
            env={**clean_environ(folder), **environ},
            check=False,
        )

    return run
