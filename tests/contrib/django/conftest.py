"""Django's databases for the tests beside."""

from tests.support.django_fixtures import postgresql_alias, postgresql_database, sqlite, sqlite_alias, using

__all__ = ["postgresql_alias", "postgresql_database", "sqlite", "sqlite_alias", "using"]
