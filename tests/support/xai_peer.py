"""A gRPC server on loopback that answers as xAI does."""

from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from xai_sdk.proto import (
    batch_pb2_grpc,
    chat_pb2,
    chat_pb2_grpc,
    deferred_pb2,
    image_pb2,
    image_pb2_grpc,
    usage_pb2,
)

TICKS = 12_345_000
"""A stated cost of 0.0012345 dollars."""


def usage(**counts: Any) -> usage_pb2.SamplingUsage:
    """Say what was used: 200 of the prompt's 1000 tokens were cached, thoughts come on top."""
    said: dict[str, Any] = {
        "prompt_tokens": 1000,
        "prompt_text_tokens": 1000,
        "cached_prompt_text_tokens": 200,
        "completion_tokens": 90,
        "reasoning_tokens": 10,
        "total_tokens": 1100,
        "cost_in_usd_ticks": TICKS,
        "server_side_tools_used": [usage_pb2.SERVER_SIDE_TOOL_WEB_SEARCH],
    }
    return usage_pb2.SamplingUsage(**{**said, **counts})


def output(index: int = 0, *, done: bool = True) -> dict[str, Any]:
    return {"index": index, "finish_reason": "REASON_STOP" if done else "REASON_INVALID"}


@dataclass
class Peer(chat_pb2_grpc.ChatServicer, image_pb2_grpc.ImageServicer, batch_pb2_grpc.BatchMgmtServicer):  # type: ignore[misc]  # untyped
    """Answers every request alike; ``fails`` makes it refuse, ``breaks`` breaks a stream in its middle."""

    fails: bool = False
    breaks: bool = False
    pending: int = 1
    results: Any = None  # a batch's
    requests: list[Any] = field(default_factory=list)

    def GetCompletion(self, request: Any, context: Any) -> Any:  # noqa: N802 - the service's name
        self.requests.append(request)
        if self.fails:
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many requests")
        return self._answer(request.n or 1)

    def GetCompletionChunk(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802 - likewise
        self.requests.append(request)
        for place, text in enumerate(("a", "b", "c")):
            last = place == 2
            if last and self.breaks:
                context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
            said = usage() if last else usage(completion_tokens=place, total_tokens=1010 + place)
            part = {"delta": {"content": text, "role": "ROLE_ASSISTANT"}, **output(done=last)}
            yield chat_pb2.GetChatCompletionChunk(id="one", model="grok-4-0709", usage=said, outputs=[part])

    def StartDeferredCompletion(self, request: Any, context: Any) -> Any:  # noqa: N802 - likewise
        self.requests.append(request)
        return deferred_pb2.StartDeferredResponse(request_id="later")

    def GetDeferredCompletion(self, request: Any, context: Any) -> Any:  # noqa: N802 - likewise
        if self.fails:
            return chat_pb2.GetDeferredCompletionResponse(status=deferred_pb2.EXPIRED)
        if self.pending:
            self.pending -= 1
            return chat_pb2.GetDeferredCompletionResponse(status=deferred_pb2.PENDING)
        return chat_pb2.GetDeferredCompletionResponse(status=deferred_pb2.DONE, response=self._answer(2))

    def GetStoredCompletion(self, request: Any, context: Any) -> Any:  # noqa: N802 - likewise
        return self._answer(1)

    def CompactContext(self, request: Any, context: Any) -> Any:  # noqa: N802 - likewise
        return chat_pb2.CompactContextResponse(id="small", encrypted_content="x", usage=usage())

    def GenerateImage(self, request: Any, context: Any) -> Any:  # noqa: N802 - likewise
        images = [image_pb2.GeneratedImage(url="https://example.org/1.png")] * (request.n or 1)
        said = usage_pb2.SamplingUsage() if self.fails else usage_pb2.SamplingUsage(cost_in_usd_ticks=TICKS)
        return image_pb2.ImageResponse(images=images, model="grok-imagine-image", usage=said)

    def ListBatchResults(self, request: Any, context: Any) -> Any:  # noqa: N802 - likewise
        return self.results

    @staticmethod
    def _answer(count: int) -> Any:
        text = {"content": '{"city": "Oslo"}', "role": "ROLE_ASSISTANT"}
        outputs = [{"message": text, **output(index)} for index in range(count)]
        return chat_pb2.GetChatCompletionResponse(
            id="one",
            model="grok-4-0709",
            usage=usage(),
            outputs=outputs,
            service_tier="SERVICE_TIER_PRIORITY",
        )


@contextmanager
def serving(peer: Peer) -> Iterator[str]:
    """Serve on a free port of loopback; give the address."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    chat_pb2_grpc.add_ChatServicer_to_server(peer, server)
    image_pb2_grpc.add_ImageServicer_to_server(peer, server)
    batch_pb2_grpc.add_BatchMgmtServicer_to_server(peer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()
