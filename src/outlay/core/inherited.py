"""What a child process of ``outlay run`` knows before anything else of outlay is loaded."""

from collections.abc import Mapping
from types import MappingProxyType

RUN = "OUTLAY_RUN"
"""The variable that holds the id of the ``outlay run`` that a process belongs to."""

FILE = "OUTLAY_RUN_FILE"
"""The variable that holds the outlay.toml of that run, for rules of alerts: no variable holds them."""

MODULES: Mapping[str, str] = MappingProxyType(
    {
        "openai": "openai",
        "anthropic": "anthropic",
        "google": "google.genai",
        "groq": "groq",
        "together": "together",
        "mistralai": "mistralai.client",
        "cohere": "cohere",
        "ollama": "ollama",
        "boto3": "botocore.client",
        "aiobotocore": "aiobotocore.client",
        "huggingface": "huggingface_hub",
        "xai": "xai_sdk",
        "litellm": "litellm",
        "langchain": "langchain_core.callbacks.manager",
        "dspy": "dspy",
        "pydantic_ai": "pydantic_ai",
        "openai_agents": "agents.run",
        "llama_index": "llama_index.core.instrumentation.dispatcher",
    }
)
"""Our name of each SDK and framework -> the module that a program imports."""

FORMERLY: Mapping[str, str] = MappingProxyType({"mistralai.sdk": "mistralai"})
"""A module that older releases import in its place -> our name of the SDK."""
