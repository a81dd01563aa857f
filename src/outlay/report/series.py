"""What a daily series is expected to do: a level times a weekday's factor, and how far off that tends to be.

The methods and their figures were chosen by ``benchmarks/daily.py``; docs/reports.md has what it measured.
Estimates are floats: no recorded money passes here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

WEEK = 7
LEAST = 14  # complete days, below which nothing is said
_WINDOW = 56  # days that weekdays are learnt from
_TINY = 1e-9
_SPREADS = 5.0  # a day stands out beyond so many robust standard deviations …
_TAIL, _TAILS = 0.9, 2.0  # … and twice what nine of ten days were off,
_BELOW = 1.25  # a quarter further below
_FLOOR = 0.08  # no series is taken for steadier than this
_OCCASIONS = 8  # days with a cost, below which nothing is said of one that comes where none is usual
_RECENT = 28  # days whose mean is expected on weekdays on which mostly nothing is spent
_LONGER, _OF_LONGER = 14, 0.4  # how many days a forecast looks at beside the last week, and their weight
_BACKTESTS = 70
_ENOUGH = 8  # backtests, below which there is no interval
_LOW, _HIGH, _WIDEN = 0.05, 0.95, 0.05


@dataclass(frozen=True, slots=True)
class Expected:
    """What a day should be, by the days before it, and within which bounds it would not stand out."""

    value: float
    low: float
    high: float

    def stands_out(self, actual: float) -> bool:
        """Whether a value lies outside the bounds."""
        return not self.low <= actual <= self.high


def expected(history: Sequence[float]) -> Expected | None:
    """Say what the day after ``history`` should be; None if there are fewer than LEAST days.

    The level is the median of the last seven days without their weekdays' factors. Where that is nothing, a
    day is measured by those that cost something; None if there are fewer than eight of them.
    """
    if len(history) < LEAST:
        return None
    factors, plain = _deseasoned(history)
    value = median(plain[-WEEK:]) * factors[0]
    levels = ((day, median(plain[i - WEEK : i])) for i, day in enumerate(plain) if i >= WEEK)
    off = [abs(day / level - 1) for day, level in levels if level > 0]
    if value <= 0 or not off:
        return _occasional([day for day in history[-_WINDOW:] if day > 0])
    room = _room(off) * value
    return Expected(value, max(value - _BELOW * room, 0.0), value + room)


def _occasional(spent: Sequence[float]) -> Expected | None:
    """Say what a day may cost on which mostly nothing is spent, by the days that cost something."""
    if len(spent) < _OCCASIONS:
        return None
    level = median(spent)
    return Expected(0.0, 0.0, level * (1 + _room([abs(day / level - 1) for day in spent])))


def _room(off: Sequence[float]) -> float:
    """Say how far off a day may be, as a share of its level, by how far off days were."""
    tail = sorted(off)[min(len(off) - 1, int(_TAIL * len(off)))]
    return max(_SPREADS * max(1.4826 * median(off), _FLOOR), _TAILS * tail)


def forecast(history: Sequence[float], days: int) -> list[float]:
    """Continue a series by the means of the last seven and fourteen days, weekdays and extremes left aside.

    With less than two weeks behind it a day is expected to be as the mean of all. A weekday on which mostly
    nothing is spent, as the mean of such days, the dearest of which counts as the second dearest.
    """
    if len(history) < LEAST:
        return [fmean(history)] * days if history else []
    factors, plain = _deseasoned(history)
    week, longer = fmean(sorted(plain[-WEEK:])[1:-1]), fmean(sorted(plain[-_LONGER:])[2:-2])
    level = (1 - _OF_LONGER) * week + _OF_LONGER * longer
    now_and_then = _mean_of_idle(history[-_RECENT:], factors)
    return [level * factors[-ahead % WEEK] or now_and_then for ahead in range(days)]


def _mean_of_idle(days: Sequence[float], factors: Sequence[float]) -> float:
    """Give the mean of the days whose weekday has the factor 0; one dear day alone makes no habit."""
    idle = sorted(day for place, day in enumerate(days) if not factors[(len(days) - place) % WEEK])
    return fmean([*idle[:-1], idle[-2]]) if len(idle) > 1 else 0.0


def needed(days: int) -> int:
    """Give the number of days behind it that an interval on the sum of ``days`` needs."""
    return LEAST + _ENOUGH - 1 + _tested(days)


def _tested(days: int) -> int:
    """Give the number of days that a backtest has to look at, at the least."""
    return min(days, max(3, days // 2))


def interval(history: Sequence[float], days: int) -> tuple[float, float] | None:
    """Give factors on a forecast's sum between which the true sum mostly lies; None where nobody can say.

    They are how far off the same forecast was on earlier days, from the 5th to the 95th percentile, and a
    twentieth more on either side.
    """
    ratios = []
    for origin in range(max(LEAST, len(history) - _BACKTESTS), len(history)):
        span = min(days, len(history) - origin)
        if span < _tested(days):
            break
        told = sum(forecast(history[:origin], span))
        if told > 0:
            ratios.append(sum(history[origin : origin + span]) / told)
    if len(ratios) < _ENOUGH:
        return None
    ratios.sort()
    low, high = (ratios[round(share * (len(ratios) - 1))] for share in (_LOW, _HIGH))
    return max(min(low, 1.0) - _WIDEN, 0.0), max(high, 1.0) + _WIDEN


def _deseasoned(history: Sequence[float]) -> tuple[list[float], list[float]]:
    """Give the factors of weekdays, that of the day after the history first, and the days without them."""
    days = history[-_WINDOW:]
    count = len(days)
    levels = [
        _level(days[max(0, i - WEEK + 1) : i + 1] if i >= WEEK - 1 else days[:WEEK]) for i in range(count)
    ]
    ratios: list[list[float]] = [[] for _ in range(WEEK)]
    for place, (day, level) in enumerate(zip(days, levels, strict=True)):
        ratios[(count - place) % WEEK].append(day / level)
    factors = [median(each) for each in ratios]
    plain = [
        day / factors[(count - place) % WEEK] if factors[(count - place) % WEEK] > _TINY else level
        for place, (day, level) in enumerate(zip(days, levels, strict=True))
    ]
    return factors, plain


def _level(week: Sequence[float]) -> float:
    """Give a week's level: its median, or its mean where most of its days cost nothing."""
    return median(week) or fmean(week) or _TINY
