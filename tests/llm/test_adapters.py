"""Adapters: found by name, replaced by registering; mocks that take their time and cost what they say."""

import sys
import time
from decimal import Decimal
from typing import Any

import pytest

from outlay.core.errors import MissingExtraError, OutlayError, SettingsError
from outlay.llm import LLMResponse, get_adapter, list_adapters, register_adapter
from outlay.llm.adapters import Adapters, default
from outlay.llm.hosts import HOSTS
from outlay.llm.openai_adapter import OpenAIAdapter

# Dollars a million tokens, in and out, as the profiles are advertised.
PRICES = {
    "mock-fast": ("0.10", "0.30"),
    "mock-balanced": ("2.50", "10.00"),
    "mock-premium": ("15.00", "75.00"),
}


def call(name: str, seed: int = 1) -> LLMResponse:
    return get_adapter(name, seed=seed, sleep=False).call(prompt="What is gradient descent?")


def test_the_built_in_names_are_sorted() -> None:
    names = list_adapters()
    assert names == sorted(names)
    assert {"mock-balanced", "mock-fast", "mock-premium", "openai", "anthropic", "google", *HOSTS} == set(
        names
    )


def test_an_unknown_name_is_a_value_error_that_lists_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"there are .*mock-fast, .*openai") as caught:
        get_adapter("nope")
    assert isinstance(caught.value, OutlayError)


def test_a_registered_adapter_replaces_the_built_in_one_of_that_name() -> None:
    class Own:
        def __init__(self, greeting: str = "hello") -> None:
            self.greeting = greeting

        def call(self, prompt: str, **options: Any) -> LLMResponse:
            return LLMResponse(self.greeting, 1, 1, None, 1.0, success=True, provider="own", model="m")

    adapters = Adapters()
    adapters.register("mock-fast", Own)
    adapters.register("another", Own)
    assert adapters.get("mock-fast", greeting="hi").call(prompt="x").content == "hi"
    assert "another" in adapters.names()
    adapters.unregister("another")
    adapters.unregister("mock-fast")
    assert adapters.names() == list_adapters()
    assert adapters.get("mock-fast", sleep=False).call(prompt="x").provider == "mock-fast"
    assert "another" not in list_adapters()


@pytest.mark.parametrize(("name", "factory"), [("", LLMResponse), ("x", 7)])
def test_a_registration_that_cannot_be_is_refused(name: str, factory: Any) -> None:
    with pytest.raises(SettingsError):
        Adapters().register(name, factory)


@pytest.mark.parametrize("name", sorted(PRICES))
def test_a_mock_answers_with_tokens_and_its_own_price(name: str) -> None:
    result = call(name)
    rate_in, rate_out = (Decimal(rate) for rate in PRICES[name])
    exact = (result.input_tokens * rate_in + result.output_tokens * rate_out) / 1_000_000
    assert result.success
    assert (result.provider, result.model) == (name, name)
    assert result.input_tokens > 0
    assert result.output_tokens > 0
    assert result.total_tokens == result.input_tokens + result.output_tokens
    assert result.cost_usd == float(exact)


def test_the_same_seed_gives_the_same_figures_and_another_seed_others() -> None:
    assert call("mock-fast", seed=7) == call("mock-fast", seed=7)
    assert call("mock-fast", seed=7) != call("mock-fast", seed=8)


@pytest.mark.parametrize(
    ("name", "middle"), [("mock-fast", 80), ("mock-balanced", 300), ("mock-premium", 800)]
)
def test_row_096_latencies_lie_around_the_profiles_figure(name: str, middle: int) -> None:
    adapter = get_adapter(name, seed=3, sleep=False)
    latencies = [adapter.call(prompt="x").latency_ms for _ in range(50)]
    assert all(middle * 0.85 <= latency <= middle * 1.15 for latency in latencies)
    assert len(set(latencies)) > 1


def test_row_096_a_mock_really_waits_as_long_as_it_says() -> None:
    start = time.perf_counter()
    result = get_adapter("mock-fast").call(prompt="x")
    waited = (time.perf_counter() - start) * 1000
    assert 80 * 0.85 <= result.latency_ms <= waited


class Completions:
    """Stands in for the SDK's client; remembers what it was asked."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: dict[str, Any] = {}
        self.chat = self
        self.completions = self

    def create(self, **asked: Any) -> Any:
        self.asked = asked
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_openai_reads_usage_and_price_of_the_answer() -> None:
    from openai.types.chat import ChatCompletion  # noqa: PLC0415 - the SDK is slow to load

    answer = ChatCompletion.model_validate(
        {
            "id": "c1",
            "created": 1,
            "model": "gpt-4o-mini-2024-07-18",
            "object": "chat.completion",
            "choices": [
                {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}
            ],
            "usage": {
                "prompt_tokens": 1000,
                "completion_tokens": 100,
                "total_tokens": 1100,
                "prompt_tokens_details": {"cached_tokens": 400},
            },
        }
    )
    client = Completions(answer)
    result = OpenAIAdapter(client=client).call(prompt="hi", temperature=0)
    assert client.asked == {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "hi"}],
        "temperature": 0,
    }
    assert (result.content, result.success, result.model) == ("hello", True, "gpt-4o-mini-2024-07-18")
    assert (result.input_tokens, result.cached_tokens, result.output_tokens) == (1000, 400, 100)
    # 600 x 0.15 + 400 x 0.075 + 100 x 0.60, each a million
    assert result.cost_usd == pytest.approx(0.00018, abs=1e-15)


def completion(**body: Any) -> Any:
    """Make a completion as the SDK makes it of whatever a host sends."""
    from openai.types.chat import ChatCompletion  # noqa: PLC0415 - the SDK is slow to load

    return ChatCompletion.construct(**body)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("<html>Sign in</html>", "the answer is a str, and no answer of chat"),
        ([], "the answer is a list, and no answer of chat"),
        ({"choices": []}, "the answer is a dict, and no answer of chat"),
        ({"error": {"code": 502}}, "the provider answered with an error: 502"),
    ],
)
def test_what_is_no_answer_is_a_call_that_failed(answer: Any, says: str) -> None:
    """Proxies send a page, and OpenRouter an error, as if all was well."""
    result = OpenAIAdapter(client=Completions(answer)).call(prompt="hi")
    assert (result.success, result.error, result.error_type) == (False, says, "ResponseError")
    assert (result.content, result.cost_usd) == ("", None)
    if isinstance(answer, dict) and "error" in answer:
        sdk = OpenAIAdapter(client=Completions(completion(**answer))).call(prompt="hi")
        assert (sdk.success, sdk.error) == (False, says)


def test_a_content_of_parts_is_the_text_of_its_texts() -> None:
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "ye"},
        {"type": "text", "text": "s"},
    ]
    answer = completion(model="m", choices=[{"message": {"role": "assistant", "content": parts}}])
    assert OpenAIAdapter(client=Completions(answer)).call(prompt="hi").content == "yes"


def test_a_failing_call_is_an_answer_that_says_so() -> None:
    result = OpenAIAdapter(client=Completions(RuntimeError("boom"))).call(prompt="hi")
    assert not result.success
    assert (result.error_type, result.error, result.cost_usd) == ("RuntimeError", "boom", None)


def test_without_a_key_openai_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(SettingsError, match="OPENAI_API_KEY is not set"):
        get_adapter("openai")


def test_without_the_sdk_openai_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(MissingExtraError, match=r"outlay\[openai\]"):
        get_adapter("openai")


def test_row_002_a_mock_answers_without_a_key() -> None:
    result = get_adapter("mock-balanced", sleep=False).call(prompt="What is gradient descent?")
    assert result.success
    assert min(result.input_tokens, result.output_tokens) > 0


def test_row_069_adapters_are_registered_got_and_listed() -> None:
    class Own:
        def call(self, prompt: str, **options: Any) -> LLMResponse:
            return LLMResponse(prompt, 1, 1, None, 1.0, success=True, provider="own", model="m")

    register_adapter("row-069", Own)
    try:
        names = list_adapters()
        assert "row-069" in names
        assert names == sorted(names)
        assert get_adapter("row-069").call(prompt="hi").content == "hi"
    finally:
        default.unregister("row-069")
    with pytest.raises(ValueError, match=r"no adapter 'row-069'; there are .*mock-balanced.*openai"):
        get_adapter("row-069")
