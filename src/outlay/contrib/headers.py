"""What a request says of its user, session and tags: by headers, or by a callable of the program's own."""

from collections.abc import Callable, Mapping
from typing import Any

from outlay.capture.guard import note_failure

MAX_TEXT = 200  # of a header's value: a client may send anything

Attributes = Callable[[Any], Mapping[str, Any]]
"""A request, in its framework's own form -> user, session and tags, as ``outlay.context`` takes them."""


def said(
    request: Any,
    headers: Mapping[str, str],
    header: Callable[[str], str | None],
    attributes: Attributes | None,
) -> dict[str, Any]:
    """Gather what a request says; what the callable gives wins, and its failure never stops the request."""
    found: dict[str, Any] = {
        name: value.strip()[:MAX_TEXT]
        for name, key in headers.items()
        if (value := header(key)) and value.strip()
    }
    if attributes is not None:
        try:
            given = attributes(request) or {}
            # As texts, made here: what is lazy, as Django's user is, asks a database and may fail.
            found |= {str(name): None if value is None else str(value) for name, value in given.items()}
        except Exception as error:  # noqa: BLE001 - the request goes on, without attributes
            note_failure("attributes of a request", error)
    return found


class Middleware:
    """What middleware is told when it is made, the same for every kind of server."""

    def __init__(
        self, app: Any, *, headers: Mapping[str, str] | None = None, attributes: Attributes | None = None
    ) -> None:
        self.app = app
        self.headers = dict(headers or {})
        self.attributes = attributes
