"""A study helper: finds notes, asks a model, and logs each question with what its answer cost.

python examples/study_helper.py "What is a closure?" ada
"""

import sys
import time

from answers import call_llm

from outlay import calculate_cost
from outlay.logs import JsonlLog, load_logs

NOTES = {
    "closure": "A closure is a function with the variables around it.",
    "decorator": "A decorator takes a function and gives another one.",
    "generator": "A generator is a function that pauses at each yield.",
}
LOG = JsonlLog("study_helper.jsonl")


def get_rag_context(question: str) -> list[str]:
    """Find the notes whose word stands in the question."""
    return [note for word, note in NOTES.items() if word in question.lower()] or list(NOTES.values())


def study_helper_query(question: str, user_id: str) -> str:
    """Answer a question from the notes."""
    notes = get_rag_context(question)
    start = time.perf_counter()
    answer = call_llm("\n\n".join([*notes, question]))
    LOG.write(
        {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "user_id": user_id,
            "query_type": "study_question",
            "prompt_length": len(question),
            "status": "success",
            "model": answer.model,
            "input_tokens": answer.usage.input_tokens,
            "output_tokens": answer.usage.output_tokens,
            "cost": calculate_cost(answer.usage, model=answer.model),
            "latency": time.perf_counter() - start,
            "rag_chunks_used": len(notes),
        }
    )
    return answer.content


def main() -> None:
    """Answer one question, and say what all of them have cost."""
    question = sys.argv[1] if len(sys.argv) > 1 else "What is a closure?"
    user = sys.argv[2] if len(sys.argv) > 2 else "ada"  # noqa: PLR2004 - the second argument
    print(study_helper_query(question, user))
    costs = load_logs("study_helper.jsonl")["cost"]
    print(f"{len(costs)} questions so far: ${costs.sum():.4f}, ${costs.mean():.4f} each")


if __name__ == "__main__":
    main()
