"""What keeping house says: how a ledger stands, what was pruned, and where things do not agree."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from outlay.core.instants import text_of
from outlay.core.money import total

ROLLED_DIMENSIONS = (
    "provider",
    "model",
    "operation",
    "user",
    "query_type",
    "agent",
    "action",
    "workspace",
    "status",
    "error_type",
    "currency",
    "cost_status",
)
"""What daily totals of pruned calls are kept by, beside UTC day and tags."""
GONE = ("hour", "session")
"""Dimensions that daily totals do not have."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Calls that processes could not write down, by reason."""

    why: str
    count: int


@dataclass(frozen=True, slots=True)
class FaultyLine:
    """A line of a journal that is no entry."""

    segment: str
    offset: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerInfo:
    """How a ledger stands."""

    ledger: str  # where it is, without a password
    schema: int = 0  # the number of its newest migration; 0 where there are no tables
    calls: int  # single calls that are kept
    first: datetime | None  # the oldest of them, aware UTC
    last: datetime | None
    revisions: int = 0
    conflicts: int = 0  # entries set aside, since their id was taken by other content
    lost: tuple[Lost, ...] = ()
    faults: int = 0  # lines of journals that are no entries
    faulty: tuple[FaultyLine, ...] = ()  # the first 100 of them
    size_bytes: int | None = None  # on disk; None where that cannot be told
    pruned_before: datetime | None = None  # older calls are daily totals
    pruned_calls: int = 0  # how many are in those totals
    late: int = 0  # calls that came when those of their day had been pruned; set aside, in no total
    pending_bytes: int | None = None  # in journals and not here yet; None where the ledger has no journals
    journal_bytes: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give it as a JSON object: instants as text, what cannot be told left out."""
        plain = {
            "ledger": self.ledger,
            "schema": self.schema,
            "recorded": self.calls,
            "first": None if self.first is None else text_of(self.first),
            "last": None if self.last is None else text_of(self.last),
            "revisions": self.revisions,
            "conflicts": self.conflicts,
            "lost": [{"count": each.count, "why": each.why} for each in self.lost],
            "fault_count": self.faults,
            "faults": [
                {"segment": each.segment, "offset": each.offset, "reason": each.reason}
                for each in self.faulty
            ],
            "pruned_before": None if self.pruned_before is None else text_of(self.pruned_before),
            "pruned_calls": self.pruned_calls,
            "late": self.late,
        }
        told = {
            "pending_bytes": self.pending_bytes,
            "journal_bytes": self.journal_bytes,
            "size_bytes": self.size_bytes,
        }
        return plain | {name: value for name, value in told.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Migrated:
    """The number of the newest migration that a ledger had, and has."""

    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Compacted:
    """The bytes that a ledger took on disk; None where that cannot be told."""

    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """Calls that are, or with a dry run would be, daily totals from now on."""

    before: datetime  # midnight UTC: all calls that started earlier
    calls: int
    rollups: int  # rows of daily totals that they became
    costs: Mapping[str, Decimal] = field(default_factory=dict, hash=False)  # by currency, of known costs
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Late calls that are, or with a dry run would be, late no more: in the daily totals, or given up."""

    calls: int
    counted: bool  # in the totals; else in none, for ever
    rollups: int = 0  # rows of daily totals that they became
    costs: Mapping[str, Decimal] = field(default_factory=dict, hash=False)  # by currency, of known costs
    dry_run: bool = False

    def __add__(self, other: "Settled") -> "Settled":
        """Join two parts of one settlement."""
        names = {*self.costs, *other.costs}
        return replace(
            self,
            calls=self.calls + other.calls,
            rollups=self.rollups + other.rollups,
            costs={
                each: total(one[each] for one in (self.costs, other.costs) if each in one) for each in names
            },
        )


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two of journal, ledger and daily totals that say different things."""

    where: str  # the segment, day, table or call
    what: str  # what was compared
    expected: str
    found: str
