"""Unit economics: what one call, user, session, success, right answer and thousand tokens cost."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from outlay.core.query import Row
from outlay.report.asked import conditions, scope_of
from outlay.report.money import amounts, less, per, sole
from outlay.report.reader import LedgerReader
from outlay.report.values import Breakdown, Report

METRICS = ("successful_calls", "users", "sessions", "judged_calls", "correct_calls", "judged_cost")
PRICED = ("priced", "reported", "free", "partial")
"""The cost statuses of calls whose cost, or some of it, is known."""

UNIT_COSTS = (
    "cost_per_call",
    "cost_per_successful_call",
    "cost_per_user",
    "cost_per_session",
    "cost_per_correct_answer",
    "cost_per_1k_tokens",
)


@dataclass(frozen=True, slots=True)
class Economics(Breakdown):
    """Unit costs of groups of calls, each a Decimal, or None where it is not known.

    A row is the ledger's with METRICS and UNIT_COSTS. Unit costs are over calls with a known cost alone, so
    that an unknown one counts neither as nothing nor as a unit. A success bears the cost of failed calls too,
    and a right answer that of all judged ones. Users and sessions bear the calls that name one. Several
    currencies have no unit cost.
    """


def economics_of(
    reader: LedgerReader, by: str | Iterable[str] = (), *, where: Any = None, **question: Any
) -> Economics:
    """Ask for unit costs; ``question`` is what :meth:`LedgerReader.report` takes beside dimensions.

    Raises:
        QueryError: the question cannot be.
    """
    found = reader.report(by, metrics=METRICS, where=where, **question)
    keys = found.query.by
    scope = scope_of(question)
    known = [*conditions(where), ("cost_status", PRICED)]
    priced = _by_key(reader.report(keys, metrics=METRICS, where=known, detail="sums", **scope), keys)
    nobody = {
        name: _by_key(reader.report(keys, where=[*known, (name, None)], detail="sums", **scope), keys)
        for name in ("user", "session")
    }

    def costed(row: Row, key: tuple[Any, ...] | None) -> Row:
        base = priced.get(key)
        others = {name: rows.get(key) for name, rows in nobody.items()}
        return {**row, **(_unit_costs(base, others) if base is not None else dict.fromkeys(UNIT_COSTS))}

    return Economics(
        rows=tuple(costed(row, tuple(row[key] for key in keys)) for row in found.rows),
        total=costed(found.total, None),
        query=found.query,
        price_gaps=found.price_gaps,
        rolled=found.rolled,
        rolled_unknown=found.rolled_unknown,
    )


def _by_key(report: Report, keys: tuple[str, ...]) -> dict[tuple[Any, ...] | None, Row]:
    """Give the rows by the values of their dimensions, and the total under None."""
    return {None: report.total, **{tuple(row[key] for key in keys): row for row in report.rows}}


def _unit_costs(row: Row, nobody: dict[str, Row | None]) -> Row:
    named = {
        name: sole(less(amounts(row), amounts(rest) if rest is not None and rest["calls"] else {}))
        for name, rest in nobody.items()
    }
    return {
        "cost_per_call": row["avg_cost"],
        "cost_per_successful_call": per(row["cost"], row["successful_calls"]),
        "cost_per_user": per(named["user"], row["users"]),
        "cost_per_session": per(named["session"], row["sessions"]),
        "cost_per_correct_answer": per(row["judged_cost"], row["correct_calls"]),
        "cost_per_1k_tokens": per(row["cost"], row["total_tokens"], 1000),
    }
