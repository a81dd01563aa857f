"""Lines of journals, kept as they are: calls and what is said about them, each once."""

import pytest

from outlay.core.errors import RefusedEntryError
from outlay.core.query import Query
from outlay.core.record import Entry, Score
from outlay.journal import line_of
from outlay.ledger import PostgresLedger
from outlay.testing import NOON, call


def test_lines_are_kept_as_their_entries_would_be_and_each_once(ledger: PostgresLedger) -> None:
    one, other = call(cost="0.25", user="u1"), call(cost="0.5")
    said: list[Entry] = [one, Score(record_id=one.id, at=NOON, user_rating=4.0), other]
    lines = [line_of(entry) for entry in said]
    assert ledger.add_lines(lines) == 2
    assert ledger.add_lines(lines[::-1]) == 0
    kept = ledger.get(one.id)
    assert kept is not None
    assert (kept.user, kept.cost, kept.user_rating) == ("u1", one.cost, 4.0)
    total = ledger.rows(Query()).total
    assert (total["calls"], str(total["cost"])) == (2, "0.75")


def test_of_lines_with_one_that_is_no_entry_none_is_kept(ledger: PostgresLedger) -> None:
    with pytest.raises(RefusedEntryError):
        ledger.add_lines([line_of(call()), b"{broken\n"])
    assert ledger.rows(Query()).total["calls"] == 0
