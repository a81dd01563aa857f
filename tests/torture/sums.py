"""Random records, and their sums in every ledger beside plain Python's.

``python -m tests.torture.sums [RECORDS]``, a million if not said. Amounts have up to eighteen places, some
are unknown, and they are in three currencies. A sum that is off by the last digit is a fault.
"""

import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from tests.support.chdb import an_empty_ledger
from tests.support.postgres import private

from outlay.core.cost import Cost, unpriced
from outlay.core.ids import uuid7
from outlay.core.money import EXACT
from outlay.core.ports import Ledger
from outlay.core.query import Query
from outlay.core.record import Record
from outlay.core.usage import Usage
from outlay.ledger import DuckLedger, MemoryLedger
from outlay.ledger.postgres import PostgresLedger

RECORDS, _PORTION = 1_000_000, 20_000
_BY = ("model", "currency")
_COUNTS = ("calls", "unpriced_calls", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")
_START = datetime(2026, 9, 1, tzinfo=UTC)
Sums = dict[tuple[str | None, ...], list[Decimal | int]]
"""What the records of one model and currency add up to: the cost, then the counts."""


def records(count: int, chance: random.Random) -> Iterator[Record]:
    """Make records of sixty days, the last ones first as often as not."""
    for _ in range(count):
        at = _START + timedelta(seconds=chance.randrange(60 * 86_400), microseconds=chance.randrange(10**6))
        counts = {
            "input": chance.randrange(200_000),
            "cache_read": chance.choice((0, chance.randrange(10**6))),
            "output": chance.randrange(20_000),
            "reasoning": chance.choice((0, chance.randrange(10**5))),
        }
        yield Record(
            id=uuid7(at, chance.randbytes(10)),
            at=at,
            provider="acme",
            model=chance.choice(("one", "two", "three", None)),
            usage=Usage.of(counts),
            charge=_charge(chance),
        )


def _charge(chance: random.Random) -> Cost:
    currency = chance.choice(("USD", "EUR", "CNY"))
    if chance.random() < 0.1:
        return unpriced("nobody lists it", currency=currency)
    places = chance.choice((2, 6, 13, 18))
    return Cost(Decimal(chance.randrange(10 ** (places + 2))).scaleb(-places), "priced", currency)


def expected(made: Iterator[Record], into: Sums) -> Iterator[list[Record]]:
    """Hand records on in portions, and add them up on the way."""
    portion: list[Record] = []
    for record in made:
        sums = into[record.model, record.currency]
        sums[0] = EXACT.add(Decimal(sums[0]), record.cost or Decimal(0))
        found = (1, int(record.cost is None), *record.usage.totals)
        for number, value in enumerate((*found[:4], *found[5:]), 1):
            sums[number] += value
        portion.append(record)
        if len(portion) == _PORTION:
            yield portion
            portion = []
    if portion:
        yield portion


def sums_of(ledger: Ledger) -> Sums:
    """Ask a ledger for the same."""
    rows = ledger.rows(Query(_BY)).rows
    return {
        tuple(row[name] for name in _BY): [row["cost"] or Decimal(0), *(row[name] for name in _COUNTS)]
        for row in rows
    }


@contextmanager
def _duckdb() -> Iterator[Ledger]:
    with tempfile.TemporaryDirectory() as folder:
        ledger = DuckLedger(Path(folder))
        yield ledger
        ledger.close()


@contextmanager
def _memory() -> Iterator[Ledger]:
    yield MemoryLedger()


@contextmanager
def _postgresql() -> Iterator[Ledger]:
    with private() as server:
        ledger = PostgresLedger(server.url)
        yield ledger
        ledger.close()


LEDGERS: dict[str, Callable[[], AbstractContextManager[Ledger]]] = {
    "memory": _memory,
    "DuckDB": _duckdb,
    "ClickHouse": an_empty_ledger,
    "PostgreSQL": _postgresql,
}


def differing(count: int, chance: random.Random, ledgers: dict[str, Ledger]) -> list[str]:
    """Fill ledgers with the same random records, and name those whose sums are not exact."""
    sums: Sums = defaultdict(lambda: [Decimal(0), *(0 for _ in _COUNTS)])
    for portion in expected(records(count, chance), sums):
        for ledger in ledgers.values():
            ledger.add(portion)
    return [name for name, ledger in ledgers.items() if sums_of(ledger) != dict(sums)]


def main() -> int:
    """Print what differs; 1 if anything does."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else RECORDS
    seed, start = time.time_ns() % 10**6, time.monotonic()
    with ExitStack() as stack:
        ledgers = {name: stack.enter_context(empty()) for name, empty in LEDGERS.items()}
        found = differing(count, random.Random(seed), ledgers)  # noqa: S311  # only numbers
    taken = time.monotonic() - start
    said = f"not exact: {', '.join(found)}" if found else f"exact in {', '.join(ledgers)}"
    print(f"{count:,} random records, seed {seed}: sums {said} ({taken:.0f} s)")  # noqa: T201  # what this is for
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
