"""Tests by the names that documents give them: whether they are there, run everywhere and are collected."""

import ast
import importlib
import re
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]
_NAME = re.compile(r"(?P<path>[\w./]+\.py)::(?P<function>\w+)(?:\[(?P<case>.+)\])?")
_IDLE = {"skip", "skipif", "xfail"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def fault_of(name: str) -> str | None:
    """Say what is wrong with a name such as ``pricing/test_x.py::test_y[case]``; None: it runs everywhere."""
    parts = _NAME.fullmatch(name)
    if parts is None:
        return "is no name of a test"
    path = TESTS / parts["path"]
    if not path.name.startswith("test_") or not path.exists():
        return "names a file that is not there or that pytest does not collect"
    return _fault_within(path, parts["function"]) or _fault_of_case(parts)


def _fault_within(path: Path, function: str) -> str | None:
    found = [each for each in _functions(path) if each.name == function]
    if not found or not function.startswith("test_"):
        return "names a test that is not there"
    if len(found) > 1:
        return "names several tests, of which the last one runs alone"
    return "names a test that does not run everywhere" if _marks(path, found[0]) & _IDLE else None


def _fault_of_case(parts: re.Match[str]) -> str | None:
    if parts["case"] is None or parts["case"] in _cases(parts["path"], parts["function"]):
        return None
    return "names a case that the test does not have"


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _functions(path: Path) -> list[Function]:
    return [each for each in _tree(path).body if isinstance(each, Function)]


def _marks(path: Path, function: Function) -> set[str]:
    """Give the names of the marks on a test and on its whole file."""
    of_file = [
        each.value
        for each in _tree(path).body
        if isinstance(each, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in each.targets)
    ]
    nodes = [node for each in (*function.decorator_list, *of_file) for node in ast.walk(each)]
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def _cases(path: str, function: str) -> Iterator[str]:
    """Give the ids of a test's cases as pytest makes them, where a function of each case names it."""
    module = importlib.import_module("tests." + path.removesuffix(".py").replace("/", "."))
    for mark in getattr(getattr(module, function), "pytestmark", ()):
        if mark.name == "parametrize" and callable(mark.kwargs.get("ids")):
            yield from (str(mark.kwargs["ids"](value)) for value in mark.args[1])


def not_collected(names: Iterable[str], session: Any) -> list[str]:
    """Give the names whose file was collected in this session, and which were not.

    A session that was narrowed down, by a word, a mark or the name of a test, tells nothing.
    """
    options = session.config.option
    narrowed = (options.keyword, options.markexpr, options.deselect, getattr(options, "lf", False))
    if any(narrowed) or any("::" in each for each in session.config.args):
        return []
    return missed(names, [item.nodeid for item in session.items])


def missed(names: Iterable[str], collected: Collection[str]) -> list[str]:
    """Give the names that are not among the collected ones though something of their file is."""
    ids = {each.removeprefix("tests/") for each in collected}
    whole = ids | {each.partition("[")[0] for each in ids}
    files = {each.partition("::")[0] for each in ids}
    return [each for each in names if each.partition("::")[0] in files and each not in whole]
