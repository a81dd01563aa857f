"""Questions in people's words over any ledger, and the values that answer them."""

from outlay.report.reader import LedgerReader
from outlay.report.summary import Summary, Totals, summary_of, totals_of
from outlay.report.values import PriceGap, Report

__all__ = ["LedgerReader", "PriceGap", "Report", "Summary", "Totals", "summary_of", "totals_of"]
