"""In bulk an instant is the one that is written, wherever the machine stands."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("zone", ["America/Chicago", "Asia/Kolkata", "UTC"])
def test_the_machine_s_zone_moves_no_instant(tmp_path: Path, zone: str) -> None:
    """A process of its own: the engine asks for the machine's zone once."""
    rows = [
        {"timestamp": "2026-11-20T10:00:00Z", "cost": 1, "user_id": f"u{number}"} for number in range(200)
    ]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    environ = {**os.environ, "TZ": zone, "OUTLAY_HOME": str(tmp_path / "home"), "OUTLAY_TZ": "UTC"}

    def outlay(*args: str) -> str:
        command = [sys.executable, "-m", "outlay", *args]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    outlay("import", str(file), "--json")
    [row] = json.loads(outlay("report", "--by", "hour", "--json"))["rows"]
    assert (row["hour"], row["calls"]) == ("2026-11-20T10:00:00+00:00", 200)
