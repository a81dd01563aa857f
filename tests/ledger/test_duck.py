"""The embedded ledger keeps the contract."""

import stat
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from outlay.core.ports import Ledger
from outlay.journal import Journal
from outlay.ledger import DuckLedger
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
