"""docs/comparison.md: what it says of each other tool has a link to where that can be looked up."""

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "comparison.md").read_text("utf-8")
LINK = re.compile(r"\]\(https://[^)\s]+\)")
CELLS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("|") and not line.startswith("|-")
]
WHERE = {row[0]: row[1] for row in CELLS if len(row) == 2}
OTHERS = PAGE.split("Not in the table")[1].split("\n## ")[0]
BESIDE = re.findall(r"^- \*\*(\w+)\*\*(.*?)(?=^- |\Z)", OTHERS, re.MULTILINE | re.DOTALL)
SAID = [
    (name, said)
    for name, text in BESIDE
    for said in re.split(r"(?<=[.)])\s+(?=[A-Z])", " ".join(text.split()))
    if said
]


def test_each_tool_of_the_table_has_its_links() -> None:
    (_, ours, *others), *rows = (row for row in CELLS if len(row) > 2)
    assert ours.startswith("outlay ")
    assert {len(row) for row in rows} == {2 + len(others)}
    assert [name.rpartition(" ")[0] for name in others] == list(WHERE)[1:]
    assert [name for name, links in WHERE.items() if name != "tool" and not LINK.search(links)] == []


def test_the_tools_beside_the_table_are_found() -> None:
    assert [name for name, _ in BESIDE] == ["Helicone", "OpenLLMetry", "tokencost"]
    assert len(SAID) == 8


@pytest.mark.parametrize("said", SAID, ids=lambda said: f"{said[0]}: {said[1][:40]}")
def test_each_sentence_about_a_tool_beside_the_table_has_a_link(said: tuple[str, str]) -> None:
    assert LINK.search(said[1])
