"""The summary, to the character."""

from dataclasses import replace
from decimal import Decimal

from outlay.render.summary import summary_text
from outlay.report import PriceGap, Summary, Totals

# 9 calls; the middle tier's figures and the frame are those that the format was first shown with.
GOLDEN = """\
══════════════════════════════════════════════════════════
  COST & USAGE SUMMARY
══════════════════════════════════════════════════════════
  Total calls       : 9 (9 succeeded)
  Input tokens      : 387
  Output tokens     : 621
  Total tokens      : 1,008
  Total cost        : $0.004851
  Avg latency       : 391 ms

  BY PROVIDER
──────────────────────────────────────────────────────────
  [mock-balanced]
    calls        : 3  (success rate 100%)
    tokens       : 129 in / 207 out
    cost         : $0.002395
    avg latency  : 303 ms
  [mock-fast]
    calls        : 6  (success rate 50%)
    tokens       : 258 in / 414 out
    cost         : unknown
    avg latency  : unknown"""

TOTAL = Totals(9, 9, 387, 621, Decimal("0.004851"), 391.4)
BALANCED = Totals(3, 3, 129, 207, Decimal("0.002395"), 302.6)
FAST = Totals(6, 3, 258, 414, None, None)


def test_the_summary_is_as_shown_to_the_character() -> None:
    summary = Summary(TOTAL, (("mock-balanced", BALANCED), ("mock-fast", FAST)))
    assert summary_text(summary) == GOLDEN


def test_one_provider_needs_no_breakdown() -> None:
    assert summary_text(Summary(TOTAL, (("mock-fast", TOTAL),))) == GOLDEN.partition("\n\n")[0]


def test_large_figures_have_separators() -> None:
    large = replace(TOTAL, input_tokens=1234567, cost=Decimal("1234.5"), avg_latency_ms=12345.6)
    text = summary_text(Summary(large))
    assert "  Input tokens      : 1,234,567" in text
    assert "  Total cost        : $1,234.500000" in text
    assert "  Avg latency       : 12,346 ms" in text


def test_unpriced_calls_are_named_below_the_totals() -> None:
    text = summary_text(Summary(replace(TOTAL, cost=None), (), (PriceGap("p", "m", 9),)))
    assert "  Total cost        : unknown" in text
    assert text.splitlines()[-1].startswith("  Unpriced          : ")
    assert text.splitlines()[-1].endswith("p/m (9)")


def test_no_calls_give_zeros() -> None:
    text = summary_text(Summary(Totals(0, 0, 0, 0, Decimal(0), None)))
    assert "  Total calls       : 0 (0 succeeded)" in text
    assert "  Total cost        : $0.000000" in text
    assert "  Avg latency       : 0 ms" in text
