"""Which provider answers at a host: one SDK talks to many providers by its base URL."""

import re
from functools import lru_cache

_BY_SUFFIX = (
    ("openai.azure.com", "azure"),
    ("cognitiveservices.azure.com", "azure"),
    ("services.ai.azure.com", "azure"),
    ("models.inference.ai.azure.com", "azure"),
    ("api.openai.com", "openai"),
    ("api.anthropic.com", "anthropic"),
    ("aiplatform.googleapis.com", "vertex"),
    ("generativelanguage.googleapis.com", "google"),
    ("amazonaws.com", "bedrock"),
    ("api.aws", "bedrock"),
    ("api.mistral.ai", "mistral"),
    ("api.cohere.com", "cohere"),
    ("api.cohere.ai", "cohere"),
    ("api.groq.com", "groq"),
    ("api.deepseek.com", "deepseek"),
    ("api.x.ai", "xai"),
    ("api.together.xyz", "together"),
    ("api.together.ai", "together"),
    ("api-inference.together.ai", "together"),
    ("api.fireworks.ai", "fireworks"),
    ("openrouter.ai", "openrouter"),
    ("api.perplexity.ai", "perplexity"),
    ("api.cerebras.ai", "cerebras"),
    ("huggingface.co", "huggingface"),
    ("databricks.com", "databricks"),
    ("azuredatabricks.net", "databricks"),
    ("api.moonshot.ai", "moonshotai"),
    ("api.moonshot.cn", "moonshotai"),
    ("dashscope.aliyuncs.com", "alibaba"),
    ("dashscope-intl.aliyuncs.com", "alibaba"),
    ("api.z.ai", "zai"),
    ("open.bigmodel.cn", "zai"),
    ("api.voyageai.com", "voyage"),
    ("ai.mongodb.com", "voyage"),
    ("api.deepinfra.com", "deepinfra"),
    ("snowflakecomputing.com", "snowflake"),
    ("cloudflare.com", "cloudflare"),
    ("ml.cloud.ibm.com", "watsonx"),
)
_BEDROCKS = re.compile(r"bedrock-(runtime|mantle)(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com|api\.aws)")
_LOCAL_PORTS = {11434: "ollama", 8000: "vllm", 1234: "lmstudio"}
_LOCAL = {"localhost", "127.0.0.1", "::1"}


@lru_cache(maxsize=512)
def provider_at(host: str, port: int | None, default: str) -> str:
    """Name the provider behind a host; a local server by its usual port, a stranger by its host."""
    known = known_at(host, port)
    if known is not None:
        return known
    return default if host in _LOCAL else host or default


@lru_cache(maxsize=512)
def known_at(host: str, port: int | None) -> str | None:
    """Name the provider behind a host, if it is one that we know."""
    if host in _LOCAL:
        return _LOCAL_PORTS.get(port or 0)
    for suffix, provider in _BY_SUFFIX:
        if host == suffix or host.endswith((f".{suffix}", f"-{suffix}")):
            return provider
    return None


@lru_cache(maxsize=512)
def place_at(host: str) -> tuple[tuple[str, str], ...]:
    """Say what a host of Bedrock says of the price of a model without a profile: its region, and mantle.

    Source: docs.aws.amazon.com/bedrock/latest/userguide/endpoints.html (both are endpoints of one region).
    """
    found = _BEDROCKS.match(host)
    if found is None:
        return ()
    region = ("region", found[2])
    return (region, ("endpoint", "mantle")) if found[1] == "mantle" else (region,)
