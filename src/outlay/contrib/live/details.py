"""Views of single things: calls and how their cost came about, a model's prices, and what alerts watch."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import streamlit as st

from outlay import process
from outlay.alerts.rules import rules_of
from outlay.alerts.standing import Standing, standings
from outlay.contrib.live.tables import Cell, Figure, costs_of, counted, table, timed
from outlay.contrib.live.views import Scene, literal
from outlay.core.addresses import is_server, shown
from outlay.core.query import Order, zone
from outlay.core.record import Record
from outlay.pricing.history import histories, unlisted
from outlay.pricing.lines import Line, day_of, legend, lines_of, units_of
from outlay.render.as_table import Page
from outlay.render.calls import tokens_of
from outlay.render.cells import MISSING, dollars, local_time, name
from outlay.render.explain import ALIKE, explain_text, not_one
from outlay.render.rolled import single_notes
from outlay.report.money import money

_SHOWN = 200
_NEWEST = "newest"
_ORDERS: Mapping[str, Order] = {_NEWEST: "time", "dearest": "cost", "slowest": "latency"}


def calls(scene: Scene) -> None:
    """Single calls, with search, and the explanation of one."""
    left, right = st.columns([1, 3])
    order = left.selectbox("Order", list(_ORDERS), key="calls-order")
    searched = right.text_input("Search", key="calls-search", placeholder="model, user, session, error or id")
    found = scene.ask(f"calls {order}", lambda **q: scene.reader.calls(_SHOWN, _ORDERS[order], **q))
    shown = [record for record in found if searched.strip().lower() in _text(record)]
    st.caption(f"{len(shown):,} of the {len(found):,} {order} calls")
    if order != _NEWEST or len(found) < _SHOWN:  # else daily totals, the oldest, are not asked for
        for each in single_notes(scene.picture.rolled):
            st.caption(f"{each}.")
    local = zone(scene.tz)
    _calls(shown, local)
    wanted = st.text_input(
        "Explain the cost of a call", key="calls-explain", placeholder="its id, or the start of it"
    )
    if wanted:
        record = scene.reader.get(wanted.strip())
        if record is None:
            st.error(literal(not_one(wanted.strip(), scene.reader.ids(wanted.strip(), ALIKE))))
        else:
            st.code(explain_text(record, Page(), local, scene.reader.revisions(record.id)), language=None)


def _calls(shown: Sequence[Record], local: ZoneInfo) -> None:
    rows = [
        {"calls": 1, **money({} if record.cost is None else {record.currency: record.cost})}
        for record in shown
    ]
    if shown:
        table([_call(record, local, costs) for record, costs in zip(shown, costs_of(rows), strict=True)])


def _call(record: Record, local: ZoneInfo, costs: Mapping[str, Cell]) -> dict[str, Cell]:
    return {  # what a narrow window shows comes first: what a call cost, and by which name it is explained
        "at": local_time(record.at, local),
        "model": name(record.model),
        **costs,
        "status": record.status if record.success else name(record.error_type or "error"),
        "id": record.id,
        "user": name(record.user),
        "query type": name(record.query_type),
        **dict(zip(("input", "output"), map(counted, tokens_of(record)), strict=True)),
        "latency": timed(record.latency_ms),
    }


def prices(scene: Scene) -> None:
    """What a model costs, and since when."""
    wanted = st.text_input("Model", value=scene.choice.model or "gpt-4o", key="prices-model")
    book = process.current().book()
    found = histories(book, wanted.strip())
    if not found:
        st.info(literal(name(unlisted(book, wanted.strip()))))
    for each in found:
        st.subheader(literal(f"{each.provider} {each.model}"))
        lines = lines_of(each)
        units = units_of(unit for line in lines for unit in line.rates)
        table([_price(line, units) for line in lines], lack="")
        st.caption(legend(lines, units))


def _price(line: Line, units: Sequence[str]) -> dict[str, Cell]:
    return {
        "from": day_of(line.period.start, MISSING),
        "to": day_of(line.period.end, MISSING),
        "terms": name(line.terms or MISSING),
        **{unit: _rate(line, unit) for unit in units},
        "source": name(line.source),
    }


def _rate(line: Line, unit: str) -> Figure:
    rate = line.rates.get(unit)
    return Figure(line.rate(unit), None if rate is None else float(rate.amount))


def alerts(scene: Scene) -> None:
    """The rules of outlay.toml, and how they stand now."""
    settings, now = process.current().settings, datetime.now(UTC)
    st.write("Rules stand in outlay.toml; `outlay alerts check` tells whoever they are for.")
    rules = rules_of(settings.alerts, settings.tz)
    found = standings(rules, scene.reader, now, grace=timedelta())
    rows = [_standing(each) for each in found]
    if rows:
        table(rows)
    else:
        st.caption("no rules" if not rules else "no rule has anything to tell of")
    named = settings.ledger or str(settings.home)
    place = shown(named) if is_server(named) else named
    st.code(f"ledger   {place}\nzone     {settings.tz}", language=None)


def _standing(each: Standing) -> dict[str, Cell]:
    value, limit = (Figure(_amount(each, amount), float(amount)) for amount in (each.value, each.rule.limit))
    return {
        "rule": name(each.rule.name),
        "for": ", ".join(f"{key} {name(group)}" for key, group in each.group) or "all calls",
        "stands at": value,
        "limit": limit,
        "used": Figure(f"{each.percent:.0f}%", float(each.percent)),
    }


def _amount(each: Standing, amount: Decimal) -> str:
    return f"{amount}%" if each.rule.kind == "error_rate" else dollars(amount, each.rule.currency)


def _text(record: Record) -> str:
    parts = (
        record.id,
        record.provider,
        record.model,
        record.user,
        record.session,
        record.query_type,
        record.error,
        record.error_type,
    )
    return " ".join(str(part).lower() for part in parts if part is not None)
