"""Forms of answers: whatever a form fills in is, byte for byte, what the whole way gives."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlay.cli import price_forms, price_lines
from outlay.cli.price_forms import Forms
from outlay.cli.price_lines import price_line

GOLDEN = Path(__file__).parents[1] / "golden" / "extract.jsonl"
AT = "2026-11-01T00:00:00Z"


def line_of(**facts: Any) -> bytes:
    return json.dumps({"id": 1, "at": AT, **facts}).encode()


def whole_way(line: bytes) -> tuple[bytes, bool]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Forms, "of", lambda *_: None)
        return price_line(line)


def by_form(line: bytes) -> tuple[bytes, bool]:
    """Answer a line three times: the second answer may teach the form that the third one fills in."""
    price_line(line)
    price_line(line)
    return price_line(line)


def test_every_golden_response_is_answered_as_the_whole_way_does(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [json.loads(text) for text in GOLDEN.read_text("utf-8").splitlines()]
    names = ("provider", "api", "model", "response", "events", "sse")
    lines = [line_of(**{name: case[name] for name in names if name in case}) for case in cases]
    expected = [whole_way(line) for line in lines]
    forms = Forms()
    monkeypatch.setattr(price_lines, "FORMS", forms)
    assert [by_form(line) for line in lines] == expected
    assert sum(form is not None for form in forms._forms.values()) > 60  # nearly all kinds have one


COUNTS = st.one_of(st.integers(0, 2**40), st.sampled_from([0, 1, -1, 1.5, None, "7", True, 10**13]))
PARTS = st.dictionaries(st.sampled_from(["cached_tokens", "audio_tokens", "text_tokens", "odd"]), COUNTS)
THOUGHT = st.dictionaries(st.sampled_from(["reasoning_tokens", "text_tokens", "odd"]), COUNTS)
MODELS = (
    *("gpt-4o", "o3", "gpt-5.4", "gpt-4o-2099-01-01", "no such %s model", "gemini-2.5-pro", "grok-4", ""),
    *(
        "\0count",
        "\0money",
        "%d",
        'a"b',
        "\ud800",
        "claude-sonnet-4-5",
        "mistral-large-latest",
        "deepseek-chat",
    ),
)
NAMES = st.sampled_from(MODELS)
IDS = st.one_of(st.integers(), st.text(max_size=5), st.none(), st.floats(allow_nan=False), st.just("\ud800"))


@st.composite
def usages(draw: st.DrawFn) -> dict[str, Any]:
    prompt, output = draw(st.integers(0, 400_000)), draw(st.integers(0, 5000))
    cached, thought = draw(st.integers(0, prompt)), draw(st.integers(0, output))
    usual = {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output}
    details = {
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": thought},
    }
    odd = {
        "prompt_tokens": COUNTS,
        "total_tokens": COUNTS,
        "prompt_tokens_details": PARTS,
        "completion_tokens_details": THOUGHT,
        "cost": COUNTS,
        "num_search_queries": COUNTS,
        "prompt_audio_seconds": COUNTS,
    }
    found = {**usual, **draw(st.sampled_from([{}, details]))}
    for name in draw(st.sampled_from([(), (), tuple(odd)[:1], tuple(odd)[1:4], tuple(odd)[4:]])):
        found[name] = draw(odd[name])
    return found


@given(
    usages(),
    st.sampled_from(
        ["openai", "azure", "xai", "groq", "google", "nobody", "deepseek", "openrouter", "mistral"]
    ),
    st.sampled_from(["chat", "completions", "responses", "embeddings"]),
    st.dictionaries(st.sampled_from(["model", "service_tier", "provider", "id", "object", "error"]), NAMES),
    st.dictionaries(st.sampled_from(["model", "at"]), st.one_of(NAMES, st.just("2020-01-01"), st.just(AT))),
    IDS,
)
def test_any_answer_is_the_whole_ways(
    usage: dict[str, Any],
    provider: str,
    api: str,
    around: dict[str, str],
    beside: dict[str, str],
    name: object,
) -> None:
    if api == "responses":
        usage = {
            key.replace("prompt_", "input_").replace("completion_", "output_"): value
            for key, value in usage.items()
        }
    for counted in (usage, _more(usage)):  # the second one by the form that the first one taught, if any
        body = {"model": "gpt-4o", **around, "usage": counted}
        line = line_of(provider=provider, api=api, response=body, **beside).replace(
            b'"id": 1', b'"id": %b' % _json(name), 1
        )
        assert price_line(line) == whole_way(line)
        assert by_form(line) == whole_way(line)


def _more(value: Any) -> Any:
    """Give the same with seven times of everything."""
    if isinstance(value, dict):
        return {key: _more(content) for key, content in value.items()}
    return value if isinstance(value, bool) or not isinstance(value, int | float) else value * 7


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def test_a_form_holds_for_other_counts_ids_and_sizes() -> None:
    """Above 200,000 tokens every rate is another one, so it is another form."""

    def line(number: int, tokens: int) -> bytes:
        usage = {"input_tokens": tokens, "output_tokens": 10, "cache_read_input_tokens": 5}
        body = {"type": "message", "model": "claude-sonnet-4-5", "usage": usage}
        return line_of(provider="anthropic", api="messages", response=body).replace(
            b'"id": 1', b'"id": %d' % number
        )

    lines = [line(number, tokens) for number, tokens in enumerate((7, 8, 150_000, 250_000, 250_001, 9))]
    assert [price_line(each) for each in lines] == [whole_way(each) for each in lines]


def test_forms_are_bounded_and_learned_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(price_forms, "_KEPT", 2)
    forms = Forms()
    monkeypatch.setattr(price_lines, "FORMS", forms)
    body = {"usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}
    lines = [
        line_of(provider="openai", api="chat", response=body, model=model)
        for model in ("gpt-4o", "o3", "gpt-4o-mini", "gpt-5.4", "gpt-4o")
    ]
    assert [price_line(each) for each in lines] == [whole_way(each) for each in lines]
    assert len(forms._forms) <= 2
