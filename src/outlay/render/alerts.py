"""Rules and how they stand, as a table: one row a rule and group, the highest first."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from outlay.render.as_table import Column, Page, table
from outlay.render.cells import dollars, name

NO_RULES: Final = "no rules; write them into outlay.toml as [[alerts.rules]]"
_SHOWN = 10  # groups of a rule; all of them stand in the JSON


def rules_text(rules: Sequence[Mapping[str, Any]], page: Page) -> str:
    """Show rules as the command's JSON has them."""
    if not rules:
        return NO_RULES
    rows = [row for rule in rules for row in _rows(rule)]
    headings = ("rule", "window", "for", "stands at", "limit", "used", "told")
    columns = [
        Column(heading, cells, text=heading in {"rule", "window", "for", "told"}, spare=spare)
        for heading, cells, spare in zip(
            headings, zip(*rows, strict=True), (0, 2, 0, 0, 1, 0, 3), strict=True
        )
        if heading != "for" or any(cells)
    ]
    return table(columns, page)


def _rows(rule: Mapping[str, Any]) -> list[tuple[str, ...]]:
    title = f"{name(rule['name'])}{' (stops)' if rule['stop'] else ''}"
    limit = _figure(rule, rule["limit"])
    found = rule["standing"][:_SHOWN]
    if not found:
        return [(title, rule["window"], "", "nothing", limit, "", "")]
    return [
        (
            title,
            each["window"],
            ", ".join(f"{key} {name(value)}" for key, value in each["for"].items()),
            _figure(rule, each["value"]),
            limit,
            f"{Decimal(each['percent']):.0f}%",
            _told(each),
        )
        for each in found
    ]


def _told(standing: Mapping[str, Any]) -> str:
    """Say when an alert was told; the channels that it waits for where none has taken it."""
    if standing["told"]:
        return name(standing["told"])[:16].replace("T", " ")
    return f"not by {', '.join(map(name, standing['waiting']))} yet" if standing["waiting"] else ""


def _figure(rule: Mapping[str, Any], text: str) -> str:
    return f"{text}%" if rule["kind"] == "error_rate" else dollars(Decimal(text), rule["currency"])
