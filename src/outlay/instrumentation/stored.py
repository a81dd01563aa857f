"""What the clients of stainless.py read back later: results of batches, responses made in the background.

Making and polling cost nothing; each answer is recorded once, when it is read, by an id of its own content.
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Protocol

from outlay.capture.contexts import inside
from outlay.capture.guard import guarded
from outlay.capture.once import Once
from outlay.capture.recorder import Recorder
from outlay.instrumentation.background import Background
from outlay.instrumentation.batches import Batches
from outlay.instrumentation.patches import Patches
from outlay.instrumentation.paths import path_of


class Reading(Protocol):
    """One request whose answer is looked at."""

    def settle(self, result: Any) -> None:
        """Read what the SDK gives its caller."""
        ...

    def fail(self, error: BaseException) -> None:
        """The request failed."""
        ...


Begin = Callable[[Any, Any, bool], Reading | None]


def hook(
    base_client: Any,
    recorder: Callable[[], Recorder],
    patches: Patches,
    provider_of: Callable[[Any], str],
) -> None:
    """Hook the clients of one SDK, around the hook that counts its calls."""
    once = Once(recorder)
    batches, background = Batches(recorder, once), Background(recorder, once)

    @guarded
    def begin(client: Any, options: Any, stream: bool) -> Reading | None:  # noqa: FBT001 - the SDK's own flag
        method, path = options.method.lower(), path_of(options.url)
        if method == "post" and not path.endswith(("/batches", "/responses", "/cancel")):
            return None  # nearly always
        if not patches.active or inside.get() is not None:
            return None
        provider = provider_of(client)
        return batches.begin(provider, method, path) or background.begin(
            provider, method, path, options, stream
        )

    patches.replace(base_client.SyncAPIClient, "request", lambda original: _sync(original, begin))
    patches.replace(base_client.AsyncAPIClient, "request", lambda original: _async(original, begin))


@guarded
def _settle(reading: Reading, result: Any) -> None:
    reading.settle(result)


@guarded
def _fail(reading: Reading, error: BaseException) -> None:
    reading.fail(error)


def _sync(original: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    @wraps(original)
    def request(
        self: Any, cast_to: Any, options: Any, *, stream: bool = False, stream_cls: Any = None
    ) -> Any:
        reading = begin(self, options, stream)
        if reading is None:
            return original(self, cast_to, options, stream=stream, stream_cls=stream_cls)
        token = inside.set(reading)
        try:
            result = original(self, cast_to, options, stream=stream, stream_cls=stream_cls)
        except BaseException as error:
            _fail(reading, error)
            raise
        finally:
            inside.reset(token)
        _settle(reading, result)
        return result

    return request


def _async(original: Callable[..., Awaitable[Any]], begin: Begin) -> Callable[..., Awaitable[Any]]:
    @wraps(original)
    async def request(
        self: Any, cast_to: Any, options: Any, *, stream: bool = False, stream_cls: Any = None
    ) -> Any:
        reading = begin(self, options, stream)
        if reading is None:
            return await original(self, cast_to, options, stream=stream, stream_cls=stream_cls)
        token = inside.set(reading)
        try:
            result = await original(self, cast_to, options, stream=stream, stream_cls=stream_cls)
        except BaseException as error:
            _fail(reading, error)
            raise
        finally:
            inside.reset(token)
        _settle(reading, result)
        return result

    return request
