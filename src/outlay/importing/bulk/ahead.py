"""Blocks of a file laid out by threads, ahead of the one that is kept: so both processors have work."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from outlay.core.ports import Workbench
from outlay.importing.bulk.block import Laid
from outlay.importing.bulk.lines import Lines
from outlay.importing.bulk.marked import Marked


class Ready(NamedTuple):
    """A block, where it is laid out, and what came of that: None where the engine cannot."""

    lines: Lines
    bench: Workbench
    laid: Laid | Marked | None


def ahead(
    blocks: Iterable[Lines],
    benches: Sequence[Workbench],
    lay_out: Callable[[Workbench, Lines], Laid | Marked | None],
) -> Iterator[Ready]:
    """Give blocks in order, each when it is laid out; the next ones are, on all other benches, meanwhile.

    With a single other one a processor would have no work whenever the engine has but one thing to do there.
    """
    waiting: deque[tuple[Lines, Workbench, Future[Laid | Marked | None]]] = deque()
    with ThreadPoolExecutor(len(benches) - 1, "outlay-import") as hand:
        for at, lines in enumerate(blocks):
            bench = benches[at % len(benches)]
            waiting.append((lines, bench, hand.submit(lay_out, bench, lines)))
            if len(waiting) == len(benches):
                yield _ready(*waiting.popleft())
        while waiting:
            yield _ready(*waiting.popleft())


def _ready(lines: Lines, bench: Workbench, laid: "Future[Laid | Marked | None]") -> Ready:
    return Ready(lines, bench, laid.result())
