"""mistralai: chat, agents, FIM, conversations, embeddings, OCR, transcripts; direct, on Azure, on Vertex."""

from collections.abc import Callable
from functools import partial, wraps
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from outlay.capture.call import Call
from outlay.capture.contexts import inside
from outlay.capture.recorder import Recorder
from outlay.capture.streams import Watch, watch, watch_async
from outlay.core.usage import Usage
from outlay.extract import Collector, collector
from outlay.extract.streams import AtItsEnds
from outlay.instrumentation import mistral_batches
from outlay.instrumentation.hosts import provider_at
from outlay.instrumentation.patches import Patches
from outlay.instrumentation.wrapping import (
    Begin,
    attempting,
    leaving,
    leaving_async,
    mark,
    measured,
    measured_async,
    text_or_none,
    usage_in,
)

OLDEST = (1, 5)
HOMES = {"mistralai.client": None, "mistralai.azure.client": "azure", "mistralai.gcp.client": "vertex"}
"""A client's package -> its provider; None: its host tells."""
FIRST_HOMES = {"mistralai": None, "mistralai_azure": "azure", "mistralai_gcp": "vertex"}
"""The same before version 2."""
_ASKED = ("start", "append", "restart")
METHODS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (  # module, class, api, methods
    ("chat", "Chat", "chat", ("complete", "stream")),
    ("agents", "Agents", "chat", ("complete", "stream")),
    ("fim", "Fim", "chat", ("complete", "stream")),
    ("conversations", "Conversations", "chat", (*_ASKED, *(f"{name}_stream" for name in _ASKED))),
    ("responses", "Responses", "responses", ("create",)),
    ("embeddings", "Embeddings", "embeddings", ("create",)),
    ("ocr", "Ocr", "ocr", ("process",)),
    ("transcriptions", "Transcriptions", "transcription", ("complete", "stream")),
)


def instrument(recorder: Callable[[], Recorder], *, include_usage: bool) -> Patches:  # noqa: ARG001 - one form
    """Hook the SDK that is installed, at the methods that each make one request; parse and run call these.

    Raises:
        ImportError: it is not installed.
    """
    patches = Patches()
    client = find_spec("mistralai.client")
    is_package = client is not None and client.submodule_search_locations is not None
    for home, provider in (HOMES if is_package else FIRST_HOMES).items():
        for module, owner, api, methods in METHODS:
            found = _class(home, module, owner)
            begin = _beginner(recorder, patches, provider, api)
            for name in methods if found is not None else ():
                _replace(patches, found, name, begin)
        classes = (_class(home, "jobs", "Jobs"), _class(home, "files", "Files"))
        mistral_batches.hook(recorder, patches, classes, partial(_served, provider))
        retries = _module(f"{home}.utils.retries")
        for name in ("retry_with_backoff", "retry_with_backoff_async") if retries is not None else ():
            patches.replace(retries, name, _trying)
        streams = _module(f"{home}.utils.eventstreaming")
        if streams is not None:
            for close in ("close", "__exit__"):
                patches.replace(streams.EventStream, close, leaving)
            for close in ("close", "__aexit__"):
                patches.replace(streams.EventStreamAsync, close, leaving_async)
    return patches


def _module(name: str) -> Any:
    """Import a module; those of Azure and Vertex need packages of their own and may be missing."""
    try:
        return import_module(name)
    except ImportError:
        if name in {"mistralai.client.utils.eventstreaming", "mistralai.utils.eventstreaming"}:
            raise
        return None


def _class(home: str, module: str, owner: str) -> Any:
    return getattr(_module(f"{home}.{module}"), owner, None)


def _replace(patches: Patches, owner: Any, name: str, begin: Begin) -> None:
    patches.replace(owner, name, lambda original: measured(original, begin, _settle))
    patches.replace(owner, f"{name}_async", lambda original: measured_async(original, begin, _settle))


def _trying(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap what runs a function, awaited or not, until it works."""

    @wraps(original)
    def retry(func: Callable[[], Any], *args: Any, **kwargs: Any) -> Any:
        return original(attempting(func), *args, **kwargs)

    return retry


def _beginner(recorder: Callable[[], Recorder], patches: Patches, provider: str | None, api: str) -> Begin:
    def begin(sdk: Any, _args: tuple[Any, ...], asked: dict[str, Any]) -> Call | None:
        if not patches.active or inside.get() is not None:
            return None
        served = _served(provider, sdk, asked.get("server_url"))
        return Call(recorder(), provider=served, api=api, model=text_or_none(asked.get("model")))

    return begin


def _served(provider: str | None, sdk: Any, override: object) -> str:
    return provider or _provider_of(sdk, override)


def _provider_of(sdk: Any, override: object) -> str:
    url = override if isinstance(override, str) else sdk.sdk_configuration.get_server_details()[0]
    parts = urlsplit(url)
    return provider_at(parts.hostname or "", parts.port, "mistral")


def _said(answer: Any) -> Any:
    """Give an answer with its usage as it came: the SDK marks with objects what was not sent."""
    usage = getattr(answer, "usage", None)
    return answer if usage is None else {**vars(answer), "usage": usage.model_dump()}


class _Data:
    """A collector of events whose content stands in ``data``."""

    __slots__ = ("_inner", "usage")

    def __init__(self, inner: Collector) -> None:
        self._inner = inner
        self.usage: Callable[[], Usage] = inner.usage

    def add(self, event: Any) -> None:
        """Look at the content."""
        self._inner.add(_said(event.data))

    @property
    def complete(self) -> bool:
        """Whether the final usage was seen."""
        return self._inner.complete


def _settle(call: Call, result: Any) -> None:
    if not hasattr(result, "generator"):
        call.finish(usage_in(_said(result), call))
        return
    call.streamed = True
    seen = Watch(call, AtItsEnds(_Data(collector(call.provider, call.api))))
    watching: Any = watch_async if hasattr(result, "__anext__") else watch
    result.generator = watching(result.generator, seen)
    mark(result, seen)
