"""Views that ask a model, and one that says what that has cost."""

from typing import Any

from django.http import HttpRequest, JsonResponse

from outlay.contrib.django import DjangoUsageTracker
from outlay.llm import DictRegistry, DynamicLLMClient, LLMEntry, get_adapter

TRACKER = DjangoUsageTracker()
# A mock stands for a real model: with provider="openai", model="gpt-4o-mini" and a key it is the real thing.
REGISTRY = DictRegistry(
    [LLMEntry(1, "mini", "mock-fast", "mock-fast", cost_per_1k_input=0.00015, cost_per_1k_output=0.0006)]
)
CLIENT = DynamicLLMClient(REGISTRY, tracker=TRACKER)


def ask(request: HttpRequest) -> JsonResponse:
    """Ask, and record the answer's own figures."""
    question = request.GET.get("question", "hello")
    answer = get_adapter("mock-fast", sleep=False).call(prompt=question)
    TRACKER.record(answer, prompt_snippet=question, user_id=request.GET.get("user"))
    return JsonResponse({"answer": answer.content})


async def ask_async(request: HttpRequest) -> JsonResponse:
    """Ask through a client that tells the tracker itself."""
    question = request.GET.get("question", "hello")
    answer = await CLIENT.generate(prompt=question, user_id=request.GET.get("user"))
    return JsonResponse({"answer": answer.content})


async def stats(request: HttpRequest) -> JsonResponse:
    """Say what a user's questions, or all of them, have cost."""
    found: Any = await TRACKER.aget_stats(user_id=request.GET.get("user"))
    figures = {"requests": found.total_requests, "tokens": found.total_tokens, "cost": found.total_cost}
    return JsonResponse(figures)
