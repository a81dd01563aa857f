"""Ingest: the new part of every journal into the ledger, rows and offsets in one transaction."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from outlay.core.errors import JournalError, RefusedEntryError
from outlay.core.located import located
from outlay.core.record import Entry
from outlay.journal import Fault, line_of, read_line
from outlay.ledger.backlog import Stretch, loads, portions, spool, spool_others
from outlay.ledger.batch import Batch
from outlay.ledger.engine import Engine
from outlay.ledger.kinds import are_kinds
from outlay.ledger.native import duckdb

_ENTRIES = 50_000  # taken in at once by add
_LINES, _OTHERS = "batch.jsonl", "others.jsonl"  # what is read at once
ODD = (duckdb.InvalidInputException, duckdb.DataError)
"""What DuckDB says of lines that it cannot read; all else, a full disk say, is no fault of theirs."""

Faults = list[tuple[str, int, str]]


def take_in(engine: Engine, journals: Path, spool_folder: Path) -> None:
    """Bring all that is new in the journals into the attached ledger.

    Raises:
        duckdb.Error: the ledger cannot be written; nothing of the portion at hand is then kept.
        JournalError: a journal cannot be read.
    """
    taken = dict(engine.all("SELECT segment, taken FROM journals"))
    batch: Batch | None = None
    try:
        for load in loads(journals, taken):
            batch = batch or Batch(engine)  # which looks at the tables: not where nothing is new
            if not _inserts(engine, batch, load, spool_folder):
                for portion in portions(load):
                    _take_portion(engine, batch, portion, spool_folder)
    except OSError as error:
        raise JournalError(f"cannot take in the journals in {journals}: {error.strerror or error}") from error


class _Unusual(Exception):  # noqa: N818  # no error: so the transaction is left
    """Something has to be looked at."""


def _inserts(engine: Engine, batch: Batch, load: list[Stretch], spool_folder: Path) -> bool:
    """Take in a load all of whose calls are new, as nearly all are; else nothing of it."""
    with spool_file(spool_folder) as target:
        paths = spool(load, target)
        try:
            with engine.transaction():
                others = _insert(engine, batch, paths)
                if others:
                    _keep_others(engine, batch, paths, others, target.with_name(_OTHERS))
                _move_offsets(engine, load)
        except (*ODD, duckdb.ConstraintException, _Unusual):
            return False
    return True


def _insert(engine: Engine, batch: Batch, paths: list[Path]) -> int:
    """Bring the calls in; give how many lines are none."""
    new = batch.insert(paths)
    if new is None or not are_kinds(engine, new.calls, batch.calls):
        raise _Unusual
    return new.others


def _keep_others(engine: Engine, batch: Batch, paths: list[Path], number: int, target: Path) -> None:
    """Keep judgements, revisions and losses by the long way, which alone they are few enough for."""
    with spool_file(target.parent, target.name):
        sound = spool_others(paths, target) and batch.load_others(target, number)
        if not sound or not are_kinds(engine, "batch", batch.columns):
            raise _Unusual
        batch.keep()


def _take_portion(engine: Engine, batch: Batch, portion: list[Stretch], spool_folder: Path) -> None:
    with spool_file(spool_folder) as target:
        if are_read(engine, batch, spool(portion, target)):
            _commit(engine, batch, portion, [])
        elif len(portion) > 1:
            for stretch in portion:
                _take_portion(engine, batch, [stretch], spool_folder)
        else:
            _commit(engine, batch, portion, load_line_by_line(batch, portion[0], target))


def are_read(engine: Engine, batch: Batch, paths: list[Path]) -> bool:
    """Load files of lines; False if some line has to be looked at by itself."""
    try:
        return batch.load(paths) and are_kinds(engine, "batch", batch.columns)
    except ODD:
        return False


def _commit(engine: Engine, batch: Batch, portion: list[Stretch], faults: Faults) -> None:
    with engine.transaction():
        batch.keep()
        for fault in faults:
            engine.run("INSERT INTO faults VALUES (?, ?, ?)", fault)
        _move_offsets(engine, portion)


def _move_offsets(engine: Engine, stretches: list[Stretch]) -> None:
    for stretch in stretches:
        engine.run("DELETE FROM journals WHERE segment = ?", [stretch.path.name])
        engine.run("INSERT INTO journals VALUES (?, ?)", [stretch.path.name, stretch.end])


def load_line_by_line(batch: Batch, stretch: Stretch, target: Path) -> Faults:
    """Load the good lines of a stretch that has bad ones, and give what is wrong with these."""
    good: list[tuple[int, bytes]] = []
    faults: Faults = []
    for offset, line in _lines(stretch):
        entry = read_line(line, offset, 0)
        if isinstance(entry, Fault):
            faults.append((stretch.path.name, offset, entry.reason))
        else:
            good.append((offset, line_of(entry)))
    refused = _refused(batch, good, target)
    if refused:  # else they stand there by now
        _write([line for offset, line in good if offset not in refused], target)
        batch.load([target])
    faults += [(stretch.path.name, offset, reason) for offset, reason in refused.items()]
    return sorted(faults)


def _lines(stretch: Stretch) -> Iterator[tuple[int, bytes]]:
    offset = stretch.start
    with stretch.path.open("rb") as file:
        file.seek(offset)
        while offset < stretch.end and (line := file.readline()):
            if line.strip():
                yield offset, line
            offset += len(line)


def _refused(batch: Batch, lines: list[tuple[int, bytes]], target: Path) -> dict[int, str]:
    """Find the lines that are good entries but that the ledger's columns cannot hold, by halving."""
    reason = _load(batch, [line for _, line in lines], target)
    if reason is None:
        return {}
    if len(lines) == 1:
        return {lines[0][0]: reason}
    middle = len(lines) // 2
    return {**_refused(batch, lines[:middle], target), **_refused(batch, lines[middle:], target)}


def _load(batch: Batch, lines: list[bytes], target: Path) -> str | None:
    """Load lines; give what is wrong with them, if anything."""
    _write(lines, target)
    try:
        return None if batch.load([target]) else "a field is missing"
    except ODD as error:
        return str(error).partition("\n")[0]


def _write(lines: Iterable[bytes], target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(b"".join(lines))


def add(engine: Engine, entries: Iterable[Entry], spool_folder: Path) -> int:
    """Bring entries into the attached ledger, all or none; give how many calls were new.

    Raises:
        RefusedEntryError: an entry cannot be kept.
    """
    return add_lines(engine, map(_line, entries), spool_folder)


def add_lines(engine: Engine, lines: Iterable[bytes], spool_folder: Path) -> int:
    """Bring entries into the attached ledger as their lines hold them, all or none; see :func:`add`."""
    batch = Batch(engine)
    new = 0
    remaining = iter(lines)
    with engine.transaction(), spool_file(spool_folder) as target:
        while some := list(islice(remaining, _ENTRIES)):
            wrong = _load(batch, some, target)
            if wrong is not None:
                raise RefusedEntryError(f"an entry cannot be kept: {wrong}")
            new += batch.keep()
    return new


def _line(entry: Entry) -> bytes:
    try:
        return line_of(entry)
    except (TypeError, ValueError) as error:
        raise RefusedEntryError(f"an entry cannot be written as JSON: {error}") from error


@contextmanager
def spool_file(folder: Path, name: str = _LINES) -> Iterator[Path]:
    """Give a place for a file of lines; what a killed reader left there is written over."""
    folder.mkdir(exist_ok=True)
    target = folder / name
    try:
        with located(folder):
            yield target
    finally:
        target.unlink(missing_ok=True)
