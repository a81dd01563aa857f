"""Watching from a long-lived process: what fires is sent by a thread, and no call waits for it."""

import logging
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.receivers import web

import outlay
from outlay import process
from outlay.alerts.state import State
from outlay.alerts.watch import Watch
from outlay.capture.guard import failures
from outlay.settings import Settings

PATIENCE = 30.0  # seconds


@pytest.fixture
def here(tmp_path: Path) -> Iterator[process.Process]:
    rules = [{"name": "b", "budget": Decimal(1)}]
    yield process.use(Settings(home=tmp_path, ledger="memory:", alerts={"rules": rules}))
    process.use(None)


def watching(here: process.Process, **environ: str) -> Watch:
    return Watch(here.settings, here.open, every=0.02, environ=environ)


def told(here: process.Process) -> bool:
    return any(not mark.waiting for mark in State(here.settings.alert_folder).read().values())


def until(condition: Any) -> None:
    pause = threading.Event()
    for _ in range(int(PATIENCE / 0.02)):
        if condition():
            return
        pause.wait(0.02)
    raise AssertionError("it did not happen")


def test_calls_go_on_while_a_channel_takes_its_time(
    here: process.Process, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="outlay")
    with web() as slack:
        slack.hold.clear()  # whoever posts has to wait
        watch = watching(here, OUTLAY_ALERT_SLACK=slack.url)
        outlay.record(provider="openai", model="gpt-4o", cost=2)
        until(slack.asked.is_set)
        for _ in range(100):
            outlay.record(provider="openai", model="gpt-4o", cost=0)
        assert slack.got == []  # all of these were recorded while the channel was silent
        with outlay.open() as ledger:
            assert ledger.report().total["calls"] == 101
        slack.hold.set()
        until(lambda: slack.got)
        until(lambda: told(here))
        watch.stop()
    assert len(slack.got) == 1
    assert "⚠️ Budget Alert: b: $2.00 of $1.00 (200%)" in caplog.text


def test_an_unreachable_channel_fails_nothing(here: process.Process) -> None:
    watch = watching(here, OUTLAY_ALERT_SLACK="http://127.0.0.1:1/hook")
    outlay.record(provider="openai", model="gpt-4o", cost=2)
    state = State(here.settings.alert_folder)
    until(lambda: any(each["error"] for each in state.undelivered()))
    outlay.record(provider="openai", model="gpt-4o", cost=2)
    watch.stop()
    (stuck,) = state.undelivered()
    assert (stuck["channel"], stuck["attempts"], stuck["error"]) == ("slack", 1, "ConnectionRefusedError")


def test_a_ledger_that_is_away_is_asked_again(here: process.Process) -> None:
    def away() -> Any:
        raise ConnectionError("away")

    before = failures.get("alerts.watch", 0)
    watch = Watch(here.settings, away, every=0.01, environ={})
    until(lambda: failures.get("alerts.watch", 0) >= before + 2)
    watch.stop()
