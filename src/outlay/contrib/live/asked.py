"""Answers for the live dashboard, each asked once for a state of the ledger, a choice and a minute."""

import time
from collections.abc import Callable, Hashable
from dataclasses import astuple
from typing import Any, TypeVar

import streamlit as st

from outlay import process
from outlay.contrib.live.choice import Choice
from outlay.report import LedgerReader

T = TypeVar("T")
_KEPT = 200  # answers
_FRESH = 60  # seconds that an answer is one of now
_TELLING = ("recorded", "last", "revisions", "conflicts", "pruned_calls", "late")  # of what info() says
Version = tuple[Hashable, ...]


def reader() -> LedgerReader:
    """Give a reader of the ledger that the settings name."""
    return process.current().open()


def version(asked: LedgerReader) -> Version:
    """Tell one state of the ledger from the next: how much it holds, and when its last call was."""
    told = asked.info()
    return tuple(told.get(name) for name in _TELLING)


@st.cache_data(show_spinner=False, max_entries=_KEPT)
def _kept(_ask: Callable[[], Any], key: tuple[Any, ...]) -> Any:  # noqa: ARG001 - it is what is kept by
    return _ask()


def answer(name: str, choice: Choice, state: Version, ask: Callable[[], T]) -> T:
    """Give the answer to a question; it is asked again when the ledger or the choice is another.

    And each minute: a period moves on, though no call comes in.
    """
    found: T = _kept(ask, (name, astuple(choice), state, int(time.time() // _FRESH)))
    return found
