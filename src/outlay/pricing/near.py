"""Near names: which listed models a name that nobody lists may have meant, by the trigrams that both have.

Strangers make names up by the thousand, and each is answered with what comes near. Comparing it letter by
letter with every listed name takes a millisecond; names that share no piece of three letters are never
looked at here.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import chain

Piece = tuple[str, str, str]
"""Three letters; as texts, they would take twice as long to cut."""
_ALIKE = 0.35  # the least share of common pieces; one or two slips in a name of ten letters leave more


class Spellings:
    """Listed names by their pieces; made once for a table, and not changed afterwards."""

    __slots__ = ("_by_piece", "_names", "_sizes")

    def __init__(self, names: Iterable[tuple[str, str]]) -> None:
        """Take names, each in the form in which it is compared and in the one in which it is shown."""
        self._names: list[str] = []
        self._sizes: list[int] = []
        self._by_piece: defaultdict[Piece, list[int]] = defaultdict(list)
        for number, (compared, shown) in enumerate(names):
            pieces = _pieces(compared)
            self._names.append(shown)
            self._sizes.append(len(pieces))
            for piece in pieces:
                self._by_piece[piece].append(number)

    def near(self, name: str) -> list[tuple[float, str]]:
        """Give the names that are alike enough, each behind its distance (0: the same pieces)."""
        pieces, sizes = _pieces(name), self._sizes
        size = len(pieces)
        shared = Counter(chain.from_iterable(map(self._by_piece.__getitem__, pieces & self._by_piece.keys())))
        least = size * _ALIKE / (2 - _ALIKE)  # what a name must share, were it no longer than that
        found = [
            (1 - 2 * count / (size + sizes[number]), self._names[number])
            for number, count in shared.items()
            if count >= least
        ]
        return [each for each in found if each[0] <= 1 - _ALIKE]


def _pieces(name: str) -> set[Piece]:
    """Cut a name at every letter; how it begins says most, so the beginning counts twice."""
    padded = f"  {name} "
    return set(zip(padded, padded[1:], padded[2:], strict=False))
