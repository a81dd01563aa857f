"""The daily budget over a log of JSON lines: looked at as often as one likes, told once a day."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from os import PathLike
from pathlib import Path
from typing import Any

from outlay.alerts.send import send_alert
from outlay.atomic import write_file
from outlay.core.errors import JournalError, OutlayError
from outlay.core.instants import HERE, instant
from outlay.core.money import decimal_of, text_of, total
from outlay.core.query import zone
from outlay.journal.lines import read_objects

DAILY_BUDGET = 10.00  # dollars


def check_budget(
    filename: str | PathLike[str] = "llm_calls.jsonl",
    *,
    daily_budget: float | Decimal = DAILY_BUDGET,
    tz: str | None = None,
    send: Callable[[str], object] = send_alert,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> bool:
    """Say whether today's calls in a log cost more than the budget, and send an alert the first time.

    Today is that of ``tz``, else of the machine; a log's time without a zone is the machine's. What was sent
    is remembered in a file beside the log, so that neither another look nor another process sends it again;
    a ``send`` that raises is tried again at the next look. A log that is not there costs nothing.

    Raises:
        JournalError: the log is there but cannot be read, or what was sent cannot be remembered beside it.
        QueryError: there is no such time zone; a ValueError.
    """
    path = Path(filename)
    here = None if tz is None else zone(tz)
    today = _day(now(), here)
    cost = total(costs_of(read_objects(path), today, here))
    budget = decimal_of(daily_budget, "daily_budget")
    if cost <= budget:
        return False
    mark = f"{today.isoformat()} {text_of(budget)}"
    told = path.with_name(f".{path.name}.alerted")
    with _alone(told):
        known = _marks(told)
        if mark not in known:
            send(f"⚠️ Budget Alert: Today's cost is ${cost:.2f} (budget: ${float(daily_budget)})")
            _remember(told, [*(each for each in known if each[:10] == mark[:10]), mark])
    return True


def costs_of(rows: Iterable[Mapping[str, Any] | None], day: date, here: tzinfo | None) -> Iterable[Decimal]:
    """Give the known costs of a day; a row without a time or a cost counts for nothing."""
    for row in rows:
        if row is None or row.get("cost") is None or row.get("timestamp") is None:
            continue
        try:
            moment, amount = _moment(row["timestamp"]), decimal_of(row["cost"])
        except OutlayError:
            continue
        if _day(moment, here) == day:
            yield amount


def _moment(value: Any) -> datetime:
    return instant(value, HERE)  # a time without a zone is the machine's


def _day(moment: datetime, here: tzinfo | None) -> date:
    try:
        return moment.astimezone(here).date()
    except OverflowError:  # the first or last hours that there are, as an empty time is written elsewhere
        return moment.date()


@contextmanager
def _alone(told: Path) -> Iterator[None]:
    from filelock import FileLock  # noqa: PLC0415  # takes 0.1 s to load, and a look at the rules needs none

    lock = FileLock(f"{told}.lock")
    try:
        lock.acquire()
    except OSError as error:
        raise JournalError(f"{told} cannot be written: {error.strerror or error}") from error
    try:
        yield
    finally:
        lock.release()


def _marks(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise JournalError(f"{path} cannot be read: {error.strerror or error}") from error


def _remember(path: Path, marks: list[str]) -> None:
    try:
        write_file(path, "\n".join(marks).encode())
    except OSError as error:
        raise JournalError(f"{path} cannot be written: {error.strerror or error}") from error
