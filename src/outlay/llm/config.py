"""LlmConfig: which model of which provider, how to reach it, and at what price."""

from collections.abc import Mapping
from typing import Any

from outlay.core.errors import SettingsError
from outlay.core.providers import provider_id
from outlay.llm.adapters import list_adapters
from outlay.pricing import Book
from outlay.pricing.own import own_book

_SETTINGS: Mapping[str, Any] = {
    "base_url": None,
    "temperature": None,
    "max_tokens": None,
    "timeout": None,
    "retries": 0,
    "options": None,
    "pricing": None,
}


class LlmConfig:
    """How to reach a model.

    ``pricing`` states a price of one's own in dollars per million tokens: ``input``, ``output``, ``cached``,
    ``cache_write``, and within it ``happy_hour`` and ``dynamic``; without it the price book holds.
    ``retries`` are further attempts after one that failed; ``options`` go to the adapter when it is made.

    Raises:
        SettingsError: a provider without adapter, or an unknown setting; a ValueError that names the model.
        PriceBookError: a price that cannot be; a ValueError that names the model.
    """

    def __init__(
        self, provider: str, api_key: str | None = None, model: str | None = None, **settings: Any
    ) -> None:
        if unknown := sorted(set(settings) - set(_SETTINGS)):
            raise SettingsError(
                f"LlmConfig of {model or provider} has no setting {unknown[0]!r}; prices stand inside of "
                f"pricing, the other settings are {', '.join(_SETTINGS)}"
            )
        chosen = {**_SETTINGS, **settings}
        self.provider = adapter_name(provider)
        self.model = model
        self.base_url: str | None = chosen["base_url"]
        self.temperature: float | None = chosen["temperature"]
        self.max_tokens: int | None = chosen["max_tokens"]
        self.timeout: float | None = chosen["timeout"]
        self.retries: int = chosen["retries"]
        self.options: Mapping[str, Any] = chosen["options"] or {}
        self.pricing: Mapping[str, Any] | None = chosen["pricing"]
        self.book: Book | None = (
            None if self.pricing is None else own_book(self.pricing, model=str(model or provider))
        )
        self._key = _Hidden(api_key)

    @property
    def api_key(self) -> str | None:
        """The key; it stands in no repr and no message."""
        return self._key.value

    def __repr__(self) -> str:
        return f"LlmConfig(provider={self.provider!r}, model={self.model!r})"


class _Hidden:
    """Holds a secret that no repr shows."""

    __slots__ = ("value",)

    def __init__(self, value: str | None) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "***"


def adapter_name(provider: str) -> str:
    """Give the name of the adapter that serves a provider, however the provider is written.

    Raises:
        SettingsError: there is none; a ValueError that lists those there are.
    """
    names = list_adapters()
    usual = provider_id(provider) or provider
    for name in (provider, usual):
        if name in names:
            return name
    raise SettingsError(f"no provider {provider!r:.60}; there are {', '.join(names)}")
