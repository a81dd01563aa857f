"""A tally: what passed on the way to the journal, exactly, by provider and currency."""

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.garbage import ends_within

from outlay.cli.tally import Tally
from outlay.core.codec import entry_json
from outlay.core.cost import Cost, unpriced
from outlay.core.record import Entry, Loss, Record, Revision, Score
from outlay.core.usage import Usage
from outlay.journal import Journal
from outlay.render.summary import summary_text
from outlay.report import PriceGap

AT = datetime(2026, 11, 1, tzinfo=UTC)


class Sink:
    """Keeps what it is handed."""

    def __init__(self) -> None:
        self.kept: list[Entry] = []

    def append(self, entry: Entry) -> None:
        self.kept.append(entry)

    def flush(self, timeout: float | None = None) -> bool:
        return timeout == 7


class Lines(Sink):
    """Takes what it is handed as the lines that a journal makes of it."""

    def defer(self, pending: Any) -> None:
        pending.json()


class Later:
    """An entry that is made when it is asked for."""

    def __init__(self, entry: Entry) -> None:
        self.made = entry

    def entry(self) -> Entry:
        return self.made

    def json(self) -> dict[str, Any]:
        return entry_json(self.made)


def call(  # each is a fact of a call
    cost: str | None,
    currency: str = "USD",
    provider: str = "p",
    latency_ms: float | None = None,
    flags: tuple[str, ...] = (),
) -> Record:
    charge = unpriced("no price")
    if cost is not None:
        charge = Cost(Decimal(cost), "priced", currency=currency, flags=flags)
    return Record(
        id="019a3c00-0000-7000-8000-000000000001",
        at=AT,
        provider=provider,
        model="m",
        usage=Usage.of({"input": 10, "output": 2}),
        charge=charge,
        latency_ms=latency_ms,
    )


def test_names_beyond_those_that_are_kept_count_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outlay.cli.tally._KEPT", 2)
    tally = Tally(Sink())
    for provider in ("a", "b", "c", "d", "a"):
        tally.append(call(None, provider=provider))
    found = tally.summary()
    assert {name: totals.calls for name, totals in found.by_provider} == {"a": 2, "b": 1, "others": 2}
    assert sum(each.calls for each in found.price_gaps) == 5
    assert PriceGap("others", "others", 2) in found.price_gaps


def test_everything_is_handed_on_and_records_are_counted() -> None:
    sink = Sink()
    tally = Tally(sink)
    entries: list[Entry] = [
        call("0.1", latency_ms=100),
        call("0.2", provider="q"),
        replace(call(None), status="error"),
        Loss(at=AT, count=1, why="x"),
    ]
    for entry in entries:
        tally.append(entry)
    assert sink.kept == entries
    assert tally.flush(7)
    assert not tally.flush(1)
    summary = tally.summary()
    assert (summary.total.calls, summary.total.cost) == (3, Decimal("0.3"))
    assert (summary.total.input_tokens, summary.total.output_tokens) == (30, 6)
    assert summary.total.avg_latency_ms == 100
    assert [(name, totals.cost) for name, totals in summary.by_provider] == [
        ("p", Decimal("0.1")),
        ("q", Decimal("0.2")),
    ]
    assert summary.price_gaps == (PriceGap("p", "m", 1, errors=1),)


@pytest.mark.parametrize("sink", [Sink, Lines], ids=["made", "written"])
def test_a_call_at_a_later_price_is_told_as_that(sink: Callable[[], Any]) -> None:
    tally = Tally(sink())
    older, partial = ("extrapolated",), Cost(Decimal(1), "partial", flags=("extrapolated",))
    calls = (
        call("0.1", flags=older),
        call("0.1", flags=("makers_price",)),
        replace(call("1"), charge=partial),
    )
    for each in (*calls, call(None)):
        tally.defer(Later(each))
    found = tally.summary()
    assert found.price_gaps == (PriceGap("p", "m", 2), PriceGap("p", "m", 2, extrapolated=True))
    assert "Extrapolated      : older than the first known price, which was taken: 2 calls" in summary_text(
        found
    )


CALLS = st.builds(
    call,
    st.none() | st.decimals(-1, 10**6, allow_nan=False, places=9).map(str),
    st.sampled_from(("USD", "EUR")),
    st.sampled_from(("p", "q")),
    st.none() | st.integers(0, 10**9).map(lambda n: n / 1000),
    st.sampled_from(((), ("extrapolated",), ("makers_price",))),
)
OTHERS = st.sampled_from(
    (
        Loss(at=AT, count=1, why="x"),
        Score(record_id="r", at=AT, quality_score=0.5),
        Revision(record_id="r", at=AT, charge=Cost(Decimal(1), "priced")),
    )
)


@given(st.lists(st.tuples(CALLS, st.sampled_from(("success", "error"))) | OTHERS))
def test_a_line_is_counted_as_the_record_that_it_says(entries: list[Any]) -> None:
    made, written = Tally(Sink()), Tally(Lines())
    for each in entries:
        entry = replace(each[0], status=each[1]) if isinstance(each, tuple) else each
        made.append(entry)
        written.defer(Later(entry))
    assert written.summary() == made.summary()


def test_what_is_handed_on_unmade_is_counted_when_it_is_made(tmp_path: Path) -> None:
    at_once = Tally(Sink())  # a sink that cannot wait
    at_once.defer(Later(call("0.1")))
    assert at_once.summary().total.cost == Decimal("0.1")
    journal = Journal(tmp_path, batch_delay=30)
    tally = Tally(journal)
    tally.defer(Later(call("0.1")))
    assert tally.summary().total.calls == 0
    assert tally.flush(10)
    assert tally.summary().total.cost == Decimal("0.1")
    journal.close()


def test_currencies_are_never_added_up() -> None:
    tally = Tally(Sink())
    tally.append(call("1"))
    tally.append(call("7", "CNY"))
    totals = tally.summary().total
    assert totals.cost is None
    assert totals.costs == {"CNY": Decimal(7), "USD": Decimal(1)}


def test_nothing_costs_nothing_and_the_unpriced_an_unknown_amount() -> None:
    tally = Tally(Sink())
    assert tally.summary().total.cost == 0
    tally.append(call(None))
    assert tally.summary().total.cost is None


def test_threads_lose_nothing() -> None:
    tally = Tally(Sink())

    def append() -> None:
        for _ in range(25):
            tally.append(call("0.1"))

    threads = [Thread(target=append) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tally.summary().total.calls, tally.summary().total.cost) == (200, Decimal(20))


def test_a_call_that_ends_within_the_counting_of_another_is_counted_too() -> None:
    """As one does whose stream is collected there, in the very thread that counts."""
    tally = Tally(Sink())
    tally.append(call("0.1"))
    assert ends_within(tally._lock, lambda: tally.append(call("0.2")))
    assert tally.summary().total.cost == Decimal("0.3")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
def test_a_child_forked_while_a_call_is_counted_waits_for_nobody() -> None:
    tally = Tally(Sink())
    with tally._lock:
        child = os.fork()
        if not child:
            signal.alarm(20)
            tally.append(call("0.1"))
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
