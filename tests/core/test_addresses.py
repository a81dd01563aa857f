"""A ledger's name: whose it is, what of it may be shown, and passwords that a URL would cut."""

import pytest

from outlay.core.addresses import check_address, hidden, is_path, is_server, named, shown
from outlay.core.errors import SettingsError


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


def test_a_database_of_postgresql_without_a_name_has_that_of_its_user() -> None:
    for url, plain in (
        ("postgresql://ann@h", "postgresql://h/ann"),
        ("postgres://bob:pass@h:1/?schema=x", "postgres://h:1/bob?schema=x"),
        ("postgresql://ann@h?dbname=d", "postgresql://h?dbname=d"),
        ("postgresql://h", "postgresql://h"),
        ("clickhouse://ann@h", "clickhouse://h"),  # its database has another default
    ):
        assert shown(url) == plain


def test_what_has_no_scheme_of_two_letters_is_a_folder() -> None:
    assert all(map(is_path, ("/data/x", "ledger", "C:\\x", "c:x", "a/b:c")))
    assert not any(map(is_path, ("memory:", "django:", "postgresql://h/d", "chdb:///x")))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:p@ss@h/d",
        "postgresql://me:pa#ss@h/d",
        "postgresql://me:pa/ss@h/d",
        "postgresql://me:pa?ss@h/d",
        "clickhouse://me:p@s/s@h:1/d",
        "clickhouses://me:pa#ss/@h:1/d",
    ],
)
def test_a_password_that_a_url_would_cut_is_refused(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        check_address(url)
    assert "percent-encode its user and password" in str(caught.value)
    assert not any(part in str(caught.value) for part in ("me:", "p@", "pa/", "pa#", "pa?", "ss@"))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:p%40%23%2F%3Fs@h/d",
        "postgresql://h:5432/d?user=me@realm",
        "postgresql://[::1]/d?user=me@realm",
        "postgresql://[::1]:5432/d?user=me@realm",
        "postgresql:///d?host=@abstract",
        "postgresql://me@h1:1,h2:2/d?sslmode=require",
        "clickhouse://me:x@h:8123/d?ch_max_threads=4",
    ],
)
def test_a_url_that_libpq_or_the_driver_reads_rightly_is_let_through(url: str) -> None:
    check_address(url)


@pytest.mark.parametrize(
    "ledger", ["/data/x", "C:\\x", "chdb:///x", "postgres://h/d", "django:", "django:calls"]
)
def test_a_ledger_has_the_name_that_it_was_given(ledger: str) -> None:
    assert named(f" {ledger}\n") == ledger


@pytest.mark.parametrize("ledger", ["/home/me@x//calls", "./a//b@c", "~/me@x", "me@x", "C:me@x", "a:b/c"])
def test_a_folder_may_have_such_signs(ledger: str) -> None:
    assert named(ledger) == ledger


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("no postgresql://me:s3@/cret@h/d here", "no postgresql://…@h/d here"),
        ("postgres//me:s3cret@h", "postgres//…@h"),
        ("https://h/p?a=1&X-Amz-Signature=s3cret&b=2", "https://h/p?a=1&X-Amz-Signature=…&b=2"),
        ("https://h:80/p, me@x", "https://h:80/p, me@x"),
    ],
)
def test_what_an_address_hides_is_taken_out_of_a_text(text: str, clean: str) -> None:
    assert hidden(text) == clean


@pytest.mark.parametrize("ledger", ["memory:", "memory://", "Memory:///"])
def test_memory_has_one_name(ledger: str) -> None:
    assert named(ledger) == "memory:"


@pytest.mark.parametrize(
    ("ledger", "said"),
    [
        ("mysql://here/there", "'mysql://here/there' names no ledger; write "),
        (
            "postgresql+psycopg://me:s3cret@h:1/d",
            "'postgresql+psycopg://' names no ledger; did you mean postgresql://?",
        ),
        ("postgressql://me:s3/cret@h/d", "'postgressql://' names no ledger; did you mean postgresql://?"),
        ("me:s3cret@h/d", "'me:' names no ledger; write "),
        ("postgresql:me:s3cret@h/d", "'postgresql:' names no ledger; did you mean postgresql://?"),
        (
            "postgres//me:s3cret@h/d",
            "this, in which a password may stand, names no ledger; did you mean postgres:",
        ),
        ('"postgresql://me:s3/cret@h/d"', "this, in which a password may stand, names no ledger; "),
        ("//me:s3cret@h/d", "this, in which a password may stand, names no ledger; write"),
        ("my_user:s3cret@h/d", "this, in which a password may stand, names no ledger; write"),
        ("host=h user=me password=s3cret", "this, in which a password may stand, names no ledger; write"),
        ("memory:x", "'memory:x' names no ledger; write "),
        ("", "'' names no ledger; write "),
    ],
)
def test_what_names_no_ledger_is_refused_without_a_password(ledger: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        named(ledger)
    assert str(caught.value).startswith(said)
    assert "postgresql://HOST/NAME" in str(caught.value)
    assert "cret" not in str(caught.value)
