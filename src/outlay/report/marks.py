"""Marks: of how many calls of each group a page has a word to say, to say it of those that it shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from outlay.core.query import Row
from outlay.report.gaps import EXTRAPOLATED
from outlay.report.picture import Picture
from outlay.report.reader import LedgerReader

_LACKING = ("cost_status", ("unpriced", "partial"))
_ROLLED = ("hour", (None,))  # single calls have one each
Marks = tuple[int, ...]
"""Of some calls, how many have a cost that is not, or not wholly, known; how many of these failed; how many
have the price of a later day; how many are daily totals; and of each further currency, how many have a cost
in it."""


@dataclass(frozen=True, slots=True)
class Marking:
    """What there is to mark in a period; nothing is asked of what there is not."""

    lacking: bool = False
    later: bool = False
    rolled: bool = False
    others: tuple[str, ...] = ()  # further currencies

    @classmethod
    def of(cls, picture: Picture) -> "Marking":
        """See what a picture of the period has a word to say of."""
        later = [each.extrapolated for each in picture.price_gaps]
        return cls(not all(later), any(later), picture.rolled > 0, picture.others)

    def by(
        self, reader: LedgerReader, by: Sequence[str], where: Sequence[Any], question: dict[str, Any]
    ) -> dict[tuple[str | None, ...], Marks]:
        """Give the marks of each group that has any, by its dimensions.

        Raises:
            QueryError: a dimension, filter, period or time zone that cannot be.
        """
        width = 4 + len(self.others)
        found: dict[tuple[str | None, ...], list[int]] = {}

        def mark(place: int, row: Row, calls: int | None) -> None:
            if calls:
                found.setdefault(tuple(row[name] for name in by), [0] * width)[place] += calls

        def rows(*more: Any, **further: Any) -> Sequence[Row]:
            asked = {**question, "where": [*where, *more], "detail": "counts", **further}
            return reader.rows(by, **asked).rows

        for row in rows(_LACKING) if self.lacking else ():
            mark(0, row, row["calls"])
            mark(1, row, row["errors"])
        for row in rows(metrics=(EXTRAPOLATED,)) if self.later else ():
            mark(2, row, row[EXTRAPOLATED])
        for row in rows(_ROLLED) if self.rolled else ():
            mark(3, row, row["calls"])
        for place, currency in enumerate(self.others, 4):
            for row in rows(("currency", (currency,))):
                mark(place, row, row["calls"] - row["unpriced_calls"])
        return {key: tuple(marks) for key, marks in found.items()}
