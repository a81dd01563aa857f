"""What is made ahead: in order, while the one before is in use, and no more than is wanted."""

import threading
from collections.abc import Iterator

import pytest

from outlay.ledger.ship.ahead import ahead

PATIENCE = 60.0


def test_all_come_in_order() -> None:
    assert list(ahead(iter(range(5)), lambda _: True)) == [0, 1, 2, 3, 4]
    assert list(ahead(iter(range(5)), lambda n: n % 2 == 0)) == [0, 1, 2, 3, 4]
    assert list(ahead(iter(()), lambda _: True)) == []


def test_the_next_is_made_while_one_is_in_use() -> None:
    made = threading.Event()

    def some() -> Iterator[int]:
        yield 1
        made.set()
        yield 2

    for each in ahead(some(), lambda n: n == 1):
        assert made.wait(PATIENCE), each


def test_where_no_more_follow_nothing_is_made_ahead() -> None:
    """And no thread is started for it."""
    threads = set()

    def some() -> Iterator[int]:
        for n in range(3):
            threads.add(threading.get_ident())
            yield n

    assert list(ahead(some(), lambda _: False)) == [0, 1, 2]
    assert threads == {threading.get_ident()}


def test_what_making_raises_is_raised_in_its_place() -> None:
    def some() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    found = ahead(some(), lambda _: True)
    assert next(found) == 1
    with pytest.raises(OSError, match="gone"):
        next(found)


def test_who_stops_early_waits_for_the_one_in_the_making() -> None:
    going_on, made = threading.Event(), []

    def some() -> Iterator[int]:
        yield 1
        assert going_on.wait(PATIENCE)
        made.append(2)
        yield 2
        made.append(3)

    found = ahead(some(), lambda _: True)
    assert next(found) == 1
    going_on.set()
    found.close()
    assert made == [2]


def test_without_another_thread_it_goes_on_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """As at the end of the interpreter, which starts none."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert list(ahead(iter(range(3)), lambda _: True)) == [0, 1, 2]
