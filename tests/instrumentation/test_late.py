"""Hooking at import: right after the module is loaded, never before, and never in the program's way."""

import importlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any
from zipfile import ZipFile

import pytest

from outlay.capture import guard
from outlay.core.inherited import MODULES
from outlay.instrumentation import FRAMEWORKS, PACKAGES, late


def printed(program: str) -> list[str]:
    """Run a program, whose calls are kept in memory, and give the lines that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OUTLAY_LEDGER": "memory:"},
    )
    return done.stdout.splitlines()


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Stand in for three SDKs by small modules; one is imported already, one is broken."""
    for name, text in (("sdk_one", "ready = True"), ("sdk_two", ""), ("sdk_broken", "raise OSError('oh')")):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(late, "MODULES", {"one": "sdk_one", "two": "sdk_two", "broken": "sdk_broken"})
    importlib.import_module("sdk_two")
    hooked: list[str] = []

    def hook(name: str) -> None:
        assert name != "one" or sys.modules["sdk_one"].ready
        hooked.append(name)

    late.hook_when_imported(hook)
    yield hooked
    for name in ("sdk_one", "sdk_two", "sdk_broken"):
        sys.modules.pop(name, None)


def test_every_sdk_that_can_be_hooked_is_waited_for() -> None:
    assert set(MODULES) == {*PACKAGES, *FRAMEWORKS}


def test_what_is_there_is_hooked_at_once_and_the_rest_when_it_comes(seen: list[str]) -> None:
    assert seen == ["two"]
    assert importlib.util.find_spec("sdk_one") is not None  # looking is not importing
    assert seen == ["two"]
    importlib.import_module("sdk_one")
    importlib.import_module("sdk_one")
    assert seen == ["two", "one"]


def test_a_module_that_breaks_while_it_loads_is_not_hooked(seen: list[str]) -> None:
    with pytest.raises(OSError, match="oh"):
        importlib.import_module("sdk_broken")
    assert seen == ["two"]


def test_other_modules_are_found_as_ever(seen: list[str]) -> None:
    assert importlib.util.find_spec("no_such_module_anywhere") is None
    assert seen == ["two"]


def test_a_hook_that_fails_does_not_stop_the_import(
    seen: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(guard, "failures", {})

    def broken(_name: str) -> None:
        raise RuntimeError("oh")

    late.hook_when_imported(broken)
    assert importlib.import_module("sdk_one").ready
    assert "left out" in caplog.text


def test_nothing_is_hooked_any_more_once_it_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sdk_three.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(late, "MODULES", {"three": "sdk_three"})
    before = list(sys.meta_path)
    hooked: list[str] = []
    forget = late.hook_when_imported(hooked.append)
    forget()
    forget()
    importlib.import_module("sdk_three")
    assert (hooked, sys.meta_path) == ([], before)


def test_the_public_instrument_hooks_what_a_program_imports_and_loads_nothing_itself() -> None:
    code = (
        "import sys, outlay; hooked = outlay.instrument(); loaded = 'openai' in sys.modules;"
        "import openai; first = hasattr(openai._base_client.SyncAPIClient.request, '__wrapped__');"
        "outlay.uninstrument(); import groq;"
        "print(hooked, loaded, first, hasattr(openai._base_client.SyncAPIClient.request, '__wrapped__'),"
        "hasattr(groq._base_client.SyncAPIClient.request, '__wrapped__'))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "() False True False False"


def test_the_module_of_an_older_release_is_waited_for_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sdk_of_old.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(late, "MODULES", {"one": "sdk_of_new"})
    monkeypatch.setattr(late, "FORMERLY", {"sdk_of_old": "one"})
    hooked: list[str] = []
    forget = late.hook_when_imported(hooked.append)
    importlib.import_module("sdk_of_old")
    forget()
    sys.modules.pop("sdk_of_old")
    assert hooked == ["one"]


class Unchangeable(Loader):
    """A loader that takes no method, as one written in C."""

    __slots__ = ()

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["ready"] = True

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(name)


class Around:
    """What another tool puts around each finder."""

    def __init__(self, finder: Any) -> None:
        self.find_spec = finder.find_spec


def test_an_import_goes_on_where_its_loader_cannot_be_asked_to_tell(
    seen: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Finding:
        """Finds one module."""

        def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
            return ModuleSpec(name, Unchangeable()) if name == "sdk_one" else None

    monkeypatch.setattr(sys, "meta_path", [sys.meta_path[0], Finding(), *sys.meta_path[1:]])
    assert importlib.import_module("sdk_one").ready
    assert seen == ["two"]


def test_an_import_goes_on_and_is_told_where_others_stand_around_every_finder(
    seen: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "meta_path", [Around(finder) for finder in sys.meta_path])
    assert importlib.import_module("sdk_one").ready
    assert importlib.util.find_spec("sdk_of_nobody") is None
    assert seen == ["two", "one"]


def test_a_package_in_a_zip_is_hooked_once_and_when_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands side by side in a zip has one loader, also what the package needs itself."""
    with ZipFile(tmp_path / "all.zip", "w") as packed:
        packed.writestr("sdk_zipped/__init__.py", "import sdk_needed\nready = True\n")
        packed.writestr("sdk_needed.py", "")
    monkeypatch.syspath_prepend(tmp_path / "all.zip")
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(late, "MODULES", {"zipped": "sdk_zipped"})
    hooked: list[bool] = []
    late.hook_when_imported(lambda _name: hooked.append(hasattr(sys.modules["sdk_zipped"], "ready")))
    importlib.import_module("sdk_zipped")
    assert hooked == [True]


def test_an_sdk_that_was_taken_out_by_name_stays_out_until_it_is_asked_for_again() -> None:
    """Whether the program has imported it by then or not."""
    program = """
import outlay
outlay.instrument()
import openai
outlay.uninstrument("openai", "groq")
import groq, together
print(*(each.request.__code__.co_filename for each in (openai.OpenAI, groq.Groq, together.Together)))
plain = openai.OpenAI.request
print(outlay.instrument() == ("together", "openai", "groq"), openai.OpenAI.request is not plain)
print(outlay.instrument("openai") == outlay.instrument() == ("together", "openai", "groq"))
"""
    first, *rest = printed(program)
    assert ["instrumentation" in name.split("/") for name in first.split()] == [False, False, True]
    assert rest == ["True True", "True"]


def test_an_sdk_that_is_named_while_its_import_is_watched_is_hooked_once() -> None:
    """Naming it imports it: each run of a chat model would be two calls, and one hook would stay for good."""
    program = """
import sys
import outlay
outlay.instrument()
assert "groq" not in sys.modules and "langchain_core" not in sys.modules
print(outlay.instrument("groq", "langchain"))
from langchain_core.language_models import FakeListChatModel
FakeListChatModel(responses=["hi"]).invoke("x")
with outlay.open() as ledger:
    print(len(ledger.calls()))
outlay.uninstrument()
import groq
print("instrumentation" in groq.Groq.request.__code__.co_filename.split("/"))
"""
    assert printed(program) == ["('groq', 'langchain')", "1", "False"]
