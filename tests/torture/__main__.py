"""Faults, many rounds, and their figures as a table: ``python -m tests.torture [ROUNDS [PART ...]]``.

Without any part all are done, one after the other.
"""

import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.support.passing import passing
from tests.support.postgres import private
from tests.torture import clickhouse, disks, journals, kills, network
from tests.torture.tally import Tally

_ROUNDS = 200
_HEAD = (
    "fault",
    "rounds",
    "recorded for sure",
    "in the ledger",
    "lost",
    "doubled",
    "not recorded, told",
    "how",
)


Part = Callable[[Path, int, random.Random], Iterator[Tally]]


def _postgresql(folder: Path, rounds: int, chance: random.Random) -> Iterator[Tally]:
    with private(settings=()) as server:
        yield kills.writers_and_shippers(folder / "shippers", server.url, rounds, chance)
    with private(settings=()) as server:
        yield kills.restarts(folder / "restarts", server, _few(rounds), chance)
    with private(settings=()) as server:
        yield network.broken(folder / "network", server.url, _few(rounds) * 2, chance)


def _clickhouse(folder: Path, rounds: int, chance: random.Random) -> Iterator[Tally]:
    with clickhouse.served() as server:
        yield kills.writers_and_shippers(folder / "shippers", server.url, rounds, chance)
    with clickhouse.served() as server:
        yield kills.restarts(folder / "restarts", server, _few(rounds), chance)
    with clickhouse.served() as server:
        yield network.broken(folder / "network", server.url, _few(rounds) * 2, chance)
    with clickhouse.served() as server:
        yield clickhouse.delivered_at_once(folder / "at-once", server, _few(rounds) * 2, chance)


def _embedded(folder: Path, rounds: int, chance: random.Random) -> Iterator[Tally]:
    yield kills.writers_and_readers(folder / "readers", rounds, chance)
    yield kills.migrations(folder / "migrations", rounds, chance)


def _disks(folder: Path, _rounds: int, _chance: random.Random) -> Iterator[Tally]:
    yield disks.full(folder / "full")
    yield disks.full(folder / "floor", "1MB")
    yield disks.read_only(folder / "shut")


def _journals(folder: Path, rounds: int, chance: random.Random) -> Iterator[Tally]:
    yield from journals.delivered_twice(folder / "twice", rounds, chance)
    yield from journals.torn(folder / "torn", rounds, chance)
    yield from journals.clock_back(folder / "clock", rounds, chance)
    yield from journals.two_hosts(folder / "hosts", _few(rounds), chance)
    yield from journals.forked(folder / "forked", _few(rounds))
    yield from journals.pruned_again(folder / "pruned", _few(rounds), chance)


def _few(rounds: int) -> int:
    """Give how often what takes long is done."""
    return max(2, rounds // 10)


PARTS: dict[str, Part] = {
    "embedded": _embedded,
    "postgresql": _postgresql,
    "clickhouse": _clickhouse,
    "disks": _disks,
    "journals": _journals,
}


def _row(cells: tuple[object, ...]) -> str:
    return f"| {' | '.join(f'{each:,}' if isinstance(each, int) else str(each) for each in cells)} |"


def main() -> int:
    """Print the table as it grows; 1 if anything was lost or doubled."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else _ROUNDS
    seed = time.time_ns() % 10**6
    print(f"{rounds} rounds, seed {seed}\n")  # noqa: T201  # what this is for
    print(_row(_HEAD), _row(("---",) * len(_HEAD)), sep="\n", flush=True)  # noqa: T201  # likewise
    clean = True
    chance = random.Random(seed)  # noqa: S311  # only moments
    with passing("torture") as folder:
        for name in sys.argv[2:] or PARTS:
            for each in PARTS[name](folder / name, rounds, chance):
                clean &= each.is_clean
                cells = (each.fault, each.rounds, each.confirmed, each.kept, each.lost, each.doubled)
                print(_row((*cells, each.told, each.note)), flush=True)  # noqa: T201  # likewise
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
