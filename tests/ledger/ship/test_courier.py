"""The courier: ships in the background, backs off, drains at the end of a process, begins anew in a child."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from tests.support.faulty import FaultyLedger

from outlay.core.ports import Ledger
from outlay.core.query import Query
from outlay.core.record import Entry
from outlay.journal import Journal
from outlay.ledger import DuckLedger
from outlay.ledger.ship import Courier, Offsets, ShippedSink, Shipper
from outlay.testing import call

URL = "postgresql://db/calls"


def until(happened: Callable[[], bool]) -> None:
    """Wait for something to happen."""
    end = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal")
    yield journal
    journal.close()


def courier_to(ledger: Ledger, home: Path, journal: Journal, interval: float = 0.01) -> Courier:
    shipper = Shipper(home / "journal", Offsets(home, URL), lambda: ledger)
    return Courier(shipper, URL, flushed=journal.flush, interval=interval)


def test_what_is_recorded_arrives(tmp_path: Path, journal: Journal) -> None:
    ledger = FaultyLedger()
    courier = courier_to(ledger, tmp_path, journal)
    sink = ShippedSink(journal, courier)
    assert not courier.running
    for _ in range(3):
        sink.append(call())
    until(lambda: ledger.info().calls == 3)
    courier.close()
    sink.append(call())
    until(lambda: ledger.info().calls == 4)
    courier.close()


def test_the_end_of_a_process_lets_go_of_the_connection(tmp_path: Path, journal: Journal) -> None:
    ledger = FaultyLedger()
    courier = courier_to(ledger, tmp_path, journal)
    ShippedSink(journal, courier).append(call())
    until(lambda: ledger.info().calls == 1)
    assert ledger.closed == 0
    courier.drain_at_exit()
    assert ledger.closed == 1


def test_it_goes_on_after_failures_and_says_so_once(
    tmp_path: Path, journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = FaultyLedger()
    ledger.faults = ["before", "after", "before", "after", "before"]
    courier = courier_to(ledger, tmp_path, journal)
    ShippedSink(journal, courier).append(call())
    until(lambda: not ledger.faults and ledger.info().calls == 1 and courier.catch_up(5) is None)
    courier.close()
    assert caplog.text.count("calls are kept in the journal until") == 1


def test_a_driver_that_raises_whatever_it_likes_does_not_end_the_thread(
    tmp_path: Path, journal: Journal
) -> None:
    ledger = FaultyLedger()

    def broken() -> Ledger:
        if not ledger.closed:
            ledger.closed = 1
            raise ZeroDivisionError
        return ledger

    courier = Courier(Shipper(tmp_path / "journal", Offsets(tmp_path, URL), broken), URL, interval=0.01)
    ShippedSink(journal, courier).append(call())
    until(lambda: ledger.info().calls == 1)
    courier.close()


def test_attempts_become_rarer_and_are_never_in_step(tmp_path: Path, journal: Journal) -> None:
    """Doubling from the interval up to a minute, each drawn from the upper half."""
    courier = courier_to(FaultyLedger(), tmp_path, journal, interval=1.0)
    assert courier._pause() == 1.0
    for failures, longest in ((1, 2.0), (2, 4.0), (3, 8.0), (6, 60.0), (60, 60.0)):
        courier._failures = failures
        pauses = {courier._pause() for _ in range(50)}
        assert len(pauses) == 50
        assert all(longest / 2 <= pause <= longest for pause in pauses)


def test_catching_up_says_what_is_missing_and_why(tmp_path: Path, journal: Journal) -> None:
    ledger = FaultyLedger()
    courier = courier_to(ledger, tmp_path, journal)
    journal.append(call())
    ledger.faults = ["before"]
    missing = courier.catch_up(5)
    assert missing is not None
    assert "not in postgresql://db/calls yet: server closed the connection" in missing
    other = Shipper(tmp_path / "journal", Offsets(tmp_path, URL), lambda: ledger)
    assert other.turn.take()
    assert "another process is shipping" in (courier.catch_up(0.2) or "")
    threading.Timer(0.2, other.turn.give).start()
    assert courier.catch_up(20) is None
    assert ledger.info().calls == 1


def test_the_end_waits_for_the_turn_of_another_process(tmp_path: Path, journal: Journal) -> None:
    """Workers of one home end at the same moment: this one wrote last what the other had not seen."""
    ledger = FaultyLedger()
    other = Shipper(tmp_path / "journal", Offsets(tmp_path, URL), lambda: ledger)
    assert other.turn.take()
    courier = courier_to(ledger, tmp_path, journal, interval=1000)
    ShippedSink(journal, courier).append(call())
    threading.Timer(0.5, other.turn.give).start()
    courier.close()
    assert ledger.info().calls == 1


RECORD = """
import os, sys, threading, time
from pathlib import Path
from outlay.journal import Journal
from outlay.ledger import DuckLedger
from outlay.ledger.ship import Courier, Offsets, ShippedSink, Shipper
from outlay.testing import call
home, target, how = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
class Slow(DuckLedger):
    in_process = how != "slow"
    def add_lines(self, lines):
        if how == "slow":
            time.sleep(60)
        if how == "engine":
            working.set()
            engine = duckdb.connect()
            engine.execute("SET enable_progress_bar = false")
            engine.execute("SELECT sum(a.range * b.range) FROM range(100_000) a, range(1_000) b").fetchall()
        return super().add_lines(lines)
working = threading.Event()
if how == "engine":
    import duckdb
    from outlay.ledger.ship import courier
    courier._EXIT_SECONDS = 0.01
journal = Journal(home / "journal")
shipper = Shipper(home / "journal", Offsets(home, "postgresql://db/calls"), lambda: Slow(target))
courier = Courier(shipper, "db", flushed=journal.flush, interval=1000 if how in ("late", "signal") else 0.01)
sink = ShippedSink(journal, courier)
import importlib.machinery
importlib.machinery.SourceFileLoader.kept = courier  # to the very end, as a tracer keeps what it has seen
recorder = journal if how == "engine" else sink  # all is written before the one parcel that there is time for
for n in range(100):
    recorder.append(call(user="parent"))
if how == "engine":
    journal.flush(30)
    courier.start()
    assert working.wait(30)
if how == "fork":
    while not courier.running:
        time.sleep(0.01)
    for n in range(3):
        if not os.fork():
            for n in range(100):
                sink.append(call(user="child"))
            courier.drain_at_exit()
            os._exit(0)
    for n in range(3):
        os.wait()
if how == "multiprocessing":
    import multiprocessing
    def work():
        for n in range(100):
            sink.append(call(user="child"))
    workers = [multiprocessing.get_context("fork").Process(target=work) for _ in range(3)]
    for worker in workers: worker.start()
    for worker in workers: worker.join()
print(time.monotonic(), flush=True)
if how == "signal":
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # what measures tests handles it, by an os of its own
    signal.raise_signal(signal.SIGTERM)
"""


def run(how: str, tmp_path: Path, code: int = 0) -> tuple[dict[str | None, int], float]:
    """Record in a process of its own; give the calls that arrived by user, and how long its end took."""
    quiet = (
        "-W",
        "ignore::DeprecationWarning:__main__",
    )  # Python 3.12 and newer warn of forks beside threads
    command = [sys.executable, *quiet, "-c", RECORD, str(tmp_path / "home"), str(tmp_path / "target"), how]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    took = time.monotonic() - float(done.stdout.split()[-1])
    assert (done.returncode, done.stderr) == (code, "")
    ledger = DuckLedger(tmp_path / "target")
    rows = ledger.rows(Query(by=("user",))).rows
    ledger.close()
    return {row["user"]: row["calls"] for row in rows}, took


def test_a_ledger_that_still_hangs_when_its_courier_is_closed_is_not_closed_under_it(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hanging(FaultyLedger):
        """Takes nothing until it may, and knows whether it was closed."""

        closed = False

        def add(self, entries: Iterable[Entry]) -> int:
            asked.set()
            assert go_on.wait(30)
            return super().add(entries)

        def close(self) -> None:
            self.closed = True

    monkeypatch.setattr("outlay.ledger.ship.courier._EXIT_SECONDS", 0.01)
    asked, go_on, ledger = threading.Event(), threading.Event(), Hanging()
    courier = courier_to(ledger, tmp_path, journal)
    ShippedSink(journal, courier).append(call())
    assert asked.wait(30)
    (thread,) = (each for each in threading.enumerate() if each is courier._thread)
    courier.close()
    assert not ledger.closed
    go_on.set()
    thread.join(30)
    assert not thread.is_alive()
    courier.close()
    assert ledger.closed


def test_what_is_left_is_shipped_at_the_end_of_the_process(tmp_path: Path) -> None:
    """Though the next look would have been in a quarter of an hour."""
    assert run("late", tmp_path)[0] == {"parent": 100}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
def test_what_is_left_is_shipped_before_a_signal_that_a_process_sends_itself(tmp_path: Path) -> None:
    """As uvicorn does when it has shut down."""
    assert run("signal", tmp_path, -signal.SIGTERM)[0] == {"parent": 100}


def test_before_a_signal_all_is_shipped_though_no_look_is_due(tmp_path: Path, journal: Journal) -> None:
    ledger = FaultyLedger()
    courier = courier_to(ledger, tmp_path, journal, interval=1000)
    ShippedSink(journal, courier).append(call())
    courier.ship_last()
    assert ledger.info().calls == 1


def test_a_server_that_hangs_holds_the_end_of_a_process_up_for_seconds_only(tmp_path: Path) -> None:
    arrived, took = run("slow", tmp_path)
    assert arrived == {}
    assert took < 30
    left = Shipper(
        tmp_path / "home" / "journal",
        Offsets(tmp_path / "home", "postgresql://db/calls"),
        lambda: DuckLedger(tmp_path / "target"),
    )
    assert left.run().new == 100
    left.close()


def test_an_engine_in_the_process_is_not_torn_down_in_its_work(tmp_path: Path) -> None:
    """A C++ engine that comes back to a Python that has ended aborts the process."""
    assert run("engine", tmp_path)[0] == {"parent": 100}


@pytest.mark.parametrize("how", ["fork", "multiprocessing"])
def test_forked_children_ship_what_they_record(tmp_path: Path, how: str) -> None:
    assert run(how, tmp_path)[0] == {"parent": 100, "child": 300}
    home = tmp_path / "home"
    assert json.loads(Offsets(home, "postgresql://db/calls").file.read_bytes())["dead"] == 0
