"""Celery's pool of forked processes: their calls are kept, for whoever sent the task."""

import signal
import subprocess
import sys
from pathlib import Path

from tests.support.command import clean_environ

from outlay.core.record import Record
from outlay.journal import read_segment, segments

APP = """
import os

from celery import Celery

import outlay
import outlay.contrib.celery

app = Celery("tasks", broker="filesystem://", backend="file://results")
app.conf.update(
    broker_transport_options=dict(data_folder_in="queue", data_folder_out="queue", control_folder="control"),
    broker_connection_retry_on_startup=False,
    worker_prefetch_multiplier=1,
)
outlay.contrib.celery.connect()
outlay.record(provider="openai", model="gpt-4o", input_tokens=1)  # a journal that is open when the pool forks


@app.task(name="summaries.make")
def make():
    outlay.record(provider="openai", model="gpt-4o", input_tokens=1000)
    return os.getpid()
"""
SEND = """
import outlay
from tasks import make

with outlay.context(user="u1", team="search"):
    sent = [make.delay() for _ in range(4)]
print(*{each.get(timeout=60) for each in sent})
"""


def test_calls_of_a_prefork_pool_are_for_the_sender_and_none_is_lost(tmp_path: Path) -> None:
    for folder in ("queue", "control", "results"):
        (tmp_path / folder).mkdir()
    (tmp_path / "tasks.py").write_text(APP, encoding="utf-8")
    environ = {**clean_environ(tmp_path), "PYTHONPATH": str(tmp_path)}
    worker = [sys.executable, "-m", "celery", "-A", "tasks", "worker", "--pool", "prefork", "-c", "2"]
    quiet = ["--loglevel", "ERROR", "--without-mingle", "--without-gossip", "--without-heartbeat"]
    with subprocess.Popen([*worker, *quiet], cwd=tmp_path, env=environ) as running:
        try:
            asked = [sys.executable, "-c", SEND]
            done = subprocess.run(
                asked, cwd=tmp_path, env=environ, check=True, capture_output=True, timeout=90
            )
        finally:
            running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 0
    assert running.pid not in {int(pid) for pid in done.stdout.split()}
    entries = [
        entry for each in segments(tmp_path / "ledger" / "journal") for _, entry in read_segment(each.path)
    ]
    records = [entry for entry in entries if isinstance(entry, Record) and entry.input_tokens == 1000]
    said = [(each.user, each.query_type, each.tags["team"]) for each in records]
    assert said == [("u1", "summaries.make", "search")] * 4
