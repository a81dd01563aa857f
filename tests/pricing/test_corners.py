"""Corners of pricing that few calls reach; every figure worked out by hand."""

import threading
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import filelock
import pytest

from outlay.core.cost import Cost, CostLine, Price
from outlay.core.errors import PriceBookError
from outlay.core.usage import Usage
from outlay.pricing import Book, RateCard, Unpriced, cost_of, explain, pricefile
from outlay.pricing.agreement import Tally, compare_lists
from outlay.pricing.compare import _changes
from outlay.pricing.elsewhere import Alternative, compare_calls
from outlay.pricing.names import readings
from outlay.pricing.newest import book_of
from outlay.pricing.own import HAPPY_HOUR, is_happy_hour
from outlay.pricing.pricefile import NewPrice, add_price, named
from outlay.pricing.rates import Step
from outlay.pricing.reprice import Repricing, verdict
from outlay.pricing.rows import USER, Row
from outlay.pricing.sources import Listed, litellm_listed
from outlay.pricing.tables import Table, sheet_of
from outlay.pricing.terms import normal_terms
from outlay.pricing.updates import bundle, update
from outlay.pricing.windows import read_window
from outlay.testing import call

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def book(text: str) -> Book:
    """Lay prices of one's own over the packaged ones."""
    return Book.of(sheet_of(text, "mine.toml", USER))


def charged(prices: Book, counts: dict[str, Any], model: str = "acme/one", **terms: str) -> Cost:
    """Price counts of a model of acme."""
    provider, _, name = model.partition("/")
    return cost_of(counts, provider=provider, model=name, at=NOW, book=prices, **terms)


# ---------------------------------------------------------------- charging
def test_a_fee_is_known_where_the_usage_is_not() -> None:
    prices = book("""
    [[model]]
    provider = "acme"
    model = "one"
    price = [{ rates = { input = "2", requests = "5" } }]  # a thousand calls
    """)
    cost = cost_of(Usage(reason="no usage in the stream"), provider="acme", model="one", at=NOW, book=prices)
    assert (cost.amount, cost.status) == (Decimal("0.005"), "partial")
    assert cost.reason == "only the fee of the call is known: no usage in the stream"


def test_provisioned_throughput_without_a_rate_stays_unknown() -> None:
    prices = book("""
    [[model]]
    provider = "azure"
    model = "only-words"
    own = true
    price = [{ rates = { input = "2" } }]
    """)
    cost = charged(prices, {"pages": 3}, "azure/only-words", service_tier="provisioned_throughput")
    assert (cost.amount, cost.status) == (None, "unpriced")


def test_parts_of_several_currencies_have_no_sum() -> None:
    prices = book("""
    [[model]]
    provider = "acme"
    model = "one"
    price = [{ rates = { input = "2" } }]
    [[model]]
    provider = "acme"
    model = "two"
    price = [{ rates = { input = "7" }, currency = "CNY" }]
    """)
    parts = (Usage.of({"input": 5}, model="one"), Usage.of({"input": 5}, model="two"))
    whole = Usage.of({"input": 10}, parts=parts)
    cost = cost_of(whole, provider="acme", model="one", at=NOW, book=prices)
    assert (cost.amount, cost.reason) == (None, "the parts are billed in several currencies")


def test_what_is_no_token_is_not_laid_on_marginal_tiers() -> None:
    prices = book("""
    [[model]]
    provider = "acme"
    model = "one"
    [[model.price]]
    rates = { input = "10", web_search = "5" }
    kind = "marginal"
    above = [{ tokens = 1000, rates = { input = "20" } }]
    """)
    # 1000 x 10 + 500 x 20 a million, and 2 x 5 a thousand
    cost = charged(prices, {"input": 1500, "web_search": 2})
    assert cost.amount == Decimal("0.01") + Decimal("0.01") + Decimal("0.01")


def test_a_step_begins_behind_its_edge_or_at_it() -> None:
    assert [Step(10, {}).reached(count) for count in (9, 10, 11)] == [False, False, True]
    assert [Step(10, {}, at_least=True).reached(count) for count in (9, 10, 11)] == [False, True, True]


# ---------------------------------------------------------------- the book
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


def test_a_price_that_depends_on_what_the_call_does_not_say_is_unknown() -> None:
    prices = book("""
    [[model]]
    provider = "acme"
    model = "one"
    own = true
    price = [{ rates = { images = "0.04" }, when = { size = "1024x1024", quality = "hd" } }]
    """)
    assert charged(prices, {"images": 2}, size="1024x1024", quality="hd").amount == Decimal("0.08")
    lacking = charged(prices, {"images": 2}, size="1024x1024")
    assert (lacking.amount, lacking.reason) == (
        None,
        "its price depends on quality, size; the call says size=1024x1024",
    )
    assert (
        charged(prices, {"images": 2}).reason == "its price depends on quality, size; the call says nothing"
    )


def test_a_row_has_no_part_between_instants_that_it_does_not_reach() -> None:
    may, june, july = (datetime(2026, month, 1, tzinfo=UTC) for month in (5, 6, 7))
    row = Row({}, start=june, end=july)
    assert row.clipped(may, june) is None
    assert row.clipped(july, None) is None
    assert row.clipped(may, None) == row


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[model]]\nprovider = "acme"\nprice = [{ rates = { input = "1" } }]', "needs a model"),
        ('[[model]]\nprovider = "acme"\nmodel = ""\nprice = []', "needs a model"),
        ('[[alias]]\nprovider = "acme"\nname = "a"', "needs a name and another model"),
        ('[[alias]]\nprovider = "acme"\nname = "a"\nmodel = "A"', "needs a name and another model"),
    ],
)
def test_an_entry_without_its_name_is_refused(text: str, said: str) -> None:
    with pytest.raises(PriceBookError, match=said):
        book(text).check("acme")


@pytest.mark.parametrize(
    ("provider", "terms", "said"),
    [
        ("bedrock", {"region": "us-gov-west-1"}, {"region": "us-gov"}),
        ("bedrock", {"region": "eu-central-1"}, {"aws_region": "eu-central-1"}),
        ("bedrock", {"region": "eu"}, {"region": "eu"}),
        ("vertex", {"region": "global"}, {"endpoint": "global"}),
        ("vertex", {"region": "europe-west4"}, {"endpoint": "regional"}),
        ("bedrock", {"latency": "Optimized"}, {"latency": "optimized"}),
        ("bedrock", {"latency": "standard"}, {}),
        ("anthropic", {"fallback_credit": "redeemed"}, {"fallback_credit": "redeemed"}),
        ("anthropic", {"fallback_credit": "expired"}, {}),
    ],
)
def test_terms_in_the_words_of_the_book(provider: str, terms: dict[str, str], said: dict[str, str]) -> None:
    assert normal_terms(provider, terms) == said


@pytest.mark.parametrize(
    ("provider", "name", "other", "bare"),
    [
        ("fireworks", "accounts/fireworks/models/deepseek-v3", "fireworks", "deepseek-v3"),
        ("huggingface", "meta-llama/Llama-3.1-8B:nscale", "huggingface_nscale", "meta-llama/llama-3.1-8b"),
    ],
)
def test_a_routers_name_is_read_as_its_hosts(provider: str, name: str, other: str, bare: str) -> None:
    assert (other, bare) in [(each.provider, each.name.lower()) for each in readings(provider, name)]


def test_hours_and_days_may_be_toml_values_or_text() -> None:
    window = read_window(
        {"from": time(16, 30), "to": "18:00", "except": [date(2026, 11, 20), "2026-11-21"]}, "row 1"
    )
    assert [window.holds(datetime(2026, 11, day, 17, tzinfo=UTC)) for day in (19, 20, 21, 22)] == [
        True,
        False,
        False,
        True,
    ]
    with pytest.raises(PriceBookError, match=r"row 1: 'Friday' is no date; write 2026-10-01"):
        read_window({"from": "16:30", "to": "18:00", "except": ["Friday"]}, "row 1")


# ---------------------------------------------------------------- what is said of a cost
def test_an_explanation_says_what_was_assumed_and_what_was_odd() -> None:
    price = Price("a list", None, "7", extrapolated=True)
    cost = Cost(Decimal(2), "reported", flags=("extrapolated",), price=price, computed=Decimal(3))
    assert explain(cost, Usage(flags=("clamped",))) == [
        "total 2 USD (reported)",
        "by our prices 3 USD",
        "price from a list, holds since as far back as is known, book 7",
        "the call is older than the first known price, which was taken",
        "flags: clamped, extrapolated",
    ]


def test_a_stated_happy_hour_says_so_itself() -> None:
    line = CostLine("input", 1, Decimal(1), 1_000_000, Decimal("0.000001"), note=HAPPY_HOUR)
    assert is_happy_hour(Cost(Decimal(1), "priced", lines=(line,)), "openai", "gpt-4o", NOW)


@pytest.mark.parametrize(
    "cost",
    [
        Cost(Decimal(0), "free"),
        Cost(None, "unpriced"),
        Cost(Decimal(1), "reported", lines=(CostLine("reported", 1, Decimal(1), 1, Decimal(1)),)),
    ],
    ids=lambda cost: cost.status,
)
def test_what_the_book_did_not_reckon_is_no_happy_hour(cost: Cost) -> None:
    assert not is_happy_hour(cost, "deepseek", "deepseek-chat", NOW)


def test_a_model_without_hours_has_no_happy_one() -> None:
    cost = charged(Book.default(), {"input": 10}, "openai/gpt-4o")
    assert not is_happy_hour(cost, "openai", "gpt-4o", NOW)


# ---------------------------------------------------------------- comparing
def test_a_difference_says_itself_as_an_object() -> None:
    prices = book(
        '[[model]]\nprovider = "acme"\nmodel = "one"\nprice = [{ rates = { input = "1", pages = "2" } }]'
    )
    theirs = [Listed("acme", "one", "input", Decimal(3)), Listed("acme", "one", "pages", Decimal(2))]
    found = compare_lists(prices, theirs, NOW)
    (differs,) = found.disagreements
    said = differs.to_dict()
    assert {name: said[name] for name in ("provider", "model", "unit", "ours", "theirs", "terms")} == {
        "provider": "acme",
        "model": "one",
        "unit": "input",
        "ours": Decimal(1),
        "theirs": Decimal(3),
        "terms": {},
    }
    assert list(found.by_unit()) == ["input", "pages"]
    assert all(isinstance(tally, Tally) for tally in found.by_unit().values())


def test_a_model_that_neither_book_prices_has_not_changed() -> None:
    assert list(_changes("acme", "one", None, None)) == []


def test_another_models_costs_as_an_object() -> None:
    prices = book('[[model]]\nprovider = "acme"\nmodel = "one"\nprice = [{ rates = { input = "1" } }]')
    record = call(provider="acme", model="big", units={"input": 1_000_000}, cost="3")
    _, (found,) = compare_calls([record], [Alternative("one", "acme")], prices)
    said = found.to_dict()
    assert (said["model"], said["provider"], said["tier"]) == ("one", "acme", None)
    (sums,) = said["sums"]
    assert (sums["currency"], sums["calls"], sums["cost"]) == ("USD", 1, Decimal(3))


def test_two_unknown_costs_for_different_reasons_are_both_unknown() -> None:
    record = call(charge=Cost(None, "unpriced", "CNY", reason="of old"))
    assert verdict(record, Cost(None, "unpriced", reason="of late")) == "unpriced"


def test_what_changed_counts_what_had_no_cost_too() -> None:
    found = Repricing(UTC)
    found.verdicts.update(["changed", "filled", "filled", "same"])
    assert found.changed == 3


def test_litellms_vertex_lists_are_vertexs() -> None:
    listed = list(
        litellm_listed(
            {
                "vertex_ai/gemini-x": {
                    "litellm_provider": "vertex_ai-language-models",
                    "mode": "chat",
                    "input_cost_per_token": Decimal("0.000001"),
                }
            }
        )
    )
    assert [(each.provider, each.unit, each.rate) for each in listed] == [("vertex", "input", Decimal(1))]


# ---------------------------------------------------------------- files of prices
def test_a_book_without_updates_is_the_packaged_one_under_ones_own(tmp_path: Path) -> None:
    assert book_of(None, None) is Book.default()
    mine = tmp_path / "mine.toml"
    mine.write_text('[[model]]\nprovider = "acme"\nmodel = "one"\nprice = [{ rates = { input = "1" } }]')
    assert charged(book_of(mine, None), {"input": 1_000_000}).amount == 1


def new(**given: Any) -> NewPrice:
    """Make a price of acme's."""
    return NewPrice(provider="Acme", model="one", rates={"input": Decimal(2)}, **given)


def test_a_price_that_was_set_says_itself_in_words_and_as_an_object() -> None:
    price = new(start=NOW, when={"batch": "true"}, currency="EUR", source="contract 12")
    assert (
        named(price) == "acme one: input 2.00 per 1,000,000, EUR where batch=true from 2026-11-22 12:00 UTC"
    )
    assert price.to_dict() == {
        "provider": "acme",
        "model": "one",
        "rates": {"input": {"rate": "2.00", "per": 1_000_000}},
        "currency": "EUR",
        "from": NOW,
        "when": {"batch": "true"},
        "source": "contract 12",
    }
    pages = NewPrice(provider="acme", model="one", rates={"images": Decimal("0.04")})
    assert named(pages) == "acme one: images 0.04 each, USD"


def test_a_file_that_cannot_be_read_or_is_being_changed_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_bytes(b"\xff\xfe")
    with pytest.raises(PriceBookError, match="cannot be read"):
        add_price(broken, new(), now=NOW)
    assert broken.read_bytes() == b"\xff\xfe"
    monkeypatch.setattr(pricefile, "_PATIENCE", 0.01)
    with (
        filelock.FileLock(tmp_path / ".mine.toml.lock", thread_local=False),
        pytest.raises(PriceBookError, match="somebody else has been changing"),
    ):
        add_price(tmp_path / "mine.toml", new(), now=NOW)
    assert not (tmp_path / "mine.toml").exists()


def test_a_folder_that_may_not_be_written_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path, **_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(PriceBookError, match=r"mine\.toml cannot be written: Permission denied"):
        add_price(tmp_path / "mine.toml", new(), now=NOW)


def test_a_price_that_would_not_count_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    with pytest.raises(PriceBookError, match=r"the price would not count: .*; nothing was written"):
        add_price(path, new(when={"geo": "global"}), now=NOW)  # where no call is said to be
    assert not path.exists()


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """Give a folder of tables with one model."""
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "acme.json").write_text(
        '{"sources": [{"name": "t"}], "models": {"one": {"rows": [{"source": 0, "rates": {"input": "1"}}]}}}'
    )
    (folder / "overlay.toml").write_text("")
    (folder / "version.txt").write_text("first")
    return folder


def test_a_folder_of_updates_that_cannot_be_written_is_one_line(tables: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(PriceBookError, match="cannot be written"):
        update(bundle(tables, NOW), folder=blocked / "updates", now=NOW, packaged=tables)


def test_a_card_is_what_a_book_gives_and_a_reason_what_it_lacks() -> None:
    assert isinstance(Book.default().resolve("openai", "gpt-4o", NOW), RateCard)
    assert isinstance(Book.default().resolve("openai", "imaginary", NOW), Unpriced)
