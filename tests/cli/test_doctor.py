"""The doctor: each thing that can be wrong is made, found, and has one thing to do; else all is well."""

import errno
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import pytest
from opentelemetry.sdk.trace import TracerProvider
from tests.cli.conftest import Done
from tests.support.command import HUMBLE

import outlay as face
from outlay.cli import doctor_servers
from outlay.cli.doctor_place import READ_ONLY, place_of
from outlay.cli.findings import Finding, findings
from outlay.instrumentation.others import others
from outlay.ledger.ship.offsets import Offsets, Progress
from outlay.otel import OutlaySpanProcessor
from outlay.pricing.tables import DATA
from outlay.pricing.updates import bundle
from outlay.render.as_table import Page
from outlay.render.doctor import doctor_text
from outlay.settings import load

Outlay = Callable[..., Done]
Command = Callable[..., "subprocess.CompletedProcess[str]"]
ABSENT = "postgresql://me:hush@127.0.0.1:1/calls"
INSTRUMENTED = """
import sys
from openinference.instrumentation.openai import OpenAIInstrumentor as First
from opentelemetry.instrumentation.openai import OpenAIInstrumentor as Second
First().instrument()
Second().instrument()
from outlay.cli import main
sys.exit(main(["doctor", "--json"]))
"""


def found(done: "Done | subprocess.CompletedProcess[str]", name: str) -> dict[str, Any]:
    """Give the one finding of that name."""
    every: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    (finding,) = [each for each in every if each["name"] == name]
    return finding


@pytest.fixture
def home(outlay: Outlay, tmp_path: Path) -> Path:
    """Give a home in which six calls are recorded and reported."""
    assert outlay("demo", "--no-sleep").returncode == 0
    return tmp_path / "ledger"


@pytest.mark.usefixtures("home")
def test_all_is_well(outlay: Outlay) -> None:
    done = outlay("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "all is well"
    data = json.loads(outlay("doctor", "--json").stdout)
    assert {each["level"] for each in data["findings"]} <= {"note"}


def test_before_anything_is_recorded_all_is_well_too(outlay: Outlay, tmp_path: Path) -> None:
    assert outlay("doctor").stdout.splitlines()[-1] == "all is well"
    assert not (tmp_path / "ledger" / "journal").exists()


def test_an_sdk_that_is_not_there_is_told_without_a_version(outlay: Outlay) -> None:
    document = json.loads(outlay("doctor", "--json").stdout)
    document["instrumentable"] = [
        {"package": "openai", "version": None, "state": "not installed"},
        {"package": "groq", "version": "1.2", "state": "hooked"},
    ]
    lines = [" ".join(line.split()) for line in doctor_text(document, Page()).splitlines()]
    assert "openai not installed" in lines
    assert "groq 1.2 hooked" in lines


def test_an_old_sdk(command: Command, tmp_path: Path) -> None:
    old = tmp_path / "old" / "groq-0.1.0.dist-info"
    old.mkdir(parents=True)
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: groq\nVersion: 0.1.0\n", encoding="utf-8")
    done = command("doctor", "--json", PYTHONPATH=str(old.parent))
    assert done.returncode == 0
    finding = found(done, "old SDK")
    assert finding["what"] == "groq 0.1.0 is too old to hook; it needs 0.30 or newer"
    assert finding["do"] == 'pip install --upgrade "groq>=0.30"'


def test_calls_that_are_lost_stand_before_figures_that_are_wrong_and_those_before_what_is_old(
    outlay: Outlay,
) -> None:
    """A stale price list was the first thing to do while an SDK too old to hook recorded nothing."""
    document = json.loads(outlay("doctor", "--json").stdout)
    document["instrumentable"] = [{"package": "groq", "version": "0.1", "state": "too old", "oldest": "0.30"}]
    document["prices"]["made"] = "2020-01-01T00:00:00Z"
    document["place"].update(skew_seconds=60, open_to_others=["ledger.duckdb"])
    document["conflicts"], document["late"], document["lost"] = 1, 1, {"calls": 1, "why": {"disk full": 1}}
    document["others"] = [{"name": "x", "state": "on", "off": "y"}]
    document["without_price"] = [{"provider": "a", "model": "b", "calls": 1}]
    names = [each.name for each in findings(document, datetime.now(UTC)) if each.level == "advice"]
    assert names == [
        *("lost", "late", "old SDK", "open to others"),
        *("conflicts", "clock", "unpriced", "stale prices", "two instrumentations"),
    ]


def test_two_instrumentations_on_at_once(environ: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", INSTRUMENTED],
        capture_output=True, text=True, env=environ, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    on = [each for each in json.loads(done.stdout)["findings"] if each["name"] == "two instrumentations"]
    assert [each["what"].split(" is on")[0] for each in on] == [
        "openinference.instrumentation.openai.OpenAIInstrumentor",
        "opentelemetry.instrumentation.openai.OpenAIInstrumentor",
    ]
    assert all("OpenAIInstrumentor().uninstrument()" in each["do"] for each in on)


def test_what_langfuse_and_litellm_have_switched_on() -> None:
    class Logger:
        pass

    litellm = ModuleType("litellm")
    litellm.__dict__.update(callbacks=[Logger()], success_callback=["langfuse"], failure_callback=[])
    on = [each for each in others({"litellm": litellm, "langfuse.openai": litellm}) if each.state == "on"]
    assert [each.name for each in on] == ["langfuse.openai", "litellm callbacks (Logger, langfuse)"]
    assert not [each for each in others({"litellm": ModuleType("litellm")}) if each.state == "on"]


def test_an_instrumentation_that_is_on_in_another_program_is_told_by_the_calls_it_told_of(
    outlay: Outlay,
) -> None:
    face.record(provider="openai", model="gpt-4o", input_tokens=1)
    assert not [each for each in json.loads(outlay("doctor", "--json").stdout)["findings"]
                if each["name"] == "told by spans"]  # fmt: skip
    provider = TracerProvider()
    provider.add_span_processor(OutlaySpanProcessor())
    for _ in range(2):
        with provider.get_tracer("openinference.instrumentation.openai").start_as_current_span(
            "chat"
        ) as span:
            span.set_attributes(
                {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.response.model": "gpt-4o",
                    "gen_ai.usage.input_tokens": 5,
                }
            )
    provider.shutdown()
    finding = found(outlay("doctor", "--json"), "told by spans")
    assert finding["what"] == (
        "of the 3 newest calls 2 were told by openinference.instrumentation.openai, which is on in a program"
    )


def test_of_an_installed_one_the_doctor_says_that_it_cannot_know_more(outlay: Outlay) -> None:
    finding = found(outlay("doctor", "--json"), "other instrumentations")
    what = finding["what"]
    assert "docs/" not in finding["do"]  # which a package does not bring
    assert "openinference-instrumentation-openai" in what
    assert what.endswith("whether one is on in a program, that program alone knows")


def test_a_ledger_that_permissions_bar_is_not_to_be_put_aside() -> None:
    barred = {**WELL["place"], "barred": [{"path": "/home/ledger.duckdb", "cannot_be": "read"}]}
    said = "cannot use the ledger in /home: Permission denied"
    error = {"error": said, "error_type": "LedgerError", "shipping": []}
    faults = findings({**WELL, **error, "place": barred}, datetime.now(UTC))
    assert [each.name for each in faults if each.level == "fault"] == ["permissions"]
    (finding,) = _of({**WELL, **error}, "ledger")
    assert "put /home/ledger.duckdb aside" in finding.do


@pytest.mark.parametrize("damage", ["other", "short", "spoilt"])
def test_a_damaged_ledger_is_one_line_with_the_way_out(outlay: Outlay, home: Path, damage: str) -> None:
    """DuckDB's words alone said what is wrong, and not what to do."""
    assert outlay("report").returncode == 0
    file = home / "ledger.duckdb"
    whole = file.read_bytes()
    file.write_bytes(
        {"other": b"no ledger at all", "short": whole[:5000], "spoilt": whole[:12288] + b"Z" * 400_000}[
            damage
        ]
    )
    for command in (["report"], ["calls"], ["users"], ["sql", "SELECT 1"], ["export", "--format", "csv"], []):
        done = outlay(*command)
        assert done.returncode == 1, command
        (line,) = done.stderr.splitlines()
        assert line.endswith("; outlay doctor says what to do"), command
    finding = found(outlay("doctor", "--json"), "ledger")
    assert "outlay doctor" not in finding["what"]
    assert finding["do"].startswith(f"put {file} aside; outlay report")
    file.rename(home / "aside")
    assert json.loads(outlay("report", "--json").stdout)["total"]["calls"] == 6


def test_models_without_a_price_and_the_command_that_prices_them(outlay: Outlay) -> None:
    for index, model in enumerate(("imaginary-9", "m-2", "m-3", "m-4", "m-5")):
        for _ in range(9 - index):
            face.record(provider="acme", model=model, input_tokens=1_000_000)
    face.record(provider="openai", model="gpt-4o", status="error", error_type="APITimeoutError")
    done = outlay("doctor")
    assert re.search(r"^  acme/imaginary-9 +9$", done.stdout, re.MULTILINE)
    assert re.search(r"^  openai/gpt-4o +1 failed$", done.stdout, re.MULTILINE)
    data = json.loads(outlay("doctor", "--json").stdout)
    unpriced = [each for each in data["findings"] if each["name"] == "unpriced"]
    assert unpriced[0]["what"] == "acme/imaginary-9 has no known price, or a partial one, for 9 calls"
    assert unpriced[-1]["what"] == "11 calls of 2 more models without a price"
    assert len(unpriced) == 4
    step, _, after = unpriced[0]["do"].removeprefix("outlay ").replace(" R", " 2").partition(" && outlay ")
    assert step == "prices set imaginary-9 --provider acme --input 2 --output 2"
    assert outlay(*step.split()).returncode == 0
    assert outlay(*after.split()).returncode == 0
    assert outlay("doctor").stdout.count("acme/imaginary-9 has no") == 0
    # nine calls of a million tokens at 2.00
    report = json.loads(outlay("report", "--where", "model=imaginary-9", "--json").stdout)
    assert report["total"]["cost"] == "18"


def test_a_model_that_is_written_otherwise_than_its_price_is_told_which_may_be_meant(
    outlay: Outlay, tmp_path: Path
) -> None:
    """A price of one's own, set under a name with a slip in it, would keep the slip for good."""
    face.record(provider="openai", model="gpt4o", input_tokens=5)
    finding = found(outlay("doctor", "--json"), "unpriced")
    assert finding["what"] == "openai/gpt4o has no known price, or a partial one, for 1 call"
    meant, _, step = finding["do"].partition("; else ")
    assert meant == "is it gpt-4o, gpt-4 or gpt-5? then have the program name it so"
    assert step.startswith("outlay prices set gpt4o --provider openai --input R --output R && outlay ")
    broken = tmp_path / "prices.toml"
    broken.write_text("[", encoding="utf-8")
    finding = found(outlay("doctor", "--json", OUTLAY_PRICES=str(broken)), "unpriced")
    assert finding["do"].startswith("outlay prices set gpt4o ")


def test_a_model_with_a_price_whose_calls_told_no_usage_needs_no_price(outlay: Outlay) -> None:
    """A price of one's own would take the place of the listed one, and price none of these calls."""
    newest = [face.record(provider="openai", model="gpt-4o") for _ in range(3)][-1]
    face.record(provider="openai", model="gpt-4o", input_tokens=1000)
    found = json.loads(outlay("doctor", "--json").stdout)["findings"]
    (finding,) = [each for each in found if each["name"] == "unpriced"]
    assert finding["what"] == "3 calls of openai/gpt-4o with no usage, or a part of it (no usage was given)"
    assert f"outlay explain {newest.id}" in finding["do"]


def test_a_model_may_lack_both_a_price_and_usage(outlay: Outlay, monkeypatch: pytest.MonkeyPatch) -> None:
    def lines() -> set[str]:
        found = json.loads(outlay("doctor", "--json").stdout)["findings"]
        return {each["what"] for each in found if each["name"] == "unpriced"}

    face.record(provider="acme", model="own-7b", input_tokens=5)
    face.record(provider="acme", model="own-7b")
    face.record(provider="acme", model="own-7b", input_tokens=5)
    assert lines() == {
        "1 call of acme/own-7b with no usage, or a part of it (no usage was given)",
        "acme/own-7b has no known price, or a partial one, for 2 calls",
    }
    monkeypatch.setattr("outlay.cli.unpriced._NEWEST", 2)
    without = "1 call of acme/own-7b with no usage, or a part of it (no usage was given)"
    assert lines() == {
        f"{without}, among the 2 newest without a cost",
        "acme/own-7b has no known price, or a partial one, for some of 3 calls",
    }


def test_what_was_spent_in_several_currencies_is_known(outlay: Outlay) -> None:
    face.record(provider="acme", model="own-7b", input_tokens=5, cost="0.25")
    face.record(provider="acme", model="own-7b", input_tokens=5, cost="1.5", currency="EUR")
    assert json.loads(outlay("doctor", "--json").stdout)["recorded"]["costs"] == {"EUR": "1.5", "USD": "0.25"}
    assert "1.5 EUR + 0.25 USD" in outlay("doctor").stdout


def test_a_call_from_the_future(outlay: Outlay) -> None:
    at = datetime.now(UTC) + timedelta(days=2)
    face.record(provider="openai", model="gpt-4o", input_tokens=1, at=at)
    finding = found(outlay("doctor", "--json"), "future")
    assert finding["what"].startswith(f"the newest call is of {at:%Y-%m-%dT%H:%M:%S}")
    assert finding["do"].startswith("set the clock of that machine: timedatectl set-ntp true; ")


def test_a_clock_that_the_disk_contradicts(tmp_path: Path) -> None:
    settings = load({"OUTLAY_LEDGER": str(tmp_path)}, tmp_path)
    assert abs(place_of(settings, time.time)["skew_seconds"]) <= 1
    place = place_of(settings, lambda: time.time() - 3600)
    assert 3599 <= place["skew_seconds"] <= 3601
    (finding,) = _of({**WELL, "place": {**WELL["place"], "skew_seconds": place["skew_seconds"]}}, "clock")
    assert "s ahead of this machine's" in finding.what
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("skew", "says"), [(-9, "9 s behind"), (9, "9 s ahead of"), (-5, None), (5, None)])
def test_a_clock_may_be_wrong_in_either_direction(skew: int, says: str | None) -> None:
    found = _of({**WELL, "place": {**WELL["place"], "skew_seconds": skew}}, "clock")
    assert [says is not None and says in each.what for each in found] == [True] * (says is not None)


def test_what_waits_in_journals_is_told_with_what_brings_it_in() -> None:
    (finding,) = _of({**WELL, "pending": {"bytes": 1234}}, "pending")
    assert finding.line == "1,234 bytes in journals are not in the ledger yet: outlay report"
    assert not _of({**WELL, "pending": {"bytes": 0}}, "pending")


def test_a_clock_that_stands_before_the_prices_were_made() -> None:
    (finding,) = _of(WELL, "clock", datetime(2020, 1, 1, tzinfo=UTC))
    assert finding.what == "it is 2020-01-01 here, before the prices were made (2026-11-22)"


WELL: dict[str, Any] = {
    "typed": None,
    "settings": {"ledger": None, "home": "/home", "journal": "/home/journal"},
    "place": {"home": "/home", "barred": [], "open_to_others": [], "free_bytes": None, "floor_bytes": None,
              "skew_seconds": 0},
    "instrumentable": [{"state": "installed"}],
    "others": [],
    "alerts": {},
    "prices": {"made": "2026-11-22T00:00:00Z", "url": None},
}  # fmt: skip


def humbly(environ: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Ask doctor as a user whom modes bind, which root is not."""
    command = [*HUMBLE, sys.executable, "-m", "outlay", "doctor", "--json"]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environ, check=False)


def _of(document: dict[str, Any], name: str, now: datetime | None = None) -> list[Finding]:
    return [each for each in findings(document, now or datetime.now(UTC)) if each.name == name]


@pytest.mark.skipif(sys.platform == "win32", reason="modes are a Unix thing")
def test_a_home_that_this_user_cannot_write(environ: dict[str, str], tmp_path: Path) -> None:
    home = tmp_path / "ledger"
    (home / "journal").mkdir(parents=True)
    (home / "journal").chmod(0o555)
    home.chmod(0o555)
    done = humbly(environ, tmp_path)
    home.chmod(0o755)
    assert done.returncode == 1, done.stderr
    barred = [each for each in json.loads(done.stdout)["findings"] if each["name"] == "permissions"]
    assert [each["what"] for each in barred] == [
        f"{path} cannot be written by this user" for path in (home, home / "journal")
    ]
    assert barred[0]["do"] == f"chmod -R u+rwX {home}"  # its own, by a mode


@pytest.mark.skipif(sys.platform == "win32", reason="modes are a Unix thing")
@pytest.mark.parametrize("name", ["alerts", "prices", "ship"])
def test_a_folder_beneath_home_that_is_closed_is_opened(
    environ: dict[str, str], tmp_path: Path, name: str
) -> None:
    """It was told to move a file away, which a closed folder refuses too, or nothing."""
    closed = tmp_path / "ledger" / name
    closed.mkdir(parents=True)
    (closed / "state.json").write_text("{}")
    closed.chmod(0)
    done = humbly(environ, tmp_path)
    closed.chmod(0o755)
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)["findings"]
    assert [each["do"] for each in found if each["level"] == "fault"] == [f"chmod -R u+rwX {closed}"]


@pytest.mark.skipif(sys.platform == "win32", reason="modes are a Unix thing")
def test_a_home_that_is_closed_to_this_user(environ: dict[str, str], tmp_path: Path) -> None:
    """Nothing in it can even be looked for: no price file, no journal, no server's progress, no alert."""
    home = tmp_path / "ledger"
    (home / "alerts").mkdir(parents=True)
    (home / "alerts" / "state.json").write_text("{}", encoding="utf-8")
    (home / "prices.toml").write_text("", encoding="utf-8")
    home.chmod(0)
    program = "import outlay; outlay.record(provider='p', model='m'); print('goes on')"
    done, recorded = (
        subprocess.run(
            [*HUMBLE, sys.executable, *words],
            capture_output=True, text=True, cwd=tmp_path, env=environ, check=False,
        )
        for words in (("-m", "outlay", "doctor", "--json"), ("-c", program))
    )  # fmt: skip
    home.chmod(0o755)
    assert done.returncode == 1, done.stderr
    faults = [each for each in json.loads(done.stdout)["findings"] if each["level"] == "fault"]
    assert [each["what"] for each in faults] == [f"{home} cannot be read or written by this user"]
    assert (recorded.returncode, recorded.stdout) == (0, "goes on\n")
    assert "are lost: Permission denied" in recorded.stderr


def test_a_home_of_another_user_is_not_to_be_taken_from_them() -> None:
    barred = {"path": "/home", "cannot_be": "read or written", "owner": "ann"}
    place = {**WELL["place"], "barred": [barred], "home": "/home"}
    (finding,) = _of({**WELL, "place": place}, "permissions")
    assert finding.do == "name another folder by home (OUTLAY_HOME=FOLDER), since this one is ann's"


def test_a_note_of_what_was_told_that_cannot_be_read_is_put_aside(outlay: Outlay, home: Path) -> None:
    (home / "alerts" / "state.json").mkdir(parents=True)
    done = outlay("doctor", "--json")
    assert done.returncode == 1
    do = found(done, "alerts")["do"]
    assert do == f"move {home / 'alerts' / 'state.json'} away; what stands now is then told once more"
    (home / "alerts" / "state.json").rmdir()
    assert outlay("doctor").stdout.splitlines()[-1] == "all is well"


def test_calls_that_name_no_model_or_no_provider_need_a_name_or_a_price_of_ones_own(outlay: Outlay) -> None:
    face.record(provider="acme", input_tokens=5)
    face.record(model="own-7b", input_tokens=5)
    every = json.loads(outlay("doctor", "--json").stdout)["findings"]
    then = "then outlay doctor --acknowledge"
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    step = "outlay prices set own-7b --provider unknown --input R --output R"
    own = f"; or, for a price of your own, {step} && outlay reprice --since {today}"
    assert {(each["what"], each["do"]) for each in every if each["name"] == "unpriced"} == {
        ("1 call of acme/- without a model", f"have the program record such calls with their model, {then}"),
        (
            "1 call of unknown/own-7b without a provider",
            f"have the program record such calls with their provider, {then}{own}",
        ),
    }
    done = outlay(*step.replace(" R", " 2").split()[1:])
    assert done.stdout.startswith("unknown own-7b: input 2.00 per 1,000,000")
    outlay("reprice", "--since", today)
    assert [each.get("cost") for each in json.loads(outlay("calls", "--json").stdout)["calls"]] == [
        "0.00001",
        None,
    ]


def test_a_home_that_is_a_file(outlay: Outlay, tmp_path: Path) -> None:
    (tmp_path / "ledger").write_text("", encoding="utf-8")
    done = outlay("doctor", "--json")
    assert done.returncode == 1
    assert "cannot be used as a folder" in found(done, "permissions")["what"]
    path = tmp_path / "ledger"
    assert (
        found(done, "permissions")["do"]
        == f"name another folder by ledger (OUTLAY_LEDGER=FOLDER), or move {path} away"
    )


def test_a_file_in_the_place_of_the_journals_is_moved_away(
    outlay: Outlay, home: Path, tmp_path: Path
) -> None:
    (home / "journal").rename(tmp_path / "kept")
    (home / "journal").write_text("", encoding="utf-8")
    (fault,) = [
        each for each in json.loads(outlay("doctor", "--json").stdout)["findings"] if each["level"] == "fault"
    ]
    assert fault["what"] == f"{home / 'journal'} cannot be used as a folder by this user"
    assert (
        fault["do"]
        == f"name another folder by ledger (OUTLAY_LEDGER=FOLDER), or move {home / 'journal'} away"
    )
    (home / "journal").unlink()
    assert outlay("doctor").stdout.splitlines()[-1] == "all is well"


@pytest.mark.skipif(sys.platform == "win32", reason="modes are a Unix thing")
def test_a_mode_of_ones_own_is_no_matter_of_owners(
    environ: dict[str, str], home: Path, tmp_path: Path
) -> None:
    def doctor() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*HUMBLE, sys.executable, "-m", "outlay", "doctor", "--json", "--ledger", str(home)],
            capture_output=True, text=True, cwd=tmp_path, env=environ, check=False,
        )  # fmt: skip

    (home / "journal").chmod(0o500)
    do = found(doctor(), "permissions")["do"]
    assert do == f"chmod -R u+rwX {home / 'journal'}"
    subprocess.run(do.split(), check=True)
    assert all(each["level"] == "note" for each in json.loads(doctor().stdout)["findings"])


def test_what_lies_outside_the_home_is_not_had_by_another_ledger() -> None:
    barred = {"path": "/etc/prices.toml", "cannot_be": "read"}
    (finding,) = _of({**WELL, "place": {**WELL["place"], "barred": [barred], "home": "/home"}}, "permissions")
    assert finding.do == "sudo chown -R $(id -un) /etc/prices.toml"


def test_no_owner_and_no_mode_opens_a_read_only_disk() -> None:
    barred = {"path": "/home/ledger.duckdb", "cannot_be": "written", "why": READ_ONLY}
    (finding,) = _of({**WELL, "place": {**WELL["place"], "barred": [barred], "home": "/home"}}, "permissions")
    assert finding.do == (
        "name another folder by home (OUTLAY_HOME=FOLDER),"
        " since this one is on a file system that is read-only"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="modes are a Unix thing")
def test_a_home_that_cannot_be_made_takes_no_folder_above_it_from_anybody(
    environ: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "above").mkdir(mode=0o555)
    home = tmp_path / "above" / "b" / "ledger"
    done = subprocess.run(
        [*HUMBLE, sys.executable, "-m", "outlay", "doctor", "--json", "--ledger", str(home)],
        capture_output=True, text=True, cwd=tmp_path, env=environ, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    (barred,) = (each for each in json.loads(done.stdout)["findings"] if each["name"] == "permissions")
    assert barred["what"] == f"{tmp_path / 'above'} cannot be written by this user"
    assert (
        barred["do"]
        == f"name another folder by --ledger FOLDER, or sudo install -d -m 700 -o $(id -un) {home}"
    )


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="root alone gives a folder away")
@pytest.mark.parametrize("there", [False, True])
def test_a_home_behind_a_closed_folder_of_another_user_is_to_be_elsewhere(
    environ: dict[str, str], tmp_path: Path, *, there: bool
) -> None:
    """The home may be this user's own, or be made so: whoever is not let through never reaches it."""
    closed = tmp_path / "closed"
    home = closed / "b" / "ledger"
    home.mkdir(parents=True) if there else closed.mkdir()
    closed.chmod(0o700)
    os.chown(closed, 12345, 12345)

    def doctor(ledger: Path, *typed: str) -> dict[str, Any]:
        done = subprocess.run(
            [*HUMBLE, sys.executable, "-m", "outlay", "doctor", "--json", *typed], capture_output=True,
            text=True, cwd=tmp_path, env={**environ, "OUTLAY_LEDGER": str(ledger)}, check=False,
        )  # fmt: skip
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    for typed, by in (((), "ledger (OUTLAY_LEDGER=FOLDER)"), (("--ledger", str(home)), "--ledger FOLDER")):
        (fault,) = [each for each in doctor(home, *typed)["findings"] if each["level"] == "fault"]
        assert fault["what"] == f"{closed} cannot be read or written by this user"
        assert fault["do"] == f"name another folder by {by}, since this one is closed to this user"
    assert {each["level"] for each in doctor(tmp_path / "another")["findings"]} == {"note"}


@pytest.mark.skipif(sys.platform == "win32", reason="modes are a Unix thing")
def test_a_home_behind_a_folder_of_ones_own_that_is_closed_is_opened(
    environ: dict[str, str], home: Path, tmp_path: Path
) -> None:
    (tmp_path / "closed").mkdir()
    home.rename(tmp_path / "closed" / "ledger")
    (tmp_path / "closed").chmod(0o600)

    def doctor() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*HUMBLE, sys.executable, "-m", "outlay", "doctor", "--json", "--ledger", "closed/ledger"],
            capture_output=True, text=True, cwd=tmp_path, env=environ, check=False,
        )  # fmt: skip

    do = found(doctor(), "permissions")["do"]
    assert do == f"chmod u+rwx {tmp_path / 'closed'}"
    subprocess.run(do.split(), check=True)
    assert all(each["level"] == "note" for each in json.loads(doctor().stdout)["findings"])


@pytest.mark.skipif(sys.platform == "win32", reason="modes are a Unix thing")
def test_the_home_beside_a_servers_ledger_is_named_by_home(environ: dict[str, str], tmp_path: Path) -> None:
    """Another folder named by ledger would take the server's place."""
    home = tmp_path / "home"
    home.write_text("", encoding="utf-8")
    done = subprocess.run(
        [*HUMBLE, sys.executable, "-m", "outlay", "doctor", "--json"],
        capture_output=True, text=True, cwd=tmp_path, check=False,
        env={**environ, "OUTLAY_LEDGER": ABSENT, "OUTLAY_HOME": str(home)},
    )  # fmt: skip
    do = found(done, "permissions")["do"]
    assert do == f"name another folder by home (OUTLAY_HOME=FOLDER), or move {home} away"


@pytest.mark.skipif(sys.platform == "win32", reason="links are a Unix thing")
@pytest.mark.parametrize("what", ["file above", "link", "journals' link"])
def test_what_stands_where_a_folder_would_be_made_is_the_one_fault(
    outlay: Outlay, tmp_path: Path, what: str
) -> None:
    """No ledger was to be put aside for it; of a link of the journals to nowhere nothing was said."""
    home = tmp_path / "a" / "b"
    odd = {"file above": home.parent, "link": home, "journals' link": home / "journal"}[what]
    odd.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    odd.write_text("") if what == "file above" else odd.symlink_to("nowhere")
    where = {"OUTLAY_LEDGER": str(home)}
    (fault,) = [
        each
        for each in json.loads(outlay("doctor", "--json", **where).stdout)["findings"]
        if each["level"] != "note"
    ]
    assert fault["what"] == f"{odd} cannot be used as a folder by this user"
    assert fault["do"] == f"name another folder by ledger (OUTLAY_LEDGER=FOLDER), or move {odd} away"
    odd.rename(tmp_path / "away")
    assert outlay("doctor", **where).stdout.splitlines()[-1] == "all is well"


def test_a_full_disk_of_the_journals_alone_is_found(
    outlay: Outlay, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is recorded there, whatever room there is where the ledger lies."""
    real, journal = os.stat, home / "journal"

    def elsewhere(path: Any, *args: Any, **kwargs: Any) -> Any:
        found = real(path, *args, **kwargs)
        return os.stat_result((*found[:2], 99, *found[3:10])) if path == journal else found

    def usage(path: Any) -> shutil._ntuple_diskusage:
        return shutil._ntuple_diskusage(10**9, 0, 1000 if path == journal else 10**9)

    monkeypatch.setattr("outlay.cli.doctor_place.os.stat", elsewhere)
    monkeypatch.setattr("outlay.cli.doctor_place.shutil.disk_usage", usage)
    done = outlay("doctor", "--json")
    assert done.returncode == 1
    assert found(done, "disk")["what"] == (
        f"1,000 bytes are free where {journal} is, and below 48 MiB (min_free) nothing is recorded, as now"
    )


def test_a_ledger_that_another_program_has_open_is_not_to_be_put_aside(outlay: Outlay, home: Path) -> None:
    """Whoever did so lost what was imported, scored and pruned."""
    assert outlay("report").returncode == 0
    file = home / "ledger.duckdb"
    program = f"import duckdb, sys; kept = duckdb.connect({str(file)!r}); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        done = outlay("doctor", "--json")
        assert other.stdin is not None
        other.stdin.close()
    (fault,) = [each for each in json.loads(done.stdout)["findings"] if each["level"] == "fault"]
    assert (fault["name"], fault["what"]) == ("busy", f"another program has {file} open")
    assert fault["do"] == "close it and ask again"
    assert outlay("doctor").stdout.splitlines()[-1] == "all is well"


def test_a_ledger_without_room_is_not_to_be_put_aside() -> None:
    """Where none is kept free (min_free = 0) that is all that is told of it."""
    said = "/home/ledger.duckdb: No space left on device, here or where a file is written; make room"
    error = {"error": said, "error_type": "LedgerError", "shipping": []}
    (finding,) = _of({**WELL, **error}, "ledger")
    assert finding.what == (
        "the ledger cannot be read (/home/ledger.duckdb: No space left on device, here or where a file is"
        " written); the journals are not touched"
    )
    assert finding.do == "make room there"


def test_a_disk_without_room_is_told_once() -> None:
    barred = [{"path": "/home", "cannot_be": "written", "refusal": "No space left on device"}]
    place = {**WELL["place"], "barred": barred}
    asked = {**WELL, "error": "no room", "error_type": "LedgerError", "shipping": []}
    every = findings({**asked, "place": {**place, "free_bytes": 0, "floor_bytes": 9}}, datetime.now(UTC))
    assert [each.name for each in every if each.level == "fault"] == ["disk"]
    none_kept_free = {**place, "free_bytes": 0, "floor_bytes": 0}
    every = findings({**asked, "place": none_kept_free}, datetime.now(UTC))
    assert [each.do for each in every if each.level == "fault"] == [
        "make room there, or name another folder by home (OUTLAY_HOME=FOLDER)"
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is Linux's")
def test_a_folder_that_takes_files_and_no_byte_cannot_be_written(
    outlay: Outlay, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So is a quota that is used up, or a full disk of which none is kept free."""

    def full(**_: Any) -> Any:
        return Path("/dev/full").open("wb", buffering=0)

    monkeypatch.setattr("outlay.cli.doctor_place.tempfile.TemporaryFile", full)
    found = json.loads(outlay("doctor", "--json").stdout)["findings"]
    assert [each["what"] for each in found if each["name"] == "permissions"] == [
        f"{path} cannot be written by this user (No space left on device)"
        for path in (home, home / "journal")
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="modes are a Unix thing")
def test_a_folder_that_takes_no_file_says_why(
    outlay: Outlay, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quota, or a disk without room for one more file: whose the folder is does not matter."""

    def full(**_: Any) -> Any:
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr("outlay.cli.doctor_place.tempfile.TemporaryFile", full)
    faults = json.loads(outlay("doctor", "--json").stdout)["findings"]
    assert [(each["what"], each["do"]) for each in faults if each["name"] == "permissions"] == [
        (f"{path} cannot be written by this user (Disk quota exceeded)",
         "make room there, or name another folder by ledger (OUTLAY_LEDGER=FOLDER)")
        for path in (home, home / "journal")
    ]  # fmt: skip


@pytest.mark.skipif(
    not Path("/proc/self").exists(), reason="a folder in which nothing can be made is Linux's"
)
def test_room_is_to_be_made_only_where_it_is_lacking(outlay: Outlay) -> None:
    """A file system of the kernel's own takes no file, however much is free."""
    faults = json.loads(outlay("doctor", "--json", OUTLAY_LEDGER="/proc/nope").stdout)["findings"]
    (fault,) = [each for each in faults if each["name"] == "permissions"]
    assert fault["what"].startswith("/proc cannot be written by this user")
    assert fault["do"].startswith("name another folder by ledger (OUTLAY_LEDGER=FOLDER), since this one ")


def test_a_price_file_that_is_not_there_is_no_matter_of_permissions(outlay: Outlay, tmp_path: Path) -> None:
    data = json.loads(outlay("doctor", "--json", OUTLAY_PRICES=str(tmp_path / "no.toml")).stdout)
    (fault,) = [each for each in data["findings"] if each["level"] == "fault"]
    assert (fault["name"], fault["do"]) == (
        "prices",
        f"mend {tmp_path / 'no.toml'}, or name another by prices (outlay.toml, OUTLAY_PRICES), or none",
    )
    assert outlay("doctor").stdout.splitlines()[-1] == "all is well"  # with none


def test_a_price_file_in_the_home_that_is_none_may_be_taken_away(outlay: Outlay, home: Path) -> None:
    (home / "prices.toml").write_text("{", encoding="utf-8")
    assert (
        found(outlay("doctor", "--json"), "prices")["do"] == f"mend {home / 'prices.toml'}, or take it away"
    )
    (home / "prices.toml").unlink()
    assert outlay("doctor").stdout.splitlines()[-1] == "all is well"


@pytest.mark.skipif(sys.platform == "win32", reason="modes are a Unix thing")
def test_journals_that_others_can_read(outlay: Outlay, home: Path) -> None:
    (segment,) = (home / "journal").glob("*.jsonl")
    segment.chmod(0o644)
    finding = found(outlay("doctor", "--json"), "open to others")
    assert segment.name in finding["what"]
    subprocess.run(["sh", "-c", finding["do"]], check=True)
    assert stat.S_IMODE(segment.stat().st_mode) == 0o600
    assert outlay("doctor").stdout.splitlines()[-1] == "all is well"


@pytest.mark.skipif(sys.platform == "win32", reason="modes are a Unix thing")
def test_a_ledger_that_this_very_look_makes_is_looked_at(outlay: Outlay, home: Path) -> None:
    """All was well the first time, and what the first time had made was wrong the second time."""
    home.chmod(0o755)
    assert not (home / "ledger.duckdb").exists()
    assert "ledger.duckdb" in found(outlay("doctor", "--json"), "open to others")["what"]


@pytest.mark.skipif(sys.platform == "win32", reason="modes are a Unix thing")
@pytest.mark.parametrize("closed", ["folder", "file"])
def test_a_ledger_that_others_can_read_in_a_folder_of_their_own(
    outlay: Outlay, home: Path, closed: str
) -> None:
    ledger = home / "ledger.duckdb"
    assert outlay("report").returncode == 0
    ledger.chmod(0o644)
    assert outlay("doctor").stdout.splitlines()[-1] == "all is well"  # outlay made the folder
    home.chmod(0o755)
    finding = found(outlay("doctor", "--json"), "open to others")
    assert finding["what"] == "calls can be read by others than you (ledger.duckdb)"
    if closed == "folder":
        home.chmod(0o700)
    else:
        subprocess.run(["sh", "-c", finding["do"]], check=True)
        assert stat.S_IMODE(ledger.stat().st_mode) == 0o600
    assert outlay("doctor").stdout.splitlines()[-1] == "all is well"


def test_prices_that_are_old(outlay: Outlay, home: Path, tmp_path: Path) -> None:
    shutil.copytree(DATA, tmp_path / "data")
    (tmp_path / "data" / "version.txt").write_text("another\n", encoding="utf-8")
    old = bundle(tmp_path / "data", datetime.now(UTC) - timedelta(days=60))
    (tmp_path / "old.gz").write_bytes(old)
    assert outlay("prices", "update", "--url", str(tmp_path / "old.gz")).returncode == 0
    finding = found(outlay("doctor", "--json"), "stale prices")
    assert finding["what"].startswith("the price book is 60 days old")
    assert finding["do"] == "pip install --upgrade outlay brings a newer one"
    (tmp_path / "new.gz").write_bytes(bundle(tmp_path / "data", datetime.now(UTC)))
    where = {"OUTLAY_PRICES_URL": str(tmp_path / "new.gz")}
    do = found(outlay("doctor", "--json", **where), "stale prices")["do"]
    assert do.startswith("outlay prices update; where that finds none newer, ")


def test_a_server_that_is_typed_and_away_is_no_fault_of_the_homes_own_ledger(outlay: Outlay) -> None:
    """The file of the embedded ledger is not to be put aside for it."""
    finding = found(outlay("doctor", "--json", "--ledger", ABSENT), "server")
    assert finding["what"].startswith("postgresql://127.0.0.1:1/calls cannot be asked (")
    assert finding["do"] == "start the server, or name another ledger"


def test_a_server_that_cannot_be_reached_and_what_waits_for_it(outlay: Outlay, tmp_path: Path) -> None:
    where = {"OUTLAY_LEDGER": ABSENT, "OUTLAY_HOME": str(tmp_path / "home"), "OUTLAY_SHIP": "false"}
    assert outlay("demo", "--calls", "2", "--no-sleep", **where).returncode == 0
    done = outlay("doctor", "--json", **where)
    assert done.returncode == 1
    finding = found(done, "server")
    assert finding["what"].startswith("postgresql://127.0.0.1:1/calls cannot be asked (")
    assert "; 2 lines (" in finding["what"]
    assert f"wait in the journals since {datetime.now(UTC):%Y-}" in finding["what"]
    mend = "start the server or mend ledger (outlay.toml, OUTLAY_LEDGER)"
    assert finding["do"] == f"{mend}, then outlay ship brings it up to date"
    text = outlay("doctor", **where).stdout
    assert "hush" not in text
    assert text.splitlines()[-1] == f"first: {finding['do']}"


@pytest.mark.parametrize(
    ("error", "do"),
    [
        (
            'connection failed: FATAL:  password authentication failed for user "me"',
            "mend user and password in ledger",
        ),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.7"', "mend user and password in ledger"),
        (
            'FATAL:  no pg_hba.conf entry for host "10.0.0.7", user "me", database "d", no encryption',
            "ask for encryption in ledger (sslmode=require), or let pg_hba.conf take this user without",
        ),
        (
            "SSL error: certificate verify failed",
            "name in ledger the certificate's host and the file of who signed it (sslrootcert; ca_cert)",
        ),
        (
            'root certificate file "/home/me/.postgresql/root.crt" does not exist',
            "name in ledger the certificate's host and the file of who signed it (sslrootcert; ca_cert)",
        ),
        (
            "FATAL:  connection requires a valid client certificate",
            "name your certificate and key in ledger (sslcert, sslkey; client_cert, client_cert_key)",
        ),
        ('connection is bad: invalid sslmode value: "verifyfull"', "mend the URL in ledger"),
        ('invalid URI query parameter: "foo"', "mend the URL in ledger"),
        (
            "refuses 'me': Authentication failed: password is incorrect",
            "mend user and password in ledger",
        ),
        ('FATAL:  database "nodb" does not exist', "make that database, or mend its name in ledger"),
        ("Database nodb does not exist", "make that database, or mend its name in ledger"),
        ('FATAL:  role "me" does not exist', "make that role, or mend the user in ledger"),
        ("failed to resolve host 'no.example'", "mend the host's name in ledger"),
        (
            "permission denied for table records",
            "name a user in ledger that may write there, or grant it that",
        ),
        (
            "permission denied for database calls",
            "have an administrator run CREATE SCHEMA outlay AUTHORIZATION USER, or name another in ledger",
        ),
        (
            "permission denied for schema outlay",
            "have an administrator run ALTER SCHEMA outlay OWNER TO USER, or name its owner in ledger",
        ),
        (
            "connection failed: Connection refused",
            "start the server or mend ledger (outlay.toml, OUTLAY_LEDGER)",
        ),
    ],
)
def test_what_a_server_said_decides_what_there_is_to_do(error: str, do: str) -> None:
    target = {
        "target": "postgresql://h/d",
        "current": True,
        "named": True,
        "pending_bytes": 9,
        "pending_entries": 1,
        "pending_since": None,
        "dead": 0,
        "last_error": error,
        "last_error_at": "2026-11-22T00:00:00Z",
    }
    asked = {**WELL, "error": error, "error_type": "LedgerError", "shipping": [target]}
    (server,) = _of(asked, "server")
    assert server.do == f"{do}, then outlay ship brings it up to date"
    (unshipped,) = _of({**WELL, "shipping": [target]}, "not shipped")
    assert unshipped.what.startswith(
        f"postgresql://h/d took no calls at 2026-11-22T00:00:00Z ({error}); 1 line"
    )
    assert unshipped.level == "fault"
    assert unshipped.do == ("outlay ship" if "start the server" in do else f"{do}, then outlay ship")


def server_of(error: str, **more: Any) -> dict[str, Any]:
    """Give what doctor saw of a server that settings do not name."""
    return {
        "target": "postgresql://h/d?schema=My-Team",
        "current": False,
        "named": True,
        "pending_bytes": 1533,
        "pending_entries": 2,
        "pending_since": "2026-11-22T00:00:00.119207Z",
        "dead": 0,
        "last_error": error,
        "last_error_at": "2026-11-22T00:00:01.119207Z",
        "took_nothing": True,
        **more,
    }


def test_who_may_not_read_is_told_the_rights_it_lacks_and_becomes_no_owner() -> None:
    lacks = "this role may not read there: the owner of the schema lets it, by GRANT USAGE ON SCHEMA"
    for denied in ("table hours", "schema My-Team"):
        url = "postgresql://ann@h/d?schema=My-Team"
        what, do = doctor_servers.typed(url, f"{url}: permission denied for {denied}; {lacks}")
        assert what == f"{url} cannot be asked (permission denied for {denied})"
        assert do == (
            'have the schema\'s owner run GRANT USAGE ON SCHEMA "My-Team" TO ann;'
            ' GRANT SELECT ON ALL TABLES IN SCHEMA "My-Team" TO ann, or name another user'
        )
    feeds = server_of("", current=True)
    assert "OWNER TO" in doctor_servers.current(feeds, f"permission denied for schema My-Team; {lacks}")[1]
    assert "GRANT SELECT" in doctor_servers.current(feeds, f"permission denied for table hours; {lacks}")[1]


@pytest.mark.parametrize("more", [{"current": False}, {"pending_bytes": 0, "pending_entries": 0}])
def test_a_server_that_took_no_calls_is_no_fault_of_another_ledger_nor_with_nothing_to_take(
    more: dict[str, Any],
) -> None:
    """All calls can be asked for in the ledger that doctor looks at."""
    server = server_of("permission denied for table records", **{"current": True, **more})
    (finding,) = _of({**WELL, "shipping": [server]}, "not shipped")
    assert finding.level == "advice"


def test_who_may_make_no_schema_is_told_what_an_administrator_types() -> None:
    error = "postgresql://me%40x@h/d: permission denied for database d"
    (finding,) = _of({**WELL, "shipping": [server_of(error, current=True)]}, "not shipped")
    assert finding.what == (
        "postgresql://h/d?schema=My-Team took no calls at 2026-11-22T00:00:01Z"
        " (permission denied for database d); 2 lines (1,533 bytes) wait in the journals"
        " since 2026-11-22T00:00:00Z"
    )
    assert finding.do.startswith(
        'have an administrator run CREATE SCHEMA "My-Team" AUTHORIZATION "me@x", or '
    )


def test_a_server_that_may_be_a_slip_has_one_way_to_be_given_up() -> None:
    server = server_of("no answer", named=False, last_error_at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}")
    (finding,) = _of({**WELL, "shipping": [server]}, "not shipped", now=datetime.now(UTC))
    assert "outlay doctor --acknowledge after" in finding.do
    assert "--forget" not in finding.what


def test_on_a_terminal_what_is_wrong_and_what_to_do_stand_below_each_other(outlay: Outlay) -> None:
    """No word is broken at the edge, and no command: it can be copied."""
    command = f"outlay ship --ledger postgresql://USER:PASSWORD@{'h' * 60}/d;"
    found = {
        "level": "advice",
        "what": "postgresql://h/d took no calls (connection to server at 127.0.0.1 failed: refused by it)",
        "do": f"{command} if it was a slip, {'so ' * 30}be it",
    }
    document = {**json.loads(outlay("doctor", "--json").stdout), "findings": [found], "ledger": {}}
    document["settings"] = {"ledger": None, "home": "/folder" * 10, "file": "/a folder " * 10}
    lines = doctor_text(document, Page(width=80)).splitlines()
    home = f"  {'home':<18} {'/folder' * 10}"
    assert {line for line in lines if len(line) > 80} == {f"    {command}", f"first: {command}", home}
    assert f"{'':<21}/a folder /a folder" in "\n".join(lines)
    place = lines.index("to do")
    assert lines[place + 1 : place + 5] == [
        "  - postgresql://h/d took no calls (connection to server at 127.0.0.1 failed:",
        "    refused by it):",
        f"    {command}",
        f"    if it was a slip, {'so ' * 18}so",
    ]
    piped = doctor_text(document, Page()).splitlines()
    assert f"  - {found['what']}: {found['do']}" in piped


def test_a_ledgers_name_that_cannot_be_is_one_line_and_no_ledger_is_put_aside(
    outlay: Outlay, tmp_path: Path
) -> None:
    (tmp_path / "outlay.toml").write_text('ledger = "postgresql+psycopg://me:hush@h/d"', encoding="utf-8")
    for command in ("doctor", "demo --no-sleep", "ship", "ship --ledger postgres+asyncpg://me:hush@h/d"):
        done = outlay(*command.split(), OUTLAY_LEDGER="")
        assert (done.returncode, done.stdout) == (2, "")
        assert "names no ledger; did you mean postgres" in done.stderr
        assert "hush" not in done.stderr


def test_the_ledger_that_counts_comes_before_those_that_did_once(outlay: Outlay, tmp_path: Path) -> None:
    where = {"OUTLAY_LEDGER": ABSENT, "OUTLAY_HOME": str(tmp_path / "home")}
    assert outlay("demo", "--calls", "1", "--no-sleep", **where).returncode == 0
    Offsets(tmp_path / "home", "clickhouse://a/b").write(Progress(target="clickhouse://a/b"))
    told = json.loads(outlay("doctor", "--json", **where).stdout)["shipping"]
    assert [each["current"] for each in told] == [True, False]


def test_a_journal_that_a_server_has_not_taken(outlay: Outlay, home: Path) -> None:
    other_url = "clickhouse://ch.example/calls"
    (segment,) = (home / "journal").glob("*.jsonl")
    first = len(segment.read_bytes().splitlines(keepends=True)[0])
    Offsets(home, other_url).write(Progress(target=other_url, taken={segment.name: first}))
    finding = found(outlay("doctor", "--json"), "behind")
    assert finding["what"].startswith(
        f"{other_url} is behind; 5 lines ({segment.stat().st_size - first:,} bytes)"
    )
    # Typed as it stands: a command that names the server would else look for a home elsewhere.
    assert finding["do"] == (
        f"OUTLAY_HOME={home} outlay ship --ledger clickhouse://USER:PASSWORD@ch.example/calls"
    )
    (command,) = re.findall(r"; (OUTLAY_HOME=\S+ outlay ship .*--forget) gives it up", finding["what"])
    named, _, *words = shlex.split(command)
    done = outlay(*words, **dict([named.split("=")]))
    assert done.stdout == f"{other_url} is forgotten; what it has stays there\n"
    assert outlay("doctor").stdout.splitlines()[-1] == "all is well"


def test_a_ledger_that_a_newer_outlay_wrote(outlay: Outlay, home: Path) -> None:
    assert outlay("report").returncode == 0
    with duckdb.connect(home / "ledger.duckdb") as base:
        base.execute("INSERT INTO outlay_schema VALUES (999)")
    done = outlay("doctor", "--json")
    assert done.returncode == 1
    finding = found(done, "newer ledger")
    assert "newer outlay (schema 999" in finding["what"]
    assert finding["do"] == "pip install --upgrade outlay"


def test_a_disk_that_is_full_and_one_that_nearly_is(outlay: Outlay, home: Path) -> None:
    done = outlay("doctor", "--json", OUTLAY_MIN_FREE="900000GB")
    assert done.returncode == 1
    finding = found(done, "disk")
    assert finding["what"].endswith("below 838,190.3 GiB (min_free) nothing is recorded, as now")
    assert finding["do"] == "make room there"  # a prune needs some itself
    near = outlay("doctor", "--json", OUTLAY_MIN_FREE=str(shutil.disk_usage(home).free // 2))
    assert near.returncode == 0
    assert found(near, "disk")["level"] == "advice"
    assert found(near, "disk")["do"] == (
        "make room there; outlay ledger prune --older-than 90d, then outlay ledger compact"
        " turn old calls into daily totals"
    )


def test_alerts_that_are_off_are_a_fault(outlay: Outlay, home: Path, tmp_path: Path) -> None:
    (tmp_path / "outlay.toml").write_text("[[alerts.rules]]\nbudgte = 1\n", encoding="utf-8")
    done = outlay("doctor", "--json")
    assert done.returncode == 1
    assert found(done, "alerts")["what"].startswith("alerts are off (alerts.rules 1: unknown key 'budgte'")


def test_calls_that_came_too_late_are_shown_and_settled_by_one_command() -> None:
    (late,) = _of({**WELL, "late": 2}, "late")
    assert "2" in late.what
    assert late.level == "advice"
    assert "outlay ledger late" in late.do
    assert "--count-in" in late.do
    assert "--discard" in late.do
