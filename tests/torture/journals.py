"""Journals delivered twice, torn, written by two hosts, by forked children, or under a clock gone back."""

import json
import os
import random
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from tests.support.chdb import an_empty_ledger
from tests.torture.tally import Tally, counted

from outlay.core.cost import Cost
from outlay.core.ports import Ledger
from outlay.core.query import Query
from outlay.core.record import Record
from outlay.core.usage import Usage
from outlay.journal import Journal, segments
from outlay.ledger import DuckLedger, MemoryLedger
from outlay.ledger.clickhouse import ClickHouseLedger
from outlay.ledger.ship import Offsets, Shipper
from outlay.testing import NOON, FixedClock, call

URL = "postgresql://stand-in/calls"
_CLICKHOUSE = "clickhouse://stand-in/calls"


def _call(name: str, number: int, clock: FixedClock | None = None) -> Record:
    """Make a call like those of the writers, at today's list price whatever the clock says."""
    from outlay.pricing import cost_of  # noqa: PLC0415  # loaded when used

    usage = Usage.of({"input": 1000, "output": number % 500} if number % 500 else {"input": 1000})
    at = NOON if clock is None else clock.now()
    charge: Cost = cost_of(usage, provider="openai", model="gpt-4o", at=NOON)
    return call(at, user=name, session=f"{name}-{number}", usage=usage, charge=charge)


def written(home: Path, name: str, numbers: range, segment_bytes: int = 20_000) -> None:
    """Write calls of that name into a home's journal, as a program does."""
    journal = Journal(home / "journal", segment_bytes=segment_bytes, batch_delay=0)
    for number in numbers:
        journal.append(_call(name, number))
        if not number % 50:
            journal.flush(10)
    journal.close()


def _everywhere(  # what a line of the table says
    home: Path,
    confirmed: dict[str, int],
    fault: str,
    rounds: int,
    note: str = "",
    shipped: MemoryLedger | None = None,
) -> list[Tally]:
    """Count in the embedded ledger, and in two that are shipped to: one in memory, and ClickHouse."""
    with closing(DuckLedger(home)) as embedded, an_empty_ledger() as clickhouse:
        shipped = shipped or MemoryLedger()
        _ship(home, URL, shipped)
        _ship(home, _CLICKHOUSE, clickhouse)
        ledgers: dict[str, Ledger] = {"DuckDB": embedded, "shipped": shipped, "ClickHouse": clickhouse}
        return [
            counted(ledger, confirmed, fault=f"{fault}, {how}", rounds=rounds, note=note)
            for how, ledger in ledgers.items()
        ]


def _ship(home: Path, url: str, ledger: Ledger) -> None:
    """Ship all that there is; then once more from the beginning."""
    shipper = Shipper(home / "journal", Offsets(home, url), lambda: ledger)
    for again in (False, True):
        if again:
            Offsets(home, url).file.unlink()
        done = shipper.run()
        if done.error is not None:
            raise RuntimeError(done.error)


def delivered_twice(home: Path, rounds: int, chance: random.Random) -> list[Tally]:
    """Copy segments under other names, whole and in part; lose the offsets; ship again."""
    written(home, "w", range(800))
    ledger: Ledger = DuckLedger(home)
    for n in range(rounds):
        segment = chance.choice(segments(home / "journal"))
        content = segment.path.read_bytes()
        lines = content.splitlines(keepends=True)
        chance.shuffle(lines)
        part = b"".join(lines[: chance.randrange(len(lines) + 1)])
        segment.path.with_name(f"2026110{n % 10}T000000-again-{n}.jsonl").write_bytes(part)
        if chance.random() < 0.3:  # now and then
            ledger.rows(Query())
            Offsets(home, URL).file.unlink(missing_ok=True)
    ledger.close()
    return _everywhere(
        home, {"w": 800}, "duplicate delivery", rounds, "segments copied and shuffled, offsets lost"
    )


def torn(home: Path, rounds: int, chance: random.Random) -> list[Tally]:
    """Spoil bytes in the middle, cut the tail, put noise between the lines; the good lines are all in."""
    written(home, "w", range(400))
    for n in range(rounds):
        before = set(segments(home / "journal"))
        written(home, f"x{n}", range(40), segment_bytes=10**7)
        (newest,) = set(segments(home / "journal")) - before
        lines = newest.path.read_bytes().splitlines(keepends=True)
        spoilt = chance.randrange(1, len(lines) - 1)
        line = bytearray(lines[spoilt])
        for _ in range(5):
            line[chance.randrange(len(line) - 1)] = chance.choice(b'\x00\xff{}"x')
        if _is_json(bytes(line)):  # what is still an object with other content is no fault that can be seen
            line[0] = 0
        lines[spoilt] = bytes(line)
        lines[-1] = lines[-1][: chance.randrange(1, len(lines[-1]) - 1)]
        lines.insert(chance.randrange(len(lines)), chance.choice((b"\n", b"[]\n", b"\xff\xfe\n", b"null\n")))
        newest.path.write_bytes(b"".join(lines))
    confirmed = {"w": 400, **{f"x{n}": 40 for n in range(rounds)}}
    return [
        _forgiving(each, rounds * 2)
        for each in _everywhere(home, confirmed, "corrupt middle and tail", rounds)
    ]


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _forgiving(tally: Tally, spoilt: int) -> Tally:
    """The lines that were spoilt are gone, no other; each is told as a fault."""
    return Tally(
        fault=tally.fault,
        rounds=tally.rounds,
        confirmed=tally.confirmed - spoilt,
        kept=tally.kept,
        lost=abs(tally.lost - spoilt),
        doubled=tally.doubled,
        told=spoilt,
        note="the spoilt lines are told as faults or dead letters",
    )


def clock_back(home: Path, rounds: int, chance: random.Random) -> list[Tally]:
    """Set the clock back and forth between batches: by seconds, over midnight, by years."""
    clock = FixedClock()
    journal = Journal(home / "journal", clock=clock, segment_bytes=20_000, batch_delay=0)
    embedded = DuckLedger(home)
    number = 0
    for n in range(rounds):
        clock.move(chance.choice((-1, 1)) * chance.choice((1, 3_600, 86_400, 40_000_000)))
        for _ in range(20):
            journal.append(_call("w", number, clock))
            number += 1
        journal.flush(10)
        if not n % 5:
            embedded.rows(Query())
    journal.close()
    embedded.close()
    return _everywhere(home, {"w": number}, "clock set back", rounds, "seconds, hours, days, a year")


def two_hosts(home: Path, rounds: int, chance: random.Random) -> list[Tally]:
    """Write into one folder under two hosts' names, process ids alike, and ship from both by turns."""
    confirmed: dict[str, int] = {}
    shipped = MemoryLedger()
    shippers = [Shipper(home / "journal", Offsets(home, URL), lambda: shipped) for _ in range(2)]
    for n in range(rounds):
        for host in ("alpha", "beta"):
            with patch("socket.gethostname", return_value=host):
                written(home, f"{host}{n}", range(30))
            confirmed[f"{host}{n}"] = 30
            chance.choice(shippers).run()
    return _everywhere(home, confirmed, "two hosts, one folder", rounds, shipped=shipped)


def forked(home: Path, rounds: int) -> list[Tally]:
    """Fork after the journal's thread has started; parent and children record on."""
    journal = Journal(home / "journal")
    confirmed = {"parent": 0}
    for n in range(rounds):
        journal.append(_call("parent", n))
        confirmed["parent"] += 1
        child = os.fork()
        if not child:
            code = 1
            try:
                for number in range(20):
                    journal.append(_call(f"child{n}", number))
                code = 0 if journal.flush(30) else 1
            finally:
                os._exit(code)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
            raise RuntimeError("a child could not write")
        confirmed[f"child{n}"] = 20
    journal.close()
    return _everywhere(home, confirmed, "fork after start", rounds)


def pruned_again(home: Path, rounds: int, chance: random.Random) -> list[Tally]:
    """Prune, deliver what was pruned once more, and see that no total moves."""
    clickhouse = home / "clickhouse"
    with closing(DuckLedger(home)) as embedded, an_empty_ledger() as server:
        return [
            _pruned_again(home, "DuckDB", embedded, lambda: None, rounds, chance),
            _pruned_again(
                clickhouse,
                "ClickHouse",
                server,
                lambda: _ship(clickhouse, _CLICKHOUSE, server),
                rounds,
                chance,
            ),
        ]


def _pruned_again(  # a place, and how it is filled
    home: Path,
    kind: str,
    ledger: DuckLedger | ClickHouseLedger,
    fill: Callable[[], None],
    rounds: int,
    chance: random.Random,
) -> Tally:
    clock = FixedClock(NOON - timedelta(days=rounds))
    journal = Journal(home / "journal", clock=clock, batch_delay=0)
    for n in range(rounds):
        journal.append(_call("w", n, clock))
        journal.flush(10)
        clock.move(86_400)
    journal.close()
    kept = {each.name: each.path.read_bytes() for each in segments(home / "journal")}
    fill()
    before = ledger.rows(Query()).total
    found = []
    for n in range(rounds):
        ledger.prune(NOON - timedelta(days=rounds - n))
        name = chance.choice(list(kept))
        (home / "journal" / f"{name[:-6]}-{n}.jsonl").write_bytes(kept[name])
        fill()
        total = ledger.rows(Query()).total
        found.append((total["calls"], total["cost"]) == (before["calls"], before["cost"]))
    return Tally(
        fault=f"pruned calls delivered again, {kind}",
        rounds=rounds,
        confirmed=rounds,
        kept=ledger.rows(Query()).total["calls"],
        lost=0,
        doubled=found.count(False) + len(ledger.verify()),
        told=ledger.info().late,
        note="those told are set aside as late",
    )
