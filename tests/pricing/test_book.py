"""The book: the shipped data are whole, the store is bounded, and loading happens late."""

import json
import os
import subprocess
import sys
import threading
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.books import NOW, charged

from outlay.pricing import Book, RateCard, Unpriced
from outlay.pricing.finding import near
from outlay.pricing.names import normal
from outlay.pricing.rows import OVERLAY
from outlay.pricing.tables import Table

DATA = Path(__file__).parents[2] / "src" / "outlay" / "pricing" / "data"
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_every_row_of_the_shipped_data_reads() -> None:
    assert Book.default().check() > 5000


@pytest.mark.parametrize("path", sorted(DATA.glob("*.json")), ids=lambda path: path.stem)
def test_generated_files_name_their_sources_and_repeat_no_name(path: Path) -> None:
    data = json.loads(path.read_text("utf-8"))
    assert all(source["name"].startswith(("genai-prices ", "litellm ")) for source in data["sources"])
    ids = [normal(key) for key in data["models"]]
    assert len(ids) == len(set(ids))
    assert all(entry["rows"] for entry in data["models"].values())


def test_generated_files_hold_no_floats() -> None:
    def refuse(text: str) -> float:
        raise AssertionError(text)

    for path in DATA.glob("*.json"):
        json.loads(path.read_text("utf-8"), parse_float=refuse)


def test_every_row_of_the_overlay_names_its_source() -> None:
    data = tomllib.loads((DATA / "overlay.toml").read_text("utf-8"))
    rows = [row for model in data["model"] for row in model.get("price", ())] + data["common"]
    assert all(row.get("source") for row in rows)
    assert all(alias.get("source") for alias in data["alias"])
    ours = [row for row in rows if row["source"] != "outlay demo"]
    assert all(row.get("link", "").startswith("https://") for row in ours)


def test_the_data_stay_small() -> None:
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 1_500_000


def test_names_made_up_by_strangers_make_nothing_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outlay.pricing.book._KEPT", 20)
    book = Book(Book.default().sheets, "test")
    for number in range(60):
        book.timeline("openai", f"gpt-{number}-made-up", ())
    assert len(book._timelines) == 20
    tables = len(book._tables)
    for number in range(40):
        book.timeline(f"provider-{number}", "gpt-4o", ())
        book.timeline("openai", "gpt-4o", (("size", "x" * 1000 + str(number)),))
    assert len(book._tables) == tables
    assert all(len(str(key)) < 1000 for key in book._timelines)


def test_importing_reads_no_data_and_no_package_but_our_own() -> None:
    code = """
import sys
import outlay.pricing
from outlay.pricing.book import default_book
assert default_book.cache_info().currsize == 0
print(sorted({"tomllib", "genai_prices", "litellm", "pydantic"} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_card_tells_what_it_knows() -> None:
    card = Book.default().resolve("google", "gemini-2.5-pro", AT)
    assert isinstance(card, RateCard)
    assert (card.context_window, card.max_output) == (1_048_576, 65_536)
    assert [(tier.tokens, tier.at_least) for tier in card.tiers] == [(200_000, False)]
    assert [str(card.rates_for(size)["input"].amount) for size in (200_000, 200_001)] == ["1.25", "2.5"]


def test_a_card_says_when_its_price_ends() -> None:
    card = Book.default().resolve("google", "gemini-3.8-flash", AT)
    assert isinstance(card, RateCard)
    assert card.until == datetime(2027, 1, 1, tzinfo=UTC)


def test_the_history_of_a_price() -> None:
    rows = [listing.row for listing in Book.default().history("gpt-4o", "openai") if not listing.row.when]
    changes = [
        (str(row.start and row.start.date()), str(row.rates["input"].amount))
        for row in rows
        if row.layer == OVERLAY
    ]
    assert changes == [("2024-05-13", "5")]
    assert any(str(row.rates["input"].amount) == "2.5" for row in rows)
    assert Book.default().history("gpt-99") == ()


def test_a_book_names_its_models() -> None:
    assert ("openai", "gpt-4o") in Book.default().models("openai")
    assert ("mistral", "mistral-large-latest") in Book.default().models("mistral")


def test_prices_of_ones_own_change_the_version() -> None:
    assert Book.of().version == Book.default().version
    assert isinstance(Book.default().resolve("openai", None), Unpriced)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
def test_a_child_forked_while_another_thread_loads_a_table_can_price() -> None:
    """The journal's thread may be in the middle of a table when a server forks its workers."""
    program = """
import os, threading, time
from pathlib import Path
from outlay.pricing import Book, book, cost_of
inside, load = threading.Event(), book.load_table
def slow(*asked):
    inside.set()
    time.sleep(0.3)
    return load(*asked)
book.load_table = slow
loading = threading.Thread(target=Book.default().table, args=("openai",))
loading.start()
inside.wait()
child = os.fork()
if child == 0:
    cost = cost_of({"input": 1_000}, provider="anthropic", model="claude-sonnet-4-5")
    os._exit(0 if cost.amount * 1000 == 3 else 1)
loading.join()
deadline = time.monotonic() + 20
while time.monotonic() < deadline:
    done, status = os.waitpid(child, os.WNOHANG)
    if done:
        print(os.waitstatus_to_exitcode(status))
        break
    time.sleep(0.01)
else:
    os.kill(child, 9)
    print("the child waits for ever")
"""
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=False
    )
    assert (ran.stdout, ran.stderr) == ("0\n", "")


def test_two_threads_that_need_a_table_load_it_once() -> None:
    looked = threading.Event()

    class Watched(dict[str, Table]):
        """Says when somebody looked."""

        def get(self, key: str, default: Any = None) -> Any:
            looked.set()
            return super().get(key, default)

    from outlay.pricing.book import _LOADING  # noqa: PLC0415 - the lock that the other thread waits for

    packaged = Book.default()
    prices = Book(packaged.sheets, packaged.version, packaged.data, Watched())
    got: list[Table] = []
    other = threading.Thread(target=lambda: got.append(prices.table("xai")))
    with _LOADING:
        other.start()
        assert looked.wait(10)
        mine = prices.table("xai")
    other.join(10)
    assert got == [mine]
    assert got[0] is mine


def test_openrouters_free_route_is_free_for_a_model_that_nobody_lists() -> None:
    cost = charged(Book.default(), {"input": 1000, "output": 10}, "openrouter/acme/never-heard-of:free")
    assert cost.amount == 0
    assert cost.price is not None
    assert cost.price.source == "route :free"


def test_a_dated_name_of_an_unknown_model_is_not_guessed() -> None:
    cost = charged(Book.default(), {"input": 1000}, "openai/imaginary-2025-01-31")
    assert (cost.amount, cost.status) == (None, "unpriced")


def test_a_card_is_what_a_book_gives_and_a_reason_what_it_lacks() -> None:
    assert isinstance(Book.default().resolve("openai", "gpt-4o", NOW), RateCard)
    assert isinstance(Book.default().resolve("openai", "imaginary", NOW), Unpriced)


@pytest.fixture
def acme(tmp_path: Path) -> Book:
    """Give a book of two providers, from tables of our own under an overlay."""
    overlay = """
[[model]]
provider = "acme"
model = "one"
[[model.price]]
source = "news"
from = 2026-06-01
rates = { input = "3" }
[[model.price]]
source = "news"
rates = { input = "1" }
windows = [{ from = "16:30", to = "00:30" }]
[[common]]
provider = "acme"
source = "news"
factor = "0.5"
when = { batch = "true" }
"""
    (tmp_path / "overlay.toml").write_text(overlay, "utf-8")
    (tmp_path / "version.txt").write_text("1", "utf-8")
    row = '{"rows":[{"source":0,"rates":{"input":"2"}}]}'
    for name, models in (("acme", f'"one":{row},"two":{row}'), ("other", f'"two":{row}')):
        text = f'{{"sources":[{{"name":"x"}}],"models":{{{models}}}}}'
        (tmp_path / f"{name}.json").write_text(text, "utf-8")
    return Book.at(tmp_path)


def test_a_book_counts_its_rows_and_names_its_models_and_who_sells_them(acme: Book) -> None:
    assert acme.check() == 6  # of acme's one three, of each two one, and the one for all
    assert acme.models() == (("acme", "one"), ("acme", "two"), ("other", "two"))
    assert acme.models("other") == (("other", "two"),)
    assert (acme.sellers("two"), acme.sellers("one"), acme.sellers("three")) == (
        ("acme", "other"),
        ("acme",),
        (),
    )
    assert acme.table("other") is acme.table("other")


def test_the_history_begins_with_what_always_held(acme: Book) -> None:
    starts = [each.row.start for each in acme.history("one", "acme")]
    assert starts == [None, None, datetime(2026, 6, 1, tzinfo=UTC)]


@pytest.mark.parametrize(("hour", "rate"), [(13, 3), (18, 1)])
def test_a_timeline_has_a_card_for_each_state_of_its_windows(hour: int, rate: int, acme: Book) -> None:
    timeline = acme.timeline("acme", "one", ())
    for at in (AT, AT.replace(hour=17), AT.replace(hour=hour)):
        card = timeline.at(at)
    assert isinstance(card, RateCard)
    assert card.rates["input"].amount == rate


@pytest.mark.parametrize(
    ("provider", "model", "reason"),
    [
        ("acme", "onee", "no price of onee is known at acme; near: one"),
        (None, "zzzz", "no price of zzzz is known"),
        (None, "openai/zzzz", "no prices of provider openai are known"),
        ("huggingface", "x/y:host", "no prices of provider huggingface_host are known"),
    ],
)
def test_what_is_not_known_is_said_with_what_comes_near(
    provider: str | None, model: str, reason: str, acme: Book
) -> None:
    found = acme.resolve(provider, model)
    assert isinstance(found, Unpriced)
    assert found.reason == reason


def test_three_names_are_offered() -> None:
    assert len(near(Book.default().table, "openai", "gpt-4o-mni")) == 3


@pytest.mark.parametrize(
    ("provider", "model", "terms", "kept"),  # 512 characters are kept, 513 are not
    [
        ("p" * 12, "m" * 500, (), True),
        ("p" * 12, "m" * 501, (), False),
        ("p", "m" * 513, (), False),
        ("acme", "one", (("size", "x" * 501),), True),
        ("acme", "one", (("size", "x" * 502),), False),
    ],
)
def test_a_key_that_is_too_long_is_not_kept(
    provider: str, model: str, terms: tuple[tuple[str, str], ...], acme: Book, *, kept: bool
) -> None:
    acme.timeline(provider, model, terms)
    assert bool(acme._timelines) is kept


@pytest.mark.parametrize(("days", "flags"), [(0, ("guessed",)), (2, None)])
def test_a_name_of_today_may_be_guessed_and_one_of_a_day_to_come_may_not(
    days: int, flags: tuple[str, ...] | None
) -> None:
    day = datetime.now(UTC) + timedelta(days=days)
    card = Book.default().resolve("openai", f"gpt-4o-{day:%Y%m%d}")
    assert (card.flags if isinstance(card, RateCard) else None) == flags


def test_a_book_is_one_object_and_shows_no_tables() -> None:
    book = Book.of(base=Book.default())
    assert book != Book.of(base=Book.default())
    assert len({book, Book.default()}) == 2
    assert "_tables" not in repr(book)
    assert "_timelines" not in repr(book)
