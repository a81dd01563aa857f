"""The settings of a process as one value, and the variables by which another process has them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from outlay.core.inherited import FILE, RUN

PRICES_NAME = "prices.toml"
Sync = Literal["never", "interval", "always"]
OtelNames = Literal["v1.41", "newest", "both"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a process was told by its environment and its outlay.toml; make one with :func:`load`."""

    home: Path  # the embedded ledger's folder, else the user's data directory; journals stand in it
    # A URL, perhaps with a password, or an absolute path; None: the embedded ledger in home.
    ledger: str | None = field(default=None, repr=False)
    sync: Sync = "interval"  # when the journal is synced to disk
    sync_interval: float = 1.0  # seconds
    include_usage: bool = True  # ask OpenAI chat streams for their usage
    store_prompts: bool = False  # keep the texts of prompts and replies
    store_errors: bool = False  # keep the words of errors, which may repeat a prompt; else their codes alone
    redact: str | None = None  # dotted name of a function that is given each text, and gives what may be kept
    max_text: int = 10_000  # characters kept of a text
    prices: Path | None = None  # a price file of one's own; the one in home, if there is one
    prices_url: str | None = field(default=None, repr=False)  # where `prices update` fetches from; likewise
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
        of_run = (
            {} if self.run is None else {RUN: self.run, FILE: "" if self.file is None else str(self.file)}
        )
        return {"OUTLAY_LEDGER": str(self.home), **told, **of_run}

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


_NO_VARIABLE = frozenset({"alerts", "peek", "file", "run"})
VARIABLES: Mapping[str, str] = {
    each.name: f"OUTLAY_{each.name.upper()}" for each in fields(Settings) if each.name not in _NO_VARIABLE
}
"""The environment variable of every setting that has one."""


def _told(value: object) -> str:
    if isinstance(value, timedelta):
        return f"{value.days}d"
    if isinstance(value, Mapping):
        return json.dumps(dict(value))
    return str(value).lower() if isinstance(value, bool) else str(value)
