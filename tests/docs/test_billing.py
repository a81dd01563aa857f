"""Each row of docs/billing.md that says what lies inside of which count, on a body of its kind."""

from pathlib import Path
from typing import Any

import pytest

from outlay.extract import read

PAGE = Path(__file__).parents[2] / "docs" / "billing.md"
CHAT = {
    "prompt_tokens": 100,
    "completion_tokens": 50,
    "total_tokens": 150,
    "prompt_tokens_details": {"cached_tokens": 60},
    "completion_tokens_details": {"reasoning_tokens": 40},
}
WRITTEN = {**CHAT, "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30}}
BESIDE = {**CHAT, "completion_tokens": 10}  # its total is still 150: reasoning is added
RESPONSES = {
    "input_tokens": 100,
    "output_tokens": 50,
    "total_tokens": 150,
    "input_tokens_details": {"cached_tokens": 60},
    "output_tokens_details": {"reasoning_tokens": 40},
}
MESSAGES = {
    "input_tokens": 40,
    "cache_read_input_tokens": 60,
    "cache_creation_input_tokens": 30,
    "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
    "output_tokens": 50,
}
GEMINI = {
    "promptTokenCount": 100,
    "cachedContentTokenCount": 60,
    "toolUsePromptTokenCount": 5,
    "candidatesTokenCount": 10,
    "thoughtsTokenCount": 40,
    "totalTokenCount": 155,
}
LIVE = {
    "promptTokenCount": 100,
    "cachedContentTokenCount": 60,
    "responseTokenCount": 50,
    "thoughtsTokenCount": 40,
    "totalTokenCount": 150,
}
CONVERSE = {
    "inputTokens": 40,
    "cacheReadInputTokens": 60,
    "cacheWriteInputTokens": 30,
    "outputTokens": 50,
    "totalTokens": 180,
}
DEEPSEEK = {**CHAT, "prompt_cache_hit_tokens": 60, "prompt_cache_miss_tokens": 40}
GRPC = {
    "prompt_tokens": 100,
    "cached_prompt_text_tokens": 60,
    "completion_tokens": 10,
    "reasoning_tokens": 40,
    "total_tokens": 150,
}
SOUND = {"prompt_tokens": 4, "prompt_audio_seconds": 25, "completion_tokens": 30, "total_tokens": 34}
COHERE = {
    "billed_units": {"input_tokens": 5, "output_tokens": 4},
    "tokens": {"input_tokens": 70, "output_tokens": 4},
}
OLLAMA = {"done": True, "prompt_eval_count": 26, "eval_count": 298}
INSIDE = {"input": 40, "cache_read": 60, "output": 10, "reasoning": 40}  # of 100 and 50
LIFETIMES = {"input": 40, "cache_read": 60, "cache_write": 10, "cache_write_1h": 20, "output": 50}
HOSTS = ("groq", "cerebras", "zai", "alibaba", "vllm", "together", "moonshotai")
COMPLETIONS = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}

Said = tuple[str, str, dict[str, Any], dict[str, int]]
ROWS: dict[str, list[Said]] = {
    "OpenAI chat, responses, completions": [
        ("openai", "chat", {"usage": CHAT}, INSIDE),
        ("openai", "responses", {"status": "completed", "usage": RESPONSES}, INSIDE),
        ("openai", "chat", {"usage": WRITTEN}, {**INSIDE, "input": 10, "cache_write": 30}),
        ("openai", "completions", {"usage": COMPLETIONS}, {"input": 100, "output": 50}),
    ],
    "Azure OpenAI, Bedrock's OpenAI-compatible API": [
        (provider, "chat", {"usage": body}, units)
        for provider in ("azure", "bedrock")
        for body, units in ((CHAT, INSIDE), (WRITTEN, {**INSIDE, "input": 10, "cache_write": 30}))
    ],
    "Anthropic messages (also on Bedrock and Vertex)": [
        (provider, "messages", {"usage": usage}, units)
        for provider in ("anthropic", "bedrock", "vertex")
        for usage, units in (
            (MESSAGES, LIFETIMES),
            (
                {**MESSAGES, "output_tokens_details": {"thinking_tokens": 40}},
                {**LIFETIMES, "output": 10, "reasoning": 40},
            ),
        )
    ],
    "Bedrock Converse": [
        (
            *("bedrock", "converse", {"usage": CONVERSE}),
            {"input": 40, "cache_read": 60, "cache_write": 30, "output": 50},
        )
    ],
    "Gemini and Vertex generate_content": [
        (provider, "generate_content", {"usageMetadata": GEMINI}, {**INSIDE, "input": 45})
        for provider in ("google", "vertex")
    ],
    "Gemini live": [("google", "live", {"usageMetadata": LIVE}, INSIDE)],
    "Gemini's OpenAI-compatible API": [
        (
            *(
                "google",
                "chat",
                {
                    "usage": {
                        **COMPLETIONS,
                        "completion_tokens": 10,
                        "prompt_tokens_details": {"cached_tokens": 60},
                    }
                },
            ),
            INSIDE,
        )
    ],
    "xAI chat and gRPC": [
        ("xai", "chat", {"usage": BESIDE}, INSIDE),
        ("xai", "grpc_chat", {"usage": GRPC}, INSIDE),
    ],
    "xAI responses": [("xai", "responses", {"status": "completed", "usage": RESPONSES}, INSIDE)],
    "DeepSeek": [("deepseek", "chat", {"usage": DEEPSEEK}, INSIDE)],
    "Mistral": [
        ("mistral", "chat", {"usage": CHAT}, INSIDE),
        ("mistral", "chat", {"usage": SOUND}, {"input": 4, "output": 30, "audio_seconds": 25}),
    ],
    "Groq, Cerebras, z.ai, Alibaba, vLLM, Together, Moonshot": [
        (provider, "chat", {"usage": CHAT}, INSIDE) for provider in HOSTS
    ],
    "Cohere": [("cohere", "cohere_chat", {"usage": COHERE}, {"input": 5, "output": 4})],
    "Ollama": [("ollama", "ollama_chat", OLLAMA, {"input": 26, "output": 298})],
}


TABLE = PAGE.read_text("utf-8").partition("## Inside or beside")[2].partition("\n## ")[0]
CELLS = {
    row[0]: row[1:]
    for row in (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in TABLE.splitlines()
        if line.startswith("| ")
    )
}
UNITS = {"cached": ("cache_read",), "written": ("cache_write", "cache_write_1h"), "reasoning": ("reasoning",)}
GIVEN = ("prompt_tokens", "input_tokens", "promptTokenCount", "inputTokens")
SHOWN = ("completion_tokens", "output_tokens", "candidatesTokenCount", "responseTokenCount", "outputTokens")


def place_of(kind: str, body: dict[str, Any], units: dict[str, int]) -> str | None:
    """Say where a body has what is cached, written or thought: inside of the wider count or beside it."""
    usage = body.get("usage") or body.get("usageMetadata") or body
    stated = next((usage[key] for key in (SHOWN if kind == "reasoning" else GIVEN) if key in usage), None)
    if stated is None or not any(units.get(unit) for unit in UNITS[kind]):
        return None
    whole = units["output"] if kind == "reasoning" else units["input"]
    return "inside" if whole < stated else "beside"


def test_every_row_of_the_table_is_shown() -> None:
    assert list(CELLS)[1:] == list(ROWS)


@pytest.mark.parametrize("row", ROWS)
def test_each_cell_says_what_the_bodies_of_its_row_show(row: str) -> None:
    _, cached, written, _, reasoning = CELLS[row]
    for kind, cell in (("cached", cached), ("written", written), ("reasoning", reasoning)):
        places = {place for _, _, body, units in ROWS[row] if (place := place_of(kind, body, units))}
        said = {word for word in ("inside", "beside") if cell.startswith(word)}
        assert places == said, f"{row}, {kind}: {cell}"


@pytest.mark.parametrize("said", [each for row in ROWS.values() for each in row], ids=lambda said: said[0])
def test_a_body_is_read_as_its_row_says(said: Said) -> None:
    provider, api, body, units = said
    usage = read({"model": "any", **body}, provider=provider, api=api)
    assert usage.units == units
    assert "total_mismatch" not in usage.flags


REALTIME = [
    {
        "type": "response.done",
        "response": {
            "id": f"r{n}",
            "status": "completed",
            "usage": {"input_tokens": 100 * n, "output_tokens": 10 * n, "total_tokens": 110 * n},
        },
    }
    for n in (1, 2)
]
TURNS = [
    {"usageMetadata": {"promptTokenCount": 100 * n, "responseTokenCount": 10 * n, "totalTokenCount": 110 * n}}
    for n in (1, 2)
]


@pytest.mark.parametrize(
    ("provider", "api", "body", "units"),
    [
        ("openai", "realtime", REALTIME, {"input": 300, "output": 30}),
        ("google", "live", [each | {"serverContent": {"turnComplete": True}} for each in TURNS],
         {"input": 300, "output": 30}),
        ("cohere", "rerank", {"meta": {"billed_units": {"search_units": 2}}}, {"search_units": 2}),
    ],
    ids=lambda said: said if isinstance(said, str) else "",
)  # fmt: skip
def test_what_is_billed_turn_by_turn_adds_up(
    provider: str, api: str, body: Any, units: dict[str, int]
) -> None:
    assert read(body, provider=provider, api=api).units == units
