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
        "ASIAIOSFODNN7EXAMPLE",
        "AQ.LzPkkGo_aXmI63JozGw8-2KwD6rQJM9UayY2",
        "ABSKQmVkcm9ja0FQSUtleS1NQHmxHaRyLBzv3+VeFVpO9PsObAUOjOX7zYr2lXe0XMaw=",
        "fw_ikk6InrWvMG1qxvvhsp38MX9",
        "r8_3z5sbkm2uZKYivBnrRg1y7Jw641RIFXIpeUcf",
        "tgp_v1_kV2gB69yZI60sJqTEugn-PucbaY7sUMuCzu",
        "pa-puFRE9oTAvJN6U6PrPod_6eWGP4xkGXY4",
        "nvapi-5TCxtWzphTnTRtegozuF-7g9lcdZMb4WnR",
        "ghp_yZh2RtgB1pGJnv7vGYz95LEgiP0CHJU21LSH",
        "1c842e90114183d260f486eca887715b.BMSJOHd5wJAImT4I",
        "0123456789abcdef0123456789abcdef",  # Azure's have no sign of their own
        "Jx7Qm2Vw9Lz4Tb6Nc8Rf1Yh3Ks5Pd0GaUeWiXoZq",  # nor have Cohere's
    ],
)
def test_keys_are_taken_out(key: str) -> None:
    clean = redact(f"Incorrect API key provided: {key}. You can find")
    assert clean.startswith("Incorrect API key provided: [key]")
    assert clean.removeprefix("Incorrect API key provided: [key]") in {". You can find", " You can find"}


@pytest.mark.parametrize(
    "text",
    [
        "the key management of this model",
        "risk-free",
        "ask-me anything at all",
        "a pa-rather-long-word-without-a-number",
        "fw_max_tokens",
    ],
)
def test_plain_words_stay(text: str) -> None:
    assert redact(text) == text


def test_long_texts_are_cut() -> None:
    assert len(redact("x y " * 1000)) == MAX_LENGTH


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("GET /v1?key=abcd-efgh-1234&alt=sse failed", "GET /v1?key=[key]&alt=sse failed"),
        ('{"x-api-key": "abcd-efgh-1234"}', '{"x-api-key": "[key]"}'),
        ("max tokens: 12345678 of gpt-4o-audio-preview-2024-12-17", None),
        ("req_011CSHoEeqs5C35K2UUqR7Fy timed out", None),
    ],
)
def test_what_a_name_says_is_a_key_and_nothing_else(text: str, clean: str | None) -> None:
    assert redact(text) == (clean or text)
