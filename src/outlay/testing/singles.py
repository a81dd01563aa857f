"""What every ledger promises about single calls: kept once, in order, with their scores."""

# ruff: noqa: S101, PLR2004  # a contract speaks by assert, and expected numbers are its point

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from outlay.core.cost import Cost, Price, unpriced
from outlay.core.ids import uuid7
from outlay.core.ports import Ledger, Naming
from outlay.core.query import Query
from outlay.core.record import Entry, Loss, Revision, Score
from outlay.testing.asking import call, calls
from outlay.testing.clock import NOON


class CallsContract:
    """Single calls: each once, in order, judged."""

    def test_a_record_comes_back_as_it_went_in(self, ledger: Ledger) -> None:
        """By its id and by the start of its id."""
        record = call(units={"input": 3, "output": 2}, tags={"team": "search"}, user="u1", latency_ms=1.5)
        assert ledger.add([record]) == 1
        assert ledger.get(record.id) == record
        assert ledger.get(record.id[:13]) == record
        assert ledger.get(record.id.replace("-", "")[:31].upper()) == record
        assert ledger.get("ffffffff") is None
        assert ledger.get("no id at all") is None
        assert calls(ledger) == [record]

    def test_the_start_of_two_ids_names_neither(self, ledger: Ledger) -> None:
        """An ambiguous beginning gives nothing; whoever asks is told the ids that it may be."""
        ids = [uuid7(NOON, bytes(9) + bytes([n])) for n in (1, 2, 3)]
        ledger.add([call(id=each) for each in reversed(ids)])
        start = uuid7(NOON, bytes(10))[:8]
        assert ledger.get(start) is None
        if isinstance(ledger, Naming):
            assert ledger.ids(start, 2) == tuple(ids[:2])
            assert ledger.ids(start.upper().replace("-", ""), 9) == tuple(ids)
            assert ledger.ids("ffffffff", 9) == ledger.ids("no id at all", 9) == ()

    def test_calls_come_newest_dearest_or_slowest_first(self, ledger: Ledger) -> None:
        """Unknown costs and latencies come last, behind what is free; ties go by id, newest first."""
        a = call(NOON, cost="1", latency_ms=None)
        b = call(NOON + timedelta(seconds=1), cost=None, latency_ms=5.0)
        c = call(NOON + timedelta(seconds=2), cost="3", latency_ms=1.0)
        ledger.add([b, a, c])
        assert calls(ledger) == [c, b, a]
        assert calls(ledger, order="cost") == [c, a, b]
        assert calls(ledger, order="latency") == [b, c, a]
        assert calls(ledger, limit=1) == [c]
        assert calls(ledger, limit=0) == []
        assert len(calls(ledger, limit=None)) == 3
        free = call(NOON - timedelta(seconds=1), cost="0")
        ledger.add([free])
        assert calls(ledger, order="cost") == [c, a, free, b]

    def test_a_second_copy_changes_nothing(self, ledger: Ledger) -> None:
        """Neither in one go nor later; it is no conflict."""
        record = call()
        assert ledger.add([record, record]) == 1
        assert ledger.add([record, call()]) == 1
        assert ledger.rows(Query()).total["calls"] == 2
        assert ledger.conflicts() == 0

    def test_an_id_is_one_however_it_is_spelled(self, ledger: Ledger) -> None:
        """In capitals, without strokes, in braces: a copy is a copy, a judgement is of that call."""
        record = call(cost="1")
        spelled = [record.id.upper(), record.id.replace("-", ""), f"{{{record.id}}}"]
        ledger.add([replace(record, id=spelled[0])])
        assert ledger.add([record, *(replace(record, id=each) for each in spelled)]) == 0
        ledger.add(Score(record_id=each, at=NOON, correct=True) for each in spelled)
        ledger.add([replace(record, id=spelled[0], quality_score=0.5)])  # which a copy alone tells
        assert calls(ledger) == [replace(record, correct=True, quality_score=0.5)]
        assert ledger.conflicts() == 0

    def test_a_copy_that_tells_no_time_is_the_same_call_whenever_it_was_read(self, ledger: Ledger) -> None:
        """As a batch's line by two processes: each took the instant of its reading, and says so."""
        first = call(NOON, id=uuid7(datetime(1970, 1, 1, tzinfo=UTC)), extra={"time_assumed": True})
        again = replace(first, at=NOON + timedelta(hours=1), quality_score=0.5)
        assert (ledger.add([first]), ledger.add([again, again]), ledger.conflicts()) == (1, 0, 0)
        assert calls(ledger) == [replace(first, quality_score=0.5)]
        ledger.add([replace(again, user="another"), replace(again, extra={})])
        assert ledger.conflicts() == 2

    def test_of_judgements_of_one_instant_the_last_to_come_counts(self, ledger: Ledger) -> None:
        """In one go and one after the other; what is told again is nothing new."""
        for together in (True, False):
            record = call()
            ledger.add([record])
            yes, no = (Score(record_id=record.id, at=NOON, correct=each) for each in (True, False))
            for some in ([yes, no, yes],) if together else ([yes], [no], [yes]):
                ledger.add(some)
            assert [each.correct for each in calls(ledger) if each.id == record.id] == [False]

    def test_a_copy_that_another_book_has_priced_is_the_same_call(self, ledger: Ledger) -> None:
        """The first price stays; only what others state of the cost makes it another call."""
        old, new = (Price("list", NOON, version) for version in ("1", "2"))
        charges = (
            (unpriced("no price"), Cost(Decimal(3), "priced", price=new)),
            (Cost(Decimal(1), "priced", price=old), Cost(Decimal(2), "priced", price=new)),
            (Cost(Decimal(1), "reported", computed=Decimal(1)), Cost(Decimal(1), "reported", computed=None)),
            (Cost(Decimal(1), "reported"), Cost(Decimal(1), "reported", price=new, computed=Decimal(2))),
            (Cost(Decimal(1), "reported", price=old, flags=("extrapolated",)), Cost(Decimal(1), "reported")),
        )
        for first, later in charges:
            record = call(charge=first)
            assert ledger.add([record]) == 1
            assert ledger.add([replace(record, charge=later)]) == 0
            assert ledger.get(record.id) == record
        assert ledger.conflicts() == 0
        ledger.add([replace(record, charge=Cost(Decimal(9), "reported", price=old))])
        assert ledger.conflicts() == 1

    def test_a_copy_is_compared_by_all_costs_that_come_with_it(self, ledger: Ledger) -> None:
        """In whichever order: what a provider states later is no other call where it is told as that."""
        stated = [Cost(Decimal(amount), "reported") for amount in (1, 2)]
        for turn in (1, -1):
            record = call(charge=stated[0])
            ledger.add([record])
            revised = Revision(record_id=record.id, at=NOON, charge=stated[1])
            told: list[Entry] = [replace(record, charge=stated[1]), revised]
            assert ledger.add(told[::turn]) == 0
        assert ledger.conflicts() == 0
        assert ledger.rows(Query()).total["cost"] == Decimal(4)

    def test_a_cost_told_again_in_another_way_is_the_same(self, ledger: Ledger) -> None:
        """Costs of one call are told apart by instant, amount, currency and state."""
        record = call()
        again = [Cost(Decimal(amount), "reported", computed=Decimal(3)) for amount in ("2", "2.0")]
        ledger.add([record, Revision(record_id=record.id, at=NOON, charge=Cost(Decimal(2), "reported"))])
        ledger.add([Revision(record_id=record.id, at=NOON, charge=each) for each in again])
        assert [each.charge.computed for each in ledger.revisions(record.id)] == [None, None]

    def test_other_content_under_a_known_id_is_set_aside(self, ledger: Ledger) -> None:
        """The first one counts, the other is reported, once however often it comes."""
        first = call(cost="1")
        other = call(cost="2", id=first.id)
        assert ledger.add([first, other]) == 1
        assert ledger.conflicts() == 1
        assert ledger.add([other]) == 0
        assert ledger.conflicts() == 1
        assert ledger.get(first.id) == first
        assert ledger.rows(Query()).total["cost"] == Decimal(1)

    def test_the_newest_score_of_each_field_counts(self, ledger: Ledger) -> None:
        """In whatever order they come, also before their call."""
        record = call(user_rating=1.0, quality_score=0.1)
        late = Score(record_id=record.id, at=NOON + timedelta(hours=2), quality_score=0.9)
        early = Score(record_id=record.id, at=NOON + timedelta(hours=1), quality_score=0.5, correct=False)
        ledger.add([late])
        ledger.add([record, early, early])
        for found in (ledger.get(record.id), calls(ledger)[0]):
            assert found is not None
            assert (found.quality_score, found.user_rating, found.correct) == (0.9, 1.0, False)

    def test_of_two_scores_at_one_instant_the_later_one_to_come_counts(self, ledger: Ledger) -> None:
        """As when somebody corrects a judgement at once."""
        record = call()
        first = Score(record_id=record.id, at=NOON, user_rating=3.0, quality_score=0.3)
        last = replace(first, user_rating=2.0, quality_score=0.2)
        older = replace(first, at=NOON - timedelta(hours=1))
        ledger.add([record, first, replace(first, user_rating=1.0, quality_score=0.1), last, older])
        found = ledger.get(record.id)
        assert found is not None
        assert (found.user_rating, found.quality_score) == (2.0, 0.2)
        total = ledger.rows(Query(metrics=("avg_user_rating", "avg_quality_score"))).total
        assert (total["avg_user_rating"], total["avg_quality_score"]) == (2.0, 0.2)

    def test_what_is_given_out_can_be_taken_in_again(self, ledger: Ledger) -> None:
        """A judged call that comes back is the same call."""
        record = call()
        ledger.add([record, Score(record_id=record.id, at=NOON, correct=True)])
        assert ledger.add(calls(ledger)) == 0
        assert ledger.conflicts() == 0

    def test_a_judgement_that_only_the_copy_has_is_kept(self, ledger: Ledger) -> None:
        """Where the kept call says nothing; a judgement that stands is not overwritten."""
        record = call(correct=False)
        ledger.add([record])
        ledger.add([call(id=record.id, correct=True, user_rating=4.0)])
        found = ledger.get(record.id)
        assert found is not None
        assert (found.correct, found.user_rating) == (False, 4.0)
        assert ledger.conflicts() == 0

    def test_of_copies_that_judge_otherwise_the_first_to_come_counts(self, ledger: Ledger) -> None:
        """Told in one go: the second finds a judgement that stands."""
        record = call()
        ledger.add([record])
        ledger.add([replace(record, correct=True), replace(record, correct=False, user_rating=1.0)])
        assert calls(ledger) == [replace(record, correct=True, user_rating=1.0)]

    def test_losses_are_no_calls(self, ledger: Ledger) -> None:
        """They are told elsewhere."""
        assert ledger.add([Loss(at=NOON, count=3, why="disk full")]) == 0
        assert ledger.rows(Query()).total["calls"] == 0

    def test_closing_twice_is_harmless(self, ledger: Ledger) -> None:
        """As the port promises."""
        ledger.close()
        ledger.close()
