"""aiohttp: calls to known providers by any client on top of it that has no hook of its own.

What comes is seen as it is fed to the response's reader, whichever way the caller takes it from there.
"""

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Any
from urllib.parse import urlsplit

from outlay.capture.bodies import Body
from outlay.capture.call import Call
from outlay.capture.contexts import inside
from outlay.capture.guard import guarded
from outlay.capture.recorder import Recorder
from outlay.capture.streams import Watch
from outlay.core.usage import Usage
from outlay.instrumentation import transports
from outlay.instrumentation.patches import Patches
from outlay.instrumentation.wrapping import Begin, measured_async, text_or_none

OLDEST = (3, 10)


def instrument(recorder: Callable[[], Recorder], *, include_usage: bool) -> Patches:  # noqa: ARG001 - one form
    """Hook the HTTP client that is installed.

    Raises:
        ImportError: it is not installed.
    """
    import aiohttp  # noqa: PLC0415 - loaded only where it is hooked

    patches = Patches()
    begin = _beginner(recorder, patches)
    patches.replace(aiohttp.ClientSession, "_request", partial(measured_async, begin=begin, settle=settle))
    patches.replace(aiohttp.StreamReader, "set_exception", _breaking)
    return patches


def _beginner(recorder: Callable[[], Recorder], patches: Patches) -> Begin:
    def begin(session: Any, args: tuple[Any, ...], asked: dict[str, Any]) -> Call | None:
        method, given = (*args, asked.get("method"), asked.get("str_or_url"))[:2]
        if method.upper() != "POST" or not patches.active or inside.get() is not None:
            return None
        parts = urlsplit(str(session._build_url(given)))  # noqa: SLF001 - a session may have a base URL
        data, document = asked.get("data"), asked.get("json")
        body = data.encode() if isinstance(data, str) else data if isinstance(data, bytes) else b""
        call = transports.begin_at(recorder, (parts.hostname or "", parts.port, parts.path), body)
        if call is not None and isinstance(document, Mapping):
            call.model = text_or_none(document.get("model")) or call.model
        return call

    return begin


def settle(call: Call, response: Any) -> None:
    """Read an answer as it comes."""
    if transports.failed(call, response.status):
        return
    kind = response.headers.get("content-type", "")
    call.streamed = transports.comes_bit_by_bit(kind, response.url.path)
    seen = Watch(call, Body(call.provider, call.api, is_stream=transports.is_stream(kind)))
    content = response.content
    held = getattr(content, "_buffer", None)
    if held is None:  # an empty body has no buffer
        call.finish(Usage(reason="the response has no body"))
        return
    content._buffer = _Fed(held, seen)  # noqa: SLF001 - all that comes passes there once
    if content.exception() is not None:
        seen.fail(content.exception())
    content.on_eof(guarded(seen.finish))


class _Fed(deque[bytes]):
    """A reader's buffer that tells what it is fed."""

    def __init__(self, held: deque[bytes], seen: Watch) -> None:
        super().__init__(held)
        self.seen = seen
        for part in held:  # it came with the headers
            seen.begin(part)

    def append(self, part: bytes, /) -> None:
        """Take what came, and let it be looked at."""
        super().append(part)
        self.seen.begin(part)


@guarded
def _broke(content: Any, error: BaseException) -> None:
    seen = getattr(getattr(content, "_buffer", None), "seen", None)
    if not isinstance(seen, Watch):
        return
    if str(error) == "Connection closed":  # aiohttp's own word for a response that the caller let go
        seen.leave()
    else:
        seen.fail(error)


def _breaking(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def set_exception(self: Any, exc: BaseException, *args: Any, **kwargs: Any) -> Any:
        _broke(self, exc)
        return original(self, exc, *args, **kwargs)

    return set_exception
