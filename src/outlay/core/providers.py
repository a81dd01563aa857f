"""Providers: one id for every way in which they are written."""

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

UNKNOWN = "unknown"  # who served a call that does not say so
NOT_A_PROVIDER = frozenset({"litellm", "litellm_proxy", "litellm-proxy", UNKNOWN, ""})


def provider_id(name: str | None) -> str | None:
    """Give a provider's one id; a name we do not know stays as it is, in lower case; None for gateways."""
    if name is None:
        return None
    lowered = name.strip().lower()
    if lowered in NOT_A_PROVIDER:
        return None
    return WRITTEN.get(lowered, lowered)


def priced_as(name: str) -> str | None:
    """Give the one id under which a provider's prices stand; calls that name no provider have some, too."""
    return provider_id(name) or (UNKNOWN if name.strip().lower() == UNKNOWN else None)
