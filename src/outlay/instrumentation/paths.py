"""What a request is for, by its path, and what came back, whatever form the caller asked for."""

import json
from typing import Any
from urllib.parse import urlsplit

from outlay.extract.plain import fields_of


def path_of(url: str) -> str:
    """Give the path below the API's version, without a query."""
    path = urlsplit(url).path if "://" in url else url
    return path.partition("?")[0].removeprefix("/openai").removeprefix("/v1")  # Groq's lie under /openai


def http_of(result: Any) -> Any:
    """Give the HTTP response of a raw or binary result; None where the SDK gives an object of its own."""
    own = getattr(result, "__dict__", {})
    return own.get("http_response") or own.get("response")


def content_of(http: Any) -> bytes | None:
    """Give a body that has been read already; None where the caller is about to read it."""
    content = getattr(http, "_content", None)
    return content if isinstance(content, bytes) else None


def body_of(result: Any) -> dict[str, Any]:
    """Give the fields of an answer; none where it is raw and not read yet, or no object."""
    http = http_of(result)
    if http is None:
        return dict(fields_of(result) or {})
    try:
        found = json.loads(content_of(http) or b"")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
