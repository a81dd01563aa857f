"""The price book: every known rate, dated; asked for one rate card at a time."""

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from zlib import crc32

from outlay.core.errors import PriceBookError
from outlay.core.instants import to_utc
from outlay.core.providers import provider_id
from outlay.core.usage import Term, sort_terms
from outlay.pricing.card import RateCard, Unpriced
from outlay.pricing.finding import find
from outlay.pricing.resolve import Asked
from outlay.pricing.rows import OVERLAY, USER, Row
from outlay.pricing.tables import (
    DATA,
    Sheet,
    Table,
    data_version,
    lay_over,
    listed_providers,
    load_table,
    overlay_text,
    read_sheet,
    sheet_of,
)
from outlay.pricing.terms import PROVISIONING, is_provisioned, normal_terms
from outlay.pricing.timeline import Timeline

_KEPT = 2048  # timelines kept at most, whatever names callers bring
_LONGEST_KEY = 512  # characters of a key that is worth keeping
# One lock for every book. A thread of the journal's prices too, so a fork waits until no table is half read:
# the child would find this lock taken by a thread that it does not have.
_LOADING = threading.RLock()
if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(
        before=_LOADING.acquire, after_in_parent=_LOADING.release, after_in_child=_LOADING.release
    )


@dataclass(frozen=True, slots=True)
class Listing:
    """One row of the book with whose it is, for showing a price's history."""

    provider: str
    model: str
    row: Row


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """Prices by provider, model, instant and terms. Make one with :meth:`default` or :meth:`of`.

    Tables load per provider when first needed. What was resolved is kept in a bounded store, so that names
    made up by strangers cannot make it grow.
    """

    sheets: tuple[Sheet, ...]
    version: str
    data: Path = DATA  # the generated tables
    _tables: dict[str, Table] = field(default_factory=dict, repr=False)  # at most one per listed provider
    _timelines: dict[tuple[object, ...], Timeline] = field(default_factory=dict, repr=False)

    @classmethod
    def default(cls) -> "Book":
        """Give the packaged book: generated tables under our dated overlay; made once, on first use."""
        return default_book()

    @classmethod
    def at(cls, data: Path) -> "Book":
        """Give the book of another folder of tables, made and laid out as the packaged one is.

        Raises:
            PriceBookError: the folder is no such one.
        """
        try:
            text, version = overlay_text(data), data_version(data)
        except (OSError, UnicodeDecodeError) as error:
            raise PriceBookError(f"{data} holds no tables of prices: {error}") from None
        return cls((sheet_of(text, "overlay.toml", OVERLAY),), f"{version}+{crc32(text.encode()):08x}", data)

    @classmethod
    def of(cls, *prices: Path | str | Sheet, base: "Book | None" = None) -> "Book":
        """Give the packaged book, or another, with your own prices on top; the last file wins.

        Raises:
            PriceBookError: a file that is missing or breaks the format; it names file, row and key.
        """
        below = base or cls.default()
        own = tuple(each if isinstance(each, Sheet) else read_sheet(Path(each), USER) for each in prices)
        version = f"{below.version}+own" if own else below.version
        return cls((*below.sheets, *own), version, below.data)

    def check(self, *providers: str) -> int:
        """Read every row of every provider, or of those that are named, and give how many there are.

        Raises:
            PriceBookError: at the first row that breaks the format.
        """
        count = 0
        for provider in providers or self.providers():
            table = self.table(provider)
            count += len(table.common_rows()) + sum(len(table.rows(model)) for model in table.models.values())
        return count

    def providers(self) -> tuple[str, ...]:
        """Name every provider that has prices."""
        said = {name for sheet in self.sheets for name in sheet.providers()}
        return tuple(sorted(listed_providers(self.data) | said))

    def models(self, provider: str | None = None) -> tuple[tuple[str, str], ...]:
        """Name every model as (provider, id), of one provider or of all; loads what it names."""
        wanted = (provider_id(provider) or "",) if provider else self.providers()
        ids = {each: {model.id for model in self.table(each).models.values()} for each in wanted}
        return tuple((each, model) for each in wanted for model in sorted(ids[each]))

    def table(self, provider: str) -> Table:
        """Give a provider's table with all sheets laid over it; empty for a provider without prices."""
        found = self._tables.get(provider)
        if found is not None:
            return found
        with _LOADING:
            if provider in self._tables:
                return self._tables[provider]
            table = load_table(provider, self.data)
            for sheet in self.sheets:
                lay_over(table, sheet)
            if table.models or table.common:
                self._tables[provider] = table
            return table

    def resolve(
        self,
        provider: str | None,
        model: str | None,
        at: datetime | None = None,
        terms: Mapping[str, str] | tuple[Term, ...] = (),
    ) -> RateCard | Unpriced:
        """Give the rate card of a model at an instant (now, if None), or the reason why there is none."""
        pairs = sort_terms(terms) if isinstance(terms, Mapping) else terms
        return self.timeline(provider, model, pairs).at(datetime.now(UTC) if at is None else to_utc(at))

    def timeline(self, provider: str | None, model: str | None, terms: tuple[Term, ...]) -> Timeline:
        """Give a model's cards under terms; kept, so that the next call costs one look-up."""
        key = (provider, model, terms)
        found = self._timelines.get(key)
        if found is not None:
            return found
        with _LOADING:
            made = self._timeline(provider, model, terms)
            size = len(provider or "") + len(model or "") + sum(len(str(n)) + len(str(v)) for n, v in terms)
            if size <= _LONGEST_KEY:
                while len(self._timelines) >= _KEPT:
                    self._timelines.pop(next(iter(self._timelines)))
                self._timelines[key] = made
        return made

    def _timeline(self, provider: str | None, model: str | None, terms: tuple[Term, ...]) -> Timeline:
        if not model or not model.strip():
            return Timeline(None, unpriced=Unpriced("the call names no model"))
        found = find(self.table, provider, model)
        if isinstance(found, Unpriced):
            return Timeline(None, unpriced=found)
        table, entry, reading, reason = found
        said = normal_terms(table.provider, {**dict(terms), **dict(reading.terms)})  # a name is no default
        asked = Asked(table.provider, entry, said, reading.flags, reason, self.version)
        rows, common = tuple(table.rows(entry)), tuple(table.common_rows())
        edges = {edge for row in (*rows, *common) for edge in (row.start, row.end) if edge is not None}
        windowed = tuple(row for row in (*rows, *common) if row.windows)
        paid = table.provider in PROVISIONING and is_provisioned(terms)
        return Timeline(asked, rows, common, tuple(sorted(edges)), windowed=windowed, provisioned=paid)

    def history(self, model: str, provider: str | None = None) -> tuple[Listing, ...]:
        """Give every row of a model, oldest first; of one provider, or of the first that knows it."""
        found = find(self.table, provider, model)
        if isinstance(found, Unpriced):
            return ()
        table, entry, _, _ = found
        rows = sorted(table.rows(entry), key=lambda row: (row.start is not None, row.start, row.when))
        return tuple(Listing(table.provider, entry.id, row) for row in rows)

    def sellers(self, model: str) -> tuple[str, ...]:
        """Name every provider that lists a model under this name; loads every table."""
        return tuple(each for each in self.providers() if self.table(each).find(model) is not None)


@lru_cache(maxsize=1)
def default_book() -> Book:
    """Make the one default, which :meth:`Book.default` gives; nothing is read before the first call."""
    return Book.at(DATA)
