"""Reading logs back as a data frame without gaps, and two questions that frames answer badly."""

from collections.abc import Mapping
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outlay.core.errors import MissingExtraError, OutlayError
from outlay.core.instants import instant
from outlay.journal.lines import read_objects
from outlay.logs.entries import COLUMNS
from outlay.logs.jsonl import UNKNOWN

if TYPE_CHECKING:
    import pandas as pd

_NUMBERS = ("prompt_length", "input_tokens", "output_tokens", "cost", "latency")


def load_logs(filename: str | PathLike[str] = "llm_calls.jsonl") -> "pd.DataFrame":
    """Read a log of JSON lines as a pandas frame with all columns, however empty the log.

    A call without query type or model has ``unknown`` there, so that no group is dropped; one without status
    worked unless it names an error. Timestamps are local times of one form. Lines that cannot be read
    are left out and counted in ``frame.attrs["skipped"]``.

    Raises:
        MissingExtraError: pandas is not installed.
        JournalError: the file is there but cannot be read.
    """
    try:
        import pandas as pd  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError.of("pandas", "pandas") from None
    read = list(read_objects(Path(filename)))
    rows = [_completed(row) for row in read if row is not None]
    further = dict.fromkeys(name for row in rows for name in row if name not in COLUMNS)
    frame = pd.DataFrame(rows, columns=[*COLUMNS, *further])
    for name in _NUMBERS:
        frame[name] = pd.to_numeric(frame[name], errors="coerce").astype("float64")
    frame.attrs["skipped"] = len(read) - len(rows)
    return frame


def _completed(row: Mapping[str, Any]) -> dict[str, Any]:
    whole = {**dict.fromkeys(COLUMNS), **row}
    whole["timestamp"] = _local(row.get("timestamp"))
    whole["query_type"] = row.get("query_type") or UNKNOWN
    whole["model"] = row.get("model") or UNKNOWN
    whole["status"] = row.get("status") or ("error" if row.get("error") else "success")
    whole["cached"] = bool(row.get("cached"))
    return whole


def _local(value: Any) -> str | None:
    """Bring an instant in any form to local time without a zone; text without a zone is local already."""
    try:
        if isinstance(value, str) and (moment := datetime.fromisoformat(value.strip())).tzinfo is None:
            return moment.isoformat(timespec="microseconds")
        local = instant(value).astimezone().replace(tzinfo=None)
    except (OutlayError, ValueError, OverflowError):  # the latter in the first and last hours that there are
        return None
    return local.isoformat(timespec="microseconds")


def share_slower(frame: "pd.DataFrame", seconds: float = 5.0) -> float:
    """Give the share, 0 to 1, of calls that took longer than so many seconds; 0 where there is no call."""
    return float((frame["latency"] > seconds).mean()) if len(frame) else 0.0


def quality_of(frame: "pd.DataFrame") -> dict[str, float | None]:
    """Give the mean ``quality_score`` and ``user_rating``, and what a correct answer cost in all.

    ``cost_per_correct`` is the cost of every judged call by the number of correct ones, calls of unknown cost
    left aside; None where none is.
    """
    means = {
        name: float(frame[name].mean()) if name in frame and frame[name].notna().any() else None
        for name in ("quality_score", "user_rating")
    }
    known = frame[frame["cost"].notna()]
    judged = known[known["correct"].notna()] if "correct" in known else known.iloc[:0]
    correct = int(judged["correct"].astype(bool).sum()) if len(judged) else 0
    return {**means, "cost_per_correct": float(judged["cost"].sum()) / correct if correct else None}
