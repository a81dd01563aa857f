"""Adapters by name; the built-in ones, and whatever is registered over or beside them."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from outlay.core.errors import SettingsError
from outlay.llm.hosts import HOSTS
from outlay.llm.mock import PROFILES, MockAdapter
from outlay.llm.response import Adapter

Factory = Callable[..., Adapter]


class Adapters:
    """A set of adapter factories by name; the last one registered under a name is taken."""

    def __init__(self) -> None:
        self._factories: dict[str, Factory] = {
            **{name: partial(MockAdapter, profile) for name, profile in PROFILES.items()},
            **{name: partial(_openai, name=name) for name in HOSTS},
            "anthropic": _anthropic,
            "google": _google,
        }

    def register(self, name: str, factory: Factory) -> None:
        """Put a factory, such as an adapter class, under a name.

        Raises:
            SettingsError: the name is empty, or the factory cannot be called.
        """
        if not name.strip() or not callable(factory):
            raise SettingsError(
                f"an adapter needs a name and a class or function, not {name!r}, {factory!r:.60}"
            )
        self._factories[name] = factory

    def unregister(self, name: str) -> None:
        """Take a name out, or put the built-in adapter of that name back."""
        built_in = Adapters()._factories.get(name)  # noqa: SLF001 - of our own class
        if built_in is None:
            self._factories.pop(name, None)
        else:
            self._factories[name] = built_in

    def get(self, name: str, **options: Any) -> Adapter:
        """Make the adapter of that name with these options.

        Raises:
            SettingsError: there is none of that name; a ValueError that lists those there are.
        """
        return self._factory(name)(**options)

    def fitting(self, name: str, options: Mapping[str, Any]) -> Adapter:
        """Make the adapter of that name with those options that its factory takes.

        Raises:
            SettingsError: there is none of that name.
        """
        factory = self._factory(name)
        return factory(**_taken(factory, options))

    def names(self) -> list[str]:
        """Give the names there are, sorted."""
        return sorted(self._factories)

    def _factory(self, name: str) -> Factory:
        factory = self._factories.get(name)
        if factory is None:
            raise SettingsError(f"no adapter {name!r:.60}; there are {', '.join(self.names())}")
        return factory


def _taken(factory: Factory, options: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in options.items() if value is not None}
    try:
        parameters = inspect.signature(factory).parameters
    except (TypeError, ValueError):  # some callables tell no signature
        return given
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return given
    return {name: value for name, value in given.items() if name in parameters}


# The SDK's adapters are imported here, so that a mock never loads the reader of responses.


def _openai(**options: Any) -> Adapter:
    from outlay.llm.openai_adapter import OpenAIAdapter  # noqa: PLC0415 - see above

    return OpenAIAdapter(**options)


def _anthropic(**options: Any) -> Adapter:
    from outlay.llm.anthropic_adapter import AnthropicAdapter  # noqa: PLC0415 - see above

    return AnthropicAdapter(**options)


def _google(**options: Any) -> Adapter:
    from outlay.llm.google_adapter import GoogleAdapter  # noqa: PLC0415 - see above

    return GoogleAdapter(**options)


default = Adapters()
"""The one set that :func:`register_adapter` and :func:`get_adapter` share in a process."""


def register_adapter(name: str, factory: Factory) -> None:
    """Put an adapter class or factory under a name, over a built-in one of that name if there is one."""
    default.register(name, factory)


def get_adapter(name: str, **options: Any) -> Adapter:
    """Make the adapter of that name.

    Mocks take ``seed`` and ``sleep``; the others ``model``, ``api_key``, ``base_url`` and ``timeout``.

    Raises:
        SettingsError: no adapter has that name (a ValueError), or a key is missing.
        MissingExtraError: its SDK is not installed.
    """
    return default.get(name, **options)


def list_adapters() -> list[str]:
    """Give the names of all adapters, sorted."""
    return default.names()
