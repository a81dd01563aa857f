"""``outlay completion``: the script that teaches a shell to complete outlay's commands and options."""

import click
from click.shell_completion import get_completion_class

_SHELLS = ("bash", "zsh", "fish")
_ZSH_ASKS = "    compdef "
_ZSH_LOADS = "    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }"
"""A zsh without settings of its own has not loaded what completes."""
_FISH_CUTS = 'string split "," $completion'
_FISH_KEEPS = 'string split --max 1 "," $completion'
"""Only the comma behind a completion's kind ends a part; a description that held one lost what follows it."""
_BASH_ASKS = 'response=$(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD '
_BASH_JOINS = """\
local words=() word rest=$COMP_LINE
    for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        if [[ ${#words[@]} -gt 0 && $rest != [[:space:]]* ]]; then
            words[-1]+=$word
        else
            words+=("$word")
            rest=${rest#"${rest%%[![:space:]]*}"}
        fi
        rest=${rest#"$word"}
    done
    word=${COMP_WORDS[COMP_CWORD]}
    [[ $word == *[:=] ]] && word=
    local before=${words[-1]%"$word"}

    response=$(env COMP_WORDS="${words[*]}" COMP_CWORD=$((${#words[@]} - 1)) """
_BASH_ADDS = "COMPREPLY+=($value)"
_BASH_ADDS_REST = """\
[[ $value == *[:=] ]] && compopt -o nospace
            COMPREPLY+=(${value#"$before"})"""
"""bash takes user=ann for three words, and of a value wants what stands behind the sign."""


@click.command
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> None:
    """The completion script of a shell; for bash and zsh: eval "$(outlay completion SHELL)"."""
    from outlay.cli.app import root

    made = get_completion_class(shell)
    if made is None:
        raise click.ClickException(f"click has no completion for {shell}")
    script = made(root, {}, "outlay", "_OUTLAY_COMPLETE").source()
    script = script.replace(_ZSH_ASKS, f"{_ZSH_LOADS}\n{_ZSH_ASKS}").replace(_FISH_CUTS, _FISH_KEEPS)
    script = script.replace(_BASH_ASKS, _BASH_JOINS).replace(_BASH_ADDS, _BASH_ADDS_REST)
    click.echo(script)
