"""What a role may not do, and who may: said behind the server's own words, which tell neither."""

from typing import Final

READ: Final = (
    "; this role may not read there: the owner of the schema lets it, by GRANT USAGE ON SCHEMA"
    " and GRANT SELECT ON ALL TABLES IN SCHEMA"
)
WRITE: Final = "; this role may not write there: the role that owns the tables may"
COMPACT: Final = "; this role may not compact: the role that owns the tables may"
MAKE: Final = (
    "; this role may not make the tables, which are not there yet: first run outlay ledger migrate"
    " --ledger URL, or outlay ship, as the role that owns the schema"
)
RENEW: Final = (
    "; this role may not bring the tables to the form that this outlay knows: run outlay ledger migrate"
    " --ledger URL as the role that owns them"
)


def make_schema(schema: str) -> str:
    """Say who makes a schema that is not there; its name as SQL writes it."""
    return (
        "; this role may not make the schema, which is not there yet: an administrator does, by"
        f" CREATE SCHEMA {schema} AUTHORIZATION the role that is to write, and then a program of that role"
        " comes first"
    )
