"""Sparklines: a series as a row of small bars."""

from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"
_GAP = "·"  # nothing known


def spark(values: Sequence[float | None]) -> str:
    """Draw values from nothing to the greatest of them; a dot where one is not known."""
    greatest = max((value for value in values if value is not None), default=0.0)
    return "".join(_bar(value, greatest) for value in values)


def _bar(value: float | None, greatest: float) -> str:
    if value is None:
        return _GAP
    share = value / greatest if greatest > 0 else 0.0
    return _BARS[min(len(_BARS) - 1, max(0, round(share * (len(_BARS) - 1))))]
