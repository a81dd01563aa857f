"""The README's table of documents and where they live: every name, command and file that it says is there."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from outlay.cli.app import COMMANDS

ROOT = Path(__file__).parents[2]
_MODULE = re.compile(r"`(outlay(?:\.\w+)+)`(?: \(([\w, ]*\w[\w, ]*)\))?")


def table() -> dict[str, str]:
    """Give the table's rows: where each document lives."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    part = text.partition("## Coming from one of the documents")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", part, re.MULTILINE)
    return {name: where for name, where in rows if name != "document"}


def commands_in(where: str) -> Iterator[str]:
    """Give the commands that a row names, ``outlay report``, and `top` after it."""
    for text in re.findall(r"`([^`]+)`", where):
        words = text.split()
        if words[0] == "outlay" and len(words) > 1:
            yield words[1]
        elif re.fullmatch(r"[a-z]+", text):
            yield text


def test_there_are_five_documents() -> None:
    assert len(table()) == 5


@pytest.mark.parametrize("document", table())
def test_what_a_row_names_is_there(document: str) -> None:
    where = table()[document]
    modules = _MODULE.findall(where)
    assert modules
    for module, names in modules:
        for name in filter(None, (each.strip() for each in names.split(","))):
            if name != "mock profiles":
                assert hasattr(import_module(module), name), f"{module}.{name}"
    for command in commands_in(where):
        assert command in COMMANDS
    for path in re.findall(r"(?:examples|docs)/[\w/.]*\w", where):
        assert (ROOT / path).exists(), path
