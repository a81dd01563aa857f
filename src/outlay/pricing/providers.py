"""Providers: one id for every way they are written, whose prices may stand in, and who makes which model."""

import re
from collections.abc import Mapping
from types import MappingProxyType

_WRITTEN = {
    "openai": "openai-chat openai-responses open_ai text-completion-openai chatgpt",
    "azure": "azure_openai azure-openai azureopenai azure_ai azure-ai az.ai.openai azure.ai.openai "
    "az.ai.inference azure.ai.inference azure_ai_foundry azure_text",
    "anthropic": "claude anthropic-messages",
    "google": "gemini google_genai google-genai google-gla google_ai_studio gcp.gemini gcp.gen_ai google-ai "
    "google_ai",
    "vertex": "vertex_ai vertexai google-vertex google_vertex vertex-ai gcp.vertex_ai "
    "google-vertex-anthropic vertex_ai_beta",
    "bedrock": "aws aws_bedrock aws-bedrock aws.bedrock amazon amazon-bedrock amazon_bedrock "
    "bedrock_converse bedrock-converse bedrock_mantle",
    "mistral": "mistralai mistral_ai mistral-ai",
    "cohere": "cohere_chat cohere-v2",
    "xai": "x-ai x_ai grok",
    "deepseek": "deepseek-ai",
    "groq": "groqcloud",
    "together": "together_ai together-ai togetherai",
    "fireworks": "fireworks_ai fireworks-ai",
    "openrouter": "open_router",
    "perplexity": "perplexity_ai perplexity-ai pplx",
    "moonshotai": "moonshot moonshot_ai moonshot-ai kimi",
    "alibaba": "dashscope qwen alibaba_cloud alibaba-cloud qwencloud qwen_ai_platform",
    "zai": "z-ai z.ai z_ai",
    "voyage": "voyageai voyage_ai voyage-ai",
    "huggingface": "hf hugging_face hugging-face",
    "ollama": "ollama_chat",
    "vllm": "hosted_vllm",
    "github-copilot": "github_copilot copilot",
    "cloudflare": "cloudflare_workers_ai workers-ai",
    "nvidia": "nvidia_nim",
    "watsonx": "ibm.watsonx.ai watsonx.ai",
}
WRITTEN: Mapping[str, str] = MappingProxyType(
    {other: name for name, others in _WRITTEN.items() for other in (name, *others.split())}
)
"""Every known way to write a provider, with its one id."""

NOT_A_PROVIDER = frozenset({"litellm", "litellm_proxy", "litellm-proxy", "unknown", ""})

STAND_INS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # Azure's global deployments and Vertex's global endpoint list the maker's own prices.
        "azure": ("openai", "anthropic", "deepseek", "xai", "moonshotai", "mistral", "cohere"),
        "vertex": ("google", "anthropic"),
        "google": ("vertex",),
    }
)
"""Whose prices a provider's calls take for a model that is not in its own list; flagged."""

OWN_HARDWARE = frozenset(
    {"ollama", "vllm", "lmstudio", "lm_studio", "llamacpp", "llama.cpp", "llamafile", "lemonade"}
)

_MAKERS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), maker)
    for pattern, maker in (
        (
            r"(?:[a-z-]+\.)?(?:anthropic|amazon|meta|mistral|cohere|ai21|openai|deepseek|qwen|writer)\.",
            "bedrock",
        ),
        (r"claude", "anthropic"),
        (
            r"ft:|gpt-|chatgpt|o\d|text-(?:embedding|moderation)-|omni-|dall-e|whisper-1|tts-1|sora|codex|davinci",
            "openai",
        ),
        (r"gemini|gemma|imagen|veo|text-embedding-00|lyria", "google"),
        (r"mistral|ministral|magistral|codestral|devstral|pixtral|voxtral|open-mi", "mistral"),
        (r"command|embed-|rerank-|c4ai", "cohere"),
        (r"grok", "xai"),
        (r"deepseek", "deepseek"),
        (r"sonar|r1-1776|pplx", "perplexity"),
        (r"kimi|moonshot", "moonshotai"),
        (r"glm-", "zai"),
        (r"qwen", "alibaba"),
        (r"voyage", "voyage"),
        (r"nova-|titan-", "bedrock"),
    )
)
HOMES = (
    "openai", "anthropic", "google", "mistral", "deepseek", "xai", "cohere", "perplexity", "moonshotai",
    "zai", "alibaba", "voyage", "bedrock", "vertex", "groq", "cerebras", "meta", "minimax",
)  # fmt: skip
"""Where a model is looked for when no provider is given: makers and their own clouds, never resellers."""


def provider_id(name: str | None) -> str | None:
    """Give a provider's one id; a name we do not know stays as it is, in lower case; None for gateways."""
    if name is None:
        return None
    lowered = name.strip().lower()
    if lowered in NOT_A_PROVIDER:
        return None
    return WRITTEN.get(lowered, lowered)


def homes_of(model: str) -> tuple[str, ...]:
    """Give the providers in whose lists a model without a provider is looked for, likeliest first."""
    likely = [maker for pattern, maker in _MAKERS if pattern.match(model)]
    return tuple(dict.fromkeys((*likely, *HOMES)))
