"""Foreign rows into a server: laid out by DuckDB and sent as lines, they are the calls of single rows."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

import pytest
from tests.support.chdb import a_database
from tests.support.postgres import empty, shared

from outlay.core.ports import Absorbing, Ledger
from outlay.core.query import CallQuery
from outlay.core.record import Record
from outlay.importing import Maker
from outlay.importing.bulk import reading
from outlay.importing.bulk.layouts import Origin
from outlay.importing.reading import OneByOne
from outlay.journal import line_of
from outlay.ledger import PostgresLedger, beside
from outlay.ledger.clickhouse import ClickHouseLedger
from outlay.ledger.identity import as_kept
from outlay.pricing import Book

BOOK = Book.default()
SPEND = {
    "call_type": "acompletion", "startTime": "2026-11-20 10:00:00.5", "endTime": "2026-11-20 10:00:01.75",
    "model": "gpt-4o", "custom_llm_provider": "openai", "prompt_tokens": 1200, "completion_tokens": 80,
    "user": 'ünï "so"\\\t', "team_id": "search", "request_tags": ["a", "b c"], "status": "success",
    "metadata": {"usage_object": {"prompt_tokens_details": {"cached_tokens": 1024}}},
}  # fmt: skip
ROWS: list[dict[str, Any]] = [
    *({**SPEND, "request_id": f"r{n}", "spend": (0, 10, 0.0041, 1e-7)[n % 4]} for n in range(40)),
    {**SPEND, "request_id": "failed", "spend": 0, "status": "failure"},
    {**SPEND, "request_id": "r3", "spend": 9},  # taken already, by another call
    {**SPEND, "request_id": "free", "model": "imaginary-9", "spend": 0},
    {"timestamp": "2026-11-20T10:00:00Z", "model": "claude-sonnet-4-5", "input_tokens": 5, "cost": None},
    *[{"timestamp": "2026-11-20T10:00:00Z", "cost": 0.25, "latency": 1.25, "chunks": 3}] * 3,
    {"timestamp": "yesterday", "cost": 1},
]  # fmt: skip
DATA = b"".join(json.dumps(row).encode() + b"\n" for row in ROWS[:20]) + b"broken\n"
DATA += b"".join(json.dumps(row).encode() + b"\n" for row in ROWS[20:])
Empty = Callable[[], AbstractContextManager[Ledger]]


@contextmanager
def _postgres() -> Iterator[Ledger]:
    with shared() as server, empty(server) as url:
        ledger = PostgresLedger(url)
        yield ledger
        ledger.close()


@contextmanager
def _clickhouse() -> Iterator[Ledger]:
    with a_database() as place:
        ledger = ClickHouseLedger(place)
        yield ledger
        ledger.close()


every_server = pytest.mark.parametrize(
    "a_ledger", [pytest.param(_postgres, id="postgresql"), pytest.param(_clickhouse, id="clickhouse")]
)


def _imported(way: Any, data: bytes = DATA) -> tuple[int, int, list[tuple[int, str]], Any]:
    steps = list(way.steps(io.BytesIO(data)))
    faults = [(fault.number, fault.reason) for step in steps for fault in step.faults]
    counts = (way.counts.read, way.counts.skipped, way.counts.shape)
    return sum(step.calls for step in steps), sum(step.new for step in steps), faults, counts


def _kept(ledger: Ledger) -> list[Record]:
    return sorted(map(as_kept, ledger.calls(CallQuery(limit=None))), key=lambda each: each.id)


@every_server
def test_the_calls_are_those_of_single_rows(
    a_ledger: Empty, maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "_AT_ONCE", 16)
    with a_ledger() as laid, a_ledger() as single, reading.with_engine(laid) as to:
        assert isinstance(to, Absorbing)
        first, second = (
            [_imported(way()), _imported(way())]
            for way in (
                partial(reading.way_of, to, BOOK, maker, Origin()),
                partial(OneByOne, single, maker),
            )
        )
        assert first == second
        assert [done[:2] for done in first] == [(47, 46), (47, 0)]  # r3 twice; bad lines are no calls
        assert [number for number, _ in first[0][2]] == [21, 49]
        assert _kept(laid) == _kept(single)
        assert laid.conflicts() == single.conflicts() == 1


@every_server
def test_lines_of_outlay_s_own_go_as_they_stand(a_ledger: Empty, maker: Maker) -> None:
    with a_ledger() as one, a_ledger() as other, reading.with_engine(other) as to:
        _imported(OneByOne(one, maker))
        data = b"".join(map(line_of, _kept(one)))
        for new in (46, 0):
            assert _imported(reading.way_of(to, BOOK, maker, Origin()), data)[:2] == (46, new)
        assert _kept(other) == _kept(one)


def test_a_block_in_which_no_row_is_a_call_keeps_nothing(maker: Maker) -> None:
    """As Langfuse's spans are, where no generation stands among them."""
    spans = [
        {"id": f"s{n}", "type": "SPAN", "startTime": "2026-11-20T10:00:00Z", "traceId": "t"} for n in range(9)
    ]
    data = b"".join(json.dumps(row).encode() + b"\n" for row in spans)
    with _clickhouse() as ledger, reading.with_engine(ledger) as to:
        found = _imported(reading.way_of(to, BOOK, maker, Origin()), data)
    assert (found[:3], found[3]) == ((0, 0, []), (9, 9, "langfuse"))


def test_the_engine_s_folder_goes_with_it(maker: Maker) -> None:
    with _clickhouse() as ledger:
        with reading.with_engine(ledger) as to:
            assert isinstance(to, Absorbing)
            _imported(reading.way_of(to, BOOK, maker, Origin()))
            folder = to.spool.parent
            assert (folder / "ledger.duckdb").exists()
        assert not folder.exists()
