"""ARCHITECTURE.md beside the tree: its map, its floors and the files that it names are the real ones."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "outlay"
TEXT = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
MAP, FLOORS = re.findall(r"```\n(.*?)```", TEXT, re.DOTALL)[1:3]
DECISION = re.compile(r"^(\d+)\. \*\*", re.MULTILINE)
LONGEST_DECISION = 15  # lines: what, why, what was rejected


def test_the_map_has_every_room_and_every_module_beside_them() -> None:
    lines = re.findall(r"^  ((?:\w+(?:/|\.py)(?: |$))+)", MAP, re.MULTILINE)
    shown = {name.rstrip("/") for line in lines for name in line.split()}
    there = {path.name for path in SOURCE.iterdir() if path.suffix == ".py" or path.is_dir()}
    there -= {"__pycache__", "__main__.py"}
    assert there - shown == {"api.py"}  # which stands behind the face, in its line
    assert shown - there == set()


def test_the_floors_are_those_that_are_checked() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(each["layers"] for each in contracts if each["type"] == "layers")
    checked = [set(layer.replace("|", " ").split()) for layer in layers]
    assert [set(floor.split()) for floor in FLOORS.split(">")] == checked


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`((?:[\w.]+/)+[\w.]+\.(?:py|toml))`", TEXT))))
def test_a_file_that_is_named_is_there(named: str) -> None:
    assert (SOURCE / named).exists() or (ROOT / named).exists()


def test_decisions_are_numbered_in_order_and_short() -> None:
    starts = list(DECISION.finditer(TEXT))
    assert [int(each[1]) for each in starts] == list(range(1, len(starts) + 1))
    bodies = [re.split(r"\n\n|\n(?=\d+\. \*\*)", TEXT[each.start() :], maxsplit=1)[0] for each in starts]
    assert [body[:40] for body in bodies if body.count("\n") >= LONGEST_DECISION] == []
