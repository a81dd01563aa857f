"""``kill -9`` of writers, readers and shippers at random moments; a server that is restarted under load."""

import random
import shutil
import time
from contextlib import closing
from pathlib import Path
from typing import Protocol

from tests.support.ledger_of_before import STEPS, held, of_before
from tests.torture.processes import migrator, reader, ship_rest, shipping, until, writer
from tests.torture.tally import Tally, counted, kind_of

from outlay.core.query import Query
from outlay.ledger import DuckLedger, open_ledger

_MANY = 10**9
_OLD, _OLD_SCHEMA = 3000, 3  # calls of a ledger of before


class Restarted(Protocol):
    """A server that can be stopped and started, and then has what it had."""

    @property
    def url(self) -> str:
        """Where to connect to."""
        ...

    def start(self) -> None:
        """Start it."""
        ...

    def stop(self, *, at_once: bool = False) -> None:
        """Stop it; ``at_once`` as when its machine fails."""
        ...


def writers_and_readers(home: Path, rounds: int, chance: random.Random) -> Tally:
    """Kill a program that records and one that asks, each at a moment of its own; then look."""
    confirmed = {}
    for n in range(rounds):
        asking, recording = reader(home), writer(home, f"w{n}", _MANY)
        recording.wait_for_a_number()
        first, second = sorted((chance.uniform(0, 0.8), chance.uniform(0, 0.8)))
        victims = [recording, asking]
        chance.shuffle(victims)
        time.sleep(first)
        victims[0].kill()
        time.sleep(second - first)
        victims[1].kill()
        confirmed[f"w{n}"] = recording.number()
    ledger = DuckLedger(home)
    done = counted(
        ledger,
        confirmed,
        fault="kill -9 of writer and reader, DuckDB",
        rounds=rounds,
        note=f"{2 * rounds} kills",
    )
    ledger.close()
    return done


def writers_and_shippers(home: Path, url: str, rounds: int, chance: random.Random) -> Tally:
    """The same with a program that ships itself and ``outlay ship --follow`` beside it."""
    confirmed = {}
    beside = shipping(home, url)
    for n in range(rounds):
        recording = writer(home, f"w{n}", _MANY, url, pause=0.01)
        recording.wait_for_a_number()
        time.sleep(chance.uniform(0, 1.5))  # its first shipment is a second after its first call
        victims = [recording, beside]
        chance.shuffle(victims)
        victims[0].kill()
        time.sleep(chance.uniform(0, 0.1))
        victims[1].kill()
        confirmed[f"w{n}"] = recording.number()
        beside = shipping(home, url)
    beside.kill()
    fault = f"kill -9 of writer and shipper, {kind_of(url)}"
    return _after(home, url, confirmed, fault, rounds, f"{2 * rounds} kills")


def restarts(home: Path, server: Restarted, rounds: int, chance: random.Random) -> Tally:
    """Restart the server under load, half of the times as when its machine fails."""
    recording = writer(home, "w", _MANY, server.url, pause=0.01)
    recording.wait_for_a_number()
    beside = shipping(home, server.url)
    for n in range(rounds):
        time.sleep(chance.uniform(0.3, 1.5))
        server.stop(at_once=bool(n % 2))
        time.sleep(chance.uniform(0, 0.5))
        server.start()
    arrived = recording.number()
    until(lambda: recording.number() > arrived)
    recording.kill()
    beside.kill()
    confirmed = {"w": recording.number()}
    kind = kind_of(server.url)
    how = "half of them SIGQUIT" if kind == "PostgreSQL" else "half of them kill -9"
    return _after(home, server.url, confirmed, f"{kind} restarted under load", rounds, how)


def migrations(home: Path, rounds: int, chance: random.Random) -> Tally:
    """Kill ``outlay ledger migrate`` soon after it says that it began, look at what there is, and go on."""
    done, wrong, old = [], 0, 0
    for n in range(rounds):
        folder = home / str(n)
        of_before(folder, calls=_OLD)
        migrating = migrator(folder)
        migrating.wait_for_a_word(b"bringing")
        time.sleep(chance.uniform(0, 0.04))
        migrating.kill()
        schema, *whole = held(folder)
        old += schema == _OLD_SCHEMA
        wrong += schema not in range(_OLD_SCHEMA, len(STEPS) + 1)  # each step is one transaction
        ledger = DuckLedger(folder)
        ledger.migrate()
        wrong += held(folder) != (len(STEPS), *whole)
        wrong += len(ledger.verify())
        done.append(ledger.rows(Query()).total["calls"])
        ledger.close()
        shutil.rmtree(folder)
    return Tally(
        fault="kill -9 of a migration, DuckDB",
        rounds=rounds,
        confirmed=rounds * _OLD,
        kept=sum(done),
        lost=sum(max(0, _OLD - each) for each in done),
        doubled=sum(max(0, each - _OLD) for each in done) + wrong,
        note=f"{old} found the old schema after it, the others a newer one",
    )


def _after(home: Path, url: str, confirmed: dict[str, int], fault: str, rounds: int, note: str) -> Tally:
    ship_rest(home, url)
    with closing(open_ledger(url, home=home)) as ledger:
        return counted(ledger, confirmed, fault=fault, rounds=rounds, note=note)
