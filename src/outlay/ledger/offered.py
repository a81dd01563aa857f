"""Names that an embedded ledger holds, for a shell to complete: found at once, nothing is written."""

from collections.abc import Mapping
from pathlib import Path
from threading import Timer

from outlay.core.query import DIMENSIONS, TIME_DIMENSIONS
from outlay.ledger.engine import FILE
from outlay.ledger.locks import take
from outlay.ledger.native import duckdb

_NEWEST = 100_000  # calls that are looked at
_MOST = 200  # names
_IDS = 20
_PATIENCE = 0.2  # seconds for a turn, and then for the answer
_SECONDS = 1.0
_TAG = "tag:"
_NAMES = """WITH newest AS (SELECT * FROM ledger.main.calls WHERE rowid > (
    SELECT max(rowid) FROM ledger.main.calls) - $newest),
named AS (SELECT DISTINCT {name} AS name FROM newest)
SELECT name FROM named WHERE starts_with(name, $start) ORDER BY name LIMIT $most"""
_OF_CALLS = """SELECT CAST(id AS VARCHAR) FROM ledger.main.calls WHERE rowid > (
    SELECT max(rowid) FROM ledger.main.calls) - $newest
AND starts_with(CAST(id AS VARCHAR), $start) ORDER BY "at" DESC, id DESC LIMIT $most"""


def offered(folder: Path, dimension: str, start: str) -> list[str]:
    """Give what calls have in a dimension and begins so; for ``tag:`` alone the names of tags.

    Only what was taken in is looked at, newest calls first; where that would take long, there is nothing.
    """
    name = _name(dimension)
    if name is None:
        return []
    asked: dict[str, object] = {"newest": _NEWEST, "start": start, "most": _MOST}
    if dimension.removeprefix(_TAG) and dimension.startswith(_TAG):
        asked["tag"] = dimension.removeprefix(_TAG)
    return _found(folder, _NAMES.format(name=name), asked)


def offered_ids(folder: Path, start: str) -> list[str]:
    """Give the ids of the newest calls that begin so, newest first, under the same terms."""
    asked: dict[str, object] = {"newest": _NEWEST, "start": start.lower(), "most": _IDS}
    return _found(folder, _OF_CALLS, asked)


def _found(folder: Path, text: str, asked: Mapping[str, object]) -> list[str]:
    file = folder / FILE
    release = take(str(folder / "ledger.lock"), _PATIENCE) if file.is_file() else None
    if release is None:
        return []
    engine = duckdb.connect(":memory:", config={"autoload_known_extensions": "false", "temp_directory": ""})
    alarm = Timer(_SECONDS, engine.interrupt)
    alarm.start()
    try:
        location = str(file).replace("'", "''")
        engine.execute(f"ATTACH '{location}' AS ledger (READ_ONLY)")
        return [found for (found,) in engine.execute(text, asked).fetchall()]
    except (duckdb.Error, RuntimeError):  # whoever asks the ledger itself is told
        return []
    finally:
        alarm.cancel()
        engine.close()
        release()


def _name(dimension: str) -> str | None:
    """Say in SQL what is looked at; None where a dimension has no names."""
    if dimension.startswith(_TAG):
        return "unnest(map_keys(tags))" if dimension == _TAG else "tags[$tag]"
    return f'"{dimension}"' if dimension in DIMENSIONS and dimension not in TIME_DIMENSIONS else None
