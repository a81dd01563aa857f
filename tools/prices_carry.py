"""Carries on what the tables held: a rate that its source changed holds from then on, and not in the past.

litellm's map says what a price is and never since when, and drops models that are retired. So a build lays
new rows beside those that are there: what differs ends where the new list was first seen, what is gone stays
for calls of its time, and only what is known to have been wrong is replaced.
"""

import json
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

from outlay.pricing.names import normal
from tools.prices_entry import Entry, PriceRow
from tools.prices_litellm import PROFILE

SEEN = "2026-11-20T00:00:00Z"  # when the newest list was released; a rate that is new in it holds from then
# What was a fault of a list and no price: the newest figure holds for the past too; with by whose word.
# These are of litellm 1.110.2; the next list begins with none.
CORRECTED = {
    ("azure", "jais-30b-chat"): "it had the price of a thousand tokens as that of one; 1.110.2 mended it",
    ("watsonx", "core42/jais-13b-chat"): "likewise",
    ("perplexity", "anthropic/claude-sonnet-5-5"): "Anthropic's own list has 0.10 for cached tokens too",
    ("bedrock", "moonshotai.kimi-k3.1"): "a bare id is served in its region; genai-prices has global",
    ("bedrock", "amazon.titan-embed-text-v2:0"): "two government regions were taken for one",
    ("bedrock", "amazon.titan-text-express-v1"): "likewise",
    ("bedrock", "meta.llama3-8b-instruct-v1:0"): "likewise",
    **{
        ("fireworks", name): "a price per step of drawing stood for that of a token"
        for name in (
            "SSD-1B", "flux-1-dev-controlnet-union", "flux-1-dev-fp8", "flux-1-schnell-fp8",
            "japanese-stable-diffusion-xl", "playground-v2-1024px-aesthetic",
            "playground-v2-5-1024px-aesthetic", "stable-diffusion-xl-1024-v1-0",
        )
    },
}  # fmt: skip
Found = dict[str, dict[str, Entry]]
Key = tuple[tuple[tuple[str, str], ...], str, bool]


def carry(merged: Found, data: Path, report: list[str]) -> None:
    """Lay new entries over the tables in a folder; what is kept or dated goes to the report."""
    for path in sorted(data.glob("*.json")):
        entries = merged.setdefault(path.stem, {})
        known = {normal(name) for entry in entries.values() for name in (entry.id, *entry.names)}
        for name, before in read_entries(path).items():
            where = f"{path.stem}/{name}"
            if name in entries:
                _carry_entry(before, entries[name], where, report)
                entries[name].names |= {each for each in before.names if normal(each) not in known}
            elif not (
                normal(name) in known or (path.stem, name) in CORRECTED or _is_profile(path.stem, name)
            ):
                before.names = {each for each in before.names if normal(each) not in known}
                entries[name] = before
                report.append(f"kept: {where}: no list has it any more")


def _is_profile(home: str, name: str) -> bool:
    return home == "bedrock" and PROFILE.match(name) is not None


def read_entries(path: Path) -> dict[str, Entry]:
    """Read a table that a build wrote."""
    content = json.loads(path.read_text("utf-8"))
    sources = [(each["name"], each.get("link")) for each in content["sources"]]
    return {
        name: Entry(
            name,
            set(data.get("names", ())),
            [_row(row, sources) for row in data["rows"]],
            {key: value for key, value in data.items() if key not in {"names", "rows"}},
        )
        for name, data in content["models"].items()
    }


def _row(data: dict[str, Any], sources: list[tuple[str, str | None]]) -> PriceRow:
    steps = data.get("above", [])
    return PriceRow(
        rates=_rates(data.get("rates", {})),
        above={step["tokens"]: _rates(step["rates"]) for step in steps},
        at_least=any(step.get("at_least") for step in steps),
        start=data.get("from"),
        end=data.get("to"),
        when=data.get("when", {}),
        windows=data.get("windows", []),
        factor=Decimal(data["factor"]) if "factor" in data else None,
        source=sources[data["source"]],
    )


def _rates(data: dict[str, str]) -> dict[str, Decimal]:
    return {unit: Decimal(rate) for unit, rate in data.items()}


def _carry_entry(before: Entry, now: Entry, where: str, report: list[str]) -> None:
    old, new = _grouped(before.rows), _grouped(now.rows)
    corrected = tuple(where.split("/", 1)) in CORRECTED
    for key, rows in old.items():
        there = new.get(key)
        last = _last(rows)
        if corrected:
            continue
        if there is None:
            gone = [_ended(row) if row is last else row for row in rows]
            now.rows += gone
            report.append(f"ended: {where} {dict(key[0])}")
        elif last is not None and len(there) == 1 and there[0].end is None:
            _carry_row(rows, last, there[0], now)
            if there[0].start == SEEN:
                report.append(f"dated: {where} {dict(key[0]) or ''}: {_change(last, there[0])}")


def _carry_row(rows: list[PriceRow], last: PriceRow, row: PriceRow, now: Entry) -> None:
    """Put what a rate was before what it is, unless the new list dates it itself."""
    if row.start is not None and row.start != last.start:
        return
    if _same(last, row):
        row.start = last.start
        now.rows += [each for each in rows if each is not last]
    elif last.start is None or last.start < SEEN:
        row.start = SEEN
        now.rows += [_ended(each) if each is last else each for each in rows]


def _grouped(rows: list[PriceRow]) -> dict[Key, list[PriceRow]]:
    """Sort rows by the terms and hours under which they hold; of two for one stretch the last counts."""
    found: dict[Key, dict[tuple[str | None, str | None], PriceRow]] = {}
    for row in rows:
        key = tuple(sorted(row.when.items())), json.dumps(row.windows), row.factor is not None
        found.setdefault(key, {})[row.start, row.end] = row
    return {key: list(group.values()) for key, group in found.items()}


def _last(rows: list[PriceRow]) -> PriceRow | None:
    standing = [row for row in rows if row.end is None]
    return max(standing, key=lambda row: row.start or "", default=None)


def _ended(row: PriceRow) -> PriceRow:
    ended = deepcopy(row)
    ended.end = SEEN
    return ended


def _same(old: PriceRow, new: PriceRow) -> bool:
    """Whether nothing that was known has changed; what is known in addition changes no price."""
    sizes = all(
        new.above.get(size, {}).get(unit) == rate
        for size, rates in old.above.items()
        for unit, rate in rates.items()
    )
    return (
        sizes and old.factor == new.factor and all(new.rates.get(u) == rate for u, rate in old.rates.items())
    )


def _change(old: PriceRow, new: PriceRow) -> str:
    units = sorted(unit for unit in old.rates if new.rates.get(unit) != old.rates[unit])
    return (
        ", ".join(f"{unit} {old.rates[unit]} -> {new.rates.get(unit)}" for unit in units) or "sizes or factor"
    )
