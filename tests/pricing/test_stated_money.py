"""Money that providers stated in recorded responses, beside what the book makes of the same counts.

The stated figures are outside evidence: xAI's ticks, OpenRouter's and Perplexity's cost. Counts and money are
as recorded; nothing else of the responses is here.
"""

import json
import os
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from tools.accuracy import outcome_of

from outlay.core.usage import Usage
from outlay.pricing import cost_of

CORPUS = os.environ.get("OUTLAY_CORPUS")
EXPLAINED = Path(__file__).parents[2] / "docs" / "accuracy.md"
Counts = dict[str, int]


def both(name: str, at: str, counts: Counts, stated: str) -> tuple[Decimal | None, Decimal | None]:
    """Price counts with a stated cost beside them; give the cost and our own figure."""
    provider, _, model = name.partition(" ")
    usage = Usage.of(counts, reported_cost=Decimal(stated))
    cost = cost_of(usage, provider=provider, model=model, at=datetime.fromisoformat(f"{at}T12:00:00+00:00"))
    assert cost.status == "reported"
    return cost.amount, cost.computed


@pytest.mark.parametrize(
    ("name", "at", "counts", "stated"),
    [
        # 63 x 0.30, 244 x 0.075, 26 + 255 x 0.50 a million
        (
            "xai grok-3-mini",
            "2026-02-11",
            {"input": 63, "cache_read": 244, "output": 26, "reasoning": 255},
            "0.0001777",
        ),
        (
            "xai grok-3-mini",
            "2026-02-11",
            {"input": 1, "cache_read": 11, "output": 2, "reasoning": 340},
            "0.000172125",
        ),
        # 1265 x 1.25, 1152 x 0.20, 120 x 2.50 a million, and 2.50 a thousand searches
        (
            "xai grok-4.3",
            "2026-08-05",
            {"input": 1265, "cache_read": 1152, "output": 120, "collections_search": 1},
            "0.00461165",
        ),
        # The same rates, and 2 searches at 5 a thousand
        (
            "xai grok-4.3",
            "2026-08-10",
            {"input": 3641, "cache_read": 2048, "output": 199, "reasoning": 245, "web_search": 2},
            "0.01607085",
        ),
        (
            "xai grok-4.3",
            "2026-08-10",
            {"input": 3939, "cache_read": 1024, "output": 5, "reasoning": 40},
            "0.00524105",
        ),
        # A name that is retired since 15 May 2026 is grok-4.3: 1.25, 0.20 and 2.50 a million, a search 0.005.
        (
            "xai grok-4-fast-reasoning",
            "2026-07-02",
            {"input": 1467, "cache_read": 1280, "output": 23, "reasoning": 237, "web_search": 1},
            "0.00773975",
        ),
        # 586 x 1 and 55 x 5 a million
        (
            "openrouter anthropic/claude-4.5-haiku-20251001",
            "2026-06-08",
            {"input": 586, "output": 55},
            "0.000861",
        ),
        # 3 x 3, 2569 x 3.75, 63 x 15
        (
            "openrouter anthropic/claude-4.6-sonnet-20260217",
            "2026-03-08",
            {"input": 3, "cache_write": 2569, "output": 63},
            "0.01058775",
        ),
        # 1 x 3, 2569 x 0.30, 79 x 3.75, 100 x 15
        (
            "openrouter anthropic/claude-4.6-sonnet-20260217",
            "2026-03-08",
            {"input": 1, "cache_read": 2569, "cache_write": 79, "output": 100},
            "0.00256995",
        ),
        (
            "openrouter google/gemini-2.5-flash",
            "2026-02-11",
            {"input": 12, "input_video": 258, "output": 28},
            "0.000151",
        ),
        (
            "openrouter openai/gpt-5-mini",
            "2025-11-10",
            {"input": 17, "output": 1217, "reasoning": 960},
            "0.00435825",
        ),
        ("openrouter openai/gpt-5-nano", "2026-08-04", {"input": 20, "output": 19}, "0.0000086"),
        # 7 x 0.004 a million
        ("perplexity pplx-embed-v1-0.6b", "2026-11-20", {"input": 7}, "0.000000028"),
    ],
)
def test_the_book_gives_what_the_provider_charged(name: str, at: str, counts: Counts, stated: str) -> None:
    assert both(name, at, counts, stated) == (Decimal(stated), Decimal(stated))


@pytest.mark.parametrize(
    ("name", "at", "counts", "stated", "ours"),
    [
        # Perplexity rounds each part: 0.00005 for the 0.000051 of 17 x 3 a million; 0.006 a request.
        (
            "perplexity sonar-pro",
            "2026-06-08",
            {"input": 17, "output": 6, "requests": 1},
            "0.00614",
            "0.006141",
        ),
        # A host of OpenRouter that was dearer than its list: 107 x 0.60 and 15 x 2.50 a million.
        (
            "openrouter moonshotai/kimi-k2",
            "2025-07-23",
            {"input": 107, "output": 15},
            "0.0001017",
            "0.00009549",
        ),
        # OpenRouter's fee of a cent for a web search is in no list.
        (
            "openrouter openai/gpt-4.1-mini",
            "2026-08-11",
            {"input": 8174, "output": 30, "web_search": 1},
            "0.0133176",
            "0.0033176",
        ),
    ],
)
def test_a_difference_has_its_reason_and_the_stated_cost_wins(
    name: str, at: str, counts: Counts, stated: str, ours: str
) -> None:
    assert both(name, at, counts, stated) == (Decimal(stated), Decimal(ours))


@pytest.mark.skipif(CORPUS is None, reason="no recorded responses: set OUTLAY_CORPUS to a JSON lines file")
def test_every_recorded_difference_in_money_is_explained() -> None:
    explained = set(re.findall(r"\br\d{4}\b", EXPLAINED.read_text("utf-8")))
    at = datetime(2026, 11, 20, 12, tzinfo=UTC)
    with Path(CORPUS or "").open(encoding="utf-8") as file:
        found = [outcome_of(json.loads(line), at) for line in file]
    differing = {each.id for each in found if each.money == "ours differing"}
    assert {str(each) for each in differing} - explained == set()
    assert sum(each.money == "ours equal" for each in found) > len(differing)
