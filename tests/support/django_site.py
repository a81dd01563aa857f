"""A Django project for the tests of a process: its settings can be made only once."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connections

_APPS = ("admin", "auth", "contenttypes", "messages", "sessions")
_OURS = "outlay.contrib.django"
_PROCESSORS = (
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
)
MIDDLEWARE = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
)
_PATIENT = {"timeout": 60, "transaction_mode": "IMMEDIATE", "init_command": "PRAGMA synchronous=OFF"}


def configure() -> None:
    """Make the settings, if nobody has."""
    if settings.configured:
        return
    templates = {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": list(_PROCESSORS)},
    }
    settings.configure(
        ROOT_URLCONF="tests.support.django_urls",
        ALLOWED_HOSTS=["*"],
        SECRET_KEY="x",  # noqa: S106 - of a test
        USE_TZ=True,
        INSTALLED_APPS=[*(f"django.contrib.{app}" for app in _APPS), _OURS],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        TEMPLATES=[templates],
        MIDDLEWARE=list(MIDDLEWARE),
    )
    django.setup()


def use_sqlite(file: Path) -> None:
    """Let the default database be this file, with all tables."""
    configure()
    connections.databases["default"].update(NAME=str(file), OPTIONS=_PATIENT)
    _begin("default")


def use_postgresql(alias: str, where: dict[str, Any]) -> None:
    """Let a further database be one of PostgreSQL, with all tables."""
    configure()
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    said = {ours: where.get(theirs, "") for ours, theirs in names.items()}
    database = deepcopy(connections.databases["default"])
    database.update(ENGINE="django.db.backends.postgresql", OPTIONS={}, **said)
    connections.databases[alias] = database
    _begin(alias)


def _begin(alias: str) -> None:
    if alias in connections:
        connections[alias].close()
        del connections[alias]
    call_command("migrate", database=alias, verbosity=0)
