"""Bedrock's runtime on botocore's clients, sync and async: what boto3 and aiobotocore have in common."""

import json
import re
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any

from outlay.capture.bodies import MAX_BODY
from outlay.capture.call import Call
from outlay.capture.contexts import inside
from outlay.capture.guard import guarded
from outlay.capture.recorder import Recorder
from outlay.capture.streams import Watch, watch
from outlay.core.usage import Usage
from outlay.extract import Collector, collector
from outlay.instrumentation.patches import Patches
from outlay.instrumentation.wrapping import Begin, mark, text_or_none, usage_in, watch_of

SERVICE = "bedrock-runtime"
_INVOKE = "invoke_model"
OPERATIONS = {
    "Converse": "converse",
    "ConverseStream": "converse",
    "InvokeModel": _INVOKE,
    "InvokeModelWithResponseStream": _INVOKE,
}
# A profile for several regions has prices of its own: the region it is called in does not decide.
_PROFILE = re.compile(r"(?:^|/)(?:us|eu|apac|global|jp|au|ca|us-gov)\.")
_HIDING = re.compile(r":(?:application-inference-profile|provisioned-model|imported-model)/")
_COUNTED = "x-amzn-bedrock-input-token-count"


def beginner(recorder: Callable[[], Recorder], patches: Patches) -> Begin:
    """Make what starts a call; the model and the region stand in the request, not in the answer."""

    def begin(client: Any, args: tuple[Any, ...], _asked: dict[str, Any]) -> Call | None:
        api = OPERATIONS.get(args[0]) if args else None
        if api is None or not patches.active or inside.get() is not None:
            return None
        if client.meta.service_model.service_name != SERVICE:
            return None
        model = text_or_none(args[1].get("modelId"))
        call = Call(recorder(), provider="bedrock", api=api, model=model)
        call.streamed = args[0].endswith("Stream")
        region = client.meta.region_name
        if region and not is_profile(model):
            call.terms["region"] = region
        return call

    return begin


def is_profile(model: str | None) -> bool:
    """Whether a model's id names a profile for several regions."""
    return _PROFILE.search(model or "") is not None


def billed(usage: Usage, call: Call) -> Usage:
    """Let the asked-for model stand over the maker's own name of it: its prefix decides the price.

    An id that hides the model, such as that of an application's profile, learns it from the answer.
    """
    hidden = call.model is None or _HIDING.search(call.model)
    return usage if hidden or call.api != _INVOKE else replace(usage, model=None)


class Events:
    """A collector that :func:`heard` hands the parsed events, not the raw ones that pass its watch."""

    __slots__ = ("_call", "events")

    def __init__(self, call: Call) -> None:
        self._call = call
        self.events: Collector = collector(call.provider, call.api)

    def add(self, event: Any) -> None:
        """Let a raw event pass."""

    @property
    def complete(self) -> bool:
        """Whether the final usage was seen."""
        return self.events.complete

    def usage(self) -> Usage:
        """Read what the parsed events said."""
        return billed(self.events.usage(), self._call)


class Bytes:
    """A collector that keeps the bytes of an answer for when its usage is asked for."""

    __slots__ = ("_call", "_parts", "_size")

    def __init__(self, call: Call) -> None:
        self._call = call
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, event: Any) -> None:
        """Take the next bytes."""
        self._size += len(event)
        if self._size <= MAX_BODY:
            self._parts.append(event)


class Answer(Bytes):
    """A collector of InvokeModel's body; where that is silent, the headers have the counts."""

    __slots__ = ("_metadata",)

    def __init__(self, call: Call, metadata: Mapping[str, Any]) -> None:
        super().__init__(call)
        self._metadata = metadata

    @property
    def complete(self) -> bool:
        """Whether what was used is known: by the headers, read or not, or by a body that is whole."""
        return _COUNTED in self._metadata.get("HTTPHeaders", {}) or bool(self._body())

    def usage(self) -> Usage:
        """Read the body and the headers together."""
        body = self._body() if self._size <= MAX_BODY else {}
        return billed(usage_in({**body, "ResponseMetadata": self._metadata}, self._call), self._call)

    def _body(self) -> dict[str, Any]:
        try:
            found = json.loads(b"".join(self._parts))
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


def settler(watching: Callable[..., Any]) -> Callable[[Call, Any], None]:
    """Make what reads an answer: Converse's now, a body or a stream of events as the caller reads it."""

    def settle(call: Call, result: Any) -> None:
        metadata = result.get("ResponseMetadata") or {}
        body = result.get("body")
        if call.streamed:
            stream = result["stream"] if body is None else body
            events = Events(call)
            if (
                call.api == _INVOKE
            ):  # the headers name the tier that served; Converse's events do it themselves
                events.events.add({"ResponseMetadata": metadata})
            seen = Watch(call, events)
            stream._event_generator = watching(stream._event_generator, seen)  # noqa: SLF001 - all reading passes it
            mark(stream, seen)
        elif body is None:
            call.finish(usage_in(result, call))
        else:
            mark(body, Watch(call, Answer(call, metadata)))

    return settle


@guarded
def heard(stream: Any, event: Any) -> None:
    """Hand a parsed event to the collector of its stream, if that is watched."""
    seen = watch_of(stream)
    if seen is not None and isinstance(seen.collector, Events):
        seen.collector.events.add(event)


@guarded
def broke(stream: Any, error: BaseException) -> None:
    """End the call of a stream or body whose reading raised."""
    seen = watch_of(stream)
    if seen is not None:
        seen.fail(error)


@guarded
def came(body: Any, amount: int | None, chunk: bytes) -> None:
    """Take what was read of a watched body; the call ends where the body says that nothing is left."""
    seen = watch_of(body)
    if seen is None or seen.call.done:
        return
    seen.call.first_token()
    seen.take(chunk)
    if amount is None or amount < 0 or (not chunk and amount > 0):
        seen.finish()


@guarded
def going_again(operation: Any, attempts: int) -> None:
    """Count a retry of a call's own operation; what credentials need within it is tried for itself."""
    call = inside.get()
    if isinstance(call, Call) and operation.service_model.service_name == SERVICE:
        call.retries = attempts


def asking_again(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap ``Endpoint._needs_retry``, which is told of the attempts so far."""

    @wraps(original)
    def _needs_retry(self: Any, attempts: int, operation_model: Any, *args: Any, **kwargs: Any) -> Any:
        again = original(self, attempts, operation_model, *args, **kwargs)
        if again:
            going_again(operation_model, attempts)
        return again

    return _needs_retry


def parsing(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap ``EventStream._parse_event``: an event that says the stream failed raises here."""

    @wraps(original)
    def _parse_event(self: Any, event: Any) -> Any:
        try:
            parsed = original(self, event)
        except BaseException as error:
            broke(self, error)
            raise
        heard(self, parsed)
        return parsed

    return _parse_event


def reading(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap ``StreamingBody.read``."""

    @wraps(original)
    def read(self: Any, amt: int | None = None) -> Any:
        try:
            chunk = original(self, amt)
        except BaseException as error:
            broke(self, error)
            raise
        came(self, amt, chunk)
        return chunk

    return read


@guarded
def filled(body: Any, buffer: Any, amount: int) -> None:
    """Take what was read of a watched body into a buffer of its caller's."""
    came(body, len(buffer), bytes(memoryview(buffer).cast("B")[:amount]))


def reading_into(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap ``StreamingBody.readinto``."""

    @wraps(original)
    def readinto(self: Any, b: Any) -> Any:
        try:
            amount = original(self, b)
        except BaseException as error:
            broke(self, error)
            raise
        filled(self, b, amount)
        return amount

    return readinto


def reading_lines(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap ``StreamingBody.readlines``."""

    @wraps(original)
    def readlines(self: Any) -> Any:
        try:
            lines = original(self)
        except BaseException as error:
            broke(self, error)
            raise
        came(self, None, b"".join(lines))
        return lines

    return readlines


def entering(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap ``StreamingBody.__enter__``, which lends out urllib3's response."""

    @wraps(original)
    def __enter__(self: Any) -> Any:  # noqa: N807 - the method's name
        raw = original(self)
        _lent(self, raw)
        return raw

    return __enter__


@guarded
def _lent(body: Any, raw: Any) -> None:
    """Have a body's watch see what is read of the response within, by whomever: all of it passes there.

    The methods of this one response are replaced, and hold it weakly; other ways to read it go by these.
    """
    seen, kind, itself = watch_of(body), type(raw), weakref.ref(raw)
    if seen is None:
        return
    del body._outlay_watch  # noqa: SLF001 - our own mark
    mark(raw, seen)

    def of(name: str) -> Callable[..., bytes]:
        def read(*args: Any, **kwargs: Any) -> bytes:
            try:
                part: bytes = getattr(kind, name)(itself(), *args, **kwargs)
            except BaseException as error:
                seen.fail(error)
                raise
            seen.begin(part)
            return part

        return read

    def read_chunked(*args: Any, **kwargs: Any) -> Iterator[bytes]:
        return watch(kind.read_chunked(itself(), *args, **kwargs), seen)

    raw.read, raw.read1, raw.read_chunked = of("read"), of("read1"), read_chunked
