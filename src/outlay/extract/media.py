"""Drawing, hearing, embedding and reading of pages: usage by tokens, seconds, pages or images."""

from collections.abc import Mapping
from typing import Any

from outlay.core.usage import Usage
from outlay.extract.answers import error_in, finish, inner, missing, split, usage_in
from outlay.extract.chat import count_chat, read_chat
from outlay.extract.drawing import count_images, drafted
from outlay.extract.google import count_google, google_facts, google_terms, google_usage, snake
from outlay.extract.modality import count_input, from_details
from outlay.extract.ollama import read_ollama
from outlay.extract.plain import fields_of, name_of, plain, rows_of
from outlay.extract.stated import STATED
from outlay.extract.streams import cut_off, peek
from outlay.extract.tally import Tally

_FINAL = ("image_generation.completed", "image_edit.completed", "transcript.text.done")


def read_images(body: Mapping[str, Any], provider: str) -> Usage:
    """Read drawn images: tokens where the usage has them, else the number of images."""
    usage = usage_in(body.get("usage"))
    if usage is None:
        return missing(body)
    tally = Tally()
    if _says(usage, "input_tokens", "output_tokens"):
        count_images(tally, usage)
    elif _says(usage, "prompt_tokens", "completion_tokens"):
        count_chat(tally, usage, provider)
    elif not STATED.isdisjoint(usage):  # money alone: the images are what was bought
        drawn = body.get("data")
        tally.put("images", len(drawn) if isinstance(drawn, list) else 0)
    named = {key: name_of(body.get(key)) for key in ("size", "quality")}
    terms = {key: name for key, name in named.items() if name}
    read = finish(tally, body, usage, provider, terms)
    drafting = usage_in(body.get("svg_usage"))
    return split(read, (read, drafted(drafting))) if drafting else read


def _says(usage: Mapping[str, Any], one: str, other: str) -> bool:
    """Whether a usage has one of two counts: an SDK's object has those of OpenAI as None, whoever answers."""
    return usage.get(one) is not None or usage.get(other) is not None


def read_transcription(body: Mapping[str, Any], provider: str) -> Usage:
    """Read a transcript, billed by seconds of audio or by tokens."""
    usage = usage_in(body.get("usage")) or _heard(body)
    if usage is None:
        return missing(body)
    if _says(usage, "prompt_tokens", "completion_tokens"):
        return read_chat(body, provider)
    tally = Tally()
    count_transcription(tally, usage)
    return finish(tally, body, usage, provider)


def _heard(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Take the length of the sound, which verbose transcripts of Whisper state beside the text, as usage.

    Models that hear for tokens have no such transcripts.
    """
    seconds = body.get("duration")
    return None if seconds is None or error_in(body) else {"type": "duration", "seconds": plain(seconds)}


def count_transcription(tally: Tally, usage: Mapping[str, Any]) -> None:
    """Count a transcript's usage: its type says whether seconds or tokens are billed."""
    if not _says(usage, "input_tokens", "output_tokens"):
        seconds = tally.amount(usage, "seconds")
        if seconds is None:
            tally.note("partial", "the usage has no seconds")
        tally.put("audio_seconds", seconds)
        return
    total = tally.count(usage, "total_tokens")
    given, written = tally.sides(
        tally.count(usage, "input_tokens"), tally.count(usage, "output_tokens"), total
    )
    details = inner(usage, "input_token_details") or inner(usage, "input_tokens_details")
    count_input(tally, given, 0, from_details(tally, details), {})
    tally.put("output", written)
    tally.check(total, given + written)


def read_embeddings(body: Mapping[str, Any], provider: str) -> Usage:
    """Read embeddings, of OpenAI's shape, Google's or Ollama's; they have no output tokens."""
    if "usage" in body:
        stated = usage_in(body["usage"])
        return (
            read_chat(body, provider)
            if stated is None or "image_pixels" not in stated
            else _seen(body, stated, provider)
        )
    if "prompt_eval_count" in body:
        return read_ollama(body, provider)
    usage = google_usage(body)
    if usage is not None:
        tally = Tally()
        named = {snake(key): value for key, value in usage.items()}
        count_google(tally, named, answers=False)
        return finish(tally, google_facts(body), usage, provider, google_terms(named))
    return _from_statistics(body, provider)


def _seen(body: Mapping[str, Any], usage: Mapping[str, Any], provider: str) -> Usage:
    """Read Voyage's embeddings of pictures and films, billed by pixels, which its total counts as tokens."""
    tally = Tally()
    text = tally.count(usage, "text_tokens")
    if text is None:
        tally.note("partial", "the usage does not tell its text")
    tally.put("input", text)
    tally.put("pixels", (tally.count(usage, "image_pixels") or 0) + (tally.count(usage, "video_pixels") or 0))
    tally.unknown(usage, frozenset({"text_tokens", "image_pixels", "video_pixels", "total_tokens"}))
    return finish(tally, body, usage, provider)


def _from_statistics(body: Mapping[str, Any], provider: str) -> Usage:
    """Read Vertex's predict, which counts tokens beside each embedding, or one of a batch of Gemini's.

    The characters that Vertex bills some models by are those of the whole answer, and stand there once.
    """
    tally = Tally()
    rows = body.get("predictions") or body.get("embeddings")
    alone = tally.first(body, "tokenCount", "token_count")
    counts = [_count_of(tally, row) for row in rows_of(rows)]
    told = [count for count in (alone, *counts) if count is not None]
    metadata = fields_of(body.get("metadata")) or {}
    characters = tally.first(metadata, "billableCharacterCount", "billable_character_count")
    if not told and characters is None:
        return missing(body)
    if alone is None and told and None in counts:
        tally.note("partial", "not every embedding states its tokens")
    tally.put("input", sum(told))
    tally.put("characters", characters)
    raw = {"token_count": sum(told) if told else None, "billableCharacterCount": characters}
    return finish(tally, body, {key: count for key, count in raw.items() if count is not None}, provider)


def _count_of(tally: Tally, row: Any) -> int | None:
    fields = fields_of(row) or {}
    statistics = fields_of((fields_of(fields.get("embeddings")) or fields).get("statistics")) or {}
    return tally.first(statistics, "token_count", "tokenCount")


def read_ocr(body: Mapping[str, Any], provider: str) -> Usage:
    """Read Mistral's OCR, billed by the page; what it annotates is counted, and billed, beside that."""
    usage = usage_in(body.get("usage_info"))
    if usage is None:
        return missing(body)
    tally = Tally()
    pages = tally.count(usage, "pages_processed")
    if pages is None:
        tally.note("partial", "the usage has no pages")
    tally.put("pages", pages)
    tally.put("annotated_pages", tally.count(usage, "pages_processed_annotation"))
    tally.unknown(usage, frozenset({"pages_processed", "doc_size_bytes", "pages_processed_annotation"}))
    return finish(tally, body, usage, provider)


class MediaStream:
    """A collector of image and transcript events: the one that ends it holds the usage."""

    __slots__ = ("_final", "_last", "_provider", "_read")

    def __init__(self, read: Any, provider: str) -> None:
        self._read = read
        self._provider = provider
        self._final: Any = None
        self._last: Any = None

    def add(self, event: Any) -> None:
        """Keep the last event and the one that ends the stream."""
        self._last = event
        if peek(event, "type") in _FINAL or peek(event, "usage"):
            self._final = event

    @property
    def complete(self) -> bool:
        """Whether the event with the usage was seen."""
        return self._final is not None

    def usage(self) -> Usage:
        """Read the ending event."""
        read: Usage = self._read(fields_of(self._final) or fields_of(self._last) or {}, self._provider)
        return read if self.complete else cut_off(read, "the stream ended before its usage")
