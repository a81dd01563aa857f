"""``outlay doctor --acknowledge``: what nothing cures is told until it is looked at, and more of it again."""

import json
import stat
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cli.conftest import Done

import outlay as face
from outlay.cli.noted import Noted, Notes, key_of, lowered, pruned, taken

Outlay = Callable[..., Done]
TODAY = f"{datetime.now(UTC):%Y-%m-%d}"
LOSS = {"schema": 1, "lost": 3, "at": "2026-11-01T00:00:00.000000Z", "why": "disk full"}
INCURABLE = {"lost", "faulty", "conflicts", "future"}


@pytest.fixture
def home(outlay: Outlay, tmp_path: Path) -> Path:
    """Give a home in which a call of long ago is recorded."""
    assert outlay("demo", "--calls", "1", "--no-sleep").returncode == 0
    return tmp_path / "ledger"


def write(home: Path, name: str, *lines: Mapping[str, Any] | str) -> None:
    """Leave a segment of one more process."""
    text = [each if isinstance(each, str) else json.dumps(each) for each in lines]
    (segment,) = [each for each in (home / "journal").iterdir() if "-more-" not in each.name]
    path = home / "journal" / segment.name.replace("-", f"-more-{name}-", 1)
    path.write_text("".join(f"{each}\n" for each in text), encoding="utf-8")
    path.chmod(0o600)


def line_of(home: Path) -> dict[str, Any]:
    """Give the one call that is recorded."""
    (segment,) = [each for each in (home / "journal").iterdir() if "-more-" not in each.name]
    line: dict[str, Any] = json.loads(segment.read_text(encoding="utf-8").splitlines()[0])
    return line


def otherwise(line: dict[str, Any], count: int) -> dict[str, Any]:
    """Give the same id with other content."""
    return {**line, "input_tokens": count, "usage": {**line["usage"], "input": count}}


def told(outlay: Outlay, *args: str) -> dict[str, str]:
    """Give what doctor says, and what to do about it, of all that nothing cures."""
    found = json.loads(outlay("doctor", "--json", *args).stdout)["findings"]
    return {each["what"]: each["do"] for each in found if each["name"] in INCURABLE}


def last_lines(outlay: Outlay) -> list[str]:
    """Give what the text of doctor ends with."""
    return outlay("doctor").stdout.splitlines()[-2:]


def test_what_was_noted_is_no_finding_until_there_is_more_of_it(outlay: Outlay, home: Path) -> None:
    line = line_of(home)
    write(home, "a", otherwise(line, 9999), LOSS, "{no json}", "neither")
    before = told(outlay)
    assert len(before) == 3
    assert all(do.endswith(" outlay doctor --acknowledge") for do in before.values())

    done = outlay("doctor", "--acknowledge")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"taken note of, in {home}",
        "  - 3 calls were lost (disk full)",
        f"  - 2 faulty lines in {home / 'journal'} cannot be read; all others are in",
        "  - 1 entry came with an id that other content has; the first counts",
    ]
    assert told(outlay) == {}
    noted = f"3 lost calls (disk full; {TODAY}), 2 faulty lines ({TODAY}), 1 conflict ({TODAY})"
    assert last_lines(outlay) == [f"noted before: {noted}", "all is well"]

    write(home, "b", otherwise(line, 8888), otherwise(line, 7777), "}", {**LOSS, "lost": 1})
    write(home, "c", {**LOSS, "why": "no room"})
    assert set(told(outlay)) == {
        f"1 more call was lost since {TODAY} (disk full)",
        "3 calls were lost (no room)",
        f"1 more faulty line in {home / 'journal'} since {TODAY} cannot be read; all others are in",
        f"2 more entries came since {TODAY} with an id that other content has; the first counts",
    }
    assert outlay("doctor", "--acknowledge").returncode == 0
    assert outlay("doctor", "--acknowledge").stdout == "there is nothing new to take note of\n"
    assert last_lines(outlay)[-1] == "all is well"


def test_json_lists_what_was_noted_and_what_was_there_stays_told(outlay: Outlay, home: Path) -> None:
    write(home, "a", LOSS, "{no json}")
    document = json.loads(outlay("doctor", "--acknowledge", "--json").stdout)
    assert document["ledger"] == str(home)
    assert [each["name"] for each in document["acknowledged"]] == ["lost", "faulty"]
    data = json.loads(outlay("doctor", "--json").stdout)
    assert data["noted"] == document["noted"]
    assert data["noted"]["file"] == str(home / "acknowledged.json")
    shown = [(each["name"], each["why"], each["count"]) for each in data["noted"]["findings"]]
    assert shown == [("lost", "disk full", 3), ("faulty", None, 1)]
    assert all(each["since"].startswith(TODAY) for each in data["noted"]["findings"])
    assert data["lost"] == {"calls": 3, "why": {"disk full": 3}}
    assert data["faults"]["lines"] == 1
    info = json.loads(outlay("ledger", "info", "--json").stdout)
    assert (info["fault_count"], info["lost"]) == (1, [{"count": 3, "why": "disk full"}])


@pytest.mark.usefixtures("home")
def test_with_nothing_to_note_no_file_is_made(outlay: Outlay, tmp_path: Path) -> None:
    face.record(provider="acme", model="imaginary-9", input_tokens=5)  # a price can be set for it
    done = outlay("doctor", "--acknowledge")
    assert (done.returncode, done.stdout) == (0, "there is nothing new to take note of\n")
    assert outlay("doctor", "--acknowledge", OUTLAY_LEDGER=str(tmp_path / "none")).returncode == 0
    assert not list(tmp_path.rglob("acknowledged.json"))
    assert "imaginary-9 has no known price" in outlay("doctor").stdout


def test_a_call_of_the_future_can_be_noted_and_the_next_one_is_told(outlay: Outlay) -> None:
    def record(days: int) -> datetime:
        at = datetime.now(UTC) + timedelta(days=days)
        face.record(provider="openai", model="gpt-4o", input_tokens=1, at=at)
        return at

    record(9)
    (do,) = told(outlay).values()
    assert do == (
        "set the clock of that machine: timedatectl set-ntp true; if it is right by now,"
        " outlay doctor --acknowledge"
    )
    assert outlay("doctor", "--acknowledge").returncode == 0
    assert last_lines(outlay) == [f"noted before: 1 call of the future ({TODAY})", "all is well"]
    record(2)  # the newest is that of nine days
    (what,) = told(outlay)
    assert what.startswith(f"1 more call of the future since {TODAY}: the newest call is of ")


@pytest.mark.usefixtures("home")
def test_calls_that_no_price_helps_are_noted_and_new_ones_are_told(outlay: Outlay) -> None:
    """They were a finding for ever, though nothing could be done about them any more."""
    models = ("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-5", None)
    for model in models:  # more than have a line each
        face.record(provider="openai", model=model, input_tokens=None if model else 5)
    face.record(provider="openai", model="gpt-4o", input_tokens=5)

    def unpriced() -> list[str]:
        found = json.loads(outlay("doctor", "--json").stdout)["findings"]
        return [each["what"] for each in found if each["name"] == "unpriced"]

    assert len(unpriced()) == 4
    done = outlay("doctor", "--acknowledge").stdout.splitlines()
    assert len(done) == 1 + len(models)
    assert "  - 1 call of openai/gpt-4o with no usage, or a part of it (no usage was given)" in done
    assert "  - 1 call of openai/- without a model" in done
    assert last_lines(outlay) == [f"noted before: 5 calls that no price helps ({TODAY})", "all is well"]
    assert outlay("doctor", "--acknowledge").stdout == "there is nothing new to take note of\n"
    face.record(provider="openai", model="gpt-4o")
    face.record(provider="openai", input_tokens=5)
    face.record(provider="acme", model="own-7b", input_tokens=5)
    assert sorted(unpriced()) == [
        "1 call of openai/- without a model",
        "1 call of openai/gpt-4o with no usage, or a part of it (no usage was given)",
        "acme/own-7b has no known price, or a partial one, for 1 call",
    ]
    assert outlay("doctor", "--acknowledge").returncode == 0
    assert unpriced() == ["acme/own-7b has no known price, or a partial one, for 1 call"]
    assert outlay("ledger", "prune", "--older-than", "400d", "--yes").returncode == 0
    assert unpriced() == ["acme/own-7b has no known price, or a partial one, for 1 call"]


@pytest.mark.usefixtures("home")
def test_of_more_calls_than_were_looked_at_the_note_says_at_least_how_many(
    outlay: Outlay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outlay.cli.unpriced._NEWEST", 2)
    for _ in range(3):
        face.record(provider="openai", input_tokens=5)
    assert outlay("doctor", "--acknowledge").returncode == 0
    assert last_lines(outlay) == [f"noted before: 3 calls that no price helps ({TODAY})", "all is well"]
    for _ in range(3):  # of which the two newest are looked at
        face.record(provider="openai", model="gpt-4o")
    assert outlay("doctor", "--acknowledge").returncode == 0
    assert last_lines(outlay) == [
        f"noted before: 5 or more calls that no price helps ({TODAY})", "all is well"
    ]  # fmt: skip


@pytest.mark.parametrize("looked", [True, False])
def test_what_a_prune_took_is_noted_no_more(outlay: Outlay, home: Path, *, looked: bool) -> None:
    """Two conflicts were noted, one was pruned and another comes: there are two, as before the prune."""
    at = datetime.now(UTC) - timedelta(days=500)
    face.record(provider="openai", model="gpt-4o", input_tokens=1, at=at)
    face.flush()
    text = "".join(path.read_text(encoding="utf-8") for path in (home / "journal").iterdir())
    old, new = sorted(map(json.loads, text.splitlines()), key=lambda each: str(each["at"]))
    conflicts = home / "journal" / f"{next((home / 'journal').iterdir()).stem}-more-a.jsonl"
    conflicts.write_text(
        "".join(f"{json.dumps(otherwise(each, 9))}\n" for each in (old, new)), encoding="utf-8"
    )
    assert outlay("doctor", "--acknowledge").returncode == 0
    assert outlay("ledger", "prune", "--older-than", "400d", "--yes").returncode == 0
    assert [(each.name, each.count) for each in Notes(home).read()["ledger.duckdb"]] == [("conflicts", 1)]
    if looked:
        assert f"noted before: 1 conflict ({TODAY})" in outlay("doctor").stdout
    later = conflicts.with_name(conflicts.name.replace("-more-a", "-more-b"))
    later.write_text(f"{json.dumps(otherwise(new, 7))}\n", encoding="utf-8")
    (what,) = told(outlay)
    assert what.startswith("1 more entry came since ")


def test_a_prune_is_taken_to_take_what_was_noted() -> None:
    """Which of them went nobody can tell: rather one is told again than one hidden."""
    kind = ("faulty", None)
    noted = [Noted(*kind, 3, "2026-11-01T00:00:00.000000Z")]
    assert [each.count for each in pruned(noted, {kind: 4}, {kind: 2})] == [1]
    assert [each.count for each in pruned(noted, {kind: 3}, {kind: 3})] == [3]
    assert pruned(noted, {kind: 5}, {kind: 2}) == []
    assert pruned(noted, {kind: 3}, {}) == []


def one(**changed: Any) -> str:
    """Give a file with one note, some of it changed."""
    note = {"name": "faulty", "why": None, "count": 1, "since": "2026-11-27T00:00:00Z"} | changed
    return json.dumps({"format": 1, "ledgers": {"ledger.duckdb": [note]}})


@pytest.mark.parametrize("text", [
    "", "{", "[]", "null", "\ufeff{}", "[" * 100_000, '{"format": 2, "ledgers": {}}',
    '{"format": 1, "ledgers": []}', '{"format": 1, "ledgers": {"ledger.duckdb": [{"name": "faulty"}]}}',
    one(name=1), one(why=2), one(count="1"), one(count=-1), one(count=True), one(since="once"), one(since=1),
])  # fmt: skip
def test_a_file_that_is_spoilt_is_told_and_counts_as_nothing(outlay: Outlay, home: Path, text: str) -> None:
    write(home, "a", "{no json}")
    file = home / "acknowledged.json"
    file.write_text(text, encoding="utf-8")
    done = outlay("doctor", "--json")
    assert done.returncode == 0
    (finding,) = [each for each in json.loads(done.stdout)["findings"] if each["name"] == "noted"]
    assert finding["what"] == f"nothing counts as noted ({file} is not as outlay wrote it; move it away)"
    assert finding["do"] == f"move {file} away, then outlay doctor --acknowledge"
    refused = outlay("doctor", "--acknowledge")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"outlay: {file} is not as outlay wrote it; move it away\n"
    assert file.read_text(encoding="utf-8") == text


def test_once_a_spoilt_file_is_moved_away_all_can_be_noted_again(outlay: Outlay, home: Path) -> None:
    write(home, "a", "{no json}")
    file = home / "acknowledged.json"
    file.write_text("{", encoding="utf-8")
    assert len(told(outlay)) == 1
    file.unlink()
    assert outlay("doctor", "--acknowledge").returncode == 0
    assert last_lines(outlay)[-1] == "all is well"


@pytest.mark.usefixtures("home")
def test_each_ledger_of_a_home_has_notes_of_its_own(outlay: Outlay, home: Path, tmp_path: Path) -> None:
    """What was noted of a server's ledger hides nothing of another one's, and no password is kept."""
    chdb = f"chdb://{tmp_path / 'clickhouse'}"
    write(home, "a", "{no json}")
    Notes(home).write({chdb: [Noted("faulty", None, 9, "2026-11-27T00:00:00.000000Z")]})
    assert len(told(outlay)) == 1
    assert outlay("doctor", "--acknowledge").returncode == 0
    assert told(outlay) == {}
    assert set(Notes(home).read()) == {chdb, "ledger.duckdb"}


def test_a_home_that_was_moved_keeps_what_was_noted(outlay: Outlay, home: Path, tmp_path: Path) -> None:
    write(home, "a", "{no json}")
    assert outlay("doctor", "--acknowledge").returncode == 0
    (tmp_path / "link").symlink_to(home)
    assert told(outlay, "--ledger", str(tmp_path / "link")) == {}
    home.rename(tmp_path / "moved")
    assert told(outlay, "--ledger", str(tmp_path / "moved")) == {}
    assert key_of("postgresql://h/d") == "postgresql://h/d"


@pytest.mark.skipif(sys.platform == "win32", reason="modes are a Unix thing")
def test_the_file_is_its_owners_alone(outlay: Outlay, home: Path) -> None:
    write(home, "a", "{no json}")
    assert outlay("doctor", "--acknowledge").returncode == 0
    assert stat.S_IMODE((home / "acknowledged.json").stat().st_mode) == 0o600


def test_a_ledger_that_cannot_be_asked_is_one_line(outlay: Outlay, home: Path) -> None:
    (home / "ledger.duckdb").write_bytes(b"no ledger at all")
    done = outlay("doctor", "--acknowledge")
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert not (home / "acknowledged.json").exists()


def test_while_the_ledger_cannot_be_asked_nothing_is_forgotten(outlay: Outlay, home: Path) -> None:
    write(home, "a", "{no json}")
    assert outlay("doctor", "--acknowledge").returncode == 0
    kept = (home / "acknowledged.json").read_bytes()
    ledger = (home / "ledger.duckdb").read_bytes()
    (home / "ledger.duckdb").write_bytes(b"no ledger at all")
    done = outlay("doctor", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout)["noted"]["findings"] == []
    assert (home / "acknowledged.json").read_bytes() == kept
    (home / "ledger.duckdb").write_bytes(ledger)
    assert told(outlay) == {}


KINDS = st.sampled_from([("lost", "a"), ("lost", "b"), ("faulty", None)])


@given(st.lists(st.tuples(st.booleans(), st.dictionaries(KINDS, st.integers(1, 5)))))
def test_nothing_that_came_since_is_ever_hidden(
    looks: list[tuple[bool, dict[tuple[str, str | None], int]]],
) -> None:
    """At each look, as much is noted as was there at the least look since the last note."""
    noted: list[Noted] = []
    least: dict[tuple[str, str | None], int] = {}
    for note, now in looks:
        least = dict(now) if note else {k: min(count, now[k]) for k, count in least.items() if k in now}
        noted = taken(noted, now, datetime.now(UTC)) if note else lowered(noted, now)
        assert {each.kind: each.count for each in noted} == least


def test_a_kind_with_nothing_new_keeps_its_instant() -> None:
    then, now = "2026-11-01T00:00:00.000000Z", datetime(2026, 11, 27, tzinfo=UTC)
    before = [Noted("faulty", None, 5, then), Noted("conflicts", None, 1, then)]
    assert taken(before, {("faulty", None): 3, ("conflicts", None): 2}, now) == [
        Noted("faulty", None, 3, then),
        Noted("conflicts", None, 2, "2026-11-27T00:00:00.000000Z"),
    ]
