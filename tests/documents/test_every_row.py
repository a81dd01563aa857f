"""What the five documents show, row by row: each row has a test that carries its number.

A test is called ``test_row_012_…``, or ``test_row_006_and_007_…`` where it speaks of several.
"""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
_NAMED = re.compile(r"^\s*(?:async )?def test_row_(\d{3}(?:_and_\d{3})*)_", re.MULTILINE)

TITLES = """
response figures; adapter by name; call record; cost not reported; usage record; entry by model id; stats;
metadata; users kept apart; counts that cannot be; price table of four; cost of a record; cost per thousand;
cost function by another name; cost of a usage; reference of six models; cached and written tokens;
cached without a price; caching across providers; happy hour; its edges; the call's time decides;
tier by context; marginal tier; tier by volume; unknown keys of a price; one routine; exact sums;
unknown model; aliases; dated prices; own prices; all providers' payloads; mock prices;
record a response; totals; by provider; summary; file; log; total cost with filters; by day; by model;
crash and race; damaged file; tracker in memory; stats with filters; Django; one protocol; threads; processes;
never break the call; tracked chat; decorator; tracked call; log call; coroutines; objects and mappings;
client by tier; tiers; registry; session line; config; complete; client usage; latest completion;
clients add up; retries and fallbacks; adapter registry; printed; JSON lines; logging; a file per query type;
essentials; optional metrics; business fields; no prompt text; quality; one file, many processes; load logs;
basic stats; breakdowns; shares; top ten; over a cent; percentiles; slow share; collector frame; models kept
apart;
cross tables; import of logs; picture; live dashboard; page; demo; latencies; real provider; weekly review;
daily budget; send an alert; expensive query; rules and a hard stop; study helper and shop;
Django and stories; every block; light core; typed; literal names; second names; call log
"""
ROWS = dict(enumerate((title.strip() for title in " ".join(TITLES.split()).split(";")), 1))

GAPS: dict[int, str] = {}
"""Rows without a test, and why; one that gets its test must be taken off."""


def named_rows() -> set[int]:
    """Collect the numbers that tests carry."""
    texts = (path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    return {
        int(number) for text in texts for found in _NAMED.findall(text) for number in found.split("_and_")
    }


def test_there_are_110_rows() -> None:
    assert list(ROWS) == list(range(1, 111))
    assert all(ROWS.values())


def test_every_row_has_its_test() -> None:
    missing = {number: ROWS[number] for number in ROWS.keys() - named_rows() - GAPS.keys()}
    assert missing == {}


def test_no_gap_has_been_filled() -> None:
    filled = {number: ROWS[number] for number in GAPS.keys() & named_rows()}
    assert filled == {}, "take these off the list of gaps"


def test_no_test_carries_a_number_that_is_none() -> None:
    assert named_rows() <= ROWS.keys()
