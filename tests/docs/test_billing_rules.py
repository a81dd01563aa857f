"""Each rule of docs/billing.md names tests that show it: they are there, run everywhere, are collected."""

import re
from pathlib import Path

import pytest
from tests.support.named import fault_of, missed, not_collected

PAGE = (Path(__file__).parents[2] / "docs" / "billing.md").read_text("utf-8")
ID = re.compile(r"`([\w./]+\.py::[^`]+)`")
Rule = tuple[str, tuple[str, ...]]


def rules_of(page: str) -> list[Rule]:
    """Give each rule with the tests that it names: what is numbered, and every row of a table of rules."""
    found, in_rules = [], False
    for line in re.sub(r"\n   +", " ", page).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        in_rules = bool(cells) and (in_rules or cells[0] == "rule")
        if re.match(r"\d+\. ", line):
            found.append((line, tuple(ID.findall(line))))
        elif in_rules and cells[0] != "rule" and set(cells[0]) != {"-"}:
            found.append((cells[0], tuple(ID.findall(cells[-1]))))
    return found


RULES = rules_of(PAGE)
NAMES = sorted({name for _, names in RULES for name in names})


def test_every_table_and_list_of_rules_is_found() -> None:
    sections = [text for text in PAGE.split("\n## ") if "| rule |" in text]
    assert len(sections) == len(re.findall(r"^\| rule \| code \| shown by \|$", PAGE, re.MULTILINE)) == 8
    assert len(RULES) == 3 + sum(text.count("\n| ") - 1 for text in sections)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule[0][:60])
def test_every_rule_names_a_test_that_shows_it(rule: Rule) -> None:
    text, names = rule
    assert names, f"nothing shows: {text}"
    assert {name: fault for name in names if (fault := fault_of(name))} == {}


def test_what_the_rules_name_is_collected(request: pytest.FixtureRequest) -> None:
    assert not_collected(NAMES, request.session) == []


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("docs/test_billing_rules.py::test_every_rule_names_a_test_that_shows_it", None),
        ("extract/test_golden.py::test_golden[chat: cached and reasoning are subsets]", None),
        (
            "extract/test_golden.py::test_golden[a case that nobody wrote]",
            "a case that the test does not have",
        ),
        ("extract/test_golden.py::test_of_nothing", "a test that is not there"),
        ("extract/test_golden.py::units_of", "a test that is not there"),
        ("extract/test_nothing.py::test_golden", "not there or that pytest does not collect"),
        ("support/named.py::fault_of", "not there or that pytest does not collect"),
        ("extract/test_recorded.py::test_stated_totals_are_ours_or_flagged", "does not run everywhere"),
        ("extract/test_golden.py", "no name of a test"),
    ],
)
def test_a_name_that_shows_nothing_is_told(name: str, fault: str | None) -> None:
    found = fault_of(name)
    assert found is None if fault is None else fault in (found or "")


def test_a_rule_without_a_test_is_a_rule_that_is_found() -> None:
    table = (
        "| rule | code | shown by |\n|---|---|---|\n| one | `outlay.x` | |\n| two | | `a/test_b.py::test_c` |"
    )
    assert rules_of(
        f"1. first\n   goes on `a/test_b.py::test_d`\n\n{table}\n\n| other |\n|---|\n| row |"
    ) == [
        ("1. first goes on `a/test_b.py::test_d`", ("a/test_b.py::test_d",)),
        ("one", ()),
        ("two", ("a/test_b.py::test_c",)),
    ]


def test_a_name_that_was_not_collected_is_missed() -> None:
    collected = ["tests/a/test_b.py::test_c[one]", "tests/a/test_b.py::test_d"]
    names = [
        "a/test_b.py::test_c",
        "a/test_b.py::test_c[one]",
        "a/test_b.py::test_c[two]",
        "a/test_z.py::test_z",
    ]
    assert missed(names, collected) == ["a/test_b.py::test_c[two]"]
