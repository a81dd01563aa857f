"""Nothing that looks like a key survives in an error message."""

import pytest

from outlay.capture.redact import MAX_LENGTH, redact


@pytest.mark.parametrize(
    "key",
    [
        "sk-abcdefghijkl1234",
        "sk-proj-abc_DEF-123456789",
        "sk-ant-api03-xyzxyzxyz",
        "gsk_abcdefgh12345678",
        "AIzaSyA1234567890abcdefghijklmnop",
        "Bearer eyJhbGciOiJIUzI1NiJ9.abc",
        "AKIAIOSFODNN7EXAMPLE",
    ],
)
def test_keys_are_taken_out(key: str) -> None:
    clean = redact(f"Incorrect API key provided: {key}. You can find")
    assert key not in clean
    assert clean.startswith("Incorrect API key provided: [key]")


@pytest.mark.parametrize("text", ["the key management of this model", "risk-free", "ask-me anything at all"])
def test_plain_words_stay(text: str) -> None:
    assert redact(text) == text


def test_long_texts_are_cut() -> None:
    assert len(redact("x y " * 1000)) == MAX_LENGTH
