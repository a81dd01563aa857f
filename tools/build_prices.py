"""Builds the packaged price data from genai-prices and litellm's map; run by ``make prices``.

Deterministic: the same sources give the same files, sorted, one model a line. Prints what was left out, what
the sources disagree on, and which keys are new. Refuses a price that moved a hundredfold against the files
that are there, unless told ``--accept``; ``--wheel FILE`` takes a litellm wheel that is at hand.
"""

import argparse
import hashlib
import json
import sys
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

from outlay.pricing.newest import BUILT
from tools import prices_genai, prices_litellm
from tools.prices_carry import CORRECTED, carry
from tools.prices_entry import Entry
from tools.prices_merge import merge

DATA = Path(__file__).resolve().parent.parent / "src" / "outlay" / "pricing" / "data"
MOVED = 100
UNKNOWN = "unknown price key"


def main() -> int:
    """Build the data; exit 1 when a price key is unknown or a price moved beyond belief."""
    options = _options()
    report: list[str] = []
    raw, version = prices_litellm.read_wheel(options.wheel) if options.wheel else prices_litellm.fetch()
    merged = merge(prices_genai.read(report), prices_litellm.read(raw, version, report), report)
    carry(merged, DATA, report)
    texts = {home: _text(entries) for home, entries in sorted(merged.items()) if entries}
    moved = [line for home, text in texts.items() for line in _moved(home, text)]
    sys.stderr.writelines(f"{line}\n" for line in (*report, *moved))
    if moved and not options.accept:
        sys.stderr.write(f"{len(moved)} prices moved {MOVED}-fold; nothing was written (--accept writes)\n")
        return 1
    _write(texts, version)
    return int(any(UNKNOWN in line for line in report))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", type=Path, help="a litellm wheel, in place of downloading one")
    parser.add_argument("--accept", action="store_true", help="write even prices that moved a hundredfold")
    return parser.parse_args()


def _text(entries: dict[str, Entry]) -> str:
    """Write one provider: its sources, then one model a line."""
    sources = sorted({row.source for entry in entries.values() for row in entry.rows}, key=str)
    numbers = {source: number for number, source in enumerate(sources)}
    listed = [{"name": name, **({"link": link} if link else {})} for name, link in sources]
    lines = [f"{_json(key)}:{_json(_model(entries[key], numbers))}" for key in sorted(entries)]
    shown = ",\n".join(map(_json, listed))
    return f'{{"sources":[\n{shown}\n],"models":{{\n' + ",\n".join(lines) + "\n}}\n"


def _model(entry: Entry, numbers: dict[tuple[str, str | None], int]) -> dict[str, Any]:
    rows = sorted(
        (row.json(numbers[row.source]) for row in entry.rows),
        key=lambda row: (
            row.get("from", ""),
            json.dumps(row.get("when", {}), sort_keys=True),
            "factor" in row,
            str(row),
        ),
    )
    data: dict[str, Any] = {"names": sorted(entry.names)} if entry.names else {}
    return {**data, **dict(sorted(entry.facts.items())), "rows": rows}


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _moved(home: str, text: str) -> list[str]:
    """Compare with the file that is there: prices a hundred times higher or lower are a fault somewhere."""
    path = DATA / f"{home}.json"
    if not path.exists():
        return []
    old, new = _current(json.loads(path.read_text("utf-8"))), _current(json.loads(text))
    return [
        f"{home}/{model}: {unit} moved from {before} to {new[model, unit]}"
        for (model, unit), before in old.items()
        if (model, unit) in new and before and new[model, unit] and (home, model) not in CORRECTED
        and not Decimal(1) / MOVED < new[model, unit] / before < MOVED
    ]  # fmt: skip


def _current(data: dict[str, Any]) -> dict[tuple[str, str], Decimal]:
    found: dict[tuple[str, str], Decimal] = {}
    for model, entry in data["models"].items():
        for row in entry["rows"]:
            if not row.get("when") and "windows" not in row:
                found.update({(model, unit): Decimal(rate) for unit, rate in row.get("rates", {}).items()})
    return found


def _write(texts: dict[str, str], litellm_version: str) -> None:
    DATA.mkdir(parents=True, exist_ok=True)
    for stale in DATA.glob("*.json"):
        if stale.stem not in texts:
            stale.unlink()
    for home, text in texts.items():
        (DATA / f"{home}.json").write_text(text, "utf-8")
    digest = hashlib.sha256("".join(texts.values()).encode()).hexdigest()[:8]
    sources = {"genai-prices": version("genai-prices"), "litellm": litellm_version}
    told, file = f"{'+'.join(sources.values())}+{digest}\n", DATA / "version.txt"
    if (
        not file.exists() or file.read_text("utf-8") != told
    ):  # the same sources, run twice, give the same files
        file.write_text(told, "utf-8")
        (DATA / BUILT).write_text(f"{datetime.now(UTC):%Y-%m-%d}T00:00:00Z\n", "ascii")


if __name__ == "__main__":
    sys.exit(main())
