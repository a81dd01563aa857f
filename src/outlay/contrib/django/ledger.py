"""``django:`` as a ledger: the one in the PostgreSQL database that a project's settings name.

``django:`` is the database ``default``, ``django:ALIAS`` another one. The ledger stands in a schema of its
own there, beside Django's tables, and is reached by connections of its own.
"""

from typing import Any
from urllib.parse import quote, urlencode

from outlay.core.errors import MissingExtraError, NotSupportedError, SettingsError

SCHEME = "django:"
_ENGINES = ("django.db.backends.postgresql", "django.contrib.gis.db.backends.postgis")
_FURTHER = ("sslmode", "sslrootcert", "sslcert", "sslkey", "service", "passfile")


def ledger_url(name: str) -> str:
    """Give the URL of the ledger that ``django:ALIAS`` names.

    Raises:
        MissingExtraError: Django is not installed.
        SettingsError: the project's settings cannot be read, or have no such database.
        NotSupportedError: that database is none of PostgreSQL.
    """
    alias = name.removeprefix(SCHEME).strip("/") or "default"
    databases = _databases()
    if alias not in databases:
        raise SettingsError(
            f"Django's settings have no database {alias!r:.60}; there are {', '.join(databases)}"
        )
    database = databases[alias]
    if database.get("ENGINE") not in _ENGINES:
        engine = str(database.get("ENGINE")).rpartition(".")[2]
        raise NotSupportedError(
            f"Django's database {alias!r:.60} is {engine}; a ledger can stand in PostgreSQL alone. "
            "Leave the ledger out for the embedded one"
        )
    return _url(database)


def _databases() -> Any:
    try:
        from django.conf import settings  # noqa: PLC0415 - an extra
        from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415 - likewise
    except ImportError:
        raise MissingExtraError.of("django", "Django") from None
    try:
        return settings.DATABASES
    except (ImproperlyConfigured, ImportError) as error:
        raise SettingsError(
            f"{SCHEME} needs the project's settings; set DJANGO_SETTINGS_MODULE ({error})"
        ) from None


def _url(database: Any) -> str:
    said = {key: str(database.get(key) or "") for key in ("USER", "PASSWORD", "HOST", "PORT", "NAME")}
    options = {key: str(value) for key, value in (database.get("OPTIONS") or {}).items() if key in _FURTHER}
    if said["HOST"].startswith("/"):  # the folder of a socket
        options["host"], said["HOST"] = said["HOST"], ""
    if ":" in said["HOST"]:  # IPv6
        said["HOST"] = f"[{said['HOST']}]"
    secret = f":{quote(said['PASSWORD'], safe='')}" if said["PASSWORD"] else ""
    user = f"{quote(said['USER'], safe='')}{secret}@" if said["USER"] else ""
    port = f":{said['PORT']}" if said["PORT"] else ""
    further = f"?{urlencode(options)}" if options else ""
    return f"postgresql://{user}{said['HOST']}{port}/{quote(said['NAME'], safe='')}{further}"
