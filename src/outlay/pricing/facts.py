"""Facts of a model in a file of prices: each of the kind that is meant, or refused by name."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from outlay.core.errors import PriceBookError
from outlay.pricing.rows import objects_of

_KINDS: Mapping[str, tuple[type, str]] = {
    "names": (list, 'a list of names, such as ["gpt-4o-x"]'),
    "own": (bool, "true or false"),
    "price": (list, "a list of tables; write [[model.price]]"),
    "context_window": (int, "a whole number"),
    "max_output": (int, "a whole number"),
    "deprecated": (str, 'a date as text, such as "2026-12-31"'),
    "once": (list, 'a list of units, such as ["web_search"]'),
    "allowance": (list, 'a list of units, such as ["web_search"]'),
    "untold": (list, 'a list of units, such as ["web_search"]'),
    "least": (dict, "a table of units, such as { audio_seconds = 10 }"),
}


def check_facts(entry: Mapping[str, Any], where: str) -> None:
    """Refuse facts of the wrong kind: a text where a list is meant would be read letter by letter.

    Raises:
        PriceBookError: with the place, the key and what is meant.
    """
    for key, (kind, meant) in _KINDS.items():
        value = entry.get(key)
        right = type(value) is kind
        if right and key in {"names", "once", "allowance", "untold"}:
            right = all(isinstance(each, str) for each in entry[key])
        if value is not None and not right:
            raise PriceBookError(f"{where}, {key}: must be {meant}, not {value!r:.40}")
    for unit, least in entry.get("least", {}).items():
        if type(least) not in {int, Decimal} or not least > 0:
            raise PriceBookError(f"{where}, least.{unit}: must be a number above 0, not {least!r:.40}")


Entries = list[Mapping[str, Any]]


def in_currency(models: Entries, common: Entries, currency: str, name: str) -> tuple[Entries, Entries]:
    """Give models and provider-wide rows whose prices are in a currency where they name none."""

    def said(row: Mapping[str, Any]) -> Mapping[str, Any]:
        return row if "factor" in row else {"currency": currency, **row}

    return (
        [
            {**model, "price": [said(row) for row in objects_of(model["price"], f"{name}, price")]}
            if "price" in model
            else model
            for model in models
        ],
        [said(row) for row in common],
    )
