"""Calls that DuckDB writes as lines of a journal are what their Records would be, to the byte."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from tests.ledger.test_usual import EVERYTHING, stated, usual

from outlay.core.cost import Cost
from outlay.core.ids import uuid7
from outlay.core.query import CallQuery
from outlay.journal import line_of
from outlay.ledger import DuckLedger, pages, transcript
from outlay.testing import NOON


@contextmanager
def holding(entries: list[Any]) -> Iterator[DuckLedger]:
    with TemporaryDirectory() as folder:
        ledger = DuckLedger(Path(folder))
        ledger.add(entries)
        yield ledger
        ledger.close()


def whole(ledger: DuckLedger, query: CallQuery) -> bytes:
    calls = list(ledger.calls(query))
    costs = ledger.histories([call.id for call in calls])
    return b"".join(map(line_of, transcript.as_recorded(calls, costs)))


def check(ledger: DuckLedger, query: CallQuery) -> int:
    found = list(ledger.transcribed(query))
    assert b"".join(lines for _, lines in found) == whole(ledger, query)
    return sum(calls for calls, _ in found)


USUAL: list[dict[str, Any]] = [
    {},
    EVERYTHING | {"error": 'gone "so" \\ away\t\n\x7f\u2028', "latency_ms": 0.0},
    {"user": "", "session": None, "tags": {"b": "1", "a": 'ü"\n'}, "latency_ms": 12, "correct": False},
    {"charge": stated("0.0041", "0.00395"), "extra": {"time_assumed": True, "n": 1.5, "deep": [{"a": None}]}},
    {"charge": stated("10")},
    {"charge": Cost(None, "unpriced", reason="no price is known"), "model": None},
]


def test_usual_calls_need_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked_for(_tables: object, ids: list[str]) -> dict[str, bytes]:
        assert not ids
        return {}

    monkeypatch.setattr(transcript, "_whole", asked_for)
    calls = [
        usual(**{"at": NOON + timedelta(seconds=n, microseconds=n), "id": uuid7(NOON), **fields})
        for n, fields in enumerate(USUAL)
    ]
    with holding(calls) as ledger:
        assert check(ledger, CallQuery(limit=None)) == len(USUAL)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_pages_follow_upon_each_other_wherever_the_machine_is(
    monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    """An instant taken for local time left hours of calls out, or gave the same page for ever."""
    monkeypatch.setattr(pages, "_SIZE", 3)
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        with holding([usual(at=NOON + n * timedelta(hours=1), id=uuid7(NOON)) for n in range(8)]) as ledger:
            found = list(islice(ledger.transcribed(CallQuery(limit=None)), 4))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert [calls for calls, _ in found] == [3, 3, 2]
    assert len(set(b"".join(lines for _, lines in found).splitlines())) == 8
