"""All faults, many rounds, and their figures as a table: ``python -m tests.torture [ROUNDS]``."""

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

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


def tallies(folder: Path, rounds: int, chance: random.Random) -> Iterator[Tally]:
    """Do everything, one after the other."""
    few = max(2, rounds // 10)
    yield kills.writers_and_readers(folder / "readers", rounds, chance)
    yield kills.migrations(folder / "migrations", rounds, chance)
    with private(settings=()) as server:
        yield kills.writers_and_shippers(folder / "shippers", server.url, rounds, chance)
    with private(settings=()) as server:
        yield kills.restarts(folder / "restarts", server, few, chance)
    with private(settings=()) as server:
        yield network.broken(folder / "network", server.url, few * 2, chance)
    with clickhouse.served() as served:
        yield kills.writers_and_shippers(folder / "shippers-ch", served.url, rounds, chance)
    with clickhouse.served() as served:
        yield kills.restarts(folder / "restarts-ch", served, few, chance)
    with clickhouse.served() as served:
        yield network.broken(folder / "network-ch", served.url, few * 2, chance)
    with clickhouse.served() as served:
        yield clickhouse.delivered_at_once(folder / "at-once", served, rounds, chance)
    yield disks.full(folder / "full")
    yield disks.full(folder / "floor", "1MB")
    yield disks.read_only(folder / "shut")
    several: tuple[Callable[[], list[Tally]], ...] = (
        lambda: journals.delivered_twice(folder / "twice", rounds, chance),
        lambda: journals.torn(folder / "torn", rounds, chance),
        lambda: journals.clock_back(folder / "clock", rounds, chance),
        lambda: journals.two_hosts(folder / "hosts", few, chance),
        lambda: journals.forked(folder / "forked", few),
        lambda: journals.pruned_again(folder / "pruned", few, chance),
    )
    for each in several:
        yield from each()


def _row(cells: tuple[object, ...]) -> str:
    return f"| {' | '.join(f'{each:,}' if isinstance(each, int) else str(each) for each in cells)} |"


def main() -> int:
    """Print the table as it grows; 1 if anything was lost or doubled."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else _ROUNDS
    seed = time.time_ns() % 10**6
    print(f"{rounds} rounds, seed {seed}\n")  # noqa: T201  # what this is for
    print(_row(_HEAD), _row(("---",) * len(_HEAD)), sep="\n", flush=True)  # noqa: T201  # likewise
    clean = True
    with tempfile.TemporaryDirectory(prefix="outlay-torture-") as folder:
        for each in tallies(Path(folder), rounds, random.Random(seed)):  # noqa: S311  # only moments
            clean &= each.is_clean
            cells = (each.fault, each.rounds, each.confirmed, each.kept, each.lost, each.doubled, each.told)
            print(_row((*cells, each.note)), flush=True)  # noqa: T201  # likewise
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
