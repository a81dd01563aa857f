"""The page on ClickHouse: each statement that it has typed is one to the engine's own parser."""

import re
from pathlib import Path

import pytest
from tests.support.chdb import engine

PAGE = Path(__file__).parents[2] / "docs" / "clickhouse.md"
[BLOCK] = re.findall(r"```sql\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
STATEMENTS = [each.strip() for each in re.sub(r"--.*", "", BLOCK).split(";") if each.strip()]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_clickhouse_parses_what_the_page_has_typed(statement: str) -> None:
    [(parsed,)] = engine().all("SELECT formatQuery(?)", [statement])
    assert parsed.split(maxsplit=1)[0] == statement.split(maxsplit=1)[0]
