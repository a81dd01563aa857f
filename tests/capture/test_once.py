"""Answers that can be read again: which of them are one."""

from datetime import UTC, datetime

from tests.support.wire import Kept

from outlay.capture import Recorder
from outlay.capture.once import Lately, Once
from outlay.testing import call

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


def test_one_answer_read_twice_is_one_and_another_providers_of_that_name_is_another(
    recorder: Recorder, kept: Kept
) -> None:
    once = Once(lambda: recorder)
    for provider in ("openai", "openai", "azure"):
        once.keep(call(provider=provider), "batch_1", AT)
    assert [each.provider for each in kept.records] == ["openai", "azure"]
    assert len({each.id for each in kept.records}) == 2


def test_two_processes_give_one_answer_one_id_of_the_time_that_stands_in_it(
    recorder: Recorder, kept: Kept
) -> None:
    for _ in range(2):
        Once(lambda: recorder).keep(call(AT, provider="openai"), "batch_1", AT)
    Once(lambda: recorder).keep(call(AT, provider="openai"), "batch_1", AT.replace(hour=13))
    first, again, later = kept.records
    assert first.id == again.id < later.id


def test_of_what_was_seen_the_newest_is_remembered() -> None:
    seen: Lately[int] = Lately(2)
    for number, key in enumerate("abc"):
        seen[key] = number
    assert [key in seen for key in "abc"] == [False, True, True]
    assert (seen.get("c"), seen.get("a"), seen.get(None)) == (2, None, None)
