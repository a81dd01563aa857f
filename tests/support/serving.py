"""A server in a process of its own, for as long as a test needs it."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
from tests.support.together import group

_PATIENCE = 60.0


@contextmanager
def serving(command: Sequence[str], url: str, folder: Path, environ: Mapping[str, str]) -> Iterator[None]:
    """Run a Python server, and go on once it answers at the URL."""
    log = Path(environ["OUTLAY_LEDGER"]).with_name("server.log")
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, *command],
            cwd=folder,
            env=dict(environ),
            stdout=output,
            stderr=output,
            process_group=group(),
        )
        try:
            _wait(server, url, log)
            yield
        finally:
            server.terminate()
            server.wait(_PATIENCE)


def _wait(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            if httpx.get(url, timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        if server.poll() is not None or time.monotonic() > until:
            raise RuntimeError(log.read_text("utf-8", "replace")[-2000:])
        time.sleep(0.05)
