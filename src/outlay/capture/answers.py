"""What an answer says of its usage: kept as it came, and read when the Record is made."""

import json
from collections.abc import Mapping
from typing import Any, Protocol

from outlay.capture.guard import note_failure
from outlay.core.errors import OutlayError
from outlay.core.usage import Usage
from outlay.extract import Usual, read, usual_of_body

FAILED = "the call failed before any usage was known"


class Reading(Protocol):
    """What is read only when the Record is made; it never raises."""

    def usage(self) -> Usage:
        """Read the usage."""
        ...

    def as_body(self) -> Mapping[str, Any] | None:
        """Give the body that says the same, if there is one."""
        ...


Held = tuple[Any, str]
"""What :func:`outlay.extract.held` kept of an answer, and its API."""
Answer = Usage | Reading | Held
"""What a call ends with: its usage, or what that can be read from."""


def usage_from(answer: Answer, provider: str) -> Usage:
    """Read the usage of a provider's answer; it never raises."""
    if isinstance(answer, Usage):
        return answer
    if isinstance(answer, tuple):
        return read_answer(answer[0], provider, answer[1])
    return answer.usage()


def usual_in(answer: Answer, provider: str, api: str) -> Usual | None:
    """Read the facts of an answer about which nothing is odd; ``api`` is that of a stream's body."""
    if isinstance(answer, Usage):
        return None
    body, name = answer if isinstance(answer, tuple) else (answer.as_body(), api)
    return usual_of_body(_parsed(body), provider, name)


def read_answer(body: Any, provider: str, api: str) -> Usage:
    """Read what an answer used; one that cannot be read gives the reason instead."""
    try:
        return read(body, provider=provider, api=api)
    except OutlayError as error:
        return Usage(reason=f"the response could not be read: {error}")
    except Exception as fault:  # noqa: BLE001 - the guard: the call is recorded all the same
        note_failure("read_answer", fault)
        return Usage(reason="the response could not be read")


def _parsed(body: Any) -> Any:
    """Give a body that is still a text, as Google's are, as an object; None for what is none."""
    if type(body) is not str:
        return body
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
