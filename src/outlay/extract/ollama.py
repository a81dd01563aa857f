"""Ollama's own API: counts at the top of the last object; the prompt's may be absent when it was cached."""

from collections.abc import Mapping
from typing import Any

from outlay.core.usage import Usage
from outlay.extract.answers import finish, missing
from outlay.extract.plain import fields_of, plain
from outlay.extract.streams import cut_off, peek
from outlay.extract.tally import Tally

_COUNTS = (
    "prompt_eval_count",
    "eval_count",
    "total_duration",
    "load_duration",
    "prompt_eval_duration",
    "eval_duration",
)


def read_ollama(body: Mapping[str, Any], provider: str) -> Usage:
    """Read a chat or generate answer."""
    usage = {key: plain(body[key]) for key in _COUNTS if body.get(key) is not None}
    if "eval_count" not in usage and "prompt_eval_count" not in usage:
        return missing(body)
    tally = Tally()
    prompt = tally.count(usage, "prompt_eval_count")
    if prompt is None:
        tally.note("partial", "prompt_eval_count is absent: the prompt was cached")
    tally.put("input", prompt)
    tally.put("output", tally.count(usage, "eval_count"))
    return finish(tally, {"model": body.get("model")}, usage, provider)


class OllamaStream:
    """A collector of Ollama's objects: the last one, ``done``, holds the counts."""

    __slots__ = ("_last", "_provider")

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._last: Any = None

    def add(self, event: Any) -> None:
        """Keep the last object."""
        self._last = event

    @property
    def complete(self) -> bool:
        """Whether the last object says that it is done."""
        return bool(peek(self._last, "done"))

    def usage(self) -> Usage:
        """Read the last object."""
        read = read_ollama(fields_of(self._last) or {}, self._provider)
        return read if self.complete else cut_off(read, "the stream ended before it was done")
