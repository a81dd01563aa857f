"""Updates of the tables: verified whole, the last good ones stay."""

import gzip
import json
import logging
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from outlay.core.errors import PriceBookError
from outlay.pricing import Book, RateCard
from outlay.pricing.newest import made_of, newest
from outlay.pricing.tables import DATA
from outlay.pricing.updates import Update, bundle
from outlay.pricing.updates import update as take_in

NOW = datetime(2026, 11, 22, tzinfo=UTC)
MADE = datetime(2026, 11, 20, tzinfo=UTC)
Document = dict[str, Any]
Take = Callable[..., Update]
Price = Callable[[], Decimal]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder of tables as the packaged one is, with two models, each read in no time."""
    folder = tmp_path_factory.mktemp("base")
    above = [{"tokens": 200_000, "rates": {"input": "0.25"}}]
    rows = [
        {"source": 0, "rates": {"input": "0.15", "output": "0.60"}, "above": above},
        {"source": 0, "when": {"batch": "true"}, "rates": {"input": "0.075", "output": "0.30"}},
    ]
    models = {"gpt-4o-mini": {"rows": rows}, "gpt-4o": {"rows": rows[:1]}}
    (folder / "openai.json").write_text(json.dumps({"sources": [{"name": "test"}], "models": models}))
    (folder / "overlay.toml").write_text("")
    (folder / "version.txt").write_text("first")
    return folder


@pytest.fixture
def document(base: Path) -> Document:
    """Give a bundle that is fresh to change."""
    found: Document = json.loads(gzip.decompress(bundle(base, MADE)))
    return {**found, "version": "next"}


@pytest.fixture
def update(base: Path, tmp_path: Path) -> Callable[..., Update]:
    """Give a function that takes a bundle in."""
    return partial(take_in, folder=tmp_path, now=NOW, packaged=base)


@pytest.fixture
def price(base: Path, tmp_path: Path) -> Callable[[], Decimal]:
    """Give a function that says what gpt-4o-mini costs."""

    def found() -> Decimal:
        card = newest(tmp_path, base).resolve("openai", "gpt-4o-mini", NOW)
        assert isinstance(card, RateCard)
        return card.rates["input"].amount

    return found


def written(document: object) -> bytes:
    return json.dumps(document).encode()


def model(document: Document) -> dict[str, Any]:
    found: dict[str, Any] = document["tables"]["openai"]["models"]["gpt-4o-mini"]
    return found


def rates(document: Document, row: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = model(document)["rows"][row]["rates"]
    return found


def above(document: Document) -> dict[str, Any]:
    """Give the rates of a long request."""
    found: dict[str, Any] = model(document)["rows"][0]["above"][0]["rates"]
    return found


def test_the_same_tables_give_the_same_bytes(base: Path) -> None:
    assert bundle(base, MADE) == bundle(base, MADE)
    assert json.loads(gzip.decompress(bundle(base, MADE)))["format"] == 1


def test_the_packaged_tables_are_nothing_new(tmp_path: Path) -> None:
    found = take_in(bundle(DATA, MADE), tmp_path, now=NOW)
    assert (found.new, found.differing, found.changes) == (False, 0, ())
    assert list(tmp_path.iterdir()) == []
    assert newest(tmp_path) is Book.default()


def test_new_tables_count_from_then_on(
    document: Document, update: Take, price: Price, tmp_path: Path, base: Path
) -> None:
    rates(document)["input"] = "0.20"  # 0.15 before
    dry = update(written(document), write=False)
    assert [(e.model, e.unit, e.before, e.after) for e in dry.changes if e.model == "gpt-4o-mini"] == [
        ("gpt-4o-mini", "input", Decimal("0.15"), Decimal("0.20"))
    ]
    assert price() == Decimal("0.15")
    assert update(written(document)).new
    assert price() == Decimal("0.20")
    assert newest(tmp_path, base).version.startswith("next+")
    assert not update(gzip.compress(written(document))).new
    rates(document)["input"] = "0.30"
    assert update(written(document)).new  # the same version, other tables
    assert price() == Decimal("0.30")


def test_the_one_before_is_kept_and_older_ones_go(
    document: Document, update: Take, price: Price, tmp_path: Path, base: Path
) -> None:
    for rate in ("0.20", "0.21", "0.22"):
        rates(document)["input"] = rate
        update(written(document))
    assert len([each for each in tmp_path.iterdir() if each.is_dir()]) == 2
    assert price() == Decimal("0.22")


def test_tables_that_counted_before_count_again_though_their_folder_is_still_there(
    document: Document, update: Take, price: Price, tmp_path: Path
) -> None:
    first = written(document)
    update(first)
    name = (tmp_path / "current").read_text()
    rates(document)["input"] = "0.20"
    update(written(document))
    assert update(first).new
    assert (tmp_path / "current").read_text() == name
    assert price() == Decimal("0.15")


def test_a_book_says_when_its_tables_were_made(
    document: Document, update: Take, tmp_path: Path, base: Path
) -> None:
    assert made_of(newest(tmp_path, base)) is None
    update(written(document))
    assert made_of(newest(tmp_path, base)) == MADE
    assert made_of(Book.default()) is not None


def _torn(document: Document) -> bytes:
    return gzip.compress(written(document))[:-50]


def _changed(change: Callable[[Document], object]) -> Callable[[Document], bytes]:
    def make(document: Document) -> bytes:
        change(document)
        return written(document)

    return make


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda _: b"", "no bundle"),
        (lambda _: b"<html>", "no bundle"),
        (lambda _: b"[]", "no bundle"),
        (lambda _: b"{}", "no bundle"),
        (lambda _: b"[" * 100_000, "no bundle"),
        (_torn, "^the bundle is torn"),
        (lambda _: '{"format": 1, "version": "é"}'.encode("latin-1"), "no text in UTF-8"),
        (_changed(lambda d: d.update(made="soon")), "when it was made: 'soon' is no time"),
        (_changed(lambda d: d.update(version="\ud800")), "version.txt is no text in UTF-8"),
        (_changed(lambda d: d.update(overlay="# \ud800")), "overlay.toml is no text in UTF-8"),
        (_changed(lambda d: model(d).update(deprecated="\ud800")), "openai.json is no text in UTF-8"),
        (_changed(lambda d: d.update(format=2)), "upgrade"),
        (_changed(lambda d: d.pop("made")), "when it was made"),
        (_changed(lambda d: d.pop("overlay")), "needs tables"),
        (_changed(lambda d: d.update(overlay="[[model")), "no TOML"),
        (_changed(lambda d: d["tables"].update({"../x": {}})), "no provider"),
        (_changed(lambda d: d["tables"].update({"x": {}})), "breaks the format"),
        (_changed(lambda d: d["tables"].update({"x": []})), "breaks the format"),
        (
            _changed(lambda d: d.update(surcharge="1.1")),
            "the bundle has no key 'surcharge'; there are format",
        ),
        (_changed(lambda d: d["tables"]["openai"].update(discount="0.5")), "'openai' has no key 'discount'"),
        (_changed(lambda d: d["tables"]["openai"]["sources"][0].update(at=1)), "sources has no key 'at'"),
        (_changed(lambda d: model(d).update(currency="EUR")), "'gpt-4o-mini' has no key 'currency'"),
        (_changed(lambda d: model(d).update(names="mini")), "'gpt-4o-mini', names: must be a list of names"),
        (_changed(lambda d: model(d).update(once={"web_search": 1})), "once: must be a list of units"),
        (_changed(lambda d: d["tables"]["openai"].update(models=[])), "'openai', models is no object"),
        (_changed(lambda d: rates(d).update(input="-1")), "negative"),
        (_changed(lambda d: rates(d).update(input=0.1)), "no digit is lost"),
        (_changed(lambda d: d.update(tables={})), "0 models where 2 are known"),
        (_changed(lambda d: rates(d).update(input="16")), "moved a hundredfold"),
        (_changed(lambda d: rates(d, row=1).update(input="7.5")), "moved a hundredfold"),
        (_changed(lambda d: above(d).update(input="25")), "moved a hundredfold"),
    ],
)
def test_what_is_no_good_changes_nothing(
    document: Document,
    update: Take,
    price: Price,
    tmp_path: Path,
    make: Callable[[Document], bytes],
    says: str,
) -> None:
    rates(document)["input"] = "0.16"
    update(written(document))
    before = sorted(tmp_path.rglob("*"))
    content = make(json.loads(written(document)))
    with pytest.raises(PriceBookError, match=says) as caught:
        update(content)
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before
    assert price() == Decimal("0.16")


def test_force_takes_what_moved_and_what_is_older(
    document: Document, update: Take, price: Price, tmp_path: Path, base: Path
) -> None:
    rates(document)["input"] = "15"
    update(written(document), force=True)
    assert price() == Decimal(15)
    older = {**document, "made": "2026-11-19T00:00:00Z", "version": "older"}
    with pytest.raises(PriceBookError, match="before those that are here"):
        update(written(older))
    assert update(written(older), force=True).new


def test_a_newer_outlay_brings_newer_tables(
    document: Document, update: Take, price: Price, tmp_path: Path, base: Path
) -> None:
    rates(document)["input"] = "0.20"
    update(written(document))
    (replaced,) = tmp_path.glob("*/base.txt")
    replaced.write_text("an older outlay's tables")
    assert newest(tmp_path, base).version.startswith("first+")
    assert price() == Decimal("0.15")


def test_the_same_prices_count_again_over_a_newer_outlays_tables(
    document: Document, update: Take, price: Price, tmp_path: Path, base: Path
) -> None:
    rates(document)["input"] = "0.20"
    update(written(document))
    newer = tmp_path / "newer"
    shutil.copytree(base, newer)
    (newer / "version.txt").write_text("second")
    assert take_in(written(document), tmp_path, now=NOW, packaged=newer).new
    card = newest(tmp_path, newer).resolve("openai", "gpt-4o-mini", NOW)
    assert isinstance(card, RateCard)
    assert card.rates["input"].amount == Decimal("0.20")
    assert price() == Decimal("0.15")  # the older outlay's own: what came was made for the newer one


def test_an_update_that_is_no_text_is_told_and_the_packaged_ones_count(
    document: Document, update: Take, price: Price, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rates(document)["input"] = "0.20"
    update(written(document))
    (replaced,) = tmp_path.glob("*/base.txt")
    replaced.write_bytes(b"\xff")
    assert price() == Decimal("0.15")
    assert "packaged ones count" in caplog.text


def test_tables_that_vanished_are_told_once_and_the_packaged_ones_count(
    document: Document, update: Take, price: Price, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rates(document)["input"] = "0.20"
    update(written(document))
    (overlay,) = tmp_path.glob("*/overlay.toml")
    overlay.unlink()
    with caplog.at_level(logging.WARNING, logger="outlay"):
        assert price() == Decimal("0.15")
    assert "packaged ones count" in caplog.text
    (tmp_path / "current").write_text("../../etc")
    assert price() == Decimal("0.15")


def test_a_folder_of_updates_that_cannot_be_written_is_one_line(base: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(PriceBookError, match="cannot be written"):
        take_in(bundle(base, NOW), folder=blocked / "updates", now=NOW, packaged=base)


@pytest.mark.parametrize(
    ("rate", "taken"), [("15.99", True), ("16", False), ("0.0017", True), ("0.0016", False), ("0", True)]
)
def test_a_rate_may_move_by_less_than_a_hundredfold(
    document: Document, update: Take, price: Price, rate: str, *, taken: bool
) -> None:
    rates(document)["input"] = "0.16"
    update(written(document))
    rates(document)["input"] = rate
    if taken:
        assert update(written(document)).differing == 1
    else:
        with pytest.raises(
            PriceBookError, match="1 rate moved a hundredfold, such as input of openai gpt-4o-mini"
        ):
            update(written(document))
    assert price() == Decimal(rate if taken else "0.16")


def test_half_of_the_models_may_go_and_more_may_not(document: Document, update: Take) -> None:
    models = document["tables"]["openai"]["models"]
    models["gpt-3"] = models["gpt-4o"]
    update(written(document))
    for name in ("gpt-3", "gpt-4o"):
        models.pop(name)
    with pytest.raises(PriceBookError, match="has 1 models where 3 are known"):
        update(written(document))
    models["gpt-4o"] = models["gpt-4o-mini"]
    assert update(written(document)).new
    models.pop("gpt-4o")
    assert update(written(document)).new


def test_an_update_says_what_it_brings(document: Document, update: Take, base: Path) -> None:
    rates(document)["input"] = "0.20"
    rates(document, row=1)["output"] = "0.40"
    found = update(written(document))
    assert (found.before, found.made, found.differing) == (Book.at(base).version, MADE, 2)
    assert found.version.startswith("next+")
    # of the standard rates; the batch tariff counts as differing and is not shown
    assert [(each.model, each.unit) for each in found.changes] == [("gpt-4o-mini", "input")]
    same = update(written({**document, "version": "again"}))  # made in the same instant
    assert (same.differing, same.changes) == (0, ())


def test_a_bundle_that_is_too_large_is_not_unwritten(
    document: Document, update: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = gzip.compress(written(document))
    monkeypatch.setattr("outlay.pricing.updates._LIMIT", len(written(document)) - 1)
    with pytest.raises(PriceBookError, match="torn, or larger than"):
        update(content)
    monkeypatch.setattr("outlay.pricing.updates._LIMIT", len(written(document)) + 1)
    assert update(content).new


def test_a_model_that_comes_or_goes_is_a_change(document: Document, update: Take) -> None:
    models = document["tables"]["openai"]["models"]
    document["tables"]["mistral"] = {"sources": [{"name": "test"}], "models": {"large": models["gpt-4o"]}}
    models["gpt-3"] = models.pop("gpt-4o")
    found = update(written(document))
    # both have rates of 0.15 and 0.60
    assert found.differing == 0
    assert [(each.model, each.unit, each.before, each.after) for each in found.changes] == [
        ("large", "input", None, Decimal("0.15")),
        ("large", "output", None, Decimal("0.60")),
        ("gpt-3", "input", None, Decimal("0.15")),
        ("gpt-3", "output", None, Decimal("0.60")),
        ("gpt-4o", "input", Decimal("0.15"), None),
        ("gpt-4o", "output", Decimal("0.60"), None),
    ]


def test_the_order_of_its_keys_makes_no_bundle_new(document: Document, base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "home" / "prices"
    rates(document)["input"] = "0.20"
    turned = dict(reversed(document.items()))
    assert take_in(written(document), folder, now=NOW, packaged=base).new
    assert not take_in(written(turned), folder, now=NOW, packaged=base).new


@pytest.mark.parametrize("text", [b"\xff", b"yesterday"])
def test_an_update_comes_in_over_one_whose_files_were_harmed(
    update: Take, document: Document, tmp_path: Path, text: bytes
) -> None:
    update(written(document))
    (made,) = tmp_path.glob("*/made.txt")
    made.write_bytes(text)
    assert update(written({**document, "version": "later"})).new
    (tmp_path / "current").write_bytes(b"\xff")
    assert update(written({**document, "version": "latest"})).new


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"sources": []}'])
def test_a_table_that_was_harmed_is_told_by_its_file(base: Path, tmp_path: Path, text: str) -> None:
    shutil.copytree(base, tmp_path / "harmed")
    file = tmp_path / "harmed" / "openai.json"
    file.write_text(text)
    with pytest.raises(PriceBookError, match=r"openai\.json holds no prices, take them in again"):
        Book.at(tmp_path / "harmed").resolve("openai", "gpt-4o", NOW)
