"""Ids carry their time, are made anew by every process, and can be derived from content."""

import os
import random
import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from tests.support.strategies import INSTANT

from outlay.core.ids import time_of, uuid7

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@given(INSTANT)
def test_the_time_is_in_the_id_to_the_millisecond(at: datetime) -> None:
    made = uuid7(at)
    assert time_of(made) == at.replace(microsecond=at.microsecond // 1000 * 1000)
    assert (uuid.UUID(made).version, uuid.UUID(made).variant) == (7, uuid.RFC_4122)


def test_content_decides_the_id_where_it_is_given() -> None:
    assert uuid7(NOON, b"0123456789") == uuid7(NOON, b"0123456789")
    assert uuid7(NOON, b"0123456789") != uuid7(NOON, b"0123456780")


def test_ids_differ_although_the_program_seeds_its_random() -> None:
    made = []
    for _ in range(2):
        random.seed(42)
        made.append(uuid7(NOON))
    assert made[0] != made[1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_makes_other_ids_than_its_parent() -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, uuid7(NOON).encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reading, 100).decode()
    os.close(reading)
    os.close(writing)
    assert theirs != uuid7(NOON)
