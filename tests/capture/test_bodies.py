"""Raw bodies: what bears on usage is kept as it passes, however much else comes."""

import json

from outlay.capture.bodies import MAX_LINES, Body


def event(**said: object) -> bytes:
    """Give one event as Anthropic sends it."""
    return f"event: {said['type']}\ndata: {json.dumps(said)}\n\n".encode()


def test_the_first_line_is_kept_whatever_a_long_reply_speaks_of() -> None:
    """It alone says what was read and by which model; deltas that speak of messages look like usage."""
    body = Body("anthropic", "messages", is_stream=True)
    usage = {"input_tokens": 1000, "output_tokens": 1}
    body.add(event(type="message_start", message={"id": "m1", "model": "claude-sonnet-4-5", "usage": usage}))
    for _ in range(MAX_LINES + 1):
        body.add(
            event(type="content_block_delta", index=0, delta={"type": "text_delta", "text": "a message"})
        )
    body.add(event(type="message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 50}))
    body.add(event(type="message_stop"))
    found = body.usage()
    assert found.units == {"input": 1000, "output": 50}
    assert (found.model, found.flags) == ("claude-sonnet-4-5", ())
