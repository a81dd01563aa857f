"""The first outlay.toml: it says every setting, changes none, and touches no file that is there."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import Done

from outlay.cli.settings_file import SETTINGS, TABLES, quoted, settings_text
from outlay.settings import load
from outlay.settings.readers import READERS

SETTING = re.compile(r"^#(?=[a-z\[])", re.MULTILINE)
EXAMPLE = re.compile(r"^#   (?=[a-z\[])", re.MULTILINE)
Outlay = Callable[..., Done]


def test_every_setting_is_in_it_once() -> None:
    assert sorted(each.key for each in (*SETTINGS, *TABLES)) == sorted(READERS)
    text = settings_text(Path("/somewhere"))
    for key in READERS:
        assert re.search(rf"^#(   )?\[?{key}[\] ]", text, re.MULTILINE), key


def test_with_every_line_uncommented_it_says_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "with").mkdir()
    (tmp_path / "without").mkdir()
    default = load({}, tmp_path / "without")
    text, count = SETTING.subn("", settings_text(default.home))
    assert count == sum(each.default is not None for each in SETTINGS) == 10
    (tmp_path / "with" / "outlay.toml").write_text(text, encoding="utf-8")
    loaded = load({}, tmp_path / "with")
    for name in READERS:
        assert getattr(loaded, name) == getattr(default, name), name


def test_its_examples_are_settings_that_load(tmp_path: Path) -> None:
    text, count = EXAMPLE.subn("", SETTING.sub("", settings_text(tmp_path)))
    assert count == 14
    (tmp_path / "outlay.toml").write_text(text, encoding="utf-8")
    loaded = load({}, tmp_path)
    assert (loaded.ledger, loaded.min_free) == ("postgresql://localhost/outlay", 500 * 10**6)
    assert loaded.alerts["rules"][0]["name"] == "daily"
    assert loaded.tags == {"team": "search", "app": "shop"}


def test_it_is_written_and_the_next_step_said(outlay: Outlay, tmp_path: Path) -> None:
    done = outlay("init")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].startswith("outlay.toml is written")
    assert done.stdout.splitlines()[-1].startswith("next: outlay run your_program.py")
    assert load({}, tmp_path).file == tmp_path / "outlay.toml"
    assert outlay("report").returncode == 0


def test_a_file_that_is_there_is_not_touched(outlay: Outlay, tmp_path: Path) -> None:
    (tmp_path / "outlay.toml").write_text('tz = "Asia/Tokyo"\n', encoding="utf-8")
    done = outlay("init")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "outlay: outlay.toml is there already, and nothing was written; edit it\n"
    assert (tmp_path / "outlay.toml").read_text(encoding="utf-8") == 'tz = "Asia/Tokyo"\n'


def test_a_ledger_that_is_named_is_set(outlay: Outlay, tmp_path: Path) -> None:
    url = "postgresql://me:secret@localhost/outlay"
    done = outlay("init", "app", "--ledger", url, "--json")
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert told["file"] == str(tmp_path / "app" / "outlay.toml")
    assert told["next"].startswith("outlay run")
    assert [note.split(":")[0] for note in told["notes"]] == ["the ledger's URL holds a password"]
    assert load({}, tmp_path / "app").ledger == url


def test_a_file_above_is_said_to_count_no_more(outlay: Outlay, tmp_path: Path) -> None:
    assert outlay("init").returncode == 0
    assert f"note: from here on {Path('app/outlay.toml')} counts alone" in outlay("init", "app").stdout


def test_a_ledger_that_cannot_be_is_refused(outlay: Outlay, tmp_path: Path) -> None:
    done = outlay("init", "--ledger", "mysql://here/there")
    assert done.returncode == 2
    assert "'mysql://here/there' names no ledger" in done.stderr
    assert not (tmp_path / "outlay.toml").exists()


def test_a_folder_that_cannot_be_written_is_one_line(outlay: Outlay, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = outlay("init", "file/inside")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("text", ["C:\\calls", 'a "b"', "tab\t"])
def test_a_text_is_quoted_as_toml_reads_it(text: str, tmp_path: Path) -> None:
    (tmp_path / "outlay.toml").write_text(f"redact_ = {quoted(text)}", encoding="utf-8")
    import tomllib  # noqa: PLC0415 - beside its one use

    assert tomllib.loads((tmp_path / "outlay.toml").read_text(encoding="utf-8")) == {"redact_": text}
