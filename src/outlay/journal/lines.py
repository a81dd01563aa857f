"""JSON lines that other programs write and read too: one line at a time, whole, from any process."""

import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from outlay.core.errors import JournalError
from outlay.journal.locks import hold

_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY


def json_line(data: Mapping[Any, Any]) -> bytes:
    """Write an object that a program made as one line of JSON, whatever stands in it.

    Numbers of any kind are numbers, one that is not finite is null; what JSON does not know is kept as its
    text, and half a surrogate pair becomes a question mark.
    """
    try:
        return orjson.dumps(data, default=_known, option=_OPTIONS)
    except orjson.JSONEncodeError:  # half a pair, or a whole number of more than 64 bits
        text = json.dumps(_finite(data), default=_known, ensure_ascii=False, allow_nan=False)
        return text.encode("utf-8", "replace")


def _known(value: Any) -> Any:
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return _finite(value.tolist()) if type(value).__module__ == "numpy" else str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name if isinstance(name, str) else str(name): _finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def append_line(path: Path, line: bytes, *, mode: int = 0o666) -> int:
    """Append one line, by one write to a file opened for appending; give the file's size then.

    A file that was cut within a line gets its newline first, so that the new line stands alone. The folder is
    made if it is not there, and so is the file, with this mode less the process's umask.

    Raises:
        JournalError: the file cannot be written, or took only a part of the line.
    """
    try:
        descriptor = _opened(path, mode)
        try:
            hold(descriptor)  # until it is closed, so that nobody takes half a line of ours for a torn one
            data = (b"\n" if _is_torn(descriptor) else b"") + line + b"\n"
            if os.write(descriptor, data) != len(data):
                raise JournalError(f"{path}: the disk took only a part of a line; is it full?")
            return os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)
    except OSError as error:
        if isinstance(error, JournalError):
            raise
        raise JournalError(f"{path} cannot be written: {error.strerror or error}") from error


def read_objects(path: Path) -> Iterator[dict[str, Any] | None]:
    """Give the object of each line, None for a line that holds none; a file that is not there has no lines.

    Raises:
        JournalError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            for line in file:
                if line.strip():
                    yield _object(line)
    except FileNotFoundError:
        return
    except OSError as error:
        raise JournalError(f"{path} cannot be read: {error.strerror or error}") from error


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        found = orjson.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _opened(path: Path, mode: int) -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
    try:
        return os.open(path, flags, mode)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, flags, mode)


def _is_torn(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    if not size:
        return False
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return os.read(descriptor, 1) != b"\n"
