"""Hosted tools of OpenAI's responses: calls that are charged for, counted by the items of an answer."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from outlay.core.usage import Item
from outlay.extract.plain import name_of, rows_of
from outlay.extract.streams import peek

_SEARCH, _FILES, _IMAGE = "web_search_call", "file_search_call", "image_generation_call"
_CODE, _SHELL = "code_interpreter_call", "shell_call"
_CHARGED = frozenset({_SEARCH, _FILES, _IMAGE, _CODE, _SHELL})
_PREVIEW = "web_search_preview"
_PAGES = ("open_page", "find_in_page", "find")  # no set: what stands for a kind may have no hash


def charged_items(output: object) -> list[Any]:
    """Give the items of a response that tell of a tool which is charged beside the tokens."""
    found = []
    for item in rows_of(output):
        kind = item.get("type") if type(item) is dict else _kind(item)
        if isinstance(kind, str) and kind in _CHARGED:  # what is no text may have no hash
            found.append(item)
    return found


def are_calls_alone(items: Iterable[Any]) -> bool:
    """Whether no item states tokens of its own, as the draft of an SVG does."""
    return not any(peek(item, "svg_usage") for item in items)


def calls_of(items: Sequence[Any], unit: str, searches: int | None) -> list[Item]:
    """Count calls of tools; ``searches`` is what the response says of its searches, which then counts.

    developers.openai.com/api/docs/pricing: a search of files is charged by the call, code by the session of a
    container, of which no response tells whether it is a new one, for how long, or with how much memory: its
    unit has no rate. /guides/tools-web-search: of the actions on the web searching alone is charged.
    """
    told = [(unit, searches)] if searches is not None else _searches(items, unit)
    files = sum(1 for item in items if _kind(item) == _FILES)
    counts = (*told, ("file_search", files), ("code_interpreter", _sessions(items)))
    return [found for found in counts if found[1]]


def _kind(item: Any) -> object:
    return peek(item, "type")


def _searches(items: Iterable[Any], unit: str) -> list[Item]:
    """Count searches; whether a failed one is charged, and each of several queries of one, nobody tells."""
    sure = unsure = 0
    for item in items:
        action = peek(item, "action")
        if _kind(item) != _SEARCH or _kind(action) in _PAGES:
            continue
        if peek(item, "status") == "failed":
            unsure += 1
            continue
        sure += 1
        unsure += max(len(rows_of(peek(action, "queries"))) - 1, 0)
    return [(unit, sure), ("uncertain_searches", unsure)]


def images_in(items: Iterable[Any]) -> int:
    """Count images that were drawn; where no tokens of drawing are told, their price is not known."""
    return sum(1 for item in items if _kind(item) == _IMAGE and peek(item, "status") != "failed")


def search_unit(body: Mapping[str, Any], provider: str) -> str:
    """Name a search: OpenAI's preview costs more with models that do not reason, and its results nothing."""
    if provider != "openai":
        return "web_search"
    kinds = [name_of(peek(tool, "type")) or "" for tool in rows_of(body.get("tools"))]
    preview = any(kind.startswith(_PREVIEW) for kind in kinds)
    return _PREVIEW if preview and peek(body.get("reasoning"), "effort") is None else "web_search"


def _sessions(items: Iterable[Any]) -> int:
    """Count the containers that ran code; a call that names none ran in one, too, but for a local shell's."""
    named: set[str] = set()
    nameless = False
    for item in items:
        kind = _kind(item)
        if kind == _CODE:
            place = name_of(peek(item, "container_id"))
        elif kind == _SHELL and peek(peek(item, "environment"), "type") == "container_reference":
            place = name_of(peek(peek(item, "environment"), "container_id"))
        else:
            continue
        nameless = nameless or place is None
        named.update({place} if place else ())
    return len(named) or int(nameless)
