"""Google's Gemini through its official SDK."""

from collections.abc import Iterator
from typing import Any

from outlay.core.errors import MissingExtraError
from outlay.llm.sdk import SdkAdapter, key_for

DEFAULT_MODEL = "gemini-2.5-flash"
_NAMES = {"system": "system_instruction", "max_tokens": "max_output_tokens"}
_MILLISECONDS = 1000


class GoogleAdapter(SdkAdapter):
    """Sends prompts to generate_content."""

    api = "generate_content"

    def __init__(self, *, model: str | None = None, client: Any = None, **where: Any) -> None:
        super().__init__(
            name="google", model=model or DEFAULT_MODEL, client=_client(**where) if client is None else client
        )

    def send(self, prompt: str, options: dict[str, Any]) -> Any:
        """Send one prompt and give the response."""
        return self._client.models.generate_content(**self._asked(prompt, options))

    def open_stream(self, prompt: str, options: dict[str, Any]) -> Iterator[Any]:
        """Send one prompt and give the responses that make up its stream."""
        events: Iterator[Any] = self._client.models.generate_content_stream(**self._asked(prompt, options))
        return events

    def text_of(self, response: Any) -> str:
        """Give the text of a response without what was thought."""
        content = response.candidates[0].content if response.candidates else None
        parts = (content.parts if content is not None else None) or ()
        return "".join(part.text for part in parts if part.text and not part.thought)

    def _asked(self, prompt: str, options: dict[str, Any]) -> dict[str, Any]:
        config = {_NAMES.get(name, name): value for name, value in options.items() if value is not None}
        return {"model": self.model, "contents": prompt, "config": config or None}


def _client(*, api_key: str | None = None, base_url: str | None = None, timeout: float | None = None) -> Any:
    try:
        from google import genai  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError.of("google", "google-genai") from None
    key = key_for("google", api_key, ("GEMINI_API_KEY", "GOOGLE_API_KEY"))
    http: dict[str, Any] = {} if base_url is None else {"base_url": base_url}
    if timeout is not None:
        http["timeout"] = int(timeout * _MILLISECONDS)
    given: dict[str, Any] = {"http_options": http} if http else {}
    return genai.Client(api_key=key, **given)
