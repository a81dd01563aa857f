"""What every lasting ledger promises about keeping house."""

# ruff: noqa: S101, PLR2004  # a contract speaks by assert, and expected numbers are its point

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import chain, combinations

from outlay.core.cost import Cost
from outlay.core.ids import uuid7
from outlay.core.keeping import ROLLED_DIMENSIONS
from outlay.core.ports import Ledger
from outlay.core.query import METRICS, Query, Row, filters
from outlay.core.record import Record, Revision, Score
from outlay.report import LedgerReader
from outlay.testing.asking import asked, by_label, call, calls, keeping
from outlay.testing.clock import NOON
from outlay.testing.lateness import LatenessContract
from outlay.testing.revisions import revision

_DAY = timedelta(days=1)
_BEYOND = {"p50_latency_ms", "p95_latency_ms", "p99_latency_ms"}


def told(row: Row) -> Row:
    """Give what of a row is still known when calls have been pruned."""
    return {name: value for name, value in row.items() if name not in _BEYOND}


def two_weeks() -> list[Record]:
    """Give four calls a day over two weeks up to noon: two users, an error, an unpriced one, one in yuan."""
    found = []
    for day in range(14):
        at = NOON - day * _DAY
        found += [
            call(at, user="a", model="m1", units={"input": 10, "output": 2}, cost="0.25", latency_ms=100.0),
            call(at - timedelta(hours=5), user="b", cost=None, status="error", error_type="Timeout"),
            call(at, user="b", model="m2", tags={"team": "x"}, session="s", units={"cache_read": 7}),
            call(at, user="a", cost="2", currency="CNY", query_type="rag", latency_ms=300.0),
        ]
    return found


class KeepingContract(LatenessContract):
    """Pruning, late calls, proof."""

    def test_totals_of_pruned_days_stay_by_all_that_is_kept(self, ledger: Ledger) -> None:
        """By each dimension that daily totals have, and by each two of them; single calls are gone."""
        ledger.add(two_weeks())
        names = ("day", "week", "month", *ROLLED_DIMENSIONS, "tag:team", "tag:none")
        questions = [
            (),
            *chain(((n,) for n in names), combinations(("day", "model", "user", "tag:team", "currency"), 2)),
        ]
        before = {by: ledger.rows(Query(by=by)) for by in questions}
        done = keeping(ledger).prune(NOON - 7 * _DAY)
        assert (done.calls, done.before) == (6 * 4, (NOON - 7 * _DAY).replace(hour=0))
        assert done.costs == {"USD": Decimal("0.35") * 6, "CNY": Decimal(12)}
        for by, was in before.items():
            now = ledger.rows(Query(by=by))
            assert [told(row) for row in now.rows] == [told(row) for row in was.rows], by
            assert told(now.total) == told(was.total)
            assert (was.rolled, now.rolled) == (0, 24)
            assert (was.pruned_before, now.pruned_before) == (None, done.before)
        assert len(calls(ledger, limit=None)) == 32
        info = keeping(ledger).info()
        assert (info.calls, info.pruned_calls, info.pruned_before, info.late) == (32, 24, done.before, 0)
        assert keeping(ledger).verify() == ()

    def test_a_row_with_pruned_calls_has_no_percentiles_and_one_without_has(self, ledger: Ledger) -> None:
        """An unknown is None; the mean is still known."""
        ledger.add(two_weeks())
        keeping(ledger).prune(NOON - 7 * _DAY)
        total = ledger.rows(Query()).total
        assert {total[name] for name in _BEYOND} == {None}
        assert total["avg_latency_ms"] == 200.0
        recent = ledger.rows(Query(since=NOON - 7 * _DAY - timedelta(hours=12)))
        assert (recent.total["p50_latency_ms"], recent.rolled, recent.pruned_before) == (200.0, 0, None)
        costs = {"USD": Decimal("2.8"), "CNY": Decimal(16)}
        assert (recent.total["calls"], recent.total["costs"]) == (32, costs)
        by_day = ledger.rows(Query(by=("day",), since=NOON - 9 * _DAY, until=NOON - 6 * _DAY))
        assert [row["p50_latency_ms"] for row in by_day.rows] == [None, 200.0, None]
        assert [row["calls"] for row in by_day.rows] == [4, 4, 1]

    def test_further_metrics_are_exact_or_unknown(self, ledger: Ledger) -> None:
        """What daily totals do not tell is None, not the figure of the calls that are left."""
        failed = call(NOON - 9 * _DAY, cost="3", status="error", latency_ms=10.0)
        ledger.add([*two_weeks(), failed])
        metrics = ("successful_calls", "timed_calls", "unpriced_errors", "error_cost", "users", "judged_cost")
        keeping(ledger).prune(NOON - 7 * _DAY)
        total = ledger.rows(Query(metrics=metrics)).total
        exact = {"successful_calls": 42, "timed_calls": 29, "unpriced_errors": 14, "error_cost": Decimal(3)}
        assert {name: total[name] for name in metrics} == {**exact, "users": None, "judged_cost": None}
        day = f"{failed.at:%Y-%m-%d}"
        assert asked(ledger, "day", metrics=metrics)[day]["error_cost"] == Decimal(3)

    def test_calls_at_a_price_of_later_are_unknown_on_pruned_days_alone(self, ledger: Ledger) -> None:
        """A day that has its calls still tells their number, though others do not."""
        ledger.add(two_weeks())
        keeping(ledger).prune(NOON - 7 * _DAY)
        question = Query(("day",), metrics=("extrapolated_calls",), detail="counts")
        found = ledger.rows(question)
        told = [row["extrapolated_calls"] for row in found.rows]
        assert sorted(map(str, told)) == ["0"] * 8 + ["None"] * 6
        assert found.total["extrapolated_calls"] is None

    def test_what_is_left_says_what_daily_totals_cannot(self, ledger: Ledger) -> None:
        """Whether a pruned call was of a session nobody knows, and of which others the price is of later."""
        later = Cost(Decimal(3), "priced", flags=("extrapolated",))
        ledger.add([replace(each, session="s1", charge=later) for each in two_weeks()])
        keeping(ledger).prune(NOON - 7 * _DAY)
        reader = LedgerReader(ledger)
        found = reader.report(where={"session": "s1"})
        assert (found.total["calls"], found.rolled, found.rolled_unknown) == (32, 0, 24)
        hour = f"{NOON - 9 * _DAY:%Y-%m-%dT%H}:00:00+00:00"
        assert reader.rows("model", where={"hour": hour}).rolled_unknown == 4
        assert reader.rows(where={"session": [None, "s1"]}).rolled_unknown == 0
        assert reader.rows(where={"session": "s1"}, since=NOON - 5 * _DAY).rolled_unknown == 0
        assert sum(each.calls for each in reader.report().price_gaps if each.extrapolated) == 32
        assert reader.report(until=NOON - 9 * _DAY).price_gaps == ()

    def test_filters_and_periods_reach_pruned_days(self, ledger: Ledger) -> None:
        """A day belongs to a period if its midnight does; what is not kept any more is None."""
        ledger.add(two_weeks())
        keeping(ledger).prune(NOON - 7 * _DAY)
        start = (NOON - 13 * _DAY).replace(hour=0)
        assert ledger.rows(Query(since=start, until=start + _DAY)).total["calls"] == 4
        assert ledger.rows(Query(where=filters({"user": "b"}))).total["calls"] == 28
        assert ledger.rows(Query(where=filters({"tag:team": "x"}))).total["calls"] == 14
        assert ledger.rows(Query(where=filters({"day": "2026-11-10"}), tz="Asia/Tokyo")).total["calls"] == 4
        assert ledger.rows(Query(where=filters({"session": "s"}))).total["calls"] == 8
        sessions = asked(ledger, "session")
        assert (sessions["s"]["calls"], sessions[None]["calls"]) == (8, 48)
        assert asked(ledger, "hour")[None]["calls"] == 24
        none = ledger.rows(Query(("user",), where=filters({"hour": None}), detail="counts"))
        assert sum(row["calls"] for row in none.rows) == none.total["calls"] == 24
        assert ledger.rows(Query(by=("hour", "session"))).total["calls"] == 56

    def test_a_pruned_call_that_comes_again_is_set_aside_and_in_no_total(self, ledger: Ledger) -> None:
        """Also with another instant: the id tells how old it is. It is counted as late, once."""
        old, new = call(NOON - 9 * _DAY), call(NOON)
        ledger.add([old, new])
        keeping(ledger).prune(NOON - 7 * _DAY)
        moved = replace(old, at=NOON)
        assert ledger.add([old, new]) == 0
        assert ledger.add([moved, old, replace(old, id=uuid7(old.at))]) == 0
        assert ledger.rows(Query()).total["calls"] == 2
        assert (keeping(ledger).info().late, ledger.conflicts()) == (2, 0)
        assert keeping(ledger).known([old.id, new.id]) == {new.id}
        assert keeping(ledger).verify() == ()

    def test_a_kept_call_whose_id_says_an_older_day_is_never_late(self, ledger: Ledger) -> None:
        """What comes again of it is the same call or a conflict, and what is said of it counts."""
        kept = call(NOON, id=uuid7(NOON - 9 * _DAY), cost="1")
        ledger.add([kept, call(NOON - 9 * _DAY, cost="2")])
        keeping(ledger).prune(NOON - 7 * _DAY)
        judgement = Score(record_id=kept.id, at=NOON, correct=True)
        assert ledger.add([kept, revision(kept, "5"), judgement, replace(kept, user="other")]) == 0
        assert (keeping(ledger).info().late, ledger.conflicts()) == (0, 1)
        assert ledger.rows(Query()).total["cost"] == Decimal(7)
        since = NOON - _DAY
        assert ledger.rows(Query(since=since, metrics=("correct_calls",))).total["correct_calls"] == 1
        assert keeping(ledger).verify() == ()
        keeping(ledger).prune(NOON + _DAY)
        assert ledger.add([kept, revision(kept, "6", 2)]) == 0
        assert ledger.rows(Query()).total["cost"] == Decimal(7)

    def test_of_unlike_late_calls_with_one_id_the_first_stays(self, ledger: Ledger) -> None:
        """Told in one go or later, in whichever order they are read."""
        keeping(ledger).prune(NOON)
        late = call(NOON - _DAY, cost="1")
        ledger.add([late, replace(late, user="other", charge=Cost(Decimal(2), "priced"))])
        ledger.add([replace(late, user="third", charge=Cost(Decimal(3), "priced"))])
        assert keeping(ledger).late_calls(9) == (late,)
        assert keeping(ledger).settle_late(count_in=True).costs == {"USD": Decimal(1)}

    def test_calls_that_came_too_late_can_be_seen_newest_first(self, ledger: Ledger) -> None:
        """As they were told, each once."""
        assert keeping(ledger).late_calls(5) == ()
        keeping(ledger).prune(NOON)
        days = [call(NOON - n * _DAY, user=f"u{n}", tags={"a": "b"}, units={"input": n}) for n in range(1, 5)]
        ledger.add([*days, days[0]])
        assert [each.user for each in keeping(ledger).late_calls(3)] == ["u1", "u2", "u3"]
        assert keeping(ledger).late_calls(9) == tuple(days)

    def test_late_calls_can_be_counted_in_once_for_ever(self, ledger: Ledger) -> None:
        """By day, dimensions and tags, with their costs; told again, they are nothing new."""
        ledger.add([call(NOON - 3 * _DAY, user="a", cost="0.25", latency_ms=100.0)])
        keeping(ledger).prune(NOON)
        yuan = call(NOON - 2 * _DAY, user="b", cost="2", currency="CNY", tags={"team": "x"})
        failed = call(NOON - 3 * _DAY, user="a", cost=None, status="error", units={"input": 5})
        late = [call(NOON - 3 * _DAY, user="a", cost="0.5", latency_ms=300.0), yuan, failed]
        ledger.add(late)
        plan = keeping(ledger).settle_late(count_in=True, dry_run=True)
        assert (plan.calls, plan.counted, plan.rollups, plan.dry_run) == (3, True, 3, True)
        assert (keeping(ledger).info().late, ledger.rows(Query()).total["calls"]) == (3, 1)
        done = keeping(ledger).settle_late(count_in=True)
        assert replace(done, dry_run=True) == plan
        assert done.costs == {"USD": Decimal("0.5"), "CNY": Decimal(2)}
        for again in (False, True):
            total = ledger.rows(Query()).total
            assert (total["calls"], total["costs"]) == (4, {"USD": Decimal("0.75"), "CNY": Decimal(2)})
            assert (total["errors"], total["unpriced_calls"], total["avg_latency_ms"]) == (1, 1, 200.0)
            assert {name: row["calls"] for name, row in asked(ledger, "user").items()} == {"a": 3, "b": 1}
            assert asked(ledger, "tag:team")["x"]["calls"] == 1
            days = {f"{NOON - n * _DAY:%Y-%m-%d}": calls for n, calls in ((3, 3), (2, 1))}
            assert {name: row["calls"] for name, row in asked(ledger, "day").items()} == days
            info = keeping(ledger).info()
            assert (info.calls, info.pruned_calls, info.late) == (0, 4, 0)
            assert (keeping(ledger).late_calls(9), keeping(ledger).verify()) == ((), ())
            assert keeping(ledger).settle_late(count_in=again).calls == 0
            assert ledger.add(late) == 0

    def test_late_calls_can_be_given_up_for_ever(self, ledger: Ledger) -> None:
        """Then they are in no total, also when they are told again, and nobody is asked about them again."""
        keeping(ledger).prune(NOON)
        late = [call(NOON - n * _DAY, cost="1") for n in (1, 2)]
        ledger.add(late)
        assert keeping(ledger).settle_late(count_in=False, dry_run=True).calls == 2
        done = keeping(ledger).settle_late(count_in=False)
        assert (done.calls, done.counted, done.rollups, done.costs) == (2, False, 0, {"USD": Decimal(2)})
        ledger.add(late)
        info = keeping(ledger).info()
        assert (info.late, info.pruned_calls, ledger.rows(Query()).total["calls"]) == (0, 0, 0)
        assert keeping(ledger).settle_late(count_in=True).calls == 0
        assert keeping(ledger).verify() == ()
        assert keeping(ledger).compact() is not None
        assert (ledger.add(late), keeping(ledger).info().late) == (0, 0)

    def test_a_late_call_counts_on_the_day_of_its_id_if_that_is_older(self, ledger: Ledger) -> None:
        """On that day it was counted, if it was pruned under another instant; a later prune keeps it."""
        old = call(NOON - 9 * _DAY)
        keeping(ledger).prune(NOON - 7 * _DAY)
        ledger.add([replace(old, at=NOON), call(NOON - 8 * _DAY), call(NOON - _DAY)])
        assert keeping(ledger).settle_late(count_in=True).calls == 2
        assert keeping(ledger).prune(NOON).calls == 1
        days = {f"{NOON - n * _DAY:%Y-%m-%d}": 1 for n in (1, 8, 9)}
        assert {name: row["calls"] for name, row in asked(ledger, "day").items()} == days
        assert keeping(ledger).verify() == ()

    def test_what_is_said_about_a_pruned_call_changes_nothing(self, ledger: Ledger) -> None:
        """A judgement or a cost that comes too late."""
        old = call(NOON - 9 * _DAY, cost="1")
        revised = Revision(record_id=old.id, at=NOON, charge=Cost(Decimal(3), "priced"))
        ledger.add([old, revised])
        keeping(ledger).prune(NOON)
        newest = replace(revised, at=NOON + _DAY, charge=Cost(Decimal(9), "priced"))
        ledger.add([newest, Score(record_id=old.id, at=NOON, correct=True)])
        total = ledger.rows(Query()).total
        assert (total["cost"], total["calls"]) == (Decimal(3), 1)
        assert keeping(ledger).info().revisions == 0

    def test_all_agrees_whenever_costs_come_that_are_reckoned_again(self, ledger: Ledger) -> None:
        """Before their call and behind it, and an older one behind a newer."""
        record = call(cost="1")
        for entry in (revision(record, "3", 2), record, revision(record, "2"), revision(record, None, 3)):
            ledger.add([entry])
            assert keeping(ledger).verify() == ()

    def test_a_prune_takes_what_is_said_of_calls_whose_ids_tell_no_time(self, ledger: Ledger) -> None:
        """Or another day than the calls: judgements, costs and other copies go too, and nothing disagrees."""
        ids = ("11111111-1111-4111-8111-111111111111", uuid7(NOON + _DAY))
        old = [call(NOON - 9 * _DAY, id=each, cost="1") for each in ids]
        for each in old:
            ledger.add([each, revision(each, "3"), Score(record_id=each.id, at=NOON, correct=True)])
            ledger.add([replace(each, user="other")])
        keeping(ledger).prune(NOON)
        for _ in range(2):
            total = ledger.rows(Query()).total
            assert (total["calls"], total["cost"]) == (2, Decimal(6))
            info = keeping(ledger).info()
            assert (info.revisions, info.conflicts, keeping(ledger).verify()) == (0, 0, ())
            ledger.add(old)

    def test_a_dry_run_changes_nothing_and_the_horizon_never_goes_back(self, ledger: Ledger) -> None:
        """Pruning twice is pruning once, and a call at the very midnight stays."""
        midnight = (NOON - 7 * _DAY).replace(hour=0)
        ledger.add([*two_weeks(), call(midnight)])
        plan = keeping(ledger).prune(midnight, dry_run=True)
        assert (plan.dry_run, plan.calls, plan.rollups) == (True, 24, 24)
        assert (keeping(ledger).info().calls, keeping(ledger).info().pruned_before) == (57, None)
        assert keeping(ledger).prune(midnight).calls == 24
        assert keeping(ledger).prune(midnight).calls == 0
        assert keeping(ledger).prune(midnight - _DAY).before == midnight
        assert keeping(ledger).prune(midnight + 2 * _DAY).calls == 9
        assert ledger.rows(Query()).total["calls"] == 57
        keeping(ledger).compact()
        assert ledger.rows(Query()).total["calls"] == 57
        rows = by_label(ledger.rows(Query(by=("user",))).rows, "user")
        assert (rows["a"]["calls"], rows[None]["calls"]) == (28, 1)

    def test_a_call_of_the_very_midnight_is_of_the_day_that_stays(self, ledger: Ledger) -> None:
        """One of a moment before came too late."""
        midnight = NOON.replace(hour=0)
        keeping(ledger).prune(NOON)
        assert ledger.add([call(midnight), call(midnight - timedelta(microseconds=1))]) == 1
        assert (ledger.rows(Query()).total["calls"], keeping(ledger).info().late) == (1, 1)

    def test_an_empty_ledger_can_be_pruned(self, ledger: Ledger) -> None:
        """From then on older calls come too late."""
        assert keeping(ledger).prune(NOON).calls == 0
        assert ledger.add([call(NOON - _DAY)]) == 0
        total = ledger.rows(Query()).total
        assert {total[name] for name in METRICS} == {0, None}
        assert keeping(ledger).migrate() == keeping(ledger).migrate()
