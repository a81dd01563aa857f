"""In bulk or one by one: the same rows become the same records, with the same ids, faults and counts."""

import csv
import io
import json
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.support.strategies import TEXT

from outlay.core.query import CallQuery
from outlay.core.record import Record
from outlay.importing import SHAPES, Maker
from outlay.importing.bulk import block, charges, cutting, reading
from outlay.importing.bulk.block import BATCH, Block
from outlay.importing.bulk.layouts import Origin
from outlay.importing.files import Heading
from outlay.importing.reading import Import, OneByOne
from outlay.ledger import DuckLedger, MemoryLedger
from outlay.ledger.identity import as_kept
from outlay.pricing import Book, cost_of

BOOK = Book.default()
BERLIN = ZoneInfo("Europe/Berlin")
MODELS = (
    "gpt-4o",
    "claude-sonnet-4-5",
    "gemini-2.5-pro",
    "deepseek-chat",
    "imaginary-9",
    "o1-preview",
    "sonar",
)
TEN = "2026-11-20T10:00:00Z"
FIRST = b'{"timestamp": "2026-11-20T10:00:00Z", "cost": 1}'  # by which a file is seen to be one of lines


def maker(zone: tzinfo | None = UTC) -> Maker:
    def maker_of(model: str) -> str | None:
        asked = BOOK.timeline(None, model, ()).asked
        return None if asked is None else asked.provider

    return Maker(
        partial(cost_of, book=BOOK), zone=zone, tags={"from": "test", "team": "none"}, maker_of=maker_of
    )


@dataclass(slots=True)
class Done:
    """What an import told, and what it kept."""

    calls: int = 0
    new: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)
    read: tuple[int, int, str | None] = (0, 0, None)
    records: list[Record] = field(default_factory=list)
    conflicts: int = 0


class Server:
    """A ledger that takes entries and lines and has no engine in this process."""

    def __init__(self, ledger: DuckLedger) -> None:
        self.add = ledger.add
        self.add_lines = ledger.add_lines


Way = Literal["in bulk", "one by one", "as lines"]


def imported(data: bytes, folder: Path, origin: Origin, zone: tzinfo | None, how: Way) -> Done:
    """Import into a ledger with an engine; one by one without, which keeps the same and is faster."""
    if how == "one by one":
        return in_order(MemoryLedger(), data, origin, zone)
    ledger = DuckLedger(folder)
    server: Any = Server(ledger)
    with reading.with_engine(server if how == "as lines" else ledger) as to:
        return read_by(reading.way_of(to, BOOK, maker(zone), origin), data, ledger)


def in_order(
    ledger: DuckLedger | MemoryLedger, data: bytes, origin: Origin, zone: tzinfo | None = UTC
) -> Done:
    return read_by(OneByOne(ledger, maker(zone), origin.shape, origin.mapping), data, ledger)


def read_by(way: Any, data: bytes, ledger: DuckLedger | MemoryLedger) -> Done:
    done = Done()
    for step in way.steps(io.BytesIO(data)):
        done.calls, done.new = done.calls + step.calls, done.new + step.new
        done.faults += [(fault.number, fault.reason) for fault in step.faults]
    counts: Import = way.counts
    done.read = (counts.read, counts.skipped, counts.shape)
    done.records = sorted(map(as_kept, ledger.calls(CallQuery(limit=None))), key=lambda each: each.id)
    done.conflicts = ledger.conflicts()
    ledger.close()
    return done


def line(row: dict[str, Any]) -> bytes:
    return json.dumps({**row, "model": "m"}).encode() + b"\n"


def both_agree(
    data: bytes, origin: Origin | None = None, zone: tzinfo | None = UTC, bulk: Way = "in bulk"
) -> Done:
    both: tuple[Way, Way] = (bulk, "one by one")
    with TemporaryDirectory() as name:
        ways = [imported(data, Path(name) / how, origin or Origin(), zone, how) for how in both]
    assert ways[0] == ways[1]
    return ways[0]


def left(data: bytes, folder: Path, origin: Origin | None = None, zone: tzinfo | None = UTC) -> int:
    """Count the rows of a file that are not read in bulk."""
    ledger = DuckLedger(folder / "left")
    (folder / "lines").write_bytes(data)
    with ledger.workbench() as bench:
        block = Block(bench, BOOK, maker(zone))
        laid = block.lay_out(folder / "lines", data.count(b"\n"), origin or Origin())
        assert bench.all(f"SELECT count(*) FROM {BATCH}") == [(laid.count,)]  # noqa: S608  # our own name
    ledger.close()
    return len(laid.left)


MONEY = (
    st.sampled_from(
        [
            0,
            0.0,
            "0",
            "$0.01",
            "1,5",
            -1,
            "free",
            True,
            12,
            "1e-05",
            "0.10",
            None,
            "",
            1e-7,
            4.2500000000000003e-05,
            0.00042500000000000003,
        ]
    )
    | st.floats(0, 10).map(lambda amount: round(amount, 6))
    | st.floats(0, 1)
)
COUNT = st.integers(0, 300_000) | st.sampled_from(
    ["12", "1,000", "1.000", 12.0, "7.0", -5, "many", None, "", True, 10**13]
)
MEASURE = st.sampled_from(
    [0, 1.5, "2.25", 2.345678901, 1e-05, 12, "fast", None, "", -1, 0.1 + 0.2]
) | st.floats(0, 99)
CLOCK = st.datetimes(datetime(2024, 1, 1), datetime(2026, 12, 31)).map(str)  # noqa: DTZ001  # as foreign rows write them
MOMENT = (
    CLOCK
    | CLOCK.map(lambda text: text.replace(" ", "T") + "Z")
    | CLOCK.map(lambda text: f"{text[:19]}+05:30")
    | st.sampled_from(
        [
            1_763_632_800,
            1_763_632_800_123,
            "1763632800",
            1763632800.5,
            "yesterday",
            "2026-02-30 10:00:00",
            "2026-10-25 02:30:00",
            "2026-03-29T02:30:00",
            "2026-11-20",
            None,
            "",
        ]
    )
)
ODD = TEXT | st.sampled_from(
    [7, 7.5, True, None, "", "7", "true", "[x]", "-1", ["a"], {"a": 1}, 10**17, "é", '"', "a,b"]
)
NAME = st.sampled_from(["u1", "ünï", "s 2"]) | ODD
SOME_MODEL = st.sampled_from(MODELS) | st.none() | ODD
FAULT = st.sampled_from(
    [None, "", "boom sk-abcdefghijkl", "two\nlines", "long " * 80, 'said "so"', 429, ["boom"], "ünï 'x'"]
)
PLAIN: dict[str, st.SearchStrategy[Any]] = {
    "timestamp": MOMENT,
    "model": SOME_MODEL,
    "provider": st.none() | st.sampled_from(["openai", "azure", 7]),
    "input_tokens": COUNT,
    "output_tokens": COUNT,
    "cached_tokens": st.none() | COUNT,
    "reasoning_tokens": st.none() | COUNT,
    "total_tokens": st.none() | COUNT,
    "cost": MONEY,
    "latency": MEASURE,
    "status": st.sampled_from(["success", "error", False, "Failed", "fail", "ok", "é", 200, 429, None]),
    "user_id": NAME,
    "query_type": NAME,
    "correct": st.sampled_from([True, False, "yes", "0", "maybe", None]),
    "user_rating": MEASURE,
    "error": FAULT,
    "error_type": st.sampled_from([None, "TimeoutError", "", 7]),
    "success": st.sampled_from([True, False, None, "no", "odd"]),
    "prompt": st.just("secret"),
    "cached": st.booleans(),
    "Chunks": ODD,
    "currency": st.none() | st.sampled_from(["EUR", "USD", "usd", "ß"]),
}
USAGE = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "cache_read_input_tokens": st.none() | st.integers(0, 50),
        "cached_tokens": COUNT,
        "prompt_tokens_details": st.none() | st.fixed_dictionaries({"cached_tokens": COUNT}),
        "completion_tokens_details": st.none()
        | st.fixed_dictionaries({"reasoning_tokens": st.integers(0, 9)}),
    },
)
METADATA = st.fixed_dictionaries(
    {}, optional={"usage_object": USAGE, "status": st.sampled_from(["success", "failure"])}
)
SPEND_LOG: dict[str, st.SearchStrategy[Any]] = {
    "request_id": st.integers(0, 60).map("r{}".format),
    "call_type": st.sampled_from(["acompletion", "aembedding", "", 7]),
    "spend": MONEY,
    "startTime": MOMENT,
    "endTime": MOMENT,
    "completionStartTime": MOMENT,
    "model": SOME_MODEL,
    "model_group": SOME_MODEL,
    "custom_llm_provider": st.sampled_from(["openai", "anthropic", None]),
    "prompt_tokens": COUNT,
    "completion_tokens": COUNT,
    "user": NAME,
    "end_user": NAME,
    "team_id": NAME,
    "request_tags": st.sampled_from(
        ["[]", '["a","b c"]', "{a,b}", None, ["a", ""], ["x"], [7], "odd", ["a,b"]]
    ),
    "cache_hit": st.sampled_from(["True", "False", None, True, "", "odd"]),
    "session_id": NAME,
    "status": st.sampled_from(["success", "failure", None]),
    "metadata": METADATA | METADATA.map(json.dumps) | st.sampled_from([None, "", "[]", "{", "{}"]),
}
DETAILS = st.fixed_dictionaries(
    {},
    optional={
        "input": st.none() | COUNT,
        "output": COUNT,
        "total": st.integers(0, 400) | COUNT,
        "input_cached_tokens": st.integers(0, 90),
        "cache_read_input_tokens": COUNT,
        "input_cache_creation_1h": st.integers(0, 9),
        "output_reasoning_tokens": st.integers(0, 9),
        "output_audio_tokens": st.sampled_from([0, 0, "0", None, 3]),
        "input_modality_1": st.sampled_from([0, 0, 4, {"a": 1}]),
        "unit": st.sampled_from(["TOKENS", "TOKENS", "", "CHARACTERS", None, 7]),
        "other": st.integers(0, 9),
    },
)
OBSERVATION: dict[str, st.SearchStrategy[Any]] = {
    "id": st.integers(0, 60).map("o{}".format) | ODD,
    "traceId": NAME,
    "startTime": CLOCK.map(lambda text: text.replace(" ", "T") + "Z") | MOMENT,
    "type": st.sampled_from(["GENERATION", "generation", "EMBEDDING", "SPAN", "EVENT", None, 7, "é"]),
    "endTime": MOMENT,
    "completionStartTime": MOMENT,
    "name": NAME,
    "model": SOME_MODEL,
    "providedModelName": SOME_MODEL,
    "userId": NAME,
    "level": st.sampled_from(["DEFAULT", "ERROR", "error", None, 7, True, "é"]),
    "statusMessage": FAULT,
    "usage": st.none() | DETAILS,
    "usageDetails": st.none() | DETAILS | DETAILS.map(json.dumps) | st.sampled_from([{}, "x", [1]]),
    "promptTokens": COUNT,
    "unit": st.none() | st.sampled_from(["TOKENS", "tokens", "SECONDS"]),
    "costDetails": st.none() | st.fixed_dictionaries({}, optional={"total": MONEY, "input": MONEY}),
    "calculatedTotalCost": MONEY,
    "latency": MEASURE,
    "environment": NAME | st.sampled_from([0, "0", False]),
}
REQUEST: dict[str, st.SearchStrategy[Any]] = {
    "request_id": st.integers(0, 60).map("h{}".format) | ODD,
    "request_created_at": MOMENT,
    "response_status": st.sampled_from([200, "200", 429, 0, None, -3, -2, "-1", 200.5]),
    "provider": st.sampled_from(["OPENAI", "anthropic", None, "İ", 7]),
    "response_model": SOME_MODEL,
    "prompt_tokens": COUNT,
    "completion_tokens": COUNT,
    "prompt_cache_read_tokens": COUNT,
    "reasoning_tokens": COUNT,
    "request_user_id": NAME,
    "delay_ms": MEASURE,
    "time_to_first_token": MEASURE,
    "cost": MONEY,
    "cache_reference_id": st.sampled_from([None, "00000000-0000-0000-0000-000000000000", "x"]),
    "request_properties": st.none()
    | st.dictionaries(st.sampled_from(["Helicone-Session-Id", "team", "x y", "0"]), ODD, max_size=3),
    "response_body": st.sampled_from(
        [None, {}, {"id": "x"}, {"model": "gpt-4o", "usage": {"prompt_tokens": 7, "completion_tokens": 2}}]
    ),
}
TWICE = st.sampled_from(
    [
        (
            b'{"request_id": "r1", "spend": 0, "startTime": "2026-11-20T10:00:00Z", "model": "gpt-4o",'
            b' "prompt_tokens": 50, "completion_tokens": 2,'
            b' "metadata": {"usage_object": {"cached_tokens": 7, "cached_tokens": 9}}}'
        ),
        (
            b'{"request_id": "r2", "spend": 0.1000000000000000055, "startTime": "2026-11-20T10:00:00Z",'
            b' "model": "gpt-4o", "prompt_tokens": 50, "metadata": {"spend": 0.1, "x": 1}}'
        ),
        (
            b'{"request_id": "r3", "spend": 0.1, "startTime": "2026-11-20T10:00:00Z", "prompt_tokens": 5,'
            b' "metadata": "{\\"usage_object\\": {\\"cached_tokens\\": 1}, \\"usage_object\\": {}}"}'
        ),
        (
            b'{"request_id": "r4", "spend": 0.1, "startTime": "2026-11-20T10:00:00Z", "prompt_tokens": 5,'
            b' "metadata": {"usage\\u005fobject": {"cached_tokens": 1}, "usage_object": {}}}'
        ),
        (
            b'{"id": "o1", "traceId": "t", "startTime": "2026-11-20T10:00:00Z", "type": "GENERATION",'
            b' "usageDetails": {"input": 4, "input": 5, "output": 1}}'
        ),
        (
            b'{"id": "o2", "traceId": "t", "startTime": "2026-11-20T10:00:00Z", "type": "GENERATION",'
            b' "costDetails": {"total": 0.1000000000000000055}, "x": {"total": 0.1}}'
        ),
        b'{"timestamp": "2026-11-20T10:00:00Z", "cost": 0.1000000000000000055, "more": {"cost": 0.1}}',
        b'{"timestamp": "2026-11-20T10:00:00Z", "cost": 0.1, "n": 0.1000000000000000055, "m": -0, "o": 1E5}',
        b'{"timestamp": "2026-11-20T10:00:00Z", "cost": 0.1, "n": 1e22, "m": -0.0, "o": 100000000000000000}',
    ]
)
BROKEN = TWICE | st.sampled_from(
    [
        b"broken",
        b"",
        b"  ",
        b"[1]",
        b'{"a": 1',
        b'{"model": "gpt-4o"}',
        b'{"cost": 1, "cost": 2, "timestamp": 1763632800}',
        b'{"timestamp": "2026-11-20T10:00:00Z", "cost": NaN}',
        b'{"timestamp": "2026-11-20T10:00:00Z", "cost": 1,}',
        b'{"timestamp": "2026-11-20T10:00:00Z", "cost": 0.12345678901234567890123}',
        b' {"timestamp": "2026-11-20T10:00:00Z", "cost": 1} ',
        b'{"schema": 1, "lost": 2, "at": "2026-11-20T10:00:00Z", "why": "x"}',
        b'{"timestamp": "2026-11-20T10:00:00Z", "cost": 0.1, "user": "\\ud83d"}',
    ]
)


def objects(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[list[bytes]]:
    """Give lines of JSON: mostly whole rows, some with less keys, some again, some broken."""
    required = {name: fields[name] for name in list(fields)[:3]}
    whole = st.fixed_dictionaries(fields)
    partial_ = st.fixed_dictionaries(required, optional={name: fields[name] for name in list(fields)[3:]})
    told = st.builds(
        lambda row, ascii_, tight: json.dumps(
            row, ensure_ascii=ascii_, separators=(",", ":") if tight else None
        ).encode("utf-8", "replace"),
        whole | whole | whole | partial_,
        st.booleans(),
        st.booleans(),
    )
    once = st.lists(told | told | told | told | BROKEN, min_size=1, max_size=40)
    return st.tuples(once, st.integers(0, 3)).map(lambda made: made[0] + made[0][: made[1]])


def few(test: Any) -> Any:
    return settings(
        max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.generate,)
    )(test)


@few
@given(objects(PLAIN), st.sampled_from([UTC, BERLIN]), st.sampled_from([b"\n", b"\r\n"]))
def test_plain_rows(rows: list[bytes], zone: tzinfo, end: bytes) -> None:
    both_agree(b"".join(row + end for row in (FIRST, *rows)), zone=zone)


@few
@given(objects(SPEND_LOG))
def test_spend_logs(rows: list[bytes]) -> None:
    both_agree(b"".join(row + b"\n" for row in (FIRST, *rows)))


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows has its zone from its settings alone")
def test_a_clock_without_a_zone_is_its_tool_s_or_else_this_machine_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        at = "2026-07-01 10:00:00"
        spend = {"request_id": "a", "startTime": "2026-07-01T10:00:00.5", "call_type": "c", "spend": 1}
        seen = {"id": "a", "traceId": "t", "type": "GENERATION", "startTime": at}
        asked = {"request_id": "a", "request_created_at": at, "cost": 1}
        plain = {"timestamp": at, "cost": 1}
        hours = {
            both.read[2]: [record.at.hour for record in both.records]
            for both in (both_agree(line(row), zone=None) for row in (spend, seen, asked, plain))
        }
        told = both_agree(line(spend), zone=BERLIN).records[0].at.hour
    finally:
        monkeypatch.undo()
        time.tzset()
    assert hours == {"litellm": [10], "langfuse": [10], "helicone": [10], "plain": [14]}
    assert told == 8  # what one says goes before what the tool is known for


@few
@given(objects(OBSERVATION))
def test_observations(rows: list[bytes]) -> None:
    both_agree(b"".join(row + b"\n" for row in (FIRST, *rows)))


@few
@given(objects(REQUEST))
def test_requests(rows: list[bytes]) -> None:
    both_agree(b"".join(row + b"\n" for row in (FIRST, *rows)))


@few
@given(objects(PLAIN) | objects(SPEND_LOG) | objects(OBSERVATION) | objects(REQUEST))
def test_rows_that_go_to_a_server_as_lines(rows: list[bytes]) -> None:
    both_agree(b"".join(row + b"\n" for row in (FIRST, *rows)), bulk="as lines")


@few
@given(
    st.lists(st.fixed_dictionaries(PLAIN), min_size=1, max_size=40),
    st.sampled_from([",", ";"]),
    st.sampled_from([UTC, BERLIN]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
)
def test_tables_with_a_mapping(
    rows: list[dict[str, Any]], delimiter: str, zone: tzinfo, quoting: Literal[0, 1, 2]
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=quoting)
    writer.writerow(["When", "LLM", *list(PLAIN)[2:]])
    writer.writerows(row.values() for row in rows)
    data = text.getvalue().encode() + b"short\n\n" + text.getvalue().splitlines()[-1].encode()
    both_agree(data, Origin(mapping={"at": "When", "model": "LLM", "user": "prompt"}), zone)


def rows_of(names: Iterable[str], **fields: list[Any]) -> bytes:
    """Make good rows: each name, with each field's values in turn."""
    made = [{key: values[n % len(values)] for key, values in fields.items()} for n, _ in enumerate(names)]
    return "".join(json.dumps(row) + "\n" for row in made).encode()


def test_good_rows_are_read_in_bulk(tmp_path: Path) -> None:
    plain = rows_of(
        map(str, range(60)),
        timestamp=[TEN, "2024-06-01 10:00:00.5", 1_763_632_800],
        model=["gpt-4o", "claude-sonnet-4-5", "gemini-2.5-pro", "imaginary-9"],
        input_tokens=[1000, 300_000, 0, 200_000, 200_001],
        output_tokens=[500, 7],
        cost=[0.0075, None, 0.00042500000000000003],
        latency=[2.3],
        user_id=[7, "u"],
        chunks=[3, "x", True],
    )
    assert left(plain, tmp_path) == 0
    done = both_agree(plain)
    assert done.new == 60
    some = [each for each in done.records if each.model == "gemini-2.5-pro" and each.input_tokens]
    steps = {each.input_tokens: each.lines[0].rate for each in some if each.cost_status == "priced"}
    dear, cheap = Decimal("2.50"), Decimal("1.25")  # above 200,000 tokens, and up to there
    assert steps == {1000: cheap, 200_000: cheap, 200_001: dear, 300_000: dear}
    spend = rows_of(
        map(str, range(40)),
        request_id=[f"r{n}" for n in range(40)],
        spend=[0.0042, 0, 4.2e-05],
        startTime=["2026-11-20 10:00:00"],
        endTime=["2026-11-20T10:00:02.5Z"],
        model=["gpt-4o"],
        custom_llm_provider=["openai"],
        prompt_tokens=[1000],
        completion_tokens=[100],
        metadata=[{"usage_object": {"cache_read_input_tokens": 600}}],
        request_tags=[["a", "b"]],
    )
    assert left(spend, tmp_path) == 0
    observed = rows_of(
        map(str, range(40)),
        id=[f"o{n}" for n in range(40)],
        traceId=["t"],
        type=["GENERATION", "SPAN"],
        startTime=["2026-11-20T10:00:00.123Z"],
        endTime=[None, "2026-11-20T10:00:02Z"],
        model=["gpt-4o"],
        usageDetails=[{"input": 100, "output": 7, "total": 107, "input_cached_tokens": 40}],
        costDetails=[{"input": 0.1, "total": 0.00042500000000000003}, {"total": 0}],
    )
    assert left(observed, tmp_path) == 0
    assert both_agree(observed).read == (40, 20, "langfuse")
    asked = rows_of(
        map(str, range(40)),
        request_id=[f"h{n}" for n in range(40)],
        request_created_at=["2026-11-20T10:00:00.123Z"],
        response_status=[200],
        provider=["OPENAI"],
        request_model=["gpt-4o"],
        prompt_tokens=[100],
        prompt_cache_read_tokens=[30],
        request_properties=[{"team": "a", "n": "7"}, {}, None],
        cost=[0.1, None],
    )
    assert left(asked, tmp_path) == 0
    assert both_agree(asked).records[0].tags == {"from": "test", "team": "a", "n": "7"}
    table = b"When,LLM,In,Out,USD\n" + b"".join(b"2026-11-20 10:00:00,gpt-4o,%d,5,\n" % n for n in range(40))
    names = {"at": "When", "model": "LLM", "input_tokens": "In", "output_tokens": "Out", "cost": "USD"}
    assert both_agree(table, Origin(mapping=names)).new == 40


@pytest.mark.parametrize("model", ["deepseek-chat", "gpt-4o", "gemini-2.5-pro", "imaginary-9"])
def test_a_file_larger_than_a_block_is_read_in_order(monkeypatch: pytest.MonkeyPatch, model: str) -> None:
    monkeypatch.setattr(cutting, "_BLOCK", 300)
    rows = [
        {
            "timestamp": TEN,
            "model": model,
            "input_tokens": n % 3,
            "output_tokens": 1,
            "cost": (0.5, None)[n % 2],
        }
        for n in range(20)
    ]
    without_time = {"cost": 3, "latency": 1.0}
    later = {"timestamp": "2026-11-21T00:00:00Z", "cost": 1}
    data = [json.dumps(row).encode() for row in (*rows, without_time, later, without_time, without_time)]
    done = both_agree(b"\n".join([*data[:7], b"bad", *data[7:]]))
    assert [number for number, _ in done.faults] == [8]
    assert done.new == 24
    assert sum(bool(each.extra.get("time_assumed")) for each in done.records) == 3


def test_of_two_rows_with_one_id_the_first_counts() -> None:
    row = {
        "request_id": "r1",
        "spend": 0.5,
        "startTime": TEN,
        "model": "gpt-4o",
        "prompt_tokens": 5,
        "completion_tokens": 1,
    }
    failed = {**row, "spend": 0, "status": "failure"}
    for order in ([row, failed], [failed, row], [row, {**row, "spend": 0.7}, failed]):
        done = both_agree("".join(json.dumps(each) + "\n" for each in order).encode())
        assert (done.new, done.conflicts) == (1, len(order) - 1)
        assert done.records[0].status == ("error" if order[0] is failed else "success")


def test_a_named_shape_reads_every_row() -> None:
    data = (
        json.dumps({"startTime": TEN, "timestamp": TEN, "cost": 1, "request_id": "r", "spend": 2}).encode()
        + b"\n"
    )
    assert both_agree(data, Origin(shape=SHAPES["plain"])).records[0].cost == 1
    assert both_agree(data, Origin(shape=SHAPES["litellm"])).records[0].cost == 2


def test_quoted_cells_are_read_in_bulk(tmp_path: Path) -> None:
    rows = b"".join(b'"2026-11-20 10:00:00","gpt-4o",%d,"a b"\n' % n for n in range(40))
    heading = Heading.of('"at","model",cost,user')
    assert left(rows, tmp_path, Origin(heading=heading)) == 0
    odd = b'"2026-11-20","gpt-4o",7,"a,b"\n2026-11-20,gpt-4o,9,"say ""hi"""\n'
    assert left(odd, tmp_path, Origin(heading=heading)) == 2
    literal = b'2026-11-20,gpt-4o,8,a"b"\n'  # behind which the table's own reader judges
    done = both_agree(b'"at","model",cost,user\n' + rows + odd + literal)
    assert {each.user for each in done.records} == {"a b", "a,b", 'a"b"', 'say "hi"'}


def test_a_row_that_goes_over_two_lines_ends_the_bulk() -> None:
    start = b"2026-11-20,gpt-4o,"
    data = b'at,model,cost,note\n%b1,x\n%b2,"a\nb"\n%b3,"q"\n1,2\n' % (start, start, start)
    done = both_agree(data)
    assert sorted(str(each.cost) for each in done.records) == ["1", "2", "3"]
    assert [number for number, _ in done.faults] == [6]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_blocks_that_were_laid_out_ahead_are_read_again_behind_such_a_row(
    monkeypatch: pytest.MonkeyPatch, end: bytes
) -> None:
    monkeypatch.setattr(cutting, "_ROWS", 3)
    rows = [b"2026-11-20,gpt-4o,%d,x" % n for n in (1, 2, 3, 1, 2, 4)]
    data = [b"at,model,cost,note", *rows, rows[0], b'2026-11-20,gpt-4o,7,"a', b'b"', *rows, b"1,2", *rows]
    done = both_agree(end.join(data))
    assert done.new == 6 + 2 + 12
    assert [number for number, _ in done.faults] == [17]


def test_an_import_that_is_given_up_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cutting, "_ROWS", 3)
    ledger = DuckLedger(tmp_path)
    data = b"".join(b'{"timestamp": "2026-11-20T10:00:00Z", "cost": %d}\n' % n for n in range(30))
    steps: Any = reading.Bulk(ledger, BOOK, maker(), Origin()).steps(io.BytesIO(data))
    first = next(steps)
    steps.close()
    assert len(list(ledger.calls(CallQuery(limit=None)))) == first.new == 3
    assert not list(ledger.spool.glob("import.*"))
    with ledger.workbench() as bench:
        assert bench.all("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'foreign%'") == []
    ledger.close()


def test_equal_rows_are_told_apart_wherever_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "_BLOCK", 400)
    equal = b'{"timestamp": "2026-11-20T10:00:00Z", "model": "gpt-4o", "cost": 0.5}'
    slow = b'{"timestamp": "2026-11-20T10:00:00Z", "cost": 0.5, "error": ["boom"]}'  # goes one by one
    others = [b'{"timestamp": "2026-11-20T10:00:00Z", "cost": %d}' % n for n in range(60)]
    rows = [equal, slow, equal, *others[:30], b"bad", equal, slow, *others[30:], slow, equal, others[0]]
    done = both_agree(b"".join(row + b"\n" for row in (*rows, *rows)))
    assert (done.calls, done.new, done.conflicts) == (2 * (len(rows) - 1), 2 * (len(rows) - 1), 0)
    table = b"at,model,cost\n" + b"2026-11-20,gpt-4o,1\n" * 30 + b'2026-11-20,gpt-4o,"1\n"\n' * 3
    assert both_agree(table).new == 33


def test_prices_by_the_hour_are_found_in_bulk(tmp_path: Path) -> None:
    windowed = BOOK.timeline("deepseek", "deepseek-chat", ()).windowed
    day = max(row.start for row in windowed if row.start is not None)
    hours = [f"{day + timedelta(minutes=7 * n):%F %T}" for n in range(400)]  # nearly two days
    data = rows_of(
        map(str, range(400)),
        timestamp=hours,
        provider=["deepseek"],
        model=["deepseek-chat"],
        input_tokens=[9],
        output_tokens=[0],
    )
    assert left(data, tmp_path) == 0
    rates = {each.lines[0].rate for each in both_agree(data).records}
    assert len(rates) == 2


def test_a_flat_fee_stands_on_every_call_in_bulk(tmp_path: Path) -> None:
    data = rows_of(
        map(str, range(30)),
        timestamp=[TEN],
        provider=["perplexity"],
        model=["sonar"],
        input_tokens=[1000, 2000, None, 0],
        output_tokens=[10, 20, None, 0],
    )
    assert left(data, tmp_path) == 0
    lines = [line for each in both_agree(data).records for line in each.lines]
    assert {(line.quantity, line.amount) for line in lines if line.unit == "requests"} == {
        (1, Decimal("0.005"))
    }


def test_halves_of_the_last_place_are_rounded_to_the_even_one(tmp_path: Path) -> None:
    ties: list[float] = []
    amount = 0.007715
    while len(ties) < 20:
        amount = math.nextafter(amount, 1)
        if len(repr(amount)) == len("0.0077150000000000005") and repr(amount).endswith("5"):
            ties.append(amount)
    data = "".join(f'{{"timestamp": "{TEN}", "cost": {tie!r}}}\n' for tie in ties).encode()
    assert left(data, tmp_path) == 0
    kept = [each.cost for each in both_agree(data).records]
    places = Decimal(1).scaleb(-18)
    assert {*kept} == {Decimal(repr(tie)).quantize(places, ROUND_HALF_EVEN) for tie in ties}
    assert len({*kept}) > 10


def test_rows_of_pruned_days_are_late_either_way(tmp_path: Path) -> None:
    def rows(*numbers: int) -> bytes:
        told = [
            {
                "timestamp": f"2026-10-{1 + n % 20:02}T10:00:00Z",
                "model": "gpt-4o",
                "input_tokens": n,
                "output_tokens": 0,
            }
            for n in range(*numbers)
        ]
        return "".join(json.dumps(row) + "\n" for row in told).encode()

    ways = []
    both: tuple[Way, Way] = ("in bulk", "one by one")
    for how in both:
        folder = tmp_path / how
        imported(rows(0, 60), folder, Origin(), UTC, "in bulk")
        ledger = DuckLedger(folder)
        ledger.prune(datetime(2026, 10, 11, tzinfo=UTC))
        ledger.close()
        ways.append(
            imported(rows(40, 100), folder, Origin(), UTC, how)
            if how == "in bulk"
            else in_order(DuckLedger(folder), rows(40, 100), Origin())
        )
        assert (ways[-1].new, len(ways[-1].records), len(ledger.late_calls(100))) == (20, 50, 30)
        assert not ledger.verify()
        ledger.close()
    assert ways[0] == ways[1]


WORD = st.text("aZ0 ,:{}[]\"\\'é\t\x01\x1f\u2028", max_size=6)
NUMERAL = st.sampled_from(
    ["7", "0", "007", "1.50", "1e3", "1E5", "-0", "NaN", "Infinity", "-inf", "1e400", "12345678901234567890"]
)
RAW = st.one_of(
    WORD.map(json.dumps),
    WORD.map(lambda text: f'"{text}"'),  # some of it is no JSON
    NUMERAL,
    st.sampled_from(["null", "true", '{"a": 1, "b": [1, 2]}', '{"a":1}', '{"a": 1,}', '["x", "y"]', "[]"]),
    st.sampled_from(['"x", "chunks": 5, "note": "y"', '"x"  ', ' "x"', '{"cost": 3, "cost": 3}']),
)


@few
@given(
    st.lists(st.tuples(st.sampled_from(["user_id", "chunks", "note", "cost"]), RAW), max_size=30),
    st.booleans(),
)
def test_lines_that_differ_from_their_form_in_one_value(changes: list[tuple[str, str]], tight: bool) -> None:  # noqa: FBT001  # drawn
    usual = {"timestamp": f'"{TEN}"', "model": '"gpt-4o"', "input_tokens": "7", "output_tokens": "0",
             "cost": "0.5", "user_id": '"u"', "chunks": "3", "note": '{"x": 1, "y": ["z"]}'}  # fmt: skip
    comma, colon = (",", ":") if tight else (", ", ": ")
    made = [usual | {name: raw} for name, raw in [*changes, *[("chunks", str(n)) for n in range(40)]]]
    lines = ["{" + comma.join(f'"{name}"{colon}{raw}' for name, raw in row.items()) + "}" for row in made]
    both_agree("\n".join(lines).encode())


def test_lines_of_one_form_need_no_closer_look(tmp_path: Path) -> None:
    rows = rows_of(
        map(str, range(70)),
        timestamp=[TEN],
        model=["gpt-4o", "o1-preview"],
        input_tokens=[5, 6],
        output_tokens=[1],
        user_id=["a", None, "b"],
        note=["a, b: c", ""],
    )
    ledger = DuckLedger(tmp_path / "left")
    (tmp_path / "lines").write_bytes(rows)
    with ledger.workbench() as bench:
        laid = Block(bench, BOOK, maker()).lay_out(tmp_path / "lines", 70, Origin())
        rest = bench.all("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'foreign_rest'")
    assert (laid.count, rest) == (70, [(0,)])
    ledger.close()
    assert both_agree(rows).new == 70


@pytest.mark.parametrize("chunk", [1, 7, 64, 1000])
@pytest.mark.parametrize("most", [1, 3, 50])
def test_blocks_end_behind_the_line_that_fills_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, chunk: int, most: int
) -> None:
    monkeypatch.setattr(cutting, "_CHUNK", chunk)
    monkeypatch.setattr(cutting, "_ROWS", most)
    data = b"".join(b"x" * (n % 5) + b"\n" for n in range(20)) + b"end"
    with cutting.cutter(io.BufferedReader(io.BytesIO(data)), tmp_path, lambda rows: rows) as cutter:
        found = [(cut.text(), cut.count) for cut in cutter.cuts()]
    assert b"".join(text for text, _ in found) == data
    assert all(text.count(b"\n") == count == most for text, count in found[:-1])
    assert found[-1][1] == len(found[-1][0].splitlines())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("model", [["gpt-4o"], {"name": "gpt-4o"}, []])
def test_a_model_that_is_no_text_is_a_fault(model: Any, caplog: pytest.LogCaptureFixture) -> None:
    row = {"request_id": "r", "spend": 0, "prompt_tokens": 5, "startTime": TEN, "endTime": TEN,
           "model": "gpt-4o", "call_type": "acompletion"}  # fmt: skip
    rows = [row | {"request_id": f"r{n}", "model": model if n == 3 else "gpt-4o"} for n in range(6)]
    done = both_agree("".join(json.dumps(each) + "\n" for each in rows).encode())
    assert done.faults == [(4, f"model must be a text, not {model!r}")]
    assert done.new == 5
    assert not caplog.records


@pytest.mark.parametrize("last", ["in bulk", "one by one"])
def test_a_row_without_a_time_takes_that_of_the_row_before_in_another_block(
    monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    monkeypatch.setattr(cutting, "_ROWS", 3)
    odd = {} if last == "in bulk" else {"error": ["boom"]}
    told: list[dict[str, Any]] = [
        {"timestamp": f"2026-11-{day}T10:00:00Z", "cost": day} for day in (20, 21, 22)
    ]
    told[-1] |= odd
    done = both_agree(b"".join(line(row) for row in [*told, {"cost": 23}]))
    assert [each.at.day for each in done.records if each.cost == 23] == [22]


def test_a_single_row_whose_kind_has_no_rate_is_kept_the_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its price is not linear, say."""

    def rate(*args: Any, silent: bool) -> Any:
        return None if silent else charges.rate_of(*args, silent=silent)

    monkeypatch.setattr(block, "rate_of", rate)
    row = {"timestamp": TEN, "status": "success", "input_tokens": 7, "output_tokens": 1}
    rows = [row | {"user_id": f"u{n}"} for n in range(40)]
    rows[7] |= {"input_tokens": None, "output_tokens": None}
    done = both_agree(b"".join(map(line, rows)))
    assert (done.calls, done.new) == (40, 40)
