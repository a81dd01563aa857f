"""Month end, unusual days and their drivers, on months whose figures are worked out by hand."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import inf
from random import Random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlay.core.cost import Cost, CostLine
from outlay.core.money import multiply, total
from outlay.core.record import Record
from outlay.core.usage import Usage
from outlay.ledger import MemoryLedger
from outlay.report import LedgerReader, series
from outlay.report.drivers import NAMES, drivers_of
from outlay.report.forecast import forecast_of
from outlay.report.review import review_of
from outlay.testing import call
from outlay.testing.asking import keeping

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)  # a Friday; ten days are left after it
D = Decimal


def reader_of(records: Iterable[Record]) -> LedgerReader:
    ledger = MemoryLedger()
    ledger.add(records)
    return LedgerReader(ledger, now=lambda: NOW)


def month(cost: Callable[[int], str], days: int = 60) -> list[Record]:
    """Make a call a day, at noon, for so many days before today; 1 is yesterday."""
    return [call(NOW - timedelta(days=back), cost=cost(back)) for back in range(1, days + 1)]


def test_a_steady_month_ends_where_it_is_going() -> None:
    found = forecast_of(reader_of([*month(lambda _: "10"), call(NOW, cost="4")]))
    (end,) = found.currencies
    assert (found.month, found.days_left) == ("2026-11", 10)
    assert (end.to_date, end.today, end.last_month) == (D(194), D(4), D(310))
    assert end.forecast == D(300)  # nineteen days, today and ten more, at 10
    assert end.low == D(190) + D("104.5")  # steady as it was, a twentieth off on either side
    assert end.high == D(190) + D("115.5")
    assert found.unusual == ()
    assert len(end.days) == 30
    assert {(day.cost, day.expected, day.stands_out) for day in end.days} == {(D(10), D(10), False)}


def test_a_day_that_already_cost_more_than_was_expected_counts_with_what_it_cost() -> None:
    (end,) = forecast_of(reader_of([*month(lambda _: "10"), call(NOW, cost="25")])).currencies
    assert end.forecast == D(190) + 25 + 100
    (end,) = forecast_of(reader_of([*month(lambda _: "10"), call(NOW, cost="250")])).currencies
    assert (end.low, end.high) == (D(190) + 250, D(190) + 250)


def test_weekends_are_not_unusual_and_are_forecast_as_weekends() -> None:
    weekend = {5, 6}

    def cost(back: int) -> str:
        return "2" if (NOW - timedelta(days=back)).weekday() in weekend else "10"

    found = forecast_of(reader_of(month(cost)))
    (end,) = found.currencies
    assert found.unusual == ()
    # Up to the 19th fourteen weekdays and five of weekends; then seven weekdays and four of weekends.
    assert end.to_date == D(14 * 10 + 5 * 2)
    assert end.forecast == end.to_date + 7 * 10 + 4 * 2


def test_days_without_calls_count_as_nothing_spent() -> None:
    found = forecast_of(reader_of([each for each in month(lambda _: "10") if each.at.day != 12]))
    (end,) = found.currencies
    (day,) = [day for day in end.days if day.day == "2026-11-12"]
    assert (day.cost, day.stands_out) == (D(0), True)
    assert [each.day for each in found.unusual] == ["2026-11-12"]
    assert found.unusual[0].driver == "calls"


def test_what_is_too_small_to_matter_does_not_stand_out() -> None:
    records = month(lambda back: "30" if back == 3 else "10")
    assert [each.day for each in forecast_of(reader_of(records)).unusual] == ["2026-11-17"]
    assert len(forecast_of(reader_of(records), least=D(20)).unusual) == 1
    assert forecast_of(reader_of(records), least=D(21)).unusual == ()


def test_two_weeks_are_enough_to_say_what_a_day_should_be() -> None:
    assert series.expected([1.0] * 13) is None
    assert series.expected([1.0] * 14) is not None


def test_an_interval_is_of_forecasts_that_knew_nothing_of_the_days_they_are_measured_by() -> None:
    days = [1.0 + (place * place) % 7 + (9.0 if place > 26 else 0.0) for place in range(36)]
    off = sorted(days[at] / sum(series.forecast(days[:at], 1)) for at in range(14, 36))
    low, high = off[round(0.05 * 21)], off[round(0.95 * 21)]
    assert series.interval(days, 1) == pytest.approx((max(min(low, 1) - 0.05, 0), max(high, 1) + 0.05))


@pytest.mark.parametrize("days", [1, 13])
def test_a_young_ledger_is_told_from_its_mean_without_an_interval(days: int) -> None:
    (end,) = forecast_of(reader_of(month(lambda _: "10", days))).currencies
    assert end.forecast == D(10 * days) + 110
    assert (end.low, end.high) == (None, None)
    assert end.reason is not None
    assert all(day.expected is None and not day.stands_out for day in end.days)


def test_on_the_first_day_it_says_that_a_forecast_needs_a_complete_one() -> None:
    """It spoke of the interval's days alone, as if one had to wait for a month."""
    (end,) = forecast_of(reader_of([call(NOW, cost="10")])).currencies
    assert (end.forecast, end.low) == (None, None)
    told = "a forecast needs one complete day since the first cost, its interval 26; there is none yet"
    assert end.reason == told


@pytest.mark.parametrize("days", [14, 20, 25, 26])
def test_a_missing_interval_says_how_many_days_it_needs(days: int) -> None:
    """Today and ten days more are told, so that backtests look at five; the eighth has its last on day 26."""
    (end,) = forecast_of(reader_of(month(lambda _: "10", days))).currencies
    told = f"an interval needs 26 complete days since the first cost; there are {days}"
    assert end.reason == (told if days < 26 else None)
    assert (end.low is None) is (days < 26)


def sparse(costs: dict[int, str], days: int = 100) -> LedgerReader:
    """Give a reader of a ledger in which only some days cost something, by how many days ago they were."""
    return reader_of(month(lambda back: costs.get(back, "0"), days))


ODD_DAYS = {back: "1" for back in range(1, 100) if back * 7 % 25 < 10}  # two of five, of every weekday


def test_days_that_cost_something_now_and_then_are_not_unusual() -> None:
    found = forecast_of(sparse(ODD_DAYS))
    assert found.unusual == ()
    assert not any(day.stands_out for day in found.currencies[0].days)


def test_a_dear_day_among_a_few_that_cost_something_is_unusual() -> None:
    back = next(back for back in ODD_DAYS if back > 3)
    (unusual,) = forecast_of(sparse(ODD_DAYS | {back: "30"})).unusual
    assert (unusual.day, unusual.cost) == (f"{NOW - timedelta(days=back):%Y-%m-%d}", D(30))


def test_of_a_handful_of_days_with_a_cost_nothing_is_said() -> None:
    (end,) = forecast_of(sparse({3: "1", 40: "1", 99: "1"})).currencies
    assert all(day.expected is None and not day.stands_out for day in end.days)


def test_a_few_cents_on_a_weekend_without_any_are_not_unusual() -> None:
    working = {back: "10" for back in range(1, 61) if (NOW - timedelta(days=back)).weekday() < 5}
    saturday = next(back for back in range(1, 61) if (NOW - timedelta(days=back)).weekday() == 5)
    found = forecast_of(sparse(working | {saturday: "0.05"}, 60))
    assert found.unusual == ()
    assert found.currencies[0].forecast == D(14 * 10) + D("0.05") + 7 * 10  # a cent there is no habit


@given(st.floats(0.05, 0.95), st.integers(0, 10_000))
def test_no_forecast_is_far_above_the_dearest_days(share: float, seed: int) -> None:
    """Where weeks had been nothing mostly, a weekday's factor was a hundred million."""
    random = Random(seed)  # noqa: S311 - no secret
    days = [random.lognormvariate(0, 0.5) if random.random() < share else 0.0 for _ in range(60)]
    assert max(series.forecast(days, 15)) <= 7 * max(days)


@given(st.lists(st.sampled_from([0.0, 0.0, 1e-6, 0.5, 1.0, 2.0, 1000.0]), min_size=14, max_size=80))
def test_any_series_can_be_judged(days: list[float]) -> None:
    told = series.expected(days)
    assert told is None or 0 <= told.low <= told.value <= told.high < inf
    assert told is None or not told.stands_out(told.value)


@pytest.mark.parametrize("share", [0.2, 0.4, 0.6])
def test_a_month_of_which_some_days_cost_something_is_told_by_how_many_do(share: float) -> None:
    random = Random(5)  # noqa: S311 - no secret
    histories = [[float(random.random() < share) for _ in range(60)] for _ in range(60)]
    told = fmean(sum(series.forecast(days, 15)) for days in histories)
    assert 0.75 <= told / (15 * share) <= 1.1


def test_nothing_recorded_has_no_forecast() -> None:
    assert forecast_of(reader_of([])).currencies == ()
    assert forecast_of(reader_of([call(NOW, cost=None)])).currencies == ()


def test_currencies_are_told_apart() -> None:
    records = [*month(lambda _: "10"), *(call(NOW - timedelta(days=n), currency="EUR") for n in range(1, 21))]
    found = forecast_of(reader_of(records))
    assert {each.currency: each.to_date for each in found.currencies} == {"EUR": D("1.9"), "USD": D(190)}


def lined(at: datetime, model: str, *units: tuple[str, int, str]) -> Record:
    lines = tuple(
        CostLine(unit, count, D(rate), 1_000_000, multiply(count, D(rate), 1_000_000))
        for unit, count, rate in units
    )
    charge = Cost(total(line.amount for line in lines), "priced", lines=lines)
    return call(at, model=model, charge=charge, usage=Usage.of({unit: count for unit, count, _ in units}))


USUAL = (("input", 1_000_000, "2"), ("cache_read", 1_000_000, "1"), ("output", 1_000_000, "3"))  # 6 a call


def day_of(records: Iterable[Record]) -> list[Record]:
    """Give the usual days before, two calls a day, and these records on the day."""
    before = [lined(NOW - timedelta(days=n), "a", *USUAL) for n in range(1, 29) for _ in range(2)]
    return [*before, *records]


@pytest.mark.parametrize(
    ("calls", "effects"),
    [
        ([("a", USUAL)] * 5, {"calls": "18"}),
        ([("a", USUAL), ("b", (("input", 1_000_000, "20"),))], {"model_mix": "14"}),
        (
            [("a", tuple((unit, 3 * count, rate) for unit, count, rate in USUAL))] * 2,
            {"tokens_per_call": "24"},
        ),
        ([("a", (("input", 2_000_000, "2"), ("output", 1_000_000, "3")))] * 2, {"cache_share": "2"}),
        (
            [("a", (("input", 4_000_000, "2"), ("output", 2_000_000, "3")))] * 2,
            {"tokens_per_call": "12", "cache_share": "4"},
        ),
        (
            [("a", tuple((unit, count, str(2 * int(rate))) for unit, count, rate in USUAL))] * 2,
            {"price": "12"},
        ),
        (
            [("a", tuple((unit, 2 * count, str(2 * int(rate))) for unit, count, rate in USUAL))] * 3,
            {"calls": "6", "tokens_per_call": "18", "price": "36"},
        ),
    ],
)
def test_each_driver_is_told_by_what_it_changed(
    calls: list[tuple[str, tuple[tuple[str, int, str], ...]]], effects: dict[str, str]
) -> None:
    found = drivers_of(reader_of(day_of(lined(NOW, model, *units) for model, units in calls)), "2026-11-20")
    assert found.usual == D(12)
    expected = {name: D(effects.get(name, "0")) for name in NAMES}
    assert {name: amount.normalize() for name, amount in found.effects} == {
        name: amount.normalize() for name, amount in expected.items()
    }
    assert total(amount for _, amount in found.effects) == found.change
    assert found.driver == max(effects, key=lambda name: D(effects[name]))


@pytest.mark.parametrize("kept", [28, 10, 1, 0])
def test_what_a_changed_cache_cost_is_reckoned_at_the_rates_of_the_calls_that_are_left(kept: int) -> None:
    """Lines of the calls that are left stood beside the tokens of all: a rate of next to nothing."""
    colder = (("input", 1_500_000, "2"), ("cache_read", 500_000, "1"), ("output", 1_000_000, "3"))
    reader = reader_of(day_of([lined(NOW, "a", *colder)] * 1))
    keeping(reader.ledger).prune(NOW - timedelta(days=kept))
    found = dict(drivers_of(reader, "2026-11-20").effects)
    assert {name: amount.normalize() for name, amount in found.items()} == {
        **dict.fromkeys(NAMES, D(0)),
        "calls": D(-6),
        "cache_share": D("0.5"),
    }


def test_a_usual_day_is_one_of_the_days_that_the_zone_has() -> None:
    """In Tokyo the 20th begins on the 19th in UTC."""
    found = drivers_of(reader_of(month(lambda _: "10", 5)), "2026-11-20", tz="Asia/Tokyo")
    assert found.usual == D(10)


def test_days_of_this_week_that_are_still_to_come_do_not_stand_out() -> None:
    assert review_of(reader_of(month(lambda _: "10")), "this").unusual == ()


def test_a_day_without_calls_is_driven_by_them() -> None:
    found = drivers_of(reader_of(day_of([])), "2026-11-20")
    assert (found.cost, found.change, found.driver) == (D(0), D(-12), "calls")


def test_the_forecast_can_be_written_as_json() -> None:
    document = forecast_of(reader_of(month(lambda back: "30" if back == 3 else "10"))).to_dict()
    assert document["currencies"][0]["to_date"] == "210"
    assert document["unusual"][0]["effects"]["calls"] == "0"
    assert document["unusual"][0]["driver"] == "price"


@pytest.mark.parametrize("week", ["2026-W46", "2026-W42"])
def test_a_letter_tells_of_its_own_week_whatever_came_later(week: str) -> None:
    """Of a forecast the newest three days take the place of older ones, and it looks back a month."""
    start = datetime.fromisocalendar(2026, int(week[-2:]), 2)  # its Tuesday
    later = {1, 2, 3, 4}  # this week, to yesterday

    def cost(back: int) -> str:
        dear = back in later or (NOW - timedelta(days=back)).date() == start.date()
        return "100" if dear else "10"

    reader = reader_of(month(cost, 90))
    assert [each.day for each in forecast_of(reader).unusual] == ["2026-11-19", "2026-11-18", "2026-11-17"]
    found = review_of(reader, week)
    assert [(each.day, each.cost) for each in found.unusual] == [(f"{start:%Y-%m-%d}", D(100))]
    assert [each.day for each in review_of(reader, "this").unusual] == [
        "2026-11-19", "2026-11-18", "2026-11-17", "2026-11-16",
    ]  # fmt: skip
