"""Every dependency of ours has its reason written down, and the locked environment holds no surprise."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from outlay.instrumentation.hooks import PACKAGES, TRANSPORTS, _leaf

ROOT = Path(__file__).parents[2]
WHOLE = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = WHOLE["project"]
REASONS = (ROOT / "ARCHITECTURE.md").read_text("utf-8").split("## Dependencies", 1)[1]


def _needed() -> dict[str, str]:
    extras = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    parts = (
        re.fullmatch(r"([a-z0-9-]+)(?:\[[a-z]+\])?(.*)", line) for line in (*PROJECT["dependencies"], *extras)
    )
    return {part[1]: part[2] for part in parts if part is not None and part[1] != "outlay"}


def _tools() -> set[str]:
    lines = [line for group in WHOLE["dependency-groups"].values() for line in group if isinstance(line, str)]
    lines += WHOLE["build-system"]["requires"]
    return {re.split(r"[\[<>=]", line, maxsplit=1)[0] for line in lines}


def _extras_said(path: Path) -> Iterator[str]:
    """Name the extras that a module spells out, and those that it hands to the error of a missing one."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _spelt(node.value)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "MissingExtraError.of":
            yield from _handed(node.args[0], tree)


def _spelt(text: str) -> list[str]:
    return [each for names in re.findall(r"\boutlay\[([^]]+)\]", text) for each in names.split(",")]


def _handed(extra: ast.expr, tree: ast.Module) -> list[str]:
    """Read what is handed on: a text, or a name that is one of several."""
    if isinstance(extra, ast.Constant):
        return [str(extra.value)]
    made = [node.value for node in ast.walk(tree) if isinstance(node, ast.Assign)
            and [ast.unparse(each) for each in node.targets] == [ast.unparse(extra)]]  # fmt: skip
    ways = [way for each in made if isinstance(each, ast.IfExp) for way in (each.body, each.orelse)]
    return [str(way.value) for way in ways if isinstance(way, ast.Constant)]


def _rows() -> set[str]:
    """Name the packages in the first column of the tables of reasons."""
    rows = re.findall(r"^\| ([^|]+) \|", REASONS, re.MULTILINE)
    cells = (re.sub(r"\([^)]*\)", "", row) for row in rows if row not in {"package", "---"})
    return {name.strip() for cell in cells for name in cell.split(",")}


@pytest.mark.parametrize("package", sorted(_needed()))
def test_a_dependency_has_a_reason_and_a_version_from_which_it_works(package: str) -> None:
    assert re.search(rf"\b{re.escape(package)}\b", REASONS), "say in ARCHITECTURE.md, Dependencies, what for"
    assert _needed()[package].startswith(">=")


@pytest.mark.parametrize("package", sorted(_tools()))
def test_what_builds_and_tests_it_has_a_reason_too(package: str) -> None:
    assert re.search(rf"\b{re.escape(package)}\b", REASONS), "say in ARCHITECTURE.md, Dependencies, what for"


@pytest.mark.parametrize("package", sorted(_rows() - {"outlay"}))
def test_a_reason_is_for_something_that_is_used(package: str) -> None:
    assert package in _needed().keys() | _tools(), "nothing needs it any more"


def test_no_dependency_has_an_upper_bound() -> None:
    assert {name: bound for name, bound in _needed().items() if "<" in bound or "=" in bound[2:]} == {}


@pytest.mark.parametrize("name", [*PACKAGES, *TRANSPORTS])
def test_the_extra_of_an_sdk_never_brings_one_that_is_too_old_to_be_hooked(name: str) -> None:
    oldest: tuple[int, ...] = _leaf(name).OLDEST
    (line,) = PROJECT["optional-dependencies"][name]
    _, _, bound = line.partition(">=")
    assert tuple(int(part) for part in f"{bound}.0".split(".")) >= oldest


def test_every_extra_that_is_named_is_spelt_as_the_project_spells_it() -> None:
    """An older pip takes the name of an extra by its letters; uv and newer ones forgive ``_`` for ``-``."""
    said = {each for path in (ROOT / "src").rglob("*.py") for each in _extras_said(path)}
    assert {"chdb", "clickhouse", "dashboard", "opentelemetry"} <= said
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").rglob("*.py")]
    said |= {each for path in pages for each in _spelt(path.read_text("utf-8"))}
    assert said <= PROJECT["optional-dependencies"].keys()
