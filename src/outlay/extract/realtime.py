"""Realtime sessions: each response.done bills its own turn; transcripts of the input are another model's."""

from collections.abc import Mapping
from typing import Any

from outlay.core.usage import Usage, changed
from outlay.extract.answers import inner, split, usage_in
from outlay.extract.media import count_transcription
from outlay.extract.modality import count_input, count_output, from_details
from outlay.extract.plain import name_of
from outlay.extract.streams import cut_off, peek
from outlay.extract.tally import Tally

_KNOWN = frozenset(
    {
        *("input_tokens", "output_tokens", "total_tokens", "input_token_details", "output_token_details"),
        *("output_audio_seconds", "billable_audio_seconds"),
    }
)
_TRANSCRIBED = "conversation.item.input_audio_transcription.completed"


def read_realtime(body: Mapping[str, Any], provider: str) -> Usage:
    """Read one event, or one finished response, of a session."""
    session = RealtimeStream(provider)
    session.add(body if "type" in body else {"type": "response.done", "response": body})
    return session.usage()


def count_turn(tally: Tally, usage: Mapping[str, Any]) -> None:
    """Count the usage of one response: details by modality, cached ones inside of the input."""
    total = tally.count(usage, "total_tokens")
    given, written = tally.sides(
        tally.count(usage, "input_tokens"), tally.count(usage, "output_tokens"), total
    )
    details, output = inner(usage, "input_token_details"), inner(usage, "output_token_details")
    cached = tally.count(details, "cached_tokens") or 0
    cached_listed = from_details(tally, inner(details, "cached_tokens_details")) if cached else {}
    count_input(tally, given, cached, from_details(tally, details), cached_listed)
    left = tally.take("reasoning", tally.count(output, "reasoning_tokens"), written)
    tally.put("output", count_output(tally, "output", left, from_details(tally, output)))
    tally.put("audio_seconds", tally.amount(usage, "billable_audio_seconds"))
    tally.check(total, given + written)
    tally.unknown(usage, _KNOWN)


def models_of(session: Any) -> tuple[str | None, str | None]:
    """Name the model that answers in a session, and the one that writes down what it hears."""
    hearing = peek(peek(peek(session, "audio"), "input"), "transcription")
    hearing = hearing or peek(session, "input_audio_transcription")
    return name_of(peek(session, "model")), name_of(peek(hearing, "model"))


class RealtimeStream:
    """A collector of session events; every turn is counted when it ends, so memory does not grow."""

    __slots__ = (
        "_drafts",
        "_ended",
        "_last",
        "_model",
        "_open",
        "_provider",
        "_transcriber",
        "_turns",
        "_untold",
    )

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._turns = Tally()
        self._drafts = Tally()
        self._model: str | None = None
        self._transcriber: str | None = None
        self._last: dict[str, Any] | None = None
        self._open = 0
        self._ended = 0
        self._untold = False

    def add(self, event: Any) -> None:
        """Count finished turns and transcripts; note the models of the session."""
        kind = event.get("type") if type(event) is dict else getattr(event, "type", None)
        if kind == "response.done":
            self._end_turn(event)
        elif kind == "response.created":
            self._open += 1
        elif kind == _TRANSCRIBED:
            if usage := usage_in(peek(event, "usage")):
                count_transcription(self._drafts, usage)
                self._last = self._last or usage
            else:
                self._drafts.note("partial", "a transcript of the input came without its usage")
        elif kind in ("session.created", "session.updated"):
            self._name_models(peek(event, "session"))

    def _end_turn(self, event: Any) -> None:
        self._ended += 1
        usage = usage_in(peek(event, "usage")) or usage_in(peek(peek(event, "response"), "usage"))
        if usage:
            count_turn(self._turns, usage)
            self._last = usage
        else:
            self._untold = True

    def _name_models(self, session: Any) -> None:
        model, transcriber = models_of(session)
        self._model = model or self._model
        self._transcriber = transcriber or self._transcriber

    @property
    def complete(self) -> bool:
        """Whether every response that began has ended, and one has."""
        return 0 < self._ended >= self._open

    def usage(self) -> Usage:
        """Give the sum over all turns; transcripts of the input are a part of their own."""
        if self._last is None:
            return cut_off(self._turns.usage(model=self._model), "no response has ended with its usage")
        if self._drafts.units:
            spoken = self._turns.usage(model=self._model)
            written = self._drafts.usage(model=self._transcriber)
            turns = split(changed(spoken, raw=self._last), (spoken, written))
        else:
            turns = self._turns.usage(model=self._model, raw=self._last)
            turns = turns.flagged(*self._drafts.flags, reason=self._drafts.reason)
        if not self.complete:
            return cut_off(turns, "the session ended within a response")
        return cut_off(turns, "a response ended without its usage") if self._untold else turns
