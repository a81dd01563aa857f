"""A ledger's name: whose it is, and what of it may be shown."""

from outlay.core.addresses import is_path, is_server, shown


def test_a_servers_url_is_shown_without_secrets() -> None:
    for url, plain in (
        ("postgresql://me:pass@h:1/d?schema=x&password=p&sslkey=k", "postgresql://h:1/d?schema=x"),
        ("clickhouse://u@h/d", "clickhouse://h/d"),
        ("clickhouses://u@h/d", "clickhouses://h/d"),
        ("chdb:///var/lib/x", "chdb:///var/lib/x"),
        ("postgresql://[h", "postgresql://?"),
    ):
        assert shown(url) == plain
        assert is_server(url)
    assert not any(map(is_server, (None, "memory:", "/data/x", "C:\\x")))


def test_what_has_no_scheme_of_two_letters_is_a_folder() -> None:
    assert all(map(is_path, ("/data/x", "ledger", "C:\\x", "c:x", "a/b:c")))
    assert not any(map(is_path, ("memory:", "django:", "postgresql://h/d", "chdb:///x")))
