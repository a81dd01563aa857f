"""A response held: what bears on its usage is kept as it is now, to be read a little later."""

from collections.abc import Mapping
from typing import Any

from outlay.extract.plain import copy_of, fields_of

_REPLIES: Mapping[str, str] = {"chat": "choices", "completions": "choices", "messages": "content"}
"""Where the answer itself stands: no reader looks at it once there is a usage, and texts are not held."""
_USAGES = ("usage", "usageMetadata", "usage_metadata", "tool_usage", "meta")
_ONE_USAGE = ("usage",)
_BULKY = frozenset({"embeddings", "cohere_embed", "images", "transcription", "ocr"})
_TEXTS = (str, bytes)
_LONGEST = 1 << 16  # bytes or characters of a body that is still text


def held(body: Any, api: str) -> Any:
    """Give what :func:`outlay.extract.read` needs of a response, whatever its owner does to it meanwhile.

    None for one that is too large to be held; that one has to be read at once.
    """
    if isinstance(body, _TEXTS):
        return body if len(body) <= _LONGEST else None
    fields = None if api in _BULKY else fields_of(body)
    if fields is None:
        return None
    kept = dict(fields)
    reply = _REPLIES.get(api)
    for name in _USAGES if reply is None else _ONE_USAGE:
        if kept.get(name) is not None:
            kept[name] = copy_of(kept[name])
    if reply is not None and kept.get("usage"):
        kept.pop(reply, None)
    return kept
