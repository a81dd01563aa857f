"""Results of batches, whose lines are calls: files of OpenAI's and of its copies, message batches, others.

A line's id is made of its own ids and time, at the price of batches. Whom a batch is for is known to the
process that made it; what another one reads is for whoever reads it.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from outlay.capture import contexts
from outlay.capture.bodies import tee
from outlay.capture.call import Call
from outlay.capture.failing import AnsweredError
from outlay.capture.guard import guarded
from outlay.capture.once import Lately, Once
from outlay.capture.recorder import Recorder
from outlay.capture.streams import Watch, watch, watch_async
from outlay.core.instants import instant
from outlay.core.record import Record
from outlay.extract.batch import response_inside
from outlay.extract.plain import fields_of
from outlay.extract.shapes import api_of_body
from outlay.instrumentation.paths import body_of, content_of, http_of
from outlay.instrumentation.wrapping import text_or_none, usage_in

_MADE = re.compile(r"(?:/messages)?/batches(?:/[^/]+(?:/cancel)?)?")
_RESULTS = re.compile(r"/messages/batches/([^/]+)/results")
_FILE = re.compile(r"/files/([^/]+)/content")
_LINE = re.compile(r"batch_req_([0-9a-f]{8})[0-9a-f]{4}81[0-9a-f]{18}")
"""OpenAI's id of a line since the autumn of 2024: the Unix second in which it was written, then more. That is
nowhere promised; ids of another form tell no time."""
_MARKS = (b'"custom_id"', b'"key"')  # Gemini's lines have the latter
_LOOKED_AT = 4096  # bytes in which a file of results names the first of its lines
_FILES = ("output_file_id", "error_file_id", "output_file", "error_file")  # Mistral's have the latter names
_KNOWN = 10_000  # batches and their files that are remembered
_NEVER_SENT = frozenset({"canceled", "expired", "batch_cancelled", "batch_expired"})


class BatchLineError(AnsweredError):
    """What a line that failed is recorded as; it is never raised."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """What is known of a batch: its id, when it was asked for, for whom, and of which model."""

    id: str
    at: datetime | None
    who: contexts.Attribution | None
    model: str | None  # of all its lines, where these name none themselves


class Batches:
    """The batches that a process has to do with, through one SDK."""

    def __init__(self, recorder: Callable[[], Recorder], once: Once) -> None:
        self._recorder = recorder
        self._once = once
        self._known: Lately[_Batch] = Lately(_KNOWN)
        self._files: Lately[str] = Lately(_KNOWN)

    def begin(self, provider: str, method: str, path: str) -> "_Request | None":
        """Say how the answer to a request is read, if it is about batches."""
        if _MADE.fullmatch(path):
            return _Request(partial(self.learn, own=method == "post" and path.endswith("/batches")))
        results, file = _RESULTS.fullmatch(path), _FILE.fullmatch(path)
        if method != "get" or not (results or file):
            return None
        batch_id = results[1] if results else self._files.get(file[1]) if file else None
        return _Request(lambda result: self._read(provider, batch_id, result))

    def learn(self, result: Any, *, own: bool) -> None:
        """Remember batches, one or a page of them; those made here are for whom the context says."""
        body = body_of(result)
        page = body.get("data")
        for each in page if isinstance(page, list) else [body]:
            fields = each if isinstance(each, dict) else fields_of(each) or {}
            batch_id = fields.get("id")
            if not isinstance(batch_id, str):
                continue
            before = self._known.get(batch_id)
            who = contexts.attribution.get() if own else before.who if before else None
            self._known[batch_id] = _Batch(batch_id, _time_in(fields), who, text_or_none(fields.get("model")))
            for name in _FILES:
                if isinstance(fields.get(name), str):
                    self._files[fields[name]] = batch_id

    def _read(self, provider: str, batch_id: str | None, result: Any) -> None:
        """Read results that are there, or watch them come."""
        lines = self.lines(provider, batch_id)
        http = http_of(result)
        coming = getattr(result, "_raw_iterator", None)
        content = content_of(http)
        if coming is not None:  # Anthropic's decoder of lines
            watching = watch_async if hasattr(coming, "__anext__") else watch
            result._raw_iterator = watching(coming, lines)  # noqa: SLF001 - the one place that all reading passes
        elif content is None:
            tee(http, lines)
        else:
            lines.whole(content)

    def lines(self, provider: str, batch_id: str | None, scope: str = "") -> "Lines":
        """Make what takes the bytes of a file of results."""
        return Lines(lambda line: self.line(provider, batch_id, line, scope=scope))

    def batch_of(self, file: str) -> str | None:
        """Name the batch that a file of results is known to be of."""
        return self._files.get(file)

    def line(
        self, provider: str, batch_id: str | None, line: Mapping[str, Any], api: str = "chat", scope: str = ""
    ) -> None:
        """Record one line, if it is one of results and its request was sent.

        Lines without an id of their own or of their answer's are told apart by their name in ``scope``, or
        else in their batch.
        """
        batch = self._known.get(batch_id)
        body = response_inside(line)
        if body is None or (failure := _failure(line)) in _NEVER_SENT:
            return
        own = _time_in(body) or _time_of(line)
        at = own or (batch.at if batch else None)
        key = "\n".join(str(each) for each in _ids(line, body, scope or (batch.id if batch else "")))
        extra = {
            "custom_id": line.get("custom_id", line.get("key")),
            **({"batch_id": batch.id} if batch else {}),
            **({} if at else {"time_assumed": True}),  # it is that of whoever read the line
        }
        call = self._call(provider, api_of_body(body) or api, batch)
        call.at = at or call.at
        call.extra = extra
        stable = own if "result" not in line else at  # Anthropic's lines say no time, its batches always do
        call.keep = lambda record: self._once.keep(_untimed(record, failure), key, stable)
        if failure:
            call.fail(BatchLineError(failure))
        else:
            call.finish(usage_in(line, call))

    def _call(self, provider: str, api: str, batch: _Batch | None) -> Call:
        model = batch.model if batch else None
        if batch is None or batch.who is None:
            return Call(self._recorder(), provider=provider, api=api, model=model, sent=True)
        token = contexts.attribution.set(batch.who)
        try:
            return Call(self._recorder(), provider=provider, api=api, model=model, sent=True)
        finally:
            contexts.attribution.reset(token)


@dataclass(frozen=True, slots=True)
class _Request:
    """A request about batches: it costs nothing itself, whether it works or not."""

    settle: Callable[[Any], None]

    def fail(self, error: BaseException) -> None:
        """Nothing was read."""


class Lines(Watch):
    """Takes lines of results as their bytes pass; each is a call, so that the reading itself is none."""

    __slots__ = ("_line", "_parts")

    def __init__(self, line: Callable[[Mapping[str, Any]], None]) -> None:
        self.hidden = None
        self._line = guarded(line)
        self._parts: list[bytes] = []

    def begin(self, chunk: Any) -> None:
        """Take the first bytes."""
        self.take(chunk)

    def take(self, chunk: Any) -> None:
        """Take bytes: every line that ends in them, and keep the rest."""
        *ended, rest = chunk.split(b"\n")
        for line in ended:
            self._parts.append(line)
            self._close()
        if rest:
            self._parts.append(rest)

    def whole(self, content: bytes) -> None:
        """Take a body that is there, if it looks like lines of results."""
        if any(mark in content[:_LOOKED_AT] for mark in _MARKS):
            self.take(content)
            self.finish()

    def finish(self) -> None:
        """Take the last line, which may have no end."""
        self._close()

    def fail(self, error: BaseException) -> None:
        """What came before the break is recorded already."""

    def leave(self) -> None:
        """A decoder reads a line only when it is asked for: the last one may be whole."""
        self._close()

    def __del__(self) -> None:
        """Nothing is open."""

    def _close(self) -> None:
        text = b"".join(self._parts)
        self._parts.clear()
        if any(mark in text for mark in _MARKS):
            for line in _parsed(text):
                self._line(line)


def _parsed(text: bytes) -> Iterable[dict[str, Any]]:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    return (line,) if isinstance(line, dict) else ()


def _ids(line: Mapping[str, Any], body: Mapping[str, Any], scope: str) -> Iterable[object]:
    """Give what identifies a line: its own id, the answer's, else its name in its batch or file."""
    own = line.get("id") or body.get("id") or body.get("responseId")
    return ("batch line", own) if own else ("batch line", scope, line.get("custom_id", line.get("key")))


def _failure(line: Mapping[str, Any]) -> str | None:
    """Say why a line has no answer; None where it has one."""
    result = line.get("result")
    if isinstance(result, dict):
        if result.get("type") == "succeeded":
            return None
        error = result.get("error") or {}
        return str((error.get("error") or error).get("type") or result.get("type"))
    if line.get("error"):
        return str((fields_of(line["error"]) or {}).get("code") or "error")
    status = (fields_of(line.get("response")) or {}).get("status_code", 200)
    return None if status == 200 else f"HTTP {status}"  # noqa: PLR2004 - HTTP's OK


def _untimed(record: Record, failure: str | None) -> Record:
    """Take away what the reader's clock says of a call that was made long ago by others."""
    return replace(
        record, latency_ms=None, time_to_first_token_ms=None, error_type=failure or record.error_type
    )


def _time_in(fields: Mapping[str, Any]) -> datetime | None:
    moment = fields.get("created_at") or fields.get("created")
    return instant(moment) if isinstance(moment, datetime | str | int | float) else None


def _time_of(line: Mapping[str, Any]) -> datetime | None:
    found = _LINE.fullmatch(str(line.get("id")))
    return None if found is None else instant(int(found[1], 16))
