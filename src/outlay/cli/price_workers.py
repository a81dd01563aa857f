"""Worker processes of ``outlay price``: batches go out, answers come back in order; no line is ever lost.

Only as many batches are on their way as keep the workers busy, so memory is bounded.
"""

import struct
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import BinaryIO, Self

from outlay.cli.price_batches import Batch, Priced, Span, bytes_of, price_batch
from outlay.cli.price_processes import Worker, forked, fresh, may_fork
from outlay.pricing import Book
from outlay.pricing.newest import book_of

_ASKED = struct.Struct(">Q?")  # the length of the batch that follows, and whether it follows or is a span
_SPAN = struct.Struct(">QQQ")  # descriptor, first byte, and the byte behind the last
_ANSWERED = struct.Struct(">Q?")  # the length of the answers that follow; whether one is an error
_FRESH = "from outlay.cli.price_workers import serve_fresh; serve_fresh()"
_AHEAD = 2  # batches on their way for each worker


@dataclass(frozen=True, slots=True)
class Prices:
    """Where prices are read from: a file of one's own and the folder of updates, and the book they make."""

    own: Path | None
    updates: Path | None
    book: Book

    @classmethod
    def read(cls, own: Path | None = None, updates: Path | None = None) -> Self:
        """Read the book."""
        return cls(own, updates, book_of(own, updates))


def priced(
    batches: Iterable[Batch],
    prices: Prices,
    jobs: int,
    *,
    alone: int,
    settle: Callable[[], None] = lambda: None,
) -> Iterator[Priced]:
    """Price batches in their order; with more than one job, all beyond the first ``alone`` bytes in workers.

    What the first bytes need of the prices is then read, and workers that are copies need not read it again;
    ``settle`` is called at that moment. An empty batch means that nothing more is to come for now: whatever
    is on its way is then waited for.
    """
    waiting: deque[Future[Priced]] = deque()
    workers: Workers | None = None
    settled = False
    with ExitStack() as stack:
        for batch in batches:
            if alone <= 0 and not settled:
                settle()
                settled = True
            if workers is None and jobs > 1 and alone <= 0 and sys.executable:
                workers = stack.enter_context(Workers(jobs, prices))
            alone -= batch.size if isinstance(batch, Span) else len(batch)
            if workers is None:
                if batch:
                    yield price_batch(bytes_of(batch), prices.book)
                continue
            if batch:
                waiting.append(workers.price(batch))
            while len(waiting) > (_AHEAD * jobs if batch else 0):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


class Workers:
    """Some worker processes, each served by a thread that does nothing but wait for it."""

    def __init__(self, jobs: int, prices: Prices) -> None:
        self._book = prices.book
        self._copies = may_fork()
        self._idle: SimpleQueue[Worker] = SimpleQueue()
        self._all: list[Worker] = []
        for _ in range(jobs):
            self._all.append(self._started(prices))
        for each in self._all:
            self._idle.put(each)
        self._threads = ThreadPoolExecutor(jobs)
        self._told: set[int] = set()
        self._ending = False

    def _started(self, prices: Prices) -> Worker:
        if self._copies:
            return forked(partial(serve, prices.book), self._all)
        paths = ("" if each is None else str(each) for each in (prices.own, prices.updates))
        return fresh(_FRESH, *paths)

    def price(self, batch: Batch) -> "Future[Priced]":
        """Hand a batch to the next worker that has nothing to do."""
        return self._threads.submit(self._ask, batch if self._copies else bytes_of(batch))

    def _ask(self, batch: Batch) -> Priced:
        worker = self._idle.get()
        try:
            return _answered(worker, batch)
        except (OSError, EOFError):
            if self._ending:
                raise
            self._tell(worker)
            return price_batch(bytes_of(batch), self._book)
        finally:
            self._idle.put(worker)

    def _tell(self, worker: Worker) -> None:
        if worker.pid not in self._told:
            self._told.add(worker.pid)
            import click  # a worker has no use for it, and it takes half of its start

            code = worker.wait()
            click.echo(
                f"outlay: a worker process ended early (exit code {code}); its lines are priced here",
                err=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending = True
        if kind is not None:
            for worker in self._all:
                worker.kill()
        self._threads.shutdown(cancel_futures=True)
        for worker in self._all:
            worker.end()


def _answered(worker: Worker, batch: Batch) -> Priced:
    if isinstance(batch, Span):
        worker.asking.write(_ASKED.pack(_SPAN.size, False) + _SPAN.pack(*batch))  # noqa: FBT003 - no name in a struct
    else:
        worker.asking.write(_ASKED.pack(len(batch), True))  # noqa: FBT003 - likewise
        worker.asking.write(batch)
    worker.asking.flush()
    length, failed = _ANSWERED.unpack(_all_of(worker.answering, _ANSWERED.size))
    return Priced(_all_of(worker.answering, length), failed)


def _all_of(source: BinaryIO, length: int) -> bytes:
    found = source.read(length)
    if len(found) < length:
        raise EOFError("the worker ended")
    return found


def serve(book: Book, asked: BinaryIO, answering: BinaryIO) -> None:
    """Be a worker: answer batches until no more are asked for."""
    while len(head := asked.read(_ASKED.size)) == _ASKED.size:
        length, follows = _ASKED.unpack(head)
        told = asked.read(length)
        done = price_batch(told if follows else bytes_of(Span(*_SPAN.unpack(told))), book)
        answering.write(_ANSWERED.pack(len(done.answers), done.failed))
        answering.write(done.answers)
        answering.flush()


def serve_fresh() -> None:
    """Be a worker in an interpreter of its own, whose arguments say where prices are read from."""
    own, updates = (Path(path) if path else None for path in sys.argv[1:])
    serve(book_of(own, updates), sys.stdin.buffer, sys.stdout.buffer)
