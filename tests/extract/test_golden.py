"""Golden cases: small bodies of our own, with units worked out by hand from the rules of each API."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from outlay.core.usage import Usage
from outlay.extract import APIS, collector, held, read
from outlay.extract.streams import Holding

TOO_LARGE = {"embeddings", "cohere_embed", "images", "transcription", "ocr"}  # to be held: read at once
CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "golden" / "extract.jsonl").read_text("utf-8").splitlines()
]


def units_of(usage: Usage) -> dict[str, Decimal]:
    return {unit: Decimal(quantity) for unit, quantity in usage.items}


def expected(units: dict[str, Any]) -> dict[str, Decimal]:
    return {unit: Decimal(str(quantity)) for unit, quantity in units.items()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_golden(case: dict[str, Any]) -> None:
    body = case.get("response", case.get("events", case.get("sse")))
    usage = read(body, provider=case["provider"], api=case["api"])

    assert units_of(usage) == expected(case["usage"])
    assert list(usage.flags) == case.get("flags", [])
    if case.get("reason") is None:
        assert usage.reason is None
    else:
        assert usage.reason is not None
        assert case["reason"] in usage.reason
    if "totals" in case:
        assert [usage.input_tokens, usage.output_tokens] == case["totals"]
    if "reported_cost" in case:
        stated = case["reported_cost"]
        assert usage.reported_cost == (None if stated is None else Decimal(stated))
    for name in ("model", "response_id", "context_tokens"):
        if name in case:
            assert getattr(usage, name) == case[name]
    if "terms" in case:
        assert dict(usage.terms) == case["terms"]
    assert [(part.model, units_of(part)) for part in usage.parts] == [
        (part["model"], expected(part["usage"])) for part in case.get("parts", [])
    ]


@pytest.mark.parametrize(
    "case", [case for case in CASES if isinstance(case.get("response"), dict)], ids=lambda case: case["name"]
)
def test_what_is_held_of_a_response_reads_the_same(case: dict[str, Any]) -> None:
    """The same figures, also after the owner of the body has emptied its usage."""
    body, provider, api = case["response"], case["provider"], case["api"]
    whole = read(body, provider=provider, api=api)
    mine = json.loads(json.dumps(body))
    kept = held(mine, api)
    for usage in (mine.get("usage"), mine.get("usageMetadata")):
        if isinstance(usage, dict):
            usage.clear()
    if api in TOO_LARGE:
        assert kept is None
    else:
        assert read(kept, provider=provider, api=api) == whole


def test_a_stream_that_is_held_reads_the_same() -> None:
    streams = [case for case in CASES if isinstance(case.get("events"), list)]
    assert len(streams) > 20
    for case in streams:
        kept = collector(case["provider"], case["api"])
        for event in json.loads(json.dumps(case["events"])):
            if isinstance(event, dict):
                kept.add(event)
        before = kept.usage()
        if isinstance(kept, Holding):
            kept.hold()
        assert kept.usage() == before, case["name"]


def test_every_api_has_a_golden_case() -> None:
    assert {case["api"] for case in CASES} == set(APIS)


def test_names_are_unique() -> None:
    names = [case["name"] for case in CASES]

    assert len(names) == len(set(names))
