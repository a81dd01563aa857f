"""Gemini's usual usage, read in one go: counts that add up, by modality; what says more is looked at."""

from collections.abc import Mapping
from typing import Any

from outlay.core.units import MAX_QUANTITY
from outlay.core.usage import Item, ordered

_COUNTS = frozenset(
    {
        *("promptTokenCount", "cachedContentTokenCount", "candidatesTokenCount", "thoughtsTokenCount"),
        *("toolUsePromptTokenCount", "totalTokenCount"),
    }
)
_LISTS = (
    "promptTokensDetails",
    "candidatesTokensDetails",
    "cacheTokensDetails",
    "toolUsePromptTokensDetails",
)
_LISTED = frozenset(_LISTS)
_TERMS = frozenset({"trafficType", "serviceTier"})
_LONGEST = 100  # letters of a term; a longer one is cut by the whole way
_SUFFIXES: Mapping[str, str] = {
    "AUDIO": "_audio",
    "IMAGE": "_image",
    "VIDEO": "_video",
    "DOCUMENT": "_document",
}
Shares = dict[str, int]
"""Tokens by the end of their unit's name; text has none and is what is left."""


def usual_items(usage: Mapping[str, Any]) -> tuple[Item, ...] | None:
    """Count a usage that adds up, as most do; None for one that needs a closer look.

    Only the prompt that is not cached and the answer may hold more than text.
    """
    for key, value in usage.items():
        if key in _COUNTS or (key in _TERMS and type(value) is int):  # a protobuf's terms are numbers
            plain = type(value) is int and 0 <= value <= MAX_QUANTITY
        elif key in _TERMS:
            plain = value is None or (type(value) is str and len(value) <= _LONGEST)
        else:
            plain = key in _LISTED and type(value) is list
        if not plain:
            return None
    prompt, cached = usage.get("promptTokenCount"), usage.get("cachedContentTokenCount", 0)
    shown, thought = usage.get("candidatesTokenCount", 0), usage.get("thoughtsTokenCount", 0)
    tools = usage.get("toolUsePromptTokenCount", 0)
    if prompt is None or cached > prompt or usage.get("totalTokenCount") != prompt + shown + thought + tools:
        return None
    asked, answered, of_cached, of_tools = [_shares(usage[name]) if name in usage else {} for name in _LISTS]
    if asked is None or answered is None or of_cached != {} or of_tools != {}:
        return None
    if not asked and not answered:
        fresh = prompt - cached + tools
        found = (("input", fresh), ("cache_read", cached), ("output", shown), ("reasoning", thought))
        return tuple([item for item in found if item[1]])
    return _of_parts(prompt, shown, (cached, tools, thought), (asked, answered))


def _shares(rows: list[Any]) -> Shares | None:
    """Give what is no text; None where a row is none, or of a kind that is not known."""
    found: Shares = {}
    for row in rows:
        if type(row) is not dict:
            return None
        modality = row.get("modality")
        if modality == "TEXT":
            continue
        count = row.get("tokenCount")
        suffix = _SUFFIXES.get(modality) if type(modality) is str else None
        if suffix is None or type(count) is not int or not 0 <= count <= MAX_QUANTITY:
            return None
        if count:
            found[suffix] = found.get(suffix, 0) + count
    return found


def _of_parts(
    prompt: int, shown: int, beside: tuple[int, int, int], parts: tuple[Shares, Shares]
) -> tuple[Item, ...] | None:
    """Give the units where prompt or answer hold more than text; None where a part exceeds its whole."""
    (cached, tools, thought), (asked, answered) = beside, parts
    fresh, said = prompt - cached - sum(asked.values()), shown - sum(answered.values())
    if fresh < 0 or said < 0:
        return None
    return ordered(
        {
            "input": fresh + tools,
            "cache_read": cached,
            "output": said,
            "reasoning": thought,
            **{f"input{suffix}": count for suffix, count in asked.items()},
            **{f"output{suffix}": count for suffix, count in answered.items()},
        }
    )
