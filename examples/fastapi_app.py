"""An API whose calls are recorded for the user that a header names, and which says what they have cost.

uvicorn --app-dir examples fastapi_app:app
curl -H "X-User-Id: ada" "http://127.0.0.1:8000/ask?question=hello"; curl http://127.0.0.1:8000/costs
"""

from typing import Any

from answers import call_llm
from fastapi import FastAPI

import outlay
from outlay.contrib.asgi import OutlayMiddleware

app = FastAPI()
# Believe a header only where a proxy of yours sets it.
app.add_middleware(OutlayMiddleware, headers={"user": "x-user-id"})


@outlay.track(provider="openai", query_type="question")
def answer(question: str) -> Any:
    """Ask a model; with an SDK that is instrumented, its own call is recorded instead of this result."""
    return call_llm(question)


@app.get("/ask")
def ask(question: str) -> dict[str, str]:
    """Answer a question."""
    return {"answer": answer(question).content}


@app.get("/costs")
def costs() -> list[dict[str, Any]]:
    """Say what each user has cost today."""
    with outlay.open() as ledger:
        rows: list[dict[str, Any]] = ledger.report(by="user", since="today").to_dict()["rows"]
    return [{name: row[name] for name in ("user", "calls", "cost")} for row in rows]
