"""Langfuse's table of counts (``usage_details``): whose words it speaks, and what each of its keys counts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from outlay.otel.names import LANGFUSE_USAGE
from outlay.otel.values import Attributes, count, table

_OPENAIS = {"prompt_tokens": "input", "completion_tokens": "output"}
_SIDES = {
    **dict.fromkeys(("prompt_tokens_details", "input_tokens_details", "input_token_details"), "input"),
    **dict.fromkeys(("completion_tokens_details", "output_tokens_details", "output_token_details"), "output"),
}
"""OpenAI's objects of details: what they count lies inside of their side."""
_WORDS = (
    ("cache_read", ("cached", "cache_read")),
    ("cache_write", ("cache_creation", "cache_write", "ephemeral")),
    ("reasoning", ("reasoning", "thought", "thinking")),
    ("input_audio", ("input_audio",)),
    ("output_audio", ("output_audio",)),
    ("input", ("input",)),
    ("output", ("output",)),
    ("web_search", ("web_search", "grounding_queries")),
)
_AGAIN = {"cache_creation.": "cache_creation_input_tokens", "cached_modality_": "cached_content_token_count"}
"""Keys that split what another key of the table counts as a whole."""
_NO_TOKENS = "web_search"


@dataclass(frozen=True, slots=True)
class Table:
    """What a table counts; its total is the sum of its parts where it states none."""

    counts: dict[str, int]
    disjoint: bool  # Langfuse's own words are, OpenAI's are not
    total_stated: bool
    odd: tuple[str, ...]  # keys with a value that is no count


def read_table(attributes: Attributes) -> Table:
    """Read the table of a span; without one it counts nothing."""
    details = table(attributes.get(LANGFUSE_USAGE))
    disjoint = not any(
        key in _OPENAIS or (_SIDES.get(key) == "input" and isinstance(part, dict))
        for key, part in details.items()
    )
    found: dict[str, int] = {}
    odd, whole = [], 0
    for key, what, value in _counts(details):
        number = count(value)
        if number is None:
            odd.append(f"{LANGFUSE_USAGE}.{key}")
            continue
        if not any(key.startswith(part) and other in details for part, other in _AGAIN.items()):
            found[what] = found.get(what, 0) + number
            whole += 0 if what == _NO_TOKENS or key.partition(".")[0] in _SIDES else number
        if what == "cache_write" and "1h" in key:  # at a price of its own; a part of the writes
            found["cache_write_1h"] = found.get("cache_write_1h", 0) + number
    stated = "total" in found
    if disjoint and found:
        found.setdefault("total", whole)
        for side in ("input", "output"):  # what was heard and said stands beside; elsewhere it lies inside
            if spoken := found.get(f"{side}_audio"):
                found[side] = found.get(side, 0) + spoken
    return Table(found, disjoint, stated, tuple(odd))


def _counts(details: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Give each key that counts something, what it counts, and its value; those one floor down, too."""
    flat = {
        (key, name): value
        for key, part in details.items()
        for name, value in (part if isinstance(part, dict) else {"": part}).items()
    }
    for (key, name), value in flat.items():
        full = f"{key}.{name}" if name else key
        what = _inside(_SIDES[key], name) if name and key in _SIDES else _word(full)
        if what is not None and value is not None and not isinstance(value, dict | list):
            yield full, what, value


def _word(key: str) -> str | None:
    if key in {"total", "total_tokens"}:
        return "total"
    if key in _OPENAIS:
        return _OPENAIS[key]
    return next((what for what, signs in _WORDS if any(sign in key for sign in signs)), None)


def _inside(side: str, name: str) -> str | None:
    """Name what a key within OpenAI's details counts; plain text is what is left of its side."""
    what = _word(name)
    if what in {"cache_read", "cache_write", "reasoning"}:
        return what
    return next((f"{side}_{kind}" for kind in ("audio", "image") if name.startswith(kind)), None)
