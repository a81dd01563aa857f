"""Responses made in the background: recorded once, when their usage is there, whoever reads them back.

Whether it was made here or elsewhere is told by the response itself; any other response was counted when it
was made, and reading it back costs nothing.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from outlay.capture.bodies import Body, tee
from outlay.capture.call import Call
from outlay.capture.guard import guarded
from outlay.capture.once import Lately, Once
from outlay.capture.recorder import Recorder
from outlay.capture.streams import Watch, watch, watch_async
from outlay.core.instants import instant
from outlay.core.record import Record
from outlay.core.usage import Usage
from outlay.extract import Collector, collector
from outlay.extract.plain import fields_of
from outlay.extract.streams import peek
from outlay.instrumentation.paths import body_of, content_of, http_of
from outlay.instrumentation.wrapping import mark, text_or_none, usage_in

_API = "responses"
_ONE = re.compile(r"/responses/([^/]+)(?:/cancel)?")
_WAITING = frozenset({"queued", "in_progress"})
_KNOWN = 10_000  # responses that were begun here and have not been read to their end


class Background:
    """The background responses that a process has to do with, through one SDK."""

    def __init__(self, recorder: Callable[[], Recorder], once: Once) -> None:
        self._recorder = recorder
        self._once = once
        self._begun: Lately[Call] = Lately(_KNOWN)

    def begin(self, provider: str, method: str, path: str, options: Any, stream: bool) -> "_Request | None":  # noqa: FBT001 - the SDK's own flag
        """Start a call for a request that makes such a response, or that may read one back."""
        if method == "post" and path == "/responses":
            body = options.json_data
            if not isinstance(body, Mapping):
                return None
            asked = {**body, **(options.extra_json or {})}  # as the SDK puts `extra_body` over what it knows
            if asked.get("background") is not True:
                return None
            model = text_or_none(asked.get("model"))
            call = Call(self._recorder(), provider=provider, api=_API, model=model, streamed=stream)
            return _Request(self, call, made_here=True)
        if _ONE.fullmatch(path) is None:
            return None
        call = Call(self._recorder(), provider=provider, api=_API, streamed=stream, counted=False, sent=True)
        return _Request(self, call, made_here=False)

    def came(self, call: Call, body: Mapping[str, Any], *, made_here: bool) -> None:
        """Take a response as it stands now: waiting, or done and then recorded.

        A server that has no background answers a wish for one at once, and does not say that it is in one: an
        answer like any other, which reading it back does not count.
        """
        response_id, told = text_or_none(body.get("id")), body.get("background") is True
        waits = response_id is not None and body.get("status") in _WAITING
        if made_here and not told and not waits:
            call.finish(usage_in(body, call))
            return
        begun = call if made_here else self._begun.get(response_id)
        if response_id is None or not (told or begun):
            return
        if waits:
            if begun is not None:
                self._begun[response_id] = begun
            return
        self.end(begun or call, body, usage_in(body, call), here=begun is not None)

    def end(self, call: Call, body: Mapping[str, Any], usage: Usage, *, here: bool) -> None:
        """Record a response that is done, by an id of its own; timed only where it was begun."""
        moment = body.get("created_at")
        at = instant(moment) if isinstance(moment, datetime | str | int | float) else None
        if not here:
            call.at = at or call.at
        key = f"response\n{body.get('id')}"

        def keep(record: Record) -> None:
            self._once.keep(record if here else replace(record, latency_ms=None), key, at)

        call.keep = keep
        call.finish(usage)


class _Request:
    """One request that makes a background response or reads one back."""

    def __init__(self, home: Background, call: Call, *, made_here: bool) -> None:
        self._home = home
        self._call = call
        self._made_here = made_here

    def fail(self, error: BaseException) -> None:
        """A request to make one that fails is a failed call; reading costs nothing."""
        if self._made_here:
            self._call.fail(error)

    def retried(self) -> None:
        """Count another try, of one that is made; the tries to read one are no matter of its call."""
        if self._made_here:
            self._call.retries += 1

    def settle(self, result: Any) -> None:
        """Read a whole response now, a stream of events and a body that nobody has read yet when it ends."""
        http = http_of(result)
        if http is not None and content_of(http) is None:
            tee(http, _Raw(self._home, self._call, made_here=self._made_here))
        elif not hasattr(result, "_iterator"):
            self._home.came(self._call, body_of(result), made_here=self._made_here)
        else:
            seen = _Events(self._home, self._call, made_here=self._made_here)
            watching = watch_async if hasattr(result, "__anext__") else watch
            result._iterator = watching(result._iterator, seen)  # noqa: SLF001 - the one place that all reading passes
            mark(result, seen)


class _Events(Watch):
    """Watches a stream that can be taken up again: only its end makes a record.

    One that was made here and does not say that it is in the background ends as any other stream does.
    """

    __slots__ = ("_home", "_last", "_made_here")

    def __init__(
        self, home: Background, call: Call, kept: Collector | None = None, *, made_here: bool
    ) -> None:
        super().__init__(call, kept or collector(call.provider, _API))
        self._home = home
        self._made_here = made_here
        self._last: Any = None

    def take(self, chunk: Any) -> None:
        """Keep the newest state of the response, too."""
        super().take(chunk)
        self._last = peek(chunk, "response") or self._last

    def newest(self) -> Any:
        """Give the newest state of the response that came."""
        return self._last

    def finish(self) -> None:
        """Take the response as it then stands."""
        if self._is_usual():
            super().finish()
        else:
            self._take_up()

    def leave(self) -> None:
        """The caller let go: the response goes on without it."""
        if self._is_usual():
            super().leave()
        else:
            self._take_up()

    def fail(self, error: BaseException) -> None:
        """The connection broke: likewise."""
        if self._is_usual():
            super().fail(error)
        else:
            self._take_up()

    @guarded
    def _is_usual(self) -> bool:
        return self._made_here and peek(self.newest(), "background") is not True

    @guarded
    def _take_up(self) -> None:
        body = fields_of(self.newest())
        if body is not None and not self.call.done:
            self._home.came(self.call, body, made_here=self._made_here)

    @guarded
    def __del__(self) -> None:
        """Nothing is lost of a response that can be read back."""
        if not self.call.done and self._is_usual():
            super().leave()


class _Raw(_Events):
    """Watches a body that its reader takes as it comes over the wire."""

    __slots__ = ("_bytes",)

    def __init__(self, home: Background, call: Call, *, made_here: bool) -> None:
        self._bytes = _Bytes(call.provider, _API, is_stream=call.streamed)
        super().__init__(home, call, self._bytes, made_here=made_here)

    def take(self, chunk: Any) -> None:
        """Keep the bytes alone: they are parsed at the end."""
        Watch.take(self, chunk)

    def newest(self) -> Any:
        """Give the newest state among the bytes."""
        return self._bytes.response()


class _Bytes(Body):
    """A raw body that also tells the response of which it is, whole or as its events have it."""

    __slots__ = ()

    def response(self) -> Any:
        """Give the fields of the response; none where no bytes of it came."""
        if not self._is_stream:
            return _object(b"".join(self._parts))
        lines = (self._first or b"", *self._lines, self._rest)
        states = (_object(line.partition(b":")[2]).get("response") for line in reversed(lines))
        return next((state for state in states if isinstance(state, dict)), None)


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
