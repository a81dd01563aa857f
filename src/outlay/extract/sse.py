"""Stream text into events: server-sent events as the HTML standard has them, or one JSON value a line."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from outlay.core.errors import ResponseError

Loads = Callable[[str], Any]
_DONE = "[DONE]"
_NOT_JSON = (ValueError, RecursionError)


def events_of(text: str, loads: Loads = json.loads) -> list[Any]:
    """Read raw stream text; an event of which the text was cut off in the middle is left out.

    ``loads`` reads the JSON of one event, for those who have a faster reader; it raises ValueError.

    Raises:
        ResponseError: the text holds no event at all.
    """
    lines = _lines(text.removeprefix("\ufeff"))
    found = list(_server_sent(lines, loads) if _looks_sent(lines) else _json_lines(lines, loads))
    if not found:
        raise ResponseError(
            f"no event in this text: expected 'data: {{…}}' or one JSON object a line, not {text[:40]!r}"
        )
    return found


def _lines(text: str) -> list[str]:
    """Split at the three line ends of the standard; str.splitlines knows too many."""
    return (text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text).split("\n")


def _looks_sent(lines: list[str]) -> bool:
    return any(line.startswith(("data:", "event:", "id:", "retry:", ":")) or line == "data" for line in lines)


def _server_sent(lines: list[str], loads: Loads) -> Iterator[Any]:
    data: list[str] = []
    for line in (*lines, ""):  # an event at the very end counts even without its blank line
        if line.startswith("data:"):
            data.append(line[6:] if line.startswith("data: ") else line[5:])
        elif line == "data":
            data.append("")
        elif not line and data:
            yield from _decoded(data, loads)
            data = []


def _decoded(data: list[str], loads: Loads) -> list[Any]:
    text = "\n".join(data)
    if text.strip() == _DONE:
        return []
    try:
        return [loads(text)]
    except _NOT_JSON:
        # Some gateways leave out the blank line between events: then each data line is one.
        lines = text.split("\n") if "\n" in text else []
        return [event for line in lines for event in _decoded([line], loads)]


def _json_lines(lines: list[str], loads: Loads) -> Iterator[Any]:
    for line in lines:
        if line.strip():
            try:
                yield loads(line)
            except _NOT_JSON:
                continue
