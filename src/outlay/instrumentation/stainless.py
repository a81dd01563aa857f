"""The base client that openai, anthropic, groq and together share: a call passes ``request`` exactly once.

Create, parse, stream helpers, beta and raw forms, Azure and other subclasses, all of them sync and async, go
through ``SyncAPIClient.request`` or ``AsyncAPIClient.request``; retries happen inside of it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from outlay.capture.bodies import Body, tee
from outlay.capture.call import Call
from outlay.capture.contexts import inside, restore
from outlay.capture.guard import guarded, note_failure
from outlay.capture.recorder import Recorder
from outlay.capture.streams import Watch, watch, watch_async
from outlay.core.errors import BudgetExceededError
from outlay.extract import collector
from outlay.instrumentation import stored
from outlay.instrumentation.bedrock import is_profile
from outlay.instrumentation.hosts import place_at, provider_at
from outlay.instrumentation.patches import Patches
from outlay.instrumentation.wrapping import UNREAD, leaving, leaving_async, mark, text_or_none, usage_in

Prepare = Callable[[Any, Call, Any], tuple[Any, Callable[[Any], bool] | None]]
"""(client, call, options) -> the options to send, and what tells which chunks, or lines of a raw stream, the
caller must not see."""


@dataclass(frozen=True, slots=True)
class Sdk:
    """What differs between the SDKs built on this base client."""

    base_client: Any  # the module with SyncAPIClient and AsyncAPIClient
    streaming: Any  # the module with Stream and AsyncStream
    paths: Mapping[str, str]  # path of a billed POST -> api
    provider: str  # where the host does not tell
    prepare: Prepare
    tiers: Mapping[str, str] = field(
        default_factory=dict
    )  # a path's last part -> the tier that it is priced by


def instrument(sdk: Sdk, recorder: Callable[[], Recorder]) -> Patches:
    """Hook the SDK; the patches undo it."""
    patches = Patches()
    begin = _beginner(sdk, recorder, patches)
    for owner in _with_own_request(sdk.base_client.SyncAPIClient):
        patches.replace(owner, "request", lambda original: _sync(original, begin))
    for owner in _with_own_request(sdk.base_client.AsyncAPIClient):
        patches.replace(owner, "request", lambda original: _async(original, begin))
    patches.replace(sdk.base_client.SyncAPIClient, "_sleep_for_retry", _counting_retries)
    patches.replace(sdk.base_client.AsyncAPIClient, "_sleep_for_retry", _counting_retries)
    patches.replace(sdk.streaming.Stream, "close", leaving)
    patches.replace(sdk.streaming.AsyncStream, "close", leaving_async)
    return patches


def _with_own_request(base: Any) -> list[Any]:
    """Give the base client, and the clients on which somebody before us has put a ``request`` of their own.

    Theirs would call the one that they found, past ours. Where both are reached, the outer one counts.
    """
    below = [owner for kind in base.__subclasses__() for owner in _with_own_request(kind)]
    return [base, *(owner for owner in below if "request" in vars(owner))]


Hidden = Callable[[Any], bool] | None
_UNASKED = "_outlay_unasked"
"""Our mark on an HTTP client, which copies share: the base URLs that answer without our question."""
_REFUSALS = frozenset({400, 422})
Begun = tuple[Call | stored.Reading, Any, Hidden]
"""What a request began, its options as they are sent, and what tells chunks that the caller must not see."""
Begin = Callable[[Any, Any, bool], Begun | None]


def _beginner(sdk: Sdk, recorder: Callable[[], Recorder], patches: Patches) -> Begin:
    read_back = stored.beginner(recorder, lambda client: known_provider(client, sdk.provider))
    apis = {**sdk.paths, **{f"/v1{path}": api for path, api in sdk.paths.items()}}

    def begin(client: Any, options: Any, stream: bool) -> Begun | None:  # noqa: FBT001 - the SDK's own flag
        try:
            if not patches.active or inside.get() is not None:
                return None
            api = apis.get(options.url) or apis.get(_path(options.url))
            if api is None or api == "responses" or options.method != "post":
                reading = read_back(client, options, stream)
                if reading is not None:
                    return reading, options, None
                if api is None or options.method.lower() != "post":
                    return None
            provider, body = known_provider(client, sdk.provider), options.json_data
            model = body.get("model") if type(body) is dict or isinstance(body, Mapping) else None
            call = Call(recorder(), provider=provider, api=api, model=text_or_none(model), streamed=stream)
            if provider == "bedrock" or sdk.tiers:
                _say_terms(sdk, call, client, options.url)
            if call.said is not None:
                call.said.asked(body)
            sent, hidden = _prepared(sdk, client, call, options) if stream else (options, None)
        except BudgetExceededError:
            raise
        except Exception as error:  # noqa: BLE001 - the guard, without a further call
            note_failure("stainless.begin", error)
            return None
        return call, sent, hidden

    return begin


def _say_terms(sdk: Sdk, call: Call, client: Any, url: str) -> None:
    """Say what the price depends on and no answer says."""
    if call.provider == "bedrock" and not is_profile(call.model):  # a profile's prefix decides alone
        call.terms.update(place_at(client.base_url.host))
    tier = sdk.tiers.get(url.rpartition("/")[2])
    if tier is not None:
        call.terms["service_tier"] = tier


def _prepared(sdk: Sdk, client: Any, call: Call, options: Any) -> tuple[Any, Hidden]:
    try:
        return sdk.prepare(client, call, options)
    except Exception as error:  # noqa: BLE001 - the guard: the call goes on as it was asked for
        note_failure("stainless.prepare", error)
        return options, None


def _path(url: str) -> str:
    return (urlsplit(url).path if "://" in url else url).partition("?")[0]


def known_provider(client: Any, default: str) -> str:
    """Look a client's provider up once; it is kept on the client, with the base URL that it was told from."""
    base, known = getattr(client, "_base_url", None), client.__dict__.get("_outlay_provider")
    if known is None or known[0] is not base:
        known = client.__dict__["_outlay_provider"] = (base, _provider_of(client, default))
    provider: str = known[1]
    return provider


def _provider_of(client: Any, default: str) -> str:
    name = type(client).__name__
    if "Azure" in name or "Foundry" in name:
        return "azure"
    if "Bedrock" in name or "Mantle" in name:
        return "bedrock"
    if "Vertex" in name:
        return "vertex"
    return provider_at(client.base_url.host, client.base_url.port, default)


def _sync(original: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    @wraps(original)
    def request(
        self: Any, cast_to: Any, options: Any, *, stream: bool = False, stream_cls: Any = None
    ) -> Any:
        begun = begin(self, options, stream)
        if begun is None:
            return original(self, cast_to, options, stream=stream, stream_cls=stream_cls)
        seen, sent, hidden = begun
        token = inside.set(seen)
        try:
            while True:
                try:
                    result = original(self, cast_to, sent, stream=stream, stream_cls=stream_cls)
                    break
                except Exception as error:
                    if sent is options or not _asked_in_vain(seen, options, error):
                        raise
                sent, hidden = options, None
        except BaseException as error:
            _fail(seen, error)
            raise
        finally:
            restore(inside, token)
        if sent is not begun[1]:
            _ask_no_more(self)
        _settle(seen, result, hidden)
        return result

    return request


def _async(original: Callable[..., Awaitable[Any]], begin: Begin) -> Callable[..., Awaitable[Any]]:
    @wraps(original)
    async def request(
        self: Any, cast_to: Any, options: Any, *, stream: bool = False, stream_cls: Any = None
    ) -> Any:
        begun = begin(self, options, stream)
        if begun is None:
            return await original(self, cast_to, options, stream=stream, stream_cls=stream_cls)
        seen, sent, hidden = begun
        token = inside.set(seen)
        try:
            while True:
                try:
                    result = await original(self, cast_to, sent, stream=stream, stream_cls=stream_cls)
                    break
                except Exception as error:
                    if sent is options or not _asked_in_vain(seen, options, error):
                        raise
                sent, hidden = options, None
        except BaseException as error:
            _fail(seen, error)
            raise
        finally:
            restore(inside, token)
        if sent is not begun[1]:
            _ask_no_more(self)
        _settle(seen, result, hidden)
        return result

    return request


@guarded
def _asked_in_vain(seen: Call | stored.Reading, options: Any, error: Any) -> bool:
    """Whether an error names what we asked for beside the caller's own words, and not these alone."""
    ours = "include_usage" if "stream_options" in options.json_data else "stream_options"
    said = str(getattr(error, "body", None) or error)
    if getattr(error, "status_code", None) not in _REFUSALS or ours not in said:
        return False
    if isinstance(seen, Call):
        seen.retries += 1
    return True


@guarded
def _ask_no_more(client: Any) -> None:
    """Note that a server answers without our question: an error may name it and have another cause."""
    client._client.__dict__.setdefault(_UNASKED, set()).add(str(client.base_url))  # noqa: SLF001 - copies share it


def is_asked(client: Any) -> bool:
    """Whether the server of a client has not yet refused a question of ours."""
    return str(client.base_url) not in client._client.__dict__.get(_UNASKED, ())  # noqa: SLF001 - likewise


@guarded
def _fail(seen: Call | stored.Reading, error: BaseException) -> None:
    seen.fail(error)


def _settle(seen: Call | stored.Reading, result: Any, hidden: Hidden) -> None:
    """Read what the SDK gives its caller: a parsed object now, a stream or a raw body when it ends."""
    try:
        if not isinstance(seen, Call):
            seen.settle(result)
            return
        # Not getattr: on a parsed response, which has no such field, pydantic takes long to say so.
        http = getattr(result, "__dict__", {}).get("http_response")
        if http is not None:
            _settle_raw(seen, http, hidden)
        elif seen.streamed and hasattr(result, "_iterator"):
            watching = watch_async if hasattr(result, "__anext__") else watch
            watcher = Watch(seen, collector(seen.provider, seen.api), hidden)
            result._iterator = watching(result._iterator, watcher)  # noqa: SLF001 - the one place that all reading passes
            mark(result, watcher)
        else:
            seen.answer(result)
    except BudgetExceededError:
        raise
    except Exception as error:  # noqa: BLE001 - the guard, likewise
        note_failure("stainless.settle", error)
        if isinstance(seen, Call):
            seen.finish(UNREAD)


def _settle_raw(call: Call, http: Any, hidden: Hidden) -> None:
    call.extra["raw_response"] = True
    if hasattr(http, "_content"):
        call.finish(usage_in(http.content, call))
    else:
        tee(http, Watch(call, Body(call.provider, call.api, is_stream=call.streamed)), hidden)


@guarded
def _count_retry(seen: object) -> None:
    if isinstance(seen, Call):
        seen.retries += 1
    else:
        retried = getattr(seen, "retried", None)
        if retried is not None:
            retried()


def _counting_retries(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def sleep_for_retry(self: Any, *args: Any, **kwargs: Any) -> Any:
        _count_retry(inside.get())
        return original(self, *args, **kwargs)

    return sleep_for_retry
