"""Where calls are kept when nobody says it, where a container knows neither a user nor a folder."""

import os
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from outlay import process
from outlay.cli import main
from outlay.core.errors import SettingsError
from outlay.home import default_home
from outlay.settings import load


def nobody_knows(*_: object, **__: object) -> Path:
    """What platformdirs says of a user without HOME and without an entry in the machine's list."""
    raise RuntimeError("could not determine the home directory")


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(platformdirs, "user_data_path", nobody_knows)
    with pytest.raises(SettingsError, match="set OUTLAY_HOME to a folder that can be written"):
        default_home()
    with pytest.raises(SettingsError, match="no home folder"):
        load({}, tmp_path)
    assert load({"OUTLAY_HOME": str(tmp_path / "calls")}, tmp_path).home == tmp_path / "calls"


def test_such_a_user_gets_one_line_and_no_fault_of_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(platformdirs, "user_data_path", nobody_knows)
    monkeypatch.chdir(tmp_path)
    for name in ("OUTLAY_LEDGER", "OUTLAY_HOME"):
        monkeypatch.delenv(name, raising=False)
    process.use(None)
    assert main(["report"]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert err.startswith("outlay: this user has no home folder")


@pytest.mark.skipif(
    sys.version_info[:3] == (3, 13, 0),
    reason='it cannot import socket there: python -c "import os; os.rmdir(os.getcwd()); import socket"',
)
def test_a_working_folder_that_was_removed_stops_no_program(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    code = (
        "import os; os.rmdir(os.getcwd()); import outlay; outlay.instrument();"
        "print(outlay.record(provider='openai', model='gpt-4o', input_tokens=1000).cost_status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "OUTLAY_LEDGER": str(tmp_path / "ledger")},
        cwd=tmp_path / "gone",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "priced\n"), done.stderr
