"""``outlay dashboard``: the picture, and the figures that it shows."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

Outlay = Callable[..., Any]


def test_the_picture_is_saved_and_replaced(outlay: Outlay, tmp_path: Path) -> None:
    done = outlay("dashboard", "--png", "dashboard.png")
    assert (done.returncode, done.stdout) == (0, "Dashboard saved to dashboard.png\n")
    empty = (tmp_path / "dashboard.png").read_bytes()
    assert outlay("demo", "--no-sleep", "--seed", "1").returncode == 0
    assert outlay("dashboard", "--png", "dashboard.png").returncode == 0
    assert (tmp_path / "dashboard.png").read_bytes() != empty
    assert list(tmp_path.glob(".*")) == []


def test_the_figures_are_the_reports(outlay: Outlay) -> None:
    outlay("demo", "--no-sleep", "--seed", "1", "--multi")
    shown = json.loads(outlay("dashboard", "--json").stdout)
    report = json.loads(outlay("report", "--by", "provider,model", "--json").stdout)
    assert shown["total"]["cost"] == report["total"]["cost"]
    assert {row["model"]: row["cost"] for row in shown["models"]} == {
        row["model"]: row["cost"] for row in report["rows"]
    }
    assert sum(each["calls"] for each in shown["latencies"]) == report["total"]["calls"]


def test_one_line_says_what_is_wrong(outlay: Outlay) -> None:
    for args, told in (
        (["dashboard", "--since", "7d"], "its own filters"),
        (["dashboard", "--png", "nowhere/x.png"], "nowhere"),
        (["dashboard", "--png", "x.png", "--since", "someday"], "someday"),
    ):
        done = outlay(*args)
        assert done.returncode in {1, 2}
        assert told in done.stderr
        assert done.stderr.count("\n") == 1


def test_a_port_that_is_taken_is_refused_before_anything_starts(outlay: Outlay) -> None:
    with socket.socket() as other:
        other.bind(("localhost", 0))
        other.listen()
        port = other.getsockname()[1]
        done = outlay("dashboard", "--port", str(port))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"outlay: port {port} cannot be had (Address already in use); without --port a free one is found"
        " (see outlay dashboard --help)\n"
    )
