"""Where a PostgreSQL ledger is: its URL taken apart, and put together again without the password."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from outlay.core.errors import SettingsError

SCHEMA = "outlay"
_HIDDEN = "***"
_LONGEST = 63  # bytes of a name in PostgreSQL


@dataclass(frozen=True, slots=True)
class Place:
    """A database to connect to, and the schema in it that holds the ledger."""

    conninfo: str  # the URL as libpq takes it
    schema: str
    shown: str  # the URL as people may see it
    secrets: tuple[str, ...] = ()

    @classmethod
    def of(cls, url: str) -> "Place":
        """Read ``postgresql://user:password@host:port/database?schema=outlay``; other keys are libpq's.

        Raises:
            SettingsError: that is no URL, or the schema cannot be one.
        """
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise SettingsError(f"the ledger's URL cannot be read: {error}") from None
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        schema = dict(pairs).get("schema", SCHEMA)
        if not schema or "\x00" in schema or len(schema.encode()) > _LONGEST:
            raise SettingsError(f"schema={schema!r:.80} in the ledger's URL is no name of a schema")
        rest = [(name, value) for name, value in pairs if name != "schema"]
        user, colon, password = parts.netloc.rpartition("@")[0].partition(":")
        secrets = [unquote(password), password, *(value for name, value in rest if "password" in name)]
        host = parts.netloc.rpartition("@")[2]
        known = f"{user}@{host}" if user or colon else host
        shown = [(name, _HIDDEN if "password" in name else value) for name, value in pairs]
        return cls(
            conninfo=_url(parts.netloc, parts.path, rest),
            schema=schema,
            shown=_url(known, parts.path, shown),
            secrets=tuple(dict.fromkeys(each for each in secrets if each)),
        )

    def told(self, message: str) -> str:
        """Give the first line of a message, without the secrets that it may quote."""
        line = message.strip().partition("\n")[0]
        for secret in self.secrets:
            line = line.replace(secret, _HIDDEN)
        return line


def _url(netloc: str, path: str, pairs: list[tuple[str, str]]) -> str:
    query = urlencode(pairs, quote_via=quote, safe="/*")
    return f"postgresql://{netloc}{path}{'?' if query else ''}{query}"
