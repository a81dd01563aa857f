"""What servers are sent of a journal's line is what they would be sent of its Record, or nothing of it."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.support.any_record import JSON, records

from outlay.core.cost import Cost, CostLine
from outlay.core.errors import RefusedEntryError
from outlay.core.ids import uuid7
from outlay.core.record import Entry, Loss, Record, Revision, Score
from outlay.core.usage import Usage
from outlay.extract import read as read_usage
from outlay.journal import Fault, line_of, read_line
from outlay.ledger import usual as usual_lines
from outlay.ledger.clickhouse import drawn as to_clickhouse
from outlay.ledger.clickhouse.intake import _record_line
from outlay.ledger.postgres import drawn as to_postgres
from outlay.ledger.postgres import rows
from outlay.ledger.usual import Seen, read, read_usual, record_of
from outlay.pricing import cost_of
from outlay.testing import NOON, call

BODY = {
    "id": "chatcmpl-1",
    "model": "gpt-4o-2024-08-06",
    "service_tier": "default",
    "usage": {
        "prompt_tokens": 1200,
        "completion_tokens": 80,
        "total_tokens": 1280,
        "prompt_tokens_details": {"cached_tokens": 1024},
        "completion_tokens_details": {"reasoning_tokens": 16},
    },
}


def usual(**fields: Any) -> Record:
    """Make a call as an SDK's answer gives it."""
    usage = read_usage(BODY, provider="openai", api="chat")
    facts: dict[str, Any] = {
        "id": uuid7(NOON),
        "at": NOON,
        "provider": "openai",
        "api": "chat",
        "model": "gpt-4o-2024-08-06",
        "usage": usage,
        "charge": cost_of(usage, provider="openai", model="gpt-4o-2024-08-06", at=NOON),
        "latency_ms": 812.25,
        "user": "u1",
        "session": "s1",
        "tags": {"team": "search"},
    }
    return Record(**{**facts, **fields})


EVERYTHING = {
    "error": "gone \\ away\t\n\x00\uffff",
    "error_type": "Gone",
    "status": "error",
    "streamed": True,
    "retries": 2,
    "time_to_first_token_ms": 3,
    "trace_id": "t",
    "span_id": "s",
    "prompt_length": 0,
    "prompt": "Grüße\r",
    "reply": "",
    "quality_score": 0.0,
    "user_rating": 5,
    "correct": False,
    "extra": {"order": [1, None]},
    "agent": "a",
    "action": "b",
    "workspace": "w",
    "query_type": "rag",
    "model_requested": "gpt-4o",
}


def stated(amount: str, computed: str | None = None) -> Cost:
    """Make a cost that was stated, beside ours."""
    line = CostLine("reported", 1, Decimal(amount), 1, Decimal(amount))
    ours = None if computed is None else Decimal(computed)
    return Cost(Decimal(amount), "reported", lines=(line,), flags=("rounded",), computed=ours)


STATED = {"charge": stated("0.0041", "0.00395")}


@pytest.mark.parametrize(
    "fields",
    [{}, EVERYTHING, {"user": None, "session": "", "tags": {}}, STATED, {"charge": stated("10")}],
)
def test_usual_lines_are_read_without_a_record(fields: dict[str, Any]) -> None:
    line = line_of(usual(**fields))
    seen = read(line)
    assert isinstance(seen, Seen)
    assert read_usual(seen) is not None
    assert to_clickhouse.Drawing().draw(seen) is not None
    agree(line)


def test_a_call_without_usage_or_price_is_usual_too() -> None:
    line = line_of(usual(usage=Usage(), charge=Cost(None, "unpriced", reason="no usage"), status="error"))
    seen = read(line)
    assert isinstance(seen, Seen)
    assert to_clickhouse.Drawing().draw(seen) is not None
    agree(line)


def test_calls_with_flags_of_their_own_are_of_another_kind() -> None:
    """What a usage and a cost were flagged with belongs to a call and is learnt with its kind."""
    plain = usual()
    guessed = replace(plain.usage, flags=("estimated",))
    extrapolated = replace(plain.charge, flags=("extrapolated",))
    calls = [
        plain,
        usual(usage=guessed),
        usual(charge=extrapolated),
        usual(usage=guessed, charge=extrapolated),
    ]
    seen = [found for found in map(read, map(line_of, calls)) if isinstance(found, Seen)]
    keys = {found.key for found in map(read_usual, seen) if found is not None}
    assert len(keys) == len(calls)
    agree(*map(line_of, calls), *map(line_of, calls))


@pytest.mark.parametrize(
    "entry",
    [
        Score(record_id=uuid7(NOON), at=NOON, quality_score=0.5),
        Revision(record_id=uuid7(NOON), at=NOON, charge=Cost(Decimal(1), "priced")),
        Loss(at=NOON, count=2, why="disk full"),
    ],
)
def test_what_is_no_call_is_read_wholly(entry: Score | Revision | Loss) -> None:
    assert read(line_of(entry)) == entry


@given(records())
def test_any_record(record: Record) -> None:
    agree(line_of(record))


_PATHS = (
    *[(name,) for name in orjson.loads(line_of(usual(**EVERYTHING)))],
    *[("usage", name) for name in ("input", "cache_read", "output", "reasoning", "images", "no unit")],
    *[("lines", 0, name) for name in ("unit", "quantity", "rate", "per", "amount", "note", "model", "more")],
    *[("price", name) for name in ("source", "effective_from", "version", "extrapolated", "more")],
    *[("terms", "service_tier"), ("flags",), ("cost_flags",), ("parts",), ("computed_cost",), ("flags", 0)],
    *[("score",), ("revision",), ("lost",), ("arrived",), ("delivery",), ("reported_cost",), ("lines", 1)],
    *[
        ("usage_reason",),
        ("reported_currency",),
        ("context_tokens",),
        ("raw", "prompt_tokens"),
        ("tags", "team"),
    ],
)
_ODD = (
    JSON
    | st.sampled_from(
        [True, 1, 1.0, 0, -1, 10**12, 10**12 + 1, 2**63, 2**64, 1e300, "", "1", "0", "-1", "1.50", "1e3"]
    )
    | st.sampled_from(["NaN", " 1", "0.1234567890123456789", "1" * 61, "1_0", "\\N", [], {}, [[]], ["a"]])
    | st.sampled_from(["2026-11-01T12:00:00Z", "2026-02-30T12:00:00.000000Z", "2026-11-01T24:00:00.000000Z"])
    | st.sampled_from([{"input": True}, {"output": 1, "input": 2}, {"input": 1.0}, {"input": 0}, [{}], "USD"])
)
_BASES = st.sampled_from(
    [usual(), usual(**EVERYTHING), usual(**STATED)]
)  # any record at all takes far longer to draw


@settings(max_examples=400, deadline=None)
@given(_BASES, st.lists(st.tuples(st.sampled_from(_PATHS), _ODD), min_size=1, max_size=2), st.booleans())
def test_any_line_that_says_something_odd(
    record: Record,
    odd: list[tuple[tuple[Any, ...], Any]],
    first: bool,  # noqa: FBT001  # whether a good line of its kind was seen before
) -> None:
    good = line_of(record)
    data = orjson.loads(good)
    for path, value in odd:
        put(data, path, value)
    line = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    agree(*([good, line] if first else [line, good]))


def put(data: Any, path: tuple[Any, ...], value: Any) -> None:
    """Put something into JSON where there is such a place."""
    *way, last = path
    for name in way:
        try:
            data = data[name]
        except (LookupError, TypeError):
            return
    if isinstance(data, dict) or (isinstance(data, list) and isinstance(last, int) and len(data) > last):
        data[last] = value


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line.replace(b'"USD"', b'"USD","id":"01a0f4c2-c400-7cc7-9927-7b0c2f7281f8"'),
        lambda line: line.replace(b'"USD"', b'"USD","at":"2026-10-01T00:00:00.000000Z"'),
        lambda line: line.replace(b'"USD"', b'"USD","user":"u2"'),
        lambda line: line.replace(b'"schema":1', b'"schema":2'),
        lambda line: line.replace(b'"schema":1', b'"schema":1.0'),
        lambda line: line.replace(b'"usage":{"input":', b'"usage":{"input":9,"input":'),
        lambda line: line.replace(b":", b": "),
        lambda line: line[:-20],
        lambda line: line.replace(b"u1", b"\xff"),
        lambda line: line.replace(b"u1", b"\\ud800"),
        lambda line: line.upper(),
        lambda _: b"[]\n",
        lambda _: b'"schema"\n',
    ],
)
def test_lines_that_no_journal_writes(change: Callable[[bytes], bytes]) -> None:
    line = line_of(usual())
    assert change(line) != line
    agree(change(line))
    agree(line, change(line))


@pytest.mark.parametrize(
    ("path", "value", "read_wholly"),
    [
        (("at",), "2026-02-30T12:00:00.000000Z", True),  # no such day
        (("lines", 0, "amount"), "1.50", True),  # a zero that nobody writes
        (("lines", 0, "amount"), "1" * 61, True),
        (("lines", 0, "per"), 3, False),  # no finite amount of one
        (("lines", 0, "rate"), "-1", True),  # no record says so
        (("lines", 0, "rate"), "0." + "1" * 40, False),
    ],
)
def test_a_line_of_odd_amounts_or_days_is_what_its_record_is(
    path: tuple[Any, ...], value: Any, *, read_wholly: bool
) -> None:
    data = orjson.loads(line_of(usual()))
    put(data, path, value)
    line = orjson.dumps(data) + b"\n"
    agree(line)
    agree(line_of(usual()), line)
    seen = read(line)
    assert isinstance(seen, Seen)
    assert (to_clickhouse.Drawing().draw(seen) is None) is read_wholly


def test_tokens_are_added_up_anew_whatever_the_line_says_that_they_are() -> None:
    line = line_of(usual())
    data = orjson.loads(line)
    data["input_tokens"] += 1
    seen = read(orjson.dumps(data) + b"\n")
    assert isinstance(seen, Seen)
    assert orjson.loads(to_clickhouse.Drawing().draw(seen) or b"") == orjson.loads(line)


def test_what_was_learnt_is_forgotten_when_there_is_much_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usual_lines, "_FORMS", 2)
    drawing = to_clickhouse.Drawing()
    for number in range(5):
        line = line_of(usual(model=f"model-{number}"))
        seen = read(line)
        assert isinstance(seen, Seen)
        drawn = drawing.draw(seen)
        assert drawn is not None
        assert orjson.loads(drawn) == orjson.loads(line)
        assert 1 <= len(drawing._sorts._known) <= 2


def test_a_copy_of_another_amount_does_not_follow() -> None:
    """What is known of one call is not taken for true of another."""
    record = usual()
    wrong = [CostLine(each.unit, each.quantity, each.rate, each.per, Decimal(1)) for each in record.lines]
    other = usual(charge=Cost(record.cost, "priced", lines=tuple(wrong), price=record.charge.price))
    agree(line_of(record), line_of(other))
    agree(line_of(call()), line_of(other))


def test_a_copy_with_other_lines_does_not_follow() -> None:
    line = line_of(usual())
    data = orjson.loads(line)
    fewer = {**data, "lines": data["lines"][:-1]}
    more = {**data, "lines": [*data["lines"], data["lines"][0]]}
    agree(line, *(orjson.dumps(each) + b"\n" for each in (fewer, more)))
    sort, _ = to_postgres.Drawing().draw(usual())
    factors = (("input", 1, 0),) * len(data["lines"])
    assert not to_postgres._follow(data, replace(sort, factors=factors[1:]))


@given(st.text("0123456789._-+e ²٣", max_size=9), st.integers(0, 9))
@example("1" * 5_000, 0)
@example("٣", 0)
@example("_", 3)
@example("0", 9)
def test_an_amount_in_any_writing_follows_only_if_it_is_that_number(more: str, at: int) -> None:
    line = line_of(usual())
    data = orjson.loads(line)
    for each in data["lines"]:
        each["amount"] = each["amount"][:at] + more + each["amount"][at:]
    agree(line, orjson.dumps(data) + b"\n")


def agree(*lines: bytes) -> None:
    """Look at lines, one after the other: each is drawn as its Record would be, or refused as that is."""
    postgres, clickhouse = to_postgres.Drawing(), to_clickhouse.Drawing()
    for line in lines:
        found, drawn, refused = drawn_by(postgres, line)
        whole = read_line(line, 0, 0)
        if refused is not None:
            assert refused in {getattr(whole, "reason", None), "the line says two things", refusal_of(whole)}
        elif drawn is None or not isinstance(found, Seen):
            assert found == whole
        else:
            assert isinstance(whole, Record)
            assert record_of(found) == whole
            is_drawn_as(whole, drawn)
            sent = clickhouse.draw(found)
            assert sent is None or parts(orjson.loads(sent)) == parts(orjson.loads(_record_line(whole)))


def drawn_by(
    drawing: to_postgres.Drawing, line: bytes
) -> tuple[Entry | Seen | None, to_postgres.Drawn | None, str | None]:
    """Read and draw a line; say why not, if so."""
    try:
        found = read(line)
        return found, drawing.draw(found) if isinstance(found, Seen) else None, None
    except RefusedEntryError as error:
        return None, None, str(error)


def refusal_of(whole: Entry | Fault) -> str | None:
    """Say why PostgreSQL's ledger refuses an entry, if it does."""
    try:
        if isinstance(whole, Record):
            to_postgres.Drawing().draw(whole)
    except RefusedEntryError as error:
        return str(error)
    return None


def is_drawn_as(whole: Record, drawn: to_postgres.Drawn) -> None:
    """Compare to the types: 1 and True are two things to a server."""
    sort, rest = drawn
    rates = rows.rates_of(whole)
    assert sort.kind == rows.kind_of(whole)
    assert list(map(type, sort.kind)) == list(map(type, rows.kind_of(whole)))
    assert repr(sort.price) == repr(rows.price_of(whole, rates))
    assert rest == rows.rest_of(whole, lines=rates is None)


def parts(data: dict[str, Any]) -> dict[str, bytes]:
    """Give what is said by name, in which order each says it."""
    return {name: orjson.dumps(value) for name, value in data.items()}


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data["price"].update(effective_from="soon"),
        lambda data: data["lines"][0].update(rate="much"),
        lambda data: data["lines"][0].update(per=0),
    ],
)
def test_a_price_that_no_record_can_have_is_not_learnt(change: Callable[[dict[str, Any]], None]) -> None:
    data = orjson.loads(line_of(usual()))
    change(data)
    seen = read(orjson.dumps(data))
    assert isinstance(seen, Seen)
    found = read_usual(seen)
    assert found is not None
    assert usual_lines.Alike(lambda _, record: record).of(found) is None
    with pytest.raises(RefusedEntryError):
        to_postgres.Drawing().draw(seen)


@pytest.mark.parametrize("field", ["latency_ms", "at", "charge"])
def test_a_record_with_a_field_of_another_kind_is_refused_before_it_is_sent(field: str) -> None:
    given: dict[str, Any] = {field: "soon"}
    with pytest.raises(RefusedEntryError, match="an entry cannot be kept: "):
        to_postgres.Drawing().draw(replace(usual(), **given))
