"""Worker processes of ``outlay price``: batches go out, answers come back in order; no line is ever lost.

A worker is this same interpreter with a pipe to either side: it ends when its pipe does, however this
process ended. Only as many batches are on their way as keep the workers busy, so memory is bounded.
"""

import os
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import BinaryIO, Self, cast

import outlay
from outlay.cli.price_batches import Priced, price_batch
from outlay.pricing import Book
from outlay.pricing.newest import book_of

_ASKED = struct.Struct(">Q")  # the length of the batch that follows
_ANSWERED = struct.Struct(">Q?")  # the length of the answers that follow; whether one is an error
_SERVE = "from outlay.cli.price_workers import serve; serve()"
_AHEAD = 2  # batches on their way for each worker


def priced(
    batches: Iterable[bytes], prices: Path | None, jobs: int, *, alone: int, updates: Path | None = None
) -> Iterator[Priced]:
    """Price batches in their order; with more than one job, all beyond the first ``alone`` bytes in workers.

    An empty batch means that nothing more is to come for now: whatever is on its way is then waited for.
    """
    book = book_of(prices, updates)
    waiting: deque[Future[Priced]] = deque()
    workers: Workers | None = None
    with ExitStack() as stack:
        for batch in batches:
            alone -= len(batch)
            if workers is None and jobs > 1 and alone < 0 and sys.executable:
                workers = stack.enter_context(Workers(jobs, prices, book, updates))
            if workers is None:
                if batch:
                    yield price_batch(batch, book)
                continue
            if batch:
                waiting.append(workers.price(batch))
            while len(waiting) > (_AHEAD * jobs if batch else 0):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


class Workers:
    """Some worker processes, each served by a thread that does nothing but wait for it."""

    def __init__(
        self, jobs: int, prices: Path | None, book: Book | None, updates: Path | None = None
    ) -> None:
        self._book = book
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        self._all = [_started(prices, updates) for _ in range(jobs)]
        for each in self._all:
            self._idle.put(each)
        self._threads = ThreadPoolExecutor(jobs)
        self._told: set[int] = set()
        self._ending = False

    def price(self, batch: bytes) -> "Future[Priced]":
        """Hand a batch to the next worker that has nothing to do."""
        return self._threads.submit(self._ask, batch)

    def _ask(self, batch: bytes) -> Priced:
        worker = self._idle.get()
        try:
            return _answered(worker, batch)
        except (OSError, EOFError):
            if self._ending:
                raise
            self._tell(worker)
            return price_batch(batch, self._book)
        finally:
            self._idle.put(worker)

    def _tell(self, worker: "subprocess.Popen[bytes]") -> None:
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
            with suppress(BrokenPipeError):  # a dead one has not read all that it was sent
                cast("BinaryIO", worker.stdin).close()
            with worker:  # it ends as its pipe has ended; waits for it
                pass


def _started(prices: Path | None, updates: Path | None) -> "subprocess.Popen[bytes]":
    """Start a worker that finds this very package, and that an interrupt from the keyboard does not reach."""
    home = str(Path(outlay.__file__).parents[1])
    path = os.pathsep.join((home, *filter(None, (os.environ.get("PYTHONPATH"),))))
    return subprocess.Popen(  # noqa: S603 - our own interpreter and our own words
        [
            sys.executable,
            "-P",
            "-c",
            _SERVE,
            *("" if each is None else str(each) for each in (prices, updates)),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
    )


def _answered(worker: "subprocess.Popen[bytes]", batch: bytes) -> Priced:
    asking, answering = cast("BinaryIO", worker.stdin), cast("BinaryIO", worker.stdout)
    asking.write(_ASKED.pack(len(batch)) + batch)
    asking.flush()
    length, failed = _ANSWERED.unpack(_all_of(answering, _ANSWERED.size))
    return Priced(_all_of(answering, length), failed)


def _all_of(source: BinaryIO, length: int) -> bytes:
    found = source.read(length)
    if len(found) < length:
        raise EOFError("the worker ended")
    return found


def serve() -> None:
    """Be a worker: answer batches from standard input until it ends."""
    book = book_of(*(Path(path) if path else None for path in sys.argv[1:]))
    asking, answering = sys.stdin.buffer, sys.stdout.buffer
    while len(head := asking.read(_ASKED.size)) == _ASKED.size:
        done = price_batch(asking.read(_ASKED.unpack(head)[0]), book)
        answering.write(_ANSWERED.pack(len(done.answers), done.failed))
        answering.write(done.answers)
        answering.flush()
