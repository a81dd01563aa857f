"""The end of each help: examples that the command understands, and exit codes."""

import re
import shlex
from pathlib import Path

import click
import pytest
from tests.support.commands import understood
from tools.command_pages import _commands

from outlay.cli.app import root
from outlay.cli.manual import CODES, EXAMPLES

PATHS = {" ".join(path): command for path, command in _commands(root, ("outlay",))}
LINES = [line for examples in EXAMPLES.values() for line, _ in examples]


def test_every_command_has_an_example_and_no_example_lacks_its_command() -> None:
    assert set(EXAMPLES) == set(PATHS)
    assert set(CODES) <= set(PATHS)


@pytest.mark.parametrize("path", PATHS)
def test_the_help_ends_with_examples_and_exit_codes(path: str) -> None:
    command = PATHS[path]
    help_text = command.get_help(click.Context(command, info_name=path, **command.context_settings))
    assert all(line in help_text for line, _ in EXAMPLES[path])
    assert re.search(r"  Exit codes:\n(?:    \S[^\n]*,\n)+    2 [^\n]*\.\Z", help_text)


@pytest.mark.parametrize("line", LINES)
def test_an_example_is_understood(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in re.findall(r"[\w.]+\.(?:jsonl|csv|gz|py)", line):
        (tmp_path / name).touch()
    (command,) = re.findall(r"(?<![\w.])outlay(?= |$)((?:'[^']*'|[^|>)'])*)", line)
    understood(shlex.split(command))
