"""URLs of ClickHouse ledgers: read, checked, and told without their passwords."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.chdb import engine

from outlay.core.errors import LedgerError, SettingsError
from outlay.core.ports import works_here
from outlay.ledger import open_ledger
from outlay.ledger.clickhouse import ClickHouseLedger, place_of


def test_every_part_of_a_url_has_its_place() -> None:
    place = place_of(
        "clickhouse://me:p%40ss@ch.example:9123/spend?cluster=main&ttl_days=400&ch_max_threads=2&verify=0"
    )
    assert (place.host, place.port, place.database) == ("ch.example", 9123, "spend")
    assert (place.user, place.password, place.secure) == ("me", "p@ss", False)
    assert (place.cluster, place.ttl_days) == ("main", 400)
    assert (place.options, place.settings) == ({"verify": "0"}, {"max_threads": "2"})


def test_what_is_left_out_is_as_clickhouse_has_it() -> None:
    place = place_of("clickhouse://ch.example")
    assert (place.port, place.database, place.user, place.password) == (None, "default", None, "")


@pytest.mark.parametrize("url", ["clickhouses://ch.example", "clickhouse://ch.example?secure=1"])
def test_tls_is_asked_for_in_two_ways(url: str) -> None:
    assert place_of(url).secure
    assert str(place_of(url)) == "clickhouses://ch.example/default"


def test_a_folder_is_read_in_process() -> None:
    place = place_of("chdb:///var/lib/outlay%20spend?database=team")
    assert (place.host, place.path, place.database) == (None, "/var/lib/outlay spend", "team")
    assert works_here(ClickHouseLedger(place))
    assert not works_here(ClickHouseLedger(place_of("clickhouse://ch.example")))


def test_a_password_is_told_nowhere() -> None:
    place = place_of("clickhouse://me:secret@[::1]:9123/spend?http_proxy=http://u:secret@proxy")
    assert str(place) == "clickhouse://[::1]:9123/spend"
    assert "secret" not in f"{place!r} {place}"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("clickhouse://", "names no host"),
        ("clickhouse:///database", "names no host"),
        ("clickhouse://u:secret@host:port/x", "cannot be read"),
        ("clickhouse://u:secret@host/a/b", "'a/b' is no name of a database"),
        ("clickhouse://u:secret@host?clustr=x", "did you mean cluster"),
        ("clickhouse://u:secret@host?zzz=x", "there are secure, cluster"),
        ("clickhouse://u:secret@host?ttl_days=soon", "ttl_days='soon' is no number of days"),
        ("clickhouse://u:secret@host?ttl_days=0", "is no number of days"),
        ("clickhouse://u:secret@host?secure=maybe", "write secure=1"),
        ("chdb:relative", "absolute path"),
        ("chdb://host/path", "absolute path"),
        ("chdb:///", "absolute path"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(url: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told) as error:
        open_ledger(url, home=Path("home"))
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)


def test_opening_reaches_for_nothing() -> None:
    assert isinstance(open_ledger("clickhouse://nobody.invalid", home=Path("home")), ClickHouseLedger)


def test_a_second_folder_in_one_process_is_refused_in_a_line(tmp_path: Path) -> None:
    engine()
    with pytest.raises(LedgerError, match="can have one chdb: folder open") as error:
        open_ledger(f"chdb://{tmp_path}", home=tmp_path).conflicts()
    assert "\n" not in str(error.value)


def test_a_folder_that_another_process_has_open_is_named() -> None:
    folder = engine().place.path
    ask = (
        "import sys, pathlib\n"
        "from outlay.core.errors import LedgerBusyError\n"
        "from outlay.ledger import open_ledger\n"
        "try:\n"
        "    open_ledger(sys.argv[1], home=pathlib.Path('x')).conflicts()\n"
        "except LedgerBusyError as error:\n"
        "    print(error)\n"
    )
    asked = subprocess.run(
        [sys.executable, "-c", ask, f"chdb://{folder}"], capture_output=True, text=True, check=True
    )
    assert asked.stdout == f"chdb://{folder} is open in another process; close it there\n"


def test_a_missing_driver_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "clickhouse_connect", None)
    with pytest.raises(
        ImportError, match=r"clickhouse-connect is not installed; run: pip install .outlay\[clickhouse\]"
    ):
        open_ledger("clickhouse://localhost", home=tmp_path).conflicts()


def test_a_missing_engine_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "clickhouse_connect.driver._chdbclient", None)
    with pytest.raises(ImportError, match=r"chdb is not installed; run: pip install .outlay\[chdb\]"):
        open_ledger(f"chdb://{tmp_path}", home=tmp_path).conflicts()
