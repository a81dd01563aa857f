"""An import that is killed leaves whole blocks or none, and done again nothing is doubled or lost."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from outlay.core.query import CallQuery
from outlay.ledger import DuckLedger

IMPORT = """
import sys
from outlay.importing.bulk import cutting
cutting._BLOCK = 20_000
from outlay.cli.app import main
sys.argv[1:] = ["import", "-", "--tz", "UTC", "--ledger", sys.argv[1]]
sys.exit(main())
"""


def rows(number: int) -> bytes:
    """Give rows without names: every tenth bad, every seventh equal to the last, a third failed."""
    told = []
    for n in range(number):
        m = max(n - (n % 7 == 0), 0)
        row = {"timestamp": f"2026-11-20 10:{m // 60 % 60:02}:{m % 60:02}", "model": "gpt-4o", "cost": m}
        told.append("bad" if n % 10 == 9 else json.dumps(row | ({"error": "boom"} if m % 3 == 0 else {})))
    return "".join(f"{line}\n" for line in told).encode()


def kept(folder: Path) -> list[str]:
    ledger = DuckLedger(folder)
    found = [each.id for each in ledger.calls(CallQuery(limit=None))]
    ledger.close()
    return found


def test_killed_in_the_middle_and_done_again(tmp_path: Path) -> None:
    data, ledger = rows(2000), tmp_path / "ledger"
    spool = ledger / "spool"
    spool.mkdir(parents=True)
    (spool / "import.dead.lines").write_bytes(b"left by a kill")
    os.utime(spool / "import.dead.lines", (0, 0))
    first = subprocess.Popen([sys.executable, "-c", IMPORT, str(ledger)], stdin=subprocess.PIPE)
    assert first.stdin is not None
    first.stdin.write(data[: len(data) * 2 // 3])
    first.stdin.flush()  # the rest never comes: it is killed while it waits for it, or within a block
    deadline = time.monotonic() + 60
    while not kept(ledger) and time.monotonic() < deadline:
        time.sleep(0.05)
    first.kill()
    first.wait()
    first.stdin.close()
    some = kept(ledger)
    assert 0 < len(some) < 1800
    again = subprocess.run(
        [sys.executable, "-c", IMPORT, str(ledger)], input=data, capture_output=True, check=False
    )
    assert again.returncode == 1  # bad rows
    assert b"200 bad rows" in again.stdout
    whole = kept(ledger)
    assert len(whole) == len(set(whole)) == 1800
    assert set(some) < set(whole)
    assert not list(spool.glob("import.dead.*"))
