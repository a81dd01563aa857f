"""``outlay whatif``: one row for every other model or tariff."""

import json
import re
import subprocess
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from outlay import process
from outlay.cli.whatif import ASSUMED
from outlay.pricing.elsewhere import TIERS, TOLD
from outlay.settings import load

Outlay = Callable[..., Any]


@pytest.fixture
def recorded(environ: dict[str, str], tmp_path: Path) -> None:
    """Record three calls of gpt-4o, one of them of a model without a price."""
    here = process.use(load(environ, tmp_path))
    record = here.recorder().record
    for user, model in (("u1", "gpt-4o"), ("u2", "gpt-4o"), ("u1", "imaginary-9")):
        record(
            provider="openai",
            model=model,
            at="2026-11-01T12:00:00Z",
            user=user,
            input_tokens=1000,
            output_tokens=100,
        )
    assert here.flush()
    process.use(None)


@pytest.mark.usefixtures("recorded")
def test_all_at_once(outlay: Outlay) -> None:
    done = outlay("whatif", "--model", "gpt-4o-mini,o3", "--tier", "batch", "--tier", "standard", "--json")
    assert done.returncode == 0
    assert len(done.stderr.splitlines()) == 1
    assert "tokenizer" in done.stderr
    document = json.loads(done.stdout)
    assert document["calls"] == 3
    found = {(each["model"], each["tier"]): each for each in document["alternatives"]}
    assert list(found) == [(m, t) for m in ("gpt-4o-mini", "o3") for t in ("batch", "standard")]
    mini = found["gpt-4o-mini", "standard"]
    # today 2 x (1000 x 2.50 + 100 x 10), there 2 x (1000 x 0.15 + 100 x 0.60), each a million
    assert mini["sums"] == [
        {"currency": "USD", "calls": 2, "cost": "0.007", "cost_there": "0.00042", "difference": "-0.00658"}
    ]
    assert mini["left_out"]["calls"] == 1
    # 2 x (1000 x 1 + 100 x 4)
    assert found["o3", "batch"]["sums"][0]["cost_there"] == "0.0028"


@pytest.mark.usefixtures("recorded")
def test_the_table_tells_the_difference_and_what_is_left_out(outlay: Outlay) -> None:
    done = outlay("whatif", "--tier", "batch")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split() for line in done.stdout.splitlines()]
    # half of 0.007
    assert ["the", "same", "model", "batch", "2", "$0.007000", "$0.003500", "-$0.003500", "-50.0%"] in rows
    assert "1 call is in neither sum: its own cost is unpriced (1)" in done.stdout


@pytest.mark.usefixtures("recorded")
def test_what_was_assumed_of_a_price_is_said_in_words(outlay: Outlay, tmp_path: Path) -> None:
    """It ended in `calls whose price there is assumed_tier 2`, a flag that only a reference explains."""
    (tmp_path / "own.toml").write_text(
        '[[model]]\nprovider = "mistral"\nmodel = "abroad"\n'
        'price = [{ rates = { input = "1", output = "1" } }]\n',
        "utf-8",
    )
    args = ("whatif", "--model", "mistral/abroad", "--tier", "batch")
    said = outlay(*args, OUTLAY_PRICES=str(tmp_path / "own.toml")).stdout.splitlines()
    assert (
        "mistral/abroad batch: no price of that tariff is listed, an assumed one was taken (2 calls)" in said
    )


def test_every_flag_that_is_told_has_words() -> None:
    assert set(ASSUMED) == set(TOLD)


@pytest.mark.usefixtures("recorded")
def test_what_holds_for_every_alternative_is_said_once(outlay: Outlay, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        '[[model]]\nprovider = "mistral"\nmodel = "abroad"\n'
        'price = [{ rates = { input = "1", output = "1" }, currency = "EUR" }]\n',
        "utf-8",
    )
    own = {"OUTLAY_PRICES": str(tmp_path / "own.toml")}
    args = ("whatif", "--model", "gpt-4o-mini,o3,mistral/abroad")
    notes = [line for line in outlay(*args, **own).stdout.splitlines() if "neither sum" in line]
    assert notes == [
        "each: 1 call is in neither sum: its own cost is unpriced (1)",
        "mistral/abroad: 2 more calls are in neither sum: it was paid in USD and would be in EUR (2)",
    ]
    found = json.loads(outlay(*args, "--json", **own).stdout)["alternatives"]
    assert [each["left_out"]["calls"] for each in found] == [1, 1, 3]


@pytest.mark.usefixtures("recorded")
def test_filters_and_periods_choose_the_calls(outlay: Outlay) -> None:
    args = ("whatif", "--model", "gpt-4o-mini", "--json")
    assert json.loads(outlay(*args, "--where", "user=u2").stdout)["calls"] == 1
    assert json.loads(outlay(*args, "--since", "2026-11-02").stdout)["calls"] == 0
    assert outlay("whatif", "--model", "gpt-4o-mini", "--until", "2026-11-01").stdout == "no calls\n"


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        ([], 2, "--model"),
        (["--model", ","], 2, "--model"),
        (["--tier", "batch", "--provider", "azure"], 2, "--provider"),
        (["--model", "gpt-4o", "--since", "soon"], 2, "is no period"),
        (["--model", "gpt-99"], 1, "near: "),
        (["--model", "gpt-4o", "--provider", "nobody"], 1, "no prices of provider nobody"),
        (["--tier", "standard", "--tier", ""], 2, "an empty word after --tier"),
    ],
)
def test_what_cannot_be_asked_is_one_line(outlay: Outlay, args: list[str], code: int, says: str) -> None:
    done = outlay("whatif", *args)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (code, "", 1)
    assert says in done.stderr


@pytest.mark.usefixtures("recorded")
def test_a_mistyped_tariff_is_no_standard_price_and_one_of_ones_own_is_taken(
    outlay: Outlay, tmp_path: Path
) -> None:
    done = outlay("whatif", "--tier", "bacth")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("outlay: no tariff 'bacth' is listed; there are balanced, batch, ")
    (tmp_path / "own.toml").write_text(
        """
[[model]]
provider = "openai"
model = "gpt-4o"
[[model.price]]
rates = { input = "2.50", output = "10" }
[[model.price]]
when = { service_tier = "gold" }
rates = { input = "1", output = "1" }
""",
        "utf-8",
    )
    done = outlay("whatif", "--tier", "gold", "--json", OUTLAY_PRICES=str(tmp_path / "own.toml"))
    # 2 x (1000 + 100) x 1 a million
    assert json.loads(done.stdout)["alternatives"][0]["sums"][0]["cost_there"] == "0.0022"


def test_the_tariffs_of_the_packaged_lists_are_known_by_name() -> None:
    data = Path(str(files("outlay.pricing") / "data"))
    named = {
        tier
        for file in (*data.glob("*.json"), data / "overlay.toml")
        for tier in re.findall(r'"?service_tier"? ?[:=] ?"(\w+)"', file.read_text("utf-8"))
    }
    assert named >= {"flex", "priority"}
    assert named <= TIERS


@pytest.mark.usefixtures("recorded")
def test_in_a_process_of_its_own(command: Callable[..., "subprocess.CompletedProcess[str]"]) -> None:
    done = command("--json", "whatif", "--model", "gpt-4o-mini", "--at", "now")
    assert done.returncode == 0
    assert json.loads(done.stdout)["alternatives"][0]["sums"][0]["calls"] == 2
