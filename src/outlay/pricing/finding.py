"""Which listed model a name means, whoever wrote it; else why no price is known, and what comes near."""

from collections.abc import Callable
from datetime import UTC, datetime

from outlay.core.providers import UNKNOWN, provider_id
from outlay.pricing.card import Unpriced
from outlay.pricing.names import GUESSED, MAX_NAME, Reading, normal, readings, undated
from outlay.pricing.providers import OWN_HARDWARE, STAND_INS, homes_of
from outlay.pricing.rows import OVERLAY
from outlay.pricing.tables import Model, Table

Tables = Callable[[str], Table]
"""A provider's table by the provider's name; empty for one without prices."""
Found = tuple[Table, Model, Reading, str | None]
"""Whose table, which model, how the name was read, and the reason where it was guessed."""


def find(tables: Tables, provider: str | None, model: str) -> Found | Unpriced:
    """Give the model that a provider's name means, or the reason why its price is not known."""
    if len(model) > MAX_NAME:
        return Unpriced(f"a model's name has at most {MAX_NAME} characters")
    if mock := tables("mock").find(model):
        return tables("mock"), mock, Reading("mock", model), None
    if provider_id(provider) is None and (own := tables(UNKNOWN).find(model)):  # a price of one's own
        return tables(UNKNOWN), own, Reading(UNKNOWN, model), None
    ways = readings(provider, model)
    for dated in (True, False):
        for way in ways:
            found = _look_up(tables, way, model, dated=dated)
            if found is not None:
                return found
    return _unknown(tables, provider, model, ways)


def _look_up(tables: Tables, way: Reading, asked: str, *, dated: bool) -> Found | None:
    homes = (way.provider,) if way.provider else homes_of(way.name)
    for home in (*homes, *STAND_INS.get(way.provider or "", ())):
        table = tables(home)
        entry, flags, reason = _entry(table, way.name, dated=dated)
        if entry is None:
            continue
        reason = _guess(asked, entry) if GUESSED in way.flags else reason
        if home != way.provider and way.provider is not None:
            flags, reason = (
                (*flags, "makers_price"),
                f"{way.provider} lists no price of its own; {home}'s was taken",
            )
        return table, entry, Reading(home, way.name, way.terms, (*way.flags, *flags)), reason
    if way.provider == "openrouter" and ("route", "free") in way.terms:
        return _free_route(way)
    return None


def _unknown(tables: Tables, provider: str | None, model: str, ways: list[Reading]) -> Unpriced:
    home = ways[-1 if provider_id(provider) else 0].provider
    if dead_ends := [way.dead_end for way in ways if way.dead_end]:
        return Unpriced(dead_ends[0])
    if home in OWN_HARDWARE:
        return Unpriced(
            f"{home} runs on hardware of your own; give {model} a price of 0 or more in your prices"
        )
    if model.lower().startswith("ft:"):
        return Unpriced(
            f"no rate of the fine-tuned {model} is known; its base model's rate does not hold for it"
        )
    close = near(tables, provider, model)
    if home is not None and not tables(home).models:
        return Unpriced(f"no prices of provider {home} are known", close)
    meant = f"; near: {', '.join(close)}" if close else ""
    return Unpriced(f"no price of {model} is known{f' at {home}' if home else ''}{meant}", close)


def near(tables: Tables, provider: str | None, model: str) -> tuple[str, ...]:
    """Give the three names that come closest to one that is not known, the closest first."""
    home = provider_id(provider)
    asked = normal(model[:MAX_NAME]).rpartition("/")[2]
    found = [each for name in ((home,) if home else homes_of(asked)[:3]) for each in tables(name).near(asked)]
    return tuple(dict.fromkeys(name for _, name in sorted(found)))[:3]


def _entry(table: Table, name: str, *, dated: bool) -> tuple[Model | None, tuple[str, ...], str | None]:
    """Find a name as it is; or, where nobody lists its date, without the date, flagged as a guess."""
    if dated:
        return table.find(name), (), None
    split = undated(normal(name))
    if split is None or split[1] > datetime.now(UTC).date():
        return None, (), None
    for stem in (split[0], split[0].removesuffix("-preview")):
        entry = table.find(stem)
        if entry is not None and normal(entry.id).startswith(stem):
            break
    else:
        return None, (), None
    return entry, (GUESSED,), _guess(name, entry)


def _guess(name: str, entry: Model) -> str:
    return f"{name} is not listed; the price of {entry.id} was taken"


def _free_route(way: Reading) -> Found:
    """Give OpenRouter's free route of a model that its list does not hold: free is what the route means."""
    model = Model(
        way.name, [({"rates": {"input": "0", "output": "0"}, "source": "route :free"}, way.name, OVERLAY)]
    )
    return Table("openrouter"), model, Reading("openrouter", way.name), None
