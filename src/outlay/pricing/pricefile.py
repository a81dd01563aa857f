"""A price file of one's own: a price is added behind what stands there, and nothing else is touched."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from outlay.atomic import private_folder, write_file
from outlay.core.errors import PriceBookError, PriceFileError
from outlay.core.money import EXACT, multiply, rate_text, text_of
from outlay.core.providers import priced_as
from outlay.pricing.book import Book
from outlay.pricing.bounds import moved
from outlay.pricing.card import RateCard
from outlay.pricing.exchange import Exchange
from outlay.pricing.hourly import Hour
from outlay.pricing.rates import per_of
from outlay.pricing.rows import USER
from outlay.pricing.tables import Sheet, sheet_of

MOVED = 100  # so many times dearer or cheaper than the known rate, a unit was mixed up
EXCHANGE_MOVED = 10  # no currency moves so far between two entries; turned round, most are off by more
_PATIENCE = 10.0  # seconds for somebody else's change to the same file
_NEW_FILE = "# Prices of my own; they stand over all others.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPrice:
    """One price to be added; rates are money for ``per`` units each, for the book's usual number if None.

    ``hour`` is hardware that is paid by the hour: its rates follow from it, and ``rates`` beside it win.
    """

    provider: str
    model: str
    rates: Mapping[str, Decimal] = field(default_factory=dict, hash=False)
    hour: Hour | None = None
    per: int | None = None
    start: datetime | None = None  # None: since ever
    end: datetime | None = None  # None: for ever; itself left out
    when: Mapping[str, str] = field(default_factory=dict, hash=False)
    currency: str = "USD"
    source: str | None = None

    def usual(self) -> dict[str, Decimal]:
        """Give the rates for the number of units for which the book states each.

        Raises:
            PriceBookError: an hour with a figure that cannot be.
        """
        said = {
            unit: rate if self.per is None else multiply(per_of(unit), rate, self.per)
            for unit, rate in self.rates.items()
        }
        return {**(self.hour.amounts() if self.hour else {}), **said}

    def moment(self, now: datetime) -> datetime:
        """Give an instant at which it holds."""
        if self.start is not None:
            return self.start
        return now if self.end is None else min(now, self.end - timedelta(microseconds=1))

    def to_dict(self) -> dict[str, Any]:
        """Give what was set, the rates as the book states them."""
        usual = self.usual()
        return {
            "provider": priced_as(self.provider),
            "model": self.model,
            "rates": {unit: {"rate": rate_text(usual[unit]), "per": per_of(unit)} for unit in usual},
            **(self.hour.to_dict() if self.hour else {}),
            "currency": self.currency,
            "from": self.start,
            "to": self.end,
            "when": dict(self.when),
            "source": self.source,
        }


def add_price(path: Path, price: NewPrice, *, now: datetime, force: bool = False) -> None:
    """Add a price to a file, which is made if it is not there; either the whole change happens, or none.

    ``force`` takes a rate that is a hundred times the known one, and a price without output.

    Raises:
        PriceBookError: a rate beyond belief, a price that would not count, or a file that breaks the format.
    """
    with _alone(path):
        text = _text(path)
        before = Book.of(sheet_of(text, path.name))
        known = before.resolve(price.provider, price.model, price.moment(now), price.when)
        if not force and isinstance(known, RateCard):
            _refuse_odd(price, known)
        after = _behind(text, _entry(price))
        _check(after, price, path, now)
        _write(path, after)


def add_exchange(path: Path, exchange: Exchange, *, force: bool = False) -> None:
    """Add a rate of exchange to a file, which is made if it is not there; the whole change happens, or none.

    ``force`` takes a rate that is ten times another one of the file for the same two currencies.

    Raises:
        PriceBookError: a rate beyond belief, two currencies that cannot be, or a file that breaks the format.
    """
    with _alone(path):
        text = _text(path)
        known = [each for each in sheet_of(text, path.name, USER).exchanges if each.pair == exchange.pair]
        if known and not force:
            _refuse_turned(exchange, known[-1])
        after = _behind(text, _exchange_entry(exchange))
        _checked(after, path)
        _write(path, after)


def _behind(text: str, entry: str) -> str:
    whole = f"{'' if text.endswith(chr(10)) or not text else chr(10)}{entry}"
    return text + (whole.replace("\n", "\r\n") if "\r\n" in text else whole)  # as its lines end


def _refuse_turned(new: Exchange, known: Exchange) -> None:
    if moved(known.rate, new.rate, EXCHANGE_MOVED):
        raise PriceFileError(
            f"one {new.of} would be {text_of(new.rate)} {new.into}, and {known.note} stands in the file: "
            "say what one of the first is worth in the second, or --force it"
        )


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode()  # as it stands, Windows' line ends too
    except FileNotFoundError:
        return _NEW_FILE
    except (OSError, UnicodeDecodeError) as error:
        raise PriceBookError(f"{path} cannot be read: {error}") from None


def _refuse_odd(price: NewPrice, known: RateCard) -> None:
    usual = price.usual()
    for unit, new in usual.items():
        rate = known.rates.get(unit)
        if rate is None or not rate.amount or not new or known.currency != price.currency:
            continue
        if moved(rate.amount, new, MOVED):
            raise PriceFileError(
                f"{unit} would be {text_of(new)} per {rate.per:,}, and the known rate is "
                f"{rate_text(rate.amount)}: say what yours are meant --per, or --force it"
            )
    output = known.rates.get("output")
    if output is not None and output.amount and not price.when and "output" not in usual:
        raise PriceFileError(
            f"a price of your own is the whole price, and output of {known.model} costs "
            f"{rate_text(output.amount)}: give --output too, or --force it"
        )


def _entry(price: NewPrice) -> str:
    """Write a price as a table behind all others, which TOML allows in any file."""
    rates = {unit: text_of(rate) for unit, rate in price.rates.items()}
    head = ["[[model]]", f"provider = {_quoted(price.provider)}", f"model = {_quoted(price.model)}"]
    said = _said(
        {
            **_dates(price.start, price.end),
            "when": _inline(price.when) if price.when else None,
            "rates": _inline(rates) if rates else None,
            "per": None if price.per is None else str(price.per),
            **(_hour_facts(price.hour) if price.hour else {}),
            "currency": None if price.currency == "USD" else _quoted(price.currency),
            "source": _quoted(price.source) if price.source else None,
        }
    )
    return "\n".join(("", *head, "[[model.price]]", *said, ""))


def _exchange_entry(exchange: Exchange) -> str:
    said = _said(
        {
            "of": _quoted(exchange.of),
            "into": _quoted(exchange.into),
            "rate": _quoted(text_of(exchange.rate)),
            **_dates(exchange.start, exchange.end),
            "source": _quoted(exchange.source) if exchange.source else None,
        }
    )
    return "\n".join(("", "[[exchange]]", *said, ""))


def _hour_facts(hour: Hour) -> dict[str, str]:
    tokens = ", ".join(f"{_key(unit)} = {count:_}" for unit, count in hour.tokens.items())
    return {
        "gpu_hour": _quoted(text_of(hour.money)),
        "gpus": str(hour.gpus),
        "tokens_per_hour": f"{{ {tokens} }}",
    }


def _dates(start: datetime | None, end: datetime | None) -> dict[str, str | None]:
    ends = {"from": start, "to": end}
    return {key: f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else None for key, at in ends.items()}


def _said(facts: Mapping[str, str | None]) -> list[str]:
    return [f"{key} = {value}" for key, value in facts.items() if value is not None]


def _inline(pairs: Mapping[str, str]) -> str:
    return f"{{ {', '.join(f'{_key(name)} = {_quoted(value)}' for name, value in pairs.items())} }}"


def _key(name: str) -> str:
    return name if name.replace("_", "a").isascii() and name.replace("_", "a").isalnum() else _quoted(name)


def _quoted(text: str) -> str:
    """Write a TOML string; JSON's escapes are TOML's, but for the one that JSON does not know."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _check(text: str, price: NewPrice, path: Path, now: datetime) -> None:
    """Read the new file as pricing will, and see that the price counts."""
    sheet = _checked(text, path)
    book = Book.of(replace(sheet, exchanges=()))  # the price is looked for as it was given
    card = book.resolve(price.provider, price.model, price.moment(now), price.when)
    if not isinstance(card, RateCard):
        raise PriceFileError(f"the price would not count: {card.reason}; nothing was written")
    for unit, rate in price.usual().items():
        got = card.rates.get(unit)
        if got is None or EXACT.compare(got.amount, rate) or card.currency != price.currency:
            raise PriceFileError(
                f"another price of {price.model} in {path} would stand over this one; give --from, or edit "
                "that file; nothing was written"
            )


def _checked(text: str, path: Path) -> Sheet:
    try:
        return sheet_of(text, path.name, USER)
    except PriceBookError as error:
        raise PriceFileError(f"{error}; nothing was written") from None


def _write(path: Path, text: str) -> None:
    try:
        write_file(path, text.encode())
    except OSError as error:
        raise PriceBookError(f"{path} cannot be written: {error.strerror}") from error
    except UnicodeEncodeError as error:
        raise PriceBookError(f"{path} cannot be written: {error}") from error


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep others from changing the file meanwhile."""
    from filelock import FileLock, Timeout  # noqa: PLC0415  # takes 0.1 s to load, and most only read prices

    try:
        private_folder(path.parent)
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=_PATIENCE):
            yield
    except Timeout:
        raise PriceBookError(f"somebody else has been changing {path} for {_PATIENCE:g} seconds") from None
    except OSError as error:
        raise PriceBookError(f"{path} cannot be written: {error.strerror}") from error


def named(price: NewPrice) -> str:
    """Say in words what was set."""
    rates = ", ".join(
        f"{unit} {rate_text(rate)} per {per_of(unit):,}" if per_of(unit) > 1
        else f"{unit} {rate_text(rate)} each"
        for unit, rate in price.usual().items()
    )  # fmt: skip
    terms = f" where {', '.join(f'{k}={v}' for k, v in price.when.items())}" if price.when else ""
    span = span_text(price.start, price.end)
    return f"{priced_as(price.provider)} {price.model}: {rates}, {price.currency}{terms}{span}"


def span_text(start: datetime | None, end: datetime | None) -> str:
    """Say from when on and up to when; nothing of an end that is open."""
    ends = {"from": start, "to": end}
    return "".join(f" {word} {at:%Y-%m-%d %H:%M} UTC" for word, at in ends.items() if at is not None)
