"""Ctrl-C on a terminal: one line, code 130, and the ledger in the state before the command or behind it."""

import os
import pty
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.command import clean_environ

from outlay.core.query import Query
from outlay.ledger import DuckLedger
from outlay.ledger.locks import take
from outlay.testing import NOON, call

ON_TERMINAL = """
import fcntl, os, signal, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be ignored where tests run
os.execv(sys.executable, [sys.executable, "-m", "outlay", *sys.argv[1:]])
"""
CTRL_C = b"\x03"
OLD, NEW = 1000, 500  # calls, each of 10 tokens of input and recorded with a cost of 0.1
REPRICED = Decimal("0.000025")  # 10 tokens at 2.50 for a million
ENDLESS = (
    "SELECT count(*) FROM range(10000000000) AS a, range(100000000) AS b WHERE a.range * b.range = -1",
    "SELECT count(*) FROM calls a, calls b, calls c, calls d, calls e, calls f",
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept") / "ledger"
    with closing(DuckLedger(folder)) as ledger:
        ledger.add(call(NOON - timedelta(days=9), units={"input": 10}) for _ in range(OLD))
        ledger.add(call(NOON, units={"input": 10}) for _ in range(NEW))
    return folder


def broken_off(folder: Path, command: Sequence[str], seconds: float) -> tuple[int, str]:
    """Press Ctrl-C so long after the command has taken the ledger; give its code and what it said."""
    screen, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", ON_TERMINAL, *command],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=clean_environ(folder),
    ) as process:
        os.close(terminal)
        while process.poll() is None and _is_free(folder / "ledger"):
            time.sleep(0.002)
        time.sleep(seconds)
        os.write(screen, CTRL_C)
        try:
            code = process.wait(60)
        finally:
            process.kill()
    return code, _all_of(screen)


def _is_free(ledger: Path) -> bool:
    release = take(str(ledger / "ledger.lock"), 0)
    if release is not None:
        release()
    return release is not None


def _all_of(screen: int) -> str:
    said = b""
    with open(screen, "rb", buffering=0) as reading:  # a descriptor
        try:
            while some := reading.read(4096):
                said += some
        except OSError:  # nobody has the terminal any more
            pass
    return said.decode().replace("\r\n", "\n")


def state(folder: Path) -> tuple[int, int, Decimal]:
    """Prove the ledger, and give how many calls it counts, how many of them were pruned, and the cost."""
    with closing(DuckLedger(folder / "ledger")) as ledger:
        assert ledger.verify() == ()
        found = ledger.rows(Query())
        return found.total["calls"], found.rolled, found.total["cost"]


@pytest.mark.parametrize("text", ENDLESS)
def test_a_select_without_end_is_ended_by_the_first_one(kept: Path, tmp_path: Path, text: str) -> None:
    shutil.copytree(kept, tmp_path / "ledger")
    code, said = broken_off(tmp_path, ["sql", text], 0.4)
    assert (code, said) == (130, "^C\noutlay: interrupted\n")
    assert state(tmp_path) == (OLD + NEW, 0, (OLD + NEW) * Decimal("0.1"))


@pytest.mark.parametrize(
    "command",
    [
        ["ledger", "prune", "--before", f"{NOON:%Y-%m-%d}", "--yes"],
        ["ledger", "compact"],
        ["reprice", "--since", "2026-11-01"],
    ],
    ids=["prune", "compact", "reprice"],
)
def test_what_changes_the_ledger_leaves_a_state_that_adds_up(
    kept: Path, tmp_path: Path, command: list[str]
) -> None:
    """Whatever moment it is; the same command then does the rest."""
    for round_ in range(2):
        folder = tmp_path / str(round_)
        shutil.copytree(kept, folder / "ledger")
        code, said = broken_off(folder, command, random.uniform(0, 0.3))  # noqa: S311  # a moment
        assert code in (0, 130, -2), said  # -2: it was done, and Python was about to end
        assert "Traceback" not in said
        calls, rolled, cost = state(folder)
        again = (OLD + NEW) * Decimal("0.1") - cost  # by as much as the calls priced anew cost less
        assert calls == OLD + NEW
        assert again % (Decimal("0.1") - REPRICED) == 0
        assert rolled in (0, OLD)
        subprocess.run(
            [sys.executable, "-m", "outlay", *command],
            env=clean_environ(folder),
            capture_output=True,
            check=True,
        )
        done = (OLD if "prune" in command else 0, REPRICED if "reprice" in command else Decimal("0.1"))
        assert state(folder) == (OLD + NEW, done[0], (OLD + NEW) * done[1])
