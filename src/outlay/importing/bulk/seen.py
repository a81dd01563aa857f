"""The lines of a block as an engine sees them, and which of them are left by what was read so far."""

from collections.abc import Iterator
from io import SEEK_END
from itertools import islice
from pathlib import Path
from random import Random
from typing import BinaryIO

from outlay.core.ports import Workbench
from outlay.importing.bulk.expressions import quoted

_READ = """read_csv({file}, header = false, auto_detect = false, delim = chr(1), quote = '', escape = '',
    columns = {{'line': 'VARCHAR'}}, max_line_size = 16777216)"""
_DONE = "SELECT (SELECT count(*) FROM foreign_told) + (SELECT count(*) FROM foreign_skipped)"
_SAMPLES = 900  # lines by which forms are found
IS_LEFT = """number NOT IN (SELECT number FROM foreign_told)
    AND number NOT IN (SELECT number FROM foreign_skipped)"""


def see(bench: Workbench, file: Path) -> None:
    """Have lines as ``foreign_lines``, read where they are: to hold what is read once took a tenth longer."""
    lines = _READ.format(file=quoted(str(file)))
    bench.run(
        f"CREATE TEMP VIEW foreign_lines AS SELECT row_number() OVER () - 1 AS number, line FROM {lines}"  # noqa: S608  # quoted
    )


def hold(bench: Workbench, file: Path, count: int) -> None:
    """Have lines as ``foreign_lines`` that are read several times.

    Raises:
        ValueError: the engine sees others than there are.
    """
    lines = _READ.format(file="?")
    bench.run(f"CREATE TEMP TABLE foreign_held AS SELECT line FROM {lines}", [str(file)])  # noqa: S608  # our own text
    bench.run("CREATE TEMP VIEW foreign_lines AS SELECT rowid AS number, line FROM temp.foreign_held")
    _expect(bench, "foreign_held", count)


def _expect(bench: Workbench, table: str, count: int) -> None:
    if bench.all(f"SELECT count(line) FROM {table}")[0][0] != count:  # noqa: S608  # our own names
        raise ValueError("the lines are others than expected")


def done(bench: Workbench) -> int:
    """Count the lines that are told or skipped."""
    return int(bench.all(_DONE)[0][0])


def set_aside(bench: Workbench, source: str, count: int) -> None:
    """Make ``foreign_rest`` of the lines of a source that are left, which must be so many.

    Raises:
        ValueError: the engine sees others than there are.
    """
    bench.run(
        f"CREATE OR REPLACE TEMP TABLE foreign_rest AS SELECT number, line FROM {source} WHERE {IS_LEFT}"  # noqa: S608  # our own names
    )
    _expect(bench, "foreign_rest", count)


def samples(file: Path, count: int) -> list[str]:
    """Give some of so many lines, by chance and the same each time.

    A file may repeat itself, and lines so many apart be of one kind alone.
    """
    with file.open("rb") as lines:
        found = islice(lines, count) if count <= _SAMPLES else _by_chance(lines)
        return [line.rstrip(b"\n").decode(errors="replace") for line in found]


def _by_chance(lines: BinaryIO) -> Iterator[bytes]:
    """Give the line behind each of some places; behind the last one stands the first."""
    size = lines.seek(0, SEEK_END)
    for place in Random(0).sample(range(size), _SAMPLES):  # noqa: S311  # no secret
        lines.seek(place)
        lines.readline()
        if lines.tell() == size:
            lines.seek(0)
        yield lines.readline()
