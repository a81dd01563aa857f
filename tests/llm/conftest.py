"""A recorder that keeps its records, and providers that answer what they are told."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.support.wire import Kept

from outlay.capture import Recorder, SystemClock
from outlay.llm import LLMResponse
from outlay.llm.adapters import default
from outlay.pricing import cost_of


class Answers:
    """An adapter that answers from a list, the last one again and again; it remembers what it was asked."""

    def __init__(self, answers: list[dict[str, Any]]) -> None:
        self.answers = answers
        self.asked: list[dict[str, Any]] = []
        self.made_with: dict[str, Any] = {}

    def make(self, **options: Any) -> "Answers":
        self.made_with = options
        return self

    def call(self, prompt: str, **options: Any) -> LLMResponse:
        self.asked.append({"prompt": prompt, **options})
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        usual = {
            "content": "an answer",
            "input_tokens": 1000,
            "output_tokens": 100,
            "cost_usd": None,
            "latency_ms": 5.0,
            "success": True,
            "provider": "stub",
            "model": self.made_with.get("model") or "stub",
        }
        return LLMResponse(**{**usual, **answer})


Provider = Callable[..., Answers]


@pytest.fixture
def provider() -> Iterator[Provider]:
    """Put an adapter under a name, and take it out again."""
    names: list[str] = []

    def register(name: str, *answers: dict[str, Any]) -> Answers:
        adapter = Answers(list(answers) or [{}])
        default.register(name, adapter.make)
        names.append(name)
        return adapter

    yield register
    for name in names:
        default.unregister(name)


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def recorder(kept: Kept) -> Callable[[], Recorder]:
    made = Recorder(kept, clock=SystemClock(), price=cost_of)
    return lambda: made


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set the instant at which calls begin."""

    def put(*when: int) -> None:
        moment = datetime(*when, tzinfo=UTC)  # type: ignore[misc, arg-type] # year to minute

        def fixed() -> datetime:
            return moment

        monkeypatch.setattr("outlay.llm.client.now", fixed)
        monkeypatch.setattr("outlay.llm.dynamic.now", fixed)

    return put
