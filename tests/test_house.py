"""The house as a whole: every module says its purpose, stays small, and is tested where one looks for it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "outlay"
MODULES = sorted(SOURCE.rglob("*.py"))
LONGEST_MODULE, LONGEST_FUNCTION = 320, 50
LONGER: dict[str, str] = {}
"""What may be longer, ``module`` or ``module:function``, and why."""


def name_of(path: Path) -> str:
    """Give a module's path below the package."""
    return path.relative_to(SOURCE).as_posix()


def functions(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Give each function with its lines, decorators left out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            yield node.name, node.end_lineno - node.lineno + 1


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_says_its_purpose_in_one_line_and_is_short(path: Path) -> None:
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    said = (ast.get_docstring(tree) or "").splitlines()
    if text.strip():
        assert said, "a module says in its first line what it is for"
        first = said[0]
        assert first.endswith((".", "?", "!")), "the purpose is one sentence on one line"
        assert len(said) == 1 or not said[1], "the purpose is one sentence on one line"
        assert len(first.split()) >= 3
    name = name_of(path)
    assert text.count("\n") <= LONGEST_MODULE or name in LONGER
    too_long = [each for each, lines in functions(tree) if lines > LONGEST_FUNCTION]
    assert [each for each in too_long if f"{name}:{each}" not in LONGER] == []


def test_every_exception_is_needed_and_has_a_reason() -> None:
    found = set()
    for path in MODULES:
        text = path.read_text("utf-8")
        name = name_of(path)
        found |= {name} if text.count("\n") > LONGEST_MODULE else set()
        found |= {f"{name}:{each}" for each, lines in functions(ast.parse(text)) if lines > LONGEST_FUNCTION}
    assert found == LONGER.keys()
    assert all(reason.strip() for reason in LONGER.values())


def test_there_is_no_module_for_what_has_no_name() -> None:
    nameless = {"utils.py", "helpers.py", "misc.py", "common_utils.py", "util.py"}
    assert [path for path in MODULES if path.name in nameless] == []


def test_every_room_has_its_folder_of_tests() -> None:
    rooms = {path.name for path in SOURCE.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()}
    assert rooms - folders - ELSEWHERE.keys() == set()


ELSEWHERE = {"testing": "the contracts that it holds run in tests/ledger, over every ledger"}
