"""Unit economics: what one call, user, session, success, right answer and thousand tokens cost."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from outlay.core.query import Query, Row
from outlay.report.money import amounts, less, per, sole
from outlay.report.plain import plain
from outlay.report.reader import LedgerReader
from outlay.report.values import Unpriced, scope_json, unpriced_json

METRICS = (
    "successful_calls",
    "users",
    "sessions",
    "judged_calls",
    "correct_calls",
    "judged_cost",
    "unpriced_judged",
)
UNIT_COSTS = (
    "cost_per_call",
    "cost_per_successful_call",
    "cost_per_user",
    "cost_per_session",
    "cost_per_correct_answer",
    "cost_per_1k_tokens",
)


@dataclass(frozen=True, slots=True)
class Economics:
    """Unit costs of groups of calls, each a Decimal, or None where it is not known.

    A row is the ledger's with METRICS and UNIT_COSTS. ``cost_per_call`` is over calls with a known cost. A
    success bears the cost of failed calls too, and a right answer that of all judged ones. Users and sessions
    bear the calls that name one. Several currencies have no unit cost.
    """

    rows: tuple[Row, ...]
    total: Row
    query: Query
    unpriced: tuple[Unpriced, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Give the report as a JSON object; money is a plain decimal string."""
        return {
            **scope_json(self.query),
            "rows": plain(self.rows),
            "total": plain(self.total),
            "unpriced": unpriced_json(self.unpriced),
        }


def economics_of(
    reader: LedgerReader, by: str | Iterable[str] = (), *, where: Any = None, **question: Any
) -> Economics:
    """Ask for unit costs; ``question`` is what :meth:`LedgerReader.report` takes beside dimensions.

    Raises:
        QueryError: the question cannot be.
    """
    found = reader.report(by, metrics=METRICS, where=where, **question)
    given = list(where.items() if hasattr(where, "items") else where or ())
    scope = {name: value for name, value in question.items() if name not in {"order", "limit"}}
    nobody = {name: reader.report(by, where=[*given, (name, None)], **scope) for name in ("user", "session")}
    keys = found.query.by

    def costed(row: Row, without: dict[str, Row | None]) -> Row:
        named = {
            name: less(amounts(row), {} if rest is None or not rest["calls"] else amounts(rest))
            for name, rest in without.items()
        }
        return {**row, **_unit_costs(row, {name: sole(left) for name, left in named.items()})}

    others = {
        name: {tuple(row[key] for key in keys): row for row in report.rows} for name, report in nobody.items()
    }
    return Economics(
        rows=tuple(
            costed(row, {name: rows.get(tuple(row[key] for key in keys)) for name, rows in others.items()})
            for row in found.rows
        ),
        total=costed(found.total, {name: report.total for name, report in nobody.items()}),
        query=found.query,
        unpriced=found.unpriced,
    )


def _unit_costs(row: Row, named: dict[str, Decimal | None]) -> Row:
    return {
        "cost_per_call": row["avg_cost"],
        "cost_per_successful_call": per(row["cost"], row["successful_calls"]),
        "cost_per_user": per(named["user"], row["users"]),
        "cost_per_session": per(named["session"], row["sessions"]),
        "cost_per_correct_answer": per(row["judged_cost"], row["correct_calls"]),
        "cost_per_1k_tokens": per(row["cost"], row["total_tokens"], 1000),
    }
