"""Rows 103 and 104: every example runs as it is shipped, and its logs come into a ledger."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.command import clean_environ, run_command
from tests.support.django_fixtures import postgresql_database
from tests.support.ports import free_port
from tests.support.serving import serving

EXAMPLES = Path(__file__).parents[2] / "examples"
PASSWORD = "of-the-boss"  # noqa: S105 - of a database that the test makes
Example = Callable[..., str]
__all__ = ["postgresql_database"]  # a fixture


@pytest.fixture
def example(tmp_path: Path) -> Example:
    """Run an example in a folder of its own and give what it prints."""

    def run(name: str, *args: str) -> str:
        done = subprocess.run(
            [sys.executable, str(EXAMPLES / name), *args],
            cwd=tmp_path,
            env=clean_environ(tmp_path),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    return run


def test_every_example_is_in_the_list_and_here() -> None:
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    here = Path(__file__).read_text(encoding="utf-8")
    names = {path.name for path in EXAMPLES.iterdir() if not path.name.startswith("_")}
    for name in names - {"README.md", "answers.py"}:
        assert name.removesuffix(".py") in listed
        assert name.removesuffix(".py") in here


def test_cost_tracking_as_the_first_document_calls_it(example: Example) -> None:
    shown = example("cost_tracking.py", "--multi", "--calls", "3", "--show-calls")
    heading, *calls = shown.splitlines()[:4]
    assert heading.split()[:2] == ["#", "provider"]
    assert [line.split()[1] for line in calls] == ["mock-fast", "mock-balanced", "mock-premium"]
    assert "Total calls       : 3 (3 succeeded)" in shown
    assert "[mock-premium]" in shown
    assert "What is" not in example("cost_tracking.py", "--calls", "1", "--provider", "mock-fast")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--calls", "-1"), "'-1' is no number of calls"),
        (("--provider", "nope"), "no adapter 'nope'"),
        (("--provider", "openai"), "OPENAI_API_KEY is not set"),
    ],
)
def test_cost_tracking_says_what_cannot_be(tmp_path: Path, args: tuple[str, str], says: str) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "cost_tracking.py"), *args],
        env=clean_environ(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_row_103_the_study_helpers_log_can_be_imported(example: Example, tmp_path: Path) -> None:
    example("study_helper.py", "What is a closure?", "ada")
    shown = example("study_helper.py", "What is a decorator?", "ben")
    assert "2 questions so far: $0.00" in shown
    outlay = run_command(tmp_path)
    for _ in range(2):  # the second time nothing is doubled
        assert outlay("import", "study_helper.jsonl").returncode == 0
    total = json.loads(outlay("report", "--json").stdout)["total"]
    lines = [json.loads(line) for line in (tmp_path / "study_helper.jsonl").read_text().splitlines()]
    assert total["calls"] == 2
    assert float(total["cost"]) == pytest.approx(sum(line["cost"] for line in lines))
    assert {line["rag_chunks_used"] for line in lines} == {1}


def test_row_103_the_product_assistant_routes_by_kind(example: Example, tmp_path: Path) -> None:
    shown = example("product_assistant.py", "How can I pay?", "Which laptop is good for films?")
    assert "faq: 1 questions" in shown
    models = {
        name: json.loads((tmp_path / "logs" / f"{name}.jsonl").read_text())["model"]
        for name in ("faq", "product_search")
    }
    assert models == {"faq": "gpt-4o-mini", "product_search": "gpt-4o"}
    outlay = run_command(tmp_path)
    assert outlay("import", "logs/faq.jsonl", "logs/product_search.jsonl").returncode == 0
    rows = json.loads(outlay("report", "--by", "query_type", "--json").stdout)["rows"]
    assert [(row["query_type"], row["calls"]) for row in rows] == [("faq", 1), ("product_search", 1)]


def test_row_104_the_story_generator_says_what_each_session_cost(example: Example) -> None:
    lines = example("story_generator.py").splitlines()
    assert [line.partition(":")[0] for line in lines[-2:]] == ["user 123", "user 456"]
    assert all(" tokens, $0.00" in line for line in lines[-2:])


def test_the_fastapi_app(tmp_path: Path) -> None:
    port = free_port()
    command = ["-m", "uvicorn", "--app-dir", str(EXAMPLES), "--port", str(port), "fastapi_app:app"]
    url = f"http://127.0.0.1:{port}"
    with serving(command, f"{url}/openapi.json", tmp_path, clean_environ(tmp_path)):
        for user in ("ada", "ada", "ben"):
            answer = httpx.get(f"{url}/ask", params={"question": "hello"}, headers={"X-User-Id": user})
            assert "answer" in answer.json()
        costs = httpx.get(f"{url}/costs", timeout=30).json()
    assert [(row["user"], row["calls"]) for row in costs] == [("ada", 2), ("ben", 1)]


def admin_page(url: str) -> str:
    """Log in as a person does, and give the page with the calls."""
    with httpx.Client(base_url=url, timeout=30, follow_redirects=True) as person:
        asked = person.get("/admin/outlay/call/")
        assert asked.url.path == "/admin/login/"
        token = {"csrfmiddlewaretoken": person.cookies["csrftoken"]} if "csrftoken" in person.cookies else {}
        page = person.post(str(asked.url), data={"username": "boss", "password": PASSWORD, **token})
        assert (page.status_code, page.url.path) == (200, "/admin/outlay/call/")
        return page.text


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_row_104_the_django_demo(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    environ = {**clean_environ(tmp_path), "SHOP_SQLITE": str(tmp_path / "db.sqlite3")}
    if kind == "postgresql":
        where: dict[str, Any] = request.getfixturevalue("postgresql_database")
        environ["SHOP_POSTGRESQL"] = " ".join(f"{name}={value}" for name, value in where.items())
    folder = EXAMPLES / "django_demo"
    manage = [sys.executable, str(folder / "manage.py")]
    environ["DJANGO_SUPERUSER_PASSWORD"] = PASSWORD
    boss = ("createsuperuser", "--noinput", "--username", "boss", "--email", "boss@example.org")
    for args in (("migrate", "--verbosity", "0"), ("makemigrations", "--check", "--dry-run"), boss):
        subprocess.run([*manage, *args], cwd=folder, env=environ, check=True, capture_output=True)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [str(folder / "manage.py"), "runserver", "--noreload", str(port)]
    with serving(command, f"{url}/stats/", folder, environ):
        for path in ("ask", "ask", "ask-async"):
            answer = httpx.get(f"{url}/{path}/", params={"question": "hello", "user": "ada"}, timeout=30)
            assert "answer" in answer.json()
        stats = httpx.get(f"{url}/stats/", params={"user": "ada"}, timeout=30).json()
        assert stats["requests"] == 3
        assert stats["cost"] > 0
        assert httpx.get(f"{url}/stats/", params={"user": "ben"}, timeout=30).json()["requests"] == 0
        page = admin_page(url)
        assert '<table class="outlay-totals">' in page
        # All three name the model that answered, the one that the client told the tracker of, too.
        assert re.search(r"<td>mock-fast/mock-fast</td><td>3</td><td>0</td>", page)
        assert re.search(r"<th>total</th><th>3</th><th>0</th>", page)
    assert not (folder / "db.sqlite3").exists()
    assert os.environ.get("DJANGO_SETTINGS_MODULE") is None
