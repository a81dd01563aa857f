"""What Bedrock answers, for the tests of its sync and async clients."""

import base64
import json
from decimal import Decimal
from typing import Any

from tests.support.aws import Reply, event, exception

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
UNITS = {"input": 1000, "cache_read": 400, "output": 100}
# 1000 x 3.30 + 400 x 0.33 + 100 x 16.50 dollars a million: the rates of a profile for the United States
COST = Decimal("0.005082")
USAGE = {
    "inputTokens": 1000,
    "outputTokens": 100,
    "totalTokens": 1500,
    "cacheReadInputTokens": 400,
    "cacheWriteInputTokens": 0,
}
CONVERSED = {
    "output": {"message": {"role": "assistant", "content": [{"text": "hello"}]}},
    "stopReason": "end_turn",
    "usage": USAGE,
    "metrics": {"latencyMs": 500},
}
START = event("messageStart", {"role": "assistant"})
CONVERSE_EVENTS = [
    START,
    event("contentBlockDelta", {"delta": {"text": "hello"}, "contentBlockIndex": 0}),
    event("contentBlockStop", {"contentBlockIndex": 0}),
    event("messageStop", {"stopReason": "end_turn"}),
    event("metadata", {"usage": USAGE, "metrics": {"latencyMs": 500}}),
]
BROKEN_EVENTS = [START, exception("modelStreamErrorException", "the model broke")]
CLAUDE_USAGE = {"input_tokens": 1000, "cache_read_input_tokens": 400, "output_tokens": 100}
CLAUDE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [{"type": "text", "text": "hello"}],
    "stop_reason": "end_turn",
    "usage": CLAUDE_USAGE,
}
COUNTS = {
    "x-amzn-bedrock-input-token-count": "1000",
    "x-amzn-bedrock-cache-read-input-token-count": "400",
    "x-amzn-bedrock-output-token-count": "100",
}
METRICS = {
    "inputTokenCount": 1000,
    "outputTokenCount": 100,
    "cacheReadInputTokenCount": 400,
    "invocationLatency": 500,
}


def chunk(content: dict[str, Any]) -> bytes:
    """Write a chunk of InvokeModelWithResponseStream: the maker's own event in base64."""
    return event("chunk", {"bytes": base64.b64encode(json.dumps(content).encode()).decode(), "p": "abc"})


INVOKE_EVENTS = [
    chunk({"type": "message_start", "message": {**CLAUDE, "usage": {**CLAUDE_USAGE, "output_tokens": 1}}}),
    chunk({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hello"}}),
    chunk({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 100}}),
    chunk({"type": "message_stop", "amazon-bedrock-invocationMetrics": METRICS}),
]
INVOKED = Reply(CLAUDE, headers=COUNTS)
"""Claude's answer, with its counts in the headers too."""
SILENT = Reply({"completion": "hello"}, headers=COUNTS)
"""An answer of a maker whose bodies hold no usage."""
THROTTLED = Reply({"message": "slow down"}, 429, {"x-amzn-errortype": "ThrottlingException"})
