"""What a context says goes along into threads, executors, processes and callbacks, and leaks nowhere."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

from outlay.capture import carry, carrying, context, suppress
from outlay.capture.contexts import NOBODY, attribution, inside


def user() -> str | None:
    return attribution.get().fields.get("user")


def user_and_tags() -> tuple[str | None, dict[str, str]]:
    return user(), dict(attribution.get().tags)


def in_thread(function: Callable[[], Any]) -> Any:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


def test_a_thread_begins_without_a_context_and_carry_takes_it_along() -> None:
    with context(user="u1"):
        assert in_thread(user) is None
        carried = carry(user)
    assert in_thread(carried) == "u1"
    assert carried() == "u1"
    assert user() is None
    assert carried.__name__ == "user"


def test_a_carried_function_runs_in_many_threads_at_once() -> None:
    with context(user="u1"):
        carried = carry(user)
    barrier = threading.Barrier(8)

    def both() -> str | None:
        barrier.wait()
        return carried()

    with ThreadPoolExecutor(8) as pool:
        assert [each.result() for each in [pool.submit(both) for _ in range(8)]] == ["u1"] * 8


def test_what_is_suppressed_stays_so() -> None:
    with suppress():
        carried = carry(inside.get)
    assert in_thread(carried) == "suppressed"


def test_an_executor_takes_the_context_of_each_who_submits() -> None:
    with carrying(ThreadPoolExecutor(2)) as pool:
        with context(user="a"):
            first = pool.submit(user)
            mapped = pool.map(lambda n: (n, user()), [1, 2])
        with context(user="b"):
            second = pool.submit(user)
        assert (first.result(), second.result(), pool.submit(user).result()) == ("a", "b", None)
        assert list(mapped) == [(1, "a"), (2, "a")]


def test_another_process_has_the_user_and_tags_too() -> None:
    pool = carrying(ProcessPoolExecutor(1, mp_context=get_context("spawn")))
    with pool, context(user="u1", team="search"):
        assert pool.submit(user_and_tags).result() == ("u1", {"team": "search"})


def test_an_event_loops_executor_and_callbacks_from_other_threads() -> None:
    async def main() -> list[str | None]:
        loop = asyncio.get_running_loop()
        called: asyncio.Future[str | None] = loop.create_future()

        def answer() -> None:
            called.set_result(user())

        with context(user="u1"), carrying(ThreadPoolExecutor(1)) as pool:
            in_pool = await loop.run_in_executor(pool, user)
            callback = carry(answer)
        threading.Thread(target=lambda: loop.call_soon_threadsafe(callback)).start()
        return [in_pool, await called, await asyncio.to_thread(user)]

    assert asyncio.run(main()) == ["u1", "u1", None]


def test_a_coroutine_function_has_it_whenever_it_is_awaited() -> None:
    async def ask() -> str | None:
        await asyncio.sleep(0)
        return user()

    with context(user="u1"):
        carried = carry(ask)
    assert asyncio.run(carried()) == "u1"


def test_tasks_and_to_thread_follow_by_themselves() -> None:
    async def ask(name: str) -> tuple[str | None, str | None]:
        with context(user=name):
            await asyncio.sleep(0)
            return user(), await asyncio.to_thread(user)

    async def main() -> list[tuple[str | None, str | None]]:
        return await asyncio.gather(*(ask(str(n)) for n in range(3)))

    assert asyncio.run(main()) == [(str(n), str(n)) for n in range(3)]


def test_a_generator_that_another_task_closes_does_not_fail() -> None:
    """Its context was opened elsewhere, and cannot be put back there."""

    async def main() -> None:
        async def opened() -> Any:
            with context(user="u1"), suppress():
                yield user()

        generator = opened()
        assert await asyncio.create_task(anext(generator)) == "u1"
        await asyncio.create_task(generator.aclose())
        assert user() is None

    asyncio.run(main())


def test_a_plain_generator_closed_in_another_thread_does_not_fail() -> None:
    def opened() -> Iterator[str | None]:
        with context(user="u1"):
            yield user()

    generator = opened()
    assert in_thread(lambda: next(generator)) == "u1"
    generator.close()  # type: ignore[attr-defined] # it is a generator


def test_a_context_may_be_opened_again_within_itself_and_by_threads_at_once() -> None:
    """It ended in an AttributeError of contextlib's."""
    once = context(user="u1", team="a")
    beside = threading.Barrier(2)

    def open_beside() -> None:
        with context(user="other"), once:
            beside.wait(10)  # while it is open here and there
            beside.wait(10)
            seen.append(attribution.get().fields["user"])
        seen.append(attribution.get())

    seen: list[object] = []
    for _ in range(2):
        with once, context(user="u2"), once:
            assert attribution.get().fields == {"user": "u1"}
        assert attribution.get() == NOBODY
    thread = threading.Thread(target=open_beside)
    thread.start()
    with once:
        beside.wait(10)
    assert attribution.get() == NOBODY
    beside.wait(10)
    thread.join()
    assert seen == ["u1", NOBODY]
    quiet = suppress()
    for _ in range(2):
        with quiet:
            assert inside.get() is not None
        assert inside.get() is None
