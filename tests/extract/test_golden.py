"""Golden cases: small bodies of our own, with units worked out by hand from the rules of each API."""

import json
from typing import Any

import pytest
from tests.support.golden import CASES, check

from outlay.extract import APIS, collector, held, read
from outlay.extract.streams import Holding

TOO_LARGE = {"embeddings", "cohere_embed", "images", "transcription", "ocr"}  # to be held: read at once


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_golden(case: dict[str, Any]) -> None:
    check(case)


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
