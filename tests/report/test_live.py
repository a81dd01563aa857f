"""What came in since someone began to watch."""

from datetime import timedelta
from decimal import Decimal

from outlay.report.live import MINUTES, Live
from outlay.testing import NOON, call


def test_calls_are_added_up_by_model_and_currency() -> None:
    live = Live(NOON)
    came = [
        call(cost="0.1"),
        call(cost="0.2"),
        call(cost=None, status="error"),
        call(cost="7", currency="CNY"),
    ]
    assert live.take(came) == 4
    total = live.total
    assert (total.calls, total.errors, total.unpriced) == (4, 1, 1)
    assert total.costs == {"USD": Decimal("0.3"), "CNY": Decimal(7)}
    live.take([call(cost="9", model="dear")])
    assert next(key for key, _ in live.dearest()) == ("openai", "dear")
    assert [record.model for record in live.latest][-1] == "dear"
    live.take(call(cost=None, model=model) for model in ("seldom", "often", "often"))
    assert [model for (_, model), _ in live.dearest()][-2:] == ["often", "seldom"]


def test_minutes_have_no_gaps_and_old_ones_are_let_go() -> None:
    live = Live(NOON)
    live.take(call(NOON + timedelta(minutes=n)) for n in range(500))
    now = NOON + timedelta(minutes=499, seconds=30)
    minutes = live.minutes(now)
    assert len(minutes) == MINUTES
    assert minutes[-1][0] == NOON + timedelta(minutes=499)
    assert [each.calls for _, each in minutes] == [1] * MINUTES
    assert sum(each.calls for _, each in live.minutes(now + timedelta(minutes=30))) == 30
    assert len(live._minutes) <= 2 * MINUTES + 1
