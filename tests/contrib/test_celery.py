"""Celery on its in-memory broker: a task's calls are for its sender, and known by the task's name."""

from collections.abc import Callable, Iterator
from threading import Barrier, Event, Thread
from typing import Any

import pytest
from celery import Celery, signals
from celery.contrib.testing.worker import start_worker
from tests.support.wire import Kept

from outlay.capture import context
from outlay.capture.contexts import NOBODY, Attribution, attribution
from outlay.contrib import celery as ours

Ask = Callable[[], None]


@pytest.fixture(autouse=True)
def _disconnected() -> Iterator[None]:
    yield
    ours.disconnect()


@pytest.fixture
def app(ask: Ask) -> Any:
    return _made(ask)


@pytest.fixture(scope="module")
def worked(ask: Ask) -> Iterator[Any]:
    """Give an app with a worker, who takes seconds to end, and so is one for all tests."""

    def leave_logging_alone(**_: Any) -> None:
        """Keep the worker from setting the root logger up, for other tests too."""

    app = _made(ask)
    signals.setup_logging.connect(leave_logging_alone)
    with start_worker(app, perform_ping_check=False, shutdown_timeout=30):
        yield app
    signals.setup_logging.disconnect(leave_logging_alone)


def _made(ask: Ask) -> Any:
    app = Celery("tests", broker="memory://", backend="cache+memory://", set_as_current=False)
    app.conf.update(worker_hijack_root_logger=False, broker_connection_retry_on_startup=False)

    @app.task(name="summaries.make", shared=False)  # type: ignore[untyped-decorator] # no types
    def make(times: int = 1) -> str:
        for _ in range(times):
            ask()
        return "done"

    @app.task(name="summaries.fail", shared=False)  # type: ignore[untyped-decorator] # no types
    def fail() -> None:
        ask()
        raise ValueError("oh")

    @app.task(name="summaries.outer", shared=False)  # type: ignore[untyped-decorator] # no types
    def outer() -> None:
        ask()
        make.delay()

    return app


def test_a_tasks_calls_are_for_its_sender(worked: Any, kept: Kept) -> None:
    ours.connect()
    with context(user="u1", session="s1", team="search"):
        sent = worked.tasks["summaries.make"].delay(2)
    other = worked.tasks["summaries.make"].delay()
    assert (sent.get(timeout=30), other.get(timeout=30)) == ("done", "done")
    said = [(each.user, each.session, each.query_type, each.tags) for each in kept.records]
    assert said == [
        ("u1", "s1", "summaries.make", {"team": "search"}),
        ("u1", "s1", "summaries.make", {"team": "search"}),
        (None, None, "summaries.make", {}),
    ]


def test_a_failed_task_leaves_no_context_and_the_next_has_its_own(worked: Any, kept: Kept) -> None:
    ours.connect(name_as="task")
    with context(user="u1", query_type="rag"):
        failed = worked.tasks["summaries.fail"].delay()
    with pytest.raises(ValueError, match="oh"):
        failed.get(timeout=30)
    worked.tasks["summaries.make"].delay().get(timeout=30)
    assert [(each.user, each.query_type, each.tags["task"]) for each in kept.records] == [
        ("u1", "rag", "summaries.fail"),
        (None, None, "summaries.make"),
    ]


def test_a_task_that_a_task_sends_has_the_first_senders_context(worked: Any, kept: Kept) -> None:
    ours.connect(name_as=None)
    with context(user="u1"):
        worked.tasks["summaries.outer"].delay().get(timeout=30)
    worked.tasks["summaries.make"].delay().get(timeout=30)  # the worker takes one after the other
    assert [each.user for each in kept.records] == ["u1", "u1", None]


def test_a_task_that_a_task_sends_is_known_by_its_own_name(worked: Any, kept: Kept) -> None:
    ours.connect()
    worked.tasks["summaries.outer"].delay().get(timeout=30)
    with context(query_type="rag"):  # what the first sender says holds for all
        worked.tasks["summaries.outer"].delay().get(timeout=30)
    worked.tasks["summaries.make"].delay().get(timeout=30)  # the worker takes one after the other
    names = ["summaries.outer", "summaries.make", "rag", "rag", "summaries.make"]
    assert [each.query_type for each in kept.records] == names


def test_a_task_that_runs_in_place_keeps_the_context_it_is_in(app: Any, kept: Kept) -> None:
    ours.connect()
    app.conf.task_always_eager = True
    with context(user="u1"):
        app.tasks["summaries.make"].delay()
    assert (kept.only.user, kept.only.query_type) == ("u1", "summaries.make")


def test_without_connect_nothing_is_sent(app: Any, kept: Kept) -> None:
    ours.connect()
    ours.disconnect()
    app.conf.task_always_eager = True
    with context(user="u1"):
        app.tasks["summaries.make"].delay()
    assert kept.only.query_type is None


def test_a_task_that_comes_again_while_it_runs_leaves_no_context_behind(app: Any) -> None:
    """A broker sends a task anew whose worker is slower than it waits; both runs have one id."""
    ours.connect()
    both, first, second = Barrier(2, timeout=30), Event(), Event()
    left: list[Attribution] = []

    @app.task(shared=False)  # type: ignore[untyped-decorator] # no types
    def slow(number: int) -> None:
        both.wait()
        (first, second)[number].wait(30)

    app.finalize()  # Celery makes a task ready when it is first asked for, and not safely in two threads

    def run(number: int) -> None:
        slow.apply(args=[number], task_id="t1")
        left.append(attribution.get())

    runs = [Thread(target=run, args=(number,)) for number in (0, 1)]
    for each in runs:
        each.start()
    for let_go, each in zip((first, second), runs, strict=True):
        let_go.set()
        each.join(30)
    assert left == [NOBODY, NOBODY]
