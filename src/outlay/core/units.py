"""The vocabulary of what is billed: token units by kind and modality, and counts that are not tokens."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Side = Literal["input", "output"]

INPUT_KINDS = (
    "input",  # uncached
    "cache_read",
    "cache_write",  # five minutes, or no lifetime stated
    "cache_write_30m",
    "cache_write_1h",
    "cache_write_12h",
)
OUTPUT_KINDS = ("output", "reasoning")  # what can be seen, and what was thought
MODALITIES = ("audio", "image", "video", "document")  # text has no suffix
COUNT_UNITS = (
    "requests",
    "web_search",
    "web_fetch",
    "search_units",
    "pages",
    "images",
    "audio_seconds",
    "video_seconds",
    "characters",
)
COUNT_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
MAX_QUANTITY = 10**12  # more than a provider could serve in one call; such a count is a fault, not a bill


def _token_units() -> dict[str, Side]:
    sides: tuple[tuple[Side, tuple[str, ...]], ...] = (("input", INPUT_KINDS), ("output", OUTPUT_KINDS))
    return {
        f"{kind}{suffix}": side
        for side, kinds in sides
        for kind in kinds
        for suffix in ("", *(f"_{modality}" for modality in MODALITIES))
    }


TOKEN_UNITS: Mapping[str, Side] = MappingProxyType(_token_units())
"""Every token unit with the side of the bill it stands on."""

KINDS: Mapping[str, str] = MappingProxyType(
    {
        f"{kind}{end}": kind
        for kind in (*INPUT_KINDS, *OUTPUT_KINDS)
        for end in ("", *(f"_{m}" for m in MODALITIES))
    }
)
"""Every token unit with its kind, whatever the modality."""

RANK: Mapping[str, tuple[int, str]] = MappingProxyType(
    {unit: (rank, unit) for rank, unit in enumerate((*TOKEN_UNITS, *COUNT_UNITS))}
)
"""Sort keys for the order in which units are shown; units without a rank come last, by name."""


def rank(unit: str) -> tuple[int, str]:
    """Sort key that shows units in the order of the vocabulary."""
    return RANK.get(unit) or (len(RANK), unit)


def split_unit(unit: str) -> tuple[str, str | None]:
    """Split a token unit into kind and modality: ``cache_read_audio`` -> ``("cache_read", "audio")``."""
    kind, _, modality = unit.rpartition("_")
    return (kind, modality) if modality in MODALITIES and kind in TOKEN_UNITS else (unit, None)
