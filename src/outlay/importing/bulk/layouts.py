"""The layouts that lines have, sets of keys or a table's heading, and how each of them is told."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from outlay.core.errors import LedgerError
from outlay.core.ports import Workbench
from outlay.importing.bulk import helicone, langfuse, litellm, plain
from outlay.importing.bulk.cells import Cells
from outlay.importing.bulk.expressions import NOTHING
from outlay.importing.bulk.forms import Form, forms_of, pairs_of
from outlay.importing.bulk.selecting import texts_of
from outlay.importing.bulk.told import Layout, Reading, Told, tag_text
from outlay.importing.bulk.written import Written
from outlay.importing.files import Heading
from outlay.importing.made import Maker
from outlay.importing.plain import normal, overruled
from outlay.importing.shapes import PLAIN, Shape, is_own, shape_of

# A line of a table whose quotes all close in it; {d} is the delimiter.
CLOSED = r'("([^"]|"")*"|[^"{d}]*)({d}("([^"]|"")*"|[^"{d}]*))*'
_LAYOUTS = 12  # sets of keys that are read in bulk; rows of rarer ones go the other way
_TELL: Mapping[str, Callable[[Cells], Told | None]] = {
    "plain": plain.tell,
    "litellm": litellm.tell,
    "langfuse": langfuse.tell,
    "helicone": helicone.tell,
}
_STRANGE = frozenset({"", "*"})  # keys that the engine's paths cannot name
_SIGNS = frozenset('"\\')  # likewise, in a key
_ZONE = "(SELECT any_value(ahead) FROM foreign_hours WHERE hour = replace({text}, ' ', 'T')[:13])"
_HOUR = timedelta(hours=1)
_SMALLEST = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Origin:
    """What is known of a file's rows before they are read."""

    shape: Shape | None = None  # None: each has the one that its keys tell
    mapping: Mapping[str, str] | None = None  # a column for a field
    heading: Heading | None = None  # of a table


def layouts_of(bench: Workbench, origin: Origin, maker: Maker) -> Iterator[Layout]:
    """Give the frequent layouts of ``foreign_rest`` that can be read in bulk."""
    found = bench.all(
        f"""SELECT layout, arg_min(line, number) FROM foreign_rest WHERE layout IS NOT NULL
        GROUP BY layout ORDER BY count(*) DESC LIMIT {_LAYOUTS}"""  # noqa: S608  # our own names
        if origin.heading is None
        else "SELECT 0, line FROM foreign_lines ORDER BY number LIMIT 1"
    )
    for number, sample in found:
        layout = _layout(bench, (number, sample), origin, maker)
        if layout is not None:
            yield layout


def formed(bench: Workbench, some: Iterable[str], origin: Origin, maker: Maker) -> Iterator[Layout]:
    """Give the layouts of rows of one form each, which many of some lines have, and of one shape."""
    shape = None
    for at, form in enumerate(forms_of(some), 1):
        layout = _layout(bench, (-at, form.sample), origin, maker, form)
        if layout is not None and layout.shape == (shape or layout.shape):
            shape = layout.shape
            yield layout


def _layout(
    bench: Workbench, found: tuple[int, str], origin: Origin, maker: Maker, form: Form | None = None
) -> Layout | None:
    number, sample = found
    heading = origin.heading
    keys = tuple(key for key, _ in pairs_of(sample)) if heading is None else heading.names
    sources = _sources(keys, origin.mapping)
    if sources is None:
        return None
    names = dict.fromkeys(sources)
    if origin.shape is None and is_own(names):
        return None
    shape = origin.shape or shape_of(names)
    if shape is None or (shape.name == PLAIN and _tells_twice(names, origin.mapping or {})):
        return None
    tell = _TELL.get(shape.name)
    positions = None if heading is None else {name: at for at, name in enumerate(keys)}
    cells = Cells(sources, positions, sample, None if form is None else Written(form))
    told = None if tell is None else tell(cells)
    if told is None or told.at == NOTHING:
        return None
    told.columns["tags"] = tag_text(cells, maker.tags, told)
    zone = _zone(bench, (cells, told, number), heading, maker.zone_of(shape.name))
    uuid = _uuid(bench)
    reading = (
        Reading(shape.name, zone, uuid)
        if heading is None
        else Reading(shape.name, zone, uuid, heading.text(), heading.delimiter, len(heading.names))
    )
    return Layout(number, shape.name, cells, told, reading)


def _zone(bench: Workbench, layout: tuple[Cells, Told, int], heading: Heading | None, zone: tzinfo) -> str:
    """Say by how much local clocks are ahead: one figure, or one for each hour that there is."""
    fixed = zone.utcoffset(None)
    if fixed is not None:
        return str(_microseconds(fixed))
    cells, told, number = layout
    found = bench.all(
        f"""SELECT DISTINCT replace({told.at}, ' ', 'T')[:13]
        FROM ({texts_of(cells, "," if heading is None else heading.delimiter)})
        WHERE regexp_full_match({told.at}, '20[0-9-]{{8}}[T ][0-9:.]+')""",  # noqa: S608  # our own names
        [] if cells.form is not None else [number],
    )
    hours = [(hour, _ahead(hour, zone)) for (hour,) in found]
    known = [(hour, ahead) for hour, ahead in hours if ahead is not None]
    bench.run("CREATE TEMP TABLE IF NOT EXISTS foreign_hours (hour VARCHAR, ahead BIGINT)")
    bench.run(
        "INSERT INTO foreign_hours SELECT unnest(CAST(? AS VARCHAR[])), unnest(CAST(? AS BIGINT[]))",
        [[hour for hour, _ in known], [ahead for _, ahead in known]],
    )
    return _ZONE


def _uuid(bench: Workbench) -> str:
    """Say how this engine makes an id of a number; before DuckDB 2 it has to be written down for that."""
    try:
        bench.all("SELECT CAST(CAST(1 AS UHUGEINT) AS UUID)")
    except LedgerError:
        return "CAST(lpad(to_hex({number}), 32, '0') AS UUID)"
    return "CAST({number} AS UUID)"


def _sources(keys: Sequence[str], mapping: Mapping[str, str] | None) -> dict[str, str] | None:
    """Say under which name of the row each field stands; see ``reading.renamed``. None: it cannot be said."""
    if not keys or len(set(keys)) < len(keys) or any(key in _STRANGE or _SIGNS & {*key} for key in keys):
        return None
    if not mapping:
        return {key: key for key in keys}
    wanted = {column: name for name, column in mapping.items()}
    others = {key: key for key in keys if key not in wanted and key not in mapping}
    return {**others, **{wanted[key]: key for key in keys if key in wanted}}


def _tells_twice(names: Iterable[str], mapping: Mapping[str, str]) -> bool:
    """Whether a column tells a field beside the one that is mapped: which of both does, a row decides."""
    others = {normal(name) for name in names if name not in mapping}
    return not others.isdisjoint(overruled(frozenset(mapping)))


def _microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _ahead(hour: str, zone: tzinfo) -> int | None:
    """Give by how much the clocks of a zone are ahead in an hour; None where that changes within it."""
    try:
        start = datetime.fromisoformat(f"{hour}:00:00")
    except ValueError:
        return None
    ends = {(start + after).replace(tzinfo=zone).utcoffset() for after in (timedelta(0), _HOUR - _SMALLEST)}
    known = ends.pop()
    return None if ends or known is None else _microseconds(known)
