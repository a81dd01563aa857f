"""Near names: found by their pieces, as comparing with every name would find them."""

from hypothesis import given
from hypothesis import strategies as st

from outlay.pricing import Book
from outlay.pricing.finding import near
from outlay.pricing.near import Spellings

WORDS = st.lists(st.sampled_from(("gpt", "4o", "mini", "-", "claude", "a", "aa", "x")), max_size=6).map(
    "".join
)


def pieces(name: str) -> set[str]:
    padded = f"  {name} "
    return {a + b + c for a, b, c in zip(padded, padded[1:], padded[2:], strict=False)}


@given(st.lists(WORDS, unique=True), WORDS)
def test_what_is_near_is_what_shares_enough_pieces_of_all_names(listed: list[str], asked: str) -> None:
    expected = {}
    for name in listed:
        own, theirs = pieces(asked), pieces(name)
        distance = 1 - 2 * len(own & theirs) / (len(own) + len(theirs))
        if distance <= 0.65:
            expected[name.upper()] = distance
    found = Spellings((name, name.upper()) for name in listed).near(asked)
    assert {name: distance for distance, name in found} == expected
    assert len(found) == len(expected)


def test_a_short_name_is_near_a_long_one_that_begins_with_a_fourth_of_it() -> None:
    # 26 letters are 27 pieces, 6 letters 7, and 6 are the same: 12 / 34 is more than 0.35, and 10 / 33 less
    asked = "abcdefghijklmnopqrstuvwxyz"
    assert Spellings([("abcdef", "six")]).near(asked) == [(1 - 12 / 34, "six")]
    assert Spellings([("abcde", "five")]).near(asked) == []


def test_a_slip_finds_the_name_that_was_meant_first() -> None:
    book = Book.default()
    for asked, meant in (
        ("gpt-4o-minni", "gpt-4o-mini"),
        ("claude-sonet-4.5", "claude-sonnet-4-5"),
        ("gemini-2.5-pr", "gemini-2.5-pro"),
        ("openai/gpt4o-mini", "gpt-4o-mini"),
    ):
        assert near(book.table, None, asked)[0] == meant


def test_a_name_like_no_other_has_none_near_it() -> None:
    book = Book.default()
    assert near(book.table, "openai", "zzz-123") == ()
    assert near(book.table, "nobody", "gpt-4o") == ()
    assert near(book.table, "openai", "") == ()


def test_providers_that_strangers_make_up_are_not_kept() -> None:
    book = Book.of(base=Book.default())
    for number in range(50):
        assert near(book.table, f"provider-{number}", f"gpt-{number}") == ()
    assert not book._tables
