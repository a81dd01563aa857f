"""Where a ClickHouse ledger is: its URL, read and checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from urllib.parse import parse_qsl, unquote, urlsplit

from outlay.core.errors import SettingsError

_FORMS = "clickhouse://user:password@host:port/database or chdb:///path"
_OURS = ("secure", "cluster", "ttl_days", "database")
_DRIVERS = (  # options of clickhouse-connect that are handed on as they are
    *("connect_timeout", "send_receive_timeout", "verify", "ca_cert", "client_cert", "client_cert_key"),
    *("server_host_name", "http_proxy", "https_proxy", "proxy_path", "tls_mode", "compress"),
)
_SETTING = "ch_"  # begins the name of a setting of ClickHouse's own, as clickhouse-connect writes them
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A server and database, or a folder that is read in process."""

    host: str | None = None  # None: in process
    port: int | None = None
    path: str | None = None
    database: str = "default"
    user: str | None = None
    password: str = field(default="", repr=False)
    secure: bool = False
    cluster: str | None = None  # tables stand on all servers of the cluster of this name
    ttl_days: int | None = None  # calls older than this are forgotten
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __str__(self) -> str:
        """Give the URL without user, password and options."""
        if self.host is None:
            return f"chdb://{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        return f"clickhouse{'s' if self.secure else ''}://{host}{port}/{self.database}"


def place_of(url: str) -> Place:
    """Read a URL of a ClickHouse ledger; see docs/clickhouse.md for its parameters.

    Raises:
        SettingsError: that is no such URL; the message does not hold its password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise SettingsError(f"the ledger's URL cannot be read; write {_FORMS}") from None
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    _check(given)
    in_process = parts.scheme == "chdb"
    if in_process and (parts.netloc or not parts.path.startswith("/") or not parts.path.strip("/")):
        raise SettingsError("chdb: needs the absolute path of a folder; write chdb:///path")
    if not in_process and not parts.hostname:
        raise SettingsError(f"the ledger's URL names no host; write {_FORMS}")
    database = given.get("database") or ("" if in_process else unquote(parts.path.strip("/"))) or "default"
    if "/" in database:
        raise SettingsError(f"{database!r:.60} is no name of a database; write {_FORMS}")
    return Place(
        host=None if in_process else parts.hostname,
        port=port,
        path=unquote(parts.path) if in_process else None,
        database=database,
        user=None if parts.username is None else unquote(parts.username),
        password=unquote(parts.password or ""),
        secure=_truth(given["secure"]) if "secure" in given else parts.scheme == "clickhouses",
        cluster=given.get("cluster") or None,
        ttl_days=_days(given["ttl_days"]) if "ttl_days" in given else None,
        options={name: value for name, value in given.items() if name in _DRIVERS},
        settings={
            name.removeprefix(_SETTING): value for name, value in given.items() if name.startswith(_SETTING)
        },
    )


def _check(given: Mapping[str, str]) -> None:
    known = (*_OURS, *_DRIVERS)
    for name in given:
        if name not in known and not name.startswith(_SETTING):
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)} and ch_SETTING"
            raise SettingsError(f"no parameter {name!r:.60} of a ClickHouse ledger; {hint}")


def _truth(text: str) -> bool:
    if text.lower() not in (*_TRUE, *_FALSE):
        raise SettingsError(f"secure={text!r:.20} is neither true nor false; write secure=1")
    return text.lower() in _TRUE


def _days(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 36_500:  # noqa: PLR2004  # a century
        raise SettingsError(f"ttl_days={text!r:.20} is no number of days; write ttl_days=400")
    return int(text)
