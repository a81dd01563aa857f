"""Reading logs: the documented lines run on any log, an empty one too, and every sum adds up."""

import json
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from outlay.core.errors import MissingExtraError
from outlay.logs import load_logs, quality_of, share_slower
from outlay.logs.entries import COLUMNS

ROWS = [
    {"timestamp": "2026-01-05T09:00:00", "query_type": "rag", "status": "success", "model": "gpt-4o",
     "cost": 89.0, "latency": 1.0, "prompt_length": 10},
    {"timestamp": "2026-01-05T10:00:00.250000", "query_type": "summary", "status": "success",
     "model": "gpt-4o-mini", "cost": 31.0, "latency": 2.0, "prompt_length": 20},
    {"timestamp": "2026-01-05T10:30:00", "cost": 7.34, "latency": 6.0, "prompt_length": 5},
    {"timestamp": "2026-01-05T11:00:00", "status": "error", "error": "slow", "latency": 9.0,
     "query_type": "rag"},
]  # fmt: skip


def written(path: Path, rows: list[dict[str, Any]], *more: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in (*map(json.dumps, rows), *more)), encoding="utf-8")
    return path


@pytest.fixture
def frame(tmp_path: Path) -> pd.DataFrame:
    return load_logs(written(tmp_path / "log.jsonl", ROWS))


def test_row_080_a_missing_or_empty_log_is_a_frame_with_all_columns(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    for name in ("missing.jsonl", "empty.jsonl"):
        frame = load_logs(tmp_path / name)
        assert len(frame) == 0
        assert list(frame.columns) == list(COLUMNS)
        assert frame.attrs["skipped"] == 0


def test_row_080_a_bad_line_is_skipped_and_counted(tmp_path: Path) -> None:
    frame = load_logs(written(tmp_path / "log.jsonl", ROWS, "{not json", "[1]", "", '{"cost": 1'))
    assert len(frame) == 4
    assert frame.attrs["skipped"] == 3


def test_row_080_timestamps_of_all_forms_become_one(tmp_path: Path) -> None:
    instants = ["2026-07-05T09:00:00Z", "2026-07-05T11:00:00.5+02:00", "2026-07-05T09:00:00", "soon", None]
    frame = load_logs(written(tmp_path / "log.jsonl", [{"timestamp": text, "cost": 1} for text in instants]))
    read = pd.to_datetime(frame["timestamp"])
    local = datetime.fromisoformat("2026-07-05T09:00:00+00:00").astimezone().replace(tzinfo=None)
    assert read[0] == local
    assert read[1] == local + pd.Timedelta("0.5s")
    assert read[2] == datetime.fromisoformat("2026-07-05T09:00:00")
    assert read[3:].isna().all()


def basic_stats(df: pd.DataFrame) -> list[str]:
    return [
        f"Total queries: {len(df)}",
        f"Total cost: ${df['cost'].sum():.2f}",
        f"Avg cost/query: ${df['cost'].mean():.4f}",
        f"Avg latency: {df['latency'].mean():.2f}s",
        f"Success rate: {(df['status'] == 'success').mean() * 100:.1f}%",
    ]


def test_row_081_basic_stats(frame: pd.DataFrame) -> None:
    # 127.34 over the three priced calls; 18 s over four; 3 of 4 worked, the one without a status too
    assert basic_stats(frame) == [
        "Total queries: 4",
        "Total cost: $127.34",
        "Avg cost/query: $42.4467",
        "Avg latency: 4.50s",
        "Success rate: 75.0%",
    ]


def test_row_081_on_an_empty_log_too(tmp_path: Path) -> None:
    df = load_logs(tmp_path / "none.jsonl")
    assert basic_stats(df)[:2] == ["Total queries: 0", "Total cost: $0.00"]
    assert df.groupby("model")["cost"].agg(["sum", "mean", "count"]).empty
    df["hour"] = pd.to_datetime(df["timestamp"]).dt.hour
    assert df.groupby("hour")["cost"].sum().empty
    assert df.nlargest(10, "cost")[["timestamp", "cost", "prompt_length", "query_type"]].empty
    assert len(df[df["cost"] > 0.01]) == 0
    assert len(df[df["latency"] > 5.0]) == 0


def test_row_082_groups_add_up_and_a_missing_query_type_is_a_row(frame: pd.DataFrame) -> None:
    by_type = frame.groupby("query_type")["cost"].agg(["sum", "mean", "count"])
    assert by_type["sum"].to_dict() == {"rag": 89.0, "summary": 31.0, "unknown": 7.34}
    by_model = frame.groupby("model")["cost"].sum()
    assert by_model.sum() == pytest.approx(127.34)
    frame["hour"] = pd.to_datetime(frame["timestamp"]).dt.hour
    assert frame.groupby("hour")["cost"].sum().to_dict() == {9: 89.0, 10: 38.34, 11: 0.0}


def test_row_083_shares(frame: pd.DataFrame) -> None:
    shares = frame.groupby("query_type")["cost"].sum() / frame["cost"].sum() * 100
    assert [round(share) for share in shares] == [70, 24, 6]


def test_row_084_the_dearest_first(frame: pd.DataFrame) -> None:
    dearest = frame.nlargest(10, "cost")[["timestamp", "cost", "prompt_length", "query_type"]]
    assert list(dearest["cost"].dropna()) == [89.0, 31.0, 7.34]


def test_row_085_over_a_cent_is_strict(tmp_path: Path) -> None:
    df = load_logs(written(tmp_path / "log.jsonl", [{"cost": 0.01}, {"cost": 0.0101}, {"cost": None}]))
    assert len(df[df["cost"] > 0.01]) == 1


def test_row_086_percentiles_are_linear(tmp_path: Path) -> None:
    df = load_logs(written(tmp_path / "log.jsonl", [{"latency": ms} for ms in range(1, 101)]))
    assert [df["latency"].quantile(q) for q in (0.50, 0.95, 0.99)] == pytest.approx([50.5, 95.05, 99.01])


def test_row_087_slower_than_five_seconds_is_strict_and_never_divides_by_zero(tmp_path: Path) -> None:
    df = load_logs(written(tmp_path / "log.jsonl", [{"latency": 5.0}, {"latency": 5.1}]))
    assert len(df[df["latency"] > 5.0]) == 1
    assert share_slower(df) == 0.5
    assert share_slower(load_logs(tmp_path / "none.jsonl")) == 0.0


def test_row_078_a_judged_call_of_unknown_cost_makes_no_correct_answer_cheaper(tmp_path: Path) -> None:
    judged: list[dict[str, Any]] = [
        {"cost": 0.02, "correct": True},
        {"cost": None, "correct": True},
        {"correct": True},
    ]
    assert quality_of(load_logs(written(tmp_path / "log.jsonl", judged)))["cost_per_correct"] == 0.02
    assert quality_of(load_logs(written(tmp_path / "log.jsonl", judged[1:])))["cost_per_correct"] is None


@pytest.mark.skipif(sys.platform == "win32", reason="TZ is POSIX's")
@pytest.mark.parametrize(
    ("tz", "at"), [("America/New_York", "0001-01-01T00:00:00Z"), ("Asia/Kolkata", "9999-12-31T23:59:59Z")]
)
def test_row_080_a_time_at_the_ends_of_time_keeps_no_log_from_being_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tz: str, at: str
) -> None:
    """As other languages write an empty one."""
    monkeypatch.setenv("TZ", tz)
    time.tzset()
    try:
        frame = load_logs(written(tmp_path / "log.jsonl", [{"timestamp": at, "cost": 1.0}]))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert (frame["cost"].tolist(), frame["timestamp"].tolist()) == ([1.0], [None])


def test_row_078_quality_and_the_cost_of_a_correct_answer(tmp_path: Path) -> None:
    judged = [
        {"cost": 0.02, "quality_score": 0.5, "correct": True},
        {"cost": 0.04, "quality_score": 1.0, "correct": False},
        {"cost": 9.00},
    ]
    found = quality_of(load_logs(written(tmp_path / "log.jsonl", judged)))
    assert found == {"quality_score": 0.75, "user_rating": None, "cost_per_correct": pytest.approx(0.06)}
    assert quality_of(load_logs(tmp_path / "none.jsonl")) == {
        "quality_score": None,
        "user_rating": None,
        "cost_per_correct": None,
    }


def test_row_106_without_pandas_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"outlay\[pandas\]"):
        load_logs(tmp_path / "log.jsonl")
