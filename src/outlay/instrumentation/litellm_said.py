"""What litellm carries along of whom a call is for: ``user=``, ``metadata=`` with its tags, the proxy's key.

A logging object holds what a call was asked with. Some requests hand it on; of the others it is the one that
was made, or told of a request, last in the same task or thread, if it knows of no other host.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import partial, wraps
from typing import Any
from urllib.parse import urlsplit
from weakref import ref

from outlay.capture.guard import guarded
from outlay.instrumentation.lending import lent, lent_async, named, said_by
from outlay.instrumentation.patches import Patches

PROVIDERS = {  # litellm's name -> ours, where a host does not tell and the names differ
    "vertex_ai": "vertex",
    "vertex_ai_beta": "vertex",
    "gemini": "google",
    "azure_ai": "azure",
    "together_ai": "together",
    "fireworks_ai": "fireworks",
    "cohere_chat": "cohere",
    "ollama_chat": "ollama",
    "aiohttp_openai": "openai",
    "hosted_vllm": "vllm",
    "lm_studio": "lmstudio",
    "dashscope": "alibaba",
    "moonshot": "moonshotai",
}
_BY_SDK = (  # methods around one request by the SDK of openai: class, name, whether a coroutine function
    ("OpenAIChatCompletion", "make_openai_chat_completion_request", True),
    ("OpenAIChatCompletion", "make_sync_openai_chat_completion_request", False),
    ("OpenAIChatCompletion", "make_openai_embedding_request", True),
    ("OpenAIChatCompletion", "make_sync_openai_embedding_request", False),
    ("AzureChatCompletion", "make_azure_openai_chat_completion_request", True),
    ("AzureChatCompletion", "make_sync_azure_openai_chat_completion_request", False),
    ("AzureChatCompletion", "aembedding", True),
    ("AzureChatCompletion", "embedding", False),
)
_latest: ContextVar[ref[Any] | None] = ContextVar("outlay_litellm", default=None)
_USERS = ("trace_user_id", "user_api_key_end_user_id", "user_api_key_user_id")
"""By whom metadata names a user, beside the names that all frameworks share."""


def follow(patches: Patches) -> None:
    """Say to the hooks of SDKs whom litellm's calls by them are for."""
    from litellm.litellm_core_utils.litellm_logging import Logging  # noqa: PLC0415 - loaded only where it is hooked
    from litellm.llms.azure.azure import AzureChatCompletion  # noqa: PLC0415 - likewise
    from litellm.llms.openai.openai import OpenAIChatCompletion  # noqa: PLC0415 - likewise

    owners = {"OpenAIChatCompletion": OpenAIChatCompletion, "AzureChatCompletion": AzureChatCompletion}
    for owner, name, waits in _BY_SDK:
        wrap: Callable[..., Any] = lent_async if waits else lent
        patches.replace(owners[owner], name, partial(wrap, say=_said_to))
    for name in ("__init__", "pre_call"):
        patches.replace(Logging, name, _noting)


def _noting(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        _note(self)
        return original(self, *args, **kwargs)

    return method


@guarded
def _note(logging: Any) -> None:
    _latest.set(ref(logging))


def latest(url: str) -> Any:
    """Give the logging object of a request to this address that does not hand it on; None if there is none.

    One that was not told where its request goes, as of Ollama's embeddings, is taken at its word.
    """
    noted = _latest.get()
    logging = None if noted is None else noted()
    details = getattr(logging, "model_call_details", None) or {}
    told = [(details.get(part) or {}).get("api_base") for part in ("additional_args", "litellm_params")]
    hosts = {urlsplit(str(each)).netloc for each in told if each}
    return logging if not hosts or urlsplit(url).netloc in hosts else None


def _said_to(args: tuple[Any, ...], asked: dict[str, Any]) -> dict[str, str]:
    logging = next((each for each in (*asked.values(), *args) if hasattr(each, "model_call_details")), None)
    return said_in(logging)


def said_in(logging: Any) -> dict[str, str]:
    """Give the attributes of the call that a logging object belongs to."""
    return said_of(getattr(logging, "model_call_details", None) or {})


def said_of(details: Mapping[str, Any]) -> dict[str, str]:
    """Give the attributes of a call that was asked with these."""
    asked = details.get("litellm_params") or {}
    metadata = _mapping(asked.get("litellm_metadata")) | _mapping(asked.get("metadata"))
    tags = metadata.get("tags")
    user = next((metadata[name] for name in _USERS if metadata.get(name)), None)
    return {
        **named(user=user, query_type=metadata.get("trace_name"), session=asked.get("litellm_session_id")),
        **said_by(metadata, tags if isinstance(tags, list) else ()),
        **named(user=details.get("user")),
    }


def _mapping(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}
