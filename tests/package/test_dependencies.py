"""Every dependency of ours has its reason written down, and the locked environment holds no surprise."""

import re
import tomllib
from pathlib import Path

import pytest

from outlay.instrumentation.hooks import PACKAGES, TRANSPORTS, _leaf

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
REASONS = (ROOT / "ARCHITECTURE.md").read_text("utf-8").split("## Dependencies", 1)[1]


def _needed() -> dict[str, str]:
    extras = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    parts = (
        re.fullmatch(r"([a-z0-9-]+)(?:\[[a-z]+\])?(.*)", line) for line in (*PROJECT["dependencies"], *extras)
    )
    return {part[1]: part[2] for part in parts if part is not None and part[1] != "outlay"}


@pytest.mark.parametrize("package", sorted(_needed()))
def test_a_dependency_has_a_reason_and_a_version_from_which_it_works(package: str) -> None:
    assert re.search(rf"\b{re.escape(package)}\b", REASONS), "say in ARCHITECTURE.md, Dependencies, what for"
    assert _needed()[package].startswith(">=")


def test_no_dependency_has_an_upper_bound() -> None:
    assert {name: bound for name, bound in _needed().items() if "<" in bound or "=" in bound[2:]} == {}


@pytest.mark.parametrize("name", [*PACKAGES, *TRANSPORTS])
def test_the_extra_of_an_sdk_never_brings_one_that_is_too_old_to_be_hooked(name: str) -> None:
    oldest: tuple[int, ...] = _leaf(name).OLDEST
    (line,) = PROJECT["optional-dependencies"][name]
    _, _, bound = line.partition(">=")
    assert tuple(int(part) for part in f"{bound}.0".split(".")) >= oldest
