"""For tests of programs that use outlay, and of ledgers: a clock that stands still, records, the contract."""

from outlay.testing.asking import asked, by_label, call, calls, labels_of
from outlay.testing.clock import NOON, FixedClock
from outlay.testing.keeping import KeepingContract
from outlay.testing.lines import LinesContract
from outlay.testing.measures import MeasuresContract
from outlay.testing.periods import PeriodsContract
from outlay.testing.revisions import RevisionsContract
from outlay.testing.selecting import SelectingContract
from outlay.testing.singles import CallsContract
from outlay.testing.totals import TotalsContract


class LedgerContract(
    TotalsContract, MeasuresContract, LinesContract, PeriodsContract, CallsContract, RevisionsContract
):
    """What every ledger promises; subclass it in a test module and give it a fixture ``ledger``, empty."""


__all__ = [
    "NOON",
    "FixedClock",
    "KeepingContract",
    "LedgerContract",
    "SelectingContract",
    "asked",
    "by_label",
    "call",
    "calls",
    "labels_of",
]
