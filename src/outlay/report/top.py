"""Where the money goes: the dearest users, sessions, features, models, or groups of any dimension."""

from collections.abc import Mapping
from typing import Any

from outlay.core.query import check_dimension
from outlay.report.reader import LedgerReader
from outlay.report.shares import SHARED, shares_of
from outlay.report.values import Report

KINDS: Mapping[str, str] = {
    "users": "user",
    "sessions": "session",
    "models": "model",
    "features": "tag:feature",
    "feature": "tag:feature",
}
"""Plain words for what can be ranked; any dimension will do as well."""

_OTHER_FEATURE = "query_type"
_CALLS = "calls"  # which the command ranks by itself


def top_of(
    reader: LedgerReader, of: str = "users", *, order: str = "cost", limit: int | None = 10, **question: Any
) -> Report:
    """Rank groups by a metric, largest first, with each one's share of the total.

    ``of`` is one of KINDS or a dimension. Features are the tag ``feature``, or query types where no call has
    that tag. Groups beyond ``limit`` are counted in ``left_out``; shares are of the total of all calls.

    Raises:
        QueryError: no such dimension or metric, or the question cannot be.
    """
    by = KINDS.get(of) or check_dimension(of, (_CALLS, *KINDS))
    found = reader.report(by, order=order, limit=limit, **question)
    if of in ("features", "feature") and all(row[by] is None for row in found.rows) and not found.left_out:
        found = reader.report(_OTHER_FEATURE, order=order, limit=limit, **question)
    return shares_of(found, order) if order in SHARED else found
