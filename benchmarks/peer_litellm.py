"""The peer of benchmarks.price_command; runs where litellm is installed, and outlay is not.

``peer_litellm.py FILE TIMES`` prints the CPU microseconds of one ``completion_cost``; with 0 times, what
litellm makes of each line that it can price, by the line's id.
"""

import json
import logging
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import litellm
from litellm.llms.anthropic.chat.transformation import AnthropicConfig
from litellm.llms.bedrock.chat.converse_transformation import AmazonConverseConfig
from litellm.llms.vertex_ai.gemini.vertex_and_google_ai_studio_gemini import VertexGeminiConfig
from litellm.types.llms.openai import ResponsesAPIResponse
from litellm.types.rerank import RerankResponse

Body = Mapping[str, Any]
# Where litellm's name of a provider is another one.
PROVIDERS = {
    "google": "gemini",
    "vertex": "vertex_ai",
    "together": "together_ai",
    "fireworks": "fireworks_ai",
    "moonshotai": "moonshot",
    "alibaba": "dashscope",
}


def of_usage(make: Callable[[Body], Any]) -> Callable[[Body, str | None], Any]:
    """Make litellm's object of a body in another shape from the usage that litellm's own reader makes of it.

    The text of an answer has no part in its cost.
    """
    return lambda body, model: litellm.ModelResponse(model=model, usage=make(body))


def in_its_own_shape(kind: type[Any]) -> Callable[[Body, str | None], Any]:
    """Make litellm's object of a body that has its fields."""

    def make(body: Body, model: str | None) -> Any:
        return kind(**({"model": model, **body} if kind is litellm.ModelResponse else body))

    return make


RESPONSES: Mapping[str, Callable[[Body, str | None], Any]] = {
    "chat": in_its_own_shape(litellm.ModelResponse),
    "completions": in_its_own_shape(litellm.TextCompletionResponse),
    "embeddings": in_its_own_shape(litellm.EmbeddingResponse),
    "responses": in_its_own_shape(ResponsesAPIResponse),
    "images": in_its_own_shape(litellm.ImageResponse),
    "transcription": in_its_own_shape(litellm.TranscriptionResponse),
    "rerank": in_its_own_shape(RerankResponse),
    "messages": of_usage(lambda body: AnthropicConfig().calculate_usage(body["usage"], None, dict(body))),
    "generate_content": of_usage(lambda body: VertexGeminiConfig.calculate_usage(dict(body))),
    "converse": of_usage(lambda body: AmazonConverseConfig().transform_usage(body["usage"])),
}
"""What makes litellm's own object of a body, by its API; its other APIs have no such object."""


def cost_of(line: dict[str, Any]) -> float | None:
    """Price a line; None where litellm cannot, as for a model that it does not know."""
    try:
        return priced(*response_of(line)) or None
    except Exception:  # noqa: BLE001 - whatever it raises, it has no price
        return None


def response_of(line: dict[str, Any]) -> tuple[Any, str, str | None]:
    """Make litellm's own object of a body, and name provider and model as litellm does."""
    provider = PROVIDERS.get(line["provider"], line["provider"])
    return RESPONSES[line["api"]](line["response"], line["model"]), provider, line["model"]


def priced(response: Any, provider: str, model: str | None) -> float:
    """Price one response; it names its model, but for some kinds of objects."""
    if getattr(response, "model", None):
        return float(litellm.completion_cost(response, custom_llm_provider=provider))
    return float(litellm.completion_cost(response, model=model, custom_llm_provider=provider))


def main(file: str, times: str) -> None:
    """Print what was asked for."""
    logging.disable()
    lines = [json.loads(text) for text in Path(file).read_text("utf-8").splitlines()]
    if times == "0":
        print(json.dumps({line["id"]: cost for line in lines if (cost := cost_of(line)) is not None}))
        return
    ready = [response_of(line) for line in lines]
    for each in ready:
        priced(*each)
    start = time.process_time()
    for _ in range(int(times)):
        for each in ready:
            priced(*each)
    print((time.process_time() - start) / len(ready) / int(times) * 1e6)


if __name__ == "__main__":
    main(*sys.argv[1:])
