"""Which tables count: those of the last update, else the packaged ones."""

import logging
import re
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from outlay.core.errors import OutlayError
from outlay.core.instants import instant
from outlay.pricing.book import Book
from outlay.pricing.tables import DATA, data_version

BUILT = "built.txt"  # in the packaged tables, when they were made of their sources
MADE = "made.txt"  # in those of an update, the same
CURRENT = "current"  # the file that names the folder of the tables that count
BASE = "base.txt"  # in that folder, the version of the packaged tables that it replaces
NAME = re.compile(r"[0-9a-f]{16}")
_log = logging.getLogger("outlay")


def newest(folder: Path, packaged: Path = DATA) -> Book:
    """Give the book of the last update in a folder, or that of the packaged tables.

    An update counts as long as the packaged tables are those that it was made to replace: a newer outlay
    brings newer tables. One that cannot be read is logged, and the packaged tables count.
    """
    try:
        name = folder.joinpath(CURRENT).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return _of(packaged)
    data = folder / name
    try:
        if not NAME.fullmatch(name) or data.joinpath(BASE).read_text("utf-8") != data_version(packaged):
            return _of(packaged)
        return Book.at(data)
    except (OSError, UnicodeDecodeError, OutlayError) as error:
        _log.warning("the updated prices in %s cannot be read, the packaged ones count: %s", data, error)
        return _of(packaged)


def book_of(prices: Path | None, updates: Path | None) -> Book:
    """Give the newest book under a price file of one's own, where there is one.

    Raises:
        PriceBookError: the price file is missing or breaks the format.
    """
    listed = Book.default() if updates is None else newest(updates)
    return listed if prices is None else Book.of(prices, base=listed)


def _of(packaged: Path) -> Book:
    return Book.default() if packaged == DATA else Book.at(packaged)


def made_of(book: Book) -> datetime | None:
    """Give when a book's tables were made, aware UTC; None where they do not say."""
    for name in (MADE, BUILT):
        with suppress(OSError, ValueError):
            return instant(book.data.joinpath(name).read_text("ascii").strip())
    return None
