"""The ledger that a command line names, put into the commands that it is advised to type next."""

import re
from shlex import quote

from outlay.core.addresses import is_server, shown

# Each looks at the ledger or its home; a command with a ledger of its own stays as it is.
_COMMAND = re.compile(
    r"\boutlay (?=(?:alerts|doctor|explain|ledger|prices|report|reprice|ship)\b)(?!ship --ledger )"
)


def option_of(ledger: str | None) -> str | None:
    """Give the option as it is to be typed again; nothing of ours shows a password."""
    if ledger is None:
        return None
    return f"--ledger {quote(ledger if not is_server(ledger) else address_of(ledger))}"


def address_of(server: str) -> str:
    """Give a server's address with a place for what is not shown of it."""
    bare = shown(server)
    scheme, mark, rest = bare.partition("://")
    whom = "" if scheme == "chdb" else "USER:PASSWORD@"  # nothing of ours keeps them
    return f"{scheme}{mark}{whom}{rest}"


def with_option(advice: str, option: str | None) -> str:
    """Put the option into each command of an advice, which stands before a subcommand as well as after it."""
    return advice if option is None else _COMMAND.sub(lambda _: f"outlay {option} ", advice)
