"""Writers, readers and shippers as processes of their own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.together import group

ROOT = Path(__file__).parents[2]
_PATIENCE = 60.0


def environ(home: Path, ledger: str | None = None, **more: str) -> dict[str, str]:
    """Give the environment of a program whose calls go there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OUTLAY_")}
    found = {
        **kept,
        "OUTLAY_HOME": str(home),
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}",
        "OUTLAY_MIN_FREE": "0",
        **more,
    }
    return found if ledger is None else {**found, "OUTLAY_LEDGER": ledger}


class Program:
    """A running program whose last printed number is known."""

    def __init__(self, *arguments: object, env: dict[str, str], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._out = folder / f"out-{time.monotonic_ns()}"
        self._err = folder / "err"  # of all programs of the folder
        with self._out.open("wb") as out, self._err.open("ab") as err:
            self._process = subprocess.Popen(
                [sys.executable, *map(str, arguments)],
                stdout=out,
                stderr=err,
                env=env,
                cwd=folder,
                process_group=group(),
            )

    def number(self) -> int:
        """Give the last number on a whole line; 0 if there is none."""
        lines = self._out.read_bytes().split(b"\n")[:-1]
        return int(lines[-1]) if lines else 0

    def wait_for_a_number(self, at_least: int = 1) -> None:
        """Wait until it has printed one."""
        until(lambda: self.number() >= at_least or self._process.poll() is not None)

    def wait_for_a_word(self, word: bytes) -> None:
        """Wait until it has said something on its standard error."""
        until(lambda: word in self._err.read_bytes() or self._process.poll() is not None)

    def kill(self) -> None:
        """End it as ``kill -9`` does."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(_PATIENCE)

    def terminate(self, patience: float = _PATIENCE) -> int:
        """Ask it to end, within so many seconds."""
        self._process.terminate()
        return self._process.wait(patience)

    def end(self) -> int:
        """Wait for its end."""
        return self._process.wait(_PATIENCE)


def until(happened: Callable[[], bool]) -> None:
    """Wait for something to happen."""
    end = time.monotonic() + _PATIENCE
    while not happened():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.002)


def writer(home: Path, name: str, total: int, ledger: str | None = None, pause: float = 0.0) -> Program:
    """Start a program that records."""
    env = environ(home, ledger)
    return Program("-m", "tests.torture.writer", name, total, pause, env=env, folder=home / "run")


def reader(home: Path, ledger: str | None = None) -> Program:
    """Start a program that asks all the time."""
    return Program("-m", "tests.torture.reader", env=environ(home, ledger), folder=home / "run")


def shipping(home: Path, ledger: str) -> Program:
    """Start ``outlay ship --follow``."""
    return Program("-m", "outlay", "ship", "--follow", env=environ(home, ledger), folder=home / "run")


def migrator(home: Path) -> Program:
    """Start ``outlay ledger migrate``."""
    return Program("-m", "outlay", "ledger", "migrate", env=environ(home, str(home)), folder=home / "run")


def ship_rest(home: Path, ledger: str) -> None:
    """Ship what is left, by the command."""
    done = subprocess.run(
        [sys.executable, "-m", "outlay", "ship", "--once"],
        env=environ(home, ledger),
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
