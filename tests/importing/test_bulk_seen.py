"""Lines as an engine sees them where they are: which are there, which are left, and which stand for all."""

import json
from pathlib import Path

import pytest
from tests.importing.test_bulk import BOOK, TEN, maker

from outlay.core.errors import LedgerError
from outlay.importing.bulk.block import Block
from outlay.importing.bulk.layouts import Origin
from outlay.importing.bulk.seen import samples
from outlay.ledger import DuckLedger


def plain(n: int) -> bytes:
    return json.dumps({"timestamp": TEN, "model": "gpt-4o", "input_tokens": n}).encode()


@pytest.mark.parametrize("end", [b"\n", b""])
@pytest.mark.parametrize("count", [1, 900])
def test_few_lines_are_their_own_samples(tmp_path: Path, count: int, end: bytes) -> None:
    (tmp_path / "lines").write_bytes(b"\n".join(map(plain, range(count))) + end)
    assert samples(tmp_path / "lines", count) == [plain(n).decode() for n in range(count)]


@pytest.mark.parametrize("end", [b"\n", b""])
def test_any_of_many_lines_may_be_a_sample(tmp_path: Path, end: bytes) -> None:
    (tmp_path / "lines").write_bytes(b"\n".join(b"%03d" % (n % 20) for n in range(901)) + end)
    found = samples(tmp_path / "lines", 901)
    assert (len(found), {*found}) == (900, {f"{n:03}" for n in range(20)})
    assert found == samples(tmp_path / "lines", 901)


@pytest.mark.parametrize(
    "lines",
    [
        [plain(1), b"", plain(2)],
        [plain(1), plain(2)],
        [plain(1), plain(2), plain(3), plain(4)],
        [plain(1), b'{"odd": 1}'],
    ],
)
def test_lines_must_be_as_many_as_are_expected(tmp_path: Path, lines: list[bytes]) -> None:
    """The engine passes over what is empty: a row behind it would be told by another number."""
    (tmp_path / "lines").write_bytes(b"\n".join(lines) + b"\n")
    ledger = DuckLedger(tmp_path / "ledger")
    with ledger.workbench() as bench, pytest.raises((LedgerError, ValueError)):
        Block(bench, BOOK, maker()).lay_out(tmp_path / "lines", 3, Origin())
    ledger.close()
