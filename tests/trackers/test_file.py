"""The JSON file: shared by processes, kept through crashes and editing, never written over when foreign."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from outlay.core.errors import JournalError, LedgerBusyError
from outlay.ledger.locks import alone
from outlay.trackers import CostTracker, UsageRecord

AT = "2024-01-15T10:00:00Z"
WRITER = """
import sys
from outlay.trackers import CostTracker, UsageRecord
tracker = CostTracker(sys.argv[1])
sys.stdin.readline()
for number in range(int(sys.argv[2])):
    tracker.log(UsageRecord("gpt-4o", 1000, 500, "2024-01-15T10:00:00Z", f"user_{number}"))
"""


def log_one(tracker: CostTracker, user: str = "u") -> None:
    tracker.log(UsageRecord("gpt-4o", 1000, 500, AT, user))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "usage.json"


@pytest.fixture
def full(path: Path) -> CostTracker:
    tracker = CostTracker(path)
    for number in range(5):
        log_one(tracker, f"user_{number}")
    return tracker


def backups(path: Path) -> list[Path]:
    return sorted(path.parent.glob("*.bak"))


def test_row_044_eight_processes_lose_none(path: Path) -> None:
    script = WRITER.replace("sys.stdin", "print(flush=True)\nsys.stdin")
    command = [sys.executable, "-c", script, str(path), "150"]
    pipe = subprocess.PIPE
    running = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(8)]
    for process in running:  # all are there before one begins
        assert process.stdout is not None
        process.stdout.readline()
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in running:
        process.communicate(timeout=120)
    assert [process.returncode for process in running] == [0] * 8
    assert CostTracker(path).total_calls() == 1200
    assert CostTracker(path).get_total_cost() == 15.0
    assert len(json.loads(path.read_text())) == 1200
    assert backups(path) == []


def test_row_044_a_killed_process_loses_at_most_the_call_in_flight(path: Path) -> None:
    script = WRITER.replace("for number", "print('ready', flush=True)\nfor number")
    script += "    print(number, flush=True)\n"
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(path), "100000"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(31)]
    os.kill(process.pid, signal.SIGKILL)
    rest, _ = process.communicate()
    whole = [line for line in (*told[1:], *rest.splitlines(keepends=True)) if line.endswith("\n")]
    kept = CostTracker(path).total_calls()
    assert kept - len(whole) in (0, 1)
    assert json.loads(path.read_text())


def test_row_044_what_another_process_wrote_is_in_every_total(path: Path, full: CostTracker) -> None:
    other = CostTracker(path)
    log_one(other)
    assert full.total_calls() == 6
    log_one(full)
    assert (other.total_calls(), full.total_calls()) == (7, 7)


def test_whatever_a_call_holds_it_is_in_the_file(path: Path) -> None:
    tracker = CostTracker(path)
    metadata = {1: "one", "kinds": {"a"}, "big": 2**70}
    tracker.record(
        input_tokens=1, output_tokens=1, cost=2, prompt_snippet="cut \ud83d", user_id=2**70, metadata=metadata
    )
    (kept,) = CostTracker(path).calls()
    assert kept.prompt == "cut ?"
    assert kept.extra["metadata"] == {"1": "one", "kinds": "{'a'}", "big": pytest.approx(2**70)}
    assert CostTracker(path).get_total_cost() == 2


def test_row_045_an_empty_file_is_an_empty_tracker(path: Path) -> None:
    path.write_text(" \n")
    tracker = CostTracker(path)
    assert tracker.total_calls() == 0
    log_one(tracker)
    assert len(json.loads(path.read_text())) == 1


@pytest.mark.parametrize("text", ["[]", "[\n]\n", " [ ] "])
def test_row_045_an_empty_array_is_one_too(path: Path, text: str) -> None:
    path.write_text(text)
    tracker = CostTracker(path)
    log_one(tracker)
    log_one(tracker)
    assert len(json.loads(path.read_text())) == 2


@pytest.mark.parametrize("cut", [1, 2, 3, 10, 200, 400])
def test_row_045_a_cut_file_is_read_up_to_the_cut_with_a_backup_and_a_warning(
    path: Path, full: CostTracker, caplog: pytest.LogCaptureFixture, cut: int
) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    before = path.read_bytes()
    with caplog.at_level(logging.WARNING, logger="outlay"):
        tracker = CostTracker(path)
    kept = 5 if cut <= 3 else 4
    assert tracker.total_calls() == kept
    if json_is_whole(before):
        return
    (backup,) = backups(path)
    assert backup.read_bytes() == before
    assert backup.name in caplog.text
    log_one(tracker)
    assert len(json.loads(path.read_text())) == kept + 1


def json_is_whole(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def test_row_045_a_file_cut_while_a_tracker_is_open_is_mended_by_the_next_call(
    path: Path, full: CostTracker
) -> None:
    path.write_bytes(path.read_bytes()[:-30])
    log_one(full)
    assert full.total_calls() == 5
    assert len(json.loads(path.read_text())) == 5
    assert len(backups(path)) == 1


def test_row_045_a_mended_file_is_still_its_owners_alone_and_a_link_a_link(
    tmp_path: Path, path: Path, full: CostTracker
) -> None:
    path.write_bytes(path.read_bytes()[:-30])
    path.chmod(0o600)
    link = tmp_path / "elsewhere" / "link.json"
    link.parent.mkdir()
    link.symlink_to(path)
    assert CostTracker(link).total_calls() == 4
    assert link.is_symlink()
    assert len(json.loads(path.read_text())) == 4
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(backups(path)) == 1


def test_row_039_a_tracker_stays_with_its_file_when_the_program_goes_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tracker = CostTracker("usage.json")
    (tmp_path / "deeper").mkdir()
    monkeypatch.chdir(tmp_path / "deeper")
    log_one(tracker)
    assert CostTracker(tmp_path / "usage.json").total_calls() == 1
    assert not any((tmp_path / "deeper").iterdir())


def test_row_045_the_calls_behind_a_broken_one_are_kept(path: Path, full: CostTracker) -> None:
    lines = path.read_text().split("\n")
    lines[2] = lines[2][:50]  # the second call
    path.write_text("\n".join(lines))
    assert [call.user for call in CostTracker(path).calls()] == ["user_0", "user_2", "user_3", "user_4"]


@pytest.mark.parametrize("text", ['{"total": 5}', "hello", "[1, 2]", '[{"name": "Ann"}]', "a,b\n1,2\n"])
def test_row_045_foreign_content_is_never_written_over(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(JournalError, match="left alone"):
        CostTracker(path)
    assert path.read_text() == text


def test_row_045_a_file_that_becomes_foreign_stays_as_it_is(path: Path, full: CostTracker) -> None:
    path.write_text('{"total": 5}')
    with pytest.raises(JournalError, match="left alone"):
        log_one(full)
    assert path.read_text() == '{"total": 5}'


def by_hand(rows: list[dict[str, Any]]) -> str:
    rows.append(
        {"model": "gpt-4o", "input_tokens": 2000, "output_tokens": 0, "timestamp": AT, "user_id": "me"}
    )
    return json.dumps(rows, indent=4) + "\n\n\n"


def without_the_first(rows: list[dict[str, Any]]) -> str:
    return json.dumps(rows[1:])


@pytest.mark.parametrize(("edit", "calls", "dollars"), [(by_hand, 6, 0.0725), (without_the_first, 4, 0.05)])
def test_row_045_a_file_edited_by_hand_is_kept_as_edited(
    path: Path, full: CostTracker, edit: Callable[[Any], str], calls: int, dollars: float
) -> None:
    path.write_text(edit(json.loads(path.read_text())))
    assert (full.total_calls(), full.get_total_cost()) == (calls, dollars)
    log_one(full)
    assert CostTracker(path).get_total_cost() == pytest.approx(dollars + 0.0125)
    assert len(json.loads(path.read_text())) == calls + 1
    assert backups(path) == []


def test_a_call_costs_the_same_however_long_the_file_is(path: Path) -> None:
    tracker = CostTracker(path)
    log_one(tracker)
    first = path.read_bytes()
    for _ in range(50):
        log_one(tracker)
    inode = path.stat().st_ino
    log_one(tracker)
    assert path.stat().st_ino == inode  # written in place, not anew
    assert path.read_bytes().startswith(first[:-3])


def test_row_050_threads_lose_none(path: Path) -> None:
    tracker = CostTracker(path)

    def work() -> None:
        for _ in range(500):
            log_one(tracker)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert CostTracker(path).total_calls() == 4000


def test_a_lock_that_is_not_let_go_of_is_an_error_that_says_so(tmp_path: Path) -> None:
    lock = str(tmp_path / "l.lock")
    with alone(lock), pytest.raises(LedgerBusyError, match="held by another process"), alone(lock, 0.01):
        pass


def test_a_path_that_cannot_be_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot be made"):
        CostTracker(tmp_path / "file" / "usage.json")
