"""From a call to a Record: context, measuring, decorators, the recorder."""

from outlay.capture.call import Call
from outlay.capture.carry import carry, carrying
from outlay.capture.clock import SystemClock
from outlay.capture.contexts import Attribution, context, suppress
from outlay.capture.decorate import track
from outlay.capture.ends import watch_end
from outlay.capture.measure import Measure
from outlay.capture.recorder import Recorder

__all__ = [
    "Attribution",
    "Call",
    "Measure",
    "Recorder",
    "SystemClock",
    "carry",
    "carrying",
    "context",
    "suppress",
    "track",
    "watch_end",
]
