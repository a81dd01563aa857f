"""The traps of providers and peers in extraction or pricing: how many there are, and who covers the rest.

``usage N`` are the traps of how providers report usage, ``peers N`` the complaints of other tools' users.
A trap is covered by a golden case that is named for it, or by a test whose name begins with it.
"""

from collections.abc import Mapping
from types import MappingProxyType

USAGE, PEERS = 21, 44  # how many of each there are

ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        "usage 8": "retries below the hook: tests/instrumentation/test_openai.py",
        "usage 19": "a framework's own cache: no provider answered, so there is nothing to read",
        "peers 10": "one call told by two emitters: tests/instrumentation/test_hooks.py",
        "peers 25": "a framework's own cache, as usage 19",
        "peers 26": "roots that repeat their children: a record is one provider call, tests/capture",
        "peers 38": "unpriced_calls in every row: tests/report/test_values.py",
    }
)
"""Traps that no response and no price book can fall into, with where they are kept out."""
