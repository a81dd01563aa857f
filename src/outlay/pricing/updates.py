"""Updates: generated tables from elsewhere, verified whole before they count; the last good ones stay."""

import gzip
import hashlib
import json
import shutil
import tempfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from outlay.atomic import private_folder, write_file
from outlay.core.errors import PriceBookError, QueryError
from outlay.core.instants import instant, text_of
from outlay.pricing.book import Book
from outlay.pricing.bounds import moved
from outlay.pricing.compare import PriceChange, price_changes
from outlay.pricing.newest import BASE, CURRENT, MADE, NAME, newest
from outlay.pricing.shape import check_bundle
from outlay.pricing.tables import DATA, PROVIDER_ID, data_version

FORMAT = 1  # of a bundle; raised when an older outlay would read a newer one wrongly
MOVED = 100  # a standard rate that moved so many times is a fault somewhere
_LIMIT = 128 * 2**20  # bytes of a bundle when unpacked


@dataclass(frozen=True, slots=True)
class Update:
    """What an update brings; ``new`` is False where the very same tables are here already."""

    before: str
    version: str
    made: datetime
    new: bool
    differing: int  # rates that both list and that differ, tariffs included
    changes: tuple[PriceChange, ...]  # of standard rates


def bundle(data: Path, made: datetime) -> bytes:
    """Make the one file that carries a folder of tables; the same tables and instant give the same bytes."""
    tables = {path.stem: json.loads(path.read_bytes()) for path in sorted(data.glob("*.json"))}
    document = {
        "format": FORMAT,
        "version": data_version(data),
        "made": text_of(made),
        "overlay": data.joinpath("overlay.toml").read_text("utf-8"),
        "tables": tables,
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return gzip.compress(text.encode(), mtime=0)


def update(
    content: bytes,
    folder: Path,
    *,
    now: datetime,
    force: bool = False,
    write: bool = True,
    packaged: Path = DATA,
) -> Update:
    """Verify a bundle, and make it count; nothing changes unless all of it is good.

    ``force`` takes rates that moved a hundredfold, and a bundle that is older than the one that is here.

    Raises:
        PriceBookError: the bundle is none, breaks the format, lacks what we have, or moves beyond belief.
    """
    document = _document(content)
    known = newest(folder, packaged)
    made = _made(document)
    if not force and (last := _last_made(known)) is not None and made < last:
        raise PriceBookError(
            f"these prices were made on {made:%Y-%m-%d}, before those that are here; --force"
        )
    # The same prices over other packaged tables are another folder: each counts over its own alone.
    known_as = json.dumps([data_version(packaged), document], sort_keys=True)
    name = hashlib.sha256(known_as.encode()).hexdigest()[:16]
    try:
        private_folder(folder)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=folder, ignore_cleanup_errors=True) as scratch:
            data = Path(scratch) / name
            _lay_out(document, data, made, packaged)
            found = _verified(data, (known, packaged), (made, now), force=force)
            if write and found.new:
                _install(data, folder)
    except OSError as error:
        raise PriceBookError(f"{folder} cannot be written: {error.strerror or error}") from error
    return found


def _document(content: bytes) -> dict[str, Any]:
    try:
        if content[:2] == b"\x1f\x8b":
            content = _unpacked(content)
        document = json.loads(content)
    except PriceBookError:
        raise
    except (ValueError, RecursionError, zlib.error, EOFError) as error:
        raise PriceBookError(f"this is no bundle of prices: {_reason(error)}") from None
    if not isinstance(document, dict) or "format" not in document:
        raise PriceBookError("this is no bundle of prices: it says no format")
    if document["format"] != FORMAT:
        raise PriceBookError(
            f"the bundle has format {document['format']!r:.20}, this outlay reads {FORMAT}: upgrade it"
        )
    check_bundle(document)
    return document


def _reason(error: Exception) -> str:
    """Say what is wrong without the content, which a decoding error quotes whole."""
    if isinstance(error, UnicodeError):
        return "it is no text in UTF-8"
    return str(error)[:80] or type(error).__name__


def _unpacked(content: bytes) -> bytes:
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    text = reader.decompress(content, _LIMIT)
    if not reader.eof:
        raise PriceBookError(f"the bundle is torn, or larger than {_LIMIT:,} bytes")
    return text


def _made(document: Mapping[str, Any]) -> datetime:
    made = document.get("made")
    if not isinstance(made, str):
        raise PriceBookError("the bundle does not say when it was made")
    try:
        return instant(made)
    except QueryError:
        raise PriceBookError(f"the bundle does not say when it was made: {made!r:.40} is no time") from None


def _last_made(book: Book) -> datetime | None:
    try:
        return instant(book.data.joinpath(MADE).read_text("ascii"))
    except (OSError, ValueError):
        return None  # the packaged tables, or a file that was harmed


def _verified(data: Path, here: tuple[Book, Path], when: tuple[datetime, datetime], *, force: bool) -> Update:
    """Read all of a folder of tables as pricing would, and lay it beside what is here."""
    (known, packaged), (made, now) = here, when
    try:
        book = Book.at(data)
        book.check()
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise PriceBookError(f"the bundle breaks the format: {error!s:.200}") from None
    _refuse_loss(known, book)
    before, after = _rates(known), _rates(book)
    differing = {key for key in before.keys() & after.keys() if before[key] != after[key]}
    if not force:
        _refuse_moved([(key, before[key], after[key]) for key in differing])
    changed = sorted({str(key[0]) for key in differing | (before.keys() ^ after.keys())})
    return Update(
        before=known.version,
        version=book.version,
        made=made,
        new=book.version != known.version if known.data == packaged else data.name != known.data.name,
        differing=len(differing),
        changes=tuple(price_changes((known, now), (book, now), changed)),
    )


Key = tuple[object, ...]


def _rates(book: Book) -> dict[Key, Decimal]:
    """Give every rate of a book by provider, model, unit, terms, hours, start and size."""
    return {
        (provider, model.id, unit, row.when, row.windows, row.start, size): rate.amount
        for provider in book.providers()
        for model in book.table(provider).models.values()
        for row in book.table(provider).rows(model)
        for size, rates in ((0, row.rates), *((step.tokens, step.rates) for step in row.steps))
        for unit, rate in rates.items()
    }


def _refuse_moved(differing: Iterable[tuple[Key, Decimal, Decimal]]) -> None:
    found = [(key, old, new) for key, old, new in differing if old and new and moved(old, new, MOVED)]
    if found:
        (provider, model, unit, *_), old, new = min(found, key=str)
        many = "1 rate" if len(found) == 1 else f"{len(found):,} rates"
        raise PriceBookError(
            f"{many} moved a hundredfold, such as {unit} of {provider} {model} "
            f"from {old} to {new}; nothing was taken (--force takes it)"
        )


def _lay_out(document: Mapping[str, Any], data: Path, made: datetime, packaged: Path) -> None:
    tables, overlay, version = (document.get(name) for name in ("tables", "overlay", "version"))
    if not isinstance(tables, dict) or not isinstance(overlay, str) or not isinstance(version, str):
        raise PriceBookError("the bundle breaks the format: it needs tables, overlay and version")
    texts = {
        "overlay.toml": overlay,
        "version.txt": version,
        MADE: text_of(made),
        BASE: data_version(packaged),
    }
    for provider, table in tables.items():
        if not PROVIDER_ID.fullmatch(provider):
            raise PriceBookError(f"the bundle breaks the format: {provider!r:.60} is no provider")
        texts[f"{provider}.json"] = json.dumps(table, ensure_ascii=False)
    data.mkdir()
    try:
        for name, text in texts.items():
            data.joinpath(name).write_text(text, "utf-8", newline="")
    except UnicodeEncodeError:  # JSON may spell half a character
        raise PriceBookError(f"the bundle breaks the format: {name} is no text in UTF-8") from None


def _refuse_loss(known: Book, book: Book) -> None:
    """Refuse tables that lack most of what we know: what came was cut off, or is no whole list."""
    have, come = len(known.models()), len(book.models())
    if 2 * come < have:
        raise PriceBookError(f"the bundle has {come:,} models where {have:,} are known; nothing was taken")


def _install(data: Path, folder: Path) -> None:
    """Move the verified folder into place, then point to it; who reads sees the old one or the new one."""
    target = folder / data.name
    if not target.exists():
        data.rename(target)
    last = _read(folder / CURRENT)
    write_file(folder / CURRENT, target.name.encode())
    for old in folder.iterdir():
        if NAME.fullmatch(old.name) and old.name not in {target.name, last}:
            shutil.rmtree(old, ignore_errors=True)


def _read(path: Path) -> str | None:
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
