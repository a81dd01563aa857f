"""anthropic: messages, beta messages and their streams, direct and through Bedrock, Vertex and Foundry."""

from collections.abc import Callable
from typing import Any

from outlay.capture.call import Call
from outlay.capture.recorder import Recorder
from outlay.instrumentation import stainless
from outlay.instrumentation.patches import Patches

OLDEST = (0, 60)  # the oldest that was tried; the hook points are the same since
PATHS = {"/messages": "messages"}


def instrument(recorder: Callable[[], Recorder], *, include_usage: bool) -> Patches:  # noqa: ARG001 - one form
    """Hook the SDK that is installed; its streams always bring their usage.

    Raises:
        ImportError: it is not installed.
    """
    from anthropic import _base_client, _streaming  # noqa: PLC0415 - loaded only where it is hooked

    return stainless.instrument(
        stainless.Sdk(_base_client, _streaming, PATHS, "anthropic", _as_it_is), recorder
    )


def _as_it_is(_client: Any, _call: Call, options: Any) -> tuple[Any, None]:
    return options, None
