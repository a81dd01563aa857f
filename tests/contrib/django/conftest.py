"""Django's databases for the tests beside."""

from tests.support.django_fixtures import postgresql_alias, sqlite, sqlite_alias, using

__all__ = ["postgresql_alias", "sqlite", "sqlite_alias", "using"]
