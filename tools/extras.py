"""Install a wheel with each extra alone into an environment of its own, and use what the extra is for.

python -m tools.extras WHEEL [EXTRA…]

Without extras named: none at all, and then each that the wheel knows. Needs uv and a package index; not part
of the tests, since it downloads what a user would.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

_SDK = 'assert outlay.instrument("{name}") == ("{name}".replace("-", "_"),)'
_REPORT = 'outlay.open("memory:").report(by="model").{how}()'
_PAGE = "from outlay.cli import main; main(['dashboard', '--ledger', 'memory:', '--{how}', 'out'])"
USES = {
    "postgresql": "import outlay.ledger.postgres.connection, outlay.ledger.postgres.rollups",
    "clickhouse": "import clickhouse_connect; import outlay.ledger.clickhouse.client",
    "chdb": "print(outlay.open('chdb:///' + os.path.abspath('kept')).report().total['calls'])",
    "django": (
        "from django.conf import settings; settings.configure(INSTALLED_APPS=['outlay.contrib.django']);"
        "import django; django.setup();"
        "import outlay.contrib.django.middleware, outlay.contrib.django.models"
    ),
    "alerts": "import apprise; import outlay.alerts.apprise_channel",
    "watch": "import outlay.cli.watch_view",
    "png": _PAGE.format(how="png"),
    "html": _PAGE.format(how="html"),
    "dashboard": "import outlay.contrib.streamlit_app, outlay.contrib.live.details",
    "polars": _REPORT.format(how="to_polars"),
    "pandas": _REPORT.format(how="to_pandas"),
    "arrow": _REPORT.format(how="to_arrow"),
    "opentelemetry": "import outlay.otel.metrics, outlay.otel.processor",
    "all": (
        "import outlay.contrib.streamlit_app, outlay.cli.watch_view; outlay.instrument('openai', 'anthropic')"
    ),
}
"""What an extra must do when it is the only one; any other is an SDK or a transport to be hooked."""

EVERYWHERE = """
import decimal, importlib, os, pkgutil, sys
import outlay
for module in pkgutil.walk_packages(outlay.__path__, "outlay.", onerror=lambda name: None):
    if module.name.endswith("__main__") or module.name.startswith("outlay.contrib.django."):
        continue  # Django's need its settings
    try:
        importlib.import_module(module.name)
    except ImportError as error:
        missing = getattr(error, "name", None) or ""
        if missing.startswith("outlay"):
            raise
record = outlay.record(provider="openai", model="gpt-4o", input_tokens=1000, output_tokens=500)
assert record.cost == decimal.Decimal("0.0075"), record.cost
assert outlay.flush()
assert outlay.open().report().total["calls"] == 1
"""
"""What works without any extra and beside each: every module imports or says which package it lacks."""


def extras_of(wheel: Path) -> list[str]:
    """Give the extras that a wheel names."""
    with ZipFile(wheel) as packed:
        metadata = next(name for name in packed.namelist() if name.endswith(".dist-info/METADATA"))
        lines = packed.read(metadata).decode().splitlines()
    return [line.removeprefix("Provides-Extra: ") for line in lines if line.startswith("Provides-Extra: ")]


def tried(wheel: Path, extra: str, uv: str) -> str:
    """Install and use one extra, or none; give a line on it.

    Raises:
        CalledProcessError: it cannot be installed, or does not do what it is for.
    """
    with TemporaryDirectory(prefix="outlay-extra-") as name:
        home = Path(name)
        python = home / "venv" / "bin" / "python"
        wanted = f"{wheel.resolve()}[{extra}]" if extra else str(wheel.resolve())
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(home / "venv")], home)
        _run([uv, "pip", "install", "--quiet", "--python", str(python), wanted], home)
        use = "pass" if not extra else USES.get(extra, _SDK.format(name=extra))
        environment = {"HOME": name, "OUTLAY_LEDGER": str(home / "ledger"), "PATH": "/usr/bin:/bin"}
        _run([str(python), "-W", "error::SyntaxWarning", "-c", EVERYWHERE], home, environment)
        _run([str(python), "-c", f"import os, outlay; {use}"], home, environment)
        packages = len(_run([uv, "pip", "list", "--quiet", "--python", str(python)], home).splitlines()) - 2
        size = sum(path.stat().st_size for path in (home / "venv").rglob("*") if path.is_file())
    return f"{extra or '(none)':14} {packages:4} packages {size / 1e6:7.0f} MB  ok"


def _run(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - uv and Python
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    return done.stdout


def main() -> int:
    """Try all that was asked for; go on after a failure and say so at the end."""
    wheel, *asked = sys.argv[1:]
    uv, failed = str(Path(".build/bin/uv").resolve()) if Path(".build/bin/uv").exists() else "uv", 0
    for extra in asked or ["", *extras_of(Path(wheel))]:
        try:
            print(tried(Path(wheel), extra, uv), flush=True)
        except subprocess.CalledProcessError as error:
            failed += 1
            print(f"{extra or '(none)':14} FAILED\n{error.output}{error.stderr}", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
