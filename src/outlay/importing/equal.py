"""Equal rows of a file are told apart by their order: how often each content was there before."""

from array import array
from collections.abc import Iterable
from hashlib import md5

KEY = 8  # bytes of a digest by which contents are known; of two that share them, one counts as a second time
_FREE = 0
_FIRST = 1 << 12
_FULL = 2  # a table has at least so many places for each key


class Equal:
    """Counts contents, in sixteen to thirty-two bytes each, however long a file is."""

    def __init__(self) -> None:
        self._places = array("Q", bytes(KEY * _FIRST))
        self._used = 0
        self._again: dict[int, int] = {}

    def rank(self, key: int) -> int:
        """Give how many rows of this content there were before."""
        if not self._is_there(key):
            return 0
        times = self._again[key] = self._again.get(key, 0) + 1
        return times

    def saw(self, keys: Iterable[int]) -> None:
        """Learn of rows that were read elsewhere."""
        for key in keys:
            if self._is_there(key):
                self._again[key] = self._again.get(key, 0) + 1

    def _is_there(self, key: int) -> bool:
        """Whether a key is known; it is from now on."""
        place = self._place(key)
        if self._places[place] == key:
            return True
        self._places[place] = key
        self._used += 1
        if self._used * _FULL > len(self._places):
            self._grow()
        return False

    def _place(self, key: int) -> int:
        places, last = self._places, len(self._places) - 1
        place = key & last
        while places[place] not in {_FREE, key}:
            place = (place + 1) & last
        return place

    def _grow(self) -> None:
        known = self._places
        self._places = array("Q", bytes(KEY * len(known) * 2))
        for key in known:
            if key != _FREE:
                self._places[self._place(key)] = key


def digest_of(content: bytes) -> bytes:
    """Give the digest by which a content is known: its MD5, as the number that DuckDB makes of it.

    Ids have room for 74 bits of it, so that a longer one would keep nobody from making two rows of one id;
    it takes an engine half the time of SHA-256.
    """
    return md5(content, usedforsecurity=False).digest()[::-1]


def key_of(digest: bytes) -> int:
    """Give the number by which a content is known; never the one of a free place."""
    return int.from_bytes(digest[:KEY]) or 1


def apart(key: int, rank: int) -> bytes:
    """Give the digest of a row that ``rank`` others before it are equal to."""
    return digest_of(key.to_bytes(KEY) + rank.to_bytes(KEY))
