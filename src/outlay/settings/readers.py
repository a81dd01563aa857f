"""How the value of each setting is read, from a text of the environment or a value of TOML.

A reader is given the value and the folder that a relative path counts from. It raises a TypeError, ValueError
or RuntimeError that says what to write instead, or a SettingsError whose message holds nothing of the value.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

from outlay.core.addresses import is_path, is_spoilt, named
from outlay.core.errors import SettingsError
from outlay.core.query import zone
from outlay.settings.values import OtelNames, Sync

_KEEP = re.compile(r"(\d{1,5})\s*([dw])")
_LEAST_KEPT = timedelta(days=2)  # by then no process writes a segment any more: each ends at midnight UTC
_SIZE = re.compile(r"(\d{1,15})\s*(?:([kmgt])(i?))?b?", re.IGNORECASE)
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*[.:]\w+")
_MAX_TEXT = 1_000_000
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}
_MAX_INTERVAL = 3600.0


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise TypeError("write a text in quotes that is not empty")
    if "\0" in value:  # no file and no server has such a name
        raise ValueError("write a text without a null")
    return value.strip()


def _path(value: object, base: Path) -> Path:
    return (base / Path(_text(value)).expanduser()).absolute()


def _folder(value: object, base: Path) -> Path:
    """Read a folder's path; a ledger's URL would become a folder whose name shows its password."""
    text = _text(value)
    if not is_path(text) or is_spoilt(text):
        raise SettingsError("a folder belongs there; the URL of a ledger goes into ledger or OUTLAY_LEDGER")
    return _path(text, base)


def _address(value: object, _base: Path) -> str:
    return _text(value)


def _ledger(value: object, base: Path) -> str:
    text = named(_text(value))
    return str(_path(text, base)) if is_path(text) else text


def _switch(value: object, _base: Path) -> bool:
    word = str(value).lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("write true or false")
    return word in _TRUE


def _one_of(words: Any) -> Callable[[object, Path], Any]:
    def read(value: object, _base: Path) -> Any:
        for word in get_args(words):
            if word == value:
                return word
        raise ValueError(f"write one of {', '.join(get_args(words))}")

    return read


def _seconds(value: object, _base: Path) -> float:
    how = f"write seconds, above 0 and up to {_MAX_INTERVAL:.0f}"
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise TypeError(how)
    try:
        seconds = float(value)
    except ValueError:
        raise ValueError(how) from None
    if not 0 < seconds <= _MAX_INTERVAL:
        raise ValueError(how)
    return seconds


def _span(value: object, _base: Path) -> timedelta:
    how = "write a span of two days or more, as 30d or 8w"
    found = _KEEP.fullmatch(str(value).strip().lower())
    if found is None:
        raise ValueError(how)
    span = timedelta(days=int(found[1]) * (7 if found[2] == "w" else 1))
    if span < _LEAST_KEPT:
        raise ValueError(how)
    return span


def _size(value: object, _base: Path) -> int:
    found = None if isinstance(value, bool) else _SIZE.fullmatch(str(value).strip())
    if found is None:
        raise ValueError("write bytes, as 500000000, 500MB, 500MiB or 2GB; 0 for no limit")
    times: int = (1024 if found[3] else 1000) ** " kmgt".index((found[2] or " ").lower())
    return int(found[1]) * times  # MB is 10^6, MiB 2^20


def _dotted(value: object, _base: Path) -> str:
    text = _text(value)
    if not _DOTTED.fullmatch(text):
        raise ValueError("write a function's dotted name, package.module.function")
    return text


def _length(value: object, _base: Path) -> int:
    how = f"write a number of characters from 1 to {_MAX_TEXT:,}"
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).isdecimal():
        raise TypeError(how)
    if not 1 <= int(value) <= _MAX_TEXT:
        raise ValueError(how)
    return int(value)


def _zone(value: object, _base: Path) -> str:
    return zone(_text(value)).key


def _tags(value: object, _base: Path) -> dict[str, str | None]:
    how = "write tags as NAME=VALUE,NAME=VALUE or, in the file, as a table of texts"
    if isinstance(value, str) and value.lstrip().startswith("{"):
        value = json.loads(value)  # for values that hold a comma
    if isinstance(value, str):
        pairs = [part.partition("=") for part in value.split(",")]
        if not all(name.strip() and sign for name, sign, _ in pairs):
            raise ValueError(how)
        return {name.strip(): text.strip() for name, _, text in pairs}
    if not isinstance(value, dict) or any(isinstance(text, dict | list) for text in value.values()):
        raise TypeError(how)
    return {name: None if text is None else str(text) for name, text in value.items()}  # JSON's null: none


def _table(value: object, _base: Path) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("write a table, as [alerts] and [[alerts.rules]]")
    return value


READERS: Mapping[str, Callable[[object, Path], Any]] = {
    "ledger": _ledger,
    "home": _folder,
    "sync": _one_of(Sync),
    "sync_interval": _seconds,
    "include_usage": _switch,
    "store_prompts": _switch,
    "store_errors": _switch,
    "redact": _dotted,
    "max_text": _length,
    "prices": _path,
    "prices_url": _address,
    "tz": _zone,
    "otel_names": _one_of(OtelNames),
    "tags": _tags,
    "alerts": _table,
    "ship": _switch,
    "journal_keep": _span,
    "min_free": _size,
}
