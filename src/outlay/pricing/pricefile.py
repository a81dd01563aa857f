"""A price file of one's own: a price is added behind what stands there, and nothing else is touched."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from outlay.core.errors import PriceBookError, PriceFileError
from outlay.core.money import EXACT, multiply, rate_text, text_of
from outlay.pricing.book import Book
from outlay.pricing.card import RateCard
from outlay.pricing.providers import provider_id
from outlay.pricing.rates import per_of
from outlay.pricing.rows import USER
from outlay.pricing.tables import sheet_of

MOVED = 100  # so many times dearer or cheaper than the known rate, a unit was mixed up
_PATIENCE = 10.0  # seconds for somebody else's change to the same file
_NEW_FILE = "# Prices of my own; they stand over all others.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPrice:
    """One price to be added; rates are money for ``per`` units each, for the book's usual number if None."""

    provider: str
    model: str
    rates: Mapping[str, Decimal]
    per: int | None = None
    start: datetime | None = None  # None: since ever
    when: Mapping[str, str] = field(default_factory=dict, hash=False)
    currency: str = "USD"
    source: str | None = None

    def usual(self, unit: str) -> Decimal:
        """Give a rate for the number of units for which the book states it."""
        rate = self.rates[unit]
        return rate if self.per is None else multiply(per_of(unit), rate, self.per)

    def to_dict(self) -> dict[str, Any]:
        """Give what was set, the rates as the book states them."""
        return {
            "provider": provider_id(self.provider),
            "model": self.model,
            "rates": {
                unit: {"rate": rate_text(self.usual(unit)), "per": per_of(unit)} for unit in self.rates
            },
            "currency": self.currency,
            "from": self.start,
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
        known = before.resolve(price.provider, price.model, price.start or now, price.when)
        if not force and isinstance(known, RateCard):
            _refuse_odd(price, known)
        after = f"{text}{'' if text.endswith(chr(10)) or not text else chr(10)}{_entry(price)}"
        _check(after, price, path, now)
        _replace(path, after)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return _NEW_FILE
    except (OSError, UnicodeDecodeError) as error:
        raise PriceBookError(f"{path} cannot be read: {error}") from None


def _refuse_odd(price: NewPrice, known: RateCard) -> None:
    for unit in price.rates:
        rate, new = known.rates.get(unit), price.usual(unit)
        if rate is None or not rate.amount or not new or known.currency != price.currency:
            continue
        if new >= MOVED * rate.amount or MOVED * new <= rate.amount:
            raise PriceFileError(
                f"{unit} would be {text_of(new)} per {rate.per:,}, and the known rate is "
                f"{rate_text(rate.amount)}: say what yours are meant --per, or --force it"
            )
    output = known.rates.get("output")
    if output is not None and output.amount and not price.when and "output" not in price.rates:
        raise PriceFileError(
            f"a price of your own is the whole price, and output of {known.model} costs "
            f"{rate_text(output.amount)}: give --output too, or --force it"
        )


def _entry(price: NewPrice) -> str:
    """Write a price as a table behind all others, which TOML allows in any file."""
    facts = {
        "from": f"{price.start:%Y-%m-%dT%H:%M:%SZ}" if price.start else None,
        "when": _inline(price.when) if price.when else None,
        "rates": _inline({unit: text_of(rate) for unit, rate in price.rates.items()}),
        "per": None if price.per is None else str(price.per),
        "currency": None if price.currency == "USD" else _quoted(price.currency),
        "source": _quoted(price.source) if price.source else None,
    }
    said = [f"{key} = {value}" for key, value in facts.items() if value is not None]
    head = ["[[model]]", f"provider = {_quoted(price.provider)}", f"model = {_quoted(price.model)}"]
    return "\n".join(("", *head, "[[model.price]]", *said, ""))


def _inline(pairs: Mapping[str, str]) -> str:
    return f"{{ {', '.join(f'{_key(name)} = {_quoted(value)}' for name, value in pairs.items())} }}"


def _key(name: str) -> str:
    return name if name.replace("_", "a").isascii() and name.replace("_", "a").isalnum() else _quoted(name)


def _quoted(text: str) -> str:
    """Write a TOML string; JSON's escapes are TOML's, but for the one that JSON does not know."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _check(text: str, price: NewPrice, path: Path, now: datetime) -> None:
    """Read the new file as pricing will, and see that the price counts."""
    try:
        sheet = sheet_of(text, path.name, USER)
        book = Book.of(replace(sheet, exchanges=()))  # the price is looked for as it was given
    except PriceBookError as error:
        raise PriceFileError(f"{error}; nothing was written") from None
    card = book.resolve(price.provider, price.model, price.start or now, price.when)
    if not isinstance(card, RateCard):
        raise PriceFileError(f"the price would not count: {card.reason}; nothing was written")
    for unit in price.rates:
        got = card.rates.get(unit)
        if got is None or EXACT.compare(got.amount, price.usual(unit)) or card.currency != price.currency:
            raise PriceFileError(
                f"another price of {price.model} in {path} would stand over this one; give --from, or edit "
                "that file; nothing was written"
            )


def _replace(path: Path, text: str) -> None:
    """Write beside the file and rename: who reads sees the old text or the new one, whatever happens."""
    target = path.resolve()  # a link stays a link
    mode = target.stat().st_mode & 0o777 if target.exists() else None
    try:
        content = text.encode()
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644 if mode is None else mode)
            Path(name).replace(target)
        finally:
            Path(name).unlink(missing_ok=True)
    except (OSError, UnicodeEncodeError) as error:
        raise PriceBookError(f"{path} cannot be written: {error}") from error


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep others from changing the file meanwhile."""
    from filelock import FileLock, Timeout  # noqa: PLC0415  # takes 0.1 s to load, and most only read prices

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=_PATIENCE):
            yield
    except Timeout:
        raise PriceBookError(f"somebody else has been changing {path} for {_PATIENCE:g} seconds") from None
    except PermissionError as error:
        raise PriceBookError(f"{path} cannot be written: {error.strerror}") from error


def named(price: NewPrice) -> str:
    """Say in words what was set."""
    rates = ", ".join(
        f"{unit} {rate_text(price.usual(unit))} per {per_of(unit):,}" if per_of(unit) > 1
        else f"{unit} {rate_text(price.usual(unit))} each"
        for unit in price.rates
    )  # fmt: skip
    start = f" from {price.start:%Y-%m-%d %H:%M} UTC" if price.start else ""
    terms = f" where {', '.join(f'{k}={v}' for k, v in price.when.items())}" if price.when else ""
    return f"{provider_id(price.provider)} {price.model}: {rates}, {price.currency}{terms}{start}"
