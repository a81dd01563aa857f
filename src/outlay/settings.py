"""Settings from the environment and the nearest outlay.toml, as one frozen value."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args

from outlay.core.addresses import check_address
from outlay.core.errors import SettingsError
from outlay.core.inherited import RUN
from outlay.core.query import zone
from outlay.origin import default_tags

FILE_NAME, PRICES_NAME = "outlay.toml", "prices.toml"
Sync = Literal["never", "interval", "always"]
OtelNames = Literal["v1.41", "newest", "both"]

# Two letters at least, so that C:\ledger stays a path.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_SERVERS = frozenset(("postgresql", "postgres", "clickhouse", "clickhouses", "chdb"))
_KEEP = re.compile(r"(\d{1,5})\s*([dw])")
_LEAST_KEPT = timedelta(days=2)  # by then no process writes a segment any more: each ends at midnight UTC
_SIZE = re.compile(r"(\d{1,15})\s*(?:([kmgt])(i?))?b?", re.IGNORECASE)
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*[.:]\w+")
_MAX_TEXT = 1_000_000
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}
_MAX_INTERVAL = 3600.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What a process was told by its environment and its outlay.toml; make one with :func:`load`."""

    home: Path  # the embedded ledger's folder, else the user's data directory; journals stand in it
    ledger: str | None = None  # a URL or an absolute path; None: the embedded ledger in home
    sync: Sync = "interval"  # when the journal is synced to disk
    sync_interval: float = 1.0  # seconds
    include_usage: bool = True  # ask OpenAI chat streams for their usage
    store_prompts: bool = False  # keep the texts of prompts and replies
    store_errors: bool = False  # keep the words of errors, which may repeat a prompt; else their codes alone
    redact: str | None = None  # dotted name of a function that is given each text, and gives what may be kept
    max_text: int = 10_000  # characters kept of a text
    prices: Path | None = None  # a price file of one's own; the one in home, if there is one
    prices_url: str | None = None  # where `prices update` fetches from
    tz: str = "UTC"  # of reports' days
    otel_names: OtelNames = "v1.41"  # of the metrics that we emit: v1.41, newest or both
    # Put on every record; service, commit and host as the environment names them.
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    alerts: Mapping[str, Any] = field(
        default_factory=dict, hash=False, repr=False
    )  # as written, addresses with their secrets among it; outlay.alerts reads it
    ship: bool = True  # to a server's ledger, from a thread of this process; else by `outlay ship`
    journal_keep: timedelta | None = None  # then journals that every ledger has are removed; None: never
    min_free: int | None = None  # bytes; with less room nothing is recorded; None: 256 MiB, at most a 20th
    peek: bool = False  # the ledger was named for reading alone; this home's journals are not meant for it
    file: Path | None = None  # the outlay.toml that was read
    run: str | None = None  # the `outlay run` that this process belongs to, from the environment alone

    def to_environ(self) -> dict[str, str]:
        """Give the variables by which another process has these settings, wherever it starts."""
        told = {
            variable: _told(value)
            for key, variable in VARIABLES.items()
            if (value := getattr(self, key)) is not None and value != {}
        }
        return {"OUTLAY_LEDGER": str(self.home), **told, **({} if self.run is None else {RUN: self.run})}

    @property
    def journal(self) -> Path:
        """The folder of the journals."""
        return self.home / "journal"

    @property
    def price_updates(self) -> Path:
        """The folder of the price tables that were fetched."""
        return self.home / "prices"

    @property
    def alert_folder(self) -> Path:
        """The folder of what was told, and to whom."""
        return self.home / "alerts"

    @property
    def own_prices(self) -> Path:
        """The price file of one's own, whether it is there or not."""
        return self.prices or self.home / PRICES_NAME


def load(environ: Mapping[str, str], cwd: Path) -> Settings:
    """Read the settings: OUTLAY_* variables first, then the nearest outlay.toml upwards of ``cwd``.

    Tags of both are put together. A relative path counts from the file that names it, or from ``cwd`` when it
    comes from the environment.

    Raises:
        SettingsError: a file that is no TOML, an unknown key, or a value that cannot be.
    """
    file = find_file(cwd)
    given = {} if file is None else _read_file(file)
    shared = given.get("tags", {})  # by all who use that file; each service adds its own
    for key, variable in VARIABLES.items():
        if text := environ.get(variable, "").strip():
            given[key] = _parse(key, text, variable, cwd)
    home = _home(given.get("ledger"), given.pop("home", None))
    if "prices" not in given and _is_file(home / PRICES_NAME):
        given["prices"] = home / PRICES_NAME
    given["tags"] = {**default_tags(environ), **shared, **given.get("tags", {})}
    return Settings(home=home, file=file, run=environ.get(RUN) or None, **given)


def find_file(cwd: Path) -> Path | None:
    """Give the nearest outlay.toml in this folder or one above it."""
    files = (up / FILE_NAME for up in (cwd.absolute() / FILE_NAME).parents)
    return next(filter(_is_file, files), None)


def _is_file(path: Path) -> bool:
    """Whether a file is there; in a folder that is closed to this user there is none for it."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_path(ledger: str) -> bool:
    """Say whether a ledger's name is a folder of the embedded ledger, and no URL."""
    return not _SCHEME.match(ledger)


def is_server(ledger: str | None) -> bool:
    """Say whether a ledger is a server's, which is fed from the journals by a shipper."""
    return ledger is not None and ledger.partition(":")[0].lower() in _SERVERS


def _home(ledger: str | None, home: Path | None) -> Path:
    if ledger is not None and is_path(ledger):
        return Path(ledger)
    if home is not None:
        return home
    from outlay.home import default_home  # noqa: PLC0415 - only where no folder is named

    return default_home()


def _read_file(file: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - most processes have no outlay.toml, and start sooner without it

    try:
        # Numerals stay as they were written: budgets are money.
        content = tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file} cannot be read as TOML: {error}") from None
    for key in content:
        if key not in _READERS:
            raise SettingsError(f"{file}: unknown key {key!r:.60}; {_nearest(key)}")
    return {key: _parse(key, value, f"{file}: {key}", file.parent) for key, value in content.items()}


def _nearest(key: str) -> str:
    near = get_close_matches(key, _READERS, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(_READERS)}"


def _parse(key: str, value: object, where: str, base: Path) -> Any:
    try:
        return _READERS[key](value, base)
    except SettingsError as error:  # of a ledger's URL: the value may hold a password
        raise SettingsError(f"{where}: {error}") from None
    except (TypeError, ValueError, RuntimeError) as error:
        raise SettingsError(f"{where} = {value!r:.80}: {error}") from None


def _told(value: object) -> str:
    if isinstance(value, timedelta):
        return f"{value.days}d"
    if isinstance(value, Mapping):
        return json.dumps(dict(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise TypeError("write a text in quotes that is not empty")
    return value.strip()


def _path(value: object, base: Path) -> Path:
    return (base / Path(_text(value)).expanduser()).absolute()


def _address(value: object, _base: Path) -> str:
    return _text(value)


def _ledger(value: object, base: Path) -> str:
    text = _text(value)
    if is_server(text) and not text.startswith("chdb:"):  # a folder may be called as it likes
        check_address(text)
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


def _tags(value: object, _base: Path) -> dict[str, str]:
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
    return {name: str(text) for name, text in value.items()}


def _table(value: object, _base: Path) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("write a table, as [alerts] and [[alerts.rules]]")
    return value


_READERS: Mapping[str, Callable[[object, Path], Any]] = {
    "ledger": _ledger,
    "home": _path,
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
_IN_FILE_ALONE = frozenset({"alerts"})

VARIABLES: Mapping[str, str] = {key: f"OUTLAY_{key.upper()}" for key in _READERS if key not in _IN_FILE_ALONE}
"""The environment variable of every setting that has one."""
