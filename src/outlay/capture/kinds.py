"""What is said by hand is of its kind: anything else would be a line that no ledger takes."""

from collections.abc import Callable, Mapping
from math import isfinite
from operator import index
from typing import Any

from outlay.capture.keywords import RecordKeywords
from outlay.core.errors import UsageError
from outlay.core.kinds import KINDS, Kind
from outlay.core.usage import Usage

Mend = Callable[[str, Any], Any]
_MOST = 2**63 - 1  # the ledgers' columns of whole numbers


def checked(said: Mapping[str, Any]) -> dict[str, Any]:
    """Give what was said by hand, each value of the kind of its field; None is as good as not said.

    Numbers of other libraries become those of Python, an id its usual text.

    Raises:
        UsageError: a value of another kind.
    """
    found = dict(said)
    for name, value in said.items():
        kind = _KINDS.get(name)
        if kind is not None and value is not None and type(value) not in kind[0]:
            found[name] = kind[1](name, value)
    return found


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{name} must be text, not {value!r:.60}")
    return value


def _number(name: str, value: Any) -> float:
    wrong = UsageError(f"{name} must be a number, not {value!r:.60}")
    if isinstance(value, bool | str | bytes):
        raise wrong
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise wrong from None
    if not isfinite(number):  # JSON has no such number, and no sum of it says anything
        raise UsageError(f"{name} must be a finite number, not {value!r:.60}")
    return value if type(value) is int else number


def _duration(name: str, value: Any) -> float | None:
    number = _number(name, value)
    return number if number >= 0 else None  # a clock was set back meanwhile; nobody knows how long it took


def _whole(name: str, value: Any) -> int:
    try:
        number = -1 if isinstance(value, bool) else index(value)
    except TypeError:
        number = -1
    if not 0 <= number <= _MOST:
        raise UsageError(f"{name} must be a whole number, 0 or more, not {value!r:.60}")
    return number


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, int) or value not in (0, 1):
        raise UsageError(f"{name} must be True or False, not {value!r:.60}")
    return bool(value)


def _mapping(name: str, value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise UsageError(f"{name} must be a mapping such as a dict, not {value!r:.60}")
    return value


def _status(name: str, value: Any) -> Any:
    if value not in ("success", "error"):
        raise UsageError(f"{name} must be 'success' or 'error', not {value!r:.60}")
    return value


def _id(name: str, value: Any) -> str:
    from uuid import UUID  # noqa: PLC0415  # ids are seldom said

    try:
        return str(value if isinstance(value, UUID) else UUID(_text(name, value)))
    except ValueError:  # UsageError too
        raise UsageError(f"{name} must be a UUID, as the id of a Record is, not {value!r:.60}") from None


_NOTHING: frozenset[type] = frozenset()
_OF_A_KIND: Mapping[Kind, tuple[frozenset[type], Mend]] = {
    "text": (frozenset({str}), _text),
    "number": (_NOTHING, _number),
    "count": (_NOTHING, _whole),
    "truth": (frozenset({bool}), _flag),
    "object": (frozenset({dict}), _mapping),
    "labels": (frozenset({dict}), _mapping),
}
ELSEWHERE = frozenset(
    (
        *("user", "session", "query_type", "agent", "action", "workspace"),  # anything is told by its text
        *("error", "prompt", "reply"),  # texts, which are redacted and cut
        "cost",  # which is priced
    )
)
"""Fields that are said by hand, and looked at where they are made use of."""
_KINDS: Mapping[str, tuple[frozenset[type], Mend]] = {
    **{
        name: _OF_A_KIND[KINDS[name]]
        for name in RecordKeywords.__annotations__.keys() & KINDS.keys() - ELSEWHERE
        if KINDS[name] in _OF_A_KIND
    },
    "provider": _OF_A_KIND["text"],
    "model": _OF_A_KIND["text"],
    "usage": (frozenset({dict, Usage}), _mapping),
    **dict.fromkeys(("latency_ms", "time_to_first_token_ms"), (_NOTHING, _duration)),
    "status": (_NOTHING, _status),
    "id": (_NOTHING, _id),
    "record_id": (_NOTHING, _id),
}
