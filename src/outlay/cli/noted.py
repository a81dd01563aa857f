"""What was taken note of: faults of the past that nothing cures, counted by ledger in a file of the home."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from outlay.atomic import PRIVATE, private_folder, write_file
from outlay.core.addresses import is_path
from outlay.core.errors import JournalError
from outlay.core.instants import instant, text_of

NAME: Final = "acknowledged.json"
UNPRICED: Final = "unpriced"  # of such, those made before the instant are noted, however many they are
_OWN = "ledger.duckdb"
_FORMAT = 1
Kind = tuple[str, str | None]  # the name of a finding; of losses also why


@dataclass(frozen=True, slots=True)
class Noted:
    """Somebody has looked at so many faults of one kind."""

    name: str
    why: str | None  # of losses
    count: int
    since: str

    @property
    def kind(self) -> Kind:
        """Tell what it is a count of."""
        return self.name, self.why


Every = dict[str, list[Noted]]  # by ledger


class Notes:
    """The file of one home.

    It is under no lock: of two doctors at the same moment the later one's stands, and what the other had
    noted is a finding once more.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / NAME

    def read(self) -> Every:
        """Give what was noted, by ledger.

        Raises:
            JournalError: the file cannot be read.
        """
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            if content["format"] != _FORMAT:
                raise ValueError("another format")  # noqa: TRY301  # as any other content that is not ours
            return {ledger: [_noted(each) for each in found] for ledger, found in content["ledgers"].items()}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise JournalError(f"{self.path} is not as outlay wrote it; move it away") from None
        except OSError as error:
            raise JournalError(f"{self.path} cannot be read: {error.strerror or error}") from error

    def write(self, every: Every) -> None:
        """Put this in the place of what was noted; a home that is not there is made.

        Raises:
            OSError: it cannot be written.
        """
        private_folder(self.path.parent)
        found = {ledger: [asdict(each) for each in noted] for ledger, noted in every.items() if noted}
        content = {"format": _FORMAT, "ledgers": found}
        write_file(self.path, json.dumps(content, indent=1).encode(), mode=PRIVATE)


def key_of(ledger: str) -> str:
    """Give the name of a ledger in the file; a home's own is the same one where the home is moved to."""
    return _OWN if is_path(ledger) else ledger


def counted(found: Mapping[str, Any]) -> dict[Kind, int]:
    """Count by kind what a doctor's document tells of the past that nothing cures."""
    every: dict[Kind, int] = {
        ("lost", why): count for why, count in found.get("lost", {}).get("why", {}).items()
    }
    every["faulty", None] = found.get("faults", {}).get("lines", 0)
    every["conflicts", None] = found.get("conflicts", 0)
    every["future", None] = found.get("future", 0)
    every[UNPRICED, None] = sum(each.get("no_price_helps", 0) for each in found.get("without_price", ()))
    return {kind: count for kind, count in every.items() if count}


def since(noted: Iterable[Noted]) -> datetime | None:
    """Give the instant up to which calls without a usage, a model or a provider are noted."""
    return next((instant(each.since) for each in noted if each.name == UNPRICED), None)


def lowered(noted: Iterable[Noted], now: Mapping[Kind, int]) -> list[Noted]:
    """Give what is noted of what is still there: others that come in the place of pruned ones are new."""
    return [replace(each, count=min(each.count, now[each.kind])) for each in noted if each.kind in now]


def pruned(noted: Iterable[Noted], before: Mapping[Kind, int], after: Mapping[Kind, int]) -> list[Noted]:
    """Give what is noted still when a prune took some: as if all that went were noted, so none is hidden."""
    gone = {kind: count - after.get(kind, 0) for kind, count in before.items()}
    timed = [each for each in noted if each.name == UNPRICED]
    left = [replace(each, count=each.count - max(0, gone.get(each.kind, 0))) for each in noted]
    return lowered((each for each in left if each.count > 0 and each.name != UNPRICED), after) + timed


def taken(noted: Iterable[Noted], now: Mapping[Kind, int], at: datetime) -> list[Noted]:
    """Note all that is there; a kind with nothing new keeps its instant."""
    before = {each.kind: each for each in lowered(noted, now) if each.name != UNPRICED}
    return [
        before[kind] if kind in before and before[kind].count == count else Noted(*kind, count, text_of(at))
        for kind, count in now.items()
    ]


def _noted(content: dict[str, Any]) -> Noted:
    name, why, count, since = (content[each.name] for each in fields(Noted))
    if not (isinstance(name, str) and isinstance(since, str) and (why is None or isinstance(why, str))):
        raise TypeError(content)
    if type(count) is not int or count < 1:  # True is none
        raise ValueError(content)
    return Noted(name, why, count, text_of(instant(since)))
