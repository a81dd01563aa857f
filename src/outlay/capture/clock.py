"""The real clock."""

import time
from datetime import UTC, datetime


class SystemClock:
    """The machine's clock, in UTC, beside a monotonic one for durations."""

    def now(self) -> datetime:
        """Give the current instant."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Give seconds that never run backwards."""
        return time.perf_counter()
