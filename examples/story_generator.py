"""A story generator: a client that chooses a model by tier, and what the session of each reader cost.

python examples/story_generator.py
"""

import asyncio

from outlay.llm import DictRegistry, DynamicLLMClient, LLMEntry, LLMTier
from outlay.trackers import InMemoryTracker

# Mock models stand for real ones: with provider="openai", model="gpt-4o-mini" and a key it is the real thing.
REGISTRY = DictRegistry(
    [
        LLMEntry(1, "draft", "mock-fast", "mock-fast", LLMTier.ECONOMY, 0.0001, 0.0003),
        LLMEntry(2, "chapter", "mock-balanced", "mock-balanced", LLMTier.STANDARD, 0.0025, 0.01),
    ]
)


async def write_story(client: DynamicLLMClient, topic: str, user_id: int) -> str:
    """Draft an outline cheaply, then write it well."""
    outline = await client.generate(
        prompt=f"Outline a story about {topic}", tier=LLMTier.ECONOMY, user_id=user_id
    )
    story = await client.generate(
        prompt=f"Write a story: {outline.content}", tier=LLMTier.STANDARD, user_id=user_id
    )
    return story.content


async def main() -> None:
    """Write two stories at once."""
    tracker = InMemoryTracker()
    client = DynamicLLMClient(REGISTRY, tracker=tracker)
    stories = await asyncio.gather(
        write_story(client, "a lighthouse", 123), write_story(client, "a fox", 456)
    )
    print("\n".join(stories))
    for user_id in (123, 456):
        stats = tracker.get_stats(user_id=user_id)
        print(f"user {user_id}: {stats.total_tokens} tokens, ${stats.total_cost:.4f}")


if __name__ == "__main__":
    asyncio.run(main())
