"""Small expressions of SQL that every room of the bulk writes."""

from collections.abc import Iterable

MONEY = "DECIMAL(38, 18)"
NOTHING = "NULL"


def quoted(text: str) -> str:
    """Write a text as SQL does."""
    return "'" + text.replace("'", "''") + "'"


def matches(text: str, pattern: str) -> str:
    """Ask whether a text is wholly of a pattern, or missing."""
    return f"({text} IS NULL OR regexp_full_match({text}, {quoted(pattern)}))"


def is_one_of(text: str, *words: str) -> str:
    """Ask whether a text is one of some, or missing; a pattern of them takes twice as long."""
    return f"({text} IS NULL OR {text} IN ({', '.join(map(quoted, words))}))"


def coalesced(texts: Iterable[str]) -> str:
    """Take the first text that says something."""
    some = [text for text in texts if text != NOTHING]
    return f"coalesce({', '.join(some)})" if len(some) > 1 else some[0] if some else NOTHING


def trimmed(amount: str) -> str:
    """Write an amount of money as ``core.money`` does: plainly, without trailing zeros."""
    return f"rtrim(rtrim(CAST({amount} AS VARCHAR), '0'), '.')"


def unquoted(delimiter: str) -> str:
    """Give a table's line without quotes; NULL where a cell has a quote or the delimiter in it."""
    cell = f'("[^"{delimiter}]*"|[^"{delimiter}]*)'
    plain = f"regexp_full_match(line, {quoted(f'{cell}({delimiter}{cell})*')})"
    bare = "replace(line, '\"', '')"
    return f"CASE WHEN NOT contains(line, '\"') THEN line WHEN {plain} THEN {bare} END"
