"""What every ledger promises about the lines of costs, added up."""

# ruff: noqa: S101  # a contract speaks by assert

from decimal import Decimal
from typing import Any

from outlay.core.cost import Cost, CostLine
from outlay.core.money import multiply, total
from outlay.core.ports import Ledger
from outlay.core.query import Query, Row, filters
from outlay.core.record import Record, Revision
from outlay.testing.asking import call
from outlay.testing.clock import NOON


def line(unit: str, quantity: int | Decimal, rate: str, **more: Any) -> CostLine:
    """Make a line; the rate is for a million."""
    amount = multiply(quantity, Decimal(rate), 1_000_000)
    return CostLine(unit, quantity, Decimal(rate), 1_000_000, amount, **more)


def lined(*lines: CostLine, currency: str = "USD", **fields: Any) -> Record:
    """Make a record whose cost has these lines."""
    return call(charge=_charge(*lines, currency=currency), **fields)


def _charge(*lines: CostLine, currency: str = "USD") -> Cost:
    return Cost(total(each.amount for each in lines), "priced", currency, lines)


def _key(row: Row) -> tuple[Any, ...]:
    rate = row["input_rate"]
    return row["unit"], str(row["rate"]), None if rate is None else str(rate)


class LinesContract:
    """Lines of costs: by unit and rate, and what fresh input cost beside a cached one."""

    def test_lines_of_one_unit_at_one_rate_add_up(self, ledger: Ledger) -> None:
        """Exactly; a rate is the same however many zeros it was written with."""
        ledger.add(
            [
                lined(line("input", 10, "2.50"), line("output", 5, "10")),
                lined(line("input", 30, "2.5")),
                lined(line("input", 7, "5")),
                call(cost=None),
                call(cost="1"),
            ]
        )
        assert ledger.lines(Query()) == (
            _row("input", "2.5", 2, "40", "0.0001"),
            _row("input", "5", 1, "7", "0.000035"),
            _row("output", "10", 1, "5", "0.00005"),
        )

    def test_a_cached_unit_says_what_the_same_call_paid_for_fresh_input(self, ledger: Ledger) -> None:
        """Of the same modality and model; None where it paid for none."""
        ledger.add(
            [
                lined(
                    line("input", 10, "2.5"), line("cache_read", 90, "0.25"), line("cache_write_1h", 5, "5")
                ),
                lined(line("cache_read", 8, "0.25")),
                lined(line("input", 1, "2.5"), line("cache_read_audio", 4, "0.4")),
                lined(line("input_audio", 1, "8"), line("cache_read_audio", 4, "0.4")),
                lined(
                    line("input", 1, "2.5", model="a"),
                    line("cache_read", 6, "0.25", model="b"),
                    line("input", 1, "7", model="b"),
                    line("input", 1, "6", model="b", note="above 200000"),
                ),
            ]
        )
        cached = [row for row in ledger.lines(Query()) if row["unit"].startswith("cache")]
        assert [(*_key(row), row["quantity"]) for row in cached] == [
            ("cache_read", "0.25", "2.5", Decimal(90)),
            ("cache_read", "0.25", "6", Decimal(6)),
            ("cache_read", "0.25", None, Decimal(8)),
            ("cache_read_audio", "0.4", "8", Decimal(4)),
            ("cache_read_audio", "0.4", None, Decimal(4)),
            ("cache_write_1h", "5", "2.5", Decimal(5)),
        ]

    def test_lines_by_dimension_in_a_zone_under_filters(self, ledger: Ledger) -> None:
        """As other questions."""
        ledger.add(
            [
                lined(line("input", 1, "1"), at="2026-03-28T23:30:00Z", user="a"),
                lined(line("input", 2, "1"), at="2026-10-31T22:30:00Z", user="a"),
                lined(line("input", 4, "1"), at="2026-10-31T22:30:00Z", user="b"),
            ]
        )
        query = Query(by=("day", "user"), tz="Europe/Berlin", where=filters({"user": "a"}))
        assert [(row["day"], row["user"], row["quantity"]) for row in ledger.lines(query)] == [
            ("2026-03-29", "a", Decimal(1)),
            ("2026-10-31", "a", Decimal(2)),
        ]
        assert ledger.lines(Query(by=("hour",), tz="Europe/Berlin", where=filters({"user": "c"}))) == ()

    def test_currencies_stand_apart_and_fractions_are_exact(self, ledger: Ledger) -> None:
        """A quantity may be a fraction, as seconds of sound are."""
        ledger.add(
            [
                lined(line("audio_seconds", Decimal("1.25"), "3"), currency="EUR"),
                lined(line("audio_seconds", Decimal("0.1"), "3")),
                lined(line("audio_seconds", Decimal("0.2"), "3")),
            ]
        )
        rows = [(row["currency"], row["quantity"], row["amount"]) for row in ledger.lines(Query())]
        assert rows == [
            ("EUR", Decimal("1.25"), Decimal("0.00000375")),
            ("USD", Decimal("0.3"), Decimal("0.0000009")),
        ]

    def test_stated_costs_add_up_without_a_rate(self, ledger: Ledger) -> None:
        """However many different ones there are."""
        stated = [Decimal("0.1"), Decimal("0.25")]
        ledger.add([lined(CostLine("reported", 1, amount, 1, amount, "stated")) for amount in stated])
        (row,) = ledger.lines(Query())
        assert (row["unit"], row["rate"], row["per"]) == ("reported", None, 1)
        assert (row["lines"], row["quantity"], row["amount"]) == (2, Decimal(2), Decimal("0.35"))

    def test_the_lines_of_the_newest_cost_count(self, ledger: Ledger) -> None:
        """And a cost that became unknown has none."""
        first, second = lined(line("input", 10, "2.5")), lined(line("output", 3, "10"))
        newer = _charge(line("input", 10, "2"))
        ledger.add(
            [
                *(first, second),
                Revision(record_id=first.id, at=NOON, charge=newer),
                Revision(record_id=second.id, at=NOON, charge=Cost(None, "unpriced", reason="withdrawn")),
            ]
        )
        assert ledger.lines(Query()) == (_row("input", "2", 1, "10", "0.00002"),)

    def test_an_empty_ledger_has_no_lines(self, ledger: Ledger) -> None:
        """In any zone."""
        assert ledger.lines(Query()) == ledger.lines(Query(by=("day",), tz="Asia/Tokyo")) == ()


def _row(unit: str, rate: str, lines: int, quantity: str, amount: str) -> Row:
    return {
        "unit": unit,
        "currency": "USD",
        "rate": Decimal(rate),
        "per": 1_000_000,
        "input_rate": None,
        "lines": lines,
        "quantity": Decimal(quantity),
        "amount": Decimal(amount),
    }
