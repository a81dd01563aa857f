"""Recorded responses, replayed by the official SDKs, end in the ledger as reading them says."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tools.replay import SDKS, LineClock, replay_all, send

from outlay.capture import Recorder
from outlay.core.instants import instant
from outlay.core.money import total
from outlay.extract import read
from outlay.instrumentation import Hooks
from outlay.journal import Journal
from outlay.ledger import open_ledger
from outlay.pricing import cost_of
from outlay.report import LedgerReader

GOLDEN = Path(__file__).parents[1] / "golden" / "extract.jsonl"
CORPUS = os.environ.get("OUTLAY_CORPUS")
DAY = datetime(2026, 11, 1, tzinfo=UTC)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


def golden() -> Iterator[dict[str, Any]]:
    """The golden cases of the APIs that have an SDK, as whole responses an SDK accepts."""
    for text in GOLDEN.read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        if (line["provider"], line["api"]) in SDKS and isinstance(line.get("response"), dict):
            yield {"id": line["name"], "at": "2026-11-01T00:00:00Z", "model": line.get("model"), **line}


def test_golden_cases_replayed_by_the_sdks_give_what_reading_them_gives() -> None:
    outcomes = replay_all(golden())
    assert len(outcomes) > 20
    assert [each for each in outcomes if each.verdict != "equal"] == []


@pytest.mark.skipif(not CORPUS, reason="set OUTLAY_CORPUS to a file of recorded responses")
def test_recorded_responses_replayed_by_the_sdks_give_what_reading_them_gives() -> None:
    with Path(str(CORPUS)).open(encoding="utf-8") as file:
        outcomes = replay_all(map(json.loads, file))
    assert Counter(each.verdict for each in outcomes) == {"equal": len(outcomes)}
    assert len(outcomes) > 500


def test_the_ledger_holds_the_usage_and_cost_of_every_replayed_body(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    clock = LineClock()
    recorder = Recorder(journal, clock=clock, price=cost_of)
    hooks = Hooks(lambda: recorder)
    hooks.instrument("openai", "anthropic", "google")
    expected: list[Decimal] = []
    lines = list(golden())
    for line in lines:
        clock.at = instant(line["at"])
        send(line, line["model"] or "unknown")
        usage = read(line["response"], provider=line["provider"], api=line["api"])
        amount = cost_of(usage, provider=line["provider"], model=usage.model or line["model"], at=DAY).amount
        expected += [] if amount is None else [amount]
    hooks.uninstrument()
    journal.close()
    with LedgerReader(open_ledger(str(tmp_path), home=tmp_path)) as ledger:
        answer = ledger.report()
        assert answer.total["calls"] == len(lines)
        assert answer.total["cost"] == total(expected)
        assert sum(record.input_tokens for record in ledger.calls(limit=None)) == answer.total["input_tokens"]
