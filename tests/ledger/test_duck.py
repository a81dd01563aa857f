"""The embedded ledger keeps the contract."""

import os
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from outlay.core.errors import LedgerBusyError
from outlay.core.ports import Ledger
from outlay.core.query import Query
from outlay.journal import Journal, segments
from outlay.ledger import DuckLedger, duck
from outlay.ledger.locks import alone
from outlay.report import LedgerReader
from outlay.testing import KeepingContract, LedgerContract, SelectingContract, call


class TestDuckLedger(LedgerContract, KeepingContract, SelectingContract):
    """The contract, kept by DuckDB."""

    @pytest.fixture
    def ledger(self, tmp_path: Path) -> Iterator[Ledger]:
        ledger = DuckLedger(tmp_path)
        yield ledger
        ledger.close()


@pytest.mark.skipif(sys.platform == "win32", reason="modes are a Unix thing")
@pytest.mark.parametrize("first", ["journal", "ledger"])
def test_a_home_that_is_made_is_its_owners_alone_and_one_that_is_there_stays(
    tmp_path: Path, first: str
) -> None:
    """The engine makes its files by the umask; with texts kept by choice they hold what users asked."""
    tmp_path.chmod(0o755)
    home = tmp_path / "new" / "home"
    if first == "journal":
        journal = Journal(home / "journal")
        journal.append(call())
        assert journal.flush(10)
        journal.close()
    with closing(DuckLedger(home)) as ledger:
        ledger.add([call()])
    assert {stat.S_IMODE(each.stat().st_mode) for each in (home.parent, home)} == {0o700}
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_journals_go_when_they_are_older_than_they_are_kept_and_not_more_than_once_an_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(DuckLedger(tmp_path)) as ledger:
        ledger.journal_keep = timedelta(days=30)

        def old_journal() -> Path:
            """Write a call that is journalled since 1970."""
            journal = Journal(ledger.journals)
            journal.append(call())
            journal.close()
            (segment,) = segments(ledger.journals)
            os.utime(segment.path, (0, 0))
            return segment.path

        first = old_journal()
        assert ledger.info().calls == 1
        assert not first.exists()
        second = old_journal()
        assert ledger.info().calls == 2
        assert second.exists()
        monkeypatch.setattr(duck, "_HOUR", timedelta(0))
        assert ledger.info().calls == 2
        assert not second.exists()


def test_who_stands_in_the_queue_longer_than_patience_is_told(tmp_path: Path) -> None:
    """The place at its head is taken by another, who waits for a long question."""
    with (
        alone(str(tmp_path / "ledger.queue")),
        closing(DuckLedger(tmp_path, patience=0.01)) as ledger,
        pytest.raises(LedgerBusyError, match=r"for 0.01 seconds; ask again"),
    ):
        ledger.info()
    with closing(DuckLedger(tmp_path)) as ledger:
        assert ledger.spool.parent == tmp_path
        assert ledger.info().calls == 0


def test_questions_that_are_asked_together_have_one_answer(tmp_path: Path) -> None:
    """Though a call comes in between; another thread waits until all are answered."""
    journal = Journal(tmp_path / "journal")
    seen: list[int] = []
    with closing(DuckLedger(tmp_path)) as ledger:

        def count() -> int:
            return int(ledger.rows(Query()).total["calls"])

        with ledger.together():
            assert count() == 0
            journal.append(call())
            assert journal.flush(10)
            other = threading.Thread(target=lambda: seen.append(count()))
            other.start()
            with ledger.together():
                assert count() == 0
            assert (count(), seen) == (0, [])
        other.join(30)
        assert (count(), seen) == (1, [1])
        with pytest.raises(ValueError, match="of the questions"), ledger.together():
            raise ValueError("of the questions")
        assert count() == 1
    journal.close()


def test_a_report_misses_nothing_that_was_recorded_before_it(tmp_path: Path) -> None:
    """What is in flight is written down before the state is held."""
    journal = Journal(tmp_path / "journal")
    with closing(DuckLedger(tmp_path)) as ledger:
        reader = LedgerReader(ledger, refresh=lambda: journal.flush(10))
        for number in range(1, 4):
            journal.append(call())
            assert reader.report().total["calls"] == number
    journal.close()


def test_a_log_that_another_process_has_just_written_back_is_of_no_size(tmp_path: Path) -> None:
    """DuckDB makes a file beside the ledger's and takes it away; listed and gone, it had ended ``info``."""
    ledger = DuckLedger(tmp_path)
    ledger.add([call()])
    before = ledger.info().size_bytes
    (tmp_path / "ledger.duckdb.wal.gone").symlink_to(tmp_path / "nowhere")
    assert ledger.info().size_bytes == before
    ledger.close()


def test_a_child_of_a_ledger_that_was_never_asked_asks(tmp_path: Path) -> None:
    """There is no engine of its parent's to leave alone."""
    ledger = DuckLedger(tmp_path)
    ledger.start_anew_in_child()
    ledger.add([call()])
    assert ledger.rows(Query()).total["calls"] == 1
    ledger.close()
