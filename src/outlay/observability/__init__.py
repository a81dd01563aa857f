"""The ledger's calls as a data frame, one row for each operation."""

from outlay.observability.collector import COLUMNS, LlmOperationCollector

__all__ = ["COLUMNS", "LlmOperationCollector"]
