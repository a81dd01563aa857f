"""requests: calls to known providers by any client on top of it that has no hook of its own."""

import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from outlay.capture.bodies import Body
from outlay.capture.call import Call
from outlay.capture.contexts import inside
from outlay.capture.recorder import Recorder
from outlay.capture.streams import Watch, watch
from outlay.instrumentation import transports
from outlay.instrumentation.patches import Patches
from outlay.instrumentation.wrapping import Begin, measured, usage_in

OLDEST = (2, 28)


def instrument(recorder: Callable[[], Recorder], *, include_usage: bool) -> Patches:  # noqa: ARG001 - one form
    """Hook the HTTP client that is installed.

    Raises:
        ImportError: it is not installed.
    """
    import requests  # noqa: PLC0415 - loaded only where it is hooked

    patches = Patches()
    begin = _beginner(recorder, patches)
    patches.replace(requests.Session, "send", partial(measured, begin=begin, settle=_settle))
    return patches


def _beginner(recorder: Callable[[], Recorder], patches: Patches) -> Begin:
    def begin(session: Any, args: tuple[Any, ...], asked: dict[str, Any]) -> Call | None:
        request = args[0] if args else asked["request"]
        if request.method != "POST" or not patches.active or inside.get() is not None:
            return None
        parts = urlsplit(request.url)
        body = request.body.encode() if isinstance(request.body, str) else request.body
        url = (parts.hostname or "", parts.port, parts.path)
        call = transports.begin_at(recorder, url, body if isinstance(body, bytes) else b"")
        if call is not None:
            call.streamed = bool(asked.get("stream", session.stream))
        return call

    return begin


def _settle(call: Call, response: Any) -> None:
    if transports.failed(call, response.status_code):
        return
    kind = response.headers.get("content-type", "")
    if call.streamed:
        call.streamed = transports.comes_bit_by_bit(kind, urlsplit(response.url or "").path)
        is_stream = transports.is_stream(kind)
        _tee(response, Watch(call, _Text(call.provider, call.api, is_stream=is_stream)))
    else:
        call.finish(usage_in(response.content, call))


class _Text(Body):
    """A body whose reader may have asked for text in place of bytes."""

    __slots__ = ()

    def add(self, event: Any) -> None:
        """Take the next bytes or characters."""
        super().add(event.encode() if isinstance(event, str) else event)


def _tee(response: Any, seen: Watch) -> None:
    """Watch what is read of this one response, held weakly; reading it whole or by line passes here too."""
    kind, itself = type(response), weakref.ref(response)

    def iter_content(*args: Any, **kwargs: Any) -> Iterator[Any]:
        return watch(kind.iter_content(itself(), *args, **kwargs), seen)

    def close() -> None:
        seen.leave()
        response = itself()
        if response is not None:  # it may be gone, where its close outlives it
            kind.close(response)

    response.iter_content = iter_content
    response.close = close
