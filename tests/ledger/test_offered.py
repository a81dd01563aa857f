"""Names for a shell that completes them: those of an embedded ledger, or none."""

from datetime import timedelta
from pathlib import Path

import pytest

from outlay.ledger import offered as module
from outlay.ledger import open_ledger
from outlay.ledger.locks import take
from outlay.ledger.offered import offered, offered_ids
from outlay.testing import NOON, call


def test_newest_calls_tell_names_and_a_start_chooses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = open_ledger(str(tmp_path), home=tmp_path)
    ledger.add(call(user=f"u{n}", tags={f"t{n}": "v"}) for n in range(20))
    assert offered(tmp_path, "user", "u1") == ["u1", *(f"u1{n}" for n in range(10))]
    assert offered(tmp_path, "tag:", "t19") == ["t19"]
    assert offered(tmp_path, "tag:t3", "") == ["v"]
    assert offered(tmp_path, "session", "") == offered(tmp_path, "hour", "") == []
    monkeypatch.setattr(module, "_NEWEST", 2)
    assert offered(tmp_path, "user", "") == ["u18", "u19"]


def test_the_newest_ids_come_first_and_a_start_chooses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert offered_ids(tmp_path, "") == []
    calls = [call(NOON + timedelta(seconds=n)) for n in range(5)]
    open_ledger(str(tmp_path), home=tmp_path).add(calls)
    newest = [each.id for each in reversed(calls)]
    assert offered_ids(tmp_path, "") == offered_ids(tmp_path, newest[0][:8].upper()) == newest
    assert offered_ids(tmp_path, newest[2]) == [newest[2]]
    assert offered_ids(tmp_path, "f") == []
    monkeypatch.setattr(module, "_IDS", 2)
    assert offered_ids(tmp_path, "") == newest[:2]


def test_a_ledger_that_others_use_and_one_that_is_none_offer_nothing(tmp_path: Path) -> None:
    assert offered(tmp_path, "user", "") == []
    assert list(tmp_path.iterdir()) == []
    open_ledger(str(tmp_path), home=tmp_path).add([call(user="ann")])
    release = take(str(tmp_path / "ledger.lock"), 0)
    assert release is not None
    assert offered(tmp_path, "user", "") == []
    release()
    assert offered(tmp_path, "user", "") == ["ann"]
    (tmp_path / "ledger.duckdb").write_bytes(b"no database")
    assert offered(tmp_path, "user", "") == []
