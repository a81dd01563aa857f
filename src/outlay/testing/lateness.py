"""What every lasting ledger promises about calls whose ids do not tell their day."""

# ruff: noqa: S101, PLR2004  # a contract speaks by assert, and expected numbers are its point

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

from outlay.core.ids import uuid7
from outlay.core.ports import Ledger
from outlay.core.record import Score
from outlay.testing.asking import asked, call, calls, keeping
from outlay.testing.clock import NOON

_DAY = timedelta(days=1)
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class LatenessContract:
    """Ids of other days, and such as tell none."""

    def test_a_call_told_with_two_instants_counts_once(self, ledger: Ledger) -> None:
        """Its id tells no time, and it was pruned, set aside or settled, or both are told in one go."""
        _check(ledger, (str(UUID(int=n, version=4)) for n in count()))

    def test_a_call_whose_id_begins_as_that_of_an_older_one_would_counts_once(self, ledger: Ledger) -> None:
        """A UUIDv4, which tells no time, though its digits would lie among those that do."""
        _check(ledger, (str(UUID(int=1 << 112 | n, version=4)) for n in count()))

    def test_a_call_with_the_id_of_a_later_day_counts_once(self, ledger: Ledger) -> None:
        """Likewise."""
        _check(ledger, (uuid7(NOON + _DAY) for _ in count()))

    def test_a_call_with_an_id_of_1970_counts_once(self, ledger: Ledger) -> None:
        """Which is made where nothing told a time."""
        _check(ledger, (uuid7(_BEGINNING) for _ in count()))

    def test_a_call_whose_id_tells_no_time_is_of_its_instant(self, ledger: Ledger) -> None:
        """As one of 1970 does: such calls had come late to every ledger that was ever pruned."""
        old, new = (call(NOON - n * _DAY, id=uuid7(_BEGINNING)) for n in (9, 0))
        keeping(ledger).prune(NOON - 7 * _DAY)
        assert ledger.add([old, new, Score(record_id=new.id, at=NOON, correct=True)]) == 1
        assert calls(ledger) == [replace(new, correct=True)]
        assert keeping(ledger).late_calls(9) == (old,)
        assert keeping(ledger).settle_late(count_in=True).calls == 1
        assert _days(ledger) == {0: 1, 9: 1}

    def test_a_pruned_call_stays_known_when_a_later_prune_reaches_the_day_of_its_id(
        self, ledger: Ledger
    ) -> None:
        """Which was no old one to the first: told again, the call came late, and counted again."""
        pruned = call(NOON - 9 * _DAY, id=uuid7(NOON - 8 * _DAY))
        ledger.add([pruned])
        for days in (8, 5):
            keeping(ledger).prune(NOON - days * _DAY)
        assert (ledger.add([pruned]), ledger.add([replace(pruned, at=NOON)])) == (0, 0)
        assert keeping(ledger).settle_late(count_in=True).calls == 0
        assert _days(ledger) == {9: 1}

    def test_a_prune_of_days_before_1970_stands_in_no_call_s_way(self, ledger: Ledger) -> None:
        """No id is so old: each call that came later was an id's that could not be."""
        keeping(ledger).prune(datetime(1960, 1, 1, tzinfo=UTC))
        old, new = call(NOON - 9 * _DAY, id=uuid7(_BEGINNING)), call(NOON)
        assert ledger.add([old, new, Score(record_id=new.id, at=NOON, correct=True)]) == 2
        assert _days(ledger) == {0: 1, 9: 1}


def _check(ledger: Ledger, ids: Iterator[str]) -> None:
    """Tell six calls of a pruned day with an instant of today as well, each in another state."""
    pruned, counted, given_up, late, at_once, kept = (call(NOON - 9 * _DAY, id=next(ids)) for _ in range(6))
    house = keeping(ledger)
    ledger.add([pruned])
    house.prune(NOON - 7 * _DAY)
    for each, count_in in ((counted, True), (given_up, False)):
        ledger.add([each])
        assert house.settle_late(count_in=count_in).calls == 1
    assert ledger.add([late, at_once, replace(at_once, at=NOON)]) == 0
    assert ledger.add([replace(kept, at=NOON), kept]) == 1
    gone = (pruned, counted, given_up, late, at_once)
    for _ in range(2):
        assert ledger.add(replace(each, at=NOON) for each in gone) == 0
        info = house.info()
        assert (info.calls, info.pruned_calls, info.late, info.conflicts) == (1, 2, 2, 1)
        assert ledger.add(gone) == 0
    assert house.verify() == ()
    assert house.prune(NOON + _DAY).calls == 1
    assert house.settle_late(count_in=True).calls == 2
    assert (ledger.add([kept, late]), _days(ledger), house.verify()) == (0, {0: 1, 9: 4}, ())


def _days(ledger: Ledger) -> dict[int, int]:
    """Give the calls by how many days ago they were."""
    ago = {f"{NOON - n * _DAY:%Y-%m-%d}": n for n in range(10)}
    return {ago[str(day)]: row["calls"] for day, row in asked(ledger, "day").items()}
