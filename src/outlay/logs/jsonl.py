"""A log of JSON lines in a file, or in a file for each query type; several processes may share it."""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import Any

from filelock import FileLock

from outlay.journal.lines import append_line, json_line

UNKNOWN = "unknown"
ESSENTIALS = (
    "timestamp",
    "user_id",
    "query_type",
    "status",
    "model",
    "input_tokens",
    "output_tokens",
    "cost",
    "latency",
    "error",
)
"""The at most ten fields that are kept where a log is to hold the essentials alone."""
_UNSAFE = re.compile(r"[^\w.-]+")
_LONGEST = 80
_RESERVED = frozenset({"con", "prn", "aux", "nul"})  # names that Windows keeps for devices


class JsonlLog:
    """Writes entries as lines of JSON; ``{query_type}`` in the path makes a file for each query type.

    ``essentials`` leaves out all but ten fields. With ``max_bytes`` a full file is renamed to ``NAME.1`` and
    older ones moved on, ``keep`` of them are kept.
    """

    def __init__(
        self,
        path: str | PathLike[str] = "llm_calls.jsonl",
        *,
        essentials: bool = False,
        max_bytes: int | None = None,
        keep: int = 5,
    ) -> None:
        self.path = os.fspath(path)
        self._essentials = essentials
        self._max_bytes = max_bytes
        self._keep = keep

    def write(self, entry: Mapping[str, Any]) -> Path:
        """Write one entry as one line, and give the file it went to.

        Raises:
            JournalError: the file cannot be written.
        """
        path = self.path_of(entry.get("query_type"))
        fields = (
            {name: entry[name] for name in ESSENTIALS if name in entry} if self._essentials else dict(entry)
        )
        size = append_line(path, json_line(fields))
        if self._max_bytes is not None and size >= self._max_bytes:
            self._rotate(path, self._max_bytes)
        return path

    def path_of(self, query_type: object) -> Path:
        """Give the file of a query type; whatever it is called, the file lies in the path's own folder."""
        return Path(self.path.replace("{query_type}", safe_name(query_type)))

    def _rotate(self, path: Path, max_bytes: int) -> None:
        """Move a full file away; whoever wrote to it meanwhile wrote into the file that was moved."""
        with FileLock(f"{path}.lock"), suppress(FileNotFoundError):  # another process may have been faster
            if path.stat().st_size < max_bytes:
                return
            for number in range(self._keep - 1, 0, -1):
                with suppress(FileNotFoundError):
                    Path(f"{path}.{number}").replace(f"{path}.{number + 1}")
            path.replace(f"{path}.1")


def safe_name(query_type: object) -> str:
    """Make a file's name of any query type; None is ``unknown``."""
    if query_type is None or query_type == "":
        return UNKNOWN
    name = _UNSAFE.sub("_", str(query_type)).strip(".")[:_LONGEST]
    return f"_{name}" if not name.strip("_") or name.lower().partition(".")[0] in _RESERVED else name
