"""Answers that state numbers which look like usage, and are none: each kind with its reason.

The list is held against recorded answers where there are some (``OUTLAY_CORPUS``): a new kind fails.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outlay.core.errors import ResponseError
from outlay.extract import read

CORPUS = os.environ.get("OUTLAY_CORPUS")
_LOOKS_LIKE_USAGE = re.compile(
    "token|count|duration|second|unit|character|page|usage|bill|cost|price|credit|size|quantity|number|num_|total",
    re.IGNORECASE,
)
NONE: dict[tuple[str, str], str] = {
    ("azure", "realtime"): "a session says after how long a silence it answers; nothing was answered yet",
    (
        "bedrock",
        "invoke_model",
    ): "a maker lists the tokens of its answer with their likelihood, and no count: the headers have it",
    (
        "openai",
        "responses",
    ): "a response that waits or that failed at once has counts of 0 for tools, or numbered"
    " events: its usage comes when it is done",
    ("voyage", "embeddings"): "the usage states 0 tokens: a usage of nothing, which is read as such",
    # No calls of a model, or answers that hold calls: not one of the APIs.
    (
        "anthropic",
        "messages.batches",
    ): "how many requests of a batch are done; each line of results has its usage",
    ("anthropic", "messages.count_tokens"): "what a prompt would use; counting is not billed",
    (
        "bedrock",
        "apply",
    ): "a guardrail applied without a model: no API of ours; billed by the units that it states",
    ("bedrock", "bedrock.agent"): "an agent's trace repeats the usage of the models that it asked",
    ("google", "batches"): "a batch with its answers inside: each is read by itself",
    ("google", "cachedContents"): "the size of a stored cache, which is billed by the hour",
    ("google", "countTokens"): "what a prompt would use; counting is not billed",
    ("openai", "batches"): "the sum of a batch's output lines: those are read",
    ("vertex", "countTokens"): "what a prompt would use; counting is not billed",
    ("xai", "batches"): "a batch with its answers inside: each is read by itself",
}
"""By provider and API, or the last word of an endpoint that is none: why such numbers are no usage."""


@pytest.mark.parametrize(
    ("provider", "api", "body", "reason"),
    [
        (
            "azure",
            "realtime",
            [{"type": "session.created", "session": {"turn_detection": {"silence_duration_ms": 200}}}],
            "no response has ended with its usage",
        ),
        ("bedrock", "invoke_model", {"completions": [{"data": {"tokens": [{"textRange": {"end": 3}}]}}]},
         "the response states no usage"),
        (
            "openai",
            "responses",
            {"status": "queued", "usage": None, "tool_usage": {"web_search": {"num_requests": 0}}},
            "the response is queued: its usage comes when it is done",
        ),
        ("voyage", "embeddings", {"object": "list", "data": [], "usage": {"total_tokens": 0}}, None),
        ("anthropic", None, {"input_tokens": 14}, "the response has no known shape: name its api"),
        ("google", None, {"totalTokens": 31, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 31}]},
         "the response has no known shape: name its api"),
        ("google", None, {"name": "cachedContents/1", "usageMetadata": {"totalTokenCount": 9000}},
         "the usage has no count that is known"),
        ("openai", None, {"object": "batch", "usage": {"input_tokens": 9, "output_tokens": 5}},
         "a batch states the sum of its output lines: read those"),
    ],
)  # fmt: skip
def test_a_number_that_looks_like_usage_and_is_none(
    provider: str, api: str | None, body: Any, reason: str | None
) -> None:
    usage = read(body, provider=provider, api=api)
    assert (usage.items, usage.reason) == ((), reason)


def numbers(value: Any, key: str = "") -> Iterator[str]:
    """Give the paths of the numbers in a body."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from numbers(each, f"{key}.{name}")
    elif isinstance(value, list):
        for each in value:
            yield from numbers(each, key)
    elif type(value) in (int, float):
        yield key


def bodies_of(line: dict[str, Any]) -> Any:
    if "sse" not in line:
        return line.get("response", line.get("events"))
    rows = [row[5:].strip() for row in line["sse"].splitlines() if row.startswith("data:")]
    return [json.loads(row) for row in rows if row and row != "[DONE]"]


def recorded() -> Iterator[dict[str, Any]]:
    file = Path(CORPUS or "")
    for each in (file, file.with_name("other.jsonl")):
        if each.exists():
            yield from map(json.loads, each.read_text("utf-8").splitlines())


@pytest.mark.skipif(CORPUS is None, reason="no recorded responses: set OUTLAY_CORPUS to a JSON lines file")
def test_every_recorded_answer_without_usage_whose_numbers_look_like_it_is_of_a_kind_that_is_listed() -> None:
    found = set()
    for line in recorded():
        body = line.get("response", line.get("events", line.get("sse")))
        try:
            unread = not read(body, provider=line["provider"], api=line.get("api")).items
        except ResponseError:
            unread = True
        if unread and any(_LOOKS_LIKE_USAGE.search(key) for key in numbers(bodies_of(line))):
            found.add((line["provider"], line["api"] or line["flavor"].rpartition("/")[2]))
    assert found == set(NONE)
