"""Write docs/commands/: a page for each command, from its help; a test checks that they are up to date.

python -m tools.command_pages
"""

from collections.abc import Iterator
from pathlib import Path

import click

from outlay.cli.app import INTERRUPTED, root
from outlay.cli.manual import CODES, COMMON_CODES

FOLDER = Path(__file__).parents[1] / "docs" / "commands"
WIDTH = 100


def pages() -> dict[str, str]:
    """Give the text of every page by its file name."""
    found = list(_commands(root, ("outlay",)))
    made = {f"{'-'.join(path)}.md": _page(path, command) for path, command in found}
    return {**made, "index.md": _index([(" ".join(path), command) for path, command in found])}


def _index(found: list[tuple[str, click.Command]]) -> str:
    """Name every command with the first line of its help."""
    rows = [
        f"| [{name}]({name.replace(' ', '-')}.md) | {command.get_short_help_str(WIDTH)} |"
        for name, command in found
    ]
    head = (
        "# Commands\n\n`outlay COMMAND --help` says the same. Every command that prints data takes `--json`."
        " Data goes to standard output, all else to standard error.\n\n| command | |\n|---|---|\n"
    )
    return head + "\n".join(rows) + "\n" + _exit_codes()


def _exit_codes() -> str:
    """List them, in the one place where all stand."""
    rows = [
        f"| {name} | {says} |" for name, says in (("every command", COMMON_CODES), *sorted(CODES.items()))
    ]
    return (
        "\n## Exit codes\n\nWhat is not done is said in one line on standard error, with the way out."
        f" Ctrl-C ends any command with {INTERRUPTED}.\n\n| command | exit codes |\n|---|---|\n"
        + "\n".join(rows)
        + "\n"
    )


def _commands(
    command: click.Command, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                yield from _commands(inner, (*path, name))


def _page(path: tuple[str, ...], command: click.Command) -> str:
    context = None
    for name in path[:-1]:
        context = click.Context(click.Command(name), info_name=name, parent=context)
    own = click.Context(
        command,
        info_name=path[-1],
        parent=context,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        **command.context_settings,
    )
    return f"# {' '.join(path)}\n\n```text\n{command.get_help(own)}\n```\n"


def main() -> None:
    """Write the pages, and take those of commands that are gone away."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    made = pages()
    for stale in FOLDER.glob("*.md"):
        if stale.name not in made:
            stale.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
