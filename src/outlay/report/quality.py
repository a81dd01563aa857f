"""Quality beside cost: how good the answers of each model are said to be, and what a right one costs."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from outlay.core.query import Row
from outlay.report.asked import conditions, scope_of
from outlay.report.economics import PRICED
from outlay.report.money import per, ratio
from outlay.report.reader import LedgerReader
from outlay.report.values import Breakdown

METRICS = (
    "quality_scores",
    "avg_quality_score",
    "user_ratings",
    "avg_user_rating",
    "judged_calls",
    "correct_calls",
    "judged_cost",
    "unpriced_judged",
)


_OF_COST = ("judged_cost", "correct_calls")


@dataclass(frozen=True, slots=True)
class Quality(Breakdown):
    """Judgements of groups of calls beside their cost.

    A row is the ledger's with METRICS, ``correct_rate`` (of judged calls, 0 to 1) and
    ``cost_per_correct_answer``: the cost of all judged calls by the right ones, calls of unknown cost left
    aside.
    """


def quality_of(
    reader: LedgerReader, by: str | Iterable[str] = "model", *, where: Any = None, **question: Any
) -> Quality:
    """Ask for quality beside cost; ``question`` is what :meth:`LedgerReader.report` takes beside dimensions.

    Raises:
        QueryError: the question cannot be.
    """
    found = reader.report(by, metrics=METRICS, where=where, **question)
    keys = found.query.by
    scope = scope_of(question)
    known = [*conditions(where), ("cost_status", PRICED)]
    priced = reader.rows(keys, metrics=_OF_COST, where=known, detail="counts", **scope)
    by_key = {tuple(row[key] for key in keys): row for row in priced.rows}
    return Quality(
        rows=tuple(_judged(row, by_key.get(tuple(row[key] for key in keys))) for row in found.rows),
        total=_judged(found.total, priced.total),
        query=found.query,
        price_gaps=found.price_gaps,
        rolled=found.rolled,
        rolled_unknown=found.rolled_unknown,
    )


def _judged(row: Row, priced: Row | None) -> Row:
    """Add what follows, of the same calls those of known cost beside them, if there are any."""
    cost = None if priced is None else per(priced["judged_cost"], priced["correct_calls"])
    return {
        **row,
        "correct_rate": ratio(row["correct_calls"], row["judged_calls"]),
        "cost_per_correct_answer": cost,
    }
