"""litellm's Rust core: calls that no HTTP client of Python's sends, such as all OCR of its newest releases.

Each passes ``runtime.run`` or ``arun`` once, and its answer comes back as Python's. What the core declines
goes on in Python, and is counted there.
"""

from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import Any

from outlay.capture.bodies import Body
from outlay.capture.call import Call
from outlay.capture.contexts import inside
from outlay.capture.guard import guarded
from outlay.capture.recorder import Recorder
from outlay.capture.streams import Watch
from outlay.instrumentation.lending import lent, lent_async
from outlay.instrumentation.litellm_said import PROVIDERS, said_of
from outlay.instrumentation.patches import Patches
from outlay.instrumentation.wrapping import (
    Begin,
    leaving,
    leaving_async,
    mark,
    measured,
    measured_async,
    text_or_none,
    usage_in,
    watch_of,
)

APIS = {  # litellm's route -> api; others ask nobody
    "ocr": "ocr",
    "messages": "messages",
    "chat_completions": "chat",
    "responses": "responses",
    "embeddings": "embeddings",
    "transcription": "transcription",
}


def follow(recorder: Callable[[], Recorder], patches: Patches) -> None:
    """Hook the core, where this release has one."""
    try:
        from litellm.rust_bridge import dispatch, execution, runtime  # noqa: PLC0415 - loaded only where it is hooked
    except ImportError:
        return
    patches.replace(runtime, "run", partial(_running, recorder=recorder, patches=patches, measure=_measured))
    patches.replace(
        runtime, "arun", partial(_running, recorder=recorder, patches=patches, measure=_measured_async)
    )
    patches.replace(execution.SyncStream, "__next__", _reading)
    patches.replace(execution.SyncStream, "close", leaving)
    patches.replace(execution.AsyncStream, "__anext__", _reading_async)
    patches.replace(execution.AsyncStream, "aclose", leaving_async)
    patches.replace(dispatch.PublicDispatch, "run", lambda original: lent(original, _said_to))
    patches.replace(dispatch.PublicDispatch, "arun", lambda original: lent_async(original, _said_to))


def _said_to(args: tuple[Any, ...], _given: dict[str, Any]) -> dict[str, str]:
    asked = args[2]  # the keywords of the public call
    return said_of({"litellm_params": asked, "user": asked.get("user")})


def _running(
    original: Callable[..., Any],
    *,
    recorder: Callable[[], Recorder],
    patches: Patches,
    measure: Callable[[Callable[..., Any], Begin], Callable[..., Any]],
) -> Callable[..., Any]:
    """Wrap what hands a call to the core, awaited or not: the core's own part of it is measured."""

    def begin(context: Any, *_: Any) -> Call | None:
        api = APIS.get(context.route.value)
        if api is None or not patches.active or inside.get() is not None:
            return None
        named = text_or_none(context.provider) or "unknown"
        model = text_or_none(context.model)
        return Call(
            recorder(),
            provider=PROVIDERS.get(named, named),
            api=api,
            model=model and model.removeprefix(f"{named}/"),
        )

    @wraps(original)
    def run(context: Any, *, native: Callable[[Any], Any], **given: Any) -> Any:
        return original(context, native=measure(native, lambda *_: begin(context)), **given)

    return run


def _measured(native: Callable[[Any], Any], begin: Begin) -> Callable[..., Any]:
    def ask(hook: Any) -> Any:
        try:
            return native(hook)
        except Exception as error:
            _declined(error)
            raise

    return measured(ask, begin, _settle)


def _measured_async(native: Callable[[Any], Awaitable[Any]], begin: Begin) -> Callable[..., Any]:
    async def ask(hook: Any) -> Any:
        try:
            return await native(hook)
        except Exception as error:
            _declined(error)
            raise

    return measured_async(ask, begin, _settle)


@guarded
def _declined(error: Exception) -> None:
    """Forget the call of a request that the core did not take: nothing was sent."""
    call = inside.get()
    if type(error).__name__ == "RustBridgeDeclined" and isinstance(call, Call):
        call.done = True


def _settle(call: Call, answer: Any) -> None:
    if hasattr(answer, "__next__") or hasattr(answer, "__anext__"):
        call.streamed = True
        mark(answer, Watch(call, Body(call.provider, call.api, is_stream=True)))
    else:
        call.finish(usage_in(answer, call))


def _reading(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @wraps(original)
    def __next__(self: Any) -> Any:  # noqa: N807 - the method's name
        try:
            chunk = original(self)
        except BaseException as error:
            _ended(self, error)
            raise
        _came(self, chunk)
        return chunk

    return __next__


def _reading_async(original: Callable[[Any], Awaitable[Any]]) -> Callable[[Any], Awaitable[Any]]:
    @wraps(original)
    async def __anext__(self: Any) -> Any:  # noqa: N807 - likewise
        try:
            chunk = await original(self)
        except BaseException as error:
            _ended(self, error)
            raise
        _came(self, chunk)
        return chunk

    return __anext__


@guarded
def _came(stream: Any, chunk: Any) -> None:
    seen = watch_of(stream)
    if seen is not None:
        seen.begin(chunk)


@guarded
def _ended(stream: Any, error: BaseException) -> None:
    seen = watch_of(stream)
    if seen is None:
        return
    if isinstance(error, (StopIteration, StopAsyncIteration)):
        seen.finish()
    else:
        seen.fail(error)
