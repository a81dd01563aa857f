"""Hard stops: refused before the call, only where asked, over the ledger and this process's own calls."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.support.command import clean_environ
from tests.support.garbage import ends_within
from tests.support.wire import Server, answer

import outlay
from outlay import process
from outlay.alerts import BudgetExceededError
from outlay.alerts.closed import Closed
from outlay.alerts.rules import rules_of
from outlay.alerts.setup import check_rules, stop_of
from outlay.alerts.stop import Stop
from outlay.capture import Attribution, Call, Recorder, SystemClock
from outlay.core.codec import entry_json
from outlay.core.ports import Pending
from outlay.core.record import Entry, Record
from outlay.ledger import MemoryLedger
from outlay.llm import DictRegistry, DynamicLLMClient, Llm, LlmConfig, LLMEntry
from outlay.pricing import Book, cost_of, tariff_of
from outlay.report import LedgerReader
from outlay.settings import Settings
from outlay.testing import call

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
NOBODY = Attribution()


class Desk:
    """A ledger that others write to, a clock, and a stop that asks only when told to."""

    def __init__(self, folder: Path, *rules: dict[str, Any]) -> None:
        self.ledger = MemoryLedger()
        self.folder = folder
        self.now = NOON
        self.rules = rules_of({"rules": [{"stop": True, **rule} for rule in rules]})
        self.stop = self.make()

    def make(self) -> Stop:
        stop = Stop(
            self.rules,
            lambda: LedgerReader(self.ledger),
            Closed(self.folder),
            now=lambda: self.now.timestamp(),  # noqa: PLW0108 - the clock is set meanwhile
        )
        stop._thread = object()  # type: ignore[assignment]  # no thread: ask() is called by the test
        return stop

    def spend(self, cost: str, **fields: Any) -> None:
        """Record a call of this process."""
        record = call(self.now, cost=cost, **fields)
        self.ledger.add([record])
        self.stop.saw(record)

    def others_spend(self, cost: str, **fields: Any) -> None:
        self.ledger.add([call(self.now, cost=cost, **fields)])

    def may(self, model: str = "gpt-4o", **who: Any) -> bool:
        try:
            self.stop.admit("openai", model, NOBODY.with_(who))
        except BudgetExceededError:
            return False
        return True


@pytest.fixture
def desk(tmp_path: Path) -> Callable[..., Desk]:
    return lambda *rules: Desk(tmp_path, *rules)


def test_row_102_own_calls_count_at_once_and_to_the_last_digit(desk: Callable[..., Desk]) -> None:
    here = desk({"name": "b", "budget": 1})
    for _ in range(9):
        here.spend("0.1")
        assert here.may()
    here.spend("0.099999999999999999")
    assert here.may()
    here.spend("0.000000000000000001")
    assert not here.may()


def test_what_is_still_on_its_way_to_a_server_stays_counted(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where shipping took too long, the answer without this process's own calls took their place."""
    here = desk({"name": "b", "budget": 1})
    monkeypatch.setattr(here.stop, "_reader", lambda: LedgerReader(here.ledger, refresh=lambda: False))
    here.others_spend("0.3")
    here.stop.saw(call(here.now, cost="0.4"))
    for _ in range(2):
        here.now += timedelta(seconds=1)
        here.stop.ask()
        assert here.may()
        here.stop.saw(call(here.now, cost="0.3"))
    assert not here.may()
    monkeypatch.setattr(here.stop, "_reader", lambda: LedgerReader(here.ledger))
    here.now += timedelta(seconds=1)
    here.stop.ask()
    assert here.may()


@pytest.mark.parametrize("back", [timedelta(0), timedelta(hours=1)])
def test_a_call_of_the_very_moment_of_a_question_and_of_a_clock_set_back_stays_counted(
    desk: Callable[..., Desk], back: timedelta
) -> None:
    here = desk({"name": "b", "budget": 1})
    here.spend("0.6")
    here.now -= back
    here.stop.ask()
    here.now += timedelta(microseconds=1)
    here.spend("0.399999")
    here.stop.ask()
    assert here.may()
    here.spend("0.000001")
    here.stop.ask()
    assert not here.may()


def test_the_message_says_what_is_spent_and_until_when(desk: Callable[..., Desk]) -> None:
    here = desk({"name": "b", "budget": 1, "per": "user"})
    here.spend("1.5", user="u1")
    with pytest.raises(BudgetExceededError) as caught:
        here.stop.admit("openai", "gpt-4o", NOBODY.with_({"user": "u1"}))
    assert str(caught.value) == (
        "the budget 'b' is spent: $1.50 of $1.00 in 2026-11-25 for user u1; "
        "calls are let through again from 2026-11-26 00:00 UTC"
    )


def test_what_others_spent_counts_from_the_next_question_on_and_nothing_counts_twice(
    desk: Callable[..., Desk],
) -> None:
    here = desk({"name": "b", "budget": 1})
    here.others_spend("0.4")
    here.spend("0.3")
    here.now += timedelta(seconds=1)
    here.stop.ask()
    here.now += timedelta(seconds=1)
    here.spend("0.299999")
    assert here.may()
    here.now += timedelta(seconds=1)
    here.stop.ask()
    assert here.may()
    here.others_spend("0.000001")
    assert here.may()  # not known yet: the overshoot that is stated
    here.now += timedelta(seconds=1)
    here.stop.ask()
    assert not here.may()


def test_a_question_that_fails_loses_nothing(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = desk({"name": "b", "budget": 1})
    here.spend("0.6")
    for _ in range(2):
        here.now += timedelta(seconds=1)
        with monkeypatch.context() as away:
            away.setattr(here.ledger, "rows", lambda query: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                here.stop.ask()
    here.spend("0.4")
    assert not here.may()
    here.now += timedelta(seconds=1)
    here.stop.ask()
    assert not here.may()


def test_an_answer_about_a_day_that_is_over_meanwhile_is_not_taken_for_the_new_one(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = desk({"name": "b", "budget": 1})
    here.spend("1.5")
    plain = here.ledger.rows

    def answered_after_midnight(query: Any) -> Any:
        rows = plain(query)
        here.now = NOON + timedelta(hours=13)
        assert here.may()
        return rows

    with monkeypatch.context() as slow:
        slow.setattr(here.ledger, "rows", answered_after_midnight)
        here.stop.ask()
    assert here.may()
    here.now += timedelta(seconds=1)
    here.stop.ask()
    assert here.may()


def test_a_call_that_began_before_the_question_is_left_to_the_next(desk: Callable[..., Desk]) -> None:
    here = desk({"name": "b", "budget": 1})
    long = call(here.now, cost="0.6")
    here.now += timedelta(seconds=30)
    here.ledger.add([long])  # it came into the ledger just before the answer
    here.stop.ask()
    here.stop.saw(long)
    here.now += timedelta(seconds=1)
    here.spend("0.3")
    assert here.may()  # 0.9, and not 1.5


def test_row_102_a_call_is_stopped_only_where_asked(desk: Callable[..., Desk]) -> None:
    here = desk(
        {"name": "user", "budget": 1, "per": "user", "where": {"query_type": "rag"}},
        {"name": "model", "budget": 2, "where": {"model": "gpt-4o"}},
        {"name": "team", "budget": 3, "per": "tag:team"},
    )
    here.spend("1", user="u1", query_type="rag", model="gpt-4o-mini")
    assert not here.may("gpt-4o-mini", user="u1", query_type="rag")
    assert here.may("gpt-4o-mini", user="u1", query_type="faq")
    assert here.may("gpt-4o-mini", user="u2", query_type="rag")
    here.spend("2", model="gpt-4o", tags={"team": "shop"})
    assert not here.may("gpt-4o", user="u9")
    assert here.may("gpt-4o-mini", user="u9")
    here.spend("3", model="x", tags={"team": "search"})
    assert not here.may("x", team="search")
    assert here.may("x", team="shop")


def test_a_rule_that_does_not_stop_stops_nothing(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, ledger="memory:", alerts={"rules": [{"budget": 1}]})
    recorder = process.Process(settings).recorder()
    recorder.record(cost=5)
    recorder.admit("openai", "gpt-4o")


def test_a_model_counts_under_the_name_it_is_served_by(desk: Callable[..., Desk]) -> None:
    here = desk({"name": "m", "budget": 1, "per": "model"})
    here.spend("1", model="gpt-4o-2024-08-06", model_requested="gpt-4o")
    assert not here.may("gpt-4o")
    assert here.may("gpt-4o-mini")


def test_the_next_day_lets_calls_through_again(desk: Callable[..., Desk]) -> None:
    here = desk({"name": "b", "budget": 1, "tz": "Europe/Berlin"})
    here.spend("1")
    here.now = datetime(2026, 11, 25, 22, 59, 59, tzinfo=UTC)
    assert not here.may()
    here.now += timedelta(seconds=1)  # midnight in Berlin
    assert here.may()


def test_a_call_recorded_by_hand_counts_in_the_window_that_began_meanwhile(
    desk: Callable[..., Desk],
) -> None:
    here = desk({"name": "b", "budget": 1})
    assert here.may()
    here.now += timedelta(days=1)
    here.spend("1")  # asked nobody
    assert not here.may()


def test_what_is_over_is_written_where_it_is_news(desk: Callable[..., Desk]) -> None:
    here = desk({"name": "b", "budget": 1})
    written = here.folder / "closed.json"
    for cost in ("1", "0", "0.5"):
        here.others_spend(cost)
        here.now += timedelta(seconds=1)
        before = written.stat().st_ino if written.exists() else 0
        here.stop.ask()
        assert (written.stat().st_ino != before) is (cost != "0")


def test_what_is_over_no_more_is_forgotten(tmp_path: Path) -> None:
    """A cost that was reckoned anew may be less; the next process would refuse its first call."""
    closed = Closed(tmp_path)
    closed.write({"b": {(): Decimal(1)}})
    closed.write({"b": {}})
    assert closed.read() == {}


def test_a_call_of_after_the_question_counts_once_though_the_answer_has_it(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = desk({"name": "b", "budget": 1})

    def meanwhile() -> LedgerReader:
        here.now += timedelta(seconds=1)
        here.spend("0.6")
        return LedgerReader(here.ledger)

    monkeypatch.setattr(here.stop, "_reader", meanwhile)
    here.stop.ask()
    assert here.may()


def test_row_102_a_process_that_starts_later_refuses_its_first_call(desk: Callable[..., Desk]) -> None:
    here = desk({"name": "b", "budget": 1, "per": "user"})
    here.others_spend("1", user="u1")
    here.now += timedelta(seconds=1)
    here.stop.ask()
    here.stop = here.make()
    here.stop._thread = None
    here.stop._run = lambda: None  # type: ignore[method-assign]  # it has not asked yet
    assert not here.may(user="u1")
    assert here.may(user="u2")


def test_what_a_look_at_the_rules_finds_spent_the_next_process_refuses_at_once(tmp_path: Path) -> None:
    """Only a process that stops calls wrote it down: where another had spent it, calls went through."""
    rules = {"rules": [{"name": "b", "budget": 1, "stop": True}, {"name": "soft", "budget": 1}]}
    settings = Settings(home=tmp_path, alerts=rules)
    ledger, now = MemoryLedger(), datetime.now(UTC)
    ledger.add([call(now, cost="1")])
    check_rules(settings, LedgerReader(ledger), {}, now + timedelta(seconds=1), dry=True)
    assert Closed(settings.alert_folder).read() == {}
    check_rules(settings, LedgerReader(ledger), {}, now + timedelta(seconds=1))
    assert len(Closed(settings.alert_folder).read()) == 1
    stop = stop_of(settings, lambda: pytest.fail("it need not ask"))
    assert stop is not None
    stop._run = lambda: None  # type: ignore[method-assign]  # it has not asked yet
    with pytest.raises(BudgetExceededError, match=r"\$1.00 of \$1.00"):
        stop.admit("openai", "gpt-4o", NOBODY)


def test_a_clock_that_is_set_back_before_the_day_began_leaves_the_ledger_askable(
    desk: Callable[..., Desk],
) -> None:
    here = desk({"name": "b", "budget": 1})
    here.others_spend("1")
    here.now -= timedelta(days=2)  # the window stays the later one until the clock has caught up
    here.stop.ask()
    assert here.may()
    here.now += timedelta(days=2, seconds=1)
    here.stop.ask()
    assert not here.may()


def test_a_forked_child_asks_from_a_thread_of_its_own(desk: Callable[..., Desk]) -> None:
    here = desk({"name": "b", "budget": 1})
    here.spend("1")
    here.stop.start_anew_in_child()
    assert not here.may()
    assert here.stop._thread is not None
    here.stop.drain_at_exit()
    assert not here.stop._thread.is_alive()


def test_a_call_that_a_garbage_collection_brings_while_budgets_are_looked_at_is_counted(
    desk: Callable[..., Desk],
) -> None:
    """As of a stream that is dropped within a cycle."""
    here = desk({"name": "b", "budget": 1})
    assert ends_within(here.stop._lock, lambda: here.stop.saw(call(here.now, cost="1")))
    assert not here.may()


def test_a_fault_of_ours_lets_calls_through(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = desk({"name": "b", "budget": 1})
    here.spend("1")
    monkeypatch.setattr("outlay.alerts.budgets.Budget.spent", lambda *_: 1 / 0)
    assert here.may()


class Noon(SystemClock):
    """A clock whose calls all begin at noon."""

    def now(self) -> datetime:
        return NOON

    def moment(self) -> float:
        return NOON.timestamp()


class Later:
    """A sink that makes lines of what is handed to it, when it is asked."""

    def __init__(self) -> None:
        self.pending: list[Pending] = []

    def append(self, entry: Entry) -> None:
        raise AssertionError("what can wait is made whole")

    def defer(self, pending: Pending) -> None:
        self.pending.append(pending)

    def flush(self, timeout: float | None = None) -> bool:
        return True


def test_a_call_counts_by_its_line_as_it_does_by_its_record(desk: Callable[..., Desk]) -> None:
    """Usual calls, a failed one and one without a price; by user, by tag, by model and in all."""
    rules = (
        {"name": "all", "budget": 1},
        {"name": "user", "budget": 1, "per": "user"},
        {"name": "team", "budget": 1, "per": "tag:team"},
        {"name": "mini", "budget": 1, "where": {"model": "gpt-4o-mini"}},
    )
    whole, lines = desk(*rules), desk(*rules)
    later = Later()
    sink = lines.stop.watching(later)
    book = Book.default()
    price, tariff = partial(cost_of, book=book), partial(tariff_of, book=book)
    recorder = Recorder(sink, clock=Noon(), price=price, tariff=tariff, tags={"team": "a"})
    for model, user in (("gpt-4o", "u1"), ("gpt-4o-mini", "u2"), ("no-such", "u1"), ("gpt-4o", None)) * 3:
        with outlay.context(user=user, **({"team": "b"} if user == "u2" else {})):
            made = Call(recorder, provider="openai", api="chat", model=model)
            answer = {**CHAT, "model": f"{model}-2024-08-06" if model == "gpt-4o" else model}
            made.fail(TimeoutError()) if user is None else made.answer(answer)
    assert len(later.pending) == 12
    for pending in later.pending:
        record = pending.entry()
        assert isinstance(record, Record)
        assert entry_json(record) == pending.json()
        whole.stop.saw(record)
    counted = [dict(budget._since) for budget in whole.stop._budgets]
    assert [dict(budget._since) for budget in lines.stop._budgets] == counted
    # 1000 x 2.50 and 1000 x 0.15 a million, three times each
    assert counted[0] == {(): Decimal("0.00795")}
    assert counted[1] == {(("user", "u1"),): Decimal("0.0075"), (("user", "u2"),): Decimal("0.00045")}
    assert counted[2] == {(("tag:team", "a"),): Decimal("0.0075"), (("tag:team", "b"),): Decimal("0.00045")}
    assert counted[3] == {(): Decimal("0.00045")}
    assert lines.stop._served == whole.stop._served
    assert lines.stop._served["gpt-4o"] == "gpt-4o-2024-08-06"


# ---------------------------------------------------------------- every way to make a call

CHAT = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 0, "total_tokens": 1000},
}


@pytest.fixture
def unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no thread ask the ledger: a call under way at that moment would be left to the next answer."""
    monkeypatch.setattr("outlay.alerts.stop.Stop._run", lambda stop: None)


@pytest.fixture
def budget(tmp_path: Path, unasked: None) -> Iterator[None]:
    """A budget of three tenths of a cent: two calls of 1000 x 2.50 a million reach it."""
    rules = [{"name": "b", "budget": Decimal("0.003"), "stop": True}]
    process.use(Settings(home=tmp_path, ledger="memory:", alerts={"rules": rules}))
    yield
    outlay.uninstrument()
    process.use(None)


@pytest.mark.usefixtures("budget")
def test_row_102_an_instrumented_sdk_raises_before_anything_is_sent() -> None:
    import openai  # noqa: PLC0415 - hooked below

    server = Server([answer(CHAT)])
    client = openai.OpenAI(api_key="k", http_client=server.client())
    asynchronous = openai.AsyncOpenAI(api_key="k", http_client=server.async_client())
    outlay.instrument("openai")
    asked: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "x"}]}
    for _ in range(2):
        client.chat.completions.create(**asked)
    with pytest.raises(BudgetExceededError):
        client.chat.completions.create(**asked)
    with pytest.raises(BudgetExceededError):
        asyncio.run(asynchronous.chat.completions.create(**asked))

    @outlay.track
    def around() -> None:
        client.chat.completions.create(**asked)

    with pytest.raises(BudgetExceededError):
        around()
    assert len(server.requests) == 2
    with outlay.open() as ledger:
        assert ledger.report().total["calls"] == 2  # what was refused is no call


@pytest.mark.usefixtures("budget")
def test_tracked_functions_and_our_own_clients_raise_too() -> None:
    ran: list[str] = []

    @outlay.track
    def ask(prompt: str) -> None:
        ran.append(prompt)

    llm = Llm(LlmConfig(provider="mock-fast", model="mock-fast", options={"sleep": False}))
    dynamic = DynamicLLMClient(DictRegistry([LLMEntry(1, "m", "mock-fast", "mock-fast")]))
    ask("before")
    outlay.record(provider="openai", model="gpt-4o", cost="0.003")
    for refused in (lambda: ask("after"), lambda: llm.complete("x"), lambda: dynamic.generate_sync("x")):
        with pytest.raises(BudgetExceededError):
            refused()
    with pytest.raises(BudgetExceededError):
        next(llm.stream("x"))
    with pytest.raises(BudgetExceededError), outlay.measure(provider="acme", user="u1"):
        ran.append("measured")
    assert outlay.record(provider="acme", cost=0).user is None  # nothing of the refused block stays
    assert ran == ["before"]
    assert llm.usage.total_tokens == 0


PROGRAM = """
import sys, time
import outlay
from outlay import process
from outlay.alerts import BudgetExceededError

recorder = process.current().recorder()
outlay.record(provider="openai", model="gpt-4o", cost="0.4")
outlay.flush()
print("spent", flush=True)
sys.stdin.readline()
for _ in range(600):
    try:
        recorder.admit("openai", "gpt-4o")
    except BudgetExceededError:
        print("refused", flush=True)
        break
    time.sleep(0.05)
"""


def test_row_102_processes_share_a_budget(tmp_path: Path) -> None:
    """Three spend 0.4 each of a budget of 1; each learns of the others by the ledger."""
    (tmp_path / "outlay.toml").write_text(
        "[alerts]\nrefresh = 1\n[[alerts.rules]]\nbudget = 1\nstop = true\n"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=clean_environ(tmp_path),
        )
        for _ in range(3)
    ]
    for each in started:
        assert each.stdout is not None
        assert each.stdout.readline() == "spent\n"
    for each in started:
        out, _ = each.communicate("go\n", timeout=60)
        assert (out, each.returncode) == ("refused\n", 0)


@pytest.mark.usefixtures("unasked")
def test_a_call_is_for_whom_baggage_names_too(tmp_path: Path) -> None:
    from opentelemetry import baggage, context, trace  # noqa: PLC0415 - only here

    assert trace.get_tracer_provider() is not None  # a program that carries baggage has loaded it

    rules = [{"name": "b", "budget": Decimal(1), "per": "user", "stop": True}]
    recorder = process.Process(Settings(home=tmp_path, ledger="memory:", alerts={"rules": rules})).recorder()
    recorder.record(provider="openai", cost=1, user="ada")
    Call(recorder, provider="openai", api="chat")
    token = context.attach(baggage.set_baggage("user.id", "ada"))
    try:
        with pytest.raises(BudgetExceededError):
            Call(recorder, provider="openai", api="chat")
        Call(recorder, provider="openai", api="chat", sent=True)
    finally:
        context.detach(token)


def test_what_stands_around_a_refused_call_is_no_call(tmp_path: Path) -> None:
    here = process.Process(Settings(home=tmp_path, ledger="memory:"))
    around = Call(here.recorder(), provider="openai", api="chat")
    around.fail(BudgetExceededError("spent"))
    assert around.record is None
    with here.open() as ledger:
        assert ledger.report().total["calls"] == 0
