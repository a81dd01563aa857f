"""Texts of prompts and replies: kept only by choice, without keys, through the program's own hook, cut."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from outlay.capture.guard import guarded, note_failure
from outlay.capture.redact import without_keys
from outlay.capture.wording import piece_of, prompt_of, reply_of
from outlay.core.errors import SettingsError
from outlay.core.usage import Usage
from outlay.extract import Collector

Redact = Callable[[str], str | None]
"""A text -> what of it may be kept; None keeps nothing."""
MAX_LENGTH = 10_000


@dataclass(frozen=True, slots=True)
class Texts:
    """How texts are kept: what fails or is refused is not kept at all."""

    redact: Redact | None = None
    most: int = MAX_LENGTH

    def kept(self, text: str | None) -> str | None:
        """Give what is kept of a text."""
        if text is None:
            return None
        if self.redact is not None:
            try:
                text = self.redact(text)
            except Exception as error:  # noqa: BLE001 - a hook of the program's that fails keeps nothing
                note_failure("the redaction hook", error)
                return None
        if not isinstance(text, str):
            return None
        clean = without_keys(text)
        return clean if len(clean) <= self.most else f"{clean[: self.most - 1]}…"


def named(path: str) -> Redact:
    """Make a hook of the function with this dotted name, which is imported when the first text comes.

    If it cannot be imported, nothing is kept, and that is logged.
    """
    found: list[Any] = []

    def redact(text: str) -> str | None:
        if not found:
            found.append(_load(path))
        given: str | None = found[0](text)
        return given

    return redact


def _load(path: str) -> Any:
    module, _, name = path.replace(":", ".").rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise SettingsError(f"redact = {path!r:.80} cannot be imported: {error}") from None


class Said:
    """What is said in one call, as far as it is kept."""

    __slots__ = ("_length", "_pieces", "_prompt", "_reply", "_size", "_texts")

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._prompt: str | None = None
        self._reply: str | None = None
        self._length: int | None = None
        self._pieces: list[str] = []
        self._size = 0

    @guarded
    def asked(self, *bodies: Any) -> None:
        """Take the prompt out of the first of these bodies or parameters that has one."""
        text = next((found for body in bodies if (found := prompt_of(body))), None)
        if text is not None:
            self._prompt, self._length = text, len(text)

    @guarded
    def answered(self, body: Any) -> None:
        """Take the reply out of a whole answer."""
        self._reply = reply_of(body) or self._reply

    def piece(self, event: Any) -> None:
        """Take what one event of a stream adds to the reply; no more is held than may be kept."""
        if self._size <= self._texts.most and (text := guarded(piece_of)(event)):
            self._pieces.append(text)
            self._size += len(text)

    def fields(self) -> dict[str, Any]:
        """Give the fields of the record."""
        reply = self._reply if self._reply is not None else "".join(self._pieces) or None
        return {
            "prompt": self._texts.kept(self._prompt),
            "prompt_length": self._length,
            "reply": self._texts.kept(reply),
        }


class Listening:
    """A collector that hears what a stream says, beside what it used."""

    __slots__ = ("_collector", "_said")

    def __init__(self, collector: Collector, said: Said) -> None:
        self._collector = collector
        self._said = said

    @property
    def complete(self) -> bool:
        """Whether the final usage was seen."""
        return self._collector.complete

    def add(self, event: Any) -> None:
        """Look at the next event."""
        self._said.piece(event)
        self._collector.add(event)

    def usage(self) -> Usage:
        """Give what is known by now."""
        return self._collector.usage()
