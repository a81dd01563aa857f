"""openai's websockets: realtime sessions and responses, one record for each response and each transcript.

Every event is received by ``recv_bytes`` once, whoever parses it. Which provider answers stands in the
request that opened the connection. A request for a response that an ``error`` answers, or nothing, is a call
that failed or was left. In a realtime session, where most errors are of other events, one counts only where
it names the request, or says what nothing else brings about.
"""

import json
import os
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial, wraps
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlsplit

from outlay.capture.call import Call
from outlay.capture.contexts import inside
from outlay.capture.failing import AnsweredError
from outlay.capture.guard import guarded
from outlay.capture.recorder import Recorder
from outlay.capture.streams import Open
from outlay.core.usage import Usage
from outlay.extract.plain import fields_of
from outlay.extract.realtime import models_of
from outlay.instrumentation.hosts import provider_at
from outlay.instrumentation.patches import Patches
from outlay.instrumentation.wrapping import text_or_none, usage_in

HOMES = (  # module, the classes' common name, api
    ("openai.resources.realtime.realtime", "RealtimeConnection", "realtime"),
    ("openai.resources.beta.realtime.realtime", "RealtimeConnection", "realtime"),
    ("openai.resources.responses.responses", "ResponsesConnection", "responses"),
    ("openai.resources.beta.responses.responses", "ResponsesConnection", "responses"),
)
_ENDS = frozenset(f"response.{end}" for end in ("done", "completed", "incomplete", "failed", "cancelled"))
_HEARD = "conversation.item.input_audio_transcription.completed"
_BUSY = "conversation_already_has_active_response"  # answers nothing but a request for a response
_HEAD = 200  # bytes of an event in which its type stands
_LEFT = "the connection was closed within a response"
_UNANSWERED = "the connection was closed before the response began"


class ResponseFailedError(AnsweredError):
    """What a response that failed without usage is recorded as; it is never raised."""


def hook(recorder: Callable[[], Recorder], patches: Patches) -> None:
    """Hook the connections that the installed release has."""
    for module, name, api in HOMES:
        try:
            home = import_module(module)
        except ImportError:
            continue  # an older or newer release has it elsewhere, or not at all
        begin = partial(_session_of, recorder, patches, api)
        for owner, receiving, sending, closing in (
            (getattr(home, name, None), _receiving, _sending, _closing),
            (getattr(home, f"Async{name}", None), _receiving_async, _sending_async, _closing_async),
        ):
            if owner is not None:
                patches.replace(owner, "recv_bytes", partial(receiving, begin=begin))
                patches.replace(owner, "send", partial(sending, begin=begin))
                patches.override(owner, "close", closing)


def _told(error: Mapping[str, Any]) -> ResponseFailedError:
    return ResponseFailedError(str(error.get("code") or error.get("type") or "failed"))


class Session(Open):
    """The responses under way on one connection; it holds no reference to the connection."""

    def __init__(self, recorder: Callable[[], Recorder], api: str, provider: str, model: str | None) -> None:
        self._recorder = recorder
        self._api = api
        self._provider = provider
        self._model = model
        self._transcriber: str | None = None
        self._open: dict[str, Call] = {}
        self._waiting: deque[tuple[Call, object]] = deque()  # unanswered, each with its event's name
        self._pid = os.getpid()

    def hear(self, message: bytes | str) -> None:
        """Look at one event; of the many that carry words or sound only the moment of the first is noted."""
        head = message[:_HEAD]
        if ('.delta"' if isinstance(head, str) else b'.delta"') in head:  # type: ignore[operator]  # of one kind
            for call in self._open.values():
                call.first_token()
            return
        event = json.loads(message)
        kind = event.get("type")
        if kind == "response.created":
            response = event.get("response") or {}
            call = self._open[str(response.get("id"))] = self._answered(response)
            call.streamed = True
        elif kind in _ENDS:
            self._ended(event.get("response") or {}, event)
        elif kind == _HEARD:
            transcript = self._call("transcription", self._transcriber)
            transcript.finish(usage_in(event, transcript))
        elif kind in ("session.created", "session.updated"):
            model, transcriber = models_of(event.get("session"))
            self._model, self._transcriber = model or self._model, transcriber or self._transcriber
        elif kind == "error":
            self._refused(fields_of(event.get("error")) or event)

    def sends(self, event: Any) -> Call | None:
        """Look at one event that is about to be sent, and give the call that it begins, if it does."""
        said = fields_of(event) or {}
        if said.get("type") != "response.create":
            return None
        call = self._call(self._api, text_or_none(said.get("model")) or self._model)
        self._waiting.append((call, said.get("event_id")))
        return call

    def unsent(self, call: Call, error: BaseException) -> None:
        """Record a request that could not be sent."""
        self._fail(next((each for each in self._waiting if each[0] is call), None), error)

    def _call(self, api: str, model: str | None) -> Call:
        return Call(self._recorder(), provider=self._provider, api=api, model=model, sent=True)

    def _refused(self, error: Mapping[str, Any]) -> None:
        """Record the request that an error answers; one that answers none, as of age, is no call."""
        asked = next((each for each in self._waiting if self._is_of(error, each[1])), None)
        self._fail(asked, _told(error))

    def _is_of(self, error: Mapping[str, Any], name: object) -> bool:
        if self._api == "responses" or error.get("code") == _BUSY:
            return True
        return name is not None and error.get("event_id") == name

    def _fail(self, asked: tuple[Call, object] | None, error: BaseException) -> None:
        if asked is not None:
            self._waiting.remove(asked)
            asked[0].fail(error)

    def _answered(self, response: dict[str, Any]) -> Call:
        """Take the request that is answered next: answers come in the order that they were asked for.

        A realtime session's response is for whom its receiver says, whether it was asked for or not.
        """
        model = text_or_none(response.get("model")) or self._model
        asked = self._waiting.popleft()[0] if self._waiting else None
        call = asked if asked and self._api == "responses" else self._call(self._api, model)
        call.model = call.model or model
        return call

    def _ended(self, response: dict[str, Any], event: dict[str, Any]) -> None:
        call = self._open.pop(str(response.get("id")), None) or self._answered(response)
        body = event if self._api == "realtime" else response
        usage = replace(usage_in(body, call), response_id=text_or_none(response.get("id")))
        if response.get("status") == "failed" and not usage.items:
            details = fields_of(response.get("error") or response.get("status_details")) or {}
            error = fields_of(details.get("error")) or details
            call.fail(_told(error), usage)
        else:
            call.finish(usage)

    def closed(self, error: BaseException | None) -> None:
        """End what is under way: nobody will hear of its usage. A forked child lets go of a copy."""
        begun, self._open = self._open, {}
        asked, self._waiting = self._waiting, deque()
        if self._pid != os.getpid():
            return
        for call, reason in (
            *((each, _LEFT) for each in begun.values()),
            *((each, _UNANSWERED) for each, _ in asked),
        ):
            if error is None:
                call.leave(Usage(reason=reason))
            else:
                call.fail(error, Usage(reason=reason))

    def leave(self) -> None:
        """Leave what is under way."""
        self.closed(None)

    @guarded  # here, for none can be made while the interpreter is torn down
    def __del__(self) -> None:
        self.leave()


def _session_of(
    recorder: Callable[[], Recorder], patches: Patches, api: str, connection: Any
) -> Session | None:
    """Give the session of a connection, made at its first event."""
    if not patches.active or inside.get() is not None:
        return None
    own: dict[str, Any] = connection.__dict__
    session = own.get("_outlay_session")
    if session is None:
        provider, model = _asked(connection)
        session = own["_outlay_session"] = Session(recorder, api, provider, model)
    return session if isinstance(session, Session) else None


def _asked(connection: Any) -> tuple[str, str | None]:
    """Read from the request that opened a connection who was asked, and for which model."""
    request = getattr(getattr(connection, "_connection", None), "request", None)
    if request is None:
        return "openai", None
    host = urlsplit(f"//{request.headers.get('Host', '')}")
    asked = parse_qs(urlsplit(request.path).query)
    model = (asked.get("model") or asked.get("deployment") or [None])[0]
    return provider_at(host.hostname or "", host.port, "openai"), model


@guarded
def _hear(begin: Callable[[Any], Session | None], connection: Any, message: Any) -> None:
    session = begin(connection)
    if session is not None:
        session.hear(message)


@guarded
def _sends(begin: Callable[[Any], Session | None], connection: Any, event: Any) -> Call | None:
    session = begin(connection)
    return None if session is None else session.sends(event)


@guarded
def _unsent(connection: Any, call: Call | None, error: BaseException) -> None:
    session = connection.__dict__.get("_outlay_session")
    if session is not None and call is not None:
        session.unsent(call, error)


@guarded
def _broke(connection: Any, error: BaseException) -> None:
    """Note that a connection is gone; a receive that was cancelled or timed out leaves it as it is."""
    name = type(error).__name__
    session = connection.__dict__.get("_outlay_session")
    if session is not None and name.startswith("ConnectionClosed"):
        session.closed(None if name == "ConnectionClosedOK" else error)


@guarded
def _left(connection: Any) -> None:
    session = connection.__dict__.get("_outlay_session")
    if session is not None:
        session.closed(None)


def _receiving(original: Callable[..., Any], begin: Callable[[Any], Session | None]) -> Callable[..., Any]:
    @wraps(original)
    def recv_bytes(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            message = original(self, *args, **kwargs)
        except BaseException as error:
            _broke(self, error)
            raise
        _hear(begin, self, message)
        return message

    return recv_bytes


def _receiving_async(
    original: Callable[..., Awaitable[Any]], begin: Callable[[Any], Session | None]
) -> Callable[..., Awaitable[Any]]:
    @wraps(original)
    async def recv_bytes(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            message = await original(self, *args, **kwargs)
        except BaseException as error:
            _broke(self, error)
            raise
        _hear(begin, self, message)
        return message

    return recv_bytes


def _sending(original: Callable[..., Any], begin: Callable[[Any], Session | None]) -> Callable[..., Any]:
    @wraps(original)
    def send(self: Any, event: Any, *args: Any, **kwargs: Any) -> Any:
        call = _sends(begin, self, event)
        try:
            return original(self, event, *args, **kwargs)
        except BaseException as error:
            _unsent(self, call, error)
            raise

    return send


def _sending_async(
    original: Callable[..., Awaitable[Any]], begin: Callable[[Any], Session | None]
) -> Callable[..., Awaitable[Any]]:
    @wraps(original)
    async def send(self: Any, event: Any, *args: Any, **kwargs: Any) -> Any:
        call = _sends(begin, self, event)
        try:
            return await original(self, event, *args, **kwargs)
        except BaseException as error:
            _unsent(self, call, error)
            raise

    return send


def _closing(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def close(self: Any, *args: Any, **kwargs: Any) -> Any:
        _left(self)
        return original(self, *args, **kwargs)

    return close


def _closing_async(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(original)
    async def close(self: Any, *args: Any, **kwargs: Any) -> Any:
        _left(self)
        return await original(self, *args, **kwargs)

    return close
