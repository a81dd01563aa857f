"""Makes the pictures of README and docs: terminal, picture, page, live dashboard; run by ``make pictures``.

Sixty days of made-up calls, the same each time, in a ledger of its own. The browser is the Chromium that the
machine has. Whoever runs this looks at what came out before it is committed.
"""

import os
import pty
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.text import Text

from outlay import process
from outlay.settings import load

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
END = datetime(2026, 11, 22, 18, tzinfo=UTC)
DAYS = 60
PERIOD = ("--since", "2026-09-24", "--until", "2026-11-23")
WIDTH, HEIGHT = 1160, 900
_COLUMNS = 140  # of the terminal: as many as the table takes
MODELS = (("openai", "gpt-4o", 3), ("openai", "gpt-4o-mini", 8), ("anthropic", "claude-sonnet-4-5", 4),
          ("google", "gemini-2.5-pro", 2), ("openai", "my-fine-tune", 1))  # fmt: skip


def main() -> None:
    """Make every picture anew."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        os.environ["OUTLAY_LEDGER"] = str(home / "ledger")
        fill(home)
        run("dashboard", "--png", str(PICTURES / "picture.png"), *PERIOD)
        run("dashboard", "--html", str(home / "page.html"), *PERIOD)
        with browser() as chromium:
            terminal(chromium, home, "report", "--by", "model", "--order", "cost", *PERIOD)
            shoot(chromium, (home / "page.html").as_uri(), PICTURES / "page.png", "#daily .main-svg")
            live(chromium)


def fill(home: Path) -> None:
    """Record the calls."""
    chance = random.Random(7)  # noqa: S311 - made-up calls
    here = process.use(load(dict(os.environ), home))
    models = [(provider, model) for provider, model, weight in MODELS for _ in range(weight)]
    for n in range(DAYS):
        day = END - timedelta(days=DAYS - 1 - n)
        for _ in range(round((20 if day.weekday() > 4 else 50) * (1 + n / DAYS))):  # noqa: PLR2004 - weekends
            provider, model = chance.choice(models)
            failed = chance.random() < 0.03  # noqa: PLR2004 - a few
            here.recorder().record(
                provider=provider,
                model=model,
                at=day - timedelta(seconds=chance.randrange(36_000)),
                input_tokens=round(chance.lognormvariate(8, 0.8)),
                output_tokens=round(chance.lognormvariate(5.5, 0.7)),
                latency_ms=chance.lognormvariate(7, 0.6),
                user=f"user-{chance.randrange(12)}",
                tags={"feature": chance.choice(["search", "summary", "chat", "chat"])},
                **({"error_type": "RateLimitError", "error": "429"} if failed else {}),
            )
    here.flush()


def run(*arguments: str) -> None:
    """Run the command."""
    subprocess.run([sys.executable, "-m", "outlay", *arguments], check=True)  # noqa: S603 - our own command


def terminal(chromium: Browser, home: Path, *arguments: str) -> None:
    """Show what the command prints on a terminal."""
    main_end, end = pty.openpty()
    environ = {**os.environ, "COLUMNS": f"{_COLUMNS}", "TERM": "xterm-256color"}
    command = [sys.executable, "-m", "outlay", *arguments]
    with subprocess.Popen(command, stdout=end, env=environ) as process:  # noqa: S603 - our own command
        os.close(end)
        printed = b"".join(iter(lambda: read(main_end), b""))
        process.wait()
    console = Console(record=True, width=_COLUMNS, file=open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    console.print(Text.from_ansi(printed.decode()))
    (home / "terminal.svg").write_text(console.export_svg(title=f"outlay {arguments[0]}"), "utf-8")
    page = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    page.set_content((home / "terminal.svg").read_text("utf-8"))
    page.locator("svg").screenshot(path=PICTURES / "terminal.png")
    page.close()


def read(descriptor: int) -> bytes:
    """Read from a terminal; its end is an error on Linux."""
    try:
        return os.read(descriptor, 65_536)
    except OSError:
        return b""


def shoot(chromium: Browser, url: str, path: Path, ready: str) -> None:
    """Open a page, wait until it is drawn, and take its picture."""
    page = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    page.goto(url)
    page.wait_for_selector(ready, timeout=60_000)
    page.wait_for_timeout(1_500)
    page.screenshot(path=path)
    page.close()


def live(chromium: Browser) -> None:
    """Start the live dashboard, and take its picture."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "outlay", "dashboard", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:  # noqa: S603 - our own command
        try:
            wait(f"http://localhost:{port}/_stcore/health")
            url = f"http://localhost:{port}/?period=all"
            shoot(chromium, url, PICTURES / "live.png", ".js-plotly-plot .main-svg")
        finally:
            server.terminate()


def wait(url: str) -> None:
    """Wait for a server, a minute at most."""
    for _ in range(300):
        try:
            with urlopen(url):  # noqa: S310 - our own server
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"{url} did not answer")


@contextmanager
def browser() -> Iterator[Browser]:
    """Start the machine's Chromium."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        raise SystemExit("there is no Chromium on this machine: apt-get install chromium")
    flags: Any = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=flags)
        yield started
        started.close()


if __name__ == "__main__":
    main()
