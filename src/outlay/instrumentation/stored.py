"""What the clients of stainless.py read back later: results of batches, responses made in the background.

Making and polling cost nothing; each answer is recorded once, when it is read, by an id of its own content.
"""

from collections.abc import Callable
from typing import Any, Protocol

from outlay.capture.once import Once
from outlay.capture.recorder import Recorder
from outlay.instrumentation.background import Background
from outlay.instrumentation.batches import Batches
from outlay.instrumentation.paths import path_of


class Reading(Protocol):
    """One request whose answer is looked at."""

    def settle(self, result: Any) -> None:
        """Read what the SDK gives its caller."""
        ...

    def fail(self, error: BaseException) -> None:
        """The request failed."""
        ...


Begin = Callable[[Any, Any, bool], Reading | None]
"""(client, options, stream) -> what looks at the answer of such a request, None for any other request."""


def beginner(recorder: Callable[[], Recorder], provider_of: Callable[[Any], str]) -> Begin:
    """Give what begins such readings, for the clients of one SDK."""
    once = Once(recorder)
    batches, background = Batches(recorder, once), Background(recorder, once)

    def begin(client: Any, options: Any, stream: bool) -> Reading | None:  # noqa: FBT001 - the SDK's own flag
        method, path = options.method.lower(), path_of(options.url)
        if method == "post" and not path.endswith(("/batches", "/responses", "/cancel")):
            return None
        provider = provider_of(client)
        return batches.begin(provider, method, path) or background.begin(
            provider, method, path, options, stream
        )

    return begin
