"""google-genai's live sessions, turn by turn, and its interactions, which have their own HTTP client."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial, wraps
from importlib import import_module
from typing import Any

from outlay.capture.bodies import Body, tee
from outlay.capture.call import Call
from outlay.capture.contexts import inside
from outlay.capture.guard import guarded
from outlay.capture.recorder import Recorder
from outlay.capture.streams import Open, Watch
from outlay.core.usage import Usage
from outlay.extract.plain import fields_of
from outlay.instrumentation.patches import Patches
from outlay.instrumentation.wrapping import measured, measured_async, text_or_none, usage_in

_LIVE = "live"
_API = "interactions"
_FAILED = 400  # an HTTP status from here on


def hook(recorder: Callable[[], Recorder], patches: Patches) -> None:
    """Hook what the installed release has of both."""
    live = _module("google.genai.live")
    if live is not None:
        patches.replace(live.AsyncLive, "connect", lambda original: _connecting(original, recorder, patches))
        patches.replace(live.AsyncSession, "_receive", _receiving)
        for name, asks in _ASKING.items():
            if hasattr(live.AsyncSession, name):
                patches.replace(live.AsyncSession, name, partial(_asking, asks=asks))
    interactions, base = _module("google.genai._gaos.interactions"), _module("google.genai._gaos.basesdk")
    if interactions is None or base is None:
        return

    def begin(_sdk: Any, _args: tuple[Any, ...], asked: dict[str, Any]) -> Call | None:
        if not patches.active or inside.get() is not None:
            return None
        return Call(recorder(), provider="google", api=_API, model=text_or_none(asked.get("model")))

    def settle(call: Call, result: Any) -> None:
        """Nothing: the answer was read as it came."""

    create, send = "create", "do_request"
    patches.replace(interactions.Interactions, create, lambda original: measured(original, begin, settle))
    patches.replace(base.BaseSDK, send, _sending)
    patches.replace(
        interactions.AsyncInteractions, create, lambda original: measured_async(original, begin, settle)
    )
    patches.replace(base.AsyncBaseSDK, f"{send}_async", _sending_async)


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:  # an older release has none
        return None


class Turns(Open):
    """The turn under way in one live session; it holds no reference to the session."""

    def __init__(self, start: Callable[[], Call]) -> None:
        self._start = start
        self._call: Call | None = None
        self._asked: Call | None = None  # a request that nothing answered yet
        self._grounded: list[Any] = []  # the turn's messages that tell of searches: each tells of its own
        self._pid = os.getpid()

    def ask(self) -> Call | None:
        """Note that an answer is asked for, unless one is awaited already, which this interrupts."""
        if self._call is not None or self._asked is not None:
            return None
        self._asked = self._start()
        return self._asked

    def unsent(self, call: Call, error: BaseException) -> None:
        """Record a request that could not be sent; one that the SDK itself refuses was never made."""
        if call is self._asked:
            self._asked = None
            if not isinstance(error, TypeError | ValueError):
                call.fail(error)

    def hear(self, message: Any) -> None:
        """Look at one message: a turn begins with its first content, and its usage ends it.

        It is for whom its receiver says: turns of sound come unasked.
        """
        usage = message.usage_metadata
        content = message.server_content
        if self._call is None and usage is None and not _begins(message, content):
            return
        if self._call is None:
            self._call, self._asked = self._start(), None
        self._call.first_token()
        if usage is not None:
            heard = [*self._grounded, message]
            self._call.finish(usage_in(heard if self._grounded else message, self._call, _LIVE))
            self._call, self._grounded = None, []
        elif getattr(content, "grounding_metadata", None) is not None:
            self._grounded.append(message)

    def closed(self, error: BaseException | None) -> None:
        """End what is under way: nobody will hear of its usage. A forked child lets go of a copy."""
        reason = (
            "the session ended within a turn" if self._call else "the session ended before the turn began"
        )
        call, self._call, self._asked, self._grounded = self._call or self._asked, None, None, []
        if self._pid != os.getpid():
            return
        unknown = Usage(reason=reason)
        if call is not None and error is not None:
            call.fail(error, unknown)
        elif call is not None:
            call.leave(unknown)

    def leave(self) -> None:
        """Leave the turn under way."""
        self.closed(None)


def _begins(message: Any, content: Any) -> bool:
    """Whether a message is of a turn for sure: transcripts and notes of its state may come behind its end."""
    return message.tool_call is not None or any(
        getattr(content, each, None) is not None for each in ("model_turn", "grounding_metadata")
    )


def _connecting(
    original: Callable[..., Any], recorder: Callable[[], Recorder], patches: Patches
) -> Callable[..., Any]:
    @wraps(original)
    @asynccontextmanager
    async def connect(self: Any, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        async with original(self, *args, **kwargs) as session:
            _begin(session, kwargs.get("model"), recorder, patches)
            try:
                yield session
            finally:
                _end(session, None)

    return connect


@guarded
def _begin(session: Any, model: object, recorder: Callable[[], Recorder], patches: Patches) -> None:
    if not patches.active or inside.get() is not None:
        return
    client = session._api_client  # noqa: SLF001 - the SDK says nowhere else which API it speaks to
    provider, name = "vertex" if client.vertexai else "google", text_or_none(model)
    named = name.rpartition("/")[2] if name else None

    def start() -> Call:
        return Call(recorder(), provider=provider, api=_LIVE, model=named, streamed=True)

    session._outlay_turns = Turns(start)  # noqa: SLF001 - our own mark on a stranger's object


def _whole(_args: tuple[Any, ...], said: dict[str, Any]) -> bool:
    return bool(said.get("turn_complete", True))


def _spoken(_args: tuple[Any, ...], said: dict[str, Any]) -> bool:
    return said.get("activity_end") is not None


def _heeded(_args: tuple[Any, ...], said: dict[str, Any]) -> bool:
    """Whether the model is to go on with what tools gave: it may be told to take them all in silently."""
    given = said.get("function_responses")
    return not all(
        "SILENT" in str((fields_of(each) or {}).get("scheduling"))
        for each in (given if isinstance(given, list | tuple) else [given])
    )


# What asks for an answer; where voices are listened to, nobody but the model knows that one is due.
# `send` is left alone: its warning, that it is deprecated, would name a line of ours.
_ASKING: dict[str, Callable[[tuple[Any, ...], dict[str, Any]], bool]] = {
    "send_client_content": _whole,
    "send_tool_response": _heeded,
    "send_realtime_input": _spoken,
}


@guarded
def _ask(session: Any, asked: bool | None) -> Call | None:  # noqa: FBT001 - internal
    turns = session.__dict__.get("_outlay_turns")
    return turns.ask() if asked and isinstance(turns, Turns) else None


@guarded
def _unsent(session: Any, call: Call | None, error: BaseException) -> None:
    turns = session.__dict__.get("_outlay_turns")
    if call is not None and isinstance(turns, Turns):
        turns.unsent(call, error)


def _asking(
    original: Callable[..., Awaitable[Any]], asks: Callable[[tuple[Any, ...], dict[str, Any]], bool]
) -> Callable[..., Awaitable[Any]]:
    asks_guarded = guarded(asks)

    @wraps(original)
    async def send(self: Any, *args: Any, **kwargs: Any) -> Any:
        call = _ask(self, asks_guarded(args, kwargs))
        try:
            return await original(self, *args, **kwargs)
        except BaseException as error:
            _unsent(self, call, error)
            raise

    return send


@guarded
def _hear(session: Any, message: Any) -> None:
    turns = session.__dict__.get("_outlay_turns")
    if isinstance(turns, Turns):
        turns.hear(message)


@guarded
def _end(session: Any, error: BaseException | None) -> None:
    turns = session.__dict__.get("_outlay_turns")
    if isinstance(turns, Turns):
        turns.closed(error)


def _receiving(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(original)
    async def _receive(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            message = await original(self, *args, **kwargs)
        except Exception as error:  # not a cancelled receive, after which the session goes on
            _end(self, error)
            raise
        _hear(self, message)
        return message

    return _receive


@guarded
def _came(http: Any) -> None:
    """Read what an interaction's request brought, now or as the caller reads it."""
    call = inside.get()
    if not isinstance(call, Call) or call.api != _API or http.status_code >= _FAILED:
        return
    call.streamed = http.headers.get("content-type", "").startswith("text/event-stream")
    if hasattr(http, "_content"):
        call.finish(usage_in(http.content, call))
    else:
        tee(http, Watch(call, Body(call.provider, _API, is_stream=call.streamed)))


def _sending(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def do_request(self: Any, *args: Any, **kwargs: Any) -> Any:
        http = original(self, *args, **kwargs)
        _came(http)
        return http

    return do_request


def _sending_async(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(original)
    async def do_request_async(self: Any, *args: Any, **kwargs: Any) -> Any:
        http = await original(self, *args, **kwargs)
        _came(http)
        return http

    return do_request_async
