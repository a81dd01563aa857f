"""The models that a dynamic client may choose from: by id, by name, by tier."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, Self

from outlay.core.errors import SettingsError
from outlay.core.money import EXACT, ZERO, decimal_of, total
from outlay.core.providers import provider_id
from outlay.llm.config import adapter_name
from outlay.pricing import Book, Unpriced
from outlay.pricing.card import RateCard
from outlay.pricing.own import own_book
from outlay.pricing.rates import MILLION, THOUSAND

REFERENCE = datetime(2024, 6, 15, tzinfo=UTC)
"""The day whose published prices :meth:`DictRegistry.from_env` states unless another is asked for."""


class LLMTier(StrEnum):
    """How good, and how dear, a model is."""

    ECONOMY = "economy"
    STANDARD = "standard"
    PREMIUM = "premium"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class LLMEntry:
    """One model that can be chosen; prices in dollars per thousand tokens.

    Where neither price is stated the price book holds; a model of one's own that costs nothing states 0.
    """

    id: Any
    name: str
    provider: str
    model: str
    tier: LLMTier = LLMTier.STANDARD
    cost_per_1k_input: Decimal | float | str | None = None
    cost_per_1k_output: Decimal | float | str | None = None
    is_active: bool = True
    is_default: bool = False
    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None

    def __post_init__(self) -> None:
        """Check what can be checked without a call.

        Raises:
            SettingsError: a tier or provider that does not exist.
            PriceBookError: a price that cannot be.
        """
        try:
            object.__setattr__(self, "tier", LLMTier(self.tier))
        except ValueError:
            raise SettingsError(
                f"model {self.name!r}: no tier {self.tier!r}; there are {', '.join(LLMTier)}"
            ) from None
        adapter_name(self.provider)
        _ = self.book

    @property
    def book(self) -> Book | None:
        """The price that is stated, as a book; None where none is."""
        rates = {"input": self.cost_per_1k_input, "output": self.cost_per_1k_output}
        stated = {side: rate for side, rate in rates.items() if rate is not None}
        return own_book(stated, per=THOUSAND) if stated else None

    @property
    def price(self) -> Decimal | None:
        """What a thousand tokens in and a thousand out cost, by which entries of a tier are compared.

        None where nobody knows.
        """
        sides = (self.cost_per_1k_input, self.cost_per_1k_output)
        known = [decimal_of(side) for side in sides if side is not None] or _listed_now(self)
        return total(known) if len(known) == len(sides) else None


class LLMRegistry(Protocol):
    """Where a dynamic client finds its models; a lookup that finds none raises."""

    def get_by_id(self, llm_id: Any) -> LLMEntry:
        """Give the model of that id."""
        ...

    def get_by_name(self, name: str) -> LLMEntry:
        """Give the model of that name."""
        ...

    def get_by_tier(self, tier: LLMTier | str) -> LLMEntry:
        """Give the cheapest active model of that tier."""
        ...

    def get_default(self) -> LLMEntry:
        """Give the model for when none is asked for."""
        ...

    def list_active(self) -> list[LLMEntry]:
        """Give the models that may be chosen."""
        ...


class DictRegistry:
    """Entries in a dictionary, made by hand, of a mapping, of the environment, or of a TOML file."""

    def __init__(self, entries: Iterable[LLMEntry] = ()) -> None:
        self._entries: dict[Any, LLMEntry] = {}
        for entry in entries:
            self.add(entry)

    @classmethod
    def from_dict(cls, data: Mapping[Any, Any] | Iterable[Mapping[str, Any]]) -> Self:
        """Make a registry of a list of tables, or of a mapping from ids to tables.

        Raises:
            SettingsError: an unknown key, or one that is missing.
        """
        pairs = list(data.items() if isinstance(data, Mapping) else enumerate(data, 1))
        if odd := [row for _, row in pairs if not isinstance(row, Mapping)]:
            raise SettingsError(f"{odd[0]!r:.60} is no model; write each as a table, [[llm]]")
        return cls(_entry({"id": key, **row}) for key, row in pairs)

    @classmethod
    def from_toml(cls, path: Path | str) -> Self:
        """Make a registry of the ``[[llm]]`` tables of a TOML file.

        Raises:
            SettingsError: the file cannot be read, or an entry cannot be.
        """
        import tomllib  # noqa: PLC0415 - only who reads such a file needs it

        try:
            data = tomllib.loads(Path(path).read_text("utf-8"), parse_float=Decimal)
        except (OSError, ValueError) as error:
            raise SettingsError(f"{path} cannot be read as TOML: {error}") from None
        found = data.get("llm", [])
        if not isinstance(found, list):
            raise SettingsError(f"{path}: write each model as a table, [[llm]]")
        return cls.from_dict(found)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, *, at: datetime = REFERENCE) -> Self:
        """Make a registry of the six models of the reference, at the published prices of ``at``.

        A model is active if its provider's key is set; where no key is set at all, every model is, so that
        prices can be compared before the first call.
        """
        env = os.environ if environ is None else environ
        keys = {provider: env.get(variable, "").strip() or None for provider, variable in _KEYS.items()}
        any_key = any(keys.values())
        return cls(
            LLMEntry(
                id=number,
                name=name,
                provider=provider,
                model=model,
                tier=tier,
                cost_per_1k_input=_listed(model, "input", at),
                cost_per_1k_output=_listed(model, "output", at),
                is_active=not any_key or keys[provider] is not None,
                is_default=model == _DEFAULT,
                api_key=keys[provider],
            )
            for number, (name, provider, model, tier) in enumerate(_REFERENCE, 1)
        )

    def add(self, entry: LLMEntry) -> LLMEntry:
        """Put an entry in, over another of the same id."""
        self._entries[entry.id] = entry
        return entry

    def get_by_id(self, llm_id: Any) -> LLMEntry:
        """Give the model of that id.

        Raises:
            SettingsError: there is none; no other is taken in its place.
        """
        if llm_id in self._entries:
            return self._entries[llm_id]
        known = ", ".join(str(key) for key in self._entries)
        raise SettingsError(f"no model with the id {llm_id!r}; there are {known or 'none'}")

    def get_by_name(self, name: str) -> LLMEntry:
        """Give the model of that name, or of that model id.

        Raises:
            SettingsError: there is none.
        """
        for entry in self._entries.values():
            if name in (entry.name, entry.model):
                return entry
        known = ", ".join(entry.name for entry in self._entries.values())
        raise SettingsError(f"no model with the name {name!r}; there are {known or 'none'}")

    def get_by_tier(self, tier: LLMTier | str) -> LLMEntry:
        """Give the cheapest active model of that tier.

        Raises:
            SettingsError: there is none.
        """
        found = [entry for entry in self.list_active() if entry.tier == tier]
        if not found:
            tiers = ", ".join(sorted({entry.tier for entry in self.list_active()}))
            raise SettingsError(f"no active model of tier {str(tier)!r}; there are {tiers or 'none'}")
        return min(found, key=_dearness)

    def get_default(self) -> LLMEntry:
        """Give the active model marked as default, else the cheapest active one.

        Raises:
            SettingsError: no model is active.
        """
        active = self.list_active()
        if not active:
            raise SettingsError("no model is active; add one, or set a provider's key")
        return next((entry for entry in active if entry.is_default), None) or min(active, key=_dearness)

    def list_active(self) -> list[LLMEntry]:
        """Give the models that may be chosen, in the order in which they were added."""
        return [entry for entry in self._entries.values() if entry.is_active]


_REFERENCE = (
    ("GPT-3.5 Turbo", "openai", "gpt-3.5-turbo", LLMTier.ECONOMY),
    ("GPT-4o-mini", "openai", "gpt-4o-mini", LLMTier.STANDARD),
    ("GPT-4o", "openai", "gpt-4o", LLMTier.PREMIUM),
    ("Claude 3 Haiku", "anthropic", "claude-3-haiku-20240307", LLMTier.ECONOMY),
    ("Claude 3.5 Sonnet", "anthropic", "claude-3-5-sonnet-20240620", LLMTier.STANDARD),
    ("Claude 3 Opus", "anthropic", "claude-3-opus-20240229", LLMTier.PREMIUM),
)
_DEFAULT = "gpt-4o-mini"
_KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
_NAMES = tuple(each.name for each in fields(LLMEntry))


def _listed(model: str, unit: str, at: datetime) -> Decimal:
    card = Book.default().resolve(None, model, at)
    if isinstance(card, Unpriced):
        raise SettingsError(f"no price of {model} on {at:%Y-%m-%d} is known: {card.reason}")
    return _rate(card, unit)


def _rate(card: RateCard, unit: str) -> Decimal:
    return EXACT.divide(EXACT.multiply(card.rates[unit].amount, THOUSAND), Decimal(MILLION))


def _listed_now(entry: LLMEntry) -> list[Decimal]:
    provider = provider_id(adapter_name(entry.provider))
    card = Book.default().resolve(provider, entry.model, datetime.now(UTC))
    if isinstance(card, Unpriced):
        return []
    return [_rate(card, unit) for unit in ("input", "output") if unit in card.rates]


def _dearness(entry: LLMEntry) -> tuple[bool, Decimal]:
    """Order entries by their price; those whose price nobody knows come last."""
    price = entry.price
    return price is None, price or ZERO


def _entry(row: Mapping[str, Any]) -> LLMEntry:
    if unknown := sorted(set(row) - set(_NAMES)):
        raise SettingsError(
            f"model {row.get('name', row['id'])!r}: no key {unknown[0]!r}; there are {', '.join(_NAMES)}"
        )
    if missing := [name for name in ("name", "provider", "model") if not row.get(name)]:
        raise SettingsError(f"model {row['id']!r}: needs {', '.join(missing)}")
    return LLMEntry(**row)
