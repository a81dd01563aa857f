"""What went in and what came out."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from outlay.core.ports import Keeping, Ledger
from outlay.core.query import Query

_INPUT = 1000 * Decimal("2.5") / 10**6  # what every call of the writers uses, at the list price
_OUTPUT = Decimal(10) / 10**6
_KINDS = {"postgresql": "PostgreSQL", "clickhouse": "ClickHouse"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The result of one kind of fault."""

    fault: str
    rounds: int
    confirmed: int  # calls that a flush had confirmed, or that a program was told are in the journal
    kept: int  # calls in the ledger
    lost: int  # confirmed and not in the ledger
    doubled: int  # in the ledger more than once, or never recorded
    told: int = 0  # not recorded, and said so
    note: str = ""

    @property
    def is_clean(self) -> bool:
        """Whether nothing is lost and nothing doubled."""
        return (self.lost, self.doubled) == (0, 0)


def counted(
    ledger: Ledger, confirmed: Mapping[str, int], *, fault: str, rounds: int, note: str = "", told: int = 0
) -> Tally:
    """Compare a ledger with what each writer was sure of: its calls 0 to n-1, by their sessions.

    Its money is compared too: a total that is off is a doubled call.
    """
    answer = ledger.rows(Query(by=("user", "session")))
    calls = {row["session"]: row["calls"] for row in answer.rows}
    wanted = {f"{name}-{n}" for name, count in confirmed.items() for n in range(count)}
    strange = sum(row["user"] not in confirmed for row in answer.rows)
    numbers = [int(session.rpartition("-")[2]) for session in calls]
    money = sum(_INPUT + number % 500 * _OUTPUT for number in numbers)
    doubled = sum(count - 1 for count in calls.values()) + strange
    if not doubled and answer.total["cost"] != (money or None):
        doubled = 1
    doubled += len(ledger.verify()) if isinstance(ledger, Keeping) else 0
    return Tally(
        fault=fault,
        rounds=rounds,
        confirmed=len(wanted),
        kept=answer.total["calls"],
        lost=len(wanted - set(calls)),
        doubled=doubled,
        told=told,
        note=note,
    )


def kind_of(url: str) -> str:
    """Name the kind of a server's ledger."""
    return _KINDS[url.partition(":")[0]]
