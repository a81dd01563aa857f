"""OpenAI, and every host that speaks its protocol, through the official SDK."""

from collections.abc import Iterator
from typing import Any

from outlay.capture.results import named
from outlay.core.errors import MissingExtraError
from outlay.llm.hosts import HOSTS
from outlay.llm.sdk import SdkAdapter, key_for

DEFAULT_MODEL = HOSTS["openai"].model
_NO_KEY = "none"  # the SDK wants one even where the host does not


class OpenAIAdapter(SdkAdapter):
    """Sends prompts to chat completions; ``name`` is one of the hosts."""

    api = "chat"

    def __init__(
        self, *, model: str | None = None, client: Any = None, name: str = "openai", **where: Any
    ) -> None:
        super().__init__(
            name=name,
            model=model or HOSTS[name].model,
            client=_client(name, **where) if client is None else client,
        )

    def send(self, prompt: str, options: dict[str, Any]) -> Any:
        """Send one prompt and give the completion."""
        return self._client.chat.completions.create(model=self.model, **_asked(prompt, options))

    def open_stream(self, prompt: str, options: dict[str, Any]) -> Iterator[Any]:
        """Send one prompt and give the chunks, the usage among them."""
        events: Iterator[Any] = self._client.chat.completions.create(
            model=self.model,
            stream=True,
            stream_options={"include_usage": True},
            **_asked(prompt, options),
        )
        return events

    def text_of(self, response: Any) -> str:
        """Give the text of a completion or of a chunk."""
        if not response.choices:
            return ""
        choice = response.choices[0]
        said = choice.delta if hasattr(choice, "delta") else choice.message
        return _text_in(getattr(said, "content", None))


def _text_in(content: Any) -> str:
    """Give a content's text; of a list of parts, as Mistral's reasoning models send, that of the texts."""
    if not isinstance(content, list):
        return content or ""
    return "".join(named(part, "text") or "" for part in content if named(part, "type") == "text")


def _asked(prompt: str, options: dict[str, Any]) -> dict[str, Any]:
    rest = dict(options)
    system = rest.pop("system", None)
    messages = [{"role": "system", "content": system}] if system else []
    return {"messages": [*messages, {"role": "user", "content": prompt}], **rest}


def _client(
    name: str, *, api_key: str | None = None, base_url: str | None = None, timeout: float | None = None
) -> Any:
    try:
        from openai import OpenAI  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError.of("openai", "openai") from None
    host = HOSTS[name]
    key = (api_key or _NO_KEY) if host.key is None else key_for(name, api_key, (host.key,))
    # OpenAI's own key is left to its SDK, which knows other ways to come by one as well.
    own = host.base_url is None and api_key is None
    where = {"api_key": None if own else key, "base_url": base_url or host.base_url, "timeout": timeout}
    given: dict[str, Any] = {option: value for option, value in where.items() if value is not None}
    return OpenAI(**given)
