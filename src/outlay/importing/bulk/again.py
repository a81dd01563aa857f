"""Rows of a file that are equal to earlier ones, wherever these stand: block by block, in the engine."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC

from outlay.core.ids import uuid7
from outlay.core.ports import Workbench
from outlay.importing.equal import Equal, apart
from outlay.importing.files import Line


class Again:
    """Counts the contents of a file's nameless rows, as :class:`Equal` does, many at once."""

    def __init__(self) -> None:
        self._times: dict[int, int] = {}  # of contents that are known to be repeated
        self._seen = f"memory.foreign_seen_{id(self)}"  # a table that is seen from every bench
        self._begun = False

    def ranks(self, bench: Workbench, left: Iterable[tuple[int, int]], *, told: bool) -> dict[int, int]:
        """Give how many rows before are equal, by their places; those that are the first are left out.

        Counted are the rows that are ``told``, and those that are ``left``, of which place and key are given.
        """
        self._begin(bench)
        places = list(left)
        bench.run(
            """CREATE OR REPLACE TEMP TABLE foreign_keys AS
            SELECT unnest(CAST(? AS BIGINT[])) AS number, unnest(CAST(? AS UBIGINT[])) AS key""",
            [[place for place, _ in places], [key for _, key in places]],
        )
        if told:
            bench.run("INSERT INTO foreign_keys SELECT number, key FROM foreign_told WHERE key IS NOT NULL")
        bench.run(  # by itself, so that the long table is run through and the short one looked up in
            f"""CREATE OR REPLACE TEMP TABLE foreign_known AS
            SELECT DISTINCT key FROM {self._seen} WHERE key IN (SELECT key FROM foreign_keys)"""  # noqa: S608  # our own name
        )
        found = bench.all(
            """SELECT number, key, key IN (SELECT key FROM foreign_known) FROM foreign_keys
            WHERE key IN (SELECT key FROM foreign_keys GROUP BY key HAVING count(*) > 1)
            OR key IN (SELECT key FROM foreign_known) ORDER BY number"""
        )
        bench.run(f"INSERT INTO {self._seen} SELECT key FROM foreign_keys")  # noqa: S608  # likewise
        bench.run("DROP TABLE foreign_keys")
        bench.run("DROP TABLE foreign_known")
        return {place: rank for place, key, seen in found if (rank := self._rank(key, known=seen))}

    def rest(self, bench: Workbench) -> Callable[[Line, int], int]:
        """Give what ranks the rows behind, one by one."""
        self._begin(bench)
        equal = Equal()
        equal.saw(key for (key,) in bench.all(f"SELECT key FROM {self._seen}"))  # noqa: S608  # our own name
        return lambda _line, key: equal.rank(key)

    def clear(self, bench: Workbench) -> None:
        """Give the room back."""
        bench.run(f"DROP TABLE IF EXISTS {self._seen}")

    def _begin(self, bench: Workbench) -> None:
        if not self._begun:
            bench.run(f"CREATE OR REPLACE TABLE {self._seen} (key UBIGINT)")
            self._begun = True

    def _rank(self, key: int, *, known: bool) -> int:
        rank = self._times.get(key, int(known))
        self._times[key] = rank + 1
        return rank


def set_apart(bench: Workbench, ranks: Mapping[int, int]) -> None:
    """Give rows that are told, and equal to earlier ones, ids of their own."""
    if not ranks:
        return
    found = bench.all(
        """SELECT number, key, moment FROM foreign_told
        WHERE key IS NOT NULL AND number IN (SELECT unnest(CAST(? AS BIGINT[])))""",
        [list(ranks)],
    )
    ids = [uuid7(at.replace(tzinfo=UTC), apart(key, ranks[place])) for place, key, at in found]
    bench.run(
        """UPDATE foreign_told SET id = again.id FROM (SELECT unnest(CAST(? AS BIGINT[])) AS number,
        unnest(CAST(? AS UUID[])) AS id) AS again WHERE again.number = foreign_told.number""",
        [[place for place, _, _ in found], ids],
    )
