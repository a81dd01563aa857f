"""``outlay run`` and what a program starts: processes of every kind, servers, test runners, and terminals."""

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest
from tests.support.ports import free_port

Command = Callable[..., "subprocess.CompletedProcess[str]"]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals and signals")

# groq is hooked as openai is, by the same code, and loads in half the time; test_run.py has openai.
ASK = """
import groq, httpx

BODY = {
    "id": "c1", "object": "chat.completion", "created": 1, "model": "llama-3.3-70b-versatile",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
}
transport = httpx.MockTransport(lambda request: httpx.Response(200, json=BODY))
client = groq.Groq(api_key="x", http_client=httpx.Client(transport=transport))

def ask(n=0):
    client.chat.completions.create(model="llama", messages=[{"role": "user", "content": "hi"}])
    return n
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "asking.py").write_text(ASK, encoding="utf-8")
    return tmp_path


def write(folder: Path, text: str, name: str = "prog.py") -> str:
    (folder / name).write_text(dedent(text), encoding="utf-8")
    return name


def calls_by(command: Command, dimension: str) -> dict[str | None, int]:
    document = json.loads(command("report", "--by", dimension, "--json").stdout)
    return {row[dimension]: row["calls"] for row in document["rows"]}


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_multiprocessing_are_recorded(command: Command, folder: Path, method: str) -> None:
    """A pool terminates its workers with SIGTERM; a process of its own ends by itself."""
    text = f"""
        import multiprocessing
        from asking import ask

        if __name__ == "__main__":
            context = multiprocessing.get_context("{method}")
            with context.Pool(1) as pool:
                assert pool.map(ask, range(4)) == [0, 1, 2, 3]
            child = context.Process(target=ask)
            child.start()
            child.join()
            assert child.exitcode == 0
            ask()
    """
    done = command("run", "--tag", "team=a,b", write(folder, text))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert calls_by(command, "tag:team") == {"a,b": 6}


def test_a_signal_that_comes_while_a_lock_is_held_waits_for_nobody(folder: Path) -> None:
    """As when a child of a pool is just draining at its exit: the writer needs what the main thread holds."""
    text = """
        import os, pathlib, signal, threading, time
        from outlay.journal.endings import drain_when_terminated

        lock = threading.Lock()

        def flush(timeout):
            if lock.acquire(timeout=timeout):
                pathlib.Path("kept").touch()
            return True

        drain_when_terminated(flush)
        with lock:
            os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)
    """
    done = subprocess.run([sys.executable, write(folder, text)], cwd=folder, timeout=60, check=False)
    assert done.returncode == -signal.SIGTERM
    assert (folder / "kept").exists()


def test_a_started_interpreter_is_recorded_in_the_same_ledger_from_another_folder(
    command: Command, folder: Path
) -> None:
    write(folder, 'ledger = "costs"\n[tags]\nrow = "7"', "outlay.toml")
    (folder / "deep").mkdir()
    text = """
        import subprocess, sys
        code = "import sys; sys.path.insert(0, '..'); from asking import ask; ask()"
        subprocess.run([sys.executable, "-c", code], cwd="deep", check=True)
    """
    assert command("run", write(folder, text), OUTLAY_LEDGER="").returncode == 0
    document = json.loads(command("report", "--by", "tag:row", "--json", OUTLAY_LEDGER="").stdout)
    assert [(row["tag:row"], row["calls"]) for row in document["rows"]] == [("7", 1)]


def test_a_child_without_an_sdk_loads_nothing_and_sees_its_own_path(command: Command, folder: Path) -> None:
    text = """
        import subprocess, sys
        code = (
            "import sys; print([name for name in sorted(sys.modules) if name.startswith('outlay')],"
            "[path for path in sys.path if 'outlay/startup' in path])"
        )
        print(subprocess.check_output([sys.executable, "-c", code], text=True))
    """
    loaded, paths = re.findall(r"\[.*?\]", command("run", write(folder, text)).stdout)
    assert loaded == "['outlay', 'outlay.core', 'outlay.core.inherited', 'outlay.running']"
    assert paths == "[]"


def test_the_users_own_sitecustomize_runs_too(command: Command, folder: Path) -> None:
    (folder / "site").mkdir()
    write(folder / "site", "import sys; sys.theirs = __name__, __file__", "sitecustomize.py")
    text = """
        import subprocess, sys
        code = "import sys, sitecustomize; print(sys.theirs == ('sitecustomize', sitecustomize.__file__))"
        print(subprocess.check_output([sys.executable, "-c", code], text=True).strip())
    """
    done = command("run", write(folder, text), PYTHONPATH=str(folder / "site"))
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_an_empty_entry_of_the_path_is_the_working_folder_in_a_child_too(
    command: Command, folder: Path
) -> None:
    (folder / "scripts").mkdir()
    write(folder, "here = 'found'", "beside.py")
    write(folder / "scripts", "import beside; print(beside.here)", "child.py")
    text = """
        import subprocess, sys
        subprocess.run([sys.executable, "scripts/child.py"], check=True)
    """
    done = command("run", write(folder, text), PYTHONPATH=f"{os.pathsep}elsewhere")
    assert (done.stdout, done.stderr) == ("found\n", "")


def test_a_child_that_is_terminated_drains_and_ends_by_the_signal(command: Command, folder: Path) -> None:
    child = """
        import time
        from asking import ask

        ask()
        print("ready", flush=True)
        for _ in range(600):
            time.sleep(0.1)  # Python takes a signal that comes just before a wait when that wait is over
    """
    write(folder, child, "child.py")
    text = """
        import subprocess, sys
        child = subprocess.Popen([sys.executable, "child.py"], stdout=subprocess.PIPE)
        child.stdout.readline()
        child.terminate()
        print(child.wait(30))
    """
    assert command("run", write(folder, text)).stdout == "-15\n"
    assert calls_by(command, "provider") == {"groq": 1}


def test_a_child_that_gives_the_signal_back_is_drained_too(command: Command, folder: Path) -> None:
    """As a worker of uvicorn does; and as an event loop does with the signals that were added to it."""
    child = """
        import asyncio, signal, sys

        def capture():
            before = signal.signal(signal.SIGTERM, lambda *_: None)
            from asking import ask
            ask()
            signal.signal(signal.SIGTERM, before)

        async def on_a_loop():
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, print)
            from asking import ask
            ask()

        capture() if sys.argv[1] == "capture" else asyncio.run(on_a_loop())
        signal.raise_signal(signal.SIGTERM)
        import time
        time.sleep(60)
    """
    write(folder, child, "child.py")
    text = """
        import subprocess, sys
        for how in ("capture", "loop"):
            print(subprocess.run([sys.executable, "child.py", how], check=False, timeout=30).returncode)
    """
    assert command("run", write(folder, text)).stdout == "-15\n-15\n"
    assert calls_by(command, "provider") == {"groq": 2}


def test_under_pytest(command: Command, folder: Path) -> None:
    write(folder, "from asking import ask\n\ndef test_it():\n    ask()", "test_asking.py")
    done = command("run", "pytest", "-q", "-p", "no:cacheprovider", "test_asking.py")
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
    assert calls_by(command, "provider") == {"groq": 1}


def test_a_terminal_is_shown_what_the_program_and_its_children_cost(
    environ: dict[str, str], folder: Path
) -> None:
    text = """
        import multiprocessing, subprocess, sys
        from asking import ask

        if __name__ == "__main__":
            with multiprocessing.get_context("fork").Pool(1) as pool:
                pool.map(ask, range(2))
            subprocess.run([sys.executable, "-c", "from asking import ask; ask()"], check=True)
            ask()
    """
    shown = shown_on_a_terminal(write(folder, text), environ, folder)
    # four calls of 1000 and 100 tokens, at 0.59 and 0.79 a million: 4 x 0.000669
    assert shown.count("COST & USAGE SUMMARY") == 1
    assert "Total calls       : 4 (4 succeeded)" in shown
    assert "Total cost        : $0.002676" in shown


def test_a_terminal_is_told_that_no_call_was_seen_and_what_to_do_for_http_clients(
    environ: dict[str, str], folder: Path
) -> None:
    shown = shown_on_a_terminal(write(folder, "pass"), environ, folder)
    assert shown.startswith("outlay: no calls were seen; ")
    assert 'outlay.instrument("requests")' in shown
    assert len(shown.splitlines()) == 1


def shown_on_a_terminal(program: str, environ: dict[str, str], folder: Path) -> str:
    """Run a program whose standard error is a terminal, and give what stood there."""
    main, side = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "outlay", "run", program],
        cwd=folder,
        env=environ,
        stderr=side,
        stdout=subprocess.PIPE,
    ) as process:
        os.close(side)
        assert process.wait(60) == 0
        return read_terminal(main)


def read_terminal(descriptor: int) -> str:
    parts = []
    while select.select([descriptor], [], [], 1)[0]:
        try:
            parts.append(os.read(descriptor, 1 << 16))
        except OSError:  # nobody holds the other side any more
            break
    os.close(descriptor)
    return b"".join(parts).decode()


APP = """
import asyncio
from asking import ask

def wsgi(environ, start_response):
    ask()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"done"]

async def asgi(scope, receive, send):
    if scope["type"] != "http":
        return
    await asyncio.to_thread(ask)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"done"})
"""


@contextmanager
def serving(command: list[str], port: int, folder: Path, environ: dict[str, str]) -> Iterator[None]:
    """Run a server until it answers, and end it by SIGTERM; it must end by itself then."""
    log = folder / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "outlay", "run", *command], cwd=folder, env=environ, stdout=out, stderr=out
        )
    try:
        deadline = time.monotonic() + 60
        while not answers(port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in {0, -signal.SIGTERM}, log.read_text()
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize(
    ("program", "options"),
    [
        ("gunicorn", ["--workers", "2", "--no-control-socket", "--bind", "127.0.0.1:{port}", "app:wsgi"]),
        ("uvicorn", ["--workers", "2", "--port", "{port}", "--lifespan", "off", "app:asgi"]),
    ],
)
def test_the_workers_of_a_server_are_recorded(
    command: Command, environ: dict[str, str], folder: Path, program: str, options: list[str]
) -> None:
    write(folder, APP, "app.py")
    port = free_port()
    given = [program, *(each.format(port=port) for each in options)]
    with serving(
        given, port, folder, {**environ, "PATH": f"{Path(sys.executable).parent}:{environ['PATH']}"}
    ):
        for _ in range(3):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
                assert answer.read() == b"done"
    assert calls_by(command, "provider") == {"groq": 3}


def test_a_server_that_its_own_program_instruments_is_drained_when_it_has_shut_down(
    command: Command, environ: dict[str, str], folder: Path
) -> None:
    """Uvicorn handles the signal, shuts down, puts back what was there before, and sends it to itself."""
    text = """
        import outlay, os, signal, uvicorn
        outlay.instrument()
        from asking import ask

        async def app(scope, receive, send):
            while True:
                kind = (await receive())["type"]
                if kind == "lifespan.shutdown":
                    ask()
                await send({"type": f"{kind}.complete"})

        class Server(uvicorn.Server):
            async def startup(self, sockets=None):
                await super().startup(sockets)
                os.kill(os.getpid(), signal.SIGTERM)

        Server(uvicorn.Config(app, port=0, log_level="warning")).run()
    """
    done = subprocess.run(
        [sys.executable, write(folder, text)], cwd=folder, env=environ, timeout=60, check=False
    )
    assert done.returncode == -signal.SIGTERM
    assert calls_by(command, "provider") == {"groq": 1}


def test_a_hard_stop_holds_in_a_child_that_starts_in_another_folder(command: Command, folder: Path) -> None:
    write(folder, '[[alerts.rules]]\nname = "daily"\nbudget = 0.0000001\nstop = true\n', "outlay.toml")
    write(folder, "from asking import ask; ask(); ask()", "child.py")
    text = f"""
        import subprocess, sys
        child = subprocess.run([sys.executable, "{folder}/child.py"], cwd="/", capture_output=True, text=True)
        assert "BudgetExceededError" in child.stderr, child.stderr
    """
    done = command("run", write(folder, text))
    assert (done.returncode, done.stderr) == (0, "")
    assert calls_by(command, "model") == {"llama-3.3-70b-versatile": 1}


def test_a_child_may_have_a_finder_of_the_old_kind(command: Command, folder: Path) -> None:
    """Python 3.12 passes by what has no ``find_spec``; 3.11 asks it for ``find_module``."""
    child = """
        import sys
        sys.meta_path.append(type("Old", (), {"find_module": lambda *_: None})())
        try:
            import mistralai.sdk  # no finder has it in this release
        except ImportError:
            from asking import ask
        ask()
    """
    write(folder, child, "child.py")
    text = f"""
        import subprocess, sys
        subprocess.run([sys.executable, "{folder}/child.py"], check=True)
    """
    done = command("run", write(folder, text))
    assert (done.returncode, done.stderr) == (0, "")
    assert calls_by(command, "provider") == {"groq": 1}
