"""ClickHouse as a server that can be killed, and two homes that deliver the same calls to it at once."""

import random
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from tests.support.passing import passing
from tests.support.ports import free_port
from tests.torture.journals import written
from tests.torture.processes import Program, environ
from tests.torture.tally import Tally, counted

from outlay.core.errors import LedgerError
from outlay.journal import segments
from outlay.ledger.clickhouse import ClickHouseLedger, place_of
from outlay.ledger.ship import Offsets, Shipper

_CALLS = 30  # of each delivery
_TRIES = 20
_CLOSING = 20.0  # seconds


class Served:
    """The engine in a folder of its own, behind its HTTP interface on a port that it keeps."""

    def __init__(self, folder: Path) -> None:
        self.database = "outlay"
        self._folder = folder
        self._port = free_port()
        self._process: Program | None = None

    @property
    def url(self) -> str:
        """Where to connect to."""
        times = "connect_timeout=3&send_receive_timeout=10"
        return f"clickhouse://outlay:secret@127.0.0.1:{self._port}/{self.database}?{times}"

    def start(self) -> None:
        """Start it, with what it held when it was last stopped, and return when it answers."""
        arguments = ("-m", "tests.torture.served", self._folder / "engine", self._port)
        self._process = Program(*arguments, env=environ(self._folder), folder=self._folder / "run")
        self._process.wait_for_a_number()
        if not self._process.number():
            raise RuntimeError((self._folder / "run" / "err").read_text("utf-8", "replace")[-2000:])

    def stop(self, *, at_once: bool = False) -> None:
        """Stop it; ``at_once`` by ``kill -9``.

        An engine that is closed while it works at a request now and then waits for itself for ever; it is
        killed then, which is as good a fault.
        """
        process, self._process = self._process, None
        if process is not None and at_once:
            process.kill()
        elif process is not None:
            try:
                process.terminate(_CLOSING)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def served() -> Iterator[Served]:
    """Have such a server to oneself; it and its folder are gone afterwards."""
    with passing("clickhouse") as folder:
        server = Served(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop(at_once=True)


def delivered_at_once(home: Path, server: Served, rounds: int, chance: random.Random) -> Tally:
    """Ship the same calls out of two homes at the same moment; every fourth time the server dies.

    Each home has them in another order, so that no two batches are the same, which the server would see.
    """
    first, second = home / "first", home / "second"
    confirmed: dict[str, int] = {}
    with closing(_shipper(first, server)) as one, closing(_shipper(second, server)) as other:
        for n in range(rounds):
            written(first, f"w{n}", range(_CALLS))
            _copied_shuffled(first / "journal", second / "journal", n, chance)
            confirmed[f"w{n}"] = _CALLS
            _at_once(one, other, server if n % 4 == 3 else None, chance)
        for each in (one, other):
            _ship_all(each)
    with closing(ClickHouseLedger(place_of(server.url))) as ledger:
        done = counted(
            ledger,
            confirmed,
            fault="the same calls from two homes at once, ClickHouse",
            rounds=rounds,
            note="every fourth time its server was killed meanwhile",
        )
        return replace(done, doubled=done.doubled + ledger.conflicts())


def _copied_shuffled(source: Path, target: Path, nth: int, chance: random.Random) -> None:
    """Put the lines of the newest segments, and some others, into one segment of another home."""
    lines = [line for each in segments(source) for line in each.path.read_bytes().splitlines(keepends=True)]
    again = lines[-_CALLS:] + chance.sample(lines, k=_CALLS // 3)
    chance.shuffle(again)
    target.mkdir(parents=True, exist_ok=True)
    (target / f"20261101T000000-again-{nth}.jsonl").write_bytes(b"".join(again))


def _shipper(home: Path, server: Served) -> Shipper:
    return Shipper(
        home / "journal", Offsets(home, server.url), lambda: ClickHouseLedger(place_of(server.url))
    )


def _at_once(one: Shipper, other: Shipper, victim: Served | None, chance: random.Random) -> None:
    ready = threading.Barrier(2)

    def ship(shipper: Shipper) -> None:
        ready.wait()
        shipper.run()

    threads = [threading.Thread(target=ship, args=(each,)) for each in (one, other)]
    for each in threads:
        each.start()
    if victim is not None:
        time.sleep(chance.uniform(0, 0.3))
        victim.stop(at_once=True)
        victim.start()
    for each in threads:
        each.join()


def _ship_all(shipper: Shipper) -> None:
    for _ in range(_TRIES):
        error = shipper.run().error
        if error is None:
            return
    raise LedgerError(error)
