"""httpx2: calls to known providers by any client on top of it that has no hook of its own."""

from collections.abc import Callable

from outlay.capture.recorder import Recorder
from outlay.instrumentation import transports
from outlay.instrumentation.patches import Patches

OLDEST = (2, 0)


def instrument(recorder: Callable[[], Recorder], *, include_usage: bool) -> Patches:  # noqa: ARG001 - one form
    """Hook the HTTP client that is installed.

    Raises:
        ImportError: it is not installed.
    """
    import httpx2  # noqa: PLC0415 - loaded only where it is hooked

    return transports.hook_clients(httpx2, recorder)
