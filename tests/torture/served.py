"""ClickHouse's engine behind its HTTP interface, in a process that can be killed: FOLDER PORT."""

import signal
import sys
import time
from pathlib import Path

from tests.support.clickhouse_front import front

if __name__ == "__main__":
    with front(folder=Path(sys.argv[1]), port=int(sys.argv[2])):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        print(1, flush=True)  # noqa: T201  # it answers
        while True:
            time.sleep(
                0.1
            )  # not signal.pause(): the engine's threads may be given the signal, and it slept on
