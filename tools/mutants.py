"""Runs the mutants of modules in forks of one process that has collected a room's tests.

``python -m tools.mutants RESULTS TESTS MODULE...``, such as
``python -m tools.mutants pricing.jsonl tests/pricing src/outlay/pricing/*.py``.

The tests are run once under coverage. A mutant inside of functions is put into a fork by its code objects,
one outside by what the changed module makes; it meets the tests that pass its statement, those first that
noticed many in little time, and the first that fails ends it. What lives meets them once more in a fork that
imports everything anew: nothing is called alive that an import would have shown. What stands in RESULTS is
not run again.
"""

import gc
import importlib
import importlib.machinery
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import _lru_cache_wrapper, partial
from pathlib import Path
from types import CodeType, FunctionType
from typing import NoReturn

import coverage
import pytest
from hypothesis import Phase, settings

from tools.mutations import Changes, Mutant
from tools.mutations_known import AT_FIRST, AT_LAST, Known

_NOT_REWRITTEN = "ignore::pytest.PytestAssertRewriteWarning"
_QUIET = ("-q", "-x", "-s", "--tb=native", "-p", "no:cacheprovider", "-W", _NOT_REWRITTEN)
_LIVED = "lived in place"
_ANEW = "OUTLAY_MUTANTS_ANEW"  # in the environment of the process that we begin for what lived


def main() -> None:
    """Run what has no result yet: first in place, then what lives with fresh imports."""
    results, tests, *modules = sys.argv[1:]
    run = Known(Path(results), tests, [Path(each).resolve() for each in modules])
    if _ANEW in os.environ:
        _run_anew(run)
        return
    pytest.main([*_QUIET, tests], plugins=[_InPlace(run)])
    again = [sys.executable, "-m", "tools.mutants", *sys.argv[1:]]
    subprocess.run(again, check=True, env=os.environ | {_ANEW: "yes"})  # noqa: S603 - ourselves
    run.tell()


class _Same:
    """A plugin of pytest that has generated input be the same in each run, and what fails stay as it is."""

    def pytest_configure(self) -> None:
        whole = settings.get_profile("outlay")
        few = (Phase.explicit, Phase.generate)
        settings.register_profile("mutants", whole, derandomize=True, phases=few)
        settings.load_profile("mutants")


class _InPlace(_Same):
    """A plugin of pytest that runs the collected tests that pass a mutant, for each mutant."""

    def __init__(self, run: Known) -> None:
        self.run = run
        self.killers: Counter[str] = Counter()
        self.case: dict[str, int] = {}
        self.functions: list[FunctionType] = []
        self.caching: list[_lru_cache_wrapper[object]] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if not self.run.measured.exists() and (failed := _in_fork(partial(self._measured, session))):
            pytest.exit(f"{failed} fails without a mutant", 1)
        self.run.read_measured()
        cases: Counter[str] = Counter()
        for test in sorted(self.run.seconds, key=self.run.seconds.__getitem__):
            cases[function := test.partition("[")[0]] += 1
            self.case[test] = cases[function]
        # what lasts a session is made once, and not in each fork
        session.config.hook.pytest_runtest_protocol(item=session.items[0], nextitem=session.items[-1])
        self._see_functions()
        for mutant in self.run.left(None):
            changes = mutant.changes()
            near = f"/test_{mutant.path.stem}.py::"
            tests = sorted(self.run.tests(mutant, changes), key=partial(self._worth, near))
            tests = self.run.within(tests, mutant, AT_FIRST)
            put = partial(self._swap, changes) if changes else partial(_rebind, mutant)
            killer = _in_fork(partial(self._tested, session, put, tests))
            self.killers[killer] += 1
            self.run.keep(mutant, killer or _LIVED)
        return True

    def _worth(self, near: str, test: str) -> tuple[float, int, bool, float]:
        """Place a test: what noticed many in little time first, then one case of each, near ones first."""
        seconds = self.run.seconds[test]
        return -self.killers[test] / (0.02 + seconds), self.case[test], near not in test, seconds

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
        data = measure.get_data()
        lines = {path: data.contexts_by_lineno(path) for path in data.measured_files()}
        ours = {"outlay", "tests", "tools", "__main__"}
        known = [name for name in sys.modules if name.split(".")[0] not in ours]
        kept = {"lines": lines, "seconds": seconds, "imported": known}
        self.run.measured.write_text(json.dumps(kept), "utf-8")
        os._exit(0)

    def _see_functions(self) -> None:
        here = str(Path("src").resolve())
        for path in self.run.modules:  # some are loaded when they are first needed
            importlib.import_module(".".join(path.relative_to(here).with_suffix("").parts))
        gc.unfreeze()  # what tests/conftest.py keeps out of sight
        for each in gc.get_objects():
            if isinstance(each, FunctionType) and each.__code__.co_filename.startswith(here):
                self.functions.append(each)
            elif isinstance(each, _lru_cache_wrapper) and each.__module__.startswith("outlay"):
                self.caching.append(each)
        gc.freeze()

    def _swap(self, changes: Changes) -> None:
        for old, new in changes:
            for function in self.functions:
                if function.__code__ == old and function.__code__.co_filename == old.co_filename:
                    function.__code__ = new

    def _tested(
        self, session: pytest.Session, put: Callable[[], None], tests: list[str], told: int
    ) -> NoReturn:
        try:
            put()
        except Exception as error:  # noqa: BLE001 - the module cannot be imported, whatever it raises
            _tell(told, f"when imported: {error!r}")
        for cached in self.caching:
            cached.cache_clear()
        by_name = {item.nodeid: item for item in session.items}
        for place, name in enumerate(tests, 1):
            _limit(self.run.seconds[name])
            after = by_name[tests[place]] if place < len(tests) else None
            session.config.hook.pytest_runtest_protocol(item=by_name[name], nextitem=after)
            if session.testsfailed:
                _tell(told, name)
        os._exit(0)


def _rebind(mutant: Mutant) -> None:
    """Put what a changed module makes in place of what was imported: constants, and defaults of functions."""
    path = str(mutant.path)
    module = next(each for each in sys.modules.values() if getattr(each, "__file__", None) == path)
    told = ("__name__", "__file__", "__package__", "__path__")
    made: dict[str, object] = {name: module.__dict__[name] for name in told if name in module.__dict__}
    exec(mutant.code(), made)  # noqa: S102 - a file of ours
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


def _run_anew(run: Known) -> None:
    """Run what lived in forks of a process that has imported nothing of ours."""
    run.read_measured()
    for name in run.imported:
        with suppress(Exception):
            importlib.import_module(name)
    assert "outlay" not in sys.modules  # noqa: S101 - it would be the unchanged one
    for mutant in run.left(_LIVED):
        near = f"/test_{mutant.path.stem}.py::"
        tests = sorted(
            run.tests(mutant, mutant.changes()), key=lambda test: (near not in test, run.seconds[test])
        )
        chosen = _Chosen(run.within(tests, mutant, AT_LAST), run.seconds)
        run.keep(mutant, _in_fork(partial(_anew, mutant, chosen)))


class _Chosen(_Same):
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


def _anew(mutant: Mutant, chosen: _Chosen, told: int) -> NoReturn:
    """Import everything with the mutant's code in place of the file's."""
    real = importlib.machinery.SourceFileLoader.get_code

    def get_code(loader: importlib.machinery.SourceFileLoader, name: str) -> CodeType | None:
        return mutant.code() if Path(loader.path).resolve() == mutant.path else real(loader, name)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[assignment, method-assign]  # in a fork of our own
    files = dict.fromkeys(test.partition("::")[0] for test in chosen.order)
    ended = pytest.main([*_QUIET, *files], plugins=[chosen]) if files else pytest.ExitCode.OK
    if ended not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        _tell(told, f"with fresh imports, {chosen.failed or 'when collected'}")
    os._exit(0)


def _in_fork(body: Callable[[int], NoReturn]) -> str:
    """Give what the fork writes into its pipe: the test that failed; empty if none did."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        try:
            body(writing)
        finally:  # whatever it raises, nothing of the parent's goes on in it
            os._exit(2)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        killer = told.read().decode()
    _, status = os.waitpid(child, 0)
    return killer or ("no end, or a crash" if status else "")


def _limit(seconds: float) -> None:
    """End this process if the test that begins takes far longer than it did: it has a loop without an end."""
    signal.setitimer(signal.ITIMER_PROF, 2 + 3 * seconds)


def _tell(told: int, killer: str) -> NoReturn:
    os.write(told, killer.encode())
    os._exit(1)


if __name__ == "__main__":
    main()
