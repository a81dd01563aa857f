"""``outlay completion``: the script that teaches a shell to complete outlay's commands and options."""

import click
from click.shell_completion import get_completion_class

_SHELLS = ("bash", "zsh", "fish")


@click.command
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> None:
    """The completion script of a shell; for bash: eval "$(outlay completion bash)"."""
    from outlay.cli.app import root

    made = get_completion_class(shell)
    if made is None:
        raise click.ClickException(f"click has no completion for {shell}")
    click.echo(made(root, {}, "outlay", "_OUTLAY_COMPLETE").source())
