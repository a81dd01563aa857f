"""llama-index: whom its calls are for, by ``instrument_tags``; the calls are counted by the SDKs below.

The tags stand in a context variable of its own: ``instrument_tags`` sets it for a block, and a workflow hands
it on to its steps. So they are asked for where a call starts.
"""

from collections.abc import Callable, Mapping

from outlay.capture.recorder import Recorder
from outlay.capture.surroundings import listen
from outlay.instrumentation.lending import said_by
from outlay.instrumentation.patches import Patches

OLDEST = (0, 11)


def instrument(recorder: Callable[[], Recorder], *, include_usage: bool) -> Patches:  # noqa: ARG001 - makes no calls
    """Listen to the tags that are in force where a call starts.

    Raises:
        ImportError: it is not installed.
    """
    from llama_index.core.instrumentation.dispatcher import active_instrument_tags  # noqa: PLC0415 - loaded only where it is hooked

    def said() -> Mapping[str, str]:
        tags = active_instrument_tags.get()
        return said_by(tags) if tags else {}

    patches = Patches()
    patches.on_undo(listen(said))
    return patches
