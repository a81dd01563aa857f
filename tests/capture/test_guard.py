"""What is logged of a failure of ours: its class and its place, and nothing that it quotes."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from outlay.capture import guard
from outlay.core.errors import OutlayError, SettingsError, UsageError

SECRET = "sk-proj-0123456789abcdefghijklmnop"  # noqa: S105 - nobody's
PROMPT = "my diagnosis is"


@pytest.fixture(autouse=True)
def _anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "failures", {})


@guard.guarded
def _stumble(prompt: str) -> None:
    try:
        int(prompt)
    except ValueError as error:  # says the text that is no number
        raise KeyError(prompt) from error


def test_an_exceptions_words_are_logged_at_no_level(caplog: pytest.LogCaptureFixture) -> None:
    """Neither the repr, nor what it came from, nor the traceback shows the prompt or the key."""
    caplog.set_level(logging.DEBUG, logger="outlay")
    _stumble(f"{PROMPT} {SECRET}")
    warning, detail = (record.getMessage() for record in caplog.records)
    source = Path(__file__).read_text("utf-8").splitlines()
    place = f"{__file__}:{source.index('        raise KeyError(prompt) from error') + 1} (_stumble)"
    assert warning == (
        f"outlay: _stumble failed and was left out: KeyError at {place}; later failures are only counted"
    )
    assert detail.endswith(f"(wrapper); {place}")
    assert SECRET not in caplog.text
    assert PROMPT not in caplog.text


def test_an_error_that_was_never_raised_has_no_place(caplog: pytest.LogCaptureFixture) -> None:
    guard.note_failure("somewhere", ValueError(SECRET))
    assert [record.getMessage() for record in caplog.records] == [
        "outlay: somewhere failed and was left out: ValueError; later failures are only counted"
    ]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (SettingsError("openai 1.30.0 is too old to hook"), "outlay: openai 1.30.0 is too old to hook"),
        (
            UsageError(f"no token counts in {SECRET!r}"),
            "outlay: here failed and was left out: UsageError; later failures are only counted",
        ),
    ],
)
def test_our_own_errors_say_what_to_do_but_those_that_quote_a_value(
    caplog: pytest.LogCaptureFixture, error: OutlayError, said: str
) -> None:
    guard.note_failure("here", error)
    assert [record.getMessage() for record in caplog.records] == [said]


def test_later_failures_of_a_place_are_only_counted(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        _stumble("x")
    assert len(caplog.records) == 1
    assert guard.failures == {"_stumble": 3}


class Handler(logging.Handler):
    """A program's handler that breaks, or that does what our guard stands around."""

    def __init__(self, again: Callable[[], object]) -> None:
        super().__init__()
        self._again = again

    def emit(self, _record: logging.LogRecord) -> None:
        self._again()


def test_a_handler_that_breaks_does_not_reach_the_caller_nor_one_that_comes_by_again() -> None:
    def breaks() -> None:
        raise OSError("the program's log server is away")

    for again in (breaks, lambda: _stumble("x")):
        guard.failures.clear()
        handler = Handler(again)
        guard.log.addHandler(handler)
        try:
            _stumble("y")
        finally:
            guard.log.removeHandler(handler)
        assert guard.failures["_stumble"] == (1 if again is breaks else 2)
