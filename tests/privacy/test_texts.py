"""Texts stored by choice: through the program's own hook, without keys, cut; what fails is not kept."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.wire import Kept

import outlay
from outlay import process
from outlay.capture.guard import failures
from outlay.capture.texts import Texts, named
from outlay.settings import Settings


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    kept = Kept()
    here = process.use(Settings(home=tmp_path, ledger="memory:"))
    here.recorder().sink = kept
    yield kept
    process.use(None)


@pytest.mark.parametrize(
    ("redact", "text", "stored"),
    [
        (None, "hello", "hello"),
        (lambda text: text.replace("Ann", "[name]"), "hello Ann", "hello [name]"),
        (lambda text: None, "hello", None),
        (None, "use sk-proj-abcdefghij0123456789 now", "use [key] now"),
        (lambda text: text + " sk-proj-abcdefghij0123456789", "a hook may add", "a hook may add [key]"),
        (None, "x" * 100, "x" * 19 + "…"),
    ],
)
def test_what_is_kept_of_a_text(
    redact: Callable[[str], str | None] | None, text: str, stored: str | None
) -> None:
    assert Texts(redact, 20 if len(text) > 50 else 1000).kept(text) == stored


@pytest.mark.parametrize("wrong", [lambda text: 1 / 0, lambda text: 7])
def test_a_hook_that_fails_keeps_nothing(wrong: Callable[[str], str | None]) -> None:
    failures.clear()
    assert Texts(wrong).kept("hello") is None
    failures.clear()


def test_a_hook_by_its_dotted_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "our_rules.py").write_text("def shout(text): return text.upper()", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert Texts(named("our_rules.shout")).kept("hello") == "HELLO"
    assert Texts(named("our_rules:shout")).kept("hello") == "HELLO"
    sys.modules.pop("our_rules")


def test_a_name_that_cannot_be_imported_keeps_nothing(caplog: pytest.LogCaptureFixture) -> None:
    failures.clear()
    assert Texts(named("no.such.module.hook")).kept("hello") is None
    assert "cannot be imported" in caplog.text
    failures.clear()


def test_it_is_switched_on_in_python(kept: Kept) -> None:
    outlay.record(model="m", prompt="hello Ann")
    outlay.store_prompts(lambda text: text.replace("Ann", "[name]"), max_length=100)
    outlay.record(model="m", prompt="hello Ann", reply="yes")
    assert [(each.prompt, each.reply) for each in kept.records] == [(None, None), ("hello [name]", "yes")]
