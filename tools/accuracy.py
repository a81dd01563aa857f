"""How right the figures are: recorded responses read and priced, as a Markdown table by provider and API.

Give files of ``outlay price`` input lines: ``python -m tools.accuracy FILE… [--at INSTANT]``. The totals that
providers state are found here in the raw bodies, not by the code that they are compared with.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from outlay.core.cost import COST_STATUSES, Cost
from outlay.core.instants import instant
from outlay.core.money import text_of
from outlay.core.usage import Usage
from outlay.extract import read
from outlay.pricing import cost_of

TOTALS = ("total_tokens", "totalTokenCount", "total_token_count", "totalTokens")
USAGES = ("usage", "usageMetadata", "usage_metadata")
HOLDERS = ("response", "interaction", "metadata", "chunk")
ADDED_UP = frozenset({"realtime", "live"})  # APIs of which a session states a total a turn
COLUMNS = ("lines", "with usage", "stated total", "equal", "flagged", "differing")
MONEY = ("stated money", "ours equal", "ours differing")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one line."""

    id: str
    provider: str
    api: str
    usage: Usage
    ours: Cost  # by the book alone, as if no money were stated
    status: str
    total: str | None  # how the provider's total compares: equal, flagged or differing; None without one

    @property
    def money(self) -> str | None:
        """How the provider's money compares with the book's; None where none is stated."""
        stated = self.usage.reported_cost
        if stated is None:
            return None
        return "ours equal" if self.ours.amount == stated else "ours differing"


def outcome_of(line: Mapping[str, Any], at: datetime) -> Outcome:
    """Read and price one line; a line without a time is priced at ``at``."""
    provider, api = line["provider"], line["api"]
    body = next(line[name] for name in ("response", "events", "sse") if line.get(name) is not None)
    usage = read(body, provider=provider, api=api)
    when = instant(line["at"]) if line.get("at") else at
    model = line.get("model") or usage.model
    cost = cost_of(usage, provider=provider, model=model, at=when)
    own = replace(usage, reported_cost=None)
    ours = cost_of(own, provider=provider, model=model, at=when)
    return Outcome(str(line["id"]), provider, api, usage, ours, cost.status, _compared(body, api, usage))


def _compared(body: Any, api: str, usage: Usage) -> str | None:
    stated = _total(body, api)
    if stated is None:
        return None
    # The tokens of an image tool are another model's, and stand in no total.
    drawn = sum(part.total_tokens for part in usage.parts[1:]) if api == "responses" else 0
    if stated == usage.total_tokens - drawn:
        return "equal"
    return "flagged" if usage.flags else "differing"


def _total(body: Any, api: str) -> int | None:
    events = [event for event in _events(body) if isinstance(event, dict)]
    found = [total for event in events for total in _totals_in(event)]
    if not found:
        return None
    return sum(found) if api in ADDED_UP else found[-1]


def _events(body: Any) -> list[Any]:
    if not isinstance(body, str):
        return body if isinstance(body, list) else [body]
    texts = [row[5:].strip() for row in body.splitlines() if row.startswith("data:")]
    return [_loaded(text) for text in texts if text and text != "[DONE]"]


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:  # the text of the stream was cut off
        return None


def _totals_in(event: Mapping[str, Any]) -> Iterator[int]:
    holders = [event, *(event.get(name) for name in HOLDERS)]
    if not event.get("usage"):
        holders.append(event.get("x_groq"))
    for holder in holders:
        for usage in (holder.get(name) for name in USAGES) if isinstance(holder, dict) else ():
            if isinstance(usage, dict):
                yield from (usage[key] for key in TOTALS if isinstance(usage.get(key), int))


def rows_of(outcomes: Iterable[Outcome]) -> dict[tuple[str, str], Counter[str]]:
    """Count outcomes by provider and API."""
    rows: dict[tuple[str, str], Counter[str]] = {}
    for outcome in outcomes:
        row = rows.setdefault((outcome.provider, outcome.api), Counter())
        row["lines"] += 1
        row["with usage"] += bool(outcome.usage.items)
        row[outcome.status] += 1
        if outcome.total is not None:
            row["stated total"] += 1
            row[outcome.total] += 1
        if outcome.money is not None:
            row["stated money"] += 1
            row[outcome.money] += 1
    return rows


def table(rows: Mapping[tuple[str, str], Counter[str]]) -> str:
    """Write the counts as a Markdown table, the sum of all first."""
    columns = (*COLUMNS, *COST_STATUSES, *MONEY)
    whole: Counter[str] = sum(rows.values(), Counter())
    lines = [("provider", "api", *columns), ("---", "---", *("--:" for _ in columns))]
    lines.append(("**all**", "", *(str(whole[name]) for name in columns)))
    for (provider, api), row in sorted(rows.items()):
        lines.append((provider, api, *(str(row[name] or "") for name in columns)))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def differences(outcomes: Iterable[Outcome]) -> str:
    """List every figure that differs from the provider's: totals, then money with our lines of it."""
    found = []
    for each in outcomes:
        if each.total in {"flagged", "differing"}:
            flags = ", ".join(each.usage.flags)
            found.append(f"| {each.id} | {each.provider} | {each.api} | total | {flags} | |")
        if each.money == "ours differing":
            stated = text_of(each.usage.reported_cost or Decimal(0))
            ours = "unknown" if each.ours.amount is None else text_of(each.ours.amount)
            found.append(f"| {each.id} | {each.provider} | {each.api} | money | {stated} | {ours} |")
    head = (
        "| id | provider | api | what | flags, or stated money | ours |",
        "| --- | --- | --- | --- | --- | --: |",
    )
    return "\n".join((*head, *found))


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--at", type=instant, default=None, help="the time of lines that have none; now")
    said = parser.parse_args()
    at = said.at or datetime.now(UTC)
    lines = (json.loads(line) for file in said.files for line in file.read_text("utf-8").splitlines())
    outcomes = [outcome_of(line, at) for line in lines]
    print(table(rows_of(outcomes)))
    print()
    print(differences(outcomes))


if __name__ == "__main__":
    main()
