"""A price history as lines: terms, hours, sizes, factors and currencies, as people read them."""

from datetime import UTC, datetime

from outlay.pricing import Book
from outlay.pricing.history import History, histories
from outlay.pricing.lines import day_of, legend, lines_of, units_of
from outlay.pricing.tables import sheet_of

OWN = """
[[common]]
provider = "acme"
rates = { web_search = "10" }
[[model]]
provider = "acme"
model = "many"
[[model.price]]
currency = "EUR"
rates = { input = "10", images = "0.04" }
above = [{ tokens = 1000, rates = { input = "20" } }]
[[model.price]]
when = { batch = "true" }
kind = "month"
rates = { input = "5" }
above = [{ tokens = 2000, rates = { input = "4" } }]
[[model.price]]
from = 2026-03-01T12:00:00Z
to = 2026-04-01T00:00:00Z
windows = [{ from = "22:00", to = "02:00", days = [5, 6], except = [2026-03-13] }]
rates = { input = "1" }
[[model.price]]
when = { region = "eu" }
windows = [{ from = "00:00", to = "06:00", days = [1, 3] }, { from = "07:00", to = "08:00" }]
factor = "1.1"
"""


def history() -> History:
    (found,) = histories(Book.of(sheet_of(OWN)), "many", "acme")
    return found


def test_each_price_and_each_size_is_a_line_with_its_terms() -> None:
    lines = lines_of(history())
    assert {line.terms for line in lines} == {
        "",
        "above 1,000",
        "batch",
        "batch, above 2,000 in the month",
        "22:00-02:00 UTC Fri-Sat but holidays",
        "region eu, 00:00-06:00 UTC Mon/Wed, 07:00-08:00 UTC, x1.1",
        "every model",
    }
    assert all(line.source.endswith(" (yours)") for line in lines)
    assert not any("yours" in line.source for line in lines_of(histories(Book.default(), "gpt-4o")[0]))


def test_a_rate_has_its_currency_unless_that_is_dollars_and_is_nothing_where_there_is_none() -> None:
    rates = {line.terms: (line.rate("input"), line.rate("images")) for line in lines_of(history())}
    assert rates[""] == ("10.00 EUR", "0.04 EUR")
    assert rates["batch"] == ("5.00", "")
    assert rates["every model"] == ("", "")


def test_the_legend_says_what_rates_are_for_the_most_first() -> None:
    lines = lines_of(history())
    units = units_of(unit for line in lines for unit in line.rates)
    assert units == ["input", "web_search", "images"]
    said = "USD unless another currency stands there"
    assert legend(lines, units) == (
        f"{said}; input per million; web_search per thousand; images each; times are UTC"
    )


def test_a_day_has_its_hour_only_where_it_is_not_midnight() -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert [day_of(each, "-") for each in (None, moment, moment.replace(hour=0))] == [
        "-",
        "2026-03-01 12:00",
        "2026-03-01",
    ]
