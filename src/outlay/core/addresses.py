"""A ledger's name: whether it is one, what may be shown of it, whether its password is written rightly."""

import re

from outlay.core.errors import SettingsError

# Two letters at least, so that C:\ledger stays a path.
MEMORY, DJANGO = "memory:", "django:"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_SERVERS = frozenset(("postgresql", "postgres", "clickhouse", "clickhouses", "chdb"))
_NAMED_BY_USER = frozenset(("postgresql", "postgres"))
# A server's URL whose scheme is spoilt, or libpq's settings, rather than a folder: a password may be in it.
_SPOILT = re.compile(r"[^/]*//.*@|[^/]{2,}:.*@|.*\bpassword\s*=", re.IGNORECASE | re.DOTALL)
_BEFORE_HOST = re.compile(r"(://?|//)[^\s/@:]*:\S*@")  # a path has one slash where a URL had two
_IN_QUERY = re.compile(r"([?&][^\s=&]*(?:pass|secret|token|key|sig)[^\s=&]*=)[^\s&'\"]+", re.IGNORECASE)
_SECRET = re.compile(r"user|pass|secret|token|key|cert", re.IGNORECASE)
_WRITE = "percent-encode its user and password: @ is %40, / is %2F, # is %23, ? is %3F"
_NAMES = "a folder's path, postgresql://HOST/NAME, clickhouse://HOST/NAME, chdb:///PATH, django: or memory:"


def named(ledger: str) -> str:
    """Give the one name of a ledger that somebody wrote; ``memory://`` is memory: too.

    Raises:
        SettingsError: it is neither a folder nor a ledger's URL, or a password in it would be cut.
    """
    text = ledger.strip()
    scheme, _, rest = text.partition(":")
    if is_server(text) and (scheme.lower() == "chdb" or rest.startswith("//")):
        if scheme.lower() != "chdb":  # a folder may be called as it likes
            check_address(text)
        return text
    if scheme.lower() == "memory" and ":" in text and not rest.strip("/"):
        return MEMORY
    if not text or is_spoilt(text) or not (is_path(text) or text.startswith(DJANGO)):
        raise SettingsError(_no_ledger(text))
    return text


def _no_ledger(text: str) -> str:
    """Say so, with the scheme alone of what may hold a password."""
    from difflib import get_close_matches  # noqa: PLC0415 - only here

    scheme, sign, _ = text.partition("://" if "://" in text else ":")
    if is_path(text) and text:
        what, scheme = "this, in which a password may stand,", re.split(r"[:/]", text, maxsplit=1)[0]
    else:
        what = repr(f"{scheme}{sign}" if is_spoilt(text) else text)
    near = get_close_matches(scheme.partition("+")[0].lower(), sorted(_SERVERS), n=1)
    instead = f"did you mean {near[0]}://? There are" if near else "write"
    return f"{what:.80} names no ledger; {instead} {_NAMES}"


def is_path(ledger: str) -> bool:
    """Say whether a ledger's name is a folder of the embedded ledger, and no URL."""
    return not _SCHEME.match(ledger)


def is_spoilt(text: str) -> bool:
    """Say whether a text is rather a server's URL with a slip in it, in which a password may stand."""
    return _SPOILT.match(text) is not None


def is_server(ledger: str | None) -> bool:
    """Say whether a ledger is a server's, which is fed from the journals by a shipper."""
    return ledger is not None and ledger.partition(":")[0].lower() in _SERVERS


def shown(url: str) -> str:
    """Give what tells one ledger from another in a URL, without user and password; to be shown.

    PostgreSQL's database has its user's name where the URL names none.
    """
    from urllib.parse import parse_qsl, urlencode, urlsplit  # noqa: PLC0415 - only for servers

    try:
        parts = urlsplit(url)
    except ValueError:  # whoever opens it will say so
        return f"{url.partition(':')[0]}://?"
    named = [pair for pair in parse_qsl(parts.query) if not _SECRET.search(pair[0])]
    query = f"?{urlencode(sorted(named))}" if named else ""
    user, _, host = parts.netloc.rpartition("@")
    path = parts.path
    if parts.scheme in _NAMED_BY_USER and path in {"", "/"} and "dbname" not in dict(named):
        path = f"/{user.partition(':')[0]}".rstrip("/")
    return f"{parts.scheme}://{host}{path}{query}"


def hidden(text: str) -> str:
    """Give a text without the users and passwords of addresses in it, nor keys in their queries."""
    return _IN_QUERY.sub(r"\1…", _BEFORE_HOST.sub(r"\1…@", text))


def check_address(url: str) -> None:
    """See that user and password end where they seem to: a sign of theirs may look like the end of the host.

    Raises:
        SettingsError: a part of the password would be taken for a host or a path; the message has none of it.
    """
    _, _, rest = url.partition("://")
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    path, _, query = rest[len(host) :].partition("?")
    if host.count("@") > 1 or "#" in rest or "@" in path or ("@" in query and _is_cut(host)):
        raise SettingsError(f"the ledger's URL cannot be read; {_WRITE}")


def _is_cut(host: str) -> bool:
    """Whether what stands before a question mark is a user and the begin of a password, no host and port."""
    return ":" in host and "@" not in host and re.search(r":\d*$|\]$", host) is None
