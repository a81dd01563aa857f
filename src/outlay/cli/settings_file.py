"""The text of a first outlay.toml: every setting with its meaning and default, commented out."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

from outlay.settings import VARIABLES

_WIDTH = 98
_HEAD = """\
# outlay.toml: settings of outlay, read from this folder and all folders below it.
#
# All of it is commented out, so nothing differs from the defaults yet. Take the # off a line that starts with
# #name to set it; lines that start with "#   " are examples of what has no default. An environment variable
# wins over this file: OUTLAY_ and the name in capitals. `outlay doctor` says what is in force.
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as the file explains it; ``default`` and ``example`` are written as TOML writes them."""

    key: str
    meaning: str
    default: str | None = None
    example: str | None = None

    def lines(self) -> Iterator[str]:
        """Give its comment, then the line that takes effect without its sign, or an example."""
        variable = VARIABLES.get(self.key)
        told = f"{self.meaning}{'' if variable is None else f' ({variable})'}"
        yield from (f"# {line}" for line in wrap(told, _WIDTH, break_on_hyphens=False))
        if self.default is not None:
            yield f"#{self.key} = {self.default}"
        if self.example is not None:
            yield f"#   {self.key} = {self.example}"


SETTINGS = (
    Setting(
        "ledger",
        "Where calls are kept: a folder, or a server that is fed from the journals, as postgresql://HOST/DATABASE,"
        " clickhouse://HOST/DATABASE, chdb:///PATH or django:. By default: the folder home.",
        example='"postgresql://localhost/outlay"',
    ),
    Setting(
        "home",
        "The folder of the journals and, where ledger names none, of the embedded ledger.",
        default="{home}",
    ),
    Setting(
        "sync",
        "When a journal is synced to disk: never (the system decides), interval, or always (each batch)."
        " It matters when the machine fails; a program that dies loses nothing that was written.",
        default='"interval"',
    ),
    Setting("sync_interval", "Seconds between two syncs, up to 3600.", default="1.0"),
    Setting(
        "include_usage",
        "Ask OpenAI's chat streams for their usage where the program did not; without it such a stream's"
        " cost is unknown. The program does not see the extra chunk.",
        default="true",
    ),
    Setting(
        "store_prompts",
        "Keep the texts of prompts and replies. By default none is read, and none is kept.",
        default="false",
    ),
    Setting(
        "store_errors",
        "Keep the words of errors, without keys and cut. They may repeat a part of a prompt or of a reply: by"
        " default only the status, the provider's codes and classes are kept. store_prompts keeps them too.",
        default="false",
    ),
    Setting(
        "redact",
        "A function of yours that is given each text before it is kept, and gives back what may be kept.",
        example='"my_app.privacy.redact"',
    ),
    Setting("max_text", "Characters that are kept of a text, up to 1000000.", default="10000"),
    Setting(
        "prices",
        "A file of your own prices, over those of the book; `outlay prices set` writes it."
        " By default: prices.toml in the folder home, if it is there.",
        example='"prices.toml"',
    ),
    Setting(
        "prices_url",
        "Where `outlay prices update` fetches newer prices: an http, https or file address, or a path.",
        example='"https://prices.example.org/outlay.json.gz"',
    ),
    Setting("tz", "The time zone of the days of reports, and of alerts' windows.", default='"UTC"'),
    Setting(
        "otel_names",
        "Which names the OpenTelemetry metrics that we emit have: v1.41, newest, or both.",
        default='"v1.41"',
    ),
    Setting(
        "ship",
        "Bring calls to a server's ledger from a thread of each program; false leaves it to `outlay ship`.",
        default="true",
    ),
    Setting(
        "journal_keep",
        "Remove journals that every ledger has taken, so long after they were last written: 2d or more,"
        " as 30d or 8w. By default they are kept.",
        example='"30d"',
    ),
    Setting(
        "min_free",
        "With less room on the disk nothing is recorded, and the loss is counted: bytes, as 500MB (of 10^6)"
        " or 500MiB (of 2^20); 0 for no limit. By default: 256 MiB, but at most a twentieth of the disk.",
        example='"500MB"',
    ),
)

TABLES = (
    Setting(
        "tags",
        "Tags of every call that is recorded under this file; service, environment, git_commit and host"
        " come from the environment where it names them.",
        example='{ team = "search", app = "shop" }',
    ),
    Setting(
        "alerts",
        "Channels and rules of alerts, which `outlay alerts check` looks at:"
        " write [alerts] and [[alerts.rules]].",
    ),
)
"""What stands in tables, which TOML wants last."""

_ALERTS = """\
#   [alerts]
#   slack = "https://hooks.slack.com/services/..."  # also smtp and email, apprise; none: alerts are printed
#
#   [[alerts.rules]]
#   name = "daily"
#   budget = 10.00     # of all calls in a day; window = "hour", "week" or "month" for others
#   steps = [80, 100]  # percent of it at which to tell
#   stop = false       # true: calls over it are refused
"""


def settings_text(home: Path, ledger: str | None = None) -> str:
    """Give the file's text; a ledger that is named is set in it, all else is commented out."""
    parts = [_HEAD]
    for each in (*SETTINGS, *TABLES):
        parts.append("\n".join(each.lines()).replace("{home}", quoted(_short(home))) + "\n")
        if each.key == "ledger" and ledger is not None:
            parts[-1] += f"ledger = {quoted(ledger)}\n"
    return "\n".join(parts) + _ALERTS


def quoted(text: str) -> str:
    """Write a text as TOML does."""
    signs = {'"': '\\"', "\\": "\\\\"}
    inside = "".join(signs.get(sign, sign if sign.isprintable() else f"\\U{ord(sign):08X}") for sign in text)
    return f'"{inside}"'


def _short(home: Path) -> str:
    """Write a folder below the user's own with ~, so that the file serves others too."""
    user = Path.home()
    return f"~/{home.relative_to(user).as_posix()}" if home.is_relative_to(user) else str(home)
