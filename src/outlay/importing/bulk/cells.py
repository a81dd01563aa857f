"""The cells of foreign rows as SQL: which text stands where, and what it must look like."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import reduce
from operator import getitem
from typing import TypeAlias

import orjson

from outlay.importing.bulk.clocks import as_written
from outlay.importing.bulk.expressions import MONEY, NOTHING, coalesced, matches, quoted, trimmed
from outlay.importing.bulk.forms import Node, Path
from outlay.importing.bulk.written import Written

# Texts that JSON may have written as something else than a text, whose Python text is another one.
_OTHER_THAN_TEXT = r"^(true|false)$|^[\[{-]|^[0-9]+[.eE]|^[0-9]{16}"
_NUMBER = r"^[0-9.]+$"
_MOST = 10**12 - 1  # of a count
_MEASURE = r"[0-9]{1,6}(\.[0-9]{1,9})?"
_MONEY = r"[0-9]{1,12}(\.[0-9]{1,25})?|[0-9](\.[0-9]{1,16})?[eE]-0?[1-9]"  # at most 25 places
_WIDE = "DECIMAL(38, 25)"
_TIE = f"CAST('0.{'0' * 18}5' AS {_WIDE})"  # half of the last place that a ledger has
_LAST, _TWO = (f"CAST('0.{'0' * 17}{digit}' AS DECIMAL(38, 18))" for digit in (1, 2))
_CLOCK = r"20[0-9]{2}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
_ZONED = r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
_SECONDS, _MILLISECONDS = "[0-9]{10}", "1[0-9]{12}"
_PLAIN = r"(0|[1-9][0-9]{0,11})(\.[0-9]{0,17}[1-9])?"  # money as it is written in a ledger
_INTEGER_OR_TEXT = r'^["tfn]|^-?(0|[1-9][0-9]{0,14})$'
# Where reading a numeral as a float could lose digits; see ``files``.
LONG = r"[0-9]\.[0-9]{15}|[0-9]{16}"
_TEXTS, _LETS = re.compile(r"\bt[0-9]+\b"), re.compile(r"\b[jm][0-9]+")
_NAMES = re.compile(r"\bm[0-9]+_[0-9]+\b")
_NAME = re.compile(r"t[0-9]+|m[0-9]+_[0-9]+")
Tree: TypeAlias = Mapping[str, "str | Tree"]  # names of texts, by the keys of an object


@dataclass(slots=True)
class Cells:
    """The texts of one layout of rows; ``sources`` says under which name of the row a field stands."""

    sources: Mapping[str, str]
    positions: Mapping[str, int] | None = None  # of a table's columns; None: rows are JSON objects
    sample: str = ""  # a line
    form: Written | None = None  # that lines must have; None: those of the layout's keys are read as they are
    is_next: bool = False  # whether some lines were read by another form
    is_valid: bool = False  # whether all lines are JSON, so that reading one need not be tried
    asked: dict[Path, str] = field(default_factory=dict)  # texts by where they stand
    whole: dict[str, str] = field(default_factory=dict)  # JSON by source
    signs: list[str] = field(default_factory=list)  # patterns of lines that are looked at closely
    numerals: set[str] = field(default_factory=set)  # texts that are checked to be such as everybody reads
    checks: list[str] = field(default_factory=list)  # what must hold for a row to be read in bulk
    close: list[str] = field(default_factory=list)  # likewise, of lines that are looked at closely
    steps: list[dict[str, str]] = field(default_factory=list)  # expressions by name, over those before

    def text(self, name: str) -> str:
        """Give the text of a field, NULL where it is missing or empty."""
        source = self.sources.get(name)
        return NOTHING if source is None else self._text((source,))

    def _text(self, path: Path) -> str:
        if self.form is not None:
            self.form.raw(path)
        return self.asked.setdefault(path, f"t{len(self.asked)}")

    def always(self, name: str) -> str | None:
        """Give the text that a field has in all rows; None where they may have others."""
        return None if self.form is None else self.form.form.same.get((self.sources[name],))

    def _seen(self, text: str) -> str | None:
        """Give what stands in the sample where an object's rows have a text; None where that is no text."""
        path = next((path for path, name in self.asked.items() if name == text), None)
        if path is None or self.positions is not None:
            return None
        with suppress(orjson.JSONDecodeError, KeyError, TypeError):
            found = reduce(getitem, path, orjson.loads(self.sample))
            return found if isinstance(found, str) else None
        return None

    def trees(self, *names: str) -> list[Tree] | None:
        """Give the texts in objects, by their keys, which all rows have; None where some object has others.

        An object that no row has is left out.
        """
        sources = [self.sources[name] for name in names if name in self.sources]
        if self.form is None:
            return None
        found = {source: self.form.tree(source) for source in sources if not self.form.is_null(source)}
        known = {source: tree for source, tree in found.items() if tree is not None}
        return [self._texts(tree, (at,)) for at, tree in known.items()] if len(known) == len(found) else None

    def _texts(self, tree: Mapping[str, Node], before: Path) -> Tree:
        return {
            key: self._text((*before, key)) if isinstance(node, str) else self._texts(node, (*before, key))
            for key, node in tree.items()
        }

    def first(self, *names: str) -> str:
        """Give the text of the first field that has one."""
        return coalesced(self.text(name) for name in names)

    def json(self, name: str) -> str:
        """Give a field's value as JSON, NULL where it is missing."""
        if self.form is not None:
            return self.let(self.form.json(self.sources[name]))
        return self.whole.setdefault(self.sources[name], f"j{len(self.whole)}")

    def let(self, expression: str) -> str:
        """Name an expression that is used more than once, so that it is worked out once."""
        if _NAME.fullmatch(expression):
            return expression
        level = max((self._level(name) for name in _NAMES.findall(expression)), default=0)
        while len(self.steps) <= level:
            self.steps.append({})
        known = {text: name for name, text in self.steps[level].items()}
        name = known.get(expression, f"m{level}_{len(self.steps[level])}")
        self.steps[level][name] = expression
        return name

    @staticmethod
    def _level(name: str) -> int:
        return int(name[1:].partition("_")[0]) + 1 if name.startswith("m") else 0

    def need(self, check: str) -> None:
        """Let a row be read in bulk only where this holds."""
        self.checks.append(check)

    def need_of_odd(self, check: str, sign: str = "") -> None:
        """Let rows be read in bulk only where this holds; it can fail only where the line has that sign."""
        if self.positions is not None:
            self.need(check)
            return
        if sign:
            self.signs.append(sign)
        self.close.append(check)

    def needs(self) -> list[str]:
        """Give all that must hold."""
        closely = f"CASE WHEN odd THEN {' AND '.join(self.close)} ELSE TRUE END"
        has_odd = self.close and (self.form is None or self.form.nested())
        return [*self.checks, closely] if has_odd else self.checks

    def textual(self, text: str, *, never_number: bool = False) -> str:
        """Read a text; what JSON may have written as a number, a truth or a list is left to the other way."""
        if text != NOTHING and self.positions is None and not self.is_text(text):
            pattern = f"{_OTHER_THAN_TEXT}|{_NUMBER}" if never_number else _OTHER_THAN_TEXT
            self.need(f"({text} IS NULL OR NOT regexp_matches({text}, {quoted(pattern)}))")
        return text

    def is_text(self, text: str) -> bool:
        """Whether the form says that nothing else than texts can stand there."""
        if self.form is None or _LETS.search(text):
            return False
        names = set(_TEXTS.findall(text))
        return bool(names) and all(
            self.form.is_text(path) for path, name in self.asked.items() if name in names
        )

    def missing(self, text: str) -> None:
        """Leave rows to the other way that say something here."""
        if text != NOTHING:
            self.need(f"{text} IS NULL")

    def count(self, text: str) -> str:
        """Read a count."""
        return self._cast(text, "", "BIGINT")

    def measure(self, text: str) -> str:
        """Read a measure that is not negative."""
        return self._cast(text, _MEASURE, "DOUBLE")

    def seconds(self, text: str) -> str:
        """Read seconds as milliseconds, rounded as ``plain`` rounds them."""
        exact = self._cast(text, _MEASURE, "DECIMAL(18, 9)")
        return NOTHING if exact == NOTHING else f"CAST(CAST({exact} * 1000 AS DECIMAL(18, 6)) AS DOUBLE)"

    def money(self, text: str) -> tuple[str, str, str]:
        """Read an amount; give the shortest text of what a ledger keeps, if that is less, and if it is 0.

        That it is ``verbatim`` is the caller's to ask.
        """
        if text == NOTHING:
            return NOTHING, NOTHING, NOTHING
        self.numerals.add(text)
        plain = self.let(f"regexp_full_match({text}, {quoted(_PLAIN)})")
        self.need(f"CASE WHEN {plain} THEN TRUE ELSE {matches(text, _MONEY)} END")
        exact = self.let(f"CASE WHEN NOT {plain} THEN TRY_CAST({text} AS {_WIDE}) END")
        near = self.let(f"CAST({exact} AS {MONEY})")
        lost = self.let(f"CAST({near} AS {_WIDE}) - {exact}")
        even = (
            f"CASE WHEN abs({lost}) = {_TIE} AND {near} % {_TWO} <> 0 THEN {near} - {_LAST} ELSE {near} END"
        )
        kept = self.let(f"CASE WHEN {plain} THEN {text} ELSE {trimmed(even)} END")
        return (
            kept,
            f"coalesce({lost} <> 0, FALSE)",
            f"CASE WHEN {plain} THEN {text} = '0' ELSE {exact} = 0 END",
        )

    def instant(self, text: str) -> tuple[str, str]:
        """Read an instant; give its clock time, and whether that is UTC (else it is local)."""
        written = as_written(text, self._seen(text))
        usual = NOTHING if written is None else self.let(written.clock)
        is_clock = f"regexp_full_match({text}, {quoted(_CLOCK)})"
        is_clock = f"CASE WHEN ends_with({text}, 'Z') THEN FALSE ELSE {is_clock} END"
        if written is not None and written.is_local:
            is_clock = f"CASE WHEN {usual} IS NOT NULL THEN TRUE ELSE {is_clock} END"
        is_local = self.let(is_clock)
        zoned = f"regexp_full_match({text}, {quoted(_CLOCK + _ZONED)})"
        seconds = f"regexp_full_match({text}, {quoted(_SECONDS)})"
        millis = f"regexp_full_match({text}, {quoted(_MILLISECONDS)})"
        quick = "" if usual == NOTHING else f"WHEN {usual} IS NOT NULL THEN {usual} "
        clock = f"""CASE {quick}WHEN {is_local} THEN TRY_CAST({text} AS TIMESTAMP)
            WHEN {zoned} THEN CAST(TRY_CAST({text} AS TIMESTAMPTZ) AS TIMESTAMP)
            WHEN {seconds} THEN make_timestamp(CAST({text} AS BIGINT) * 1000000)
            WHEN {millis} THEN make_timestamp(CAST({text} AS BIGINT) * 1000) END"""
        return self.let(clock), f"NOT {is_local}"

    def business(self, name: str) -> str:
        """Give a value that is kept as it is; lists, objects and what loses digits are left."""
        value = self.json(name)
        if self.form is not None and self.form.is_text((self.sources[name],)):
            return value
        simple = f"regexp_matches({value}, {quoted(_INTEGER_OR_TEXT)})"
        odd = f"regexp_matches({value}, '^([\\[{{]|-?[0-9]{{16}})')"
        verbatim = self.verbatim(name, value, money=False)
        self.need(
            f"CASE WHEN {value} IS NULL OR {simple} THEN TRUE WHEN {odd} THEN FALSE ELSE {verbatim} END"
        )
        return value

    def verbatim(self, name: str, text: str, *, money: bool, within: str | None = None) -> str:
        """Ask whether a numeral was read without loss; ``within`` names the key of an object that has it.

        That it stands in the line as it was read is enough, where its key stands there once. Else it is
        looked at closely where a float may not hold all digits.
        """
        if self.form is not None and within is None:
            return "TRUE"
        key = f'"{self.sources[name]}":'
        self.signs.append(f"{re.escape(key)}.*{re.escape(key)}")
        before = key if within is None else f'{key} ?{{[^{{}}]*"{within}":'
        raw = f"regexp_extract(line, {quoted(before + ' ?([0-9.eE+-]+) ?[,}]')}, 1)"
        same = f"{raw} = {text}"
        if money:
            exact = f"TRY_CAST({raw} AS {_WIDE}) = TRY_CAST({text} AS {_WIDE})"
            same = f"(regexp_full_match({raw}, {quoted(_MONEY)}) AND {exact})"
        other = "" if money else f" OR NOT regexp_matches({text}, '^[0-9-]')"
        once = f"length(line) - length(replace(line, {quoted(key)}, '')) = {len(key)}"
        test = f"({text} IS NULL{other} OR ({once} AND {same}))"
        stands = "FALSE" if within else self._stands(name, text)
        is_long = f"regexp_matches({'line' if self.form is None else text}, {quoted(LONG)})"
        return f"CASE WHEN NOT odd AND {stands} THEN TRUE WHEN {is_long} THEN {test} ELSE TRUE END"

    def _stands(self, name: str, text: str) -> str:
        key = f'"{self.sources[name]}":'
        gap = " " if f"{key} " in self.sample else ""
        end = "}" if self.sources[name] == list(self.sources.values())[-1] else ","
        return f"contains(line, {quoted(key + gap)} || {text} || {quoted(end)})"

    def object(self, name: str) -> str:
        """Read an object, be it within a text; those that name a key twice are left to the other way."""
        text = self.text(name)
        if text == NOTHING:
            return NOTHING
        valid = self.let(f"json_valid({text})")
        self.need(f"({text} IS NULL OR ({valid} AND starts_with({text}, '{{')))")
        whole = self.let(f"CASE WHEN {valid} THEN {text} END")
        keys = self.let(f"json_keys({whole})")
        self.need(f"({text} IS NULL OR list_unique({keys}) = len({keys}))")
        return whole

    def _cast(self, text: str, pattern: str, kind: str) -> str:
        if text == NOTHING:
            return NOTHING
        self.numerals.add(text)
        cast = self.let(f"TRY_CAST({text} AS {kind})")
        again = f"({text} IS NULL OR {cast} BETWEEN 0 AND {_MOST} AND CAST({cast} AS VARCHAR) = {text})"
        self.need(matches(text, pattern) if pattern else again)  # a look at it written again is quicker
        return cast
