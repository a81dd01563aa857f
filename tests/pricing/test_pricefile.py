"""A price is added to a file of one's own, and nothing else in it is touched."""

import stat
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import filelock
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlay.core.errors import PriceBookError
from outlay.pricing import Book, RateCard, cost_of, pricefile
from outlay.pricing.exchange import Exchange
from outlay.pricing.hourly import Hour
from outlay.pricing.pricefile import NewPrice, add_exchange, add_price, named
from outlay.pricing.tables import sheet_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BY_HAND = """# my contract, do not touch
[[model]]   # odd   spacing
provider = "acme"
model    = "one"
price = [{ rates = { input = 8 } }]  # no line end after this"""


def price(model: str = "gpt-4o", provider: str = "openai", **given: Any) -> NewPrice:
    rates = given.pop("rates", {"input": Decimal(2), "output": Decimal(8)})
    return NewPrice(provider=provider, model=model, rates=rates, **given)


def amount(path: Path, model: str = "gpt-4o", provider: str = "openai", at: datetime = NOW) -> Decimal | None:
    return cost_of({"input": 1_000_000}, provider=provider, model=model, at=at, book=Book.of(path)).amount


def test_a_new_file_is_made_and_counts(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "prices.toml"
    add_price(path, price(), now=NOW)
    assert amount(path) == Decimal(2)
    assert [each.name for each in path.parent.glob("[!.]*")] == ["prices.toml"]


def test_what_was_written_by_hand_stays_to_the_byte(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(BY_HAND)
    path.chmod(0o600)
    add_price(path, price(source="a contract"), now=NOW)
    assert path.read_text().startswith(BY_HAND)
    assert (amount(path, "one", "acme"), amount(path)) == (Decimal(8), Decimal(2))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_file_of_windows_keeps_its_mark_and_its_line_ends(tmp_path: Path, mark: str) -> None:
    file = tmp_path / "prices.toml"
    before = f"{mark}# mine\r\n".encode()
    file.write_bytes(before)
    add_price(file, price(rates={"input": Decimal(3), "output": Decimal(6)}), now=NOW)
    content = file.read_bytes()
    assert content.startswith(before)
    assert content.count(b"\n") == content.count(b"\r\n") > 5
    assert amount(file) == Decimal(3)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "link.toml"
    real.write_text(BY_HAND)
    link.symlink_to(real)
    add_price(link, price(), now=NOW)
    assert link.is_symlink()
    assert amount(real) == Decimal(2)


def test_a_price_from_an_instant_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    change = datetime(2026, 11, 1, tzinfo=UTC)
    add_price(path, price(), now=NOW)
    add_price(path, price(rates={"input": Decimal(1), "output": Decimal(4)}, start=change), now=NOW)
    assert amount(path, at=change) == Decimal(1)
    assert amount(path, at=datetime(2026, 10, 31, 23, 59, tzinfo=UTC)) == Decimal(2)


def test_rates_per_token_and_per_thousand_are_what_they_say(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    # 0.000002 a token and 0.008 a thousand are 2 and 8 a million
    add_price(path, price(rates={"input": Decimal("0.000002"), "output": Decimal(0)}, per=1), now=NOW)
    assert amount(path) == Decimal(2)
    add_price(path, price("b", "acme", rates={"input": Decimal("0.008")}, per=1000), now=NOW)
    assert amount(path, "b", "acme") == Decimal(8)


def test_terms_make_a_tariff(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    add_price(path, price(), now=NOW)
    add_price(path, price(rates={"input": Decimal("0.5")}, when={"batch": "true"}), now=NOW)
    assert amount(path) == Decimal(2)
    card = Book.of(path).resolve("openai", "gpt-4o", NOW, {"batch": "true"})
    assert isinstance(card, RateCard)
    assert card.rates["input"].amount == Decimal("0.5")


# gpt-4o costs 2.50 in and 10 out: 250 and 0.025 are a hundred times off, 249 and 0.026 are not
@pytest.mark.parametrize(
    ("rate", "taken"), [("250", False), ("249", True), ("0.025", False), ("0.026", True), ("0", True)]
)
def test_a_rate_a_hundred_times_off_is_refused(tmp_path: Path, rate: str, *, taken: bool) -> None:
    path = tmp_path / "prices.toml"
    new = price(rates={"input": Decimal(rate), "output": Decimal(10)})
    if not taken:
        with pytest.raises(PriceBookError, match=r"the known rate is 2\.50.*--force"):
            add_price(path, new, now=NOW)
        assert not path.exists()
    add_price(path, new, now=NOW, force=not taken)
    assert amount(path) == Decimal(rate)


def test_a_price_without_output_is_refused_where_output_costs(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    with pytest.raises(PriceBookError, match="--output"):
        add_price(path, price(rates={"input": Decimal(2)}), now=NOW)
    embedding = price("text-embedding-3-small", rates={"input": Decimal("0.01")})
    add_price(path, embedding, now=NOW)
    assert amount(path, "text-embedding-3-small") == Decimal("0.01")


@pytest.mark.parametrize(
    ("text", "new", "says"),
    [
        ("model = [", price(), "no TOML"),
        ("[[model]]\nprovider='x'\nmodel='y'\nprise=[]", price(), "prise"),
        ('model = [{provider = "a", model = "b"}]', price(), "nothing was written"),
        ("", price("x", "acme", rates={"Input!": Decimal(1)}), "is no unit"),
        ("", price("x", "acme", rates={"input": Decimal(10**6)}), "cannot be"),
        ("", price("x", "acme", currency="dollars"), "code of three capitals"),
        ("", price("x", "acme", source="half \ud800"), "cannot be written"),
    ],
)
def test_what_breaks_the_format_changes_nothing(tmp_path: Path, text: str, new: NewPrice, says: str) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(text)
    with pytest.raises(PriceBookError, match=says):
        add_price(path, new, now=NOW)
    assert path.read_text() == text
    assert [each.name for each in tmp_path.glob("[!.]*")] == ["prices.toml"]


def test_a_price_that_another_would_hide_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    add_price(path, price(start=datetime(2026, 1, 1, tzinfo=UTC)), now=NOW)
    kept = path.read_text()
    with pytest.raises(PriceBookError, match="give --from"):
        add_price(path, price(rates={"input": Decimal(3), "output": Decimal(9)}), now=NOW)
    assert path.read_text() == kept


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.decimals("0.001", 300, places=9).map(Decimal),
)
def test_any_source_and_rate_come_back(source: str, rate: Decimal) -> None:
    from outlay.pricing.pricefile import _entry  # noqa: PLC0415 - the text alone, without a file for each

    new = price("m", "acme", rates={"input": rate}, source=source)
    row = Book.of(sheet_of(_entry(new))).history("m", "acme")[0].row
    assert row.rates["input"].amount == rate
    assert row.source == (source or "prices, acme/m, price 1")


@given(
    st.decimals(1, 90, places=6).map(Decimal),
    st.integers(1, 9),
    st.dictionaries(
        st.sampled_from(["input", "output", "cache_read"]), st.integers(10**7, 10**9), min_size=1
    ),
)
def test_any_hour_comes_back(money: Decimal, gpus: int, tokens: dict[str, int]) -> None:
    from outlay.pricing.pricefile import _entry  # noqa: PLC0415 - the text alone, without a file for each

    price = NewPrice(provider="acme", model="m", hour=Hour(money, tokens, gpus))
    row = Book.of(sheet_of(_entry(price))).history("m", "acme")[0].row
    assert {unit: rate.amount for unit, rate in row.rates.items()} == price.usual()
    assert row.rates.keys() == tokens.keys()


def test_a_rate_of_exchange_is_written_behind_what_stands_there(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(BY_HAND)
    start, end = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
    euro = Exchange("USD", "EUR", Decimal("0.9"), start, end, 'the "bank"')
    add_exchange(path, euro)
    assert path.read_text().startswith(BY_HAND)
    assert sheet_of(path.read_text()).exchanges == (euro,)
    # 8 dollars are 7.20 euros in October, and stay dollars in November
    assert (amount(path, "one", "acme", start), amount(path, "one", "acme", end)) == (
        Decimal("7.2"),
        Decimal(8),
    )


# ten times 0.9, or a tenth of it, is a rate turned round or of another currency; just short of it is not
@pytest.mark.parametrize(("rate", "taken"), [("9", False), ("8.99", True), ("0.09", False), ("0.091", True)])
def test_a_rate_of_exchange_ten_times_off_is_refused(tmp_path: Path, rate: str, *, taken: bool) -> None:
    path = tmp_path / "mine.toml"
    add_exchange(path, Exchange("USD", "EUR", Decimal("0.9")))
    kept = path.read_text()
    if not taken:
        with pytest.raises(PriceBookError, match=r"USD x0\.9 EUR stands in the file"):
            add_exchange(path, Exchange("USD", "EUR", Decimal(rate)))
        assert path.read_text() == kept
    add_exchange(path, Exchange("USD", "EUR", Decimal(rate)), force=not taken)
    assert sheet_of(path.read_text()).exchanges[-1].rate == Decimal(rate)
    add_exchange(path, Exchange("USD", "EUR", Decimal(rate)))  # the last one is what it is held against


@pytest.mark.parametrize(
    ("of", "into", "says"), [("USD", "USD", "two currencies"), ("USD", "dollars", "code of three capitals")]
)
def test_a_rate_of_exchange_that_cannot_be_changes_nothing(
    tmp_path: Path, of: str, into: str, says: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(BY_HAND)
    with pytest.raises(PriceBookError, match=f"{says}.*; nothing was written"):
        add_exchange(path, Exchange(of, into, Decimal("0.9")))
    assert path.read_text() == BY_HAND


def test_a_price_that_has_ended_is_looked_for_within_its_time(tmp_path: Path) -> None:
    path, end = tmp_path / "mine.toml", datetime(2026, 10, 1, tzinfo=UTC)
    add_price(path, price("one", "acme", end=end), now=NOW)
    last = end - timedelta(seconds=1)
    assert (amount(path, "one", "acme", last), amount(path, "one", "acme", end)) == (Decimal(2), None)


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
        "to": None,
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


@pytest.mark.parametrize(
    ("before", "between"),
    [("", ""), ("# mine\n", ""), ("# mine", "\n")],
    ids=["empty", "a line", "no line end"],
)
def test_a_price_stands_behind_one_empty_line(tmp_path: Path, before: str, between: str) -> None:
    path = tmp_path / "one" / "below" / "prices.toml"
    path.parent.mkdir(parents=True)
    path.write_text(before)
    path.chmod(0o645)
    add_price(path, new(), now=NOW)
    assert path.read_text() == (
        f'{before}{between}\n[[model]]\nprovider = "Acme"\nmodel = "one"\n[[model.price]]\n'
        'rates = { input = "2" }\n'
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o645


def test_a_new_file_can_be_read_by_all_and_its_folders_are_made(tmp_path: Path) -> None:
    path = tmp_path / "one" / "below" / "prices.toml"
    add_price(path, new(), now=NOW)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


RISEN = """
[[model]]
provider = "acme"
model = "one"
price = [
  { to = 2026-06-01, rates = { input = "300", images = "0" } },
  { from = 2026-06-01, rates = { input = "2", images = "0" } },
]
"""


def test_a_rate_is_held_against_the_one_of_its_own_time(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(RISEN)
    spring = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(PriceBookError, match=r"the known rate is 300\.00"):
        add_price(path, new(start=spring), now=NOW)  # 2, where 300 was charged then
    with pytest.raises(PriceBookError, match=r"the known rate is 2\.00"):
        add_price(path, price("one", "acme", rates={"input": Decimal(300)}), now=NOW)
    assert path.read_text() == RISEN


def test_a_price_of_next_year_is_found_in_next_year(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(RISEN)
    start = datetime(2027, 1, 1, tzinfo=UTC)
    add_price(path, price("one", "acme", rates={"input": Decimal(3)}, start=start), now=NOW)
    assert amount(path, "one", "acme", start) == Decimal(3)
    assert amount(path, "one", "acme") == Decimal(2)


def test_a_unit_without_a_known_rate_hides_no_other_that_is_odd(tmp_path: Path) -> None:
    """Nobody knows its output, and its images cost nothing: neither can be odd, but the input is."""
    path = tmp_path / "prices.toml"
    path.write_text(RISEN)
    others = {"output": Decimal(9), "images": Decimal(5)}
    with pytest.raises(PriceBookError, match=r"input would be 400 per 1,000,000"):
        add_price(path, price("one", "acme", rates={**others, "input": Decimal(400)}), now=NOW)
    add_price(path, price("one", "acme", rates={**others, "input": Decimal(4)}, start=NOW), now=NOW)
    assert amount(path, "one", "acme") == Decimal(4)


def test_a_disk_that_is_full_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pricefile, "write_file", full)
    with pytest.raises(PriceBookError, match=r"mine\.toml cannot be written: No space left on device"):
        add_price(tmp_path / "mine.toml", new(), now=NOW)


def test_a_folder_that_is_none_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PriceBookError, match=r"mine\.toml cannot be written: "):
        add_price(tmp_path / "file" / "mine.toml", new(), now=NOW)
