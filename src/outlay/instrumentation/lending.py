"""What a framework carries along of whom a call is for, as attributes: names and labels, never a text.

Metadata by a known name fills a field. Any other is a tag, where it is a label: one word. What has a blank in
it may be a text and stays where it is, and so does what looks like a key.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import wraps
from types import MappingProxyType
from typing import Any

from outlay.capture.contexts import lending
from outlay.capture.guard import guarded
from outlay.capture.redact import without_keys
from outlay.capture.surroundings import MAX_BAGGAGE, MAX_TEXT

FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "user": ("user", "user_id", "userId", "user.id", "enduser.id", "end_user_id", "langfuse_user_id"),
        "session": ("session", "session_id", "sessionId", "thread_id", "conversation_id", "session.id",
                    "gen_ai.conversation.id", "langfuse_session_id"),
        "query_type": ("query_type", "feature"),
        "agent": ("agent", "agent_name", "lc_agent_name", "gen_ai.agent.name"),
        "action": ("action",),
        "workspace": ("workspace",),
    }
)  # fmt: skip
"""A field -> the names by which metadata says it; the first that is there counts."""
_FIELD_NAMES = frozenset(name for names in FIELDS.values() for name in names)
_LABEL = re.compile(r"[\w.:@/+-]{1,64}")
_MOST_BITS = 212  # as many as 64 digits need
_PAIR = re.compile(r"([\w.-]+)[:=]([\w.@/+-]+)")
_THEIRS = ("ls_", "lc_", "__", "checkpoint", "langfuse_", "langsmith", "litellm_", "user_api_key",
           "seq:step:", "map:key:", "graph:step:", "run_", "trace_", "parent_", "model_",
           "langgraph_step", "langgraph_triggers", "langgraph_path", "langgraph_checkpoint_ns",
           "llamaindex.")  # fmt: skip
"""How begins what frameworks write there themselves; a node of LangGraph is worth a tag."""
_ALSO_THEIRS = frozenset({"model", "revision_id", "request_id", "generation_id", "deployment", "api_base"})
# What is a text or a key by its name, were it ever so short.
_PRIVATE = re.compile(
    r"(?:.*_)?(?:prompts?|inputs?|outputs?|questions?|query|messages?|texts?|contents?|responses?|answers?|reply"
    r"|completions?|instructions?|system|keys?|apikey|token|secret|password|authorization)",
    re.IGNORECASE,
)


def said_by(metadata: Mapping[str, Any] | None, labels: Iterable[Any] = ()) -> dict[str, str]:
    """Give the attributes in metadata and in labels: ``x:y`` is a tag x, another label one that is true."""
    facts = metadata or {}
    tags: dict[str, str] = {}
    for name, value in (*facts.items(), *map(_pair, labels)):
        if (
            len(tags) < MAX_BAGGAGE
            and name not in _FIELD_NAMES
            and _is_ours_to_tell(name)
            and is_label(value)
        ):
            tags.setdefault(name, str(value))
    for field, names in FIELDS.items():
        value = next((facts[name] for name in names if is_name(facts.get(name))), None)
        if value is not None:
            tags[field] = str(value)[:MAX_TEXT]
    return tags


def is_name(value: object) -> bool:
    """Whether a value names somebody or something."""
    if isinstance(value, int):
        return not isinstance(value, bool) and _is_short(value)
    return isinstance(value, str) and value != ""


def is_label(value: object) -> bool:
    """Whether a value is one word, and none that looks like a key."""
    if isinstance(value, int):
        return _is_short(value)
    return isinstance(value, str) and _LABEL.fullmatch(value) is not None and without_keys(value) == value


def _is_short(number: int) -> bool:
    """Whether a number has a text that can stand as a label: Python makes none of thousands of digits."""
    return number.bit_length() <= _MOST_BITS


def named(**names: object) -> dict[str, str]:
    """Give the attributes that a framework names itself, cut to a bearable length."""
    return {name: str(value)[:MAX_TEXT] for name, value in names.items() if is_name(value)}


def _pair(label: object) -> tuple[str, Any]:
    text = label if isinstance(label, str) else ""
    pair = _PAIR.fullmatch(text)
    return (text, "true") if pair is None or text.startswith(_THEIRS) else (pair[1], pair[2])


def _is_ours_to_tell(name: object) -> bool:
    if not isinstance(name, str) or name.startswith(_THEIRS) or name in _ALSO_THEIRS:
        return False
    return is_label(name) and _PRIVATE.fullmatch(name) is None


Say = Callable[[tuple[Any, ...], dict[str, Any]], Mapping[str, str]]
"""(args with self, kwargs) -> what is said of the calls inside."""


def lent(original: Callable[..., Any], say: Say) -> Callable[..., Any]:
    """Wrap what makes calls: they are for whom the framework says, where the program says nothing."""
    say_safely = guarded(say)

    @wraps(original)
    def method(*args: Any, **kwargs: Any) -> Any:
        with lending(say_safely(args, kwargs) or {}):
            return original(*args, **kwargs)

    return method


def lent_async(original: Callable[..., Awaitable[Any]], say: Say) -> Callable[..., Awaitable[Any]]:
    """Wrap a coroutine function likewise."""
    say_safely = guarded(say)

    @wraps(original)
    async def method(*args: Any, **kwargs: Any) -> Any:
        with lending(say_safely(args, kwargs) or {}):
            return await original(*args, **kwargs)

    return method
