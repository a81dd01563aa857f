"""The history of a model's price: which listed row counted from when to when, and what is known besides."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from outlay.core.usage import Term
from outlay.pricing.book import Book
from outlay.pricing.card import Unpriced
from outlay.pricing.rows import USER, Row
from outlay.pricing.tables import Model, Table
from outlay.pricing.terms import TARIFFS
from outlay.pricing.windows import Window

_EVER = datetime(1, 1, 1, tzinfo=UTC)
_FACTS = ("context_window", "max_output", "deprecated")


@dataclass(frozen=True, slots=True)
class Period:
    """A row as it counts: ``start <= call < end``; None is since ever, and until further notice.

    ``common`` marks a row that holds for every model of the provider.
    """

    start: datetime | None
    end: datetime | None
    row: Row
    common: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """What the book tells of one model at one provider."""

    provider: str
    model: str
    periods: tuple[Period, ...]
    facts: Mapping[str, Any] = field(default_factory=dict, hash=False)


def histories(book: Book, model: str, provider: str | None = None) -> tuple[History, ...]:
    """Give a model's history at the provider, else at its maker, else at everyone who lists the name."""
    if found := book.history(model, provider):
        return (_history(book, found[0].provider, found[0].model, [each.row for each in found]),)
    if provider is not None:
        return ()
    return tuple(
        _history(book, seller, rows[0].model, [each.row for each in rows])
        for seller in book.sellers(model)
        if (rows := book.history(model, seller))
    )


def unlisted(book: Book, model: str, provider: str | None = None) -> str:
    """Say of a model without a history what comes near, or what its calls are priced as."""
    card = book.resolve(provider, model)
    if isinstance(card, Unpriced):
        return card.reason
    return f"no listed price of {model} is known; calls are priced as {card.provider} {card.model}"


def _history(book: Book, provider: str, model: str, rows: Sequence[Row]) -> History:
    table = book.table(provider)
    own = [Period(*span, row) for span, row in periods(rows)]
    common = [Period(*span, row, common=True) for span, row in periods(table.common_rows())]
    entry = table.find(model)
    facts = {} if entry is None else _facts(table, entry)
    return History(provider, model, tuple(sorted((*own, *common), key=_order)), facts)


def at(history: History, moment: datetime) -> History:
    """Give the part of a history that holds at an instant, whatever the hour."""
    holding = tuple(each for each in history.periods if _spans(each, moment))
    return History(history.provider, history.model, holding, history.facts)


def _spans(period: Period, moment: datetime) -> bool:
    return (period.start or _EVER) <= moment and (period.end is None or moment < period.end)


def _order(period: Period) -> tuple[bool, bool, datetime, int, bool, tuple[Term, ...]]:
    """Rates by their date, then factors on them, then what holds for every model of the provider."""
    row = period.row
    start = period.start or _EVER
    return period.common, row.factor is not None, start, len(row.when), bool(row.windows), row.when


Span = tuple[datetime | None, datetime | None]
Key = tuple[tuple[Term, ...], tuple[Window, ...], bool]


def periods(rows: Sequence[Row]) -> Iterator[tuple[Span, Row]]:
    """Give when each row counts: not where a later row, or one of a higher layer, says the same.

    Where a layer has a standard price, what lower layers say is out of force; their factors stay, unless
    the price is the user's own.
    """
    edges = sorted({edge for row in rows for edge in (row.start, row.end) if edge is not None})
    open_since: dict[Key, tuple[datetime | None, Row]] = {}
    for start in (None, *edges):
        counting = _counting([row for row in rows if row.spans(_EVER if start is None else start)])
        for key, (since, row) in list(open_since.items()):
            if counting.get(key) is not row:
                yield (since, start), row
                del open_since[key]
        for key, row in counting.items():
            open_since.setdefault(key, (start, row))
    for since, row in open_since.values():
        yield (since, None), row


def _counting(active: Iterable[Row]) -> dict[Key, Row]:
    """Of the rows that hold at an instant, give the one that counts for each set of terms and hours."""
    held = sorted(active, key=lambda row: (row.layer, row.start or _EVER))
    standard = [row.layer for row in held if row.factor is None and not row.windows and not _tariff(row)]
    best = max(standard, default=0)
    return {
        (row.when, row.windows, row.factor is not None): row
        for row in held
        if row.layer >= best or (row.factor is not None and best < USER)
    }


def _tariff(row: Row) -> bool:
    return any(name in TARIFFS for name, _ in row.when)


def _facts(table: Table, entry: Model) -> dict[str, Any]:
    """Give the facts of a model; those of an alias are the facts of the model it stands for last."""
    facts = {name: entry.facts[name] for name in _FACTS if entry.facts.get(name) is not None}
    if facts or not entry.aliases:
        return facts
    target = table.find(max(entry.aliases, key=lambda alias: alias.start or _EVER).model)
    return {} if target is None else _facts(table, target)  # rows were read: it ends
