"""What a hard stop costs each call: looked at before it is made, and counted when it is recorded."""

import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.timing import each, show, take_turns
from outlay.alerts.closed import Closed
from outlay.alerts.rules import rules_of
from outlay.alerts.stop import Stop
from outlay.capture import Attribution
from outlay.ledger import MemoryLedger
from outlay.report import LedgerReader
from outlay.testing import call

TIMES = 20_000
USERS = 1000
WHOM = Attribution({"user": "u1", "query_type": "rag"}, {"team": "search"})
RULES: list[dict[str, Any]] = [
    {"name": "all", "budget": 10**9, "window": "month", "stop": True},
    {"name": "user", "budget": 10**9, "per": "user", "stop": True},
    {"name": "team", "budget": 10**9, "per": "tag:team", "where": {"query_type": "rag"}, "stop": True},
]


def stop_with(count: int, folder: Path) -> Stop:
    """Make a stop of so many rules that has asked a ledger of a thousand users once."""
    ledger = MemoryLedger()
    ledger.add(call(cost="0.01", user=f"u{number}") for number in range(USERS))
    stop = Stop(
        rules_of({"rules": RULES[:count]}), lambda: LedgerReader(ledger), Closed(folder), refresh=3600
    )
    stop.admit("openai", "gpt-4o", WHOM)  # starts the thread that asks
    time.sleep(0.5)
    return stop


def main() -> None:
    """Print the microseconds of a call under one and under three rules."""
    with tempfile.TemporaryDirectory() as folder:
        one, three = (stop_with(count, Path(folder)) for count in (1, 3))
        record = call(cost="0.01", user="u1")
        variants = {
            "looked at, 1 rule": each(lambda: one.admit("openai", "gpt-4o", WHOM), TIMES),
            "looked at, 3 rules": each(lambda: three.admit("openai", "gpt-4o", WHOM), TIMES),
            "counted, 3 rules": each(lambda: three.saw(record), TIMES),
        }
        show("a hard stop, microseconds of CPU a call", take_turns(variants, 7), "looked at, 1 rule")


if __name__ == "__main__":
    main()
