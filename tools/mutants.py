"""Runs the mutants of a session of cosmic-ray in forks of one process that has collected the tests.

It is ``cosmic-ray exec`` at a fraction of a second for a mutant: ``python -m tools.mutants CONFIG SESSION``,
and with a number behind it so many of them, by chance and always the same.

The tests are run once under coverage; a mutant inside of functions is put into the fork by its code objects
and meets the tests that pass its statement, quick ones first. Any other, and any that lives, is run once more
in a fork that imports everything anew: nothing is called alive that an import would have shown. Tests of
more than a second, most of them by generated input, are run for the module only that they are named after.
"""

import gc
import importlib
import importlib.machinery
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from difflib import unified_diff
from functools import _lru_cache_wrapper, partial
from pathlib import Path
from types import CodeType, FunctionType
from typing import NoReturn

import coverage
import pytest
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult

from tools.mutant_lines import Changes, Mutant, Passed, changes_of, read_passed, source_of

_QUIET = ("-q", "-x", "-s", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
_ANEW = "anew"


def main() -> None:
    """Run what a session has left: first in place, then what remains or lives with fresh imports."""
    config, session, *rest = sys.argv[1:]
    command: str = tomllib.loads(Path(config).read_text("utf-8"))["cosmic-ray"]["test-command"]
    tests = [part for part in shlex.split(command) if part.startswith("tests/")]
    passed = Path(f"{session}.passed.json")
    with use_db(session, WorkDB.Mode.open) as db:
        if rest == [_ANEW]:
            _run_anew(db, tests, read_passed(passed))
            return
        if rest:
            _leave_out(db, int(rest[0]))
        pytest.main([*_QUIET, *tests], plugins=[_InPlace(db, passed)])
    subprocess.run([sys.executable, "-m", "tools.mutants", config, session, _ANEW], check=True)  # noqa: S603 - ourselves


class _InPlace:
    """A plugin of pytest that runs the collected tests that pass a mutant, for each mutant."""

    def __init__(self, db: WorkDB, kept: Path) -> None:
        self.db = db
        self.kept = kept
        self.killers: Counter[str] = Counter()
        self.functions: list[FunctionType] = []
        self.caching: list[_lru_cache_wrapper[object]] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if not self.kept.exists() and (failed := _in_fork(partial(self._measured, session))):
            pytest.exit(f"{failed} fails without a mutant", 1)
        passed = read_passed(self.kept)
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
                changes = changes_of(mutant)
            except SyntaxError:  # some operators take a lone star for a product
                _keep(self.db, mutant, "no Python")
                continue
            tests = sorted(passed.tests(mutant, changes), key=partial(self._worth, passed))
            put = partial(self._swap, changes) if changes else partial(_rebind, mutant)
            if killer := _in_fork(partial(self._tested, session, put, tests, passed)):
                self.killers[killer] += 1
                _keep(self.db, mutant, killer)
        return True

    def _worth(self, passed: Passed, test: str) -> float:
        """Place a test: what noticed many in little time first."""
        return -self.killers[test] / (0.02 + passed.seconds[test])

    def _measured(self, session: pytest.Session, told: int) -> NoReturn:
        measure = coverage.Coverage(data_file=None, config_file=False, source=["src"], branch=False)
        measure.start()
        seconds = {}
        for item, following in zip(session.items, [*session.items[1:], None], strict=True):
            measure.switch_context(item.nodeid)
            before = time.process_time()
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            seconds[item.nodeid] = time.process_time() - before
            if session.testsfailed:
                _tell(told, item.nodeid)
        measure.stop()
        lines = {
            path: measure.get_data().contexts_by_lineno(path) for path in measure.get_data().measured_files()
        }
        known = [
            name for name in sys.modules if name.split(".")[0] not in {"outlay", "tests", "tools", "__main__"}
        ]
        self.kept.write_text(json.dumps({"lines": lines, "seconds": seconds, "imported": known}), "utf-8")
        os._exit(0)

    def _swap(self, changes: Changes) -> None:
        for old, new in changes:
            for function in self.functions:
                if function.__code__ == old and function.__code__.co_filename == old.co_filename:
                    function.__code__ = new

    def _tested(
        self,
        session: pytest.Session,
        put: Callable[[], None],
        tests: list[str],
        passed: Passed,
        told: int,
    ) -> NoReturn:
        try:
            put()
        except Exception as error:  # noqa: BLE001 - the module cannot be imported, whatever it raises
            _tell(told, f"when imported: {error!r}")
        for cached in self.caching:
            cached.cache_clear()
        by_name = {item.nodeid: item for item in session.items}
        for name, following in zip(tests, [*tests[1:], None], strict=True):
            _limit(passed.seconds[name])
            after = None if following is None else by_name[following]
            session.config.hook.pytest_runtest_protocol(item=by_name[name], nextitem=after)
            if session.testsfailed:
                _tell(told, name)
        os._exit(0)


def _rebind(mutant: Mutant) -> None:
    """Put what a changed module makes in place of what was imported: constants, and defaults of functions."""
    _, path, source = mutant
    module = next(each for each in sys.modules.values() if getattr(each, "__file__", None) == str(path))
    made: dict[str, object] = {
        name: module.__dict__[name]
        for name in ("__name__", "__file__", "__package__", "__path__")
        if name in module.__dict__
    }
    exec(compile(source, str(path), "exec", dont_inherit=True), made)  # noqa: S102 - a file of ours
    for name, value in made.items():
        _replace(module.__name__, name, module.__dict__.get(name), value)


def _replace(module: str, name: str, old: object, new: object) -> None:
    if isinstance(old, FunctionType) and isinstance(new, FunctionType):
        if new.__module__ == module:
            old.__code__, old.__defaults__, old.__kwdefaults__ = (
                new.__code__,
                new.__defaults__,
                new.__kwdefaults__,
            )
    elif isinstance(old, type) and isinstance(new, type):
        if new.__module__ == module and old is not new:
            for each, value in vars(new).items():
                _replace(module, each, vars(old).get(each), value)
    elif not name.startswith("__") and old is not new:
        holders = [vars(each) for each in list(sys.modules.values()) if vars(each).get(name, each) is old]
        for holder in holders:
            holder[name] = new


def _run_anew(db: WorkDB, files: list[str], passed: Passed) -> None:
    """Run what is left in forks of a process that has imported nothing of ours."""
    for name in passed.imported:
        with suppress(Exception):
            importlib.import_module(name)
    assert "outlay" not in sys.modules  # noqa: S101 - it would be the unchanged one
    for mutant in _mutants(db):
        tests = passed.tests(mutant, changes_of(mutant))
        _keep(db, mutant, _in_fork(partial(_anew, mutant, files, _Chosen(tests, passed.seconds))))


class _Chosen:
    """A plugin of pytest that runs some tests, in their order."""

    def __init__(self, tests: list[str], seconds: dict[str, float]) -> None:
        self.order = {test: place for place, test in enumerate(tests)}
        self.seconds = seconds
        self.failed = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self.order), key=lambda item: self.order[item.nodeid]
        )

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        _limit(self.seconds[item.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed = report.nodeid


def _anew(mutant: Mutant, files: list[str], chosen: _Chosen, told: int) -> NoReturn:
    """Import everything with the mutant's source in place of the file's."""
    _, path, source = mutant
    real = importlib.machinery.SourceFileLoader.get_code

    def get_code(loader: importlib.machinery.SourceFileLoader, name: str) -> CodeType | None:
        if Path(loader.path).resolve() == path:
            return compile(source, loader.path, "exec", dont_inherit=True)
        return real(loader, name)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[assignment, method-assign]  # in a fork of our own
    ended = pytest.main([*_QUIET, *files], plugins=[chosen])
    if ended not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        _tell(told, f"with fresh imports, {chosen.failed or 'when collected'}")
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
        yield item.job_id, path, mutate_code(source_of(path), operator, spec.occurrence)


def _in_fork(body: Callable[[int], NoReturn]) -> str:
    """Give what the fork writes into its pipe: the test that failed; empty if none did."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        body(writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        killer = told.read().decode()
    _, status = os.waitpid(child, 0)
    return killer or ("no end, or a crash" if status else "")


def _limit(seconds: float) -> None:
    """End this process if the test that begins takes far longer than it did: it has a loop without an end."""
    signal.setitimer(signal.ITIMER_PROF, 2 + 5 * seconds)


def _tell(told: int, killer: str) -> NoReturn:
    os.write(told, killer.encode())
    os._exit(1)


def _keep(db: WorkDB, mutant: Mutant, killer: str) -> None:
    job, path, source = mutant
    before = source_of(path).splitlines()
    diff = "\n".join(unified_diff(before, source.splitlines(), str(path), str(path), n=1, lineterm=""))
    outcome = TestOutcome.KILLED if killer else TestOutcome.SURVIVED
    db.set_result(job, WorkResult(WorkerOutcome.NORMAL, killer, outcome, diff))


if __name__ == "__main__":
    main()
