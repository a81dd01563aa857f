"""DuckDB itself: one engine in memory, to which the ledger's file is attached for one question at a time."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from copy import copy
from pathlib import Path
from typing import Any
from weakref import finalize

from outlay.core.errors import ASK_DOCTOR, LedgerBusyError, LedgerError
from outlay.ledger.dialect import DUCKDB
from outlay.ledger.migrations import Migrating, pending
from outlay.ledger.native import duckdb, interruptible
from outlay.ledger.seals import SORTED
from outlay.ledger.spill import own_folder

FILE = "ledger.duckdb"
_STORAGE = "v1.4.0"  # the oldest DuckDB that we ask for can read it, and it compresses texts with zstd
_CONFIG = {
    "autoinstall_known_extensions": "false",  # no network, ever
    "autoload_known_extensions": "false",
    "disabled_compression_methods": "fsst",  # dict_fsst packs texts; to weigh both takes longer
    "preserve_insertion_order": "true",  # rows come in the order of their rowids; seals count on it (reach)
}
_DAMAGED = re.compile("not a valid DuckDB|Corrupt|checksum|Could not read enough|deserializ", re.IGNORECASE)
_FULL = "No space left on device"
# What is worked out beside a ledger, before more of it goes to disk. DuckDB counts what it asked for, and of
# that a process has less in memory: an import of five million rows had 1.2 GB without it.
_ROOM = "1200MB"
_LARGE = ("GiB", "TiB")  # of a limit that DuckDB sets itself, by the machine
_UTC = "SET TimeZone = 'UTC'"  # of one connection, which would else have the machine's


_of_parents: "list[Engine]" = []
"""Engines of processes that this one was forked from."""


class Engine:
    """A DuckDB in memory; attaching a file takes a millisecond, where opening one takes twenty.

    Raises:
        LedgerError: the folder's name cannot be said in this locale.
    """

    dialect = DUCKDB

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        try:
            str(folder).encode()
        except UnicodeEncodeError:
            raise LedgerError(
                f"the folder {str(folder)!a} has no name in UTF-8 in this locale; set PYTHONUTF8=1"
            ) from None
        self._spool = folder / "spool"
        spill, remove_spill = own_folder(self._spool)
        self._remove_spill = finalize(self, remove_spill)  # whoever lets go of a ledger need not close it
        with interruptible():
            self._memory = duckdb.connect(":memory:", config={**_CONFIG, "temp_directory": str(spill)})
            self._memory.execute(_UTC)
        self._first: Engine | None = None  # the one that another stands beside
        self.found = 0  # the version of the tables before they were migrated, the last time

    def beside(self) -> "Engine":
        """Give another connection to the same engine, with temporary tables of its own, in little memory."""
        other = copy(self)
        other._memory = self._memory.cursor()  # noqa: SLF001  # our own copy
        other._memory.execute(_UTC)  # noqa: SLF001  # likewise; a cursor has the zone of the machine again
        other._first = self  # noqa: SLF001  # with which goes what both have put down
        if other.all("SELECT current_setting('memory_limit')")[0][0].endswith(_LARGE):
            other.run(f"SET memory_limit = '{_ROOM}'")  # of the whole engine, until that is closed
        other.run(f"SET checkpoint_threshold = '{_ROOM}'")  # else temporary tables are packed at each step
        return other

    @contextmanager
    def attached(self) -> Iterator["Engine"]:
        """Have the ledger's file open, with its tables as this outlay knows them.

        Raises:
            LedgerBusyError: another program has the file open.
            LedgerSchemaError: a newer outlay wrote it.
            LedgerError: it cannot be opened, read or written.
        """
        with told_plainly(self._file):
            try:
                self._drop_empty()
                self.attach(self._file, "ledger")
                self._make_spool()
                self.run("USE ledger")
                self.found = self.migrate()
                yield self
            finally:
                self._detach()

    def _drop_empty(self) -> None:
        """Remove a file of no bytes, as a full disk leaves one where it was to be made: it opens no more.

        Whoever attaches holds the folder's lock, so that nobody is just making it.
        """
        with suppress(OSError):  # none is there, or the engine says what is wrong
            if not (self._file.is_symlink() or self._file.stat().st_size):
                self._file.unlink()

    def _make_spool(self) -> None:
        """Make the folder in which DuckDB puts down what memory does not hold; a copied ledger has none."""
        with suppress(OSError):  # it is told by whom it concerns, when it does
            self._spool.mkdir(exist_ok=True)

    def attach(self, file: Path, name: str) -> None:
        """Open a file, which is made if it is not there, under a name of one word."""
        location = str(file).replace("'", "''")
        new = "" if file.exists() else f" (STORAGE_VERSION '{_STORAGE}')"
        self._memory.execute(f"ATTACH '{location}' AS {name}{new}")

    def _detach(self) -> None:
        """Let go of the file; Ctrl-C meanwhile leaves it to nobody, or no question could attach it again."""
        try:
            self._let_go()
        except BaseException:
            with suppress(duckdb.TransactionException):  # as a rule none is open
                self._memory.execute("ROLLBACK")
            self._let_go()
            raise

    def _let_go(self) -> None:
        loose = ("sums", *SORTED.values(), "lines")
        for table in ("batch", "touched", *(f"loose_{name}" for name in loose)):
            self._memory.execute(f"DROP TABLE IF EXISTS temp.{table}")
        self._memory.execute("USE memory")
        self._memory.execute("DETACH DATABASE IF EXISTS ledger")  # it is not there where attaching failed

    def version(self) -> int:
        """Give the number of the newest step that the tables have; 0 where there are none."""
        self.run('CREATE TABLE IF NOT EXISTS outlay_schema ("version" INTEGER NOT NULL)')
        return int(self.all('SELECT coalesce(max("version"), 0) FROM outlay_schema')[0][0])

    def migrate(self) -> int:
        """Bring the tables to the newest form; give the version that they had.

        A new ledger's are made in one transaction, which takes two thirds of the time of one for each step.

        Raises:
            LedgerSchemaError: a newer outlay wrote them.
        """
        have = self.version()
        each, whole = (self.transaction, nullcontext) if have else (nullcontext, self.transaction)
        with whole():
            for version, text in Migrating(pending("duckdb", have, self._file), have, self._file):
                with each():
                    self.run(text)
                    self.run("INSERT INTO outlay_schema VALUES (?)", [version])
        return have

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement for its effect."""
        self._memory.execute(sql, parameters or None)

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a question and give all rows."""
        return self._memory.execute(sql, parameters or None).fetchall()

    def columns(self, table: str) -> dict[str, str]:
        """Give a table's columns with their types, in order."""
        found = self.all(
            "SELECT column_name, data_type FROM duckdb_columns()"
            " WHERE database_name = 'ledger' AND table_name = ? ORDER BY column_index",
            [table],
        )
        return dict(found)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all of what follows, or nothing of it."""
        try:
            self._memory.execute("BEGIN")
            yield
            self._memory.execute("COMMIT")  # which may be interrupted, too
        except BaseException:
            with suppress(duckdb.TransactionException):  # a COMMIT that failed has rolled back already
                self._memory.execute("ROLLBACK")
            raise

    def stay(self) -> None:
        """Stay for as long as there is a forked child: Python's end would end its parent's engine, too.

        Its threads are not there; DuckDB would end the child by SIGSEGV.
        """
        _of_parents.append(self)
        with suppress(ImportError):  # a Python without ctypes
            import ctypes  # noqa: PLC0415  # few processes fork with a ledger open

            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))

    def close(self) -> None:
        """Let go of the engine."""
        try:
            if self._first is not None:
                with interruptible():
                    self._memory.execute("RESET memory_limit")
        finally:
            self._memory.close()
        if self._first is None:
            self._remove_spill()


@contextmanager
def told_plainly(file: Path) -> Iterator[None]:
    """Turn DuckDB's errors into ours, one line each."""
    try:
        with interruptible():
            yield
    except duckdb.Error as error:
        line = str(error).strip().partition("\n")[0]
        if "Could not set lock" in line:
            raise LedgerBusyError(f"another program has {file} open; close it and ask again") from error
        if "Unique file handle conflict" in line:
            raise LedgerBusyError(
                f"{file} is open in this process, by a connection of its own or since before it was forked;"
                " close that one, or ask from another process"
            ) from error
        if _FULL in line:  # somewhere in a document of the engine's own
            raise LedgerError(f"{file}: {_FULL}, here or where a file is written; make room") from error
        way_out = f"; {ASK_DOCTOR}" if _DAMAGED.search(line) else ""
        raise LedgerError(f"{file}: {line}{way_out}") from error
