"""Our names of providers as the conventions write them."""

from collections.abc import Mapping
from types import MappingProxyType

_WRITTEN: Mapping[str, str] = MappingProxyType(
    {
        "google": "gcp.gemini",
        "vertex": "gcp.vertex_ai",
        "bedrock": "aws.bedrock",
        "azure": "azure.ai.openai",
        "mistral": "mistral_ai",
        "xai": "x_ai",
        "moonshotai": "moonshot_ai",
        "watsonx": "ibm.watsonx.ai",
    }
)


def provider_name(provider: str) -> str:
    """Give gen_ai.provider.name; a provider that the conventions do not know keeps our name."""
    return _WRITTEN.get(provider, provider)
