"""Runs the mutants of a session of cosmic-ray in forks of one process that has collected the tests.

It is ``cosmic-ray exec`` at a fraction of a second for a mutant: ``python -m tools.mutants CONFIG SESSION``,
and with a number behind it so many of them, by chance and always the same.

A mutant inside of functions is put into the fork by its code objects. Any other, and any that lives, is run
once more in a fork that imports everything anew: nothing is called alive that an import would have shown.
"""

import gc
import importlib.machinery
import os
import random
import shlex
import signal
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from difflib import unified_diff
from functools import _lru_cache_wrapper, cache, partial
from pathlib import Path
from types import CodeType, FunctionType
from typing import NoReturn

import pytest
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult

_SECONDS = 6  # of processor time, where the tests take one; a loop without an end was noticed, too
_QUIET = ("-q", "-x", "-s", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
_ANEW = "anew"
Mutant = tuple[str, Path, str]  # its job, its file, its source
Changes = list[tuple[CodeType, CodeType]]


def main() -> None:
    """Run what a session has left: first in place, then what remains or lives with fresh imports."""
    config, session, *rest = sys.argv[1:]
    command: str = tomllib.loads(Path(config).read_text("utf-8"))["cosmic-ray"]["test-command"]
    tests = [part for part in shlex.split(command) if part.startswith("tests/")]
    with use_db(session, WorkDB.Mode.open) as db:
        if rest == [_ANEW]:
            for mutant in _mutants(db):
                _keep(db, mutant, _in_fork(partial(_anew, mutant, tests)))
            return
        if rest:
            _leave_out(db, int(rest[0]))
        pytest.main([*_QUIET, *tests], plugins=[_InPlace(db)])
    subprocess.run([sys.executable, "-m", "tools.mutants", config, session, _ANEW], check=True)  # noqa: S603 - ourselves


class _InPlace:
    """A plugin of pytest that runs the collected tests once for each mutant."""

    def __init__(self, db: WorkDB) -> None:
        self.db = db
        self.killers: Counter[str] = Counter()
        self.functions: list[FunctionType] = []
        self.caching: list[_lru_cache_wrapper[object]] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if failed := _in_fork(partial(self._run, session)):
            pytest.exit(f"{failed} fails without a mutant", 1)
        here = str(Path("src").resolve())
        for path in {mutant[1] for mutant in _mutants(self.db)}:  # some are loaded when they are first needed
            importlib.import_module(".".join(path.relative_to(here).with_suffix("").parts))
        gc.unfreeze()  # what tests/conftest.py keeps out of sight
        kept = [each for each in gc.get_objects() if isinstance(each, FunctionType | _lru_cache_wrapper)]
        self.functions = [each for each in kept if isinstance(each, FunctionType)]
        self.functions = [each for each in self.functions if each.__code__.co_filename.startswith(here)]
        self.caching = [each for each in kept if isinstance(each, _lru_cache_wrapper)]
        gc.freeze()
        for mutant in _mutants(self.db):
            try:
                changes = _changes(mutant)
            except SyntaxError:  # some operators take a lone star for a product
                _keep(self.db, mutant, "no Python")
                continue
            if changes and (killer := _in_fork(partial(self._swapped, session, changes))):
                self.killers[killer] += 1
                _keep(self.db, mutant, killer)
        return True

    def _swapped(self, session: pytest.Session, changes: Changes, told: int) -> NoReturn:
        for old, new in changes:
            for function in self.functions:
                if function.__code__ == old and function.__code__.co_filename == old.co_filename:
                    function.__code__ = new
        for cached in self.caching:
            cached.cache_clear()
        self._run(session, told)

    def _run(self, session: pytest.Session, told: int) -> NoReturn:
        items = sorted(session.items, key=lambda item: -self.killers[item.nodeid])
        for item, following in zip(items, [*items[1:], None], strict=True):
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                _tell(told, item.nodeid)
        os._exit(0)


def _anew(mutant: Mutant, tests: list[str], told: int) -> NoReturn:
    """Import everything with the mutant's source in place of the file's; its own tests come first."""
    _, path, source = mutant
    real = importlib.machinery.SourceFileLoader.get_code

    def get_code(loader: importlib.machinery.SourceFileLoader, name: str) -> CodeType | None:
        if Path(loader.path).resolve() == path:
            return compile(source, loader.path, "exec", dont_inherit=True)
        return real(loader, name)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[assignment, method-assign]  # in a fork of our own
    near = [each for each in tests if path.stem in each]
    for some in (near, [each for each in tests if each not in near]):
        if some and pytest.main([*_QUIET, *some]) != pytest.ExitCode.OK:
            _tell(told, f"with fresh imports, in {some[0]} and {len(some) - 1} more")
    os._exit(0)


def _leave_out(db: WorkDB, sample: int) -> None:
    """Leave all but so many mutants out."""
    pending = sorted((str(item.mutations), item.job_id) for item in db.pending_work_items)
    random.Random(sample).shuffle(pending)  # noqa: S311 - no secret
    for _, job in pending[sample:]:
        db.set_result(job, WorkResult(WorkerOutcome.SKIPPED, "not in the sample"))


def _mutants(db: WorkDB) -> Iterator[Mutant]:
    for item in list(db.pending_work_items):
        (spec,) = item.mutations
        path = Path(spec.module_path).resolve()
        operator = get_operator(spec.operator_name)(**spec.operator_args)
        yield item.job_id, path, mutate_code(_source(path), operator, spec.occurrence)


@cache
def _source(path: Path) -> str:
    return path.read_text("utf-8")


def _changes(mutant: Mutant) -> Changes:
    """Pair the outermost functions that differ; none where more than functions differs.

    Raises:
        SyntaxError: the mutant is no Python.
    """
    _, path, mutated = mutant
    before, after = (compile(text, str(path), "exec", dont_inherit=True) for text in (_source(path), mutated))
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


def _in_fork(body: Callable[[int], NoReturn]) -> str:
    """Give what the fork writes into its pipe: the test that failed; empty if none did."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        signal.setitimer(signal.ITIMER_PROF, _SECONDS)
        body(writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        killer = told.read().decode()
    _, status = os.waitpid(child, 0)
    return killer or ("no end, or a crash" if status else "")


def _tell(told: int, killer: str) -> NoReturn:
    os.write(told, killer.encode())
    os._exit(1)


def _keep(db: WorkDB, mutant: Mutant, killer: str) -> None:
    job, path, source = mutant
    before = _source(path).splitlines()
    diff = "\n".join(unified_diff(before, source.splitlines(), str(path), str(path), n=1, lineterm=""))
    outcome = TestOutcome.KILLED if killer else TestOutcome.SURVIVED
    db.set_result(job, WorkResult(WorkerOutcome.NORMAL, killer, outcome, diff))


if __name__ == "__main__":
    main()
