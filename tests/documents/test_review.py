"""Rows 90 and 98: cross tables agree, and a weekly review from the command line."""

import json
from collections import defaultdict
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest

import outlay
from outlay import process
from outlay.cli import main
from outlay.settings import Settings

USERS, MODELS = ("u1", "u2", None), ("gpt-4o", "gpt-4o-mini")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Record a call of each user with each model, the second user's twice."""
    monkeypatch.chdir(tmp_path)
    for name in ("LEDGER", "HOME", "TZ"):
        monkeypatch.delenv(f"OUTLAY_{name}", raising=False)
    monkeypatch.setenv("OUTLAY_LEDGER", str(tmp_path / "ledger"))
    process.use(Settings(home=tmp_path / "ledger"))
    for user, model in product((*USERS, "u2"), MODELS):
        outlay.record(
            provider="openai",
            model=model,
            input_tokens=1000,
            output_tokens=100,
            latency_ms=500.0,
            user=user,
            query_type="faq" if model == "gpt-4o-mini" else None,
        )
    assert outlay.flush()
    return tmp_path


@pytest.mark.usefixtures("home")
def test_row_090_cross_tables_agree() -> None:
    with outlay.open() as ledger:
        whole = ledger.report(by=["user", "model"])
        for name in ("user", "model"):
            margin = {row[name]: (row["calls"], row["cost"]) for row in ledger.report(by=[name]).rows}
            sums: defaultdict[str | None, tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
            for row in whole.rows:
                calls, cost = sums[row[name]]
                sums[row[name]] = (calls + row["calls"], cost + row["cost"])
            assert sums == margin
        for row in whole.rows:
            filtered = ledger.report(where={"user": row["user"], "model": row["model"]}).total
            assert (filtered["calls"], filtered["cost"]) == (row["calls"], row["cost"])
    # four users' calls of 1000 x 2.50 + 100 x 10.00, and of 1000 x 0.15 + 100 x 0.60, a million
    assert whole.total["cost"] == 4 * (Decimal("0.0035") + Decimal("0.00021"))


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("report", "--since", "7d", "--by", "model"), "gpt-4o-mini"),
        (("report", "--since", "7d", "--by", "query_type"), "faq"),
        (("top", "-n", "10"), "gpt-4o"),
        (("top", "--by", "latency"), "gpt-4o"),
        (("calls", "--where", "user=u1"), "gpt-4o"),
        (("prices", "show", "gpt-4o"), "gpt-4o"),
    ],
)
def test_row_098_a_weekly_review(
    args: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        assert main(args) == 0
        assert said in capsys.readouterr().out
        assert main((*args, "--json")) == 0
        shown = capsys.readouterr()
        assert json.loads(shown.out)
        assert shown.err == ""
    finally:
        process.use(None)
