"""together: chat, embeddings, reranking, images and audio, on the base client that it shares with openai."""

from collections.abc import Callable
from typing import Any

from outlay.capture.call import Call
from outlay.capture.recorder import Recorder
from outlay.instrumentation import stainless
from outlay.instrumentation.patches import Patches

OLDEST = (2, 0)  # before, it had a client of its own making
PATHS = {  # without their /v1, and without the host that chat has of its own
    "/chat/completions": "chat",
    "/completions": "completions",
    "/embeddings": "embeddings",
    "/rerank": "rerank",
    "/images/generations": "images",
    "/audio/transcriptions": "transcription",
    "/audio/translations": "transcription",
}


def instrument(recorder: Callable[[], Recorder], *, include_usage: bool) -> Patches:  # noqa: ARG001 - one form
    """Hook the SDK that is installed; Together's streams always bring their usage.

    Raises:
        ImportError: it is not installed.
    """
    from together import _base_client, _streaming  # noqa: PLC0415 - loaded only where it is hooked

    return stainless.instrument(
        stainless.Sdk(_base_client, _streaming, PATHS, "together", _as_it_is), recorder
    )


def _as_it_is(_client: Any, _call: Call, options: Any) -> tuple[Any, None]:
    return options, None
