"""A test that leaves SDKs hooked fails itself, and the next one finds none."""

import sys

import pytest
from openai._base_client import SyncAPIClient
from tests.support.left_hooked import Hooked
from tests.support.wire import Kept

import outlay
from outlay import process
from outlay.capture import Recorder, SystemClock
from outlay.instrumentation import Hooks
from outlay.pricing import cost_of

Left = pytest.fail.Exception


def test_hooks_of_the_process_are_taken_out_and_told_of_as_the_tests_fault(hooked: Hooked) -> None:
    plain = SyncAPIClient.request
    told = r"left SDKs hooked for all later ones \(.*openai.*\); undo it with outlay"
    with pytest.raises(Left, match=told), hooked.left_as_found():
        assert outlay.instrument("openai") == ("openai",)
    assert SyncAPIClient.request is plain
    assert {sdk.name for sdk in process.current().hooks.status() if sdk.state == "hooked"} == set()


def test_hooks_over_a_recorder_of_ones_own_are_found_too(hooked: Hooked) -> None:
    plain = SyncAPIClient.request
    recorder = Recorder(Kept(), clock=SystemClock(), price=cost_of)
    with pytest.raises(Left, match="openai"), hooked.left_as_found():
        Hooks(lambda: recorder).instrument("openai")
    assert SyncAPIClient.request is plain


def test_who_waits_for_imports_is_found_though_no_sdk_is_hooked_yet(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outlay.instrumentation.late.MODULES", {"sdk": "an_sdk_that_nobody_imports"})
    monkeypatch.setattr("outlay.instrumentation.late.FORMERLY", {})
    before = [*sys.meta_path]
    with pytest.raises(Left, match="as they are imported"), hooked.left_as_found():
        process.current().hooks.watch()
    assert sys.meta_path == before


def test_what_was_hooked_before_and_what_is_undone_is_no_fault(hooked: Hooked) -> None:
    hooks = Hooks(process.current().recorder)
    hooks.instrument("openai")
    with hooked.left_as_found():
        outlay.instrument("anthropic")
        outlay.uninstrument()
    assert [sdk.name for sdk in hooks.status() if sdk.state == "hooked"] == ["openai"]
    hooks.uninstrument()
