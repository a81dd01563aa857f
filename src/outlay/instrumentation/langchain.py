"""langchain-core: calls of chat models and LLMs that no hook below sees, by a callback handler.

Most of its models call through an SDK whose hook counts; those that speak to their provider by a client of
their own are counted here, by what the model says of its usage. Whom a call is for is said to both.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from typing import Any

from outlay.capture import contexts
from outlay.capture.call import Call
from outlay.capture.guard import guarded
from outlay.capture.recorder import Recorder
from outlay.core.usage import Usage
from outlay.instrumentation.langchain_runs import Names, forget_oldest, said_of, telling
from outlay.instrumentation.patches import Patches
from outlay.instrumentation.wrapping import text_or_none, usage_in

OLDEST = (0, 3, 80)
PROVIDERS = {  # LangSmith's name of a provider -> ours, where they differ
    "google_genai": "google",
    "google_vertexai": "vertex",
    "mistralai": "mistral",
    "amazon_bedrock": "bedrock",
    "bedrock_converse": "bedrock",
    "azure_ai": "azure",
}
_said = guarded(said_of)  # apart: what cannot be read of whom a call is for loses no call
_SILENT = "the model said nothing of its usage"


def instrument(recorder: Callable[[], Recorder], *, include_usage: bool) -> Patches:  # noqa: ARG001 - asks nothing
    """Add a handler to every model's callbacks.

    Raises:
        ImportError: it is not installed.
    """
    from langchain_core.callbacks.base import BaseCallbackHandler  # noqa: PLC0415 - loaded only where it is hooked
    from langchain_core.runnables import config  # noqa: PLC0415 - likewise
    from langchain_core.tracers import context  # noqa: PLC0415 - likewise

    patches = Patches()
    kind = type("OutlayHandler", (_Runs, BaseCallbackHandler), {})
    handler = kind(recorder)
    var: ContextVar[Any] = ContextVar("outlay_langchain", default=handler)  # everywhere the same
    patches.replace(config, "_set_config_context", lambda original: telling(original, handler.names))
    context.register_configure_hook(var, inheritable=False)
    added = context._configure_hooks[-1]  # noqa: SLF001 - what registers cannot take back
    patches.on_undo(lambda: context._configure_hooks.remove(added))  # noqa: SLF001 - likewise
    return patches


class _Run:
    """One run of a model: whom it is for, and whether a hook further in has seen its call."""

    __slots__ = ("_tokens", "call", "scope")

    def __init__(self, recorder: Recorder, provider: str, model: str | None, said: Mapping[str, str]) -> None:
        self.scope = contexts.OneCall(contexts.scope.get())
        whom = contexts.attribution.set(contexts.attribution.get().over(said))
        try:
            self.call = Call(recorder, provider=provider, api="chat", model=model, counted=False)
        except BaseException:  # a budget with a hard stop
            contexts.restore(contexts.attribution, whom)
            raise
        self._tokens: tuple[Token[Any], Token[Any]] | None = (whom, contexts.scope.set(self.scope))

    def close(self) -> bool:
        """Look no longer at what is called; whether nobody further in saw the call."""
        self.scope.over = True
        if self._tokens is not None:
            whom, scope = self._tokens
            contexts.restore(contexts.scope, scope)
            contexts.restore(contexts.attribution, whom)
            self._tokens = None
        return not self.scope.seen

    def tell(self) -> None:
        """Tell a tracked function around that the call was counted."""
        if self.scope.outer is not None:
            self.scope.outer.saw_call()


class _Runs:
    """The handler: inline, so that what it sets is set where the model makes its request."""

    run_inline = True
    raise_error = True  # a budget with a hard stop; nothing else leaves the guard
    ignore_retry = ignore_custom_event = True

    def __init__(self, recorder: Callable[[], Recorder]) -> None:
        self._recorder = recorder
        self._runs: dict[Any, _Run] = {}
        self.names = Names()

    @guarded
    def on_chain_start(self, _what: Any, _said: Any, *, run_id: Any, **about: Any) -> None:
        """Note the name of what runs around a model."""
        self.names.begin(run_id, about.get("parent_run_id"), about.get("name"))

    on_tool_start = on_retriever_start = on_chain_start

    @guarded
    def on_chain_end(self, _came: Any, *, run_id: Any, **_about: Any) -> None:
        """Forget the name."""
        self.names.end(run_id)

    on_tool_end = on_tool_error = on_retriever_end = on_retriever_error = on_chain_error = on_chain_end

    @guarded
    def on_chat_model_start(self, _what: Any, said: Any, *, run_id: Any, **about: Any) -> None:
        """Start a run, unless somebody further out counts it."""
        if contexts.inside.get() is not None:
            return
        facts = about.get("metadata") or {}
        named = text_or_none(facts.get("ls_provider")) or "unknown"
        asked = about.get("invocation_params") or {}
        model = text_or_none(facts.get("ls_model_name")) or text_or_none(asked.get("model"))
        name = self.names.of(about.get("parent_run_id")) or about.get("name")
        whom = _said(facts, about.get("tags"), name) or {}
        forget_oldest(self._runs)
        run = self._runs[run_id] = _Run(self._recorder(), PROVIDERS.get(named, named), model, whom)
        if run.call.said is not None:
            run.call.said.asked({"messages": said})

    on_llm_start = on_chat_model_start

    @guarded
    def on_llm_new_token(self, *_token: Any, run_id: Any, **_about: Any) -> None:
        """Note the first part of a stream: its request was sent, and what follows is not the model's."""
        run = self._runs.get(run_id)
        if run is not None and not run.call.streamed:
            run.call.streamed = True
            run.call.first_token()
            run.close()

    @guarded
    def on_llm_end(self, response: Any, *, run_id: Any, **_about: Any) -> None:
        """End a run that worked; an answer out of LangChain's cache is no call."""
        run = self._runs.pop(run_id, None)
        if run is None or not run.close():
            return
        message = _message(response)
        said = getattr(message, "usage_metadata", None)
        if isinstance(said, Mapping) and said.get("total_cost") == 0:
            return
        run.call.finish(_usage(run.call, response))
        run.tell()

    @guarded
    def on_llm_error(self, error: BaseException, *, run_id: Any, response: Any = None, **_about: Any) -> None:
        """End a run that failed, was cancelled, or whose stream was left."""
        run = self._runs.pop(run_id, None)
        if run is None or not run.close():
            return
        usage = _usage(run.call, response)
        if isinstance(error, GeneratorExit):
            run.call.leave(usage)
        else:
            run.call.fail(error, usage if usage.items or run.call.streamed else None)
        run.tell()


def _message(response: Any) -> Any:
    generations = getattr(response, "generations", None) or [[]]
    return getattr(next(iter(generations[0]), None), "message", None)


def _usage(call: Call, response: Any) -> Usage:
    return _read(call, response) or Usage(reason=_SILENT)


@guarded
def _read(call: Call, response: Any) -> Usage:
    """Read what LangChain says: usage of the message, else what its model said of the whole."""
    message = _message(response)
    facts = getattr(message, "response_metadata", None) or {}
    model = text_or_none(facts.get("model_name")) or text_or_none(facts.get("model"))
    said = getattr(message, "usage_metadata", None)
    if said:
        return _disjoint(said, model)
    whole = (getattr(response, "llm_output", None) or {}).get("token_usage")
    if whole:
        return usage_in({"model": model, "usage": whole}, call)
    return Usage(reason=_SILENT, model=model)


def _disjoint(said: Mapping[str, Any], model: str | None) -> Usage:
    """Make disjoint units of LangChain's counts, whose input and output hold all their parts."""
    into, out = said.get("input_token_details") or {}, said.get("output_token_details") or {}
    parts = {
        "cache_read": into.get("cache_read") or 0,
        "cache_write": (into.get("cache_creation") or 0) + (into.get("ephemeral_5m_input_tokens") or 0),
        "cache_write_1h": into.get("ephemeral_1h_input_tokens") or 0,
        "input_audio": into.get("audio") or 0,
    }
    spoken = {"reasoning": out.get("reasoning") or 0, "output_audio": out.get("audio") or 0}
    rest = said["input_tokens"] - sum(parts.values()), said["output_tokens"] - sum(spoken.values())
    units = {"input": max(rest[0], 0), **parts, "output": max(rest[1], 0), **spoken}
    usage = Usage.of(units, model=model, raw=dict(said))
    return usage if min(rest) >= 0 else usage.flagged("clamped")
