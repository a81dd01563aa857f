"""Logging single calls: around a function that calls a model, or by hand through the logging module."""

import inspect
import logging
import time
from collections.abc import Callable
from os import PathLike
from typing import Any

from outlay.capture.guard import guarded
from outlay.capture.printing import show_line
from outlay.capture.redact import words_of
from outlay.journal.lines import json_line
from outlay.logs.entries import length_of, now_text, success_fields, was_cached
from outlay.logs.jsonl import JsonlLog

LOG_FILE = "llm_calls.jsonl"
CALL = "outlay_call"  # the attribute of a log record that carries a call's entry
logger = logging.getLogger("outlay")


def tracked_llm_call(
    prompt: Any,
    user_id: Any = None,
    query_type: str | None = None,
    *,
    call_llm: Callable[[Any], Any] | None = None,
    log_file: str | PathLike[str] | None = LOG_FILE,
    echo: bool = False,
) -> Any:
    """Call a model, write one line about it to ``log_file``, and give its result.

    ``call_llm`` takes the prompt; without it the function of that name in the calling module is taken.
    ``echo`` prints a line too; ``log_file=None`` writes none. A log that cannot be written breaks nothing.

    Raises:
        TypeError: there is no ``call_llm``.
        Exception: whatever ``call_llm`` raises, once it is logged.
    """
    function = call_llm or _callers_call_llm()
    start = time.perf_counter()
    entry = {
        "timestamp": now_text(),
        "user_id": user_id,
        "query_type": query_type,
        "prompt_length": guarded(length_of)(prompt),  # whose own __str__ may fail
    }
    try:
        result = function(prompt)
    except BaseException as error:
        _tell_failure(entry, error, time.perf_counter() - start, log_file, echo=echo)
        raise
    _tell_success(entry, result, time.perf_counter() - start, log_file, echo=echo)
    return result


def log_llm_call(
    prompt: Any,
    result: Any = None,
    error: Any = None,
    latency: float = 0,
    *,
    query_type: str | None = None,
    **further: Any,
) -> dict[str, Any]:
    """Log one call to the logger ``outlay`` as INFO, its message one JSON object; give the entry.

    ``latency`` is in seconds; given in the place of ``error``, a number is taken for it. A call without error
    worked, however empty its result. ``further`` keywords, such as ``quality_score``, are kept.
    """
    if isinstance(error, int | float) and not isinstance(error, bool):
        error, latency = None, error
    entry: dict[str, Any] = {
        "timestamp": now_text(),
        "query_type": query_type,
        "prompt_length": guarded(length_of)(prompt),  # whose own __str__ may fail
        "latency": latency,
        "status": "success" if error is None else "error",
    }
    if error is None:
        entry |= success_fields(result)
    else:
        entry |= {"error": words_of(error), "error_type": type(error).__name__}
    entry |= further
    _emit(entry)
    return entry


@guarded
def _emit(entry: dict[str, Any]) -> None:
    logger.info("%s", json_line(entry).decode(), extra={CALL: entry})


@guarded
def _tell_success(
    entry: dict[str, Any], result: Any, latency: float, log_file: str | PathLike[str] | None, *, echo: bool
) -> None:
    told = {"latency": latency, "cached": was_cached(result)}
    _tell({**entry, "status": "success", **success_fields(result), **told}, log_file, echo=echo)


@guarded
def _tell_failure(
    entry: dict[str, Any],
    error: BaseException,
    latency: float,
    log_file: str | PathLike[str] | None,
    *,
    echo: bool,
) -> None:
    _tell({**entry, "status": "error", "error": words_of(error), "latency": latency}, log_file, echo=echo)


@guarded
def _tell(entry: dict[str, Any], log_file: str | PathLike[str] | None, *, echo: bool) -> None:
    if echo:
        guarded(show_line)(_line(entry))
    if log_file is not None:
        JsonlLog(log_file).write(entry)


def _line(entry: dict[str, Any]) -> str:
    latency = f"Latency: {entry['latency']:.2f}s"
    if entry["status"] == "error":
        return f"❌ Error | {entry['error']} | {latency}"
    cost = "unknown" if entry["cost"] is None else f"${entry['cost']:.4f}"
    return f"✅ Success | Cost: {cost} | {latency}"


def _callers_call_llm() -> Callable[[Any], Any]:
    """Find ``call_llm`` where ``tracked_llm_call`` was called: code that defined both needs no change."""
    frame = inspect.currentframe()
    caller = frame.f_back.f_back if frame is not None and frame.f_back is not None else None
    found = None if caller is None else caller.f_globals.get("call_llm")
    if callable(found):
        return found  # type: ignore[no-any-return] # a module's globals are of any type
    raise TypeError("tracked_llm_call() needs call_llm=, a function that takes the prompt")
