"""Which SDKs are hooked: all together, each alone, none; and the page that says so."""

import json
import os
import re
import subprocess
import sys
import threading
from importlib import metadata
from pathlib import Path

import pytest
from tests.support.wire import Kept

from outlay.capture import Recorder, SystemClock
from outlay.capture.guard import note_failure
from outlay.core.errors import MissingExtraError, SettingsError
from outlay.instrumentation import FRAMEWORKS, PACKAGES, TRANSPORTS, Hooks, hooks
from outlay.instrumentation.patches import Patches
from outlay.pricing import cost_of

PAGE = Path(__file__).parents[2] / "docs" / "sdks.md"
SCRIPT = """
import importlib, json, sys
import outlay
outlay.instrument()
from outlay.instrumentation.late import MODULES
for module in MODULES.values():
    importlib.import_module(module)
hooked = outlay.instrument()
from outlay.cli import main
print(json.dumps(hooked), file=sys.stderr)
sys.exit(main(["doctor", "--json"]))
"""


def made() -> Hooks:
    recorder = Recorder(Kept(), clock=SystemClock(), price=cost_of)
    return Hooks(lambda: recorder)


@pytest.mark.parametrize("name", [*PACKAGES, *TRANSPORTS, *FRAMEWORKS])
def test_an_sdks_version_is_read_as_pythons_own_reader_does(name: str) -> None:
    try:
        version: str | None = metadata.version(hooks._ALL[name])
    except metadata.PackageNotFoundError:
        version = None
    assert hooks._version(name) == version


@pytest.mark.parametrize(
    ("file", "text", "version"),
    [
        (
            "groq-9.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: groq\nVersion: 9.1\n\nVersion: 3\n",
            "9.1",
        ),
        ("groq-9.dist-info/METADATA", "name: groq\nversion:\t9.2rc1\nSummary: Version: 4\n", "9.2rc1"),
        ("groq.egg-info/PKG-INFO", "Metadata-Version: 1.0\nName: groq\nVersion: 9.3\n", "9.3"),
    ],
)
def test_a_version_is_read_in_every_form_that_packages_state_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, text: str, version: str
) -> None:
    (tmp_path / file).parent.mkdir()
    (tmp_path / file).write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert hooks._version("groq") == version


def test_an_sdk_is_known_by_the_name_of_its_extra() -> None:
    assert hooks.checked("openai-agents") == "openai_agents"
    assert hooks.checked("pydantic-ai") == "pydantic_ai"
    sdks = made()
    assert sdks.instrument("pydantic-ai") == ("pydantic_ai",)
    sdks.uninstrument("pydantic-ai")
    assert not sdks._patches
    with pytest.raises(SettingsError, match="no SDK 'openai-agent' is supported yet; did you mean"):
        hooks.checked("openai-agent")


def test_all_sdks_installed_together_are_hooked_and_the_doctor_says_so(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OUTLAY_")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**kept, "OUTLAY_LEDGER": str(tmp_path / "ledger"), "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(json.loads(done.stderr.splitlines()[-1])) == sorted({**PACKAGES, **FRAMEWORKS})
    found = {each["name"]: each["state"] for each in json.loads(done.stdout)["instrumentable"]}
    assert found == dict.fromkeys({**PACKAGES, **FRAMEWORKS}, "hooked")


@pytest.mark.parametrize("name", PACKAGES)
def test_each_sdk_is_hooked_where_it_is_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    version = hooks._version(name)
    monkeypatch.setattr(hooks, "_version", lambda asked: version if asked == name else None)
    here = made()
    assert here.instrument() == (name,)
    assert {each.name: each.state for each in here.status()} == {
        each: "hooked" if each == name else "not installed" for each in (*PACKAGES, *FRAMEWORKS)
    }
    here.uninstrument()
    assert {each.state for each in here.status() if each.name == name} == {"installed"}


def test_where_no_sdk_is_installed_nothing_is_hooked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "_version", lambda _name: None)
    here = made()
    assert here.instrument() == ()
    assert {each.state for each in here.status()} == {"not installed"}
    with pytest.raises(MissingExtraError, match=r'pip install "outlay\[groq\]"'):
        here.instrument("groq")


def test_what_is_missing_is_named_as_its_extra_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """An older pip (23.0) knows an extra by that spelling alone, and installs nothing by another."""
    monkeypatch.setattr(hooks, "_version", lambda _name: None)
    extras = set(metadata.metadata("outlay").get_all("Provides-Extra", []))
    for name in (*PACKAGES, *FRAMEWORKS, *TRANSPORTS):
        with pytest.raises(MissingExtraError) as missing:
            made().instrument(name)
        assert str(missing.value).partition("outlay[")[2].rstrip(']"') in extras


@pytest.mark.parametrize("name", ["boto3", "openai_agents"])
def test_a_module_that_others_have_too_asks_for_no_package(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Botocore comes with aiobotocore too; many a program has an ``agents.run`` of its own."""
    monkeypatch.setattr(hooks, "_version", lambda _name: None)
    here = made()
    here._came(name, include_usage=True)
    assert not here._patches
    with pytest.raises(MissingExtraError):  # a program that is packed without what tells its versions
        here._came("openai", include_usage=True)


def test_an_sdk_that_is_too_old_is_left_alone_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "_version", lambda _name: "0.1.0")
    here = made()
    assert here.instrument() == ()
    assert {each.state for each in here.status()} == {"too old"}
    assert {each.name: each.oldest for each in here.status()}["openai"] == "1.40"
    with pytest.raises(SettingsError, match=r"groq 0\.1\.0 is too old to hook; it needs 0\.30 or newer: pip"):
        here.instrument("groq")


def test_when_such_an_sdk_is_imported_that_is_said_in_plain_words(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("outlay.capture.guard.failures", {})
    note_failure("watch", SettingsError("groq 0.1.0 is too old to hook; it needs 0.30 or newer"))
    assert caplog.messages == ["outlay: groq 0.1.0 is too old to hook; it needs 0.30 or newer"]


def test_the_page_tells_of_every_sdk_its_package_and_its_oldest_version() -> None:
    rows = re.findall(r"^\| (\w+) \| ([\w-]+) \| ([\d.]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [
        (name, package, ".".join(map(str, hooks._leaf(name).OLDEST)))
        for name, package in {**PACKAGES, **FRAMEWORKS, **TRANSPORTS}.items()
    ]


def test_a_thread_goes_on_when_all_is_hooked_though_another_one_began_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began, go_on = threading.Event(), threading.Event()
    unready: list[bool] = []
    patches = Patches()

    class Slow:
        OLDEST = (1,)

        def instrument(self, _recorder: object, *, include_usage: bool) -> Patches:
            began.set()
            go_on.wait(10)
            patches.on_undo(lambda: None)
            return patches

    monkeypatch.setattr(hooks, "_leaf", lambda _name: Slow())
    ours = made()
    first = threading.Thread(target=ours.instrument, args=("openai",))

    def follow() -> None:
        ours.instrument("openai")
        unready.append(not go_on.is_set())

    second = threading.Thread(target=follow)
    first.start()
    assert began.wait(10)
    second.start()
    second.join(0.2)
    go_on.set()
    first.join(10)
    second.join(10)
    assert unready == [False]
    ours.uninstrument()
    assert not patches.active


def test_what_is_taken_out_while_an_import_hooks_it_is_out(monkeypatch: pytest.MonkeyPatch) -> None:
    patches = Patches()
    ours = made()

    class Crossed:
        OLDEST = (1,)

        def instrument(self, _recorder: object, *, include_usage: bool) -> Patches:
            other = threading.Thread(target=ours.uninstrument)
            other.start()
            other.join(10)
            assert not other.is_alive()
            return patches

    monkeypatch.setattr(hooks, "_leaf", lambda _name: Crossed())
    ours._came("openai", include_usage=True)
    assert not patches.active
