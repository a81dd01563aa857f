"""One look at the rules: what was newly crossed is told over each channel, once; what failed is retried."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from time import monotonic

from outlay.alerts.messages import message_of
from outlay.alerts.send import Channel, reason_of
from outlay.alerts.standing import Standing
from outlay.alerts.state import LEASE, Mark, Marks, State, Waiting, later
from outlay.core.instants import instant, text_of


@dataclass(frozen=True, slots=True)
class Fired:
    """An alert that was told for the first time."""

    standing: Standing  # of several dear calls, the dearest
    message: str
    count: int = 1  # of dear calls


@dataclass(frozen=True, slots=True)
class Delivery:
    """One alert on its way over one channel."""

    key: str
    channel: str
    message: str
    step: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one look came to."""

    fired: tuple[Fired, ...] = ()
    sent: tuple[Delivery, ...] = ()
    failed: tuple[tuple[Delivery, str], ...] = ()  # with the reason; they are tried again later
    waiting: tuple[tuple[Delivery, str], ...] = ()  # that failed before; with the instant of the next try

    @property
    def is_quiet(self) -> bool:
        """Whether nothing was newly crossed and nothing failed."""
        return not self.fired and not self.failed


def check(
    found: Iterable[Standing],
    channels: Mapping[str, Channel],
    state: State,
    now: datetime,
    *,
    dry: bool = False,
    passed: Callable[[], float] = monotonic,
) -> Outcome:
    """Tell what was newly crossed, over each channel, and try again what could not be sent before.

    An alert of a higher step takes the place of one that is still waiting. One that no channel has taken is
    given to those that are named now, beside or in the place of the ones that it waits for. ``dry`` tells
    nothing, and remembers nothing.

    Raises:
        JournalError: what was told cannot be read or written.
        LedgerBusyError: another process holds it.
    """
    crossed = [standing for standing in found if standing.step is not None]
    if dry:
        return Outcome(tuple(_new(crossed, state.read())))
    with state.changing(now) as marks:
        fired = tuple(_new(crossed, marks))
        _remember(crossed, fired, marks, channels, now)
        _give_anew(marks, channels, now)
        waiting = tuple(_not_yet(marks, channels, now))
        due = _take(marks, channels, now, now)
    began, results = passed(), []
    while due is not None:
        results.append((due, _send(channels[due.channel], due.message)))
        moment = now + timedelta(seconds=passed() - began)
        with state.changing(moment) as marks:
            _note(*results[-1], marks, now)
            due = _take(marks, channels, now, moment)
    return Outcome(
        fired,
        tuple(delivery for delivery, why in results if why is None),
        tuple((delivery, why) for delivery, why in results if why is not None),
        waiting,
    )


def _new(crossed: list[Standing], marks: Marks) -> Iterator[Fired]:
    """Give one alert a crossing, and one for all dear calls of a rule."""
    news = [each for each in crossed if each.key not in marks or Decimal(marks[each.key].step) < _step(each)]
    dear: defaultdict[str, list[Standing]] = defaultdict(list)
    for each in news:
        if each.rule.kind == "call_cost":
            dear[each.rule.name].append(each)
        else:
            yield Fired(each, message_of([each]))
    for calls in dear.values():
        calls.sort(key=lambda each: each.value, reverse=True)
        yield Fired(calls[0], message_of(calls), len(calls))


def _remember(
    crossed: list[Standing],
    fired: Iterable[Fired],
    marks: Marks,
    channels: Mapping[str, Channel],
    now: datetime,
) -> None:
    told = {each.standing.key: each.message for each in fired}
    for standing in crossed:
        old = marks.get(standing.key)
        if old is not None and Decimal(old.step) >= _step(standing):
            continue
        message = told.get(standing.key)
        waiting = {} if message is None else {name: Waiting(0, text_of(now)) for name in channels}
        marks[standing.key] = Mark(
            rule=standing.rule.name,
            step=str(standing.step),
            at=text_of(now),
            until=text_of(standing.window.end),
            message=message or "",
            waiting=waiting,
            taken=not waiting,
        )


def _give_anew(marks: Marks, channels: Mapping[str, Channel], now: datetime) -> None:
    """Let what nobody has taken wait for each channel that is named: the one it waits for may be no more."""
    for mark in marks.values():
        if not mark.taken:
            mark.waiting = {name: Waiting(0, text_of(now)) for name in channels} | mark.waiting


def _not_yet(
    marks: Marks, channels: Mapping[str, Channel], began: datetime
) -> Iterator[tuple[Delivery, str]]:
    """Give what is sent again at a later look, or is on its way in another process, with the instant."""
    for key, mark in marks.items():
        for name, waiting in mark.waiting.items():
            if name in channels and instant(waiting.next) > began:
                yield Delivery(key, name, mark.message, mark.step), waiting.next


def _take(marks: Marks, channels: Mapping[str, Channel], began: datetime, now: datetime) -> Delivery | None:
    """Take one delivery that was due when the look began; until the lease is over nobody else does.

    One at a time: with many alerts over a slow channel a lease of all would be over before the last is sent.
    """
    for key, mark in marks.items():
        for name, waiting in mark.waiting.items():
            if name in channels and instant(waiting.next) <= began:
                waiting.attempts += 1
                waiting.next = text_of(now + LEASE)
                return Delivery(key, name, mark.message, mark.step)
    return None


def _send(channel: Channel, message: str) -> str | None:
    """Send over one channel; give the reason if that failed, without addresses or keys."""
    try:
        channel(message)
    except Exception as error:  # noqa: BLE001 - a channel may fail in any way; the others still go out
        return reason_of(error)
    return None


def _note(delivery: Delivery, why: str | None, marks: Marks, now: datetime) -> None:
    mark = marks.get(delivery.key)
    if mark is None or mark.step != delivery.step or delivery.channel not in mark.waiting:
        return  # a higher step took its place meanwhile
    if why is None:
        del mark.waiting[delivery.channel]
        mark.taken = True
    else:
        waiting = mark.waiting[delivery.channel]
        waiting.error, waiting.next = why, later(now, waiting.attempts)


def _step(standing: Standing) -> Decimal:
    return standing.step if standing.step is not None else Decimal(0)
