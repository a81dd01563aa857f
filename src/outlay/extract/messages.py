"""Anthropic's usual usage, read in one go: tokens, caches, thoughts, a tier; what says more is looked at."""

from collections.abc import Mapping
from typing import Any

from outlay.core.units import MAX_QUANTITY
from outlay.core.usage import Item, Term

_COUNTS = frozenset(
    {"input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens"}
)
_NAMES = frozenset({"inference_geo", "service_tier"})
LIFETIMES = frozenset({"ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"})
TOOLS = frozenset({"web_search_requests", "web_fetch_requests"})
_WITHIN = frozenset({"cache_creation", "output_tokens_details", "server_tool_use"})
_LONGEST = 100  # a longer name is cut by the whole way


def message_items(usage: Mapping[str, Any]) -> tuple[Item, ...] | None:
    """Count a usage of plain tokens; None for one with a key or a kind of value that needs a closer look."""
    shown = usage.get("output_tokens")
    if shown is None or usage.get("input_tokens") is None or not _is_plain(usage):
        return None
    written = usage.get("cache_creation_input_tokens") or 0
    hour = _for_an_hour(usage.get("cache_creation"), written)
    thought = _thought(usage.get("output_tokens_details"), shown)
    if hour is None or thought is None or not _without_tools(usage.get("server_tool_use")):
        return None
    found = (
        ("input", usage["input_tokens"]),
        ("cache_read", usage.get("cache_read_input_tokens") or 0),
        ("cache_write", written - hour),
        ("cache_write_1h", hour),
        ("output", shown - thought),
        ("reasoning", thought),
    )
    return tuple([item for item in found if item[1]])


def message_terms(usage: Mapping[str, Any]) -> tuple[Term, ...]:
    """Give the billing terms of a usage that :func:`message_items` counts."""
    geo, tier = usage.get("inference_geo"), usage.get("service_tier")
    known = (("geo", geo),) if geo and geo != "not_available" else ()
    return (*known, ("service_tier", tier)) if tier else known


def message_copy(usage: dict[str, Any]) -> dict[str, Any]:
    """Copy a usage that :func:`message_items` counts, for its owner may change it."""
    copied = usage.copy()
    for name in _WITHIN:
        if (inside := usage.get(name)) is not None:
            copied[name] = inside.copy()
    return copied


def _is_plain(usage: Mapping[str, Any]) -> bool:
    """Whether there are only counts, names of tier and place, and what is looked at elsewhere."""
    for key, value in usage.items():
        if key in _COUNTS:
            if value is not None and (type(value) is not int or not 0 <= value <= MAX_QUANTITY):
                return False
        elif key in _NAMES:
            if value is not None and not _is_name(value):
                return False
        elif key not in _WITHIN and (value is not None or type(key) is not str or not key.isascii()):
            return False
    return True


def _is_name(value: object) -> bool:
    return type(value) is str and len(value) <= _LONGEST and value.isascii() and value != "batch"


def _for_an_hour(lifetimes: object, written: int) -> int | None:
    """Give how much was written for an hour; None where the lifetimes are not just what was written."""
    if lifetimes is None:
        return 0
    if type(lifetimes) is not dict or not LIFETIMES.issuperset(lifetimes):
        return None
    hour, short = lifetimes.get("ephemeral_1h_input_tokens"), lifetimes.get("ephemeral_5m_input_tokens")
    for count in (hour, short):
        if count is not None and (type(count) is not int or count < 0):
            return None
    if not hour and not short:
        return 0
    return hour or 0 if (hour or 0) + (short or 0) == written else None


def _thought(details: object, shown: int) -> int | None:
    """Give how much of the output was thought; None where the details say more, or more than there is."""
    if details is None:
        return 0
    if type(details) is not dict or len(details) != 1:
        return None
    thought = details.get("thinking_tokens")
    return thought if type(thought) is int and 0 <= thought <= shown else None


def _without_tools(used: object) -> bool:
    """Whether no tool of the server was used, of those that are known."""
    if used is None:
        return True
    if type(used) is not dict or not TOOLS.issuperset(used):
        return False
    return all(count is None or (type(count) is int and not count) for count in used.values())
