"""Adapters by name; the built-in ones, and whatever is registered over or beside them."""

from collections.abc import Callable
from functools import partial
from typing import Any

from outlay.core.errors import SettingsError
from outlay.llm.mock import PROFILES, MockAdapter
from outlay.llm.response import Adapter

Factory = Callable[..., Adapter]


class Adapters:
    """A set of adapter factories by name; the last one registered under a name is taken."""

    def __init__(self) -> None:
        self._factories: dict[str, Factory] = {
            **{name: partial(MockAdapter, profile) for name, profile in PROFILES.items()},
            "openai": _openai,
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

    def get(self, name: str, **options: Any) -> Adapter:
        """Make the adapter of that name with these options.

        Raises:
            SettingsError: there is none of that name; a ValueError that lists those there are.
        """
        factory = self._factories.get(name)
        if factory is None:
            raise SettingsError(f"no adapter {name!r:.60}; there are {', '.join(self.names())}")
        return factory(**options)

    def names(self) -> list[str]:
        """Give the names there are, sorted."""
        return sorted(self._factories)


def _openai(**options: Any) -> Adapter:
    # Imported here, so that a mock never loads the reader of responses.
    from outlay.llm.openai_adapter import OpenAIAdapter  # noqa: PLC0415 - see the line above

    return OpenAIAdapter(**options)


default = Adapters()
"""The one set that :func:`register_adapter` and :func:`get_adapter` share in a process."""


def register_adapter(name: str, factory: Factory) -> None:
    """Put an adapter class or factory under a name, over a built-in one of that name if there is one."""
    default.register(name, factory)


def get_adapter(name: str, **options: Any) -> Adapter:
    """Make the adapter of that name; mock adapters take ``seed`` and ``sleep``, openai takes ``model``.

    Raises:
        SettingsError: no adapter has that name (a ValueError), or a key is missing.
        MissingExtraError: its SDK is not installed.
    """
    return default.get(name, **options)


def list_adapters() -> list[str]:
    """Give the names of all adapters, sorted."""
    return default.names()
