"""Pricing again: recorded calls at the book of today, each at its own instant, and what that would change."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from outlay.core.cost import Cost, fitting
from outlay.core.money import EXACT, ZERO
from outlay.core.record import Record, Revision
from outlay.pricing.book import Book
from outlay.pricing.charge import cost_of
from outlay.pricing.own import OWN

Verdict = Literal["same", "changed", "filled", "stated", "known_no_more", "unpriced"]
# How much a cost says; a call that is known is never made unknown by a book that has lost its price.
_KNOWS: Mapping[str, int] = MappingProxyType(
    {"unpriced": 0, "partial": 1, "priced": 2, "free": 2, "reported": 2}
)


def reckoned(record: Record, book: Book) -> Cost:
    """Give what a call costs by this book, at the instant of the call, as a ledger can hold it."""
    return fitting(
        cost_of(record.usage, provider=record.provider, model=record.model, at=record.at, book=book)
    )


def verdict(record: Record, new: Cost) -> Verdict:
    """Say what a new cost means for a call: ``changed``, ``filled`` where it had none, or why it stays.

    ``stated``: by the provider, or by prices that the caller gave; ``known_no_more``: the book knows less
    than what was recorded; ``unpriced``: it still does not know; ``same``: there is nothing to correct.
    """
    old = record.charge
    if old.status == "reported" or (old.price is not None and old.price.version == OWN):
        return "stated"
    if (old.amount, old.status, old.currency) == (new.amount, new.status, new.currency):
        return "unpriced" if new.amount is None else "same"
    if new.amount is None and old.amount is None:
        return "unpriced"
    if _KNOWS[new.status] < _KNOWS.get(old.status, 0):  # a line of somebody else's may say anything
        return "known_no_more"
    return "filled" if old.amount is None else "changed"


class Group(NamedTuple):
    """The calls of one model on one day whose cost changes between two currencies, mostly the same one."""

    day: str
    provider: str
    model: str | None
    currency_before: str
    currency: str


@dataclass(slots=True)
class Change:
    """What changes for the calls of a group."""

    calls: int = 0
    filled: int = 0  # of them had no cost
    before: Decimal = ZERO  # of the others
    after: Decimal = ZERO

    def add(self, old: Cost, new: Cost) -> None:
        """Count one call in."""
        self.calls += 1
        self.filled += old.amount is None
        self.before = EXACT.add(self.before, old.amount or ZERO)
        self.after = EXACT.add(self.after, new.amount or ZERO)


@dataclass(slots=True)
class Repricing:
    """What pricing again changes, by day and model; filled by :meth:`revisions` as the calls pass through."""

    tz: tzinfo
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    changes: dict[Group, Change] = field(default_factory=dict)

    def revisions(self, records: Iterable[Record], book: Book, now: datetime) -> Iterator[Revision]:
        """Price calls again, one by one, and give a revision for each whose cost is another now."""
        for record in records:
            new = reckoned(record, book)
            found = verdict(record, new)
            self.verdicts[found] += 1
            if found in {"changed", "filled"}:
                self.changes.setdefault(self._group(record, new), Change()).add(record.charge, new)
                yield Revision(record_id=record.id, at=now, charge=new)

    def _group(self, record: Record, new: Cost) -> Group:
        before = new.currency if record.cost is None else record.currency
        day = record.at.astimezone(self.tz).date().isoformat()
        return Group(day, record.provider, record.model, before, new.currency)

    @property
    def changed(self) -> int:
        """How many calls cost something else now, those that had no cost included."""
        return self.verdicts["changed"] + self.verdicts["filled"]

    def rows(self) -> list[dict[str, Any]]:
        """Give one row a day and model, in this order.

        ``before`` is the sum of the costs that were known, None where none was. ``difference`` is what the
        sum of known costs changes by, None between currencies.
        """
        return [_row(group, self.changes[group]) for group in sorted(self.changes, key=_place)]

    def totals(self) -> list[dict[str, Any]]:
        """Give one row for each pair of currencies."""
        sums: dict[tuple[str, str], Change] = {}
        for group, change in self.changes.items():
            whole = sums.setdefault((group.currency_before, group.currency), Change())
            whole.calls += change.calls
            whole.filled += change.filled
            whole.before = EXACT.add(whole.before, change.before)
            whole.after = EXACT.add(whole.after, change.after)
        return [_money(*pair, change) for pair, change in sorted(sums.items())]

    def counts(self) -> dict[str, int]:
        """Give how many calls were looked at, and what came of each."""
        kinds: tuple[Verdict, ...] = ("same", "changed", "filled", "stated", "known_no_more", "unpriced")
        return {"calls": self.verdicts.total(), **{kind: self.verdicts[kind] for kind in kinds}}


def _place(group: Group) -> tuple[str, ...]:
    return group.day, group.provider, group.model or "", group.currency_before, group.currency


def _row(group: Group, change: Change) -> dict[str, Any]:
    named = {"day": group.day, "provider": group.provider, "model": group.model}
    return {**named, **_money(group.currency_before, group.currency, change)}


def _money(before: str, after: str, change: Change) -> dict[str, Any]:
    """Name the sums of a group: where no call had a cost, what they cost before is not known."""
    return {
        "calls": change.calls,
        "filled": change.filled,
        "before": change.before if change.filled < change.calls else None,
        "currency_before": before,
        "after": change.after,
        "currency": after,
        "difference": EXACT.subtract(change.after, change.before) if before == after else None,
    }
