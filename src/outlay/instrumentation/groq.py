"""groq: chat, embeddings and audio, on the base client that it shares with openai."""

from collections.abc import Callable
from typing import Any

from outlay.capture.call import Call
from outlay.capture.recorder import Recorder
from outlay.instrumentation import stainless
from outlay.instrumentation.patches import Patches

OLDEST = (0, 30)
PATHS = {
    "/openai/v1/chat/completions": "chat",
    "/openai/v1/embeddings": "embeddings",
    "/openai/v1/audio/transcriptions": "transcription",
    "/openai/v1/audio/translations": "transcription",
}


def instrument(recorder: Callable[[], Recorder], *, include_usage: bool) -> Patches:  # noqa: ARG001 - one form
    """Hook the SDK that is installed; Groq's streams bring their usage in ``x_groq``.

    Raises:
        ImportError: it is not installed.
    """
    from groq import _base_client, _streaming  # noqa: PLC0415 - loaded only where it is hooked

    return stainless.instrument(stainless.Sdk(_base_client, _streaming, PATHS, "groq", _as_it_is), recorder)


def _as_it_is(_client: Any, _call: Call, options: Any) -> tuple[Any, None]:
    return options, None
