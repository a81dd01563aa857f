"""Equal contents are counted exactly, however many others lie between them."""

from outlay.importing.equal import Equal, apart, digest_of, key_of


def test_contents_are_counted_over_many_others() -> None:
    equal, keys = Equal(), [key_of(digest_of(n.to_bytes(4))) for n in range(10_000)]
    assert {equal.rank(key) for key in keys} == {0}  # the table grows several times meanwhile
    assert [equal.rank(keys[0]), equal.rank(keys[0]), equal.rank(keys[-1])] == [1, 2, 1]


def test_rows_that_were_read_elsewhere_count() -> None:
    equal = Equal()
    equal.saw([7, 8, 7])
    assert [equal.rank(7), equal.rank(8), equal.rank(9)] == [2, 1, 0]


def test_a_key_is_never_that_of_a_free_place() -> None:
    assert key_of(bytes(32)) == 1
    assert key_of(b"\x00" * 7 + b"\x05" + b"\xff" * 24) == 5


def test_each_rank_has_a_digest_of_its_own() -> None:
    digests = {apart(7, rank) for rank in range(3)} | {apart(8, 1), digest_of(b"7")}
    assert len(digests) == 5
