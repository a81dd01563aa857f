"""install(): others' names, only where nobody has them, and gone again when they are taken out."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import outlay.trackers
from outlay.compat import install, uninstall
from outlay.compat.dd_llm import CostTracker
from outlay.core.errors import OutlayError


@pytest.fixture(autouse=True)
def _names() -> Iterator[None]:
    install()
    yield
    uninstall()


def test_row_014_the_cost_function_is_the_same_one() -> None:
    module = importlib.import_module("creative_services.core.usage_tracker")
    assert module.calculate_cost is outlay.trackers.calculate_cost


def test_row_006_each_usage_record_under_its_own_name() -> None:
    theirs = importlib.import_module("creative_services").UsageRecord
    assert list(theirs.__dataclass_fields__)[:3] == ["llm_id", "user_id", "prompt_tokens"]
    assert outlay.trackers.UsageRecord is not theirs


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("creative_services", "InMemoryTracker"),
        ("creative_services", "DynamicLLMClient"),
        ("creative_services.adapters", "DjangoUsageTracker"),
        ("aicore.llm", "Llm"),
        ("aicore.llm.config", "LlmConfig"),
        ("aicore.observability.collector", "LlmOperationCollector"),
        ("dd_llm", "get_adapter"),
    ],
)
def test_row_108_the_documented_imports_work(module: str, name: str) -> None:
    assert hasattr(importlib.import_module(module), name)


def test_row_108_a_package_that_is_there_wins_with_all_that_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "creative_services").mkdir()
    (tmp_path / "creative_services" / "__init__.py").write_text("REAL = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "creative_services", raising=False)
    try:
        assert importlib.import_module("creative_services").REAL
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("creative_services.adapters")
    finally:
        sys.modules.pop("creative_services", None)


def test_row_108_a_second_time_changes_nothing_and_uninstall_takes_all_out() -> None:
    before = list(sys.meta_path)
    install()
    assert sys.meta_path == before
    importlib.import_module("aicore.llm.config")
    uninstall()
    assert not [name for name in sys.modules if name.partition(".")[0] in {"aicore", "dd_llm"}]
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("aicore.llm")


def test_row_108_without_install_the_names_are_not_there() -> None:
    uninstall()
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("dd_llm")


def test_row_048_without_django_the_extra_is_named_on_use_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    adapters = importlib.import_module("creative_services.adapters")
    monkeypatch.setitem(sys.modules, "django.db", None)
    with pytest.raises(OutlayError, match=r"outlay\[django\]") as caught:
        adapters.DjangoUsageTracker()
    assert isinstance(caught.value, ImportError)


def test_the_tracker_of_dd_llm_begins_empty_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tracker = CostTracker()
    tracker.record(llm_id=1, prompt_tokens=1, completion_tokens=1, cost=0.5)
    assert tracker.total_cost_usd() == 0.5
    assert list(tmp_path.iterdir()) == []
