"""``outlay review``: the week's letter, its figures the ledger's, sent where alerts go."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from outlay import process
from outlay.settings import load

Outlay = Callable[..., Any]


@pytest.fixture
def two_weeks(environ: dict[str, str], tmp_path: Path) -> str:
    """Record calls of the last whole week and of the one before; give the week's name."""
    here = process.use(load(environ, tmp_path))
    now = datetime.now(UTC)
    monday = now.replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=now.weekday() + 7)
    record = here.recorder().record
    for day in range(7):
        record(provider="openai", model="gpt-4o", at=monday + timedelta(days=day), cost="1.5", latency_ms=900,
               input_tokens=1000, output_tokens=10, user="ann", tags={"feature": "search"})  # fmt: skip
        record(provider="openai", model="gpt-4o", at=monday + timedelta(days=day - 7), cost="1")
    record(provider="openai", model="imaginary-9", at=monday, input_tokens=5, user="bob")
    record(
        provider="openai", model="gpt-4o-mini", at=monday, cost="0.5", error="boom <b>", error_type="Timeout"
    )
    assert here.flush()
    process.use(None)
    year, week, _ = monday.isocalendar()
    return f"{year}-W{week:02d}"


def test_the_figures_are_the_ledgers(outlay: Outlay, two_weeks: str) -> None:
    found = json.loads(outlay("review", "--json").stdout)
    assert (found["week"], found["complete"]) == (two_weeks, True)
    report = json.loads(outlay("report", "--where", f"week={two_weeks}", "--json").stdout)
    total = found["trend"]["total"]
    assert {name: total[name] for name in report["total"]} == report["total"]
    assert Decimal(total["cost"]) == Decimal(11)  # 7 x 1.5 and 0.5
    movers = {row["model"]: row for row in found["movers"]}
    assert movers["gpt-4o"]["cost_change"] == "3.5"  # 10.5 after 7
    assert movers["gpt-4o-mini"]["cost_before"] == "0"
    assert movers["imaginary-9"]["cost_change"] is None
    assert found["features"]["rows"][0]["tag:feature"] == "search"
    assert len(found["dearest"]) == 5


def test_the_letter_says_what_people_ask(outlay: Outlay, two_weeks: str) -> None:
    letter = outlay("review").stdout
    titles = [line for line in letter.splitlines() if line.startswith("#")]
    assert titles[0] == f"# LLM costs, week {two_weeks}"
    for title in ("What it cost", "What changed, and why", "What is expensive", "What is slow", "What fails"):
        assert f"## {title}" in titles
    assert "9 calls cost $11.000000; 1 failed." in letter
    assert "The cost of 1 call is not known, and not in that sum." in letter
    assert "+$3.500000" in letter


def test_a_week_of_calls_without_a_cost_says_so_in_words(
    outlay: Outlay, environ: dict[str, str], tmp_path: Path
) -> None:
    here = process.use(load(environ, tmp_path))
    for model in range(10):
        here.recorder().record(provider="acme", model=f"own-{model}", input_tokens=5)
    assert here.flush()
    letter = outlay("review", "--week", "this").stdout
    assert "10 calls, whose cost is not known; 0 failed." in letter
    assert "in that sum" not in letter
    assert "2 more models not shown" in letter  # they may have changed more: nobody knows


def test_the_page_cannot_be_broken_by_names(outlay: Outlay, two_weeks: str, tmp_path: Path) -> None:
    assert outlay("review", "--html", "week.html", "--week", two_weeks).returncode == 0
    page = (tmp_path / "week.html").read_text("utf-8")
    assert "<b>" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("<table>") >= 5


def test_a_week_without_calls_says_so(outlay: Outlay) -> None:
    empty = outlay("review", "--week", "2020-W10")
    assert "No calls were recorded in the week 2020-W10." in empty.stdout
    assert empty.stderr == "outlay: --week this tells of the week that goes on\n"
    assert outlay("review", "--week", "this").returncode == 0


@pytest.mark.parametrize("week", ["2026-W60", "yesterday", "W1"])
def test_a_week_that_is_none_is_one_line(outlay: Outlay, week: str) -> None:
    done = outlay("review", "--week", week)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert week in done.stderr


class _Receiver(BaseHTTPRequestHandler):
    taken: list[str] = []  # noqa: RUF012 - the test's own list

    def do_POST(self) -> None:
        self.taken.append(self.rfile.read(int(self.headers["content-length"])).decode())
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def webhook() -> Iterator[str]:
    _Receiver.taken.clear()
    server = HTTPServer(("127.0.0.1", 0), _Receiver)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook"
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_is_sent_over_the_channels_of_alerts(outlay: Outlay, two_weeks: str, webhook: str) -> None:
    assert outlay("review", "--send", OUTLAY_ALERT_SLACK=webhook).returncode == 0
    (body,) = _Receiver.taken
    assert two_weeks in json.loads(body)["text"]


def test_a_channel_that_fails_or_is_missing_is_said(outlay: Outlay, two_weeks: str) -> None:
    done = outlay("review", "--send", OUTLAY_ALERT_SLACK="http://127.0.0.1:9/closed")
    assert done.returncode == 1
    assert "slack did not take the review: ConnectionRefusedError" in done.stderr
    assert two_weeks in done.stdout
    assert outlay("review", "--send").returncode == 2
