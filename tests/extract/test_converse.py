"""Bedrock's usual usage in one go: what adds up, and what needs a closer look."""

from typing import Any

import pytest

from outlay.extract import read
from outlay.extract.bedrock import converse_items, usual_converse

USED = {"inputTokens": 10, "outputTokens": 4, "totalTokens": 14}
CACHED = {**USED, "cacheReadInputTokens": 5, "cacheWriteInputTokens": 3, "totalTokens": 22}
PARTS = (("input", 10), ("cache_read", 5), ("cache_write", 3), ("output", 4))


@pytest.mark.parametrize(
    ("usage", "items"),
    [
        (USED, (("input", 10), ("output", 4))),
        (CACHED, PARTS),
        ({**CACHED, "cacheDetails": [{"ttl": "5m", "inputTokens": 3}]}, PARTS),
        ({**CACHED, "cacheDetails": []}, PARTS),
        ({**CACHED, "cacheDetails": [{"ttl": "1h", "inputTokens": 3}]}, None),
        ({**CACHED, "totalTokens": 14}, None),  # the cached ones are inside
        ({**USED, "totalTokens": 15}, None),
        ({**USED, "inputTokens": True, "totalTokens": 5}, None),
        ({**USED, "inputTokens": "10"}, None),
        ({**USED, "inputTokens": -1, "totalTokens": 3}, None),
        ({**USED, "widgets": 1}, None),
        ({"inputTokens": 10, "totalTokens": 10}, None),
        ({"outputTokens": 4, "totalTokens": 4}, None),
    ],
)
def test_counts_that_add_up_are_read_in_one_go(usage: dict[str, Any], items: Any) -> None:
    assert converse_items(usage) == items


@pytest.mark.parametrize(
    ("usage", "units", "flags"),
    [
        ({**CACHED, "totalTokens": 14}, {"input": 2, "cache_read": 5, "cache_write": 3, "output": 4},
         ("cache_inside_input",)),
        ({**CACHED, "totalTokens": 15}, dict(PARTS), ("total_mismatch",)),
        ({**CACHED, "cacheDetails": [{"ttl": "1h", "inputTokens": 2}, {"ttl": "5m", "inputTokens": 1}]},
         {"input": 10, "cache_read": 5, "cache_write": 1, "cache_write_1h": 2, "output": 4}, ()),
        ({"inputTokens": 10, "totalTokens": 10}, {"input": 10}, ("partial",)),
        ({"outputTokens": 4, "totalTokens": 4}, {"output": 4}, ("partial",)),
        ({**USED, "serverToolUsage": {"webSearchRequests": 2}},
         {"input": 10, "output": 4, "web_search": 2}, ()),
    ],
)  # fmt: skip
def test_what_needs_a_closer_look_has_one(
    usage: dict[str, Any], units: dict[str, int], flags: tuple[str, ...]
) -> None:
    found = read({"usage": usage}, provider="bedrock", api="converse")
    assert (found.units, found.flags) == (units, flags)


@pytest.mark.parametrize(
    ("around", "terms"),
    [
        ({}, ()),
        ({"serviceTier": {"type": "PRIORITY"}}, (("service_tier", "priority"),)),
        ({"performanceConfig": {"latency": "optimized"}}, (("latency", "optimized"),)),
        (
            {"serviceTier": {"type": "flex"}, "performanceConfig": {"latency": "standard"}},
            (("latency", "standard"), ("service_tier", "flex")),
        ),
    ],
)
def test_tier_and_latency_are_terms_on_both_ways(around: dict[str, Any], terms: tuple[Any, ...]) -> None:
    body = {"usage": USED, "model": "m", **around}
    assert usual_converse(body) == ((("input", 10), ("output", 4)), ("m", None), terms, USED)
    assert read(body, provider="bedrock", api="converse").terms == terms
