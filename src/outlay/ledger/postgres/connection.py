"""psycopg itself: one connection, used for one transaction at a time, in the ledger's own schema."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict

from outlay.core.errors import LedgerBusyError, LedgerError, QueryError, RefusedEntryError
from outlay.ledger.migrations import Migrating, pending
from outlay.ledger.postgres import holders, rights
from outlay.ledger.postgres.adapting import adapt
from outlay.ledger.postgres.dialect import POSTGRES
from outlay.ledger.postgres.notices import heard, warned
from outlay.ledger.postgres.place import Place

# Where the URL says nothing else
_CONNECT = {"fallback_application_name": "outlay", "connect_timeout": 10, "keepalives_idle": 30}
_LOCAL = (  # whatever server, role or pooler set; compiling a question takes longer than most answers
    "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL jit = off;"
    " SET LOCAL idle_in_transaction_session_timeout = '5min';"
    " SET LOCAL extra_float_digits = 1; SET LOCAL array_nulls = on;"
    " SET LOCAL row_security = off"  # refuses what a policy would hide: no part is told as the whole
)
_IDLE = psycopg.pq.TransactionStatus.IDLE
_OF_RIGHTS = ("aclcheck_error", "aclcheck_error_col")  # where the server says so, in any language
# All rows; with a parameter a text may hold one statement alone, where another could end what only reads
_ONE = "LIMIT %s"
_BLOCK = 500  # lines that are handed to COPY at once
_HAVE = "SELECT coalesce(max(version), 0) FROM outlay_schema"
_WRITING = "BEGIN ISOLATION LEVEL READ COMMITTED"  # who waited for a turn sees what others kept meanwhile
_ALONE = "SET TimeZone = 'UTC'; SET client_min_messages = warning"  # by which it tells what it passes over
_DURABLE = """SELECT set_config('synchronous_commit', 'local', TRUE)
    WHERE current_setting('synchronous_commit') = 'off'"""  # offsets move for what is on the server's disk
_TURNS = "SELECT pg_advisory_xact_lock(hashtextextended('outlay ' || current_schema(), 0))"


class Connection:
    """A ledger's place in a database; connects when first used, and again after the server went away."""

    dialect = POSTGRES

    def __init__(self, place: Place, *, patience: float) -> None:
        self.place = place
        self._patience = patience
        self._psycopg: psycopg.Connection[tuple[Any, ...]] | None = None
        self._process = os.getpid()
        self.sessions = 0  # a new one may be with a server that took over and lacks the last transactions

    @contextmanager
    def reading(self) -> Iterator["Connection"]:
        """Ask several questions about one and the same state, as of one instant.

        Raises:
            LedgerSchemaError: a newer outlay wrote the ledger.
            LedgerError: the server cannot be reached, or refuses.
        """
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
        with self._told(rights.READ), self._transaction(begin):
            yield self

    @contextmanager
    def writing(self) -> Iterator["Connection"]:
        """Have the ledger to oneself, until all of what follows is kept, or nothing of it.

        Raises:
            LedgerBusyError: others had it for longer than our patience.
            LedgerSchemaError: a newer outlay wrote the ledger.
            LedgerError: the server cannot be reached, or refuses.
        """
        with self._told(rights.WRITE), self._transaction(_WRITING):
            self.run(f"SET LOCAL lock_timeout = {int(self._patience * 1000)}; {_DURABLE}")
            self.run(_TURNS)
            yield self

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        connection = self._begun(begin)
        try:
            yield
        except BaseException:
            if not connection.closed:
                try:
                    connection.execute("ROLLBACK")
                except psycopg.Error:
                    self.close()  # the first error says why
            raise
        connection.execute("COMMIT")

    def _begun(self, begin: str) -> "psycopg.Connection[tuple[Any, ...]]":
        """Begin a transaction on a connection that works, with the tables as this outlay knows them."""
        connection = self._connected()
        try:
            have = self._begin(connection, begin)
        except (psycopg.OperationalError, psycopg.InterfaceError):  # the server went away in the meantime
            self.close()
            connection = self._connected()
            have = self._begin(connection, begin)
        if pending("postgres", have, self.place.shown):
            connection.execute("ROLLBACK")
            self._migrate(connection, have)
            self._begin(connection, begin)
        return connection

    def _connected(self) -> "psycopg.Connection[tuple[Any, ...]]":
        if self._process != os.getpid():  # a child of fork: the connection is the parent's
            self._psycopg, self._process = None, os.getpid()
        if self._psycopg is not None and self._psycopg.info.transaction_status != _IDLE:
            self.close()  # it is lost, or a beginning failed, or Ctrl-C left an answer that nobody waits for
        if self._psycopg is None:
            asked: dict[str, Any] = {**_CONNECT, **conninfo_to_dict(self.place.conninfo)}
            made = psycopg.connect(autocommit=True, prepare_threshold=None, **asked)
            adapt(made)
            self._psycopg = made
            self.sessions += 1
        return self._psycopg

    def _begin(self, connection: "psycopg.Connection[tuple[Any, ...]]", begin: str) -> int:
        """Begin, and give the version of the tables: 0 where there are none."""
        path = sql.SQL("SET LOCAL search_path = {}, pg_temp").format(sql.Identifier(self.place.schema))
        connection.execute(sql.SQL("; ").join((sql.SQL(begin), path, sql.SQL(_LOCAL))))
        # By its whole name: on the search path a schema that this role may not use is passed over, so that
        # tables would be made, and calls kept, as temporary ones; so the server refuses.
        versions = sql.Identifier(self.place.schema, "outlay_schema").as_string()
        if not connection.execute("SELECT to_regclass(%s)", [versions]).fetchall()[0][0]:
            return 0
        return int(connection.execute(_HAVE).fetchall()[0][0])

    def _migrate(self, connection: "psycopg.Connection[tuple[Any, ...]]", known: int) -> None:
        """Bring the tables from a version, 0 for none, to the newest form, while all others wait."""
        with self._told(rights.RENEW if known else rights.MAKE), connection.transaction():
            self._begin(connection, "SELECT 1")
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('outlay migrations', 0))")
            self._make_schema(connection)
            connection.execute("CREATE TABLE IF NOT EXISTS outlay_schema (version integer NOT NULL)")
            connection.execute(_TURNS)
            have = int(connection.execute(_HAVE).fetchall()[0][0])
            steps = Migrating(pending("postgres", have, self.place.shown), have, self.place.shown)
            with heard(connection, steps):
                for version, text in steps:
                    connection.execute(text.encode())
                    connection.execute("INSERT INTO outlay_schema VALUES (%s)", [version])

    def _make_schema(self, connection: "psycopg.Connection[tuple[Any, ...]]") -> None:
        schema = self.place.schema
        if connection.execute("SELECT to_regnamespace(quote_ident(%s))", [schema]).fetchall()[0][0]:
            return
        named = sql.Identifier(schema)
        with self._told(rights.make_schema(named.as_string())):
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(named))

    def migrate(self) -> tuple[int, int]:
        """Bring the tables to the newest form; give the versions before and after.

        Raises:
            LedgerSchemaError: a newer outlay wrote the ledger.
            LedgerError: the server cannot be reached, or refuses.
        """
        with self._told(rights.READ):
            connection = self._connected()
            have = self._begin(connection, "BEGIN")
            connection.execute("ROLLBACK")
            missing = pending("postgres", have, self.place.shown)
            if missing:
                self._migrate(connection, have)
            return have, missing[-1][0] if missing else have

    def vacuum(self, tables: Iterable[str]) -> None:
        """Write tables anew, one after the other, without what was deleted.

        Raises:
            LedgerBusyError: a transaction had one of them for longer than our patience; who, is said.
            LedgerError: the server cannot be reached, or refuses; a table is another role's.
        """
        with self._told(rights.COMPACT):
            connection = self._connected()  # it vacuums outside of transactions, so the session is told
            connection.execute(f"SET lock_timeout = {int(self._patience * 1000)}; {_ALONE}".encode())
            try:
                for table in tables:
                    self._written_anew(connection, sql.Identifier(self.place.schema, table))
            finally:
                with suppress(psycopg.OperationalError):  # a session that is lost has nothing to be put back
                    connection.execute("RESET lock_timeout; RESET TimeZone; RESET client_min_messages")

    def _written_anew(self, connection: "psycopg.Connection[tuple[Any, ...]]", name: sql.Identifier) -> None:
        try:
            with warned(connection) as warnings:
                connection.execute(sql.SQL("VACUUM (FULL, ANALYZE) {}").format(name))
            if warnings:  # the table is another's, and was passed over
                raise LedgerError(f"{self.place.shown}: {self.place.told(warnings[0])}{rights.COMPACT}")
        except errors.LockNotAvailable:
            found = connection.execute(holders.ASKED, [name.as_string()]).fetchall()
            raise LedgerBusyError(holders.said(name.as_string(), found, self._patience)) from None

    def answer(self, text: str) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...]]:
        """Run somebody's own SELECT, one and no more; give the names of its columns and the rows.

        Raises:
            QueryError: the server refuses it.
        """
        try:
            one = f"{text.replace('%', '%%')}\n{_ONE}"
            cursor = self._open.execute(one.encode(), [None])
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            raise QueryError(f"PostgreSQL says: {self.place.told(str(error))[:300]}") from None
        return tuple(column.name for column in cursor.description or ()), tuple(cursor.fetchall())

    def run(self, text: str, parameters: Sequence[Any] = ()) -> int:
        """Run a statement, with a ``?`` for each parameter, for its effect; give how many rows it touched."""
        return self._execute(text, parameters).rowcount

    def all(self, text: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a question, with a ``?`` for each parameter, and give all rows."""
        return self._execute(text, parameters).fetchall()

    def all_while(
        self, work: Callable[[], object], text: str, parameters: Sequence[Any] = ()
    ) -> list[tuple[Any, ...]]:
        """Run a question, do some work of one's own while the server is at it, and give all rows."""
        if not psycopg.Pipeline.is_supported():  # a libpq older than 14
            found = self.all(text, parameters)
            work()
            return found
        with self._open.pipeline():
            asked = self._execute(text, parameters)
            work()
            return asked.fetchall()

    def _execute(self, text: str, parameters: Sequence[Any]) -> "psycopg.Cursor[tuple[Any, ...]]":
        if not parameters:
            return self._open.execute(text.encode())
        return self._open.execute(text.replace("%", "%%").replace("?", "%s").encode(), parameters)

    @property
    def _open(self) -> "psycopg.Connection[tuple[Any, ...]]":
        if self._psycopg is None:
            raise LedgerError(f"{self.place.shown}: the connection was closed")
        return self._psycopg

    def copy(self, into: str, lines: Iterable[str]) -> None:
        """Load lines in the text form of COPY into a table and its columns."""
        remaining = iter(lines)
        with self._open.cursor().copy(f"COPY {into} FROM STDIN".encode()) as copy:
            while block := "".join(islice(remaining, _BLOCK)):
                copy.write(block.encode("utf-8", "replace"))  # half a surrogate pair becomes a question mark

    def columns(self, table: str) -> dict[str, str]:
        """Give a table's or view's columns with their types, in order."""
        found = self.all(
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND table_name = ? ORDER BY ordinal_position",
            [table],
        )
        return dict(found)

    def close(self) -> None:
        """Let go of the connection; the next question makes another."""
        connection, self._psycopg = self._psycopg, None
        if connection is not None and self._process == os.getpid():
            connection.close()

    @contextmanager
    def _told(self, lacking: str) -> Iterator[None]:
        """Turn psycopg's errors into ours, one line each, without a password.

        Where a right is lacking, what the role may not do, and who may, stands behind the server's words.
        """
        try:
            yield
        except errors.LockNotAvailable as error:
            raise LedgerBusyError(
                f"others have been writing to {self.place.shown} for {self._patience:g} seconds; try again"
            ) from error
        except psycopg.DataError as error:
            raise RefusedEntryError(f"an entry cannot be kept: {self.place.told(str(error))}") from error
        except psycopg.Error as error:
            more = lacking if _lacks_a_right(error) else ""
            told = LedgerError(f"{self.place.shown}: {self.place.told(str(error))}{more}")
            raise told from (None if self.place.secrets else error)


def _lacks_a_right(error: psycopg.Error) -> bool:
    """Whether a right is lacking; what a policy of rows refuses has the same code, and no grant mends it."""
    return isinstance(error, errors.InsufficientPrivilege) and error.diag.source_function in _OF_RIGHTS
