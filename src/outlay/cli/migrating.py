"""A ledger that is brought to the newest schema shows how far it is: a bar on a terminal, else two lines."""

import sys
import time
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:  # loaded when there is a migration
    from rich.progress import Progress as Bar

    from outlay.ledger.migrations import Progress


def show_migrations() -> None:
    """Show, on standard error, each migration that happens before the command ends."""
    from outlay.ledger.migrations import watched

    root = click.get_current_context().find_root()
    if __name__ in root.meta:
        return
    root.meta[__name__] = shown = _Shown()
    root.with_resource(watched(shown.told))
    root.call_on_close(shown.close)


class _Shown:
    """What is shown of one migration after the other."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._bar: Bar | None = None

    def told(self, progress: "Progress") -> None:
        """Show the beginning, the end, and on a terminal what is between."""
        if self._began is None:
            self._began = time.monotonic()
            self._begin(progress)
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=progress.part)
        if progress.part >= 1:
            seconds = time.monotonic() - self._began
            self.close()
            click.echo(
                f"outlay: {progress.ledger} has schema {progress.newest} after {seconds:.1f} s", err=True
            )

    def _begin(self, progress: "Progress") -> None:
        text = f"bringing {progress.ledger} from schema {progress.before} to {progress.newest}"
        if not sys.stderr.isatty():
            click.echo(f"outlay: {text}; interrupted, it stays as it was", err=True)
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._bar.add_task(text, total=1.0)
        self._bar.start()

    def close(self) -> None:
        """Take the bar away."""
        bar, self._bar = self._bar, None
        self._began = None
        if bar is not None:
            bar.stop()
