"""Cube: the calls of a period by time, model, user and feature, small enough to be carried in one page."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from outlay.core.money import EXACT, ZERO
from outlay.core.query import Row, filters
from outlay.report.marks import Marking, Marks
from outlay.report.money import amounts
from outlay.report.reader import LedgerReader

OTHERS = "\x00others"  # a group of all that are not shown by themselves; no name can be it
_SUMS = ("calls", "errors", "unpriced_calls", "input_tokens", "cached_tokens", "output_tokens", "timed_calls")
_METRICS = ("timed_calls", "latency_histogram")
Key = tuple[str | None, ...]
"""The time, model, user and feature of a cell."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What can be added up over some calls; ``cost`` is the known part, in the cube's currency.

    Of ``elsewhere`` calls the cost is known in other currencies alone; ``marks`` are none where all are 0.
    """

    sums: tuple[int, ...] = (0,) * len(_SUMS)
    cost: Decimal = ZERO
    latency_ms: float = 0.0  # of all timed calls together
    latencies: tuple[int, ...] = ()
    elsewhere: int = 0
    marks: Marks = ()

    def plus(self, other: "Cell", sign: int = 1) -> "Cell":
        """Add another cell, or with -1 take it away."""
        return Cell(
            tuple(a + sign * b for a, b in zip(self.sums, other.sums, strict=True)),
            EXACT.add(self.cost, EXACT.multiply(other.cost, sign)),
            self.latency_ms + sign * other.latency_ms,
            _added(self.latencies, other.latencies, sign),
            self.elsewhere + sign * other.elsewhere,
            _added(self.marks, other.marks, sign),
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """How many groups of each kind are shown by themselves, and in which steps of time."""

    unit: str
    models: int
    users: int
    features: int


_LADDER = (
    Limits("day", 40, 25, 20),
    Limits("day", 20, 8, 10),
    Limits("day", 12, 5, 3),
    Limits("day", 12, 0, 5),
    Limits("week", 12, 0, 5),
    Limits("month", 12, 0, 5),
)
_MOST = 10_000  # cells; some 100 bytes each in a page


@dataclass(frozen=True, slots=True)
class Cube:
    """Cells by time, model, user and feature; groups beyond the limits stand together as OTHERS.

    Whatever is added up over all cells is the ledger's own total.
    """

    cells: Mapping[Key, Cell]
    limits: Limits
    feature: str  # the dimension that counts as feature
    currency: str


def cube_of(
    reader: LedgerReader,
    *,
    feature: str,
    currency: str,
    marking: Marking | None = None,
    where: Any = None,
    **question: Any,
) -> Cube:
    """Ask for a cube with as many groups as fit; ``feature`` is a dimension, such as ``query_type``.

    Its cells have the marks that are asked for.

    Raises:
        QueryError: a dimension, filter, period or time zone that cannot be.
    """
    asked = _Asked(reader, feature, currency, marking or Marking(), list(filters(where)), question)
    for limits in _LADDER:
        cells = asked.cells(limits)
        if len(cells) <= _MOST:
            break
    return Cube(cells, limits, feature, currency)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question, cut into groups in several ways."""

    reader: LedgerReader
    feature: str
    currency: str
    marking: Marking
    where: list[Any]
    question: dict[str, Any]

    def cells(self, limits: Limits) -> dict[Key, Cell]:
        models, models_cut = self._dearest("model", limits.models)
        features, features_cut = self._dearest(self.feature, limits.features)
        users, users_cut = self._dearest("user", limits.users)
        by_user = self._by((limits.unit, "model", "user", self.feature), users if users_cut else None)
        found = dict(by_user)
        if users_cut:
            found = self._with_others(found, self._by((limits.unit, "model", self.feature), None))
        kept = (models if models_cut else None, None, features if features_cut else None)
        return _folded(found, kept)

    def _dearest(self, dimension: str, most: int) -> tuple[list[str | None], bool]:
        """Give the dearest groups of a dimension, and whether there are more."""
        found = self.reader.report(
            dimension, order="cost", limit=most, where=self.where, detail="sums", **self.question
        )
        return [row[dimension] for row in found.rows], found.left_out > 0

    def _by(self, by: tuple[str, ...], users: list[str | None] | None) -> dict[Key, Cell]:
        if users is not None and not users:
            return {}
        where = self.where if users is None else [*self.where, ("user", users)]
        rows = self.reader.rows(by, where=where, metrics=_METRICS, detail="sums", **self.question).rows
        marks = self.marking.by(self.reader, by, where, self.question)
        keyed = ((tuple(row[name] for name in by), row) for row in rows)
        return {key: self._cell(row, marks.get(key, ())) for key, row in keyed}

    def _cell(self, row: Row, marks: Marks) -> Cell:
        known = amounts(row)
        apart = known and self.currency not in known
        return Cell(
            tuple(row[name] for name in _SUMS),
            known.get(self.currency, ZERO),
            (row["avg_latency_ms"] or 0.0) * row["timed_calls"],
            tuple(row["latency_histogram"] or ()),  # None of a day that was pruned
            row["calls"] - row["unpriced_calls"] if apart else 0,
            marks,
        )

    @staticmethod
    def _with_others(shown: Mapping[Key, Cell], whole: Mapping[Key, Cell]) -> dict[Key, Cell]:
        """Add what the whole has beyond the users that are shown."""
        rest = dict(whole)
        for (time, model, _, feature), cell in shown.items():
            rest[time, model, feature] = rest[time, model, feature].plus(cell, -1)
        others: dict[Key, Cell] = {
            (time, model, OTHERS, feature): cell
            for (time, model, feature), cell in rest.items()
            if cell.sums[0]
        }
        return {**shown, **others}


def _folded(cells: Mapping[Key, Cell], kept: Iterable[list[str | None] | None]) -> dict[Key, Cell]:
    """Put the groups together that are not kept."""
    sets = [None if names is None else set(names) for names in kept]
    if not any(names is not None for names in sets):
        return dict(cells)
    found: defaultdict[Key, Cell] = defaultdict(Cell)
    for (time, *names), cell in cells.items():
        key = (
            time,
            *(n if keep is None or n in keep else OTHERS for n, keep in zip(names, sets, strict=True)),
        )
        found[key] = found[key].plus(cell)
    return dict(found)


def _added(some: tuple[int, ...], others: tuple[int, ...], sign: int) -> tuple[int, ...]:
    if not some:
        return tuple(sign * count for count in others)
    return tuple(a + sign * b for a, b in zip(some, others, strict=True)) if others else some
