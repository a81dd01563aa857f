"""Following journals: what comes from now on, once, whole lines only."""

from datetime import UTC, datetime
from pathlib import Path

from outlay.core.record import Record
from outlay.journal import Follower, Journal, line_of
from outlay.testing import NOON, call


def names(follower: Follower) -> list[str | None]:
    return [entry.model for entry in follower.poll() if isinstance(entry, Record)]


def test_only_what_comes_from_now_on_is_given_and_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(call(model="before"))
    assert journal.flush()
    follower, whole = Follower(tmp_path), Follower(tmp_path, from_start=True)
    assert names(follower) == []
    journal.append(call(model="a"))
    journal.append(call(model="b"))
    assert journal.flush()
    assert names(follower) == ["a", "b"]
    assert names(follower) == []
    assert names(whole) == ["before", "a", "b"]
    journal.close()


def test_a_journal_that_begins_later_is_followed_from_its_start(tmp_path: Path) -> None:
    follower = Follower(tmp_path / "none yet")
    assert follower.poll() == []
    journal = Journal(tmp_path / "none yet")
    journal.append(call(model="first"))
    assert journal.flush()
    assert names(follower) == ["first"]
    journal.close()


def test_half_a_line_waits_for_its_other_half_and_a_bad_one_is_left_out(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(call(model="a"))
    assert journal.flush()
    follower = Follower(tmp_path)
    (path,) = tmp_path.glob("*.jsonl")
    line = line_of(call(model="b"))
    with path.open("ab") as file:
        file.write(b"broken\n" + line[:20])
        file.flush()
        assert names(follower) == []
        file.write(line[20:])
    assert names(follower) == ["b"]
    journal.close()
    assert datetime.now(UTC) > NOON
