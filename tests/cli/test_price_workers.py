"""Large inputs: cut into batches, priced by worker processes, answered in order whatever happens to them."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from itertools import accumulate, pairwise
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlay.cli import price_batches, price_workers
from outlay.cli.price_batches import SIZE, Span, batches, bytes_of, price_batch, spans
from outlay.cli.price_processes import forked, may_fork
from outlay.cli.price_workers import Prices, Workers, priced

GOOD = json.dumps(
    {
        "id": "ID",
        "provider": "openai",
        "api": "chat",
        "at": "2026-11-01T00:00:00Z",
        "response": {"model": "gpt-4o", "usage": {"prompt_tokens": 1000, "completion_tokens": 100}},
    }
)
PADDED = GOOD.replace('"usage"', f'"padding": "{"x" * 5000}", "usage"')  # so that few lines are many bytes


@pytest.fixture(params=["copies", "fresh"])
def either_kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Workers that are copies of this process, and fresh interpreters, as on other systems."""
    kind = str(request.param)
    if kind == "copies" and sys.platform != "linux":
        pytest.skip("no system but Linux forks safely")
    monkeypatch.setattr(price_workers, "may_fork", lambda: kind == "copies")
    return kind


def text_of(lines: list[str]) -> bytes:
    return "".join(f"{each}\n" for each in lines).encode()


def ids_of(answers: bytes) -> list[object]:
    return [json.loads(each)["id"] for each in answers.splitlines()]


def numbered(count: int, line: str = GOOD) -> list[str]:
    return [line.replace('"ID"', str(number)) for number in range(count)]


@given(
    st.lists(st.binary(max_size=20).map(lambda raw: raw.replace(b"\n", b"")), max_size=8),
    st.sampled_from(["ended", "open"]),
    st.data(),
)
def test_lines_are_cut_the_same_however_they_arrive(
    lines: list[bytes], ending: str, data: st.DataObject
) -> None:
    whole = b"".join(each + b"\n" for each in lines)
    if ending == "open" and lines and lines[-1]:
        whole = whole[:-1]
    rest, parts = whole, []
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        parts.append(rest[:size])
        rest = rest[size:]
    pieces = iter([*parts, b""])
    found = list(batches(lambda _: next(pieces), lambda: data.draw(st.booleans())))
    assert b"".join(found) == whole
    cut = [line for batch in found if batch for line in batch.removesuffix(b"\n").split(b"\n")]
    assert cut == lines


def test_what_came_is_handed_on_when_nothing_more_is_to_be_had() -> None:
    pieces = iter([b"a\nb", b"c\n", b""])
    assert list(batches(lambda _: next(pieces), lambda: True)) == [b"a\n", b"", b"bc\n", b""]


def test_a_line_longer_than_a_batch_stays_whole() -> None:
    pieces = iter([b"x" * SIZE, b"x" * SIZE, b"\ny\n", b""])
    assert [len(each) for each in batches(lambda _: next(pieces), lambda: False)] == [2 * SIZE + 3]


@given(st.lists(st.integers(0, 40), max_size=30), st.sampled_from([b"", b"\n"]), st.integers(0, 60))
def test_a_file_is_cut_where_it_stands_at_line_ends(lengths: list[int], ending: bytes, skipped: int) -> None:
    whole = b"\n".join(b"x" * length for length in lengths) + ending
    with tempfile.TemporaryFile() as file, pytest.MonkeyPatch.context() as patch:
        file.write(whole)
        file.flush()
        patch.setattr(price_batches, "SIZE", 16)
        patch.setattr(price_batches, "_LOOK", 5)
        found = list(spans(file.fileno(), min(skipped, len(whole)), len(whole)))
        parts = [bytes_of(each) for each in found]
    assert b"".join(parts) == whole[skipped:]
    assert all(part.endswith(b"\n") for part in parts[:-1])
    assert [each.size for each in found] == [len(part) for part in parts]
    assert all(len(part) >= 16 for part in parts[:-1])


def test_a_file_that_was_cut_short_meanwhile_gives_what_is_left() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"a\nb\n")
        file.flush()
        assert bytes_of(Span(file.fileno(), 2, 9)) == b"b\n"


def test_a_batch_has_an_answer_for_each_line_and_says_whether_one_failed() -> None:
    done = price_batch(text_of([*numbered(2), "{", "", *numbered(1)]))
    assert ids_of(done.answers) == [0, 1, None, None, 0]
    assert done.failed
    assert not price_batch(text_of(numbered(2))).failed


def test_what_stays_is_settled_once_when_the_first_bytes_are_priced() -> None:
    cut = [text_of([each]) for each in numbered(4)]
    order: list[str] = []
    for _ in priced(cut, Prices.read(), 1, alone=len(cut[0]) + 1, settle=lambda: order.append("settled")):
        order.append("priced")  # noqa: PERF401 - both write to it in turn
    assert order == ["priced", "priced", "settled", "priced", "priced"]


COLLECTOR = """
import gc, sys
from outlay.cli.price import _uncollected
enabled, frozen = sys.argv[1] == "on", sys.argv[2] == "frozen"
(gc.enable if enabled else gc.disable)()
if frozen:
    gc.freeze()
count = gc.get_freeze_count()
with _uncollected() as settle:
    assert not gc.isenabled()
    settle()
    assert gc.isenabled() is enabled
    assert gc.get_freeze_count() > 0
assert gc.isenabled() is enabled
assert gc.get_freeze_count() == count
print("as it was")
"""


@pytest.mark.parametrize("enabled", ["on", "off"])
@pytest.mark.parametrize("frozen", ["frozen", "free"])
def test_the_garbage_collector_is_left_as_it_was_found(enabled: str, frozen: str) -> None:
    command = [sys.executable, "-c", COLLECTOR, enabled, frozen]
    assert subprocess.run(command, capture_output=True, check=True, text=True).stdout == "as it was\n"


@pytest.mark.usefixtures("either_kind")
def test_workers_answer_in_order_as_one_process_would() -> None:
    given_batches = [text_of([line, "{"]) for line in numbered(9)]
    alone = list(priced(given_batches, Prices.read(), 1, alone=0))
    assert list(priced(given_batches, Prices.read(), 3, alone=0)) == alone
    assert [ids_of(each.answers) for each in alone] == [[number, None] for number in range(9)]


@pytest.mark.usefixtures("either_kind")
def test_workers_answer_what_stands_in_a_file() -> None:
    lines = [text_of([line, "{"]) for line in numbered(5)]
    with tempfile.TemporaryFile() as file:
        file.write(b"".join(lines))
        file.flush()
        starts = [0, *accumulate(len(each) for each in lines)]
        cut = [Span(file.fileno(), start, stop) for start, stop in pairwise(starts)]
        found = list(priced(cut, Prices.read(), 2, alone=len(lines[0])))
    assert found == [price_batch(each) for each in lines]


def test_an_idle_input_has_all_that_is_on_its_way_answered_first() -> None:
    asked: list[int] = []

    def source() -> Iterator[bytes]:
        for batch in [text_of([line]) for line in numbered(3)]:
            asked.append(len(batch))
            yield batch
            yield b""

    found = []
    for done in priced(source(), Prices.read(), 2, alone=0):
        found.append(ids_of(done.answers)[0])
        assert len(asked) == len(found)
    assert found == [0, 1, 2]


@pytest.mark.usefixtures("either_kind")
def test_a_worker_that_dies_loses_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Workers(1, Prices.read()) as workers:
        first = workers.price(text_of(numbered(1))).result()
        workers._all[0].kill()
        after = [workers.price(text_of(numbered(2))).result() for _ in range(2)]
    assert ids_of(first.answers) == [0]
    assert after == [price_batch(text_of(numbered(2)))] * 2
    assert capsys.readouterr().err.count("ended early") == 1


@pytest.mark.usefixtures("either_kind")
def test_own_prices_reach_the_workers(tmp_path: Path) -> None:
    own = tmp_path / "mine.toml"
    own.write_text(
        '[[model]]\nprovider = "openai"\nmodel = "gpt-4o"\n[[model.price]]\n'
        'rates = {input = "1", output = "2"}\nsource = "a contract"\n',
        encoding="utf-8",
    )
    (done,) = priced([text_of(numbered(1))], Prices.read(own), 2, alone=0)
    # 1000 in x 1 and 100 out x 2, each a million
    assert json.loads(done.answers)["cost"] == "0.0012"


@pytest.mark.skipif(sys.platform != "linux", reason="copies are made on Linux alone")
def test_a_copy_ends_with_its_pipe_even_if_another_one_was_started_after_it() -> None:
    def wait(asked: BinaryIO, _answering: BinaryIO) -> None:
        asked.read()

    first = forked(wait, [])
    second = forked(wait, [first])
    first.end()
    second.end()
    assert (first.wait(), second.wait()) == (0, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="copies are made on Linux alone")
def test_a_copy_whose_work_fails_ends_with_one() -> None:
    def fail(_asked: BinaryIO, _answering: BinaryIO) -> None:
        raise OSError

    worker = forked(fail, [])
    assert worker.wait() == 1
    worker.kill()  # which is late, and does no harm
    worker.end()


def test_a_process_with_more_threads_is_not_copied() -> None:
    held = threading.Event()
    other = threading.Thread(target=held.wait)
    other.start()
    try:
        assert not may_fork()
    finally:
        held.set()
        other.join()


def test_a_large_file_is_answered_line_by_line_in_order(
    command: "Callable[..., subprocess.CompletedProcess[str]]", tmp_path: Path
) -> None:
    lines = numbered(2000, PADDED)
    lines[1500] = "{"
    (tmp_path / "large.jsonl").write_bytes(text_of(lines))
    done = command("price", "--jobs", "2", "large.jsonl")
    expected = [None if number == 1500 else number for number in range(2000)]
    assert [json.loads(each)["id"] for each in done.stdout.splitlines()] == expected
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_an_interrupt_ends_the_command_and_its_workers(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "large.jsonl").write_bytes(text_of(numbered(20_000, PADDED)))
    marker = f"OUTLAY_TEST_{os.getpid()}"
    with subprocess.Popen(
        [sys.executable, "-m", "outlay", "price", "--jobs", "2", "large.jsonl"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={**environ, marker: "1"},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()  # it is at work, and soon waits for us to read
        process.send_signal(signal.SIGINT)
        process.stdout.close()
        assert process.stderr.read().strip() in {b"outlay: interrupted", b""}  # and nothing by any worker
        assert process.wait(timeout=30) in {130, 1}  # 1: the closed pipe was met before the signal
    assert not left_over(marker)


def left_over(marker: str) -> list[str]:
    """Find processes with a mark in their environment, where the system shows it; ended ones may linger."""
    for _ in range(50):
        found = [each.parent.name for each in Path("/proc").glob("[0-9]*/environ") if _holds(each, marker)]
        if not found:
            break
        time.sleep(0.1)
    return found


def _holds(environ: Path, marker: str) -> bool:
    try:
        return marker.encode() in environ.read_bytes()
    except OSError:
        return False
