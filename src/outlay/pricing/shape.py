"""The shape of a bundle of tables: each key of it is known, and each fact of the kind that is meant."""

from collections.abc import Mapping
from typing import Any

from outlay.core.errors import PriceBookError
from outlay.pricing.facts import check_facts
from outlay.pricing.rows import objects_of

_BUNDLE = frozenset({"format", "version", "made", "overlay", "tables"})
_TABLE = frozenset({"sources", "models"})
_SOURCE = frozenset({"name", "link"})
_MODEL = frozenset(
    {"rows", "names", "context_window", "max_output", "deprecated", "once", "least", "allowance", "untold"}
)


def check_bundle(document: Mapping[str, Any]) -> None:
    """Refuse what pricing would pass over: a key that nobody reads is a price or a term that nobody charges.

    Rows are not looked at: who reads them refuses their keys.

    Raises:
        PriceBookError: at the first such key, or fact of the wrong kind; with the place.
    """
    _check_keys(document, _BUNDLE, "the bundle")
    tables = document.get("tables")
    for provider, table in tables.items() if isinstance(tables, Mapping) else ():
        where = f"{provider!r:.60}"
        _check_keys(table, _TABLE, where)
        for source in objects_of(table.get("sources", ()), f"{where}, sources"):
            _check_keys(source, _SOURCE, f"{where}, sources")
        models = table.get("models", {})
        if not isinstance(models, Mapping):
            raise PriceBookError(f"the bundle breaks the format: {where}, models is no object")
        for model, entry in models.items():
            _check_keys(entry, _MODEL, f"{where}, {model!r:.60}")
            check_facts(entry, f"{where}, {model!r:.60}")


def _check_keys(data: object, known: frozenset[str], where: str) -> None:
    if not isinstance(data, Mapping):
        raise PriceBookError(f"the bundle breaks the format: {where} is no object")
    if strange := sorted(set(data) - known):
        there = ", ".join(sorted(known))
        raise PriceBookError(
            f"the bundle breaks the format: {where} has no key {strange[0]!r:.60}; there are {there}"
        )
