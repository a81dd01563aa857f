"""Plain rows, as guides, small projects and home-made logs write them, and tables by their headings."""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from outlay.core.errors import UsageError
from outlay.importing.langfuse import is_trace
from outlay.importing.made import Call, Lacking
from outlay.importing.values import asked, count, first, kept, money, number, time_taken

_MS = 1000
NAMES: Mapping[str, tuple[str, ...]] = {
    "at": ("at", "timestamp", "time", "datetime", "created_at", "created", "date", "ts"),
    "id": ("id", "call_id", "request_id"),
    "provider": ("provider", "vendor"),
    "model": ("model", "model_name"),
    "operation": ("operation",),
    "user": ("user", "user_id", "userid"),
    "session": ("session", "session_id", "conversation_id"),
    "query_type": ("query_type", "feature", "type"),
    "agent": ("agent", "agent_id"),
    "action": ("action",),
    "workspace": ("workspace",),
    "status": ("status",),
    "success": ("success",),
    "error": ("error", "error_message"),
    "error_type": ("error_type",),
    "input_tokens": ("input_tokens", "prompt_tokens", "tokens_input", "tokens_in"),
    "output_tokens": ("output_tokens", "completion_tokens", "tokens_output", "response_tokens", "tokens_out"),
    "cached_tokens": ("cached_tokens", "cache_read_tokens", "cache_read_input_tokens"),
    "cache_write_tokens": ("cache_write_tokens", "cache_writes", "cache_creation_input_tokens"),
    "reasoning_tokens": ("reasoning_tokens",),
    "total_tokens": ("total_tokens",),
    "cost": ("cost", "cost_usd", "total_cost", "total_cost_usd", "cost_$", "total_cost_$"),
    "currency": ("currency",),
    "latency": ("latency", "latency_s", "duration"),
    "latency_ms": ("latency_ms", "duration_ms"),
    "time_to_first_token_ms": ("time_to_first_token_ms", "ttft_ms"),
    "prompt_length": ("prompt_length",),
    "quality_score": ("quality_score",),
    "user_rating": ("user_rating", "rating"),
    "correct": ("correct",),
}
"""What each column is called in the wild, as ``normal`` writes it; the first that is there counts."""
TELLING = ("cost", "input_tokens", "output_tokens", "latency", "latency_ms", "status")
"""Of these a row has one at least."""
_ONE = (
    frozenset({*NAMES["latency"], *NAMES["latency_ms"]}),
    frozenset({*NAMES["status"], *NAMES["success"]}),
)
_READ = frozenset(name for names in NAMES.values() for name in names)
COUNTS = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
SIDES = {
    "input": ("input_tokens", "cached_tokens", "cache_write_tokens"),
    "output": ("output_tokens", "reasoning_tokens"),
}
"""What counts tokens of a side: its whole, and parts of it."""
TEXTS = ("provider", "model", "operation", "user", "session", "query_type", "agent", "action", "workspace",
          "error", "error_type", "currency")  # fmt: skip
NUMBERS = ("quality_score", "user_rating")
FAILED = frozenset({"error", "errored", "fail", "failure", "failed", "timeout", "exception", "false"})
CODE = re.compile("[A-Za-z]{3}")  # of a currency, ISO 4217
_REFUSED = re.compile(r"[45]\d\d\b")  # HTTP's: 429, 500 Internal Server Error
_MARKS = str.maketrans(" -", "__", "()")  # Cost (USD), Latency (ms)
_TIMES = ("latency_ms", "latency", "time_to_first_token_ms")
_PROMPTS = frozenset({"prompt", "messages", "reply", "response", "completion", "content", "input", "output"})


def names_of(field: str) -> tuple[str, ...]:
    """Give the usual names of a field, by any of them; empty where there is no such field."""
    wanted = normal(field)
    return next((names for names in NAMES.values() if wanted in names), ())


@lru_cache(maxsize=256)  # rows of a file have the same mapped columns, or nearly
def overruled(fields: frozenset[str]) -> frozenset[str]:
    """Give all names that tell fields which a mapping names, as ``normal`` writes them."""
    names = {name for field in fields if field != "id" for name in (normal(field), *names_of(field))}
    return frozenset(names | {other for group in _ONE if names & group for other in group})


def is_plain(row: Collection[str]) -> bool:
    """Whether a row has a cost, tokens or an outcome under a usual name, and is no sum of calls."""
    if is_trace(row):
        return False
    have = {normal(name) for name in row}
    return any(have.intersection(NAMES[name]) for name in TELLING)


@lru_cache(maxsize=4096)  # a file names the same columns in every row
def normal(name: str) -> str:
    """Bring a heading to the form in which names are looked for."""
    return name.strip().lower().translate(_MARKS)


def read_plain(row: Mapping[str, Any]) -> Call:
    """Read a plain row; latency without a unit is in seconds, what has no place of its own goes to ``extra``.

    So does a time that runs backwards: how long the call took is unknown.

    Raises:
        UsageError: a count or measure that cannot be.
    """
    plain = _by_normal_names(row)
    said = {name: first(plain, *names) for name, names in NAMES.items()}
    fields: dict[str, Any] = {name: str(said[name]) for name in TEXTS if said[name] is not None}
    if "currency" in fields:
        fields["currency"] = _currency(fields["currency"])
    counts = kept(**{name: count(said[name], name) for name in COUNTS})
    fields |= counts
    fields |= kept(**{name: number(said[name], name) for name in NUMBERS})
    fields |= kept(
        cost=money(said["cost"]),
        latency_ms=_latency(said),
        time_to_first_token_ms=time_taken(said["time_to_first_token_ms"], "time_to_first_token_ms"),
        prompt_length=count(said["prompt_length"], "prompt_length"),
        correct=asked(said["correct"], "correct"),
        status=_status(said),
    )
    extra = {name: value for name, value in row.items() if is_extra(normal(name), value)}
    if said["input_tokens"] is None and said["output_tokens"] is None:
        extra |= kept(total_tokens=said["total_tokens"])  # which nobody can divide
    extra |= {name: said[name] for name in _TIMES if (number(said[name], name) or 0) < 0}
    if extra:
        fields["extra"] = extra
    identity = said["id"]
    whole = count(said["total_tokens"], "total_tokens") if counts else None
    return Call(said["at"], fields, None if identity is None else str(identity), _lacking(counts, whole))


def _by_normal_names(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a row says under the form of names in which they are looked for.

    Raises:
        UsageError: two names have one form and say something else.
    """
    plain: dict[str, Any] = {}
    for name, value in row.items():
        if value is None or value == "":
            continue
        if plain.setdefault(normal(name), value) != value and normal(name) in _READ:
            raise UsageError(f"{name!r:.40} is told twice, and once as something else")
    return plain


def _lacking(counts: Mapping[str, int], whole: int | None) -> Lacking | None:
    """Say what tokens a row does not tell of, though it tells of some: a side, or what its total has more.

    A total that is what is told says that the side of which nothing is told has none; a smaller one says
    nothing.
    """
    if not counts:
        return None
    sides = {side: _most(counts, *names) for side, names in SIDES.items()}
    told = sum(filter(None, sides.values()))
    if whole is not None and whole >= told:
        more = f"total_tokens {whole} are more than the {told} that the row tells apart"
        return Lacking(more) if whole > told else None
    untold = next((side for side, tokens in sides.items() if tokens is None), None)
    return None if untold is None else Lacking(f"the row tells no {untold}_tokens", untold)


def _most(counts: Mapping[str, int], whole: str, *parts: str) -> int | None:
    """Give what is told of a side: the whole of it, or the sum of its parts."""
    said = [counts[name] for name in parts if name in counts]
    return counts.get(whole, sum(said) if said else None)


def _latency(said: Mapping[str, Any]) -> float | None:
    if said["latency_ms"] is not None:
        return time_taken(said["latency_ms"], "latency_ms")
    seconds = time_taken(said["latency"], "latency")
    return None if seconds is None else round(seconds * _MS, 6)


def _currency(said: str) -> str:
    """Read a code; usd is no other than USD.

    Raises:
        UsageError: it is none.
    """
    if not CODE.fullmatch(said.strip()):
        raise UsageError(f"currency must be a code of three letters such as USD, not {said!r:.40}")
    return said.strip().upper()


def _status(said: Mapping[str, Any]) -> str | None:
    if said["status"] is not None:
        word = str(said["status"]).strip().lower()
        return "error" if word in FAILED or _REFUSED.match(word) else "success"
    success = asked(said["success"], "success")
    if success is not None:
        return "success" if success else "error"
    return None


def is_extra(name: str, value: object) -> bool:
    """Whether a column is a business field; texts of prompts and replies are not taken over."""
    return name not in _READ and name not in _PROMPTS and value is not None
