"""boto3: Bedrock's converse and invoke_model with their streams, on any client that botocore makes."""

from collections.abc import Callable
from functools import partial

from outlay.capture.recorder import Recorder
from outlay.capture.streams import watch
from outlay.instrumentation import bedrock
from outlay.instrumentation.patches import Patches
from outlay.instrumentation.wrapping import leaving, measured

OLDEST = (1, 38)  # older ones work, but hide cached tokens


def instrument(recorder: Callable[[], Recorder], *, include_usage: bool) -> Patches:  # noqa: ARG001 - one form
    """Hook the SDK that is installed; other services of AWS pass by.

    Raises:
        ImportError: it is not installed.
    """
    from botocore import client, endpoint, eventstream, response  # noqa: PLC0415 - loaded only where it is hooked

    patches = Patches()
    around = partial(measured, begin=bedrock.beginner(recorder, patches), settle=bedrock.settler(watch))
    patches.replace(client.BaseClient, "_make_api_call", around)
    patches.replace(endpoint.Endpoint, "_needs_retry", bedrock.asking_again)
    patches.replace(eventstream.EventStream, "_parse_event", bedrock.parsing)
    patches.replace(eventstream.EventStream, "close", leaving)
    patches.replace(response.StreamingBody, "read", bedrock.reading)
    patches.replace(response.StreamingBody, "readinto", bedrock.reading_into)
    patches.replace(response.StreamingBody, "readlines", bedrock.reading_lines)
    patches.replace(response.StreamingBody, "__enter__", bedrock.entering)
    patches.replace(response.StreamingBody, "__exit__", leaving)
    patches.replace(response.StreamingBody, "close", leaving)
    return patches
