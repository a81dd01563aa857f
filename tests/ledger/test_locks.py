"""Lock files: held by one at a time, let go of whatever happens."""

import time
from io import FileIO
from pathlib import Path

import pytest

from outlay.core.errors import LedgerBusyError
from outlay.ledger import DuckLedger, locks
from outlay.ledger.locks import Release, alone, take


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "lock")


def test_who_holds_it_holds_it_alone(path: str) -> None:
    with (
        alone(path),
        pytest.raises(LedgerBusyError, match=r"lock was held by another process for 0.01 seconds"),
        alone(path, 0.01),
    ):
        raise AssertionError("nobody else may be here")
    with alone(path, 0.01):
        pass


def test_an_error_inside_lets_go(path: str) -> None:
    with pytest.raises(KeyError), alone(path):
        raise KeyError
    release = take(path, 0)
    assert release is not None
    release()


def test_who_is_interrupted_while_waiting_leaves_no_open_file(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[FileIO] = []

    def watched(name: str, how: str) -> FileIO:
        opened.append(FileIO(name, how))
        return opened[-1]

    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    with alone(path):
        monkeypatch.setattr(locks, "FileIO", watched)
        monkeypatch.setattr(time, "sleep", interrupted)
        with pytest.raises(KeyboardInterrupt):
            take(path, 5)
    (file,) = opened
    assert file.closed


def test_a_lock_that_nobody_can_let_go_of_is_let_go_of(path: str) -> None:
    """Ctrl-C between taking it and having what lets go of it kept all processes out until this one ended."""
    with pytest.warns(ResourceWarning, match="unclosed file"):
        take(path, 0)
    release = take(path, 0)
    assert release is not None
    release()


def test_who_waits_in_the_queue_waits_for_the_ledger_no_longer_in_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two thirds of its patience go by in the queue."""
    clock = [0.0]
    given: list[float] = []

    def waiting(path: str, patience: float) -> Release | None:
        given.append(patience)
        clock[0] += 20.0 if path.endswith("queue") else patience
        return (lambda: None) if path.endswith("queue") else None

    monkeypatch.setattr("outlay.ledger.duck.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("outlay.ledger.duck.take", waiting)
    with pytest.raises(LedgerBusyError, match="for 30 seconds"):
        DuckLedger(tmp_path).compact()
    assert given == [30.0, 10.0]
