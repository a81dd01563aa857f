"""``measure``: one call measured by hand, its attempts, its response or stream."""

import os
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from contextvars import Token
from dataclasses import replace
from typing import Any, Self, TypeVar, cast, overload

from outlay.capture import contexts
from outlay.capture.answers import FAILED
from outlay.capture.call import ABANDONED, LEFT, Call, cut_short
from outlay.capture.fields import COUNTS, stated_cost, usage_of_counts
from outlay.capture.guard import guarded, note_failure
from outlay.capture.recorder import UNKNOWN, Recorder
from outlay.capture.results import answers_in, read_result
from outlay.capture.streams import Either, Watch, first_inside, first_inside_async, watch, watch_async
from outlay.core.errors import OutlayError
from outlay.core.money import total
from outlay.core.record import Record
from outlay.core.usage import Usage
from outlay.extract import Collector, collector, operation_of, read

T = TypeVar("T")
NOTHING_SAID = "nothing was said of its usage: hand over the response, or counts"


class Measure:
    """A call under way: hand over what came of it, and it is one record when the block ends.

    ``with outlay.measure(provider="acme", model="m1") as call: call.response(ask())``. Hooks of SDKs below
    leave their calls inside the block to this one. A ``with`` or an ``async with`` of any thread or task.
    """

    def __init__(
        self,
        recorder: Callable[[], Recorder],
        *,
        provider: str = UNKNOWN,
        model: str | None = None,
        api: str | None = None,
        streamed: bool = False,
        **attributes: Any,
    ) -> None:
        if api is not None:
            operation_of(api)  # a name that is not known is refused here, not when the call has been paid
        self._recorder = recorder
        self._asked = {"provider": provider, "model": model, "streamed": streamed}
        self._api = api
        self._attributes = attributes
        self._usage: Usage | None = None
        self._tokens: tuple[Token[Any], Token[Any]] | None = None
        self._call: Call | None = None
        self._reading: list[Collector] = []  # of this attempt's streams, as long as they are open
        self._broke: BaseException | None = None  # the last of them
        self._ended: float | None = None  # when the last of them did, if nothing came behind it
        self._over = False  # whether the block is

    def __enter__(self) -> Self:
        attribution = contexts.attribution.get().with_(self._attributes)
        said = contexts.attribution.set(attribution)
        self._over = False
        try:
            self._begin()
        except BaseException:  # a budget with a hard stop
            contexts.restore(contexts.attribution, said)
            raise
        self._tokens = (said, contexts.inside.set(self._call))
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        said, inside = self._tokens or _not_entered()
        contexts.restore(contexts.inside, inside)
        contexts.restore(contexts.attribution, said)
        self._over = True
        if error is not None:
            self._let_go()
        if not self._reading:  # else a stream is still to be read, and ends the call
            self._end(error or self._broke)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.__exit__(kind, error, trace)

    @property
    def record(self) -> Record | None:
        """The record that was made; None as long as the block is open, or a stream that is read behind it."""
        return self._call.record if self._call is not None else None

    def response(self, response: T) -> T:
        """Take the response, read what it used, and give it back; of several, all is counted."""
        if self._now.said is not None:
            self._now.said.answered(response)
        self._ended = None
        for answer in _answers(response):
            self._add(self._read(answer))
        return response

    def prompt(self, prompt: Any) -> None:
        """Say what was asked, a text or a request's body; it is kept only where prompts are stored."""
        if self._now.said is not None:
            self._now.said.asked({"prompt": prompt} if isinstance(prompt, str) else prompt)

    def usage(self, *, cost: Any = None, currency: str = "USD", **counts: int) -> None:
        """Say what was used: the counts that ``outlay.record`` knows, and the cost if it is known.

        Raises:
            TypeError: a count that has no such name.
            UsageError: a count or cost that cannot be.
        """
        unknown = sorted(counts.keys() - set(COUNTS))
        if unknown:
            raise TypeError(f"usage() has no count {unknown[0]!r}; there are {', '.join(COUNTS)}")
        said = usage_of_counts(counts)
        if cost is not None:
            stated = stated_cost(cost, currency)
            said = replace(said, reason=None, reported_cost=stated.amount, reported_currency=currency)
        self._add(said)

    def first_token(self) -> None:
        """Note that the first part of the answer has come."""
        self._now.first_token()

    @overload
    def stream(self, chunks: AsyncIterable[T]) -> AsyncIterator[T]: ...
    @overload
    def stream(self, chunks: Iterable[T]) -> Iterator[T]: ...
    def stream(self, chunks: Any) -> Any:
        """Pass a stream's chunks on, sync or async, and read what they used; of several, all is counted.

        One that is read behind the block ends the call then.
        """
        call = self._now
        call.streamed = True
        said = collector(call.provider, call.api)
        self._reading.append(said)
        seen = _Stream(self._came, call, said)
        if isinstance(chunks, AsyncIterable) and isinstance(chunks, Iterable):
            return Either(chunks, seen)
        if isinstance(chunks, AsyncIterable):
            return watch_async(first_inside_async(call, aiter(chunks)), seen)
        return watch(first_inside(call, iter(cast("Iterable[Any]", chunks))), seen)

    def retry(
        self,
        error: BaseException,
        *,
        response: Any = None,
        provider: str | None = None,
        model: str | None = None,
    ) -> None:
        """Say that this attempt failed and the next begins, perhaps with another provider or model.

        Attempts are counted in ``retries``. One that was billed all the same, because a response came and was
        of no use, is a record of its own with status error: hand its response over.
        """
        self._let_go()
        billed = None
        for answer in () if response is None else _answers(response):
            billed = _sum(billed, self._read(answer))
        if billed is not None or self._usage is not None:
            ended = self._ended if billed is None else None
            self._now.reject(error, _sum(self._usage, billed) or Usage(), ended=ended)
            attempts = self._now.retries
            self._begin()
            self._now.retries = attempts
        self._broke = None
        self._now.retries += 1
        self._now.provider = provider or self._now.provider
        self._now.model = model or self._now.model
        self._asked.update(provider=self._now.provider, model=self._now.model)

    @property
    def _now(self) -> Call:
        return self._call or _not_entered()

    def _begin(self) -> None:
        self._usage = self._broke = self._ended = None
        self._reading = []
        recorder = self._recorder()
        self._call = Call(recorder, api=self._api or "chat", **cast("Any", self._asked))
        self._call.keep = recorder.sink.append  # at once, so that it can be asked for when the block ends

    def _end(self, error: BaseException | None) -> None:
        if error is None:
            self._now.finish(self._usage or Usage(reason=NOTHING_SAID), ended=self._ended)
        elif self._usage is None:
            self._now.fail(error)
        else:
            self._now.reject(error, self._usage, ended=self._ended)

    def _came(self, said: Collector, usage: Usage | None, error: BaseException | None) -> None:
        """Take what a stream used that has ended, with the error by which it broke; None: nothing came."""
        if all(each is not said for each in self._reading):
            return  # of an attempt that was given up
        self._broke, self._ended = error, self._recorder().clock.monotonic()
        if usage is not None:
            self._add(usage)
        self._reading = [each for each in self._reading if each is not said]  # the block may end by now
        if self._over and not self._reading:
            self._end(error)

    def _let_go(self) -> None:
        """Count what streams have said that are not read to their end; nobody waits for the rest."""
        reading, self._reading = self._reading, []
        for said in reading:
            self._add(_so_far(said))

    def _add(self, usage: Usage) -> None:
        self._usage = _sum(self._usage, usage)

    def _read(self, response: Any) -> Usage:
        try:
            if self._api is not None:
                return read(response, provider=self._now.provider, api=self._api)
            found = read_result(response, provider=self._now.provider)
        except OutlayError as error:
            return Usage(reason=f"the response could not be read: {error}")
        except Exception as fault:  # noqa: BLE001 - the guard: the call is made and paid
            note_failure("Measure.response", fault)
            return Usage(reason="the response could not be read")
        self._now.model = self._now.model or found.model
        return found.usage


class _Stream(Watch):
    """Watches a stream of a measured call; it holds no reference to the stream, nor the call one to it."""

    __slots__ = ("_came", "_heard", "_over", "_said")

    def __init__(
        self,
        came: Callable[[Collector, Usage | None, BaseException | None], None],
        call: Call,
        said: Collector,
    ) -> None:
        super().__init__(call, said)
        self._came = came
        self._said = said
        self._heard = self._over = False

    def begin(self, chunk: Any) -> None:
        """Take the first chunk."""
        self._heard = True
        super().begin(chunk)

    def finish(self) -> None:
        """The stream came to its end."""
        self._end(self.usage(), None)

    def fail(self, error: BaseException) -> None:
        """The stream broke; one that never began is an attempt that was not billed."""
        self._end(cut_short(self.usage(), FAILED) if self._heard else None, error)

    def leave(self) -> None:
        """The caller let go of it; a forked child that ends lets go of a copy."""
        if self._pid == os.getpid():
            self._end(_so_far(self.collector), None)

    def _end(self, usage: Usage | None, error: BaseException | None) -> None:
        if not self._over:
            self._over = True
            guarded(self._came)(self._said, usage, error)

    @guarded  # here, for none can be made while the interpreter is torn down
    def __del__(self) -> None:
        self.leave()


def _so_far(said: Collector) -> Usage:
    """Give what a stream has said that is not read to its end: all, or what is flagged as a part."""
    try:
        usage = said.usage()
        return usage if said.complete else cut_short(usage, LEFT, ABANDONED)
    except Exception as fault:  # noqa: BLE001 - the guard
        note_failure("Measure.stream", fault)
        return Usage(reason="the stream's usage could not be read")


def _answers(response: Any) -> tuple[Any, ...]:
    return guarded(answers_in)(response) or ()


def _sum(one: Usage | None, other: Usage | None) -> Usage | None:
    if one is None or other is None:
        return other if one is None else one
    stated = [each for each in (one, other) if each.reported_cost is not None]
    told = stated or [Usage()]
    whole = all(each in stated or not each.items for each in (one, other))  # else a part's cost is not known
    amounts = [each.reported_cost for each in stated if each.reported_cost is not None]
    return replace(
        one + other,
        response_id=one.response_id or other.response_id,
        reported_cost=total(amounts) if amounts and whole else None,
        reported_currency=told[0].reported_currency,
    )


def _not_entered() -> Any:
    raise RuntimeError("a measured call begins with its block: write `with outlay.measure(...) as call:`")
