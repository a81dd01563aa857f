"""The public face: every name is there, loads when used, and importing it loads nothing else."""

import builtins
import subprocess
import sys
from pathlib import Path

import pytest

import outlay
from outlay.capture.keywords import RecordKeywords
from outlay.capture.recorder import _KEYWORDS

HEAVY = ("outlay.core", "outlay.pricing", "duckdb", "orjson", "rich", "click", "pandas", "polars", "openai")


@pytest.mark.parametrize("name", [*outlay.__all__, "open"])
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(outlay, name) is getattr(outlay, name)
    assert name in dir(outlay)


def test_taking_every_name_hides_no_builtin() -> None:
    taken: dict[str, object] = {}
    exec("from outlay import *", taken)  # noqa: S102 - as a notebook's first cell does
    assert {"record", "instrument", "usage_of"} < taken.keys()
    assert taken.keys().isdisjoint(vars(builtins))


def test_a_name_that_is_not_there_says_so() -> None:
    with pytest.raises(AttributeError, match="recrod"):
        outlay.recrod  # type: ignore[attr-defined] # noqa: B018 - looking is what fails


def test_importing_loads_nothing_of_weight() -> None:
    code = f"import sys, outlay; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_recording_by_hand_needs_neither_duckdb_nor_an_sdk() -> None:
    code = (
        "import sys, outlay; outlay.record(provider='openai', model='gpt-4o', input_tokens=1);"
        "print([name for name in ('duckdb', 'rich', 'click', 'pandas', 'openai') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={"OUTLAY_LEDGER": "memory:", "PATH": ""},
    )
    assert done.stdout.strip() == "[]"


def test_type_checkers_know_the_keywords_that_the_recorder_takes() -> None:
    assert RecordKeywords.__annotations__.keys() | {"provider", "model"} == _KEYWORDS | {"provider"}


def test_a_provider_that_nobody_named_is_unknown_and_the_call_is_counted() -> None:
    assert outlay.record(provider=None, model="gpt-4o", cost="0.5").provider == "unknown"  # type: ignore[arg-type]
    assert outlay.record(provider="", cost=1).provider == "unknown"


def test_settings_that_cannot_be_stop_a_program_at_its_own_line_for_us(tmp_path: Path) -> None:
    (tmp_path / "outlay.toml").write_text('ledgr = "elsewhere"\n')
    done = subprocess.run(
        [sys.executable, "-c", "import outlay; print('imported'); outlay.instrument(); print('on')"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("imported\n", 1)
    assert "unknown key 'ledgr'; did you mean ledger?" in done.stderr.splitlines()[-1]


def test_settings_that_cannot_be_stop_no_work_that_is_under_way(tmp_path: Path) -> None:
    (tmp_path / "outlay.toml").write_text('ledgr = "elsewhere"\n')
    code = """
import outlay

@outlay.track(user="u1")
def work(number):
    with outlay.measure(provider="acme", model="m1") as call:
        call.usage(input_tokens=number)
    return number, call.record.charge.reason

print(work(1), work(2))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    reason = "settings cannot be read, and this call is not kept"
    assert (done.stdout, done.returncode) == (f"{(1, reason)} {(2, reason)}\n", 0)
    assert done.stderr.count("unknown key 'ledgr'; did you mean ledger?") == 1
