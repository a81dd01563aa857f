"""The bell that wakes the journal's thread."""

import threading

from outlay.journal.bell import Bell


def test_a_bell_wakes_who_waits_and_is_silent_again() -> None:
    bell, heard = Bell(), list[bool]()
    thread = threading.Thread(target=lambda: heard.append(bell.wait()))
    thread.start()
    bell.ring()
    thread.join(30)
    assert heard == [True]
    assert not bell.wait(0)


def test_rings_are_not_counted_and_one_that_came_early_is_heard() -> None:
    bell = Bell()
    for _ in range(3):
        bell.ring()
    assert bell.wait(0)
    assert not bell.wait(0)


def test_a_ring_can_be_forgotten() -> None:
    bell = Bell()
    bell.hush()
    bell.ring()
    bell.hush()
    assert not bell.wait(0)
