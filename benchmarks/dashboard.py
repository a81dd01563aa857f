"""How long the live dashboard's first view takes over a ledger of many calls, wall clock.

Streamlit's own test of an app runs the view as its server does, without a browser; the first look asks the
ledger, the second one finds the answers kept. OUTLAY_BENCH_CALLS says how many calls, else 1,000,000.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.reports import ledger
from benchmarks.timing import show, take_turns

PERIODS = ("30d", "all")
# In a process of its own: what a first look loads and asks is then paid in each round.
_LOOK = """
import sys, time
from streamlit.testing.v1 import AppTest
from outlay.contrib import streamlit_app

app = AppTest.from_file(streamlit_app.__file__, default_timeout=600)
app.query_params["period"] = sys.argv[1]
took = []
for _ in range(2):
    start = time.perf_counter()
    app.run()
    took.append((time.perf_counter() - start) * 1e6)
    assert not app.exception and app.metric, app.exception
print(took[int(sys.argv[2])])
"""


def main() -> None:
    """Print the table."""
    calls = int(os.environ.get("OUTLAY_BENCH_CALLS", "1000000"))
    with tempfile.TemporaryDirectory() as folder:
        ledger(Path(folder), calls)
        looks = {
            f"{which} look, {period}": _look(folder, period, number)
            for period in PERIODS
            for number, which in enumerate(("first", "second"))
        }
        timings = take_turns(looks, 3)
    show(f"The dashboard over {calls:,} calls", timings, next(iter(looks)))


def _look(folder: str, period: str, number: int) -> Callable[[], float]:
    def look() -> float:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _LOOK, period, str(number)],
            env={**os.environ, "OUTLAY_LEDGER": folder},
            capture_output=True,
            check=True,
            text=True,
        )
        return float(done.stdout.splitlines()[-1])

    return look


if __name__ == "__main__":
    main()
