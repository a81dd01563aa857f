"""What is known of the mutants of some modules: what noticed each, and which tests pass which line."""

import json
from collections.abc import Iterator
from pathlib import Path

from tools.mutations import Changes, Mutant, lines_of, mutants_of

AT_FIRST, AT_LAST = 2.0, 20.0  # seconds of tests, as they took under coverage, that a mutant meets at most


class Known:
    """The mutants of some modules, what noticed each, and which tests pass which line."""

    def __init__(self, results: Path, tests: str, modules: list[Path]) -> None:
        self.results, self.room, self.modules = results, tests, modules
        self.measured = results.with_suffix(".passed.json")
        self.lines: dict[str, dict[int, list[str]]] = {}
        self.seconds: dict[str, float] = {}
        self.imported: list[str] = []

    def read_measured(self) -> None:
        """Read which tests pass which line, how long each takes, and what was imported for them."""
        kept = json.loads(self.measured.read_text("utf-8"))
        self.lines = {
            name: {int(line): tests for line, tests in each.items()} for name, each in kept["lines"].items()
        }
        self.seconds, self.imported = kept["seconds"], kept["imported"]

    def noticed(self) -> dict[str, str]:
        """Give what noticed each mutant that was run: a test, or nothing."""
        if not self.results.exists():
            return {}
        return dict(json.loads(line) for line in self.results.read_text("utf-8").splitlines())

    def left(self, state: str | None) -> Iterator[Mutant]:
        """Give the mutants of which so much is known."""
        known = self.noticed()
        for path in self.modules:
            yield from (each for each in mutants_of(path) if known.get(each.name) == state)

    def keep(self, mutant: Mutant, killer: str) -> None:
        """Write down what noticed a mutant."""
        with self.results.open("a", encoding="utf-8") as file:
            print(json.dumps([mutant.name, killer]), file=file)

    def tests(self, mutant: Mutant, changes: Changes) -> set[str]:
        """Name the tests that pass the mutant's statement, else its functions; all where there are none."""
        of_file = self.lines.get(str(mutant.path), {})
        within = {line for old, _ in changes for line in lines_of(old)}
        for lines in (mutant.lines, within) if changes else ():
            if found := {test for line in lines for test in of_file.get(line, ())}:
                return found
        return set(self.seconds)

    def within(self, tests: list[str], mutant: Mutant, most: float) -> list[str]:
        """Give the first tests that together take no longer than this, and those named after the module."""
        near, taken, sooner = f"/test_{mutant.path.stem}.py::", 0.0, []
        for test in tests:
            if (fits := taken + self.seconds[test] <= most) or (near in test and most == AT_LAST):
                sooner.append(test)
                taken += self.seconds[test] if fits else 0
        return sooner

    def tell(self) -> None:
        """Print how many of each module were noticed, and each mutant that lives."""
        known = self.noticed()
        for path in self.modules:
            found = [known.get(each.name) for each in mutants_of(path)]
            print(path.stem, len(found), "mutants,", sum(map(bool, found)), "noticed")
        for name in (each.name for path in self.modules for each in mutants_of(path)):
            if not known.get(name):
                print(name)
