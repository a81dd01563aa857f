"""Which keys stand in the tables of outlay.toml, and which stand in one that they do not belong to."""

from collections.abc import Iterator, Mapping
from typing import Any

CHANNEL_KEYS = frozenset({"slack", "smtp", "email", "from", "apprise"})
ALERT_KEYS = CHANNEL_KEYS | {"rules", "refresh"}
RULE_KEYS = frozenset(
    {"name", "budget", "call_cost", "error_rate", "window", "per", "where", "steps", "tz", "currency"}
    | {"min_calls", "stop"}
)
_RULES = "[[alerts.rules]]"
_OF_TABLES = {**dict.fromkeys(sorted(RULE_KEYS), _RULES), **dict.fromkeys(sorted(ALERT_KEYS), "[alerts]")}
_KNOWN: Mapping[str, frozenset[str]] = {_RULES: RULE_KEYS}  # settings' names that mean something there, too


def misplaced(content: Mapping[str, Any], settings: Mapping[str, Any]) -> str | None:
    """Say which of a file's keys stands in the wrong table, never its value; None if none does.

    What is written behind a ``[table]`` belongs to it, as TOML has it: a ledger was a tag there, or nothing.
    """
    for key, table in _inside(content, ""):
        if key in settings and key not in _KNOWN.get(table, ()):
            tag = "; for a tag of that name there is OUTLAY_TAGS" if table == "[tags]" else ""
            return f"{key} stands in {table:.80}; it is a setting and belongs above the first [table]{tag}"
    above = (key for key in content if key in _OF_TABLES and key not in settings)
    return next((f"{key} belongs below {_OF_TABLES[key]}" for key in above), None)


def _inside(content: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    """Give each key within a table, with the table as the file writes it."""
    for name, value in content.items():
        part = name if name.isprintable() else ascii(name)
        below = f"{path}.{part}" if path else part
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                table = f"[[{below}]]" if isinstance(value, list) else f"[{below}]"
                yield from ((key, table) for key in each)
                yield from _inside(each, below)
