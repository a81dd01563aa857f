"""Single calls: the table, and how one cost came about."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from outlay.cli.watch_view import call_cells
from outlay.core.cost import Cost, CostLine, Price, unpriced
from outlay.core.record import Record
from outlay.core.usage import Usage
from outlay.render.as_table import Page
from outlay.render.calls import calls_view
from outlay.render.explain import explain_text
from outlay.render.sheets import view_csv, view_text

UTC_ZONE = ZoneInfo("UTC")
ID = "019a3c00-0000-7000-8000-000000000001"
# 600 x 2.50 + 400 x 1.25 + 100 x 10.00, each a million: 0.0015 + 0.0005 + 0.001 = 0.003
LINES = (
    CostLine("input", 600, Decimal("2.5"), 1000000, Decimal("0.0015")),
    CostLine("cache_read", 400, Decimal("1.25"), 1000000, Decimal("0.0005")),
    CostLine("output", 100, Decimal(10), 1000000, Decimal("0.001"), "rate of output"),
)
PRICE = Price("openai.com/pricing", datetime(2024, 10, 1, tzinfo=UTC), "2026.11", extrapolated=True)


def calls_text(records: Sequence[Record], page: Page, tz: ZoneInfo) -> str:
    return view_text(calls_view(records, tz), page)


@pytest.fixture
def record() -> Record:
    usage = Usage.of({"input": 600, "cache_read": 400, "output": 100}, terms=(("service_tier", "flex"),))
    charge = Cost(Decimal("0.003"), "priced", lines=LINES, price=PRICE, flags=("extrapolated",))
    return Record(
        id=ID,
        at=datetime(2026, 11, 1, tzinfo=UTC),
        provider="openai",
        model="gpt-4o-2024-08-06",
        model_requested="gpt-4o",
        usage=usage,
        charge=charge,
        api="chat",
        latency_ms=812.4,
        user="u1",
        tags={"team": "search"},
    )


def test_explain_shows_every_line_and_the_price(record: Record) -> None:
    assert explain_text(record, Page(), ZoneInfo("Europe/Berlin")) == (
        "call          019a3c00-0000-7000-8000-000000000001\n"
        "at            2026-11-01 01:00:00 Europe/Berlin\n"
        "model         openai gpt-4o-2024-08-06\n"
        "asked for     gpt-4o\n"
        "operation     chat\n"
        "status        success\n"
        "latency       812 ms\n"
        "tokens        1,000 in, 100 out\n"
        "terms         service_tier flex\n"
        "for           user u1\n"
        "tags          team=search\n"
        "\n"
        "unit         quantity    rate         per   amount   note\n"
        "───────────────────────────────────────────────────────────────────\n"
        "input             600    2.50   1,000,000   0.0015\n"
        "cache_read        400    1.25   1,000,000   0.0005\n"
        "output            100   10.00   1,000,000    0.001   rate of output\n"
        "───────────────────────────────────────────────────────────────────\n"
        "sum                                          0.003\n"
        "\n"
        "cost          0.003 USD (priced)\n"
        "price         openai.com/pricing, effective from 2024-10-01, version 2026.11; "
        "the call is older than this first known price\n"
        "flags         extrapolated"
    )


def test_what_two_facts_say_alike_is_told_once(record: Record) -> None:
    """Chat, by the API of that name; a mock provider whose one model has its name."""
    told = explain_text(replace(record, api="responses"), Page(), UTC_ZONE)
    assert "\noperation     chat responses\n" in told
    mock = replace(record, provider="mock-fast", model="mock-fast", model_requested=None)
    assert "\nmodel         mock-fast\noperation     chat\n" in explain_text(mock, Page(), UTC_ZONE)


def test_a_reported_cost_stands_beside_ours(record: Record) -> None:
    charge = Cost(Decimal("0.0031"), "reported", computed=Decimal("0.003"))
    text = explain_text(replace(record, charge=charge), Page(), UTC_ZONE)
    assert "cost          0.0031 USD (reported)" in text
    assert "by the book   0.003 USD beside the reported cost" in text


def test_what_the_book_says_is_told_in_the_currency_of_the_cost(record: Record) -> None:
    charge = Cost(Decimal("0.0031"), "reported", currency="CNY", computed=Decimal("0.003"))
    text = explain_text(replace(record, charge=charge), Page(), UTC_ZONE)
    assert "by the book   0.003 CNY beside the reported cost" in text


def test_what_is_paid_by_the_hour_shows_its_list_price(record: Record) -> None:
    charge = Cost(Decimal(0), "free", flags=("provisioned",), computed=Decimal("0.003"))
    assert "by the book   0.003 USD beside the free cost" in explain_text(
        replace(record, charge=charge), Page(), UTC_ZONE
    )


def test_tokens_that_nobody_counted_are_unknown_and_a_stated_nothing_is_0(record: Record) -> None:
    silent = replace(record, usage=Usage(reason="the response states no usage"), charge=unpriced("no usage"))
    assert "tokens        unknown" in explain_text(silent, Page(), UTC_ZONE)
    stated = replace(record, usage=Usage(), charge=unpriced("no price for x"))
    assert "tokens        0 in, 0 out" in explain_text(stated, Page(), UTC_ZONE)


def test_wherever_a_call_is_listed_tokens_that_nobody_counted_are_no_0(record: Record) -> None:
    silent = replace(record, usage=Usage(reason="the response states no usage"), charge=unpriced("no usage"))
    view = calls_view([silent], UTC_ZONE)
    (row,) = csv.DictReader(io.StringIO(view_csv(view)))
    assert (row["input_tokens"], row["output_tokens"]) == ("", "")
    assert "u1 - - 812 ms unknown" in " ".join(view_text(view, Page()).split())
    assert call_cells(silent, UTC_ZONE)[-3:] == ("-", "-", "u1")
    stated = replace(record, usage=Usage(), charge=unpriced("no price for x"))
    assert call_cells(stated, UTC_ZONE)[-3:] == ("0", "0", "u1")


def test_an_unknown_price_says_why(record: Record) -> None:
    text = explain_text(replace(record, charge=unpriced("no price for x")), Page(), UTC_ZONE)
    assert "cost          unknown (unpriced)" in text
    assert "why           no price for x" in text
    assert "\nsum" not in text


def test_a_reason_that_price_and_usage_share_is_told_once(record: Record) -> None:
    why = "the call failed before any usage was known"
    failed = replace(record, charge=unpriced(why), usage=Usage(reason=why))
    assert f"\nwhy           {why}" in explain_text(failed, Page(), UTC_ZONE)
    assert explain_text(failed, Page(), UTC_ZONE).count(why) == 1


def test_a_failed_call_tells_what_is_kept_of_its_error(record: Record) -> None:
    """Only its class was shown; of a call that worked in the end, how often it was tried."""
    failed = replace(
        record, status="error", error_type="RateLimitError", error="HTTP 429, slow\ndown", retries=2
    )
    assert (
        "\nstatus        error RateLimitError\nerror         HTTP 429, slow\\ndown\nattempts      3\n"
    ) in explain_text(failed, Page(), UTC_ZONE)
    bare = explain_text(replace(failed, error_type=None, error=None, retries=0), Page(), UTC_ZONE)
    assert "\nstatus        error, of no known type\nlatency " in bare
    tried = explain_text(replace(record, retries=1), Page(), UTC_ZONE)
    assert "\nstatus        success\nattempts      2\n" in tried


def test_columns_without_room_are_named_on_a_terminal_and_nothing_in_a_pipe(record: Record) -> None:
    """They were gone without a sign."""
    said = "no room here for provider, user, input, output, latency; --json has all"
    text = calls_text([record], Page(width=80), UTC_ZONE)
    assert text.splitlines()[-1] == said
    assert calls_text([record], Page(80, color=True), UTC_ZONE).endswith(f"\n\x1b[2m{said}\x1b[0m")
    for whole in (Page(), Page(width=200)):
        assert "no room" not in calls_text([record], whole, UTC_ZONE)


def test_calls_stand_one_a_row_with_the_id_that_explain_takes(record: Record) -> None:
    failed = replace(record, status="error", error_type="RateLimitError", charge=unpriced("failed"))
    heading, _, first, second = calls_text([record, failed], Page(), UTC_ZONE).splitlines()
    assert " ".join(heading.split()) == "at (UTC) provider model user input output latency cost status id"
    shown = "2026-11-01 00:00:00 openai gpt-4o-2024-08-06 u1 1,000 100 812 ms $0.003000 extrapolated"
    assert first.split() == [*shown.split(), ID]
    assert "RateLimitError" in second
    assert "unknown" in second


@pytest.mark.parametrize(
    ("charge", "state"),
    [
        (Cost(Decimal("0.003"), "priced", lines=LINES), "success"),
        (Cost(Decimal("0.003"), "priced", lines=LINES, flags=("extrapolated",)), "extrapolated"),
        (Cost(Decimal("0.004"), "reported", flags=("extrapolated",)), "reported"),
        (Cost(Decimal(0), "free"), "free"),
        (Cost(Decimal("0.003"), "partial", lines=LINES), "partial"),
        (unpriced("nobody knows"), "unpriced"),
    ],
)
def test_the_state_of_a_cost_stands_beside_it(record: Record, charge: Cost, state: str) -> None:
    view = calls_view([replace(record, charge=charge)], UTC_ZONE)
    assert view.sheets[0].rows[0]["status"] == state
    assert next(csv.DictReader(io.StringIO(view_csv(view))))["status"] == state


def test_on_a_narrow_terminal_the_cost_and_as_much_of_the_id_as_tells_it_stay(record: Record) -> None:
    record = replace(record, charge=replace(record.charge, flags=()))
    other = replace(record, id=f"{ID[:21]}1-000000000001")  # the first difference is at the 22nd place
    assert calls_text([record], Page(40), UTC_ZONE).splitlines()[2] == f"gpt-4o…   $0.003000   {ID[:18]}"
    # Without output, input and so on 19 + 17 + 9 + 7 + 36 and four gaps: 100. With 18 places of the id 82,
    # which is one too many for 81, and with minutes alone 79.
    assert calls_text([record], Page(82), UTC_ZONE).splitlines()[2] == (
        f"2026-11-01 00:00:00   gpt-4o-2024-08-06   $0.003000   success   {ID[:18]}"
    )
    assert calls_text([record], Page(81), UTC_ZONE).splitlines()[2] == (
        f"2026-11-01 00:00   gpt-4o-2024-08-06   $0.003000   success   {ID[:18]}"
    )
    first, second = calls_text([record, other], Page(40), UTC_ZONE).splitlines()[2:4]
    assert (first.split()[-1], second.split()[-1]) == (ID[:22], other.id[:22])


def test_an_explanation_fits_a_narrow_terminal_and_lacks_no_number(record: Record) -> None:
    record = replace(record, session="a-session-of-twenty-four")
    text = explain_text(record, Page(40), UTC_ZONE)
    assert max(map(len, text.splitlines())) <= 40
    assert "call\n  019a3c00-0000-7000-8000-000000000001\n" in text
    assert "for           user u1, session\n              a-session-of-twenty-four\n" in text
    assert (
        "input: 600 x 2.50 / 1,000,000 = 0.0015\n"
        "cache_read: 400 x 1.25 / 1,000,000 =\n  0.0005\n"
        "output: 100 x 10.00 / 1,000,000 = 0.001\n  (rate of output)\n"
        "sum: 0.003\n"
    ) in text
    each = replace(
        LINES[0], unit="web_search", quantity=3, rate=Decimal("0.01"), per=1, amount=Decimal("0.03")
    )
    priced = replace(record, charge=replace(record.charge, lines=(each,)))
    assert "web_search: 3 x 0.01 =\n  0.03" in explain_text(priced, Page(22), UTC_ZONE)


def test_with_room_for_it_the_id_is_whole(record: Record) -> None:
    for width in (None, 160):
        assert ID in calls_text([record], Page(width), UTC_ZONE)


def test_no_calls_is_said() -> None:
    assert calls_text([], Page(), UTC_ZONE) == "no calls"
