"""What an administrator set for a user of ClickHouse changes no answer, and no call is lost by it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.chdb import a_database
from tests.support.clickhouse_front import Front, front

from outlay.core.errors import LedgerError, RefusedEntryError
from outlay.core.query import Query
from outlay.core.record import Record, Revision, Score
from outlay.ledger.clickhouse import ClickHouseLedger, place_of
from outlay.testing import NOON, asked, call, calls

PROFILES = [
    {"max_result_rows": "100", "result_overflow_mode": "break", "limit": "3"},
    {"max_rows_to_read": "1000", "read_overflow_mode": "break", "offset": "1"},
    {"empty_result_for_aggregation_by_empty_set": "1", "transform_null_in": "1"},
    {"use_query_cache": "1", "query_cache_nondeterministic_function_handling": "save"},
    {"apply_deleted_mask": "0", "lightweight_deletes_sync": "0"},
    {"additional_table_filters": "{'calls': 'model != \\'m3\\''}"},
    {"additional_result_filter": "1 = 0"},
    {"join_use_nulls": "1", "group_by_use_nulls": "1", "cast_keep_nullable": "1", "final": "0"},
]
TOO_LITTLE = [  # a limit, and the mode that made a part of the answer the answer
    ("max_rows_in_set", "set_overflow_mode", "break"),
    ("max_rows_in_join", "join_overflow_mode", "break"),
    ("max_rows_to_group_by", "group_by_overflow_mode", "any"),
    ("max_rows_to_sort", "sort_overflow_mode", "break"),
]


@pytest.fixture(scope="module")
def served() -> Iterator[Front]:
    """Have the engine served."""
    with front() as found:
        yield found


@pytest.fixture
def ledger(served: Front) -> Iterator[ClickHouseLedger]:
    """Have a ledger over HTTP, with a database of its own."""
    with a_database() as place:
        url = f"clickhouse://outlay:secret@127.0.0.1:{served.port}/{place.database}"
        found = ClickHouseLedger(place_of(url))
        found.conflicts()  # makes the tables
        yield found
        served.profile.clear()
        found.close()


def some() -> list[Record]:
    """Make a call a day, of users who come again and of one who is unknown."""
    users = (None, "a", "b", "c", "d")
    return [
        call(NOON - timedelta(days=n), user=users[n % 5], model=f"m{n}", session="", cost="0.5")
        for n in range(8)
    ]


@pytest.mark.parametrize("profile", PROFILES, ids=", ".join)
def test_a_profile_changes_no_answer(
    served: Front, ledger: ClickHouseLedger, profile: dict[str, str]
) -> None:
    """Of what was told, told again, judged, revised, pruned, late and settled."""
    served.profile.update(profile)
    made = some()
    assert (ledger.add(made), ledger.add(made)) == (8, 0)
    newer = [
        Revision(record_id=each.id, at=NOON, charge=replace(each.charge, amount=Decimal(2)))
        for each in made[:3]
    ]
    assert ledger.rows(Query()).total["cost"] == Decimal(4)
    ledger.add([*newer, *(Score(record_id=each.id, at=NOON, correct=True) for each in made[:3])])
    assert ledger.rows(Query(metrics=("judged_calls",))).total["judged_calls"] == 3
    assert sorted(str(each.model) for each in calls(ledger, limit=None)) == [f"m{n}" for n in range(8)]
    costs = {"a": "2.5", "b": "2.5", "c": "0.5", "d": "0.5", None: "2.5"}
    assert {user: str(row["cost"]) for user, row in asked(ledger, "user").items()} == costs
    assert len(ledger.known([each.id for each in made])) == 8
    assert ledger.select("SELECT count(*) AS n FROM calls").rows == ((8,),)
    assert ledger.prune(NOON - timedelta(days=4)).calls == 3
    ledger.add([replace(made[7], user="late")])
    info = ledger.info()
    assert (info.calls, info.pruned_calls, info.late, info.conflicts, ledger.verify()) == (5, 3, 1, 0, ())
    assert ledger.rows(Query()).total["calls"] == 8


@pytest.mark.parametrize(("limit", "mode", "how"), TOO_LITTLE)
def test_a_limit_refuses_and_tells_no_part_as_the_whole(
    served: Front, ledger: ClickHouseLedger, limit: str, mode: str, how: str
) -> None:
    made = some()
    ledger.add(made)
    ledger.add([Revision(record_id=each.id, at=NOON, charge=each.charge) for each in made])
    served.profile.update({limit: "2", mode: how, "max_block_size": "1"})
    with pytest.raises(LedgerError, match=r"[Ll]imit"):
        _ = asked(ledger, "user"), calls(ledger, limit=None)


def test_users_are_counted_and_not_estimated(served: Front, ledger: ClickHouseLedger) -> None:
    """As a profile may say for the sake of speed."""
    ledger.add(call(user=f"u{n}") for n in range(5_000))
    served.profile["count_distinct_implementation"] = "uniqHLL12"
    assert ledger.rows(Query(metrics=("users",))).total["users"] == 5_000


def test_an_empty_text_is_kept_and_no_unknown_one(served: Front, ledger: ClickHouseLedger) -> None:
    """A user, a tag, an error's words: where they were none, a copy that came again was a conflict."""
    served.profile["input_format_json_empty_as_default"] = "1"
    told = call(user="", session="", tags={"team": ""}, error="", status="error")
    assert (ledger.add([told]), ledger.add([told]), ledger.conflicts()) == (1, 0, 0)
    assert calls(ledger) == [told]
    ledger.prune(NOON + timedelta(days=1))
    assert [row["calls"] for row in ledger.rows(Query(where=(("user", ("",)),))).rows] == [1]


def test_a_line_that_the_server_cannot_read_is_refused_whatever_errors_a_profile_allows(
    served: Front, ledger: ClickHouseLedger
) -> None:
    """It was passed over, and told as kept."""
    served.profile["input_format_allow_errors_num"] = "10"
    with pytest.raises(RefusedEntryError, match="cannot be kept"):
        ledger._client.insert("losses", [b'{"at":"2026-01-01T00:00:00Z","count":"many","why":"full"}\n'], "")


def test_tags_are_kept_whatever_form_a_profile_gives_maps(served: Front, ledger: ClickHouseLedger) -> None:
    """Every call was refused, and set aside."""
    served.profile["input_format_json_map_as_array_of_tuples"] = "1"
    told = call(tags={"team": "search"})
    assert ledger.add([told]) == 1
    assert calls(ledger) == [told]


def test_what_a_line_leaves_out_is_what_its_column_says(served: Front, ledger: ClickHouseLedger) -> None:
    """As when a call arrived: every call was refused, and set aside."""
    served.profile["input_format_force_null_for_omitted_fields"] = "1"
    told = call()
    assert ledger.add([told, Score(record_id=told.id, at=NOON, correct=True)]) == 1
    assert calls(ledger) == [replace(told, correct=True)]
