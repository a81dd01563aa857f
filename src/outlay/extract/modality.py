"""Counts by modality: details as listed, the remainder text, overlap with the cache taken off once."""

from collections.abc import Mapping
from typing import Any

from outlay.extract.plain import name_of, rows_of
from outlay.extract.tally import Tally

_BY_NUMBER = {2: "image", 3: "video", 4: "audio", 5: "document"}  # google.cloud.aiplatform Modality
_BY_NAME = {"IMAGE": "image", "VIDEO": "video", "AUDIO": "audio", "DOCUMENT": "document"}


def by_modality(tally: Tally, rows: object) -> dict[str, int]:
    """Add up Google's detail rows by modality; text, and rows that name none, are left to the remainder."""
    counts: dict[str, int] = {}
    for row in rows_of(rows):
        if not isinstance(row, dict):
            continue
        kind = row.get("modality")
        modality = (
            _BY_NUMBER.get(kind) if isinstance(kind, int) else _BY_NAME.get((name_of(kind) or "").upper())
        )
        count = tally.first(row, "tokenCount", "token_count", "tokens") if modality else None
        if modality and count:
            counts[modality] = counts.get(modality, 0) + count
    return counts


def from_details(tally: Tally, details: Mapping[str, Any]) -> dict[str, int]:
    """Read OpenAI's details (``audio_tokens``, ``image_tokens``, …) by modality, text left out."""
    found = ((name, tally.count(details, f"{name}_tokens")) for name in ("audio", "image", "video"))
    return {name: count for name, count in found if count}


def count_input(
    tally: Tally, whole: int, cached: int, listed: Mapping[str, int], cached_listed: Mapping[str, int]
) -> None:
    """Split an input that includes its cached tokens into disjoint units by modality."""
    if cached > whole:
        tally.flags.add("clamped")
        cached = whole
    left_cached = cached
    for modality, count in cached_listed.items():
        left_cached = tally.take(f"cache_read_{modality}", count, left_cached)
    tally.put("cache_read", left_cached)
    left = whole - cached
    for modality, count in listed.items():
        fresh = max(count - min(cached_listed.get(modality, 0), cached), 0)
        left = tally.overlap(f"input_{modality}", fresh, left, whole)
    tally.put("input", left)


def count_output(tally: Tally, kind: str, whole: int, listed: Mapping[str, int]) -> int:
    """Split an output by modality, the remainder as text; gives the remainder, which is not yet counted."""
    left = whole
    for modality, count in listed.items():
        left = tally.take(f"{kind}_{modality}", count, left)
    return left
