"""Plain values out of SDKs' objects."""

from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from types import MappingProxyType, SimpleNamespace
from typing import Any, NamedTuple

import pytest

from outlay.extract.plain import copy_of, fields_of, plain


class Slotted:
    """Fields without a dictionary, and a way to ask for them."""

    __slots__ = ("prompt_tokens",)

    def __init__(self) -> None:
        self.prompt_tokens = 1


class Converting(Slotted):
    """The same with a method as SDKs have it, which may give nonsense."""

    __slots__ = ("made",)

    def __init__(self, made: Any) -> None:
        super().__init__()
        self.made = made

    def to_dict(self) -> Any:
        return self.made


def test_a_copy_has_texts_for_names_of_any_kind() -> None:
    assert plain({1: 2, None: {"ß": 3}}) == {"1": 2, "None": {"ß": 3}}
    assert plain({"a\ud800": 1}) == {"a?": 1}


def test_objects_without_a_dictionary_are_asked_or_looked_into() -> None:
    assert plain(Slotted()) == {"prompt_tokens": 1}
    assert plain(Converting({"prompt_tokens": 2})) == {"prompt_tokens": 2}
    assert fields_of(Converting("no mapping")) is None


@pytest.mark.parametrize(
    ("number", "kept"),
    [
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (2**63, "about 2^64"),
        (-(2**63) - 1, "about 2^64"),
        (2**30, 2**30),
        (-1, -1),
        (True, True),
    ],
)
def test_whole_numbers_that_a_journal_cannot_hold_are_told_by_their_size(number: int, kept: object) -> None:
    assert plain(number) == kept
    assert plain({"count": number}) == {"count": kept}
    assert plain([number]) == [kept]


def nested(make: Callable[[Any], Any], floors: int) -> Any:
    value: Any = 1
    for _ in range(floors):
        value = make(value)
    return value


@pytest.mark.parametrize(
    ("make", "inside"),
    [
        (lambda value: {"a": value}, lambda value: value["a"]),
        (lambda value: [value], lambda value: value[0]),
        (lambda value: SimpleNamespace(a=value), lambda value: value["a"]),
    ],
    ids=["dict", "list", "object"],
)
def test_what_lies_deeper_than_eight_floors_is_left_out(
    make: Callable[[Any], Any], inside: Callable[[Any], Any]
) -> None:
    for floors, kept in ((8, 1), (9, None)):
        value = plain(nested(make, floors))
        for _ in range(8):
            value = inside(value)
        assert value == kept


class Told(Enum):
    """A word of an SDK's own."""

    WORD = "word"


class Pair(NamedTuple):
    """Fields that are a tuple, too."""

    prompt_tokens: int


class Odd:
    """An object whose attributes all raise, but for its class."""

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":
            return Odd
        raise RuntimeError(name)


class Extended:
    """An object of pydantic's, with fields that its model does not know."""

    def __init__(self, extra: dict[str, int] | None) -> None:
        self.own = 1
        object.__setattr__(self, "__pydantic_extra__", extra)


def test_values_of_every_kind_are_plain() -> None:
    assert plain(Told.WORD) == "word"
    assert plain({"kind": Told.WORD}) == {"kind": "word"}
    assert plain(Decimal("1.50")) == "1.50"
    assert plain({"rate": 0.5, "no": None, "text": "x" * 101}) == {"rate": 0.5, "no": None, "text": "x" * 100}
    assert plain({"half": "m\ud800", "letter": "é"}) == {"half": "m?", "letter": "é"}
    assert plain(Pair(3)) == {"prompt_tokens": 3}
    assert plain((1, "a")) == [1, "a"]
    assert plain(b"bytes") is None
    assert plain(object()) is None


def test_fields_are_found_or_there_are_none() -> None:
    assert fields_of(Odd()) is None
    assert fields_of(MappingProxyType({"a": 1})) == {"a": 1}
    for value in ("text", b"bytes", 1, 1.5, [1], (1,), None):
        assert fields_of(value) is None
    own = fields_of(Extended({"more": 2})) or {}
    assert (own["own"], own["more"]) == (1, 2)
    assert (fields_of(Extended(None)) or {})["own"] == 1


class Message:
    """A protobuf message, as far as it is asked."""

    def __init__(self, **fields: int) -> None:
        self._fields = fields

    def ListFields(self) -> list[tuple[SimpleNamespace, int]]:  # noqa: N802 - protobuf's name
        return [(SimpleNamespace(name=name), value) for name, value in self._fields.items()]


class Wrapped:
    """An SDK's object around a message."""

    __slots__ = ("_pb", "proto")

    def __init__(self, name: str) -> None:
        setattr(self, name, Message(prompt_tokens=3))


def test_a_message_of_protobuf_is_read_in_its_wrapper_too() -> None:
    assert fields_of(Message(prompt_tokens=3)) is not None
    assert fields_of(Wrapped("proto")) == {"prompt_tokens": 3}
    assert fields_of(Wrapped("_pb")) == {"prompt_tokens": 3}


def test_a_copy_shares_nothing_that_its_owner_could_change() -> None:
    inner = {"cached": 1}
    usage = {"tokens": 2, "text": "x", "details": inner, "flag": True, "rate": 0.5, "none": None}
    copied = copy_of(usage)
    inner["cached"] = 9
    assert copied == {**usage, "details": {"cached": 1}}
    assert copy_of([1, {"a": 2}]) == [1, {"a": 2}]
