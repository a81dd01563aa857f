"""Who answers in the examples: OpenAI where a key is set, else a stand-in that guesses tokens."""

import os
from dataclasses import dataclass

from outlay.llm import get_adapter


@dataclass(frozen=True)
class Tokens:
    """What an answer used."""

    input_tokens: int
    output_tokens: int


@dataclass(frozen=True)
class Answer:
    """An answer as most SDKs give it."""

    content: str
    model: str
    usage: Tokens


def call_llm(prompt: str, model: str = "gpt-4o") -> Answer:
    """Ask a model."""
    if not os.environ.get("OPENAI_API_KEY"):
        return Answer(f"({model} would answer here)", model, Tokens(20 + len(prompt) // 4, 60))
    given = get_adapter("openai", model=model).call(prompt=prompt)
    if not given.success:
        raise RuntimeError(given.error)
    return Answer(given.content, given.model, Tokens(given.input_tokens, given.output_tokens))
