"""Which instrumentations of others are on in this process beside our hooks, and which are installed."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

_INSTALLED = (
    "openinference-instrumentation-openai",
    "openinference-instrumentation-anthropic",
    "openinference-instrumentation-google-genai",
    "openinference-instrumentation-litellm",
    "openinference-instrumentation-langchain",
    "opentelemetry-instrumentation-openai",
    "opentelemetry-instrumentation-openai-v2",
    "opentelemetry-instrumentation-anthropic",
    "opentelemetry-instrumentation-google-generativeai",
    "opentelemetry-instrumentation-langchain",
    "traceloop-sdk",
    "openlit",
    "langfuse",
    "litellm",
)
_OF_LLMS = frozenset((
    "anthropic", "bedrock", "cohere", "google_genai", "google_generativeai", "groq", "haystack", "langchain",
    "llamaindex", "mistralai", "ollama", "openai", "openai_agents", "openai_v2", "together", "vertexai",
))  # fmt: skip
"""The last part of the module of OpenTelemetry's instrumentors, where it sees calls of models."""
_CALLBACKS = ("callbacks", "success_callback", "failure_callback", "_async_success_callback")
State = Literal["on", "installed"]


@dataclass(frozen=True, slots=True)
class Other:
    """An instrumentation that is not ours."""

    name: str  # its class, or its package
    state: State  # on: in this very process
    off: str  # what switches it off


def others(modules: Mapping[str, ModuleType] | None = None) -> tuple[Other, ...]:
    """Say which are on here, then which are merely installed.

    What is on is read from what the process has loaded (by default its own modules); nothing is imported.
    """
    loaded = sys.modules if modules is None else modules
    on = (*_instrumentors(loaded), *_langfuse(loaded), *_litellm(loaded))
    return (*on, *_installed())


def _instrumentors(loaded: Mapping[str, ModuleType]) -> Iterator[Other]:
    """Give OpenTelemetry's and OpenInference's: one instance a class, which knows its state."""
    base = getattr(loaded.get("opentelemetry.instrumentation.instrumentor"), "BaseInstrumentor", None)
    on = {
        kind.__module__: kind.__name__
        for kind in _kinds(base)
        if getattr(getattr(kind, "_instance", None), "is_instrumented_by_opentelemetry", False)
    }
    for module, name in sorted(on.items()):
        if module.rpartition(".")[0] not in on:  # else it is the helper of one that is named already
            yield Other(f"{module}.{name}", "on", f"{name}().uninstrument()")


def _kinds(base: Any) -> Iterator[type]:
    for kind in () if base is None else base.__subclasses__():
        if _of_llms(kind.__module__):
            yield kind
        yield from _kinds(kind)


def _of_llms(module: str) -> bool:
    """Leave out those of databases, web servers and the like, which see no call of a model."""
    parts = module.split(".")
    if parts[0] == "openinference":
        return True
    return parts[:2] == ["opentelemetry", "instrumentation"] and not _OF_LLMS.isdisjoint(parts[2:3])


def _langfuse(loaded: Mapping[str, ModuleType]) -> Iterator[Other]:
    if "langfuse.openai" in loaded:  # patches openai when it is imported
        yield Other("langfuse.openai", "on", "import openai in place of langfuse.openai")


def _litellm(loaded: Mapping[str, ModuleType]) -> Iterator[Other]:
    module = loaded.get("litellm")
    names = [str(getattr(each, "__name__", None) or (each if isinstance(each, str) else type(each).__name__))
             for name in _CALLBACKS for each in getattr(module, name, None) or ()]  # fmt: skip
    if names:
        yield Other(f"litellm callbacks ({', '.join(dict.fromkeys(names))})", "on", "litellm.callbacks = []")


def _installed() -> Iterator[Other]:
    from importlib import metadata  # noqa: PLC0415 - for doctor alone

    for name in _INSTALLED:
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        yield Other(name, "installed", f"pip uninstall {name}")
