"""Anthropic through its official SDK."""

from collections.abc import Iterator
from typing import Any

from outlay.core.errors import MissingExtraError
from outlay.llm.sdk import SdkAdapter, key_for

DEFAULT_MODEL = "claude-haiku-4-5"
_IN_THE_BODY = ("temperature", "top_p", "top_k")  # newer SDKs have no parameters for them, though models do
MAX_TOKENS = 4096  # the API demands a limit; this is ours where none is given


class AnthropicAdapter(SdkAdapter):
    """Sends prompts to the messages API."""

    api = "messages"

    def __init__(self, *, model: str | None = None, client: Any = None, **where: Any) -> None:
        super().__init__(
            name="anthropic",
            model=model or DEFAULT_MODEL,
            client=_client(**where) if client is None else client,
        )

    def send(self, prompt: str, options: dict[str, Any]) -> Any:
        """Send one prompt and give the message."""
        return self._client.messages.create(**self._asked(prompt, options))

    def open_stream(self, prompt: str, options: dict[str, Any]) -> Iterator[Any]:
        """Send one prompt and give the events of its message."""
        events: Iterator[Any] = self._client.messages.create(stream=True, **self._asked(prompt, options))
        return events

    def text_of(self, response: Any) -> str:
        """Give the text of a message, or the text that an event adds."""
        if hasattr(response, "content"):
            return "".join(block.text for block in response.content if block.type == "text")
        return getattr(getattr(response, "delta", None), "text", None) or ""

    def _asked(self, prompt: str, options: dict[str, Any]) -> dict[str, Any]:
        given = {name: value for name, value in options.items() if value is not None}
        body = {name: given.pop(name) for name in _IN_THE_BODY if name in given}
        if body:
            given["extra_body"] = {**body, **given.get("extra_body", {})}
        return {
            "model": self.model,
            "max_tokens": MAX_TOKENS,
            "messages": [{"role": "user", "content": prompt}],
            **given,
        }


def _client(*, api_key: str | None = None, base_url: str | None = None, timeout: float | None = None) -> Any:
    try:
        from anthropic import Anthropic  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError.of("anthropic", "anthropic") from None
    key = key_for("anthropic", api_key, ("ANTHROPIC_API_KEY",))
    where = {"base_url": base_url, "timeout": timeout}
    given: dict[str, Any] = {option: value for option, value in where.items() if value is not None}
    return Anthropic(api_key=key, **given)
