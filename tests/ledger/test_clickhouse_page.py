"""The page on ClickHouse: each statement that it has typed is one to the engine's own parser."""

import re
from pathlib import Path

import pytest
from tests.support.chdb import engine

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```sql\n(.*?)```", (ROOT / "docs" / "clickhouse.md").read_text("utf-8"), re.DOTALL)
STATEMENTS = [each.strip() for each in re.sub(r"--.*", "", "".join(BLOCKS)).split(";") if each.strip()]
SENT = [
    *(ROOT / "src" / "outlay" / "ledger" / "clickhouse").glob("*.py"),
    *(ROOT / "src" / "outlay" / "ledger" / "schema" / "clickhouse").glob("*.sql"),
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_clickhouse_parses_what_the_page_has_typed(statement: str) -> None:
    [(parsed,)] = engine().all("SELECT formatQuery(?)", [statement])
    assert parsed.split(maxsplit=1)[0] == statement.split(maxsplit=1)[0]


def test_the_page_grants_what_statements_of_ours_need_and_no_more() -> None:
    [granted] = [each for each in STATEMENTS if each.endswith("ON outlay.* TO outlay")]
    needed = set(granted.removeprefix("GRANT ").partition(" ON ")[0].split(", "))
    sent = "".join(each.read_text("utf-8") for each in SENT)
    verbs = "SELECT|INSERT|CREATE TABLE|CREATE VIEW|ALTER|OPTIMIZE|TRUNCATE|DROP TABLE|KILL"
    assert needed == set(re.findall(rf"\b(?:{verbs})(?= )", sent))
    assert (
        "GRANT ON CLUSTER main CLUSTER, REMOTE ON *.* TO outlay" in STATEMENTS
    )  # to make Distributed tables
