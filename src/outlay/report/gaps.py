"""Which models' calls have no price, or only that of a later day, among those that an answer is over."""

from dataclasses import replace

from outlay.core.ports import Ledger
from outlay.core.query import Query, Rows, filters
from outlay.report.values import PriceGap

_UNPRICED = ("unpriced", "partial")
EXTRAPOLATED = "extrapolated_calls"
BY_MODEL = ("provider", "model")


def price_gaps_of(ledger: Ledger, query: Query, answer: Rows) -> tuple[PriceGap, ...]:
    """Name the models whose cost the total does not wholly contain, then those at a price of later."""
    if not answer.total["calls"]:
        return ()
    by_model = replace(query, by=BY_MODEL, metrics=(), detail="counts")
    where = filters((*query.where, ("cost_status", _UNPRICED)))
    lacking = ledger.rows(replace(by_model, where=where)).rows
    found = [PriceGap(row["provider"], row["model"], row["calls"], errors=row["errors"]) for row in lacking]
    return (*sorted(found, key=lambda each: -each.calls), *extrapolated_of(ledger, by_model))


def extrapolated_of(ledger: Ledger, by_model: Query) -> tuple[PriceGap, ...]:
    """Name the models of calls that are older than the first known price, most calls first.

    Of daily totals nobody knows how many they are: with these in the answer it is None, and is asked of the
    single calls alone.
    """
    asked = replace(by_model, metrics=(EXTRAPOLATED,))
    whole = ledger.rows(replace(asked, by=()))
    if whole.total[EXTRAPOLATED] is None and whole.pruned_before is not None:
        asked = replace(asked, since=whole.pruned_before)
        whole = ledger.rows(replace(asked, by=()))
    if not whole.total[EXTRAPOLATED]:  # hardly any ledger has such calls
        return ()
    rows = [row for row in ledger.rows(asked).rows if row[EXTRAPOLATED]]
    rows.sort(key=lambda row: -row[EXTRAPOLATED])
    return tuple(
        PriceGap(row["provider"], row["model"], row[EXTRAPOLATED], extrapolated=True) for row in rows
    )
