"""Whether a command line is one that the command takes, without running it."""

import click

from outlay.cli.app import root


def understood(words: list[str]) -> click.Context:
    """Parse the words that follow ``outlay`` as the command would; click raises where it would refuse."""
    command: click.Command = root
    context = click.Context(root, info_name="outlay")
    while isinstance(command, click.Group) and words:
        name, inner, words = command.resolve_command(context, words)
        assert inner is not None
        command, context = inner, click.Context(inner, parent=context, info_name=name)
    return command.make_context(command.name, words, parent=context.parent)
