"""Settings: where they come from, which wins, and what is refused."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from outlay.alerts.rules import rules_of
from outlay.core.errors import SettingsError
from outlay.ledger import open_ledger
from outlay.settings import VARIABLES, load
from outlay.settings.readers import READERS


def write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "outlay.toml").write_text(text, encoding="utf-8")
    return folder


def test_without_anything_the_ledger_is_in_the_users_data_directory(tmp_path: Path) -> None:
    settings = load({}, tmp_path)
    assert settings.ledger is None
    assert settings.home.is_absolute()
    assert settings.home.name == "outlay"
    assert settings.journal == settings.home / "journal"
    assert (settings.sync, settings.include_usage, settings.store_prompts) == ("interval", True, False)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    write(tmp_path, 'ledger = "memory:"\nsync = "never"')
    settings = load({"OUTLAY_LEDGER": "postgresql://h/db"}, tmp_path)
    assert settings.ledger == "postgresql://h/db"
    assert settings.sync == "never"


def test_the_nearest_file_upwards_is_read_alone(tmp_path: Path) -> None:
    write(tmp_path, 'ledger = "far"\nsync = "never"')
    near = write(tmp_path / "a", 'ledger = "near"')
    write(near / "b" / "below", 'ledger = "below"')
    settings = load({}, near / "b")
    assert settings.ledger == str(near / "near")
    assert settings.sync == "interval"
    assert settings.file == near / "outlay.toml"


def test_a_relative_path_counts_from_the_file_that_names_it(tmp_path: Path) -> None:
    write(tmp_path, 'ledger = "costs"\nprices = "my/prices.json"')
    deep = tmp_path / "x" / "y"
    deep.mkdir(parents=True)
    settings = load({}, deep)
    assert settings.home == tmp_path / "costs"
    assert settings.prices == tmp_path / "my" / "prices.json"


def test_a_relative_path_in_the_environment_counts_from_the_working_folder(tmp_path: Path) -> None:
    assert load({"OUTLAY_LEDGER": "costs"}, tmp_path).home == tmp_path / "costs"


@pytest.mark.parametrize("url", ["memory:", "clickhouse://h", "chdb:///x", "django:"])
def test_a_ledger_that_is_no_folder_leaves_journals_in_home(tmp_path: Path, url: str) -> None:
    settings = load({"OUTLAY_LEDGER": url, "OUTLAY_HOME": str(tmp_path / "h")}, tmp_path)
    assert settings.ledger == url
    assert settings.home == tmp_path / "h"


@pytest.mark.parametrize(
    "named",
    [
        "postgresql://ann:geheim@db/outlay",
        "clickhouse://db/outlay?password=geheim",
        "postgresql//ann:geheim@db/outlay",
        "host=db password=geheim",
        "memory:",
    ],
)
def test_a_home_that_is_no_folder_is_refused_without_its_password(tmp_path: Path, named: str) -> None:
    with pytest.raises(SettingsError, match=r"OUTLAY_HOME.*a folder belongs there") as refused:
        load({"OUTLAY_HOME": named}, tmp_path)
    assert "geheim" not in str(refused.value)


def test_an_empty_variable_is_no_setting(tmp_path: Path) -> None:
    assert load({"OUTLAY_LEDGER": " "}, tmp_path).ledger is None


def test_everything_can_be_set_in_the_file(tmp_path: Path) -> None:
    write(
        tmp_path,
        'sync = "always"\nsync_interval = 0.5\ninclude_usage = false\nstore_prompts = true\n'
        'tz = "Europe/Berlin"\n[tags]\nteam = "search"\nrow = 7\n',
    )
    settings = load({}, tmp_path)
    assert (settings.sync, settings.sync_interval) == ("always", 0.5)
    assert (settings.include_usage, settings.store_prompts) == (False, True)
    assert settings.tz == "Europe/Berlin"
    assert settings.tags == {"team": "search", "row": "7"}


def test_everything_can_be_set_in_the_environment(tmp_path: Path) -> None:
    environ = {
        "OUTLAY_SYNC": "never",
        "OUTLAY_SYNC_INTERVAL": "2",
        "OUTLAY_INCLUDE_USAGE": "0",
        "OUTLAY_STORE_PROMPTS": "yes",
        "OUTLAY_TZ": "Asia/Tokyo",
        "OUTLAY_TAGS": "team=search, row=7",
    }
    settings = load(environ, tmp_path)
    assert (settings.sync, settings.sync_interval, settings.include_usage) == ("never", 2.0, False)
    assert (settings.store_prompts, settings.tz) == (True, "Asia/Tokyo")
    assert settings.tags == {"team": "search", "row": "7"}


def test_a_services_own_tags_come_on_top_of_those_that_all_share(tmp_path: Path) -> None:
    write(tmp_path, '[tags]\nteam = "platform"\nenv = "dev"\n')
    settings = load({"OUTLAY_SERVICE": "web", "OUTLAY_TAGS": "service=web-7,env=prod"}, tmp_path)
    assert settings.tags == {"team": "platform", "env": "prod", "service": "web-7"}


def test_a_null_takes_a_tag_away_that_others_set(tmp_path: Path) -> None:
    write(tmp_path, '[tags]\nteam = "platform"\nenv = "dev"\n')
    said = '{"service": null, "env": null, "row": 7, "new": null}'
    settings = load({"OUTLAY_SERVICE": "web", "OUTLAY_TAGS": said}, tmp_path)
    assert settings.tags == {"team": "platform", "row": "7"}


def test_an_unknown_key_names_the_file_and_the_nearest_key(tmp_path: Path) -> None:
    write(tmp_path, 'ledgr = "x"')
    with pytest.raises(SettingsError) as caught:
        load({}, tmp_path)
    assert str(tmp_path / "outlay.toml") in str(caught.value)
    assert "'ledgr'; did you mean ledger?" in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("OUTLAY_SYNC", "sometimes"),
        ("OUTLAY_SYNC_INTERVAL", "0"),
        ("OUTLAY_SYNC_INTERVAL", "nan"),
        ("OUTLAY_SYNC_INTERVAL", "soon"),
        ("OUTLAY_INCLUDE_USAGE", "maybe"),
        ("OUTLAY_TZ", "Mars/Olympus"),
        ("OUTLAY_SHIP", "perhaps"),
        ("OUTLAY_JOURNAL_KEEP", "1d"),
        ("OUTLAY_JOURNAL_KEEP", "30"),
        ("OUTLAY_MIN_FREE", "-1"),
        ("OUTLAY_MIN_FREE", "some"),
        ("OUTLAY_MIN_FREE", "5iB"),
        ("OUTLAY_TAGS", "team"),
        ("OUTLAY_TAGS", "=x"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(tmp_path: Path, key: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{key} = '{value}': "):
        load({key: value}, tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "ledger = 7",
        'ledger = ""',
        "sync_interval = true",
        "tags = [1]",
        r'ledger = "a\u0000b"',
        "[tags.a]\nb = 1",
        "= =",
    ],
)
def test_a_bad_file_is_refused_by_path(tmp_path: Path, text: str) -> None:
    write(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        load({}, tmp_path)
    assert str(tmp_path / "outlay.toml") in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ('[prices]\nledger = "postgresql://ann:geheim@h/d"', "[prices]"),
        ('[tags]\nteam = "search"\nledger = "postgresql://ann:geheim@h/d"', "[tags]"),
        ('tags = { ledger = "geheim" }', "[tags]"),
        ('[alerts]\nledger = "geheim"', "[alerts]"),
        ('[[alerts.rules]]\nbudget = 1\n[[alerts.rules]]\nbudget = 2\nledger = "geheim"', "[[alerts.rules]]"),
        ('[[alerts.rules]]\nbudget = 1\n[alerts.rules.where]\nledger = "geheim"', "[alerts.rules.where]"),
        ('[tool.outlay]\nledger = "geheim"', "[tool.outlay]"),
        ('["a\\nb"]\nledger = "geheim"', r"['a\nb']"),
    ],
)
def test_a_setting_behind_a_table_is_told_to_belong_above_it(tmp_path: Path, text: str, table: str) -> None:
    """It was a tag, or nothing at all, and calls were kept in another ledger."""
    write(tmp_path, f'tz = "Asia/Tokyo"\n{text}\n')
    with pytest.raises(SettingsError) as caught:
        load({}, tmp_path)
    where, _, said = str(caught.value).partition("outlay.toml: ")
    assert where == f"{tmp_path}/"
    assert said.startswith(f"ledger stands in {table}; it is a setting and belongs above the first [table]")
    assert ("OUTLAY_TAGS" in said) == (table == "[tags]")
    assert "geheim" not in said


@pytest.mark.parametrize(
    ("text", "key", "table"),
    [
        ("budget = 1", "budget", "[[alerts.rules]]"),
        ("stop = true", "stop", "[[alerts.rules]]"),
        ('slack = "https://geheim"', "slack", "[alerts]"),
        ("[[rules]]\nbudget = 1", "rules", "[alerts]"),
    ],
)
def test_what_belongs_to_a_table_is_told_so_at_the_top(
    tmp_path: Path, text: str, key: str, table: str
) -> None:
    write(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        load({}, tmp_path)
    assert str(caught.value) == f"{tmp_path}/outlay.toml: {key} belongs below {table}"


def test_a_rule_has_a_zone_of_its_own(tmp_path: Path) -> None:
    text = 'tz = "Asia/Tokyo"\n[[alerts.rules]]\nbudget = 1\ntz = "Europe/Berlin"\n'
    (rule,) = rules_of(load({}, write(tmp_path, text)).alerts)
    assert rule.tz == "Europe/Berlin"


def test_a_file_of_windows_may_begin_with_its_mark(tmp_path: Path) -> None:
    (tmp_path / "outlay.toml").write_bytes(b'\xef\xbb\xbftz = "Asia/Kolkata"\r\n')
    assert load({}, tmp_path).tz == "Asia/Kolkata"


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outlay.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="cannot be read as TOML"):
        load({}, tmp_path)


def test_importing_settings_loads_no_third_party_package() -> None:
    code = "import sys, outlay.settings; print({'platformdirs', 'tomllib', 'orjson'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_prices_beside_the_ledger_are_found_unless_others_are_named(tmp_path: Path) -> None:
    assert load({"OUTLAY_LEDGER": str(tmp_path)}, tmp_path).prices is None
    assert load({"OUTLAY_LEDGER": str(tmp_path)}, tmp_path).own_prices == tmp_path / "prices.toml"
    (tmp_path / "prices.toml").touch()
    assert load({"OUTLAY_LEDGER": str(tmp_path)}, tmp_path).prices == tmp_path / "prices.toml"
    named = load({"OUTLAY_LEDGER": str(tmp_path), "OUTLAY_PRICES": "other.toml"}, tmp_path)
    assert named.prices == named.own_prices == tmp_path / "other.toml"


def test_another_process_has_the_same_settings_from_the_environment_alone(tmp_path: Path) -> None:
    write(
        tmp_path,
        'ledger = "costs"\nsync = "always"\ninclude_usage = false\ntz = "Europe/Berlin"\n'
        '[tags]\nteam = "a,b"\nrow = 7\n[[alerts.rules]]\nname = "daily"\nbudget = 1\nstop = true\n',
    )
    here = load({"OUTLAY_RUN": "r1"}, tmp_path)
    assert here.alerts
    there = load(here.to_environ(), Path(tmp_path.anchor))
    assert (there.home, there.run) == (tmp_path / "costs", "r1")
    for name in ("alerts", "file", "sync", "include_usage", "tz", "tags", "sync_interval", "store_prompts"):
        assert getattr(there, name) == getattr(here, name)


def test_a_run_whose_file_is_gone_or_that_had_none_leaves_its_children_theirs(tmp_path: Path) -> None:
    write(tmp_path, 'tz = "Europe/Berlin"\n')
    for named in ("", str(tmp_path / "gone" / "outlay.toml"), str(tmp_path)):
        assert load({"OUTLAY_RUN": "r1", "OUTLAY_RUN_FILE": named}, tmp_path).tz == "Europe/Berlin"


def test_room_and_retention_are_written_as_people_write_them(tmp_path: Path) -> None:
    write(tmp_path, 'journal_keep = "8w"\nmin_free = "2GB"\nship = false\n')
    found = load({}, tmp_path)
    assert (found.journal_keep, found.min_free, found.ship) == (timedelta(weeks=8), 2 * 10**9, False)
    there = load(found.to_environ(), Path(tmp_path.anchor))
    assert (there.journal_keep, there.min_free, there.ship) == (timedelta(weeks=8), 2 * 10**9, False)
    assert load({"OUTLAY_MIN_FREE": "0"}, tmp_path).min_free == 0
    assert load({"OUTLAY_JOURNAL_KEEP": "30d"}, tmp_path).journal_keep == timedelta(days=30)


@pytest.mark.parametrize(
    ("written", "count"),
    [
        ("7", 7),
        ("7B", 7),
        ("3kB", 3_000),
        ("500MB", 500_000_000),
        ("500m", 500_000_000),
        ("2 GB", 2_000_000_000),
        ("1TB", 10**12),
        ("3KiB", 3_072),
        ("500 MiB", 524_288_000),
        ("2Gi", 2_147_483_648),
        ("1tib", 1_099_511_627_776),
    ],
)
def test_sizes_are_of_a_thousand_and_with_an_i_of_1024(written: str, count: int, tmp_path: Path) -> None:
    assert load({"OUTLAY_MIN_FREE": written}, tmp_path).min_free == count


def test_a_password_that_a_url_would_cut_is_refused_and_shown_nowhere(tmp_path: Path) -> None:
    for url in ("postgresql://me:p@ss@h/d", "clickhouse://me:pa#ss@h/d"):
        with pytest.raises(SettingsError) as caught:
            load({"OUTLAY_LEDGER": url}, tmp_path)
        assert str(caught.value).startswith("OUTLAY_LEDGER: the ledger's URL cannot be read; percent-encode ")
        assert not any(part in str(caught.value) for part in ("me:", "p@", "pa#", "ss@"))
        with pytest.raises(SettingsError, match=r"^the ledger's URL cannot be read"):
            open_ledger(url, home=tmp_path)
    assert load({"OUTLAY_LEDGER": "chdb:///a#b@c"}, tmp_path).ledger == "chdb:///a#b@c"  # a folder's name


def test_memory_is_memory_however_it_is_written(tmp_path: Path) -> None:
    assert load({"OUTLAY_LEDGER": "memory://"}, tmp_path).ledger == "memory:"  # and not a journal in home


def test_what_names_no_ledger_is_refused_before_calls_are_kept_elsewhere(tmp_path: Path) -> None:
    write(tmp_path, 'ledger = "postgresql+psycopg://me:secret@h/d"')
    with pytest.raises(SettingsError, match=r"outlay.toml: ledger: 'postgresql\+psycopg://' names no ledger"):
        load({}, tmp_path)


def test_every_setting_of_the_file_has_a_variable_but_the_alerts() -> None:
    assert READERS.keys() == VARIABLES.keys() | {"alerts"}


def test_settings_that_are_shown_hold_no_password() -> None:
    secret = {"OUTLAY_LEDGER": "postgresql://me:s3cret@h/d", "OUTLAY_PRICES_URL": "https://me:s3cret@h/p"}
    assert "s3cret" not in repr(load(secret, Path("/")))
