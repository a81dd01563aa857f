"""Hosts that speak OpenAI's protocol: where they are, which variable holds the key, which model is usual."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Host:
    """One host; ``key`` is the name of an environment variable, None where the host asks for no key."""

    base_url: str | None  # None: the SDK's own default
    key: str | None
    model: str  # where none is asked for


HOSTS: Mapping[str, Host] = MappingProxyType(
    {
        "openai": Host(None, "OPENAI_API_KEY", "gpt-4o-mini"),
        "alibaba": Host(
            "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY", "qwen-plus"
        ),
        "cerebras": Host("https://api.cerebras.ai/v1", "CEREBRAS_API_KEY", "llama3.1-8b"),
        "deepinfra": Host(
            "https://api.deepinfra.com/v1/openai",
            "DEEPINFRA_API_KEY",
            "meta-llama/Meta-Llama-3.1-8B-Instruct",
        ),
        "deepseek": Host("https://api.deepseek.com", "DEEPSEEK_API_KEY", "deepseek-chat"),
        "fireworks": Host(
            "https://api.fireworks.ai/inference/v1",
            "FIREWORKS_API_KEY",
            "accounts/fireworks/models/llama-v3p1-8b-instruct",
        ),
        "groq": Host("https://api.groq.com/openai/v1", "GROQ_API_KEY", "llama-3.1-8b-instant"),
        "mistral": Host("https://api.mistral.ai/v1", "MISTRAL_API_KEY", "mistral-small-latest"),
        "moonshotai": Host("https://api.moonshot.ai/v1", "MOONSHOT_API_KEY", "kimi-k2-turbo-preview"),
        "nvidia": Host("https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY", "meta/llama-3.1-8b-instruct"),
        "ollama": Host("http://localhost:11434/v1", None, "llama3.2"),
        "openrouter": Host("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", "openai/gpt-4o-mini"),
        "perplexity": Host("https://api.perplexity.ai", "PERPLEXITY_API_KEY", "sonar"),
        "together": Host(
            "https://api.together.xyz/v1", "TOGETHER_API_KEY", "meta-llama/Llama-3.3-70B-Instruct-Turbo"
        ),
        "vllm": Host("http://localhost:8000/v1", None, "default"),
        "xai": Host("https://api.x.ai/v1", "XAI_API_KEY", "grok-3-mini"),
        "zai": Host("https://api.z.ai/api/paas/v4", "ZAI_API_KEY", "glm-4.5-air"),
    }
)
"""Every host by the provider's name; another one is reached by ``base_url``."""
