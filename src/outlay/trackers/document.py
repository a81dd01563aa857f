"""A JSON array of objects as text: where it ends, what it holds, and what is left of one that was cut."""

import json
import re
from collections.abc import Iterable
from typing import Any

import orjson

from outlay.journal.lines import json_line

_BETWEEN = re.compile(r"[\s,\[\]\x00]*")
_BOM = b"\xef\xbb\xbf"


class ForeignContentError(ValueError):
    """The text is something else than an array of objects, whole or cut."""


def opening(tail: bytes, start: int) -> tuple[int, bytes] | None:
    """Say at which offset the next object goes, and what stands before it; None if the end is damaged.

    ``tail`` are the last bytes of the file, from the offset ``start`` on.
    """
    text = tail.rstrip()
    if start == 0 and text in (b"", _BOM):
        return 0, b"[\n"
    if not text.endswith(b"]"):
        return None
    body = text[:-1].rstrip()
    if body.endswith(b"}"):
        return start + len(body), b",\n"
    if start == 0 and body.removeprefix(_BOM).strip() == b"[":
        return len(body), b"\n"
    return None


def rows_of(data: bytes) -> tuple[list[dict[str, Any]], bool]:
    """Give the objects of an array, and whether it was whole; of a damaged one, what can still be read.

    Raises:
        ForeignContentError: it is no array, or one of other things than objects.
    """
    text = data.removeprefix(_BOM).strip()
    if not text:
        return [], True
    if not text.startswith(b"["):
        raise ForeignContentError
    try:
        rows, whole = orjson.loads(text), True
    except orjson.JSONDecodeError:
        rows, whole = list(_salvaged(text.decode("utf-8", "replace"))), False
    if any(not isinstance(row, dict) for row in rows):
        raise ForeignContentError
    return rows, whole


def _salvaged(text: str) -> Iterable[Any]:
    """Give every object that is whole; behind a broken one, go on at the next line that begins one."""
    decoder, place = json.JSONDecoder(), 0
    while True:
        found = _BETWEEN.match(text, place)
        place = place if found is None else found.end()
        if place >= len(text):
            return
        try:
            value, place = decoder.raw_decode(text, place)
        except ValueError:
            place = text.find("\n{", place + 1) + 1
            if not place:
                return
        else:
            yield value


def text_of(rows: Iterable[dict[str, Any]]) -> bytes:
    """Write objects as an array, one a line."""
    lines = b",\n".join(json_line(row) for row in rows)
    return b"[\n" + lines + b"\n]\n" if lines else b"[\n]\n"
