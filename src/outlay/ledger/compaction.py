"""Writing the embedded ledger anew, in order of time, so that deleted rows take no room any more."""

import os
from pathlib import Path
from shutil import copymode

from outlay.atomic import sync_folder
from outlay.core.errors import LedgerError
from outlay.ledger.engine import FILE, Engine
from outlay.ledger.seals import TABLES

_KEPT = (
    ("calls", '"at", id'),
    ("late", '"at", id'),
    ("settled", "id"),
    ("scores", "rowid"),  # among judgements of one instant the later row counts
    ("revisions", "rowid"),
    ("losses", "rowid"),
    ("conflicts", "rowid"),
    ("faults", "rowid"),
    ("journals", "rowid"),
    ("rollups", '"at"'),
    ("prunes", "rowid"),
    ("pruned_days", "rowid"),
)
_MADE_AGAIN = {"seals", *TABLES}  # by the next question: rowids are others


def rewrite(engine: Engine, folder: Path) -> None:
    """Write all tables to a new file and put it in the place of the old one, whole or not at all.

    A link stays one. What a killed attempt left behind is written over. The engine has no ledger attached
    before and after.

    Raises:
        LedgerError: a table would be left out, or the disk has no room.
    """
    file = Path(os.path.realpath(folder / FILE))
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    try:
        _copied(engine, new)
        _check_written(file, new)
        copymode(file, new)  # whoever closed the ledger to others keeps it closed
        new.replace(file)
    except BaseException:
        new.unlink(missing_ok=True)  # it may be what fills the disk
        raise
    sync_folder(file.parent)


def _check_written(file: Path, new: Path) -> None:
    logs = [name for name in (f"{file}.wal", f"{new}.wal") if Path(name).exists()]
    if logs:
        raise LedgerError(f"{logs[0]} could not be written back; make room on the disk and try again")
    with new.open("rb") as written:
        os.fsync(written.fileno())


def _copied(engine: Engine, new: Path) -> None:
    with engine.attached():
        engine.attach(new, "fresh")
        try:
            _copy(engine)
        finally:
            engine.run("USE ledger")
            engine.run("DETACH fresh")


def _copy(engine: Engine) -> None:
    tables = {name for (name,) in engine.all(_TABLES)}
    strange = tables - {name for name, _ in _KEPT} - _MADE_AGAIN - {"outlay_schema"}
    if strange:
        raise LedgerError(f"the ledger has tables that outlay did not make: {', '.join(sorted(strange))}")
    engine.run("USE fresh")
    engine.migrate()
    with engine.transaction():
        for table, order in _KEPT:
            names = ", ".join(f'"{name}"' for name in engine.columns(table))
            engine.run(
                f"INSERT INTO fresh.{table} ({names}) SELECT {names} FROM ledger.{table} ORDER BY {order}"  # noqa: S608  # our own names
            )


_TABLES = "SELECT table_name FROM duckdb_tables() WHERE database_name = 'ledger'"
