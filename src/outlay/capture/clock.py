"""The real clock."""

import time
from datetime import UTC, datetime
from functools import partial


class SystemClock:
    """The machine's clock, in UTC, beside a monotonic one for durations.

    Both are the system's own functions, without one of Python's around: every call asks them.
    """

    now = staticmethod(partial(datetime.now, UTC))
    moment = staticmethod(time.time)
    """The same instant in seconds since 1970: to make a datetime takes ten times as long, and can wait."""
    monotonic = staticmethod(time.perf_counter)
