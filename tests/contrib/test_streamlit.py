"""The live dashboard: each view draws, its numbers are the ledger's, a choice stands in the address."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect
from streamlit.config import get_option
from tests.support.app_test import AppTest
from tests.support.browser import browser
from tests.support.shown import frame as shown

import outlay
from outlay import process
from outlay.contrib import streamlit_app
from outlay.contrib.live.asked import answer
from outlay.contrib.live.choice import Choice
from outlay.core.errors import LedgerBusyError
from outlay.testing.asking import keeping

# Streamlit's own habits, not ours.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Record forty calls, one without a price."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OUTLAY_LEDGER", str(tmp_path / "ledger"))
    process.use(None)
    for n in range(40):
        outlay.record(
            provider="openai",
            model="imaginary-9" if n == 0 else ("gpt-4o", "gpt-4o-mini")[n % 2],
            input_tokens=1000 + n,
            output_tokens=100,
            latency_ms=100.0 * n,
            user=f"u{n % 3}",
            query_type=("faq", "rag")[n % 2],
            error="timeout" if n % 10 == 9 else None,
        )
    assert outlay.flush()
    yield tmp_path
    process.use(None)


def app(**address: str) -> AppTest:
    found = AppTest.from_file(streamlit_app.__file__, default_timeout=60)
    for name, value in address.items():
        found.query_params[name] = value
    found.run()
    assert not found.exception, found.exception
    return found


def metrics(found: AppTest) -> dict[str, Any]:
    return {metric.label: metric.value for metric in found.metric}


def unescaped(markdown: str) -> str:
    return re.sub(r"\\(.)", r"\1", markdown)


def test_row_093_the_first_view_is_the_guides(home: Path) -> None:
    found = app()
    with outlay.open() as ledger:
        total = ledger.report().total
    assert found.title[0].value == "LLM Cost Dashboard"
    assert [each.value for each in found.subheader] == ["Daily Cost Trend", "Cost by Model"]
    assert metrics(found) == {
        "Total Cost": f"${total['cost']:,.6f}",
        "Queries": "40",
        "Avg Latency": f"{total['avg_latency_ms'] / 1000:.2f}s",
        "Success Rate": "90.0%",
    }
    assert total["cost"] < Decimal(1)
    assert "1 call whose cost is unknown (imaginary-9)" in unescaped(found.warning[0].value)
    assert home.exists()


@pytest.mark.parametrize("view", streamlit_app.VIEWS)
def test_every_view_draws_with_calls_and_without(
    home: Path, view: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = app()
    found.sidebar.radio(key="view").set_value(view).run()
    assert not found.exception, found.exception
    assert not found.error
    monkeypatch.setenv("OUTLAY_LEDGER", str(home / "empty"))
    process.use(None)
    nothing = app()
    nothing.sidebar.radio(key="view").set_value(view).run()
    assert not nothing.exception, nothing.exception


def test_calls_that_are_daily_totals_are_told_of_beside_single_ones(home: Path) -> None:
    for each in ("u1", "u2"):
        outlay.record(provider="openai", model="gpt-4o", user=each, at=datetime.now(UTC) - timedelta(days=9))
    assert outlay.flush()
    with outlay.open() as ledger:
        keeping(ledger.ledger).prune(datetime.now(UTC) - timedelta(days=3))
    found = app(view="Calls", period="all")
    told = "2 calls are kept as daily totals alone, and are not among single ones."
    assert told in [each.value for each in found.caption]
    assert not [each.value for each in app(view="Calls", period="7d").caption if "daily totals" in each.value]
    assert home.exists()


def test_a_row_whose_calls_all_have_a_price_says_0_of_those_without(home: Path) -> None:
    rows = shown(app(view="Cost").dataframe[0])
    without = {row["model"]: row["of unknown cost"] for row in rows}
    assert without == {"gpt-4o": "0", "gpt-4o-mini": "0", "imaginary-9": "1"}
    assert home.exists()


def test_a_choice_narrows_every_number_and_stands_in_the_address(home: Path) -> None:
    found = app(model="gpt-4o-mini", period="7d")
    with outlay.open() as ledger:
        row = ledger.report(where={"model": "gpt-4o-mini"}).total
    assert metrics(found)["Queries"] == str(row["calls"])
    found.sidebar.selectbox(key="user").set_value("u1").run()
    with outlay.open() as ledger:
        row = ledger.report(where={"model": "gpt-4o-mini", "user": "u1"}).total
    assert metrics(found)["Queries"] == str(row["calls"])
    assert found.query_params["user"] == "u1"
    assert home.exists()


def test_a_new_call_is_seen_at_the_next_look(home: Path) -> None:
    found = app()
    outlay.record(provider="openai", model="gpt-4o", input_tokens=10, output_tokens=1)
    assert metrics(found.run())["Queries"] == "41"
    assert home.exists()


def test_a_period_moves_on_though_no_call_comes_in(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers, now = iter(range(9)), 1_793_534_400.0
    monkeypatch.setattr("outlay.contrib.live.asked.time.time", lambda: now)

    def ask() -> int:
        return answer("calls of the last day", Choice("24h"), (str(home),), lambda: next(answers))

    assert (ask(), ask()) == (0, 0)
    now += 60
    assert (ask(), ask()) == (1, 1)


def test_what_goes_wrong_while_the_page_is_refreshed_is_told_in_a_line(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fragment is drawn alone, without what stands around it."""
    said: list[str] = []
    monkeypatch.setattr("outlay.contrib.streamlit_app.st.error", said.append)

    def busy(_scene: Any) -> None:
        raise LedgerBusyError("the ledger is held by another process")

    monkeypatch.setitem(streamlit_app.VIEWS, "Overview", busy)
    with outlay.open() as ledger:
        streamlit_app._draw(ledger, Choice(), "Overview")
    assert said == ["the ledger is held by another process"]
    assert home.exists()


def test_a_call_from_before_the_last_one_is_seen_at_the_next_look(home: Path) -> None:
    found = app()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    outlay.record(provider="openai", model="gpt-4o", input_tokens=10, output_tokens=1, at=yesterday)
    assert metrics(found.run())["Queries"] == "41"
    assert home.exists()


def test_one_call_is_explained(home: Path) -> None:
    with outlay.open() as ledger:
        (dearest,) = ledger.calls(1, "cost")
    found = app()
    found.sidebar.radio(key="view").set_value("Calls").run()
    found.text_input(key="calls-explain").set_value(dearest.id).run()
    assert dearest.id in found.code[0].value
    found.text_input(key="calls-explain").set_value("nothing").run()
    assert "no call" in found.error[0].value
    found.text_input(key="calls-search").set_value("mini").run()
    assert set(found.dataframe[0].value["model"]) == {"gpt-4o-mini"}
    assert home.exists()


def test_rules_of_alerts_stand_there(home: Path) -> None:
    (home / "outlay.toml").write_text('[[alerts.rules]]\nbudget = "0.01"\nwindow = "day"\n', "utf-8")
    process.use(None)
    found = app()
    found.sidebar.radio(key="view").set_value("Alerts").run()
    assert not found.exception, found.exception
    assert not found.error, found.error
    with outlay.open() as ledger:
        cost = ledger.report(since="today").total["cost"]
    (row,) = shown(found.dataframe[0])
    assert (row["stands at"], row["limit"]) == (f"${cost:,.6f}", "$0.010000")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ({}, Choice()),
        ({"period": "someday", "colour": "red"}, Choice()),
        ({"period": "all", "model": "m", "user": "u"}, Choice("all", model="m", user="u")),
    ],
)
def test_an_address_is_read_and_written(address: dict[str, str], expected: Choice) -> None:
    choice = Choice.read(address)
    assert choice == expected
    assert Choice.read(choice.address()) == choice


def test_the_command_serves_it_on_this_machine_alone(home: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {**os.environ, "OUTLAY_LEDGER": str(home / "ledger")}
    command = [sys.executable, "-m", "outlay", "dashboard", "--port", str(port)]
    with browser() as chromium, subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL) as server:
        try:
            _wait(port)
            page = chromium.new_page()
            page.goto(f"http://localhost:{port}/?user=u1")
            expect(page.get_by_role("heading", name="LLM Cost Dashboard")).to_be_visible(timeout=60_000)
            with outlay.open() as ledger:
                calls = ledger.report(where={"user": "u1"}).total["calls"]
            expect(page.get_by_test_id("stMetricValue").nth(1)).to_have_text(str(calls), timeout=60_000)
            assert "user=u1" in page.url
            page.get_by_text("Cost", exact=True).click()
            page.get_by_test_id("stDataFrame").first.hover(timeout=60_000)
            expect(page.get_by_role("button", name="Fullscreen").first).to_be_visible()
            expect(page.get_by_role("button", name="Download as CSV")).to_have_count(0)  # floats are no money
        finally:
            server.terminate()


def _wait(port: int) -> None:
    for _ in range(300):
        try:
            with urlopen(f"http://localhost:{port}/_stcore/health") as answer:
                assert answer.status == 200
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail("the server did not answer within a minute")


@pytest.mark.parametrize("missing", ["streamlit", "plotly"])
def test_without_what_it_draws_with_one_line_says_what_to_install(home: Path, missing: str) -> None:
    code = (
        f"import sys; sys.modules[{missing!r}] = None; import outlay.cli; import importlib.util as u; "
        f"find = u.find_spec; u.find_spec = lambda n, *a: None if n == {missing!r} else find(n, *a); "
        "sys.exit(outlay.cli.main(['dashboard']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=home)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f'{missing} is not installed; run: pip install "outlay[dashboard]"' in done.stderr
    assert json.dumps(done.stdout) == '""'


def test_a_view_is_sent_as_a_link_and_a_step_back_is_one(home: Path) -> None:
    """The address has the view, too; where it is not the one that we wrote, it is what a viewer chose."""
    found = app(view="Cost", user="u1")
    assert found.sidebar.radio(key="view").value == "Cost"
    found.sidebar.selectbox(key="user").set_value("u2").run()
    found.sidebar.radio(key="view").set_value("Overview").run()
    assert (found.query_params["user"], "view" in found.query_params) == ("u2", False)
    found.query_params["user"] = "u1"  # as the browser's way back does
    found.run()
    assert found.sidebar.selectbox(key="user").value == "u1"
    with outlay.open() as ledger:
        assert metrics(found)["Queries"] == str(ledger.report(where={"user": "u1"}).total["calls"])
    assert app(view="Nothing").sidebar.radio(key="view").value == "Overview"
    assert home.exists()


def test_a_name_of_no_letters_is_a_name(home: Path) -> None:
    outlay.record(provider="openai", model="gpt-4o", input_tokens=10, output_tokens=1, user="")
    assert metrics(app(user=""))["Queries"] == "1"
    assert metrics(app(period=""))["Queries"] == "41"
    assert home.exists()


def test_names_are_no_markup(home: Path) -> None:
    outlay.record(provider="acme", model=":red[a]$b$ and $c$ **d**->e", input_tokens=1, output_tokens=1)
    found = app()
    told = found.warning[0].value
    assert unescaped(told).count(":red[a]$b$ and $c$ **d**->e") == 1
    assert re.search(r"(?<!\\)[:$*]", told) is None
    found.sidebar.radio(key="view").set_value("Calls").run()
    found.text_input(key="calls-explain").set_value("$a$ and $b$").run()
    assert r"\$a\$ and \$b\$" in found.error[0].value
    assert home.exists()


@pytest.mark.parametrize(("model", "what"), [("gemini-2.5-pro", "above 200,000"), ("gpt-4o", "x1.1")])
def test_prices_are_all_that_the_command_shows(home: Path, model: str, what: str) -> None:
    """A price without its currency, its factor or the size from which it is another one is a wrong one."""
    found = app(view="Prices")
    found.text_input(key="prices-model").set_value(model).run()
    assert not found.exception, found.exception
    said = [str(cell) for each in found.dataframe for row in shown(each) for cell in row.values()]
    assert any(what in cell for cell in said)
    assert not {"None", "nan"} & set(said)
    assert "input" in found.caption[0].value
    assert "per million" in found.caption[0].value
    assert home.exists()


def test_a_model_that_nobody_lists_is_answered_as_the_command_does(home: Path) -> None:
    found = app(view="Prices")
    found.text_input(key="prices-model").set_value("gtp-4o").run()
    assert [each.value.replace("\\", "") for each in found.info] == [
        "no price of gtp-4o is known; near: gpt-4o"
    ]
    assert home.exists()


def test_the_place_of_a_ledger_is_told_as_it_was_written(home: Path) -> None:
    found = app(view="Alerts")
    assert found.code[0].value.split()[:2] == ["ledger", str(home / "ledger")]


def test_what_a_view_leaves_out_is_counted(home: Path) -> None:
    """Seventeen models are seventeen, though fifteen are shown; each bar has its name."""
    for n in range(14):
        outlay.record(provider="acme", model=f"m{n}", input_tokens=1, output_tokens=1, cost=Decimal(n + 1))
    found = app()
    assert [each.value for each in found.caption] == ["2 more"]
    found.sidebar.radio(key="view").set_value("Cost").run()
    assert len(found.dataframe[0].value) == 15
    assert found.caption[0].value == "2 more"
    assert home.exists()


def test_figures_of_tables_are_sorted_by_their_numbers(home: Path) -> None:
    """As text $1,234 is less than $10, and 9% more than 85%."""
    for user, cost in (("a", "1234"), ("b", "2"), ("c", "10"), ("d", None)):
        outlay.record(
            provider="acme",
            model="m",
            input_tokens=1200,
            output_tokens=None,
            cost=cost,
            currency="USD",
            user=user,
        )
    found = app(view="Users and agents", model="m")
    table = found.dataframe[0]
    texts = {row["user"]: row for row in shown(table)}
    assert [texts[user]["cost"] for user in "abcd"] == ["$1,234.000000", "$2.000000", "$10.000000", "unknown"]
    assert texts["a"]["share"] == "99%"
    for name in ("calls", "errors", "of unknown cost", "cost", "share"):
        assert table.value[name].dtype == "float64", name
    assert list(table.value.sort_values("cost")["user"]) == ["d", "b", "c", "a"]
    assert table.proto.placeholder == "-"
    found.sidebar.radio(key="view").set_value("Calls").run()
    assert list(found.dataframe[0].value.sort_values("cost")["user"]) == ["d", "b", "c", "a"]
    assert {row["input"] for row in shown(found.dataframe[0])} == {"1,200"}
    assert home.exists()


def test_each_currency_has_a_column_of_its_own(home: Path) -> None:
    """Below 7 EUR and 7 dollars is one number, and what is taken out of the table is that."""
    for cost, currency in (("7", "EUR"), ("7", "USD"), ("0.0000001", "EUR")):
        outlay.record(provider="acme", model="m", cost=cost, currency=currency, user=currency)
    for view in ("Users and agents", "Calls"):
        found = app(view=view, model="m")
        rows = {row["user"]: (row["cost"], row["cost EUR"]) for row in shown(found.dataframe[0])}
        assert rows["USD"] == ("$7.000000", "-")  # 0.000000 EUR would be a cost
        assert rows["EUR"][0] == "-"
    assert rows["EUR"] in {("-", "0.0000001 EUR"), ("-", "7.000000 EUR")}
    assert home.exists()


def test_an_unknown_cost_is_told_from_what_there_is_not(home: Path) -> None:
    """A latency, a rate or an amount in other money that is not there is "-", as in a terminal."""
    for cost, currency in (("7", "EUR"), ("7", "USD"), (None, "USD")):
        outlay.record(provider="acme", model="m", cost=cost, currency=currency, user=f"{cost} {currency}")
    found = app(view="Calls", model="m").dataframe[0]
    rows = {row["user"]: row for row in shown(found)}
    assert (rows["None USD"]["cost"], rows["None USD"]["latency"]) == ("unknown", "-")
    assert (rows["7 EUR"]["cost"], rows["7 EUR"]["cost EUR"]) == ("-", "7.000000 EUR")
    assert found.proto.placeholder == "-"
    assert home.exists()


def test_what_a_narrow_window_shows_of_calls_is_their_cost_and_their_id(home: Path) -> None:
    """By its id a call is explained below the table; it stood at the right end, out of sight."""
    first = list(shown(app(view="Calls").dataframe[0])[0])[:5]
    assert first == ["at", "model", "cost", "status", "id"]
    assert home.exists()


def test_a_model_of_which_nobody_counted_tokens_shows_none(home: Path) -> None:
    outlay.record(provider="acme", model="m", error="refused")
    (row,) = shown(app(view="Tokens", model="m").dataframe[0])
    assert [row[name] for name in ("input", "cached", "output", "reasoning")] == ["-"] * 4
    assert home.exists()


def test_no_table_gives_floats_away_as_money(home: Path) -> None:
    """What Streamlit downloads is not what is shown; the exact figures are those of outlay's own CSV."""
    found = app(view="Cost")
    assert get_option("client.disableDataExport")
    assert "outlay report --csv" in found.sidebar.markdown[0].value
    assert home.exists()


def test_no_column_of_a_table_is_narrower_than_its_texts(home: Path) -> None:
    """The grid measures its first rows alone: what stood below was cut."""
    found = app(view="Prices")
    found.text_input(key="prices-model").set_value("gemini-2.5-pro").run()
    assert len(found.dataframe) > 0
    for each in found.dataframe:
        widths = {
            name: told["width"] for name, told in json.loads(each.proto.columns).items() if "width" in told
        }
        for row in shown(each):
            assert all(widths[name] >= 7 * len(str(text)) for name, text in row.items())
    assert home.exists()


def test_a_table_in_which_nothing_is_known_is_drawn(home: Path) -> None:
    outlay.record(provider="acme", model="none", user="x")
    for view in ("Users and agents", "Calls", "Performance", "Tokens"):
        found = app(view=view, model="none")
        rows = [row for each in found.dataframe for row in shown(each)]
        assert rows
    assert home.exists()


def test_a_model_of_two_providers_is_one_bar_and_counted_once(home: Path) -> None:
    for n in range(14):
        outlay.record(provider="acme", model=f"m{n}", input_tokens=1, output_tokens=1, cost=Decimal(n + 1))
    outlay.record(provider="other", model="m13", input_tokens=1, output_tokens=1, cost=Decimal(9))
    outlay.record(provider="other", model="abroad", cost=Decimal(9), currency="EUR")
    found = app()
    assert [each.value for each in found.caption] == ["3 more"]
    spec = json.loads(found.get("plotly_chart")[1].proto.spec)
    (bars,) = spec["data"]
    assert (len(bars["y"]), bars["y"][0], bars["x"][0]) == (15, "m13", 23.0)
    assert "abroad" not in bars["y"]
    assert home.exists()


def test_views_are_headed_in_plain_words_and_count_calls_whole(home: Path) -> None:
    outlay.record(provider="acme", model="few", input_tokens=1, query_type="rag", latency_ms=5.0)
    outlay.record(provider="acme", model="few", input_tokens=1, query_type="rag")
    found = app(view="Performance", model="few")
    (row,) = shown(found.dataframe[0])
    assert list(row) == ["model", "calls", "p50", "p90", "p95", "p99", "max", "first token", "over 10 s"]
    axes = [json.loads(each.proto.spec)["layout"]["yaxis"] for each in found.get("plotly_chart")]
    assert [each.get("dtick") for each in axes] == [1, 1]
    assert [each.value for each in found.caption] == ["Of latencies 1 call has none."]
    many = app(view="Performance")
    axes = [json.loads(each.proto.spec)["layout"]["yaxis"] for each in many.get("plotly_chart")]
    assert [each.get("dtick") for each in axes] == [None, None]
    assert [next(iter(shown(each)[0])) for each in app(view="Cost").dataframe] == [
        "model", "query type", "query type",
    ]  # fmt: skip
    assert home.exists()


def test_calls_whose_latency_nobody_knows_are_calls(home: Path) -> None:
    outlay.record(provider="acme", model="none")
    spec = json.loads(app(view="Performance", model="none").get("plotly_chart")[0].proto.spec)
    assert spec["layout"]["annotations"][0]["text"] == "no latency is known"
    assert home.exists()
