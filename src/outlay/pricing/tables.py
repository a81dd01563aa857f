"""Tables: one provider's models, names and rows, from the packaged data and the overlays above them."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from outlay.core.errors import PriceBookError, PriceFileError
from outlay.core.providers import priced_as, provider_id
from outlay.pricing.exchange import Exchange, exchanged, read_exchanges
from outlay.pricing.facts import check_facts, in_currency
from outlay.pricing.names import normal
from outlay.pricing.near import Spellings
from outlay.pricing.rows import BASE, USER, Row, objects_of, read_currency, read_instant, read_row

DATA = Path(__file__).parent / "data"  # the packaged tables
PROVIDER_ID = re.compile(r"[a-z0-9_.-]{1,40}")  # of a provider; it becomes a file's name
_FILE_KEYS = frozenset({"model", "alias", "common", "ruling", "exchange", "currency", "note", "version"})
_FACTS = ("context_window", "max_output", "deprecated", "once", "least", "allowance", "untold")
_MODEL_KEYS = frozenset({"provider", "model", "names", "own", "since", "price", *_FACTS})
_RULING_KEYS = frozenset({"provider", "model", "says", "link"})
_ALIAS_KEYS = frozenset({"provider", "name", "model", "from", "to", "source"})


@dataclass(frozen=True, slots=True)
class Alias:
    """A name that stands for a model from an instant to an instant."""

    model: str
    start: datetime | None = None
    end: datetime | None = None


@dataclass(slots=True)
class Model:
    """One model as the files describe it; rows are read when they are first asked for."""

    id: str
    raw: list[tuple[Mapping[str, Any], str, int]] = field(default_factory=list)  # row, where, layer
    aliases: list[Alias] = field(default_factory=list)
    since: datetime | None = None  # nothing is known from before
    facts: dict[str, Any] = field(default_factory=dict)
    read: list[Row] | None = None  # the rows, once they were asked for


@dataclass(slots=True)
class Table:
    """A provider's models by id, every name in normal form with its model, and provider-wide rows."""

    provider: str
    models: dict[str, Model] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    common: list[tuple[Mapping[str, Any], str, int]] = field(default_factory=list)
    sources: list[Mapping[str, str]] = field(default_factory=list)
    exchanges: tuple[Exchange, ...] = ()  # the rates that a user gives, in the order of the files
    read_common: list[Row] | None = None  # the provider-wide rows, likewise
    spelled: Spellings | None = None  # made when a name is first looked for in vain; the table is whole then

    def find(self, name: str) -> Model | None:
        """Give the model of a name, which is brought into normal form."""
        key = self.names.get(normal(name))
        return None if key is None else self.models[key]

    def near(self, name: str) -> list[tuple[float, str]]:
        """Give the models whose ids come near a name in normal form, each behind its distance."""
        if self.spelled is None:
            self.spelled = Spellings((normal(each.id), each.id) for each in self.models.values())
        return self.spelled.near(name)

    def rows(self, model: Model, depth: int = 0) -> list[Row]:
        """Read a model's rows, those of the models it stood for by date included."""
        if model.read is not None:
            return model.read
        found = self._read(model.raw)
        for alias in model.aliases:
            target = self.find(alias.model)
            if target is None or target is model or depth > 3:  # noqa: PLR2004  aliases of aliases of aliases
                raise PriceBookError(
                    f"{self.provider}/{model.id} is an alias of {alias.model}, which is not there"
                )
            clipped = (row.clipped(alias.start, alias.end) for row in self.rows(target, depth + 1))
            found += [row for row in clipped if row is not None]
        if model.since is not None:
            found = [row for each in found if (row := each.clipped(model.since, None)) is not None]
        model.read = found
        return found

    def common_rows(self) -> list[Row]:
        """Read the rows that hold for every model of the provider."""
        if self.read_common is None:
            self.read_common = self._read(self.common)
        return self.read_common

    def _read(self, raw: Iterable[tuple[Mapping[str, Any], str, int]]) -> list[Row]:
        rows = (read_row(row, where, layer, self.sources) for row, where, layer in raw)
        return [part for row in rows for part in exchanged(row, self.exchanges)]


def listed_providers(data: Path = DATA) -> frozenset[str]:
    """Name the providers that a folder of generated tables has."""
    return frozenset(path.stem for path in data.glob("*.json"))


def load_table(provider: str, data: Path = DATA) -> Table:
    """Load a provider's generated table; empty if there is none."""
    table = Table(provider)
    path = data / f"{provider}.json"
    if not PROVIDER_ID.fullmatch(provider) or not path.exists():
        return table
    content = _content(path)
    table.sources = content["sources"]
    for key, entry in content["models"].items():
        where = f"{provider}.json, {key}"
        table.models[key] = Model(key, [(row, where, BASE) for row in entry["rows"]], facts=entry)
        table.names[normal(key)] = key
        for name in entry.get("names", ()):
            table.names.setdefault(normal(name), key)
    return table


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise PriceBookError(f"{path} holds no prices, take them in again: {error!s:.80}") from None
    if not isinstance(content, dict) or not {"sources", "models"}.issubset(content):
        raise PriceBookError(f"{path} holds no prices, take them in again")
    return content


@dataclass(frozen=True, slots=True)
class Ruling:
    """Why the book's figure stands where another list differs; the model may be a pattern such as ``x-*``."""

    provider: str
    model: str
    says: str
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A hand-written file of prices, checked for its outer shape; split by provider when it is laid over."""

    name: str
    layer: int
    models: Mapping[str, tuple[Mapping[str, Any], ...]]
    aliases: Mapping[str, tuple[Mapping[str, Any], ...]]
    common: Mapping[str, tuple[Mapping[str, Any], ...]]
    rulings: tuple[Ruling, ...] = ()
    exchanges: tuple[Exchange, ...] = ()

    def providers(self) -> set[str]:
        """Name the providers that the sheet says something about."""
        return {*self.models, *self.aliases, *self.common}


def read_sheet(path: Path, layer: int = USER) -> Sheet:
    """Read a TOML file of prices.

    Raises:
        PriceBookError: the file is missing or breaks the format.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise PriceBookError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise PriceFileError(f"{path.name} is no TOML: it is not UTF-8") from None
    return sheet_of(text, path.name, layer)


def overlay_text(data: Path = DATA) -> str:
    """Give the overlay of a folder of tables."""
    return data.joinpath("overlay.toml").read_text("utf-8")


def data_version(data: Path = DATA) -> str:
    """Give the version of a folder of tables: their sources', and a digest of what was made of them."""
    return data.joinpath("version.txt").read_text("utf-8").strip()


def sheet_of(text: str, name: str = "prices", layer: int = USER) -> Sheet:
    """Read a sheet from TOML text; numbers with a point are read exactly.

    Raises:
        PriceBookError: the text breaks the format.
    """
    import tomllib  # noqa: PLC0415  a third of this room's import time, and not needed before

    try:
        data = tomllib.loads(text.removeprefix("\ufeff"), parse_float=Decimal)  # editors put one first
    except tomllib.TOMLDecodeError as error:
        raise (PriceFileError if layer == USER else PriceBookError)(f"{name} is no TOML: {error}") from None
    return sheet_from(data, name, layer)


def sheet_from(data: Mapping[str, Any], name: str = "prices", layer: int = USER) -> Sheet:
    """Make a sheet from its decoded form.

    Raises:
        PriceBookError: a key that does not exist, or a model without provider.
    """
    try:
        return _sheet(data, name, layer)
    except PriceBookError as error:
        raise (PriceFileError(str(error)) if layer == USER else error) from None


def _sheet(data: Mapping[str, Any], name: str, layer: int) -> Sheet:
    _check(data, _FILE_KEYS, name)
    models, aliases, common, rulings, exchanges = (
        objects_of(data.get(key, ()), f"{name}, [[{key}]]")
        for key in ("model", "alias", "common", "ruling", "exchange")
    )
    if "currency" in data:  # of every price in the file that names none
        models, common = in_currency(models, common, read_currency(data["currency"], name), name)
    return Sheet(
        name,
        layer,
        _by_provider(models, _MODEL_KEYS, f"{name}, [[model]]"),
        _by_provider(aliases, _ALIAS_KEYS, f"{name}, [[alias]]"),
        _by_provider(common, None, f"{name}, [[common]]"),
        tuple(_ruling(entry, f"{name}, [[ruling]] {n}") for n, entry in enumerate(rulings, 1)),
        read_exchanges(exchanges, name, layer),
    )


def _ruling(entry: Mapping[str, Any], where: str) -> Ruling:
    _check(entry, _RULING_KEYS, where)
    named, model, says = entry.get("provider"), entry.get("model"), entry.get("says")
    provider = provider_id(named) if isinstance(named, str) else None
    if provider is None or not isinstance(model, str) or not isinstance(says, str):
        raise PriceBookError(f"{where}: needs provider, model and says")
    return Ruling(provider, model, says, entry.get("link"))


def _by_provider(
    entries: Iterable[Mapping[str, Any]], known: frozenset[str] | None, where: str
) -> dict[str, tuple[Mapping[str, Any], ...]]:
    found: dict[str, tuple[Mapping[str, Any], ...]] = {}
    for number, entry in enumerate(entries, 1):
        if known is not None:
            _check(entry, known, f"{where} {number}")
        named = entry.get("provider")
        provider = priced_as(named) if isinstance(named, str) else None
        if provider is None:
            raise PriceBookError(f'{where} {number}: needs a provider, such as provider = "openai"')
        found[provider] = (*found.get(provider, ()), entry)
    return found


def _check(data: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    if unknown := sorted(set(data) - known):
        raise PriceBookError(f"{where}: there is no key {unknown[0]!r}; there are {', '.join(sorted(known))}")


def lay_over(table: Table, sheet: Sheet) -> None:
    """Add a sheet's models, aliases and provider-wide rows to a table.

    Raises:
        PriceBookError: an entry without a model, or of the wrong kind.
    """
    try:
        for entry in sheet.models.get(table.provider, ()):
            _add_model(table, entry, sheet)
        for entry in sheet.aliases.get(table.provider, ()):
            _add_alias(table, entry, sheet)
    except PriceBookError as error:
        raise (PriceFileError(str(error)) if sheet.layer == USER else error) from None
    table.exchanges += sheet.exchanges
    for number, entry in enumerate(sheet.common.get(table.provider, ()), 1):
        row = {key: value for key, value in entry.items() if key != "provider"}
        table.common.append((row, f"{sheet.name}, common {table.provider} {number}", sheet.layer))


def _add_model(table: Table, entry: Mapping[str, Any], sheet: Sheet) -> None:
    name = entry.get("model")
    if not isinstance(name, str) or not name:
        raise PriceBookError(f"{sheet.name}, [[model]] of {table.provider}: needs a model")
    where = f"{sheet.name}, {table.provider}/{name}"
    check_facts(entry, where)
    key = table.names.get(normal(name))
    if key is None or entry.get("own") or normal(key) != normal(name):
        facts = (
            {fact: value for fact, value in table.models[key].facts.items() if fact in _FACTS} if key else {}
        )
        key = name
        table.models[key] = Model(key, facts=facts)
    model = table.models[key]
    for alias in (name, *entry.get("names", ())):
        table.names[normal(alias)] = key
    if "since" in entry:
        model.since = read_instant(entry["since"], where, "since")
    model.facts.update({fact: entry[fact] for fact in _FACTS if fact in entry})
    model.raw += [
        (row, f"{where}, price {n}", sheet.layer)
        for n, row in enumerate(objects_of(entry.get("price", ()), f"{where}, price"), 1)
    ]


def _add_alias(table: Table, entry: Mapping[str, Any], sheet: Sheet) -> None:
    name, target = entry.get("name"), entry.get("model")
    where = f"{sheet.name}, alias {name} of {table.provider}"
    if not isinstance(name, str) or not isinstance(target, str) or normal(name) == normal(target):
        raise PriceBookError(f"{where}: needs a name and another model that it stands for")
    key = f"{name} (alias)"
    if table.names.get(normal(name)) != key:
        table.models[key] = Model(name)
        table.names[normal(name)] = key
    span = Alias(
        target, read_instant(entry.get("from"), where, "from"), read_instant(entry.get("to"), where, "to")
    )
    if span.start is not None and span.end is not None and span.start >= span.end:
        raise PriceBookError(f"{where}: to must be after from")
    table.models[key].aliases.append(span)
