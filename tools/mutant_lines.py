"""What a mutant changes, in lines and in functions, and which tests pass there."""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from types import CodeType

_LONG = 1.0  # seconds, of a test under coverage
Mutant = tuple[str, Path, str]  # its job, its file, its source
Changes = list[tuple[CodeType, CodeType]]


@dataclass
class Passed:
    """Which tests pass which line, and how many seconds each takes; what was imported for them."""

    lines: dict[str, dict[int, list[str]]] = field(default_factory=dict)  # file, line, tests
    seconds: dict[str, float] = field(default_factory=dict)
    imported: list[str] = field(default_factory=list)

    def tests(self, mutant: Mutant, changes: Changes) -> list[str]:
        """Name the tests that pass the mutant's statement, else its functions; all where there are none."""
        of_file = self.lines.get(str(mutant[1]), {})
        spans = [_changed_lines(mutant), {line for old, _ in changes for line in _lines_of(old)}]
        found = next(
            (tests for span in spans if (tests := {test for line in span for test in of_file.get(line, ())})),
            set(),
        )
        near = f"/test_{mutant[1].stem}.py::"
        chosen = found if changes else set(self.seconds)
        quick = [test for test in chosen if near in test or self.seconds[test] < _LONG]
        return sorted(quick, key=lambda test: (near not in test, self.seconds[test]))


@cache
def source_of(path: Path) -> str:
    """Give a file's source as it was when it was first asked for."""
    return path.read_text("utf-8")


def read_passed(path: Path) -> Passed:
    """Read what the run under coverage left."""
    kept = json.loads(path.read_text("utf-8"))
    lines = {name: {int(line): tests for line, tests in each.items()} for name, each in kept["lines"].items()}
    return Passed(lines, kept["seconds"], kept["imported"])


def _changed_lines(mutant: Mutant) -> set[int]:
    """Give the lines of the statements that a mutant changes; of a compound one those of its head."""
    before, after = source_of(mutant[1]).splitlines(), mutant[2].splitlines()
    changed = {
        line
        for kind, start, end, _, _ in SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
        if kind != "equal"
        for line in range(start + 1, max(end, start + 1) + 1)
    }
    return {line for one in changed for line in _statement(mutant[1], one)}


def _statement(path: Path, line: int) -> range:
    around = [span for span in _statements(path) if line in span]
    return min(around, key=len, default=range(line, line + 1))


@cache
def _statements(path: Path) -> list[range]:
    found = []
    for node in ast.walk(ast.parse(source_of(path))):
        if isinstance(node, ast.stmt):
            body: list[ast.stmt] = getattr(node, "body", [])
            compound = bool(body) and body[0].lineno > node.lineno
            end = body[0].lineno if compound else (node.end_lineno or node.lineno) + 1
            found.append(range(node.lineno, end))
    return found


def _lines_of(code: CodeType) -> set[int]:
    """Give a function's lines, those of the functions in it included."""
    own = {line for _, _, line in code.co_lines() if line is not None}
    return own.union(*(_lines_of(each) for each in code.co_consts if isinstance(each, CodeType)))


def changes_of(mutant: Mutant) -> Changes:
    """Pair the outermost functions that differ; none where more than functions differs.

    Raises:
        SyntaxError: the mutant is no Python.
    """
    _, path, mutated = mutant
    before, after = (
        compile(text, str(path), "exec", dont_inherit=True) for text in (source_of(path), mutated)
    )
    pairs = list(_pairs(before, after))
    found = [(old, new) for old, new in pairs if old is not None and new is not None]
    return found if len(found) == len(pairs) else []


def _pairs(before: CodeType, after: CodeType) -> Iterator[tuple[CodeType | None, CodeType | None]]:
    """Give the functions of a module or class that differ; (None, None) if its own code differs."""
    olds, news = ([each for each in code.co_consts if isinstance(each, CodeType)] for code in (before, after))
    if _bare(before) != _bare(after) or len(olds) != len(news):
        yield None, None
        return
    for old, new in zip(olds, news, strict=True):
        if old == new:
            continue
        if old.co_flags & 0x02:  # CO_NEWLOCALS: a function's body, where a class's has none
            yield old, new
        else:
            yield from _pairs(old, new)


def _bare(code: CodeType) -> tuple[object, ...]:
    return code.co_code, code.co_names, [each for each in code.co_consts if not isinstance(each, CodeType)]
