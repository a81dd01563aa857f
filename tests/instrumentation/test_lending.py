"""What of a framework's metadata becomes an attribute, and what stays where it is."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outlay.capture.contexts import NAMES, NOBODY, Attribution, attribution, context, lending
from outlay.instrumentation.langchain_runs import MAX_RUNS, Names
from outlay.instrumentation.lending import FIELDS, said_by

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=100),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)
KEYS = st.text(max_size=12) | st.sampled_from([name for names in FIELDS.values() for name in names])


@pytest.mark.parametrize(
    ("metadata", "labels", "said"),
    [
        ({"user_id": 7, "thread_id": "t"}, (), {"user": "7", "session": "t"}),
        ({"user": {"id": 7}, "user_id": "u"}, (), {"user": "u"}),
        ({"session_id": "s", "thread_id": "t"}, (), {"session": "s"}),  # the first of its names
        ({"user_id": "", "conversation_id": None}, (), {}),
        ({"user_id": "Jane Doe of the second floor"}, (), {"user": "Jane Doe of the second floor"}),
        ({"tenant": "acme", "row": 7, "beta": True}, (), {"tenant": "acme", "row": "7", "beta": "True"}),
        ({"note": "what is it?", "share": 0.5, "rows": [1], "long": "x" * 65}, (), {}),
        (
            {"prompt": "hi", "system_prompt": "hi", "user_query": "hi", "api_key": "abc", "token": "abc"},
            (),
            {},
        ),
        ({"ref": "sk-abcdefghijklmnop1234"}, (), {}),
        ({"ls_provider": "openai", "langgraph_step": 3, "user_api_key_alias": "k", "model": "m"}, (), {}),
        (
            None,
            ["beta", "team:search", "row=7", "two words", 3, ""],
            {"beta": "true", "team": "search", "row": "7"},
        ),
        (None, ["seq:step:1", "langsmith:hidden", "prompt:hi", "user:u9"], {}),
        ({"team": "a"}, ["team:b"], {"team": "a"}),
        ({"user_id": 10**5000, "row": 10**5000, "team": "a"}, (), {"team": "a"}),  # too many digits
    ],
)
def test_fields_are_filled_by_known_names_and_tags_by_labels(
    metadata: dict[str, Any] | None, labels: Any, said: dict[str, str]
) -> None:
    assert said_by(metadata, labels) == said


@settings(max_examples=50)
@given(st.dictionaries(KEYS, JSON, max_size=30), st.lists(JSON, max_size=30))
def test_whatever_metadata_holds_what_is_told_is_short_and_few(
    metadata: dict[str, Any], labels: list[Any]
) -> None:
    said = said_by(metadata, labels)
    tags = said.keys() - NAMES
    assert len(tags) <= 16
    assert not any(character.isspace() for name in tags for character in name + said[name])
    assert all(len(value) <= 200 for value in said.values())


def test_what_the_program_says_wins_over_what_is_lent_wherever_it_says_it() -> None:
    with context(user="mine"), lending({"user": "theirs", "session": "s", "team": "a"}):
        assert attribution.get().fields == {"user": "mine", "session": "s"}
        with context(session="own"), lending({"session": "t", "team": "b"}):
            assert attribution.get().fields == {"user": "mine", "session": "own"}
            assert attribution.get().tags == {"team": "b"}  # of two frameworks the one further in
        with context(team=None):
            assert attribution.get().tags == {}
    assert attribution.get() is NOBODY


def test_lending_nothing_new_makes_nothing_new() -> None:
    who = Attribution({"user": "u"}, {})
    assert who.over({}) is who
    assert who.over({"user": "v"}) is who


def test_names_of_runs_that_never_end_are_forgotten_in_time() -> None:
    names = Names()
    for run in range(MAX_RUNS + 5):
        names.begin(run, None, f"n{run}")
    assert (names.of(4), names.of(5)) == (None, "n5")
    names.begin("inner", MAX_RUNS, "x")
    assert names.of("inner") == f"n{MAX_RUNS}"


def test_the_page_has_the_names_that_fill_a_field() -> None:
    page = (Path(__file__).parents[2] / "docs" / "frameworks.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (user|session|query_type|agent) \| ([\w., ]+) \|$", page, re.MULTILINE))
    assert rows == {name: ", ".join(FIELDS[name]) for name in rows}
    assert len(rows) == 4
