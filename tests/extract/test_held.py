"""A response held: what bears on its usage stays as it was."""

from outlay.extract import held


def test_a_usage_that_is_no_object_is_held_as_it_was() -> None:
    odd = [1, "x"]
    kept = held({"usage": odd}, "chat")
    odd.append(2)
    assert kept == {"usage": [1, "x"]}


def test_a_body_that_is_still_text_is_held_unless_it_is_long() -> None:
    assert held("{}", "chat") == "{}"
    assert held(b"{}", "chat") == b"{}"
    assert held("x" * 65_537, "chat") is None
    assert held("x" * 65_536, "chat") is not None
