"""dspy: what its own engine sends (since 3.4); its calls by litellm are counted there.

Every request of the engine passes ``StdlibTransport.stream`` or ``StdlibAsyncTransport._do_stream`` once. An
answer out of dspy's cache passes neither. Every model is called inside of the modules that ask it, whose
names say what a call is for. ``Parallel``, ``batch`` and ``Evaluate`` hand their work to threads in one
place, which takes dspy's own settings along, and with us whom the calls are for.
"""

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from outlay.capture.bodies import Body
from outlay.capture.call import Call
from outlay.capture.carry import carry
from outlay.capture.contexts import inside
from outlay.capture.guard import guarded
from outlay.capture.recorder import Recorder
from outlay.capture.streams import Watch, watch, watch_async
from outlay.instrumentation.hosts import provider_at
from outlay.instrumentation.lending import lent, lent_async, named
from outlay.instrumentation.patches import Patches
from outlay.instrumentation.transports import api_at, begin_at, failed, is_stream
from outlay.instrumentation.wrapping import Begin, measured, measured_async

OLDEST = (3, 3)
_ENGINE = "dspy._vendor.lm15"
_THREADS = "dspy.utils.parallelizer"  # not there in old releases
_UNNAMED = "StringSignature"  # dspy's name of a signature that is a string
_MAKERS = {"chat": "openai", "responses": "openai", "messages": "anthropic", "generate_content": "google"}
"""An API -> whose it is, where a server on this machine speaks it."""


def instrument(recorder: Callable[[], Recorder], *, include_usage: bool) -> Patches:  # noqa: ARG001 - one form
    """Hook the engine's transports; a release that has no engine of its own needs nothing.

    Raises:
        ImportError: it is not installed.
    """
    from dspy.clients.base_lm import BaseLM  # noqa: PLC0415 - loaded only where it is hooked

    patches = Patches()
    patches.replace(BaseLM, "__call__", lambda original: lent(original, _said_of_modules))
    patches.replace(BaseLM, "acall", lambda original: lent_async(original, _said_of_modules))
    if find_spec(_THREADS) is not None:
        patches.replace(
            import_module(_THREADS).ParallelExecutor, "execute", lambda original: _carrying(original, patches)
        )
    if find_spec("dspy._vendor") is None or find_spec(_ENGINE) is None:
        return patches
    from dspy._vendor.lm15 import transports  # noqa: PLC0415 - likewise

    begin = _beginner(recorder, patches)
    patches.replace(
        transports.StdlibTransport, "stream", lambda original: measured(original, begin, _settler(watch))
    )
    patches.replace(
        transports.StdlibAsyncTransport,
        "_do_stream",
        lambda original: measured_async(original, begin, _settler(watch_async)),
    )
    return patches


def _carrying(original: Callable[..., Any], patches: Patches) -> Callable[..., Any]:
    """Have the threads work in the context of whoever hands the work to them."""
    carried = guarded(carry)

    @wraps(original)
    def execute(executor: Any, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        work = (carried(function) if patches.active else None) or function
        return original(executor, work, *args, **kwargs)

    return execute


def _said_of_modules(_args: tuple[Any, ...], _asked: dict[str, Any]) -> dict[str, str]:
    """Give the program's outermost module, and the signature of the innermost, where these have names."""
    from dspy.dsp.utils.settings import settings  # noqa: PLC0415 - loaded by now

    modules = settings.caller_modules or []
    own = [type(each).__name__ for each in modules if not type(each).__module__.startswith("dspy.")]
    signature = getattr(getattr(modules[-1], "signature", None), "__name__", None) if modules else None
    asked = None if signature == _UNNAMED else signature
    return named(query_type=own[0] if own else asked, signature=asked)


def _beginner(recorder: Callable[[], Recorder], patches: Patches) -> Begin:
    def begin(_transport: Any, args: tuple[Any, ...], asked: dict[str, Any]) -> Call | None:
        request = args[0] if args else asked["request"]
        if request.method != "POST" or not patches.active or inside.get() is not None:
            return None
        parts = urlsplit(request.url)
        url = (parts.hostname or "", parts.port, parts.path)
        api = api_at(parts.path)
        if api is None:
            return None
        provider = provider_at(url[0], url[1], _MAKERS.get(api, "unknown"))
        return begin_at(recorder, url, request.body, provider)

    return begin


def _settler(watching: Callable[..., Any]) -> Callable[[Call, Any], None]:
    def settle(call: Call, response: Any) -> None:
        if failed(call, response.status):
            return
        call.streamed = is_stream(response.header("content-type") or "")
        seen = Watch(call, Body(call.provider, call.api, is_stream=call.streamed))
        response._chunks = watching(response._chunks, seen)  # noqa: SLF001 - the one place that all reading passes

    return settle
