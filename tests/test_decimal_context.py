"""A program may compute with decimals as it likes: its context, or its traps, change no sum of ours.

``-amount``, ``abs``, ``+`` and ``normalize`` of a Decimal round to the precision of whoever calls; what is
reckoned for a program is reckoned in its threads.
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, FloatOperation, Inexact, InvalidOperation, localcontext
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.pricing.test_bounds import MODEL

import outlay
from outlay.alerts.messages import amount
from outlay.alerts.rules import rules_of
from outlay.alerts.standing import standings
from outlay.capture import Recorder, SystemClock
from outlay.core.codec import entry_from_json, entry_json
from outlay.core.keeping import Settled
from outlay.core.record import Record
from outlay.core.usage import Usage
from outlay.importing.bulk.charged import amount as multiplied
from outlay.ledger import DuckLedger, MemoryLedger
from outlay.llm import DictRegistry, LLMEntry, LLMTier
from outlay.otel.reading import read_span
from outlay.pricing import Book, cost_of, sheet_of
from outlay.pricing.agreement import Tally, compare_lists
from outlay.pricing.bounds import moved
from outlay.pricing.sources import Listed, litellm_listed
from outlay.render.cells import dollars, signed
from outlay.render.letter import letter_markdown
from outlay.render.png import model_bars
from outlay.report import LedgerReader
from outlay.report.picture import picture_of
from outlay.report.review import review_of
from outlay.testing import call

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
EXACT_COST = "12345678901.123456789012345678"  # 29 digits, one more than decimals have by themselves


@pytest.fixture(params=[{}, {"traps": [Inexact, FloatOperation, InvalidOperation]}], ids=["coarse", "traps"])
def coarse(request: pytest.FixtureRequest) -> Iterator[None]:
    with localcontext(Context(prec=3, **request.param)):
        yield


def reader() -> LedgerReader:
    ledger = MemoryLedger()
    days = (NOON - timedelta(days=back) for back in range(40))
    ledger.add([call(at, cost=f"{EXACT_COST[:-2]}{at.day:02}", model="m", provider="p") for at in days])
    return LedgerReader(ledger, now=lambda: NOON)


@pytest.mark.usefixtures("coarse")
def test_a_usage_is_read_to_its_last_digit() -> None:
    response = {"text": "x", "usage": {"type": "duration", "seconds": 12.3456}}
    usage = outlay.usage_of([response], provider="openai", api="transcription")
    assert str(usage.units["audio_seconds"]) == "12.3456"


@pytest.mark.usefixtures("coarse")
def test_usages_and_pruned_costs_are_added_to_the_last_digit(tmp_path: Path) -> None:
    one = Usage.of({"audio_seconds": Decimal("1.2345")})
    assert (one + one).units["audio_seconds"] == Decimal("2.4690")
    with closing(DuckLedger(tmp_path)) as ledger:
        days = (NOON - timedelta(days=back) for back in (400, 401))
        ledger.add([call(at, cost="1.000000000000000001") for at in days])
        assert ledger.prune(NOON).costs == {"USD": Decimal("2.000000000000000002")}


@pytest.mark.usefixtures("coarse")
def test_a_rate_by_the_thousand_and_its_cost_are_exact() -> None:
    book = Book.of(sheet_of(MODEL + 'rates = { input = "0.0012345" }\nper = 1000'))
    cost = cost_of({"input": 1_000_001}, provider="acme", model="m", at=NOON, book=book)
    assert cost.lines[0].rate == Decimal("1.2345")
    assert cost.amount == Decimal("1.2345012345")
    assert multiplied("input", 10, [Decimal("1.234500")]).places == 4


@pytest.mark.usefixtures("coarse")
def test_a_stated_cost_is_kept_as_it_is() -> None:
    kept: list[Record] = []

    class Sink:
        def append(self, entry: object) -> None:
            assert isinstance(entry, Record)
            kept.append(entry)

        def flush(self, timeout: float | None = None) -> bool:
            raise NotImplementedError

    recorder = Recorder(Sink(), clock=SystemClock(), price=cost_of)
    record = recorder.record(provider="p", model="m", cost=1234.5678, latency_ms=1.25)
    read = entry_from_json(entry_json(record))
    assert isinstance(read, Record)
    assert [each.cost for each in (record, *kept, read)] == [Decimal("1234.5678")] * 3


@pytest.mark.usefixtures("coarse")
def test_costs_of_both_sides_of_a_span_are_added_exactly() -> None:
    sides = {"llm.cost.prompt": "1.23456", "llm.cost.completion": "0.000007", "llm.model_name": "m"}
    table = {"langfuse.observation.cost_details": '{"input": 1.23456, "output": 0.000007}'}
    for said in (sides, table):
        reading = read_span(said, "scope")
        assert reading is not None
        assert reading.usage.reported_cost == Decimal("1.234567")


@pytest.mark.usefixtures("coarse")
def test_sums_of_reports_and_letters_are_exact() -> None:
    found = review_of(reader(), "this")
    assert found.trend.total["cost"] == Decimal("37037036703.370370367037036872")  # of Monday to Wednesday
    assert "12,345,678,901.123457" in letter_markdown(found, ZoneInfo("UTC"))
    assert model_bars(picture_of(reader()))[0] == ["m"]
    assert dollars(Decimal("0.000000123456")) == "$0.000000123456"
    assert signed(Decimal("-1234.5678901")) == "-$1,234.567890"


@pytest.mark.usefixtures("coarse")
def test_budgets_are_told_to_the_digit() -> None:
    (rule,) = rules_of({"rules": [{"name": "b", "budget": Decimal("9876543210.5")}]})
    found = next(standings([rule], reader(), NOON))
    assert found.value == Decimal(f"{EXACT_COST[:-2]}25")
    assert found.percent == Decimal("125.0")
    assert amount(Decimal("1234.5678"), "USD") == "$1,234.57"


@pytest.mark.usefixtures("coarse")
def test_registered_models_cost_what_is_listed() -> None:
    registry = DictRegistry.from_env({})
    assert registry.get_by_name("GPT-4o-mini").cost_per_1k_input == Decimal("0.00015")
    entry = LLMEntry(9, "own", "openai", "own", LLMTier.LOCAL, "0.001234", "1.2")
    assert registry.add(entry).price == Decimal("1.201234")


@pytest.mark.usefixtures("coarse")
def test_lists_are_compared_to_the_last_digit() -> None:
    rate = "0.00000123456789"
    prices: dict[str, Any] = {"gpt-4o": {"litellm_provider": "openai", "input_cost_per_token": Decimal(rate)}}
    (listed,) = litellm_listed(prices)
    assert str(listed.rate) == "1.23456789000000"
    assert not moved(Decimal("1.2344"), Decimal("123.43"), 100)
    assert moved(Decimal("1.2344"), Decimal("123.44"), 100)


@pytest.mark.usefixtures("coarse")
def test_rates_that_differ_by_a_little_more_than_a_tenth_of_a_percent_disagree() -> None:
    sheet = sheet_of(
        '[[model]]\nprovider = "acme"\nmodel = "one"\nprice = [{ rates = { input = "1.004094" } }]'
    )
    theirs = [Listed("acme", "one", "input", Decimal("1.0051"))]
    assert compare_lists(Book.of(sheet), theirs, NOON).total == Tally(compared=1, agree=0)


@pytest.mark.usefixtures("coarse")
def test_parts_of_a_settlement_are_added_to_the_last_digit() -> None:
    part = Settled(calls=1, counted=True, costs={"USD": Decimal("1.2345")})
    assert str((part + part).costs["USD"]) == "2.4690"


@pytest.mark.usefixtures("coarse")
def test_what_parts_leave_of_a_whole_number_is_exact() -> None:
    prices = sheet_of(
        '[[model]]\nprovider = "acme"\nmodel = "one"\n'
        'price = [{ rates = { audio_seconds = "1", input = "1" }, per = 1 }]\n'
    )
    part = Usage.of({"audio_seconds": Decimal("0.5")}, model="one")
    whole = Usage(items=(("audio_seconds", 12_345),), model="one", parts=(part,))
    cost = cost_of(whole, provider="acme", model="one", at=NOON, book=Book.of(prices))
    assert sorted(line.quantity for line in cost.lines) == [Decimal("0.5"), Decimal("12344.5")]
