"""Collectors: what a live stream says of its usage, by keeping references and converting at the end."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

from outlay.core.usage import Usage, changed, merge_flags
from outlay.extract.answers import error_in
from outlay.extract.plain import copy_of, fields_of, plain, rows_of

BodyReader = Callable[[Mapping[str, Any], str], Usage]

_TAIL = 4  # more events than ever came behind the one that says all

_REPLACING = frozenset({int, str, float, bool, list})  # kinds of values that stand in place of earlier ones
NO_USAGE = "the stream carries no usage: ask with stream_options.include_usage"
_FOLD = 64  # this many usage objects are kept before they are merged into one, so that memory is bounded


class Collector(Protocol):
    """What reads one stream as it passes by: cheap for each event, bounded in memory."""

    @property
    def complete(self) -> bool:
        """Whether the event that carries the final usage was seen."""
        ...

    def add(self, event: Any) -> None:
        """Look at the next event, a mapping or an SDK object; it is never changed or copied."""
        ...

    def usage(self) -> Usage:
        """Give what is known by now; flagged ``partial`` when the final usage was not seen."""
        ...


@runtime_checkable
class Holding(Collector, Protocol):
    """A collector that may also be asked later, in another thread, when its stream's owner has gone on."""

    def hold(self) -> None:
        """Copy what the owner of the events could still change."""
        ...


def body_of(collector: Collector) -> Mapping[str, Any] | None:
    """Give the body that a stream amounts to which came to its end; None where its collector cannot tell."""
    as_body: Callable[[], Mapping[str, Any] | None] | None = getattr(collector, "as_body", None)
    return None if as_body is None else as_body()


def peek(event: Any, name: str) -> Any:
    """Read one field of an event, be it a mapping or an object; None when it has none."""
    if type(event) is dict:
        return event.get(name)
    return getattr(event, name, None)


def merge(older: Mapping[str, Any], newer: Mapping[str, Any]) -> dict[str, Any]:
    """Overlay one plain usage object on an earlier one: per field the last that is not null wins."""
    merged = dict(older)
    for key, value in newer.items():
        if value is None and key in merged:
            continue
        before = merged.get(key)
        merged[key] = merge(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return merged


def cut_off(usage: Usage, reason: str) -> Usage:
    """Mark what was read of a stream that did not end as it should."""
    return changed(usage, flags=merge_flags(usage.flags, ("partial",)), reason=usage.reason or reason)


class Kept:
    """Usage objects of one stream; merged now and then, so that never more than a few are held."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: list[Any] = []

    def __bool__(self) -> bool:
        return bool(self._held)

    def append(self, usage: Any) -> None:
        """Keep a reference to a usage object."""
        self._held.append(usage)
        if len(self._held) > _FOLD:
            self._held = [self.merged()]

    def hold(self) -> None:
        """Keep copies in place of the references."""
        if self._held:
            self._held = [copy_of(self.merged())]

    def merged(self) -> dict[str, Any]:
        """Give one plain usage object: per field the last that is not null."""
        last = self._held[-1] if self._held else None
        if type(last) is dict and _says_all(last, self._held):
            return dict(last)  # whoever reads it copies it into plain data
        result: dict[str, Any] = {}
        for usage in self._held:
            copied = plain(usage)
            if isinstance(copied, dict):
                result = merge(result, copied)
        return result


def _says_all(last: dict[Any, Any], held: list[Any]) -> bool:
    """Whether nothing of earlier usage objects would be left beside the last one: counts that run along."""
    if len(held) == 1:
        return True
    if not _REPLACING.issuperset(map(type, last.values())):
        return False
    return all(type(usage) is dict and usage.keys() <= last.keys() for usage in held)


class LastUsage:
    """A collector for chunks of which none, one or all carry ``usage``: OpenAI's chat and its copies.

    Whoever passes many chunks on may look for their usage itself: the first chunk goes to ``add``, each later
    one is put into ``last``, and handed to ``carry`` if its ``usage`` is not None. No other chunk is held:
    what is held is memory that the next chunk does not find warm.
    """

    __slots__ = ("_body", "_first", "_kept", "_provider", "_read", "_usage", "carrier", "last")

    def __init__(self, read: BodyReader, provider: str) -> None:
        self._read = read
        self._provider = provider
        self._body: dict[str, Any] | None = None  # what is left of the chunks, once they are let go
        self._first: Any = None
        self.carrier: Any = None
        self._usage: Any = None  # the only one, as most streams have it
        self._kept: Kept | None = None  # all, where there are more
        self.last: Any = None

    def add(self, event: Any) -> None:
        """Keep the first and the last chunk, and every usage."""
        if self._first is None:
            self._first = event
        self.last = event
        usage = event.get("usage") if type(event) is dict else getattr(event, "usage", None)
        if usage is not None:
            self.carry(event)

    def carry(self, event: Any) -> None:
        """Keep the usage of a chunk that has one, and the chunk."""
        usage = peek(event, "usage")
        self.carrier = event
        if self._kept is not None:
            self._kept.append(usage)
        elif self._usage is None:
            self._usage = usage
        else:
            self._kept = Kept()
            self._kept.append(self._usage)
            self._kept.append(usage)

    @property
    def complete(self) -> bool:
        """Whether the final usage was seen: the only one, or one on a chunk that ends the answer."""
        if self._body is not None:
            return True
        if self.carrier is None:
            return _carries_elsewhere(self.last)
        alone = self._kept is None and self.carrier is not self._first
        return alone or any(_ends(chunk) for chunk in (self.carrier, self.last))

    def hold(self) -> None:
        """Copy the usage; the other facts are texts, which nobody can change.

        The chunks of a stream that is whole are let go, so that their memory serves the next one's: no reader
        looks at an answer beside its usage.
        """
        if self.carrier is None:
            return
        if self._kept is not None:
            self._kept.hold()
        else:
            self._usage = copy_of(self._usage)
        alone = self._kept is None and self.carrier is not self._first  # as `complete` has it
        if (alone or self.complete) and (facts := self._facts())["usage"]:
            facts.pop("choices", None)
            self._body = facts
            self._first = self.last = self.carrier = self._usage = self._kept = None

    def as_body(self) -> Mapping[str, Any] | None:
        """Give the body that a stream amounts to which came to its end; None for one that did not."""
        if self._body is not None:
            return self._body
        return self._facts() if self.complete and self.carrier is not None else None

    def _facts(self) -> dict[str, Any]:
        if self._body is not None:
            return self._body
        facts = dict(fields_of(self._first) or {})
        later = (self.last,) if self.carrier is self.last else (self.carrier, self.last)
        for chunk in later:
            for key, value in (fields_of(chunk) or {}).items():
                if value or key not in facts:
                    facts[key] = value
        facts["usage"] = self._merged() or None
        return facts

    def _merged(self) -> Any:
        if self._kept is not None:
            return self._kept.merged()
        copied = self._usage if type(self._usage) is dict else plain(self._usage)
        return (
            copied.copy() if isinstance(copied, dict) else None
        )  # whoever reads it copies it into plain data

    def usage(self) -> Usage:
        """Read the merged usage with the facts of the first and last chunks."""
        facts = self._facts()
        read = self._read(facts, self._provider)
        if read.raw is None:
            if error_in(facts):
                return cut_off(read, "")
            return cut_off(
                changed(read, reason=None),
                NO_USAGE,
            )
        return read if self.complete else cut_off(read, "the stream ended before its final usage")


class AtItsEnds:
    """A collector that looks at a stream's first event and at its last ones; those between pass unseen.

    It is for streams of which one of the last events says all of the usage. Whoever hands every event to
    ``add`` has every event looked at.
    """

    __slots__ = ("_inner", "_known", "_tail", "rest")

    def __init__(self, inner: Collector) -> None:
        self._inner = inner
        self._tail: deque[Any] = deque(maxlen=_TAIL)
        self._known: Usage | None = None
        self.rest = self._tail.append  # takes what comes after the first event

    def add(self, event: Any) -> None:
        """Look at the next event."""
        self._inner.add(event)

    def _looked(self) -> Collector:
        while self._tail:
            self._inner.add(self._tail.popleft())
        return self._inner

    @property
    def complete(self) -> bool:
        """Whether the event that carries the final usage was seen."""
        return self._looked().complete

    def hold(self) -> None:
        """Copy what the owner of the events could still change; read it, where that is all of it."""
        inner = self._looked()
        if isinstance(inner, Holding):
            inner.hold()
        else:
            self._known = inner.usage()

    def as_body(self) -> Mapping[str, Any] | None:
        """Give the body that a finished stream amounts to, where the collector can tell."""
        as_body = getattr(self._looked(), "as_body", None)
        return None if as_body is None else as_body()

    def usage(self) -> Usage:
        """Read what is known by now."""
        return self._looked().usage() if self._known is None else self._known


def _carries_elsewhere(chunk: Any) -> bool:
    """Whether a last chunk holds its usage in Groq's ``x_groq`` or, as Moonshot's, in a choice."""
    places = (peek(chunk, "x_groq"), *rows_of(peek(chunk, "choices")))
    return any(peek(place, "usage") for place in places)


def _ends(chunk: Any) -> bool:
    choices = rows_of(peek(chunk, "choices"))
    return not choices or any(peek(choice, "finish_reason") for choice in choices)
