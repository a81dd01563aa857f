"""The SELECT of the texts of one layout's rows, and whether a row is such as others than DuckDB read."""

from collections.abc import Collection

from outlay.importing.bulk.cells import Cells
from outlay.importing.bulk.expressions import quoted, unquoted
from outlay.importing.bulk.written import Written, paths

# What DuckDB takes for JSON and others do not, and numbers beyond floats and texts beyond texts.
_LENIENT = r",\s*[}\]]|[:\[,]\s*-?(?i:nan|inf)|[:\[,]\s*-?[0-9.]+[eE]\+?[0-9]{3}|\\u0000"
_ESCAPED = r"\\u00[0-7]"  # what could stand there plainly, or must not


def texts_of(cells: Cells, delimiter: str) -> str:
    """Give the SELECT of all texts that were asked for, from the lines of one layout."""
    if cells.form is not None:
        return _stepped(cells, _of_form(cells, cells.form))
    names = list(cells.asked)
    if cells.positions is not None:
        texts = [f"x[{cells.positions[name] + 1}]" for (name,) in names]
        read = f"string_split(line, {quoted(delimiter)}) AS x"
        lines = f"SELECT number, {unquoted(delimiter)} AS line, 0 AS layout FROM foreign_lines"  # noqa: S608  # our own names
        more = ["len(x) AS width"]
    else:
        texts = [f"x[{at}]" for at in range(1, len(names) + 1)]
        lines = "SELECT number, line, layout FROM foreign_rest"
        read = f"json_extract_string(line, {paths(names)}) AS x"
        if cells.whole:
            read += f", json_extract(line, {paths((name,) for name in cells.whole)}) AS y"
        more = [_is_odd(cells)]
        more += [f"NULLIF(CAST(y[{at}] AS VARCHAR), 'null') AS {column}"
                 for at, column in enumerate(cells.whole.values(), 1)]  # fmt: skip
    told = [f"NULLIF({text}, '') AS {cells.asked[name]}" for name, text in zip(names, texts, strict=True)]
    text = (
        f"SELECT number, line, {', '.join([*told, *more])} FROM"  # noqa: S608  # our own names, quoted texts
        f" (SELECT number, line, {read} FROM ({lines}) WHERE layout = ?)"
    )
    return _stepped(cells, text)


def is_strict(cells: Cells, width: int | None, *, all_checked: bool) -> str:
    """Whether others read a row too, not DuckDB alone; ``all_checked``: a row must pass the checks."""
    if cells.form is not None:
        return _is_exact(cells, cells.form, cells.numerals if all_checked else ())
    if width is not None:
        return f"width = {width}"
    lenient = f"regexp_matches(line, {quoted(_LENIENT)})"
    whole = "starts_with(line, '{') AND ends_with(line, '}')"
    return f"{whole} AND CASE WHEN odd THEN NOT {lenient} ELSE TRUE END"


def _stepped(cells: Cells, text: str) -> str:
    for step in cells.steps:
        named = ", ".join(f"{expression} AS {name}" for name, expression in step.items())
        text = f"SELECT *, {named} FROM ({text})"  # noqa: S608  # likewise
    return text


def _is_odd(cells: Cells, text: str = "line") -> str:
    """Whether a line is to be looked at closely, found in one pass over it."""
    return f"regexp_matches({text}, {quoted('|'.join([_LENIENT, _ESCAPED, *cells.signs]))}) AS odd"


def _of_form(cells: Cells, form: Written) -> str:
    """Give the SELECT of the texts of lines that may have a form."""
    raws = form.raws()
    values = [f"x[{at}] AS {raw}" for at, raw in enumerate(raws.values(), 1)]
    values += [f"{value} AS {raw}" for raw, value in form.fixed().items()]
    told = [f"NULLIF({form.raw(path)}, '') AS {name}" for path, name in cells.asked.items()]
    nested = form.nested()
    # A comma before each: a numeral may stand in an object's place, which is looked for behind such a sign.
    odd = [_is_odd(cells, f"concat_ws(',', '', {', '.join(nested)})")] if nested else []
    read = f"json_extract_string(line, {paths(raws)})"
    lines = "foreign_rest" if cells.is_next else "foreign_lines"
    return f"""SELECT *, {", ".join([*told, *odd])} FROM (
        SELECT number, line, {", ".join(values)} FROM (
        SELECT number, line, {read if cells.is_valid else f"TRY({read})"} AS x
        FROM {lines})) WHERE {form.stands()}"""  # noqa: S608  # our own names, quoted texts


def _is_exact(cells: Cells, form: Written, checked: Collection[str]) -> str:
    """Whether the values of a line of the form are such as others read too."""
    checks = form.checks([path for path, text in cells.asked.items() if text in checked])
    if form.nested():
        checks.append(f"CASE WHEN odd THEN NOT regexp_matches(line, {quoted(_LENIENT)}) ELSE TRUE END")
    return " AND ".join(checks) or "TRUE"
