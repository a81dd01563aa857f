"""Plain values out of SDKs' objects."""

from typing import Any

from outlay.extract.plain import fields_of, plain


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
