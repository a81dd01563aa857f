"""Recorded responses, where there are some: set OUTLAY_CORPUS to a file of ``outlay price`` input lines.

The sums are worked out here from the raw bodies by the rules of each API, not by the code under test.
"""

import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from outlay.core.usage import Usage
from outlay.extract import read

CORPUS = os.environ.get("OUTLAY_CORPUS")

pytestmark = pytest.mark.skipif(
    CORPUS is None, reason="no recorded responses: set OUTLAY_CORPUS to a JSON lines file"
)


@cache
def lines() -> tuple[dict[str, Any], ...]:
    with Path(CORPUS or "").open(encoding="utf-8") as file:
        return tuple(json.loads(line) for line in file)


def body_of(line: dict[str, Any]) -> Any:
    return line.get("response", line.get("events", line.get("sse")))


@cache
def usages() -> tuple[Usage, ...]:
    return tuple(read(body_of(line), provider=line["provider"], api=line["api"]) for line in lines())


def events_in(line: dict[str, Any]) -> list[Any]:
    """Read events the simplest way there is; recorded streams are well-formed."""
    if "sse" not in line:
        return [line["response"]] if "response" in line else line["events"]
    rows = [row[5:].strip() for row in line["sse"].splitlines() if row.startswith("data:")]
    return [json.loads(row) for row in rows if row and row != "[DONE]"]


def stated_totals(line: dict[str, Any]) -> Iterator[int]:
    """Find the total that the provider states: the last one of a stream, each one of a session."""
    found: list[int] = []
    for event in events_in(line):
        if isinstance(event, dict):
            found += list(totals_in(event))
    if line["api"] in {"realtime", "live"}:
        yield sum(found)
    elif found:
        yield found[-1]


def totals_in(event: dict[str, Any]) -> Iterator[int]:
    holders = [event]
    holders += [event[key] for key in ("response", "interaction", "metadata", "chunk") if event.get(key)]
    if isinstance(event.get("x_groq"), dict) and not event.get("usage"):
        holders.append(event["x_groq"])
    for holder in holders if all(isinstance(each, dict) for each in holders) else ():
        for key in ("usage", "usageMetadata", "usage_metadata"):
            usage = holder.get(key)
            if not isinstance(usage, dict):
                continue
            for name in ("total_tokens", "totalTokenCount", "total_token_count", "totalTokens"):
                if isinstance(usage.get(name), int):
                    yield usage[name]


def of_kind(kind: str) -> list[tuple[dict[str, Any], Usage]]:
    found = [each for each in zip(lines(), usages(), strict=True) if each[0]["meta"]["kind"] == kind]
    assert found, f"no response of kind {kind}: nothing would be compared"
    return found


def test_every_line_with_usage_is_read() -> None:
    empty = [line["id"] for line, usage in of_kind("usage") if not usage.items and usage.raw is None]

    assert empty == []


def test_errors_and_answers_without_usage_have_none_and_say_why() -> None:
    for kind in ("error", "success_without_usage"):
        for line, usage in of_kind(kind):
            assert (line["id"], usage.items) == (line["id"], ())
            assert usage.reason, line["id"]


def is_off(line: dict[str, Any], usage: Usage) -> bool:
    """Whether a stated total differs from ours without our saying so; an image tool's tokens are in none."""
    drawn = sum(part.total_tokens for part in usage.parts[1:]) if line["api"] == "responses" else 0
    said = {"total_mismatch", "partial"} & {*usage.flags}
    return not said and any(total != usage.total_tokens - drawn for total in stated_totals(line))


def test_stated_totals_are_ours_or_flagged() -> None:
    pairs = zip(lines(), usages(), strict=True)

    assert [line["id"] for line, usage in pairs if is_off(line, usage)] == []


def anthropic_totals(line: dict[str, Any]) -> tuple[int, int]:
    """Overlay start and deltas, then add what iterations bill beside the top level."""
    merged: dict[str, Any] = {}
    for event in events_in(line):
        usage = event.get("usage") or (event.get("message") or {}).get("usage") or {}
        merged |= {key: value for key, value in usage.items() if value is not None}
    rows = [
        merged,
        *(row for row in merged.get("iterations") or () if row["type"] in {"compaction", "advisor_message"}),
    ]
    if any(row["type"] == "fallback_message" for row in merged.get("iterations") or ()):
        rows += [row for row in merged["iterations"] if row["type"] == "message"]
    keys = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    return sum(row.get(key) or 0 for row in rows for key in keys), sum(row["output_tokens"] for row in rows)


def test_anthropic_counts_are_additive() -> None:
    wrong = []
    for line, usage in of_kind("usage"):
        if line["api"] == "messages":
            totals = anthropic_totals(line)
            if totals != (usage.input_tokens, usage.output_tokens):
                wrong.append((line["id"], totals, usage.items))

    assert wrong == []


def test_cohere_counts_are_the_billed_units() -> None:
    wrong, seen = [], 0
    for line, usage in of_kind("usage"):
        if line["api"] == "cohere_chat" and "response" in line:
            body = line["response"]
            billed = (body.get("usage") or body.get("meta"))["billed_units"]
            seen += 1
            if (usage.input_tokens, usage.output_tokens) != (
                billed["input_tokens"],
                billed.get("output_tokens", 0),
            ):
                wrong.append(line["id"])

    assert (wrong, seen > 0) == ([], True)


def test_events_that_were_text_give_the_same() -> None:
    texts = [each for each in zip(lines(), usages(), strict=True) if "sse" in each[0] and events_in(each[0])]
    assert texts

    for line, usage in texts:
        assert read(events_in(line), provider=line["provider"], api=line["api"]) == usage, line["id"]


def test_apis_are_recognised_by_their_shape() -> None:
    """Without a name of the API, whatever is read is the same; unnamed shapes are refused, not guessed."""
    wrong = []
    for line, usage in of_kind("usage"):
        if line["api"] in {"completions", "embeddings", "rerank", "images", "transcription"}:
            continue  # they share OpenAI's shape of usage, so that the name decides only the operation
        found = read(body_of(line), provider=line["provider"])
        if found.items != usage.items:
            wrong.append((line["id"], line["api"], found.items, usage.items))

    assert wrong == []
