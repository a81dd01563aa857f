"""Windows: hours in UTC, over midnight, on weekdays and not on holidays."""

from datetime import UTC, date, datetime, time

import pytest
from tests.support.books import book_of

from outlay.core.errors import PriceBookError
from outlay.pricing import RateCard, Unpriced
from outlay.pricing.windows import Window, read_window

NIGHT = Window(time(16, 30), time(0, 30))
PEAK = Window(time(1), time(4), frozenset({1, 2, 3, 4, 5}), frozenset({date(2026, 10, 1)}))


@pytest.mark.parametrize(
    ("hour", "minute", "inside"),
    [(16, 29, False), (16, 30, True), (23, 59, True), (0, 0, True), (0, 29, True), (0, 30, False)],
)
def test_over_midnight(hour: int, minute: int, *, inside: bool) -> None:
    assert NIGHT.holds(datetime(2026, 11, 22, hour, minute, tzinfo=UTC)) is inside


@pytest.mark.parametrize(
    ("day", "inside"),
    [
        (datetime(2026, 9, 30, 2, tzinfo=UTC), True),
        (datetime(2026, 10, 1, 2, tzinfo=UTC), False),
        (datetime(2026, 10, 3, 2, tzinfo=UTC), False),
    ],
)
def test_weekdays_and_holidays(day: datetime, *, inside: bool) -> None:
    assert PEAK.holds(day) is inside


HOURLY = """
[[model]]
provider = "acme"
model = "by-night"
[[model.price]]
from = 2026-01-01
windows = [{ from = "23:00", to = "04:00" }]
rates = { input = "1" }

[[model]]
provider = "acme"
model = "cheaper-by-night"
[[model.price]]
from = 2026-01-01
rates = { input = "8" }
[[model.price]]
from = 2026-01-01
windows = [{ from = "23:00", to = "04:00" }]
rates = { input = "2" }
"""


@pytest.mark.parametrize("year", [2025, 2026])
def test_a_call_from_before_the_first_price_takes_that_of_its_hour(year: int) -> None:
    """The first price begins at midnight, which lies in the window: that says nothing of a call at noon."""
    book = book_of(HOURLY)
    night, noon = (datetime(year, 6, 1, hour, tzinfo=UTC) for hour in (2, 12))
    flags = ("extrapolated",) if year == 2025 else ()

    def found(model: str, at: datetime) -> tuple[str, tuple[str, ...]]:
        card = book.resolve("acme", model, at, {})
        assert isinstance(card, RateCard)
        return str(card.rates["input"].amount), card.flags

    for _ in range(2):  # also when it was asked for before
        assert found("cheaper-by-night", night) == ("2", flags)
        assert found("cheaper-by-night", noon) == ("8", flags)
        assert found("by-night", night) == ("1", flags)
        assert book.resolve("acme", "by-night", noon, {}) == Unpriced(
            "no price of by-night is known for that hour"
        )


def test_equal_ends_are_the_whole_day() -> None:
    assert Window(time(0), time(0)).holds(datetime(2026, 11, 22, 13, tzinfo=UTC))


def test_the_first_strange_key_of_a_window_is_named() -> None:
    with pytest.raises(PriceBookError, match="a window has no key 'begin'; it has days, except, from, to"):
        read_window({"from": "10:00", "to": "11:00", "begin": 1, "zone": "UTC"}, "row 1")


def test_hours_and_days_may_be_toml_values_or_text() -> None:
    window = read_window(
        {"from": time(16, 30), "to": "18:00", "except": [date(2026, 11, 20), "2026-11-21"]}, "row 1"
    )
    assert [window.holds(datetime(2026, 11, day, 17, tzinfo=UTC)) for day in (19, 20, 21, 22)] == [
        True,
        False,
        False,
        True,
    ]
    with pytest.raises(PriceBookError, match=r"row 1: 'Friday' is no date; write 2026-10-01"):
        read_window({"from": "16:30", "to": "18:00", "except": ["Friday"]}, "row 1")


def test_an_hour_of_utc_may_say_so_and_one_of_another_zone_is_refused() -> None:
    said = read_window({"from": "16:30Z", "to": "00:30+00:00"}, "row 1")
    assert said == NIGHT
    assert said.holds(datetime(2026, 11, 22, 17, tzinfo=UTC))
    with pytest.raises(
        PriceBookError, match=r"row 1: '16:30\+02:00' is of another zone; write the hour in UTC"
    ):
        read_window({"from": "16:30+02:00", "to": "00:30"}, "row 1")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"except": [datetime(2026, 10, 1, tzinfo=UTC)]}, "is no date; write 2026-10-01"),
        ({"days": [[1, 2]]}, r"days are 1 \(Monday\) to 7, not \[\[1, 2\]\]"),
        ({"days": {"mon": 1}}, r"days are 1 \(Monday\) to 7, not"),
        ({"days": []}, r"days are 1 \(Monday\) to 7, not \[\]"),
    ],
)
def test_days_of_another_kind_are_refused_and_not_passed_over(more: dict[str, object], why: str) -> None:
    with pytest.raises(PriceBookError, match=why):
        read_window({"from": "16:30", "to": "18:00", **more}, "row 1")
