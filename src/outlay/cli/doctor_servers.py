"""What doctor says of servers: which took no calls, what waits for them, and what their words ask for."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from shlex import quote
from typing import Any, Final, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from outlay.cli import unreached
from outlay.cli.typed import address_of
from outlay.render.cells import many

_READING: Final = (
    "have the schema's owner run GRANT USAGE ON SCHEMA {schema} TO {user};"
    " GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {user}, or name another user"
)
# A grant lasts until a month begins: its partition is made by whoever owns the tables.
_WRITING: Final = (
    "name in ledger the role that owns the tables; until the next month begins it helps to have that role"
    " run GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {user}"
)
# By words of libpq, PostgreSQL and ClickHouse; in another language the general advice stays.
_REFUSALS: Final = (
    (r"invalid (sslmode|uri|connection option)", "mend the URL in ledger"),
    (
        r"no encryption",
        "ask for encryption in ledger (sslmode=require), or let pg_hba.conf take this user without",
    ),
    (
        r"client certificate|private key file",
        "name your certificate and key in ledger (sslcert, sslkey; client_cert, client_cert_key)",
    ),
    (
        r"certificate",
        "name in ledger the certificate's host and the file of who signed it (sslrootcert; ca_cert)",
    ),
    (r"password|authentication|pg_hba", "mend user and password in ledger"),
    (
        r"permission denied for database",
        "have an administrator run CREATE SCHEMA {schema} AUTHORIZATION {user}, or name another in ledger",
    ),
    (
        r"may not make the tables",
        "have the schema's owner run outlay ledger migrate, or ALTER SCHEMA {schema} OWNER TO {user}",
    ),
    (r"may not bring the tables", "have the owner of the tables run outlay ledger migrate"),
    (r"may not write there", _WRITING),
    (
        r"permission denied for schema",
        "have an administrator run ALTER SCHEMA {schema} OWNER TO {user}, or name its owner in ledger",
    ),
    (r"may not read there", _READING),
    (
        r"permission denied|not enough privileges",
        "name a user in ledger that may write there, or grant it that",
    ),
    (r"database .* does not exist", "make that database, or mend its name in ledger"),
    (r"role .* does not exist", "make that role, or mend the user in ledger"),
    (r"resolve host|name or service not known|nodename nor servname", "mend the host's name in ledger"),
)
_SCHEMA: Final = "outlay"  # where a URL names none
_SOMEBODY: Final = "USER"  # where neither an address nor the server tells whom it refuses
_PLAIN: Final = re.compile(r"[a-z_][a-z0-9_]*")  # a name that PostgreSQL takes without quotes
Found = Mapping[str, Any]
Level = Literal["fault", "advice"]


def current(server: Found, error: str) -> tuple[str, str]:
    """Say of the server that programs feed why it cannot be asked, and what to do."""
    what = f"{server['target']} cannot be asked ({_bare(error)}); {_behind(server)}"
    do = _mend(error, server["target"], "start the server or mend ledger (outlay.toml, OUTLAY_LEDGER)")
    return what, f"{do}, then outlay ship brings it up to date"


def typed(ledger: str, error: str) -> tuple[str, str]:
    """Say the same of one that the command line names, and no program feeds."""
    what = f"{ledger} cannot be asked ({_bare(error)})"
    if "may not read there" in error:  # whoever only asks need not own the schema
        return what, _filled(_READING, error, ledger)
    return what, _mend(error, ledger, "start the server, or name another ledger")


def told(found: Found, now: datetime) -> Iterator[tuple[str, Level, str, str]]:
    """Give the name of each finding of the servers that this home ships to, its level, what it is and to do.

    Lines that the ledger itself did not take cannot be asked for: a fault.
    """
    for each in found.get("shipping", ()):
        if (each["current"] and "error" in found) or unreached.is_one(each, now):
            continue  # what waits for it is said with the error; of an address that nobody names, as a note
        if each["last_error"]:
            slip = unreached.later(each, now)
            what = f"{each['target']} took no calls at {_second(each['last_error_at'])}"
            refused = _mend(each["last_error"], each["target"], "")
            do = f"{refused}, then {_ship(each)}" if refused else _ship(each)
            waits = _behind(each, left=not slip)
            level: Level = "fault" if each["current"] and each["pending_bytes"] else "advice"
            yield "not shipped", level, f"{what} ({_bare(each['last_error'])}); {waits}", f"{do}{slip}"
        elif each["pending_bytes"]:
            yield "behind", "advice", f"{each['target']} is behind; {_behind(each, left=True)}", _ship(each)
        if each["dead"]:
            what = f"{many(each['dead'], 'line was', 'lines were')} set aside in {each['dead_letters']}"
            yield (
                "set aside",
                "advice",
                what,
                "outlay ship --dead list says why, and --dead retry tries again",
            )


def _ship(target: Found) -> str:
    if target["current"]:
        return "outlay ship"
    return f"{_home(target)}outlay ship --ledger {quote(address_of(target['target']))}"


def _home(target: Found) -> str:
    """Name the home where a command that names the server would take another: a ledger's folder was it."""
    home = target.get("only_home")
    return "" if home is None else f"OUTLAY_HOME={quote(home)} "


def _mend(error: str, target: str, otherwise: str) -> str:
    """Give the one thing to do about what a server said, as far as its words tell it."""
    do = next((do for words, do in _REFUSALS if re.search(words, error, re.IGNORECASE)), otherwise)
    return _filled(do, error, target) if "{schema}" in do else do


def _filled(do: str, error: str, target: str) -> str:
    """Put the schema and the user of what was refused in an advice's statements."""
    schema = parse_qs(urlsplit(target).query).get("schema", [_SCHEMA])[0]
    whom = re.search(r"://([^@/\s]+)@", error)
    user = unquote(whom[1]).partition(":")[0] if whom else _SOMEBODY
    return do.format(schema=_identifier(schema), user=_identifier(user))


def _identifier(name: str) -> str:
    if name == _SOMEBODY or _PLAIN.fullmatch(name):
        return name
    return '"{}"'.format(name.replace('"', '""'))


def _bare(error: str) -> str:
    """Leave out of an error what the line says itself: the address that it begins with, and what to do."""
    return re.sub(r"^[a-z]+://\S+?:? (?=\S)", "", error).partition("; this role may not ")[0]


def _second(instant: str) -> str:
    """Show an instant to the second."""
    return re.sub(r"\.\d+Z$", "Z", instant)


def _behind(target: Found, *, left: bool = False) -> str:
    """Say what waits for a server; with ``left`` also how one is given up that nothing ships to any more."""
    if not target["pending_bytes"]:
        return "nothing waits for it"
    entries = target["pending_entries"]
    count = "more lines than can be counted" if entries is None else many(entries, "line")
    since = f" since {_second(target['pending_since'])}" if target["pending_since"] else ""
    given_up = f"{_home(target)}outlay ship --ledger {quote(target['target'])} --forget"
    give_up = left and not target["current"]
    kept = f"; {given_up} gives it up if nothing ships there any more" if give_up else ""
    wait = "waits" if entries == 1 else "wait"
    return f"{count} ({target['pending_bytes']:,} bytes) {wait} in the journals{since}{kept}"
