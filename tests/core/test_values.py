"""Small promises of the values that stand between the steps."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from outlay.core import codec
from outlay.core.buckets import span
from outlay.core.codec import price_json, quantity_json
from outlay.core.cost import Cost, Price
from outlay.core.errors import MissingExtraError, QueryError, UnknownModelError, UsageError
from outlay.core.inherited import FORMERLY, MODULES
from outlay.core.instants import HERE, instant, midnight, text_of
from outlay.core.ports import hand_on
from outlay.core.query import check_dimension, check_metric, zone
from outlay.core.record import Entry
from outlay.core.usage import Usage, check_quantity
from outlay.testing import call


def test_usages_add_up_and_keep_what_both_agree_on() -> None:
    one = Usage.of({"input": 5}, flags=("clamped",), model="m", terms=(("batch", "true"), ("geo", "eu")))
    other = Usage.of(
        {"input": 2, "output": 1}, flags=("partial",), reason="cut", model="m", terms=(("geo", "eu"),)
    )
    both = one + other
    assert both.units == {"input": 7, "output": 1}
    assert (both.flags, both.reason, both.model) == (("clamped", "partial"), "cut", "m")
    assert both.terms == (("geo", "eu"),)
    assert (one + Usage.of({}, model="n")).model is None


def test_a_usage_tells_its_inclusive_counts() -> None:
    usage = Usage.of(
        {
            "input": 100,
            "cache_read": 20,
            "cache_read_audio": 1,
            "cache_write": 5,
            "cache_write_1h": 2,
            "output": 30,
            "reasoning": 8,
            "web_search": 4,
        }
    )
    counts = {
        "input_tokens": 128,  # 100 + 20 + 1 + 5 + 2
        "cached_tokens": 21,
        "cache_write_tokens": 7,
        "output_tokens": 38,
        "reasoning_tokens": 8,
        "total_tokens": 166,
    }
    assert {name: getattr(usage, name) for name in counts} == counts
    record = call(usage=usage)
    assert {name: getattr(record, name) for name in counts} == counts


def test_a_record_tells_what_answered_and_all_that_was_odd() -> None:
    usage = Usage.of({"input": 1}, flags=("partial", "clamped"), response_id="resp-1")
    record = call(usage=usage, charge=Cost(None, "unpriced", flags=("alias", "partial")))
    assert (record.response_id, record.cost, record.cost_status) == ("resp-1", None, "unpriced")
    assert record.flags == ("alias", "clamped", "partial")


def test_a_missing_extra_says_what_to_install() -> None:
    said = str(MissingExtraError.of("alerts", "apprise"))
    assert said == 'apprise is not installed; run: pip install "outlay[alerts]"'


def test_a_day_begins_at_midnight_in_utc() -> None:
    summer = timezone(timedelta(hours=2))
    assert midnight(datetime(2026, 7, 2, 1, 30, tzinfo=summer)) == datetime(2026, 7, 1, tzinfo=UTC)
    assert midnight(datetime(2026, 7, 2, 2, 0, 0, 1, tzinfo=summer)) == datetime(2026, 7, 2, tzinfo=UTC)


def test_older_names_of_modules_belong_to_sdks_that_are_known() -> None:
    assert set(FORMERLY.values()) <= MODULES.keys()
    assert not FORMERLY.keys() & set(MODULES.values())


def test_a_usage_and_a_number_do_not_add_up() -> None:
    with pytest.raises(TypeError):
        Usage() + 1  # type: ignore[operator]


@pytest.mark.parametrize(
    ("unit", "quantity"),
    [
        ("input", -1),
        ("input", 1.5),
        ("input", True),
        ("input", 10**15),
        ("web_search", True),
        ("web_search", "2"),
        ("audio_seconds", Decimal("NaN")),
        ("audio_seconds", Decimal("-0.5")),
        ("Input Tokens", 1),
    ],
)
def test_a_quantity_that_nobody_can_have_meant_is_refused(unit: str, quantity: Any) -> None:
    with pytest.raises(UsageError, match=unit):
        check_quantity(unit, quantity)


def test_a_quantity_that_can_be_is_taken() -> None:
    for unit, quantity in (("input", 0), ("audio_seconds", Decimal("1.5")), ("web_search", 3)):
        check_quantity(unit, quantity)


@pytest.mark.parametrize(
    ("quantity", "written"),
    [
        (3, 3),
        (Decimal(3), 3),
        (Decimal("1.5"), 1.5),
        (Decimal("0.12345678901234567890"), "0.12345678901234567890"),
    ],
)
def test_a_quantity_is_a_number_where_that_is_exact(quantity: int | Decimal, written: Any) -> None:
    assert quantity_json(quantity) == written
    assert type(quantity_json(quantity)) is type(written)


def test_prices_that_were_written_are_forgotten_when_there_are_many() -> None:
    prices = [Price("list", None, str(number)) for number in range(3000)]
    written = [codec.shared_price_json(price) for price in prices]
    assert written == [price_json(price) for price in prices]
    assert len(codec._written_prices) <= codec._PRICES_KEPT


def test_an_unknown_models_error_says_its_message_and_no_more() -> None:
    assert str(UnknownModelError("no price of m; did you mean n?")) == "no price of m; did you mean n?"
    assert str(UnknownModelError()) == ""


def test_a_failed_call_is_no_success_and_says_its_currency_and_lines() -> None:
    record = call(status="error", charge=Cost(Decimal(1), "reported", "EUR"))
    assert (record.success, record.currency, record.lines) == (False, "EUR", ())
    assert call().success


@pytest.mark.parametrize(("name", "near"), [("modle", "model"), ("qqqq", "there are hour, day")])
def test_a_dimension_that_does_not_exist_is_refused_with_a_hint(name: str, near: str) -> None:
    with pytest.raises(QueryError, match=near):
        check_dimension(name)


@pytest.mark.parametrize(
    ("name", "near"), [("judged_cals", "judged_calls"), ("qqqq", "there are successful")]
)
def test_a_metric_that_does_not_exist_is_refused_with_a_hint(name: str, near: str) -> None:
    with pytest.raises(QueryError, match=near):
        check_metric(name)


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", ""])
def test_a_zone_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(QueryError, match="write an IANA name"):
        zone(name)


def test_an_hour_in_which_clocks_go_forward_ends_there() -> None:
    # North Korea went from +08:30 to +09:00 at 23:30 on 4 May 2018, which is 15:00 UTC
    start, end = span("hour", "2018-05-04T23:00:00+08:30", ZoneInfo("Asia/Pyongyang"))
    assert start == datetime(2018, 5, 4, 14, 30, tzinfo=UTC)
    assert end == datetime(2018, 5, 4, 15, tzinfo=UTC)


class Sink:
    """Takes entries, and unmade ones only if it can."""

    def __init__(self) -> None:
        self.taken: list[Entry] = []

    def append(self, entry: Entry) -> None:
        self.taken.append(entry)

    def flush(self, timeout: float | None = None) -> bool:
        return True


class Waiting:
    """What will be an entry."""

    def entry(self) -> Entry:
        return MADE

    def json(self) -> dict[str, Any]:
        raise AssertionError("the entry itself was asked for")


MADE = call()


def test_a_sink_that_cannot_wait_gets_the_entry_made() -> None:
    sink = Sink()
    hand_on(Waiting(), sink)
    assert sink.taken == [MADE]


def test_a_sink_that_can_wait_gets_it_unmade() -> None:
    class Deferring(Sink):
        """Makes entries later."""

        def defer(self, pending: Waiting) -> None:
            self.taken.append(pending)  # type: ignore[arg-type] # to be looked at below

    sink = Deferring()
    pending: Any = Waiting()
    hand_on(pending, sink)
    assert sink.taken == [pending]


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_this_machine_s_zone_is_an_offset_and_has_no_name_of_its_own() -> None:
    noon = datetime(2026, 7, 1, 12, tzinfo=HERE)
    assert (noon.tzname(), noon.dst(), noon.timetuple().tm_isdst) == (None, None, -1)
    assert HERE.utcoffset(None) is None


@pytest.mark.usefixtures("berlin")
@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows has its zone from its settings alone")
def test_a_time_without_a_zone_is_utc_on_every_machine() -> None:
    naive = datetime(2026, 7, 1, 12)  # noqa: DTZ001 - that is the question
    assert text_of(naive) == text_of(instant(naive)) == "2026-07-01T12:00:00.000000Z"


@pytest.mark.usefixtures("berlin")
@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows has its zone from its settings alone")
@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2026-07-01 12:00:00", 10),
        ("2026-12-01 12:00:00", 11),
        ("2026-07-01T12:00:00Z", 12),
        ("2026-03-29 01:59:59", 0),
        ("2026-03-29 03:00:00", 1),
    ],
)
def test_this_machine_s_clock_is_read_as_it_stood_then_and_not_as_it_stands_now(
    written: str, utc: int
) -> None:
    assert instant(written, HERE).hour == utc
    assert HERE.utcoffset(None) is None  # no one figure holds for all of its times


@pytest.mark.parametrize("name", ["latency_ms", "time_to_first_token_ms"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_record_of_a_latency_that_is_no_time_cannot_be_made(name: str, value: float) -> None:
    with pytest.raises(UsageError, match="a latency must be a finite number of milliseconds, not"):
        replace(call(), **{name: value})  # type: ignore[arg-type]  # a field by its name
    assert getattr(replace(call(), **{name: 0.0}), name) == 0  # type: ignore[arg-type]  # likewise
