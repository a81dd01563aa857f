"""Which SDKs can be hooked, which are, and switching hooks on and off."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from threading import RLock
from types import MappingProxyType
from typing import Literal, Protocol

from outlay.capture.guard import note_failure
from outlay.capture.recorder import Recorder
from outlay.core.errors import MissingExtraError, SettingsError
from outlay.instrumentation.late import hook_when_imported
from outlay.instrumentation.patches import Patches

_VERSION = re.compile(r"^Version:[ \t]*(\S+)", re.MULTILINE | re.IGNORECASE)
State = Literal["hooked", "installed", "too old", "not installed"]

PACKAGES: Mapping[str, str] = MappingProxyType(
    {
        "openai": "openai",
        "anthropic": "anthropic",
        "google": "google-genai",
        "groq": "groq",
        "together": "together",
        "mistralai": "mistralai",
        "cohere": "cohere",
        "ollama": "ollama",
        "boto3": "boto3",
        "aiobotocore": "aiobotocore",
        "huggingface": "huggingface-hub",
        "xai": "xai-sdk",
    }
)
"""Our name of an SDK (a module beside this one, and an extra) -> the package it comes in."""

TRANSPORTS: Mapping[str, str] = MappingProxyType(
    {"httpx": "httpx", "httpx2": "httpx2", "requests": "requests", "aiohttp": "aiohttp"}
)
"""HTTP clients that are hooked only where they are named: for calls to known providers by other clients."""
FRAMEWORKS: Mapping[str, str] = MappingProxyType(
    {
        "litellm": "litellm",
        "langchain": "langchain-core",
        "dspy": "dspy",
        "pydantic_ai": "pydantic-ai-slim",
        "openai_agents": "openai-agents",
        "llama_index": "llama-index-core",
    }
)
"""Frameworks with calls that no SDK bears, or that know whom their calls are for; hooked where they are
named, or when a program imports them."""
_ALL: Mapping[str, str] = MappingProxyType({**PACKAGES, **FRAMEWORKS, **TRANSPORTS})
_SHARED = {"boto3", "openai_agents"}
"""Whose module others have too: aiobotocore brings botocore, programs have an ``agents`` of their own."""


class Integration(Protocol):
    """A leaf module: one SDK's hooks."""

    OLDEST: tuple[int, ...]

    def instrument(self, recorder: Callable[[], Recorder], *, include_usage: bool) -> Patches:
        """Hook the SDK."""
        ...


@dataclass(frozen=True, slots=True)
class SdkStatus:
    """One SDK as ``doctor`` shows it."""

    name: str
    package: str
    version: str | None
    state: State
    oldest: str | None = None  # the first version that can be hooked, where this one is too old


@dataclass(slots=True)
class Hooks:
    """The hooks of one process; safe to use from any thread.

    Threads that hook or unhook take turns, so that all is hooked when each of them goes on. What an import
    calls waits for nobody: it holds the import's own lock, for which the one whose turn it is may wait.
    """

    recorder: Callable[[], Recorder]
    _patches: dict[str, Patches] = field(default_factory=dict)
    _forget: Callable[[], None] | None = None
    _left_out: set[str] = field(default_factory=set)  # by name, though all others are watched
    _turn: RLock = field(default_factory=RLock)

    def start_anew_in_child(self) -> None:
        """Take a turn of its own in a forked child; a thread that is not there any more may have this one."""
        self._turn = RLock()

    def watch(self, *, include_usage: bool = True) -> tuple[str, ...]:
        """Hook every supported SDK: what is loaded now, the others as soon as they are imported.

        A program that has many SDKs installed and uses one does not load the rest. Gives the names of those
        that are hooked so far.
        """
        with self._turn:
            if self._left_out and self._forget is not None:
                self._left_out.clear()
                self._forget()
                self._forget = None
            if self._forget is None:
                self._forget = hook_when_imported(lambda name: self._came(name, include_usage=include_usage))
            return tuple(self._patches)

    def _came(self, name: str, *, include_usage: bool) -> None:
        if name not in self._left_out and (name not in _SHARED or _version(name) is not None):
            self._hook(name, include_usage=include_usage, demanded=True)

    def instrument(self, *names: str, include_usage: bool = True) -> tuple[str, ...]:
        """Hook these SDKs, or every supported one that is installed; give the names that are hooked now.

        Hooking one twice changes nothing. Frameworks take seconds to load, and are hooked by name alone.

        Raises:
            SettingsError: no SDK of that name is supported, or one that was named is too old.
            MissingExtraError: an SDK that was named is not installed.
        """
        with self._turn:
            for name in [checked(each) for each in names] or PACKAGES:
                self._left_out.discard(name)
                self._hook(name, include_usage=include_usage, demanded=bool(names))
            return tuple(self._patches)

    def uninstrument(self, *names: str) -> None:
        """Take the hooks of these SDKs out again, or all of them; one not imported yet stays without, too."""
        named = [checked(each) for each in names]
        with self._turn:
            self._left_out.update(named)
            if not names and self._forget is not None:
                self._forget()
                self._forget = None
                self._left_out.clear()
            for name in named or tuple(self._patches):
                patches = self._patches.pop(name, None)
                if patches is not None:
                    patches.undo()

    def status(self) -> tuple[SdkStatus, ...]:
        """Say of every supported SDK whether it is there, new enough and hooked, and which transports are."""
        transports = (name for name in TRANSPORTS if name in self._patches)
        return tuple(self._status(name) for name in (*PACKAGES, *FRAMEWORKS, *transports))

    def _status(self, name: str) -> SdkStatus:
        version = _version(name)
        if version is None:
            state: State = "not installed"
        elif name in self._patches:
            state = "hooked"
        else:
            oldest = _leaf(name).OLDEST
            if not _new_enough(version, oldest):
                return SdkStatus(name, _ALL[name], version, "too old", ".".join(map(str, oldest)))
            state = "installed"
        return SdkStatus(name, _ALL[name], version, state)

    def _hook(self, name: str, *, include_usage: bool, demanded: bool) -> None:
        status = self._status(name)
        if status.state == "installed":
            # Hooking an SDK imports it, and that import is watched: it would be hooked within, too.
            ours = Patches()
            if self._patches.setdefault(name, ours) is not ours:
                return
            try:
                made = _leaf(name).instrument(self.recorder, include_usage=include_usage)
            except Exception as error:  # noqa: BLE001 - an SDK that moved its insides must not stop the program
                self._patches.pop(name, None)
                note_failure(f"instrument({name})", error)
                return
            if self._patches.get(name) is ours:
                self._patches[name] = made
            else:  # another thread took it out meanwhile
                made.undo()
        elif demanded and status.state == "not installed":
            raise MissingExtraError.of(name.replace("_", "-"), status.package)
        elif demanded and status.state == "too old":
            raise SettingsError(
                f"{status.package} {status.version} is too old to hook; it needs {status.oldest} or newer:"
                f' pip install --upgrade "{status.package}>={status.oldest}"'
            )


def checked(name: str) -> str:
    """Give the name that an SDK has here; the extra that brings it may be written with a hyphen.

    Raises:
        SettingsError: no such SDK is supported; with the names there are.
    """
    ours = name.replace("-", "_")
    if ours not in _ALL:
        near = get_close_matches(name, _ALL, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(_ALL)}"
        raise SettingsError(f"no SDK {name!r:.40} is supported yet; {hint}")
    return ours


def _leaf(name: str) -> Integration:
    leaf: Integration = import_module(f"outlay.instrumentation.{name}")
    return leaf


def _version(name: str) -> str | None:
    from importlib import metadata  # noqa: PLC0415 - a third of our start-up time, and only used to hook

    try:
        found = metadata.distribution(_ALL[name])
    except metadata.PackageNotFoundError:
        return None
    # Its own reader takes the README behind the headings apart as a mail, six times as long.
    headings, _, _ = (found.read_text("METADATA") or "").partition("\n\n")
    said = _VERSION.search(headings)
    return found.version if said is None else said[1]


def _new_enough(version: str, oldest: tuple[int, ...]) -> bool:
    numbers = tuple(int(part) for part in version.split(".")[: len(oldest)] if part.isdigit())
    return numbers >= oldest
