"""Usage: disjoint units in one order, and copies with other facts."""

from dataclasses import replace
from decimal import Decimal

from outlay.core.usage import Usage, changed

USAGE = Usage.of(
    {"output": 3, "input": 7, "web_search": 0},
    flags=("clamped",),
    model="one",
    terms=(("batch", "true"), ("geo", "eu")),
    raw={"input_tokens": 7},
)


def test_units_stand_in_the_vocabulary_s_order_and_those_beyond_it_behind_by_name() -> None:
    usage = Usage.of([("zebras", 1), ("output", 2), ("apples", Decimal("0.5")), ("input", 3), ("output", 4)])
    assert usage.items == (("input", 3), ("output", 6), ("apples", Decimal("0.5")), ("zebras", 1))


def test_what_was_not_used_is_zero_and_what_is_not_said_is_none() -> None:
    assert (USAGE["input"], USAGE["web_search"], USAGE["pages"]) == (7, 0, 0)
    assert (USAGE.term("geo"), USAGE.term("speed")) == ("eu", None)


def test_a_term_that_is_set_takes_its_place_and_an_unknown_one_leaves_what_stands() -> None:
    terms = USAGE.with_terms(geo="us", aws="x", batch=None).terms
    assert terms == (("aws", "x"), ("batch", "true"), ("geo", "us"))
    assert USAGE.with_terms(geo=None) is USAGE


def test_a_flag_is_added_once_and_the_first_reason_stays() -> None:
    cut = USAGE.flagged("partial", "clamped", reason="it was cut")
    assert (cut.flags, cut.reason) == (("clamped", "partial"), "it was cut")
    assert cut.flagged(reason="another") == cut
    assert USAGE.flags == ("clamped",)


def test_a_changed_copy_is_what_replace_makes() -> None:
    copy = changed(USAGE, model=None, context_tokens=9)
    assert copy == replace(USAGE, model=None, context_tokens=9)
    assert (copy.raw, USAGE.model) == (USAGE.raw, "one")
