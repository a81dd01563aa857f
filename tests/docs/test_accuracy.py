"""docs/accuracy.md beside what it speaks of: its sums, the bills by hand, and the recordings."""

import json
import os
import re
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from tools.accuracy import differences, outcome_of, rows_of, table

from outlay.core.instants import instant

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "accuracy.md").read_text("utf-8")
CORPUS = os.environ.get("OUTLAY_CORPUS")
BILLS = [json.loads(line) for line in (ROOT / "tests/golden/by_hand.jsonl").read_text("utf-8").splitlines()]
SEARCH = "0.005"  # dollars, where all else is in millionths


def rows(heading: str) -> Iterator[list[str]]:
    """Give the cells of each row of the table under a heading."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    for line in section.splitlines():
        if re.match(r"\| r\d", line):
            yield [cell.strip() for cell in line.strip("|").split("|")]


HAND = list(rows("By hand"))


def test_the_page_counts_what_was_billed_by_hand() -> None:
    said = re.search(r": (\d+) of (\d+) pairs; and r1894, for its fee", PAGE)
    pairs = {(bill["provider"], bill["api"]) for bill in BILLS}
    assert said
    assert (int(said[1]) + 1, int(said[2])) == (len(BILLS), len(pairs))
    assert len(HAND) == 30


@pytest.mark.parametrize("row", HAND, ids=lambda row: row[0])
def test_a_sum_in_words_is_the_bill_by_hand(row: list[str]) -> None:
    name, api, _, words, cost = row
    bill = next(bill for bill in BILLS if bill["id"] == name)
    assert api == f"{bill['provider']} {bill['api']}"
    if words == "unpriced":
        assert (bill["cost"], cost) == (None, "none")
        return
    products = re.findall(r"(\d+(?: \+ \d+)*) x ([\d.]+)", words)
    amounts = [
        sum(map(int, counts.split(" + "))) * Fraction(rate) / (1 if rate == SEARCH else 1_000_000)
        for counts, rate in products
    ]
    assert sum(amounts) == Fraction(cost)
    assert Decimal(bill["cost"]) == Decimal(cost)


def test_every_figure_that_differs_has_its_reason() -> None:
    explained = [name for row in rows("What differs, and why") for name in row[0].split(", ")]
    assert sorted(explained) == [row[0] for row in rows("Every figure that differs")]


@pytest.mark.skipif(CORPUS is None, reason="no recorded responses: set OUTLAY_CORPUS to a JSON lines file")
def test_the_tables_are_what_the_command_prints() -> None:
    command = re.search(r"python -m tools\.accuracy \S+ --at (\S+)", PAGE)
    assert command
    lines = [json.loads(line) for line in Path(CORPUS or "").read_text("utf-8").splitlines()]
    outcomes = [outcome_of(line, instant(command[1])) for line in lines]
    assert PAGE.startswith(f"# How right the figures are\n\n{len(lines):,} recorded responses")
    assert f"## By provider and API\n{table(rows_of(outcomes))}\n" in PAGE
    assert f"## Every figure that differs\n{differences(outcomes)}\n" in PAGE
