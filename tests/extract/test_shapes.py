"""Recognition of bodies that nobody named: what one key tells, and what nothing does."""

from typing import Any

import pytest

from outlay.extract.shapes import api_of_body


@pytest.mark.parametrize(
    ("body", "api"),
    [
        ({"object": "chat.completion"}, "chat"),
        ({"object": "text_completion", "choices": []}, "completions"),  # whose choices look like a chat's
        ({"object": "response", "usage": {"prompt_tokens": 1}}, "responses"),
        ({"object": "rerank"}, "rerank"),
        ({"object": ["response"]}, None),
        ({"object": "list"}, "embeddings"),
        ({"data": [{"embedding": [0.1]}]}, "embeddings"),
        ({"data": [{"b64_json": ""}]}, "images"),
        ({"data": {"embedding": 1}}, None),
        ({"data": []}, "images"),
        ({"embeddings": [[0.1]]}, None),  # Cohere, Gemini and Ollama all say so
        ({"embeddings": [[0.1]], "usageMetadata": {}}, "embeddings"),
        ({"embeddings": [[0.1]], "meta": {"billed_units": {"input_tokens": 1}}}, "cohere_embed"),
        ({"usage": {"billed_units": {"input_tokens": 1}}}, "cohere_chat"),
        ({"data": [{"embedding": [0.1]}, {"index": 1}]}, "embeddings"),
        ({"done": True, "message": {}}, "ollama_chat"),
        ({"done": True, "response": ""}, "ollama_generate"),
        ({"message": {}}, None),
        ({"amazon-bedrock-invocationMetrics": {}}, "invoke_model"),
        ({"task": "translate", "duration": 5.0}, "transcription"),
        ({"task": "translate"}, None),
        ({"duration": 5.0}, None),
        ({"output": [], "usage": {"input_tokens": 1}}, "responses"),
        ({"output": [], "usage": {"prompt_tokens": 1}}, "chat"),
        ({}, None),
    ],
)
def test_a_body_is_known_by_what_is_its_own(body: dict[str, Any], api: str | None) -> None:
    assert api_of_body(body) == api
