"""A shop's assistant: simple questions go to a cheap model, all others to a dear one; each kind has a log.

python examples/product_assistant.py "Where is my parcel?" "Which laptop is good for films?"
"""

import sys

from answers import Answer, call_llm

from outlay.logs import load_logs, tracked_llm_call

SIMPLE = ("parcel", "return", "opening", "pay")
CHEAP, DEAR = "gpt-4o-mini", "gpt-4o"


def classify_query(query: str) -> str:
    """Say what kind of question it is."""
    return "faq" if any(word in query.lower() for word in SIMPLE) else "product_search"


def product_assistant(query: str, user_id: str) -> str:
    """Answer a question with the model that its kind needs."""
    query_type = classify_query(query)
    model = CHEAP if query_type == "faq" else DEAR

    def ask(prompt: str) -> Answer:
        return call_llm(prompt, model=model)

    answer: Answer = tracked_llm_call(
        query, user_id, query_type, call_llm=ask, log_file="logs/{query_type}.jsonl", echo=True
    )
    return answer.content


def main() -> None:
    """Answer some questions, and say what each kind has cost."""
    for query in sys.argv[1:] or ("Where is my parcel?", "Which laptop is good for films?"):
        print(product_assistant(query, "ada"))
    for query_type in ("faq", "product_search"):
        log = load_logs(f"logs/{query_type}.jsonl")
        print(f"{query_type}: {len(log)} questions, ${log['cost'].sum():.6f}")


if __name__ == "__main__":
    main()
