"""Errors: which calls fail, on which models, and the money that they cost all the same."""

from dataclasses import dataclass
from typing import Any

from outlay.core.query import Query, Row
from outlay.report.asked import conditions
from outlay.report.money import ratio
from outlay.report.plain import plain
from outlay.report.reader import LedgerReader
from outlay.report.rolled import rolled_json
from outlay.report.values import PriceGap, price_gaps_json, scope_json


@dataclass(frozen=True, slots=True)
class Errors:
    """Failed calls by type and model, and how often each model fails.

    A row of ``rows`` is the ledger's over failed calls, with ``share``, its part of them: ``cost`` is what
    they cost, as far as it is known. A row of ``models`` is the ledger's over all calls, with ``error_cost``,
    ``unpriced_errors`` and ``error_rate`` (0 to 1). ``total`` is over all calls, with the same keys.
    """

    rows: tuple[Row, ...]  # by error_type, provider, model; the most frequent first
    models: tuple[Row, ...]  # by provider, model; the most failed calls first
    total: Row
    query: Query
    price_gaps: tuple[PriceGap, ...] = ()
    rolled: int = 0  # calls that were pruned: no percentiles
    rolled_unknown: int = 0  # further ones, of which nobody knows whether they were asked for

    def to_dict(self) -> dict[str, Any]:
        """Give the report as a JSON object; money is a plain decimal string."""
        return {
            **scope_json(self.query),
            "by": ["error_type", "provider", "model"],
            "rows": plain(self.rows),
            "models": plain(self.models),
            "total": plain(self.total),
            **price_gaps_json(self.price_gaps),
            **rolled_json(self),
        }


def errors_of(reader: LedgerReader, *, where: Any = None, **question: Any) -> Errors:
    """Ask for errors; ``question`` is what :meth:`LedgerReader.report` takes beside dimensions.

    Raises:
        QueryError: the question cannot be.
    """
    further = ("error_cost", "unpriced_errors")
    models = reader.report(("provider", "model"), metrics=further, where=where, **question, order="errors")
    given = conditions(where)
    failed = reader.report(
        ("error_type", "provider", "model"), where=[*given, ("status", "error")], **question, order="calls"
    )
    return Errors(
        rows=tuple({**row, "share": ratio(row["calls"], failed.total["calls"])} for row in failed.rows),
        models=tuple(_rated(row) for row in models.rows),
        total=_rated(models.total),
        query=models.query,
        price_gaps=models.price_gaps,
        rolled=models.rolled,
        rolled_unknown=models.rolled_unknown,
    )


def _rated(row: Row) -> Row:
    return {**row, "error_rate": ratio(row["errors"], row["calls"])}
