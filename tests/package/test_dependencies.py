"""Every dependency of ours has its reason written down, and the locked environment holds no surprise."""

import re
import tomllib
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
