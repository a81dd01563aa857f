"""Stream text into events: server-sent events as the HTML standard has them, or one JSON value a line."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from outlay.core.errors import ResponseError

Loads = Callable[[str], Any]
_DONE = "[DONE]"
_FIELDS = ("data:", "event:", "id:", "retry:", ":")
_END = "\n\n"  # of an event
_LAST = f"{_END}data: {_DONE}"
_ESCAPED = "\\u"  # a letter that may be one of a word
_NULL = ":null"  # a key without a value says nothing; many streams hold "usage":null in every event
_NOT_JSON = (ValueError, RecursionError)


def events_of(
    text: str, loads: Loads = json.loads, bears: Sequence[str] | None = None, closing: Sequence[str] = ()
) -> list[Any]:
    """Read raw stream text; an event of which the text was cut off in the middle is left out.

    ``loads`` reads the JSON of one event, for those who have a faster reader; it raises ValueError. With
    ``bears``, events that hold none of these words, but for the first and the last, may be left out unread;
    of a stream that ends with an event of a type in ``closing``, all others may.

    Raises:
        ResponseError: the text holds no event at all.
    """
    text = text.removeprefix("\ufeff")
    if "\r" in text:  # the three line ends of the standard; str.splitlines knows too many
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    found = _server_sent(text, loads, bears, closing) if _looks_sent(text) else list(_json_lines(text, loads))
    if not found:
        raise ResponseError(
            f"no event in this text: expected 'data: {{…}}' or one JSON object a line, not {text[:40]!r}"
        )
    return found


def _looks_sent(text: str) -> bool:
    if text.startswith(_FIELDS):
        return True
    return any(line.startswith(_FIELDS) or line == "data" for line in text.split("\n"))


def _server_sent(text: str, loads: Loads, bears: Sequence[str] | None, closing: Sequence[str]) -> list[Any]:
    """Decode the events between blank lines; one at the very end counts even without its blank line."""
    found = None if bears is None else _bearing(text, loads, bears, closing)
    return found or [event for block in text.split(_END) for event in _events_in(block, 0, len(block), loads)]


def _bearing(text: str, loads: Loads, bears: Sequence[str], closing: Sequence[str]) -> list[Any] | None:
    """Decode the first event, the last one, and those that hold one of the words or an escaped letter.

    The words are looked for in the text as a whole; most of it is then never cut nor decoded. None when no
    event is an object.
    """
    tail: list[Any] = []
    begin, end = 0, len(text.rstrip("\n"))
    if text.endswith(_LAST, 0, end):
        end -= len(_LAST)
    while begin < end and not _has_object(tail):
        start = text.rfind(_END, begin, end)
        start = begin if start < 0 else start + len(_END)
        tail = _events_in(text, start, end, loads)
        end = start - len(_END)
    if not _has_object(tail):
        return None
    if closing and type(tail[-1]) is dict and tail[-1].get("type") in closing:
        return tail
    head: list[Any] = []
    while begin < end and not _has_object(head):
        stop = text.find(_END, begin, end)
        stop = end if stop < 0 else stop
        head = _events_in(text, begin, stop, loads)
        begin = stop + len(_END)
    if begin >= end:
        return head + tail
    found = head
    words = (*bears, _ESCAPED) if text.find("\\", begin, end) >= 0 else bears
    for start, stop in _blocks_with(words, text, begin, end):
        found += _events_in(text, start, stop, loads)
    return found + tail


def _has_object(events: list[Any]) -> bool:
    return bool(events) and (type(events[0]) is dict or any(isinstance(event, dict) for event in events))


def _blocks_with(words: Iterable[str], text: str, begin: int, end: int) -> list[tuple[int, int]]:
    """Find the blocks between two places that hold one of the words, in their order."""
    found: dict[int, int] = {}
    for word in words:
        at = text.find(word, begin, end)
        while at >= 0:
            after = at + len(word)
            if not text.startswith(_NULL, after):
                start, after = max(text.rfind(_END, begin, at), begin), text.find(_END, at, end)
                found[start] = after = end if after < 0 else after
            at = text.find(word, after, end)
    return sorted(found.items())


def _events_in(text: str, start: int, stop: int, loads: Loads) -> list[Any]:
    """Decode the block between two places of a text."""
    begin = text.find("\n", start, stop) + 1 or stop if text.startswith("event:", start, stop) else start
    if text.startswith("data: {", begin, stop) and text.find("\n", begin, stop) < 0:  # nearly all are
        try:
            return [loads(text[begin + 6 : stop])]
        except _NOT_JSON:
            return []
    data = _data_of(text[start:stop].strip("\n"))
    return _decoded(data, loads) if data else []


def _data_of(block: str) -> str:
    """Join the data lines of one event."""
    if block.startswith("event:"):
        block = block.partition("\n")[2]
    if block.startswith("data: ") and "\n" not in block:
        return block[6:]
    lines = (line for line in block.split("\n") if line.startswith("data:") or line == "data")
    return "\n".join(line[6:] if line.startswith("data: ") else line[5:] for line in lines)


def _decoded(text: str, loads: Loads) -> list[Any]:
    if text.strip() == _DONE:
        return []
    try:
        return [loads(text)]
    except _NOT_JSON:
        # Some gateways leave out the blank line between events: then each data line is one.
        lines = text.split("\n") if "\n" in text else []
        return [event for line in lines for event in _decoded(line, loads)]


def _json_lines(text: str, loads: Loads) -> Iterator[Any]:
    for line in text.split("\n"):
        if line.strip():
            try:
                yield loads(line)
            except _NOT_JSON:
                continue
