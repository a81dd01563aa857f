"""Our own lines are kept as they stand, as if a Record had been made of each; one is made of odd ones."""

import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.importing.test_bulk import BOOK, Done, imported, in_order, maker
from tests.support import chdb, postgres
from tests.support.any_record import records

from outlay.core.cost import Cost, CostLine
from outlay.core.errors import RefusedEntryError
from outlay.core.ids import uuid7
from outlay.core.ports import Ledger, TakingLines
from outlay.core.query import CallQuery
from outlay.core.record import Loss, Record, Revision, Score
from outlay.core.usage import Usage
from outlay.importing.bulk.layouts import Origin
from outlay.importing.files import rows_of
from outlay.importing.reading import Import, OneByOne, entries_of, kept
from outlay.journal import line_of
from outlay.ledger import DuckLedger, PostgresLedger
from outlay.ledger.identity import as_kept
from outlay.ledger.own import Own
from outlay.pricing import cost_of
from outlay.testing import NOON


def called(n: int, **fields: Any) -> Record:
    usage = Usage.of({"input": 100 + n, "cache_read": 7, "output": 20})
    charge = cost_of(usage, provider="openai", model="gpt-4o", at=NOON, book=BOOK)
    facts: dict[str, Any] = {
        "id": uuid7(NOON, n.to_bytes(10)), "at": NOON, "provider": "openai", "model": "gpt-4o",
        "usage": usage, "charge": charge, "latency_ms": 812.25, "user": "u1", "tags": {"team": "t"},
    }  # fmt: skip
    return Record(**{**facts, **fields})


def as_they_stand(data: bytes, folder: Path) -> Done:
    """Import in order, into a ledger that takes lines of our own."""
    return in_order(DuckLedger(folder), data, Origin())


def one_by_one(data: bytes, folder: Path) -> Done:
    """Import with a Record of each line."""
    ledger = DuckLedger(folder)
    counts, done = Import(), Done()
    rows = (row for row in rows_of(io.BytesIO(data)) if not isinstance(row, bytes))
    for step in kept(entries_of(rows, maker(), counts=counts), ledger):
        done.calls, done.new = done.calls + step.calls, done.new + step.new
        done.faults += [(fault.number, fault.reason) for fault in step.faults]
    done.read = (counts.read, counts.skipped, counts.shape)
    done.records = sorted(map(as_kept, ledger.calls(CallQuery(limit=None))), key=lambda each: each.id)
    done.conflicts = ledger.conflicts()
    ledger.close()
    return done


def all_agree(lines: Iterable[bytes]) -> Done | None:
    """Import in three ways; None where each of them says that an entry cannot be kept."""
    data = b"".join(lines)
    with TemporaryDirectory() as name:
        way = partial(imported, data, origin=Origin(), zone=UTC)
        ways = (partial(way, how="in bulk"), partial(as_they_stand, data), partial(one_by_one, data))
        found = [_or_refused(each, Path(name) / str(at)) for at, each in enumerate(ways)]
    assert found[0] == found[2]
    assert found[1] == found[2]
    return found[2]


def _or_refused(way: Callable[[Path], Done], folder: Path) -> Done | None:
    try:
        return way(folder)
    except RefusedEntryError:
        return None


VALUE = st.sampled_from(
    [None, True, 0, 1, -1, 1.0, 0.1, 1e22, 10**19, "", "0", "0.10", "1e-05", "-1", "gpt-4o", "x\u0000",
     [], {}, ["x"], {"input": 1}, {"input": 7, "output": 0}, {"output": 1, "input": 2}, {"imagined": 3},
     {"input": 1, "web_search": 2}, {"web_search": 2, "input": 1}, {"pages": 0}, "EUR", "USD",
     "reported", "unpriced", "2026-11-20T10:00:00.000000Z", "2026-11-20 10:00", [{"unit": "input"}]]
)  # fmt: skip


def changed(line: bytes, path: tuple[str, ...], value: Any) -> bytes:
    data = json.loads(line)
    at = data
    for key in path[:-1]:
        at = at[key] if isinstance(at, dict) and isinstance(at.get(key), dict) else at
    at[path[-1]] = value
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


NAMES = """schema id at provider model status latency_ms user tags usage input_tokens output_tokens
cost currency cost_status computed_cost lines price extra flags streamed retries more
reported_cost reported_currency"""
WITHIN = (
    ("usage", "input"),
    ("usage", "web_search"),
    ("usage", "output"),
    ("tags", "team"),
    ("price", "version"),
)
PLACES = st.sampled_from([*((name,) for name in NAMES.split()), *WITHIN])


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.generate,))
@given(
    st.lists(records(), max_size=4),
    st.lists(st.tuples(PLACES, VALUE), max_size=5),
    st.lists(
        st.sampled_from([b"broken\n", b"\n", b'{"cost": 1}\n', b'{"timestamp": 1763632800, "cost": 1}\n'])
    ),
)
def test_lines_of_our_own_and_what_is_odd_among_them(
    some: list[Record], changes: list[tuple[tuple[str, ...], Any]], others: list[bytes]
) -> None:
    usual = [line_of(called(n)) for n in range(30)]
    odd = [changed(line_of(called(100 + n)), *change) for n, change in enumerate(changes)]
    all_agree([*usual, *map(line_of, some), *odd, *others, *usual[:3]])


def test_lines_as_they_are_exported_are_kept_as_they_stand() -> None:
    stated = Cost(
        amount=Decimal("0.5"),
        status="reported",
        currency="USD",
        lines=(CostLine(unit="reported", quantity=1, rate=Decimal("0.5"), per=1, amount=Decimal("0.5")),),
        computed=Decimal("0.25"),
    )
    own = Own()
    lines = [line_of(called(n)) for n in range(3)]
    assert [own(line) for line in lines] == [True, True, True]
    assert own(lines[0].replace(b"\n", b"\r\n"))
    assert own(line_of(called(4, charge=stated)))
    searched = Usage.of({"input": 7, "web_search": 2}, reported_cost=Decimal("0.5"), reported_currency="EUR")
    usages = (searched, Usage.of({"pages": 3}), replace(searched, reported_currency="USD"))
    assert all(own(line_of(called(n, usage=usage))) for n, usage in enumerate(usages))
    alone = line_of(
        called(1, usage=Usage(reported_cost=Decimal("0.5"), reason="the answer tells a cost alone"))
    )
    assert b'"usage"' not in alone
    assert own(alone)
    odd = (b'"web_search":0', b'"web_search":2.5', b'"WEB":2')
    line = line_of(called(1, usage=searched))
    assert not any(own(line.replace(b'"web_search":2', each)) for each in odd)
    assert not own(line.replace(b'"EUR"', b'"USD"'))
    assert not own(line.replace(b'"reported_cost":"0.5"', b'"reported_cost":"0.50"'))
    assert not own(line_of(called(1, usage=Usage())).replace(b'"user"', b'"usage":{},"user"'))
    more = [
        line_of(Score(record_id=called(1).id, at=NOON, correct=True)),
        line_of(Loss(at=NOON, count=2, why="full")),
        line_of(Revision(record_id=called(2).id, at=NOON, charge=called(5).charge)),
        line_of(replace(called(0), user="another")),  # a conflict
    ]
    assert not any(map(own, more[:3]))
    done = all_agree([*lines, *more])
    assert done is not None
    assert (done.calls, done.new, done.conflicts, done.read[2]) == (4, 3, 1, "outlay")  # three are no calls


def test_a_line_that_another_has_written_is_looked_at() -> None:
    own = Own()
    line = line_of(called(1))
    data = orjson.loads(line)
    for odd in (
        line.replace(b'"cost":"', b'"cost":"0'),
        line.replace(b'"input_tokens":', b'"input_tokens":9'),  # another sum than that of the usage
        line.replace(b'"latency_ms":812.25', b'"latency_ms":812.2500000000000000001'),
        line.replace(b'"user":"u1"', b'"user":"u1","user":"u2"'),
        line.replace(b'"schema":1', b'"schema":99'),
        orjson.dumps({**data, "unheard": 1}),
        json.dumps(data).encode(),
    ):
        assert odd != line
        assert not own(odd)


@contextmanager
def a_server(kind: str) -> Iterator[Ledger]:
    if kind == "clickhouse":
        with chdb.an_empty_ledger() as ledger:
            yield ledger
        return
    with postgres.shared() as server, postgres.empty(server) as url:
        there = PostgresLedger(url)
        yield there
        there.close()


@pytest.mark.parametrize("kind", ["postgresql", "clickhouse"])
def test_servers_are_handed_our_own_lines_too(kind: str, tmp_path: Path) -> None:
    usual = [line_of(called(n)) for n in range(40)]
    odd = [
        changed(line_of(called(50)), ("cost",), "0.10"),
        changed(line_of(called(51)), ("input_tokens",), 9),
        b"broken\n",
        b'{"timestamp": 1763632800, "cost": 1, "model": "gpt-4o"}\n',
        line_of(Score(record_id=called(1).id, at=NOON, correct=True)),
        usual[3],
    ]
    data = b"".join([*usual[:20], *odd, *usual[20:]])
    expected = one_by_one(data, tmp_path)
    with a_server(kind) as ledger:
        assert isinstance(ledger, TakingLines)
        for new in (43, 0):  # 40, two that are odd, one foreign
            way = OneByOne(ledger, maker())
            steps = list(way.steps(io.BytesIO(data)))
            assert sum(step.new for step in steps) == new
            assert sum(step.calls for step in steps) == expected.calls == 44  # the score is none
            assert [(each.number, each.reason) for step in steps for each in step.faults] == expected.faults
        found = sorted(map(as_kept, ledger.calls(CallQuery(limit=None))), key=lambda each: each.id)
    assert found == expected.records
