"""Views of single things: calls and how their cost came about, a model's prices, and what alerts watch."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import streamlit as st

from outlay import process
from outlay.alerts.rules import rules_of
from outlay.alerts.standing import Standing, standings
from outlay.contrib.live.views import Scene, literal
from outlay.core.addresses import is_server, shown
from outlay.core.query import Order, zone
from outlay.core.record import Record
from outlay.pricing.history import histories
from outlay.pricing.lines import day_of, legend, lines_of, units_of
from outlay.render.as_table import Page
from outlay.render.calls import tokens_of
from outlay.render.cells import MISSING, count, dollars, local_time, milliseconds, name
from outlay.render.explain import explain_text

_SHOWN = 200
_ORDERS: Mapping[str, Order] = {"newest": "time", "dearest": "cost", "slowest": "latency"}


def calls(scene: Scene) -> None:
    """Single calls, with search, and the explanation of one."""
    left, right = st.columns([1, 3])
    order = left.selectbox("Order", list(_ORDERS), key="calls-order")
    searched = right.text_input("Search", key="calls-search", placeholder="model, user, session, error or id")
    found = scene.ask(f"calls {order}", lambda **q: scene.reader.calls(_SHOWN, _ORDERS[order], **q))
    shown = [record for record in found if searched.strip().lower() in _text(record)]
    st.caption(f"{len(shown):,} of the {len(found):,} {order} calls")
    local = zone(scene.tz)
    st.dataframe(
        [
            {
                "at": local_time(record.at, local),
                "model": name(record.model),
                "user": name(record.user),
                "query type": name(record.query_type),
                **dict(zip(("input", "output"), map(count, tokens_of(record)), strict=True)),
                "latency": milliseconds(record.latency_ms),
                "cost": dollars(record.cost, record.currency),
                "status": record.status if record.success else name(record.error_type or "error"),
                "id": record.id,
            }
            for record in shown
        ],
        hide_index=True,
    )
    wanted = st.text_input(
        "Explain the cost of a call", key="calls-explain", placeholder="its id, or the start of it"
    )
    if wanted:
        record = scene.reader.get(wanted.strip())
        if record is None:
            st.error(literal(f"no call, or several, with the id {name(wanted.strip())}"))
        else:
            st.code(explain_text(record, Page(), local, scene.reader.revisions(record.id)), language=None)


def prices(scene: Scene) -> None:
    """What a model costs, and since when."""
    wanted = st.text_input("Model", value=scene.choice.model or "gpt-4o", key="prices-model")
    found = histories(process.current().book(), wanted.strip())
    if not found:
        st.info(literal(f"no listed price of {name(wanted.strip())} is known"))
    for each in found:
        st.subheader(literal(f"{each.provider} {each.model}"))
        lines = lines_of(each)
        units = units_of(unit for line in lines for unit in line.rates)
        st.dataframe(
            [
                {
                    "from": day_of(line.period.start, MISSING),
                    "to": day_of(line.period.end, MISSING),
                    "terms": name(line.terms or MISSING),
                    **{unit: line.rate(unit) for unit in units},
                    "source": name(line.source),
                }
                for line in lines
            ],
            hide_index=True,
        )
        st.caption(legend(lines, units))


def alerts(scene: Scene) -> None:
    """The rules of outlay.toml, and how they stand now."""
    settings, now = process.current().settings, datetime.now(UTC)
    st.write("Rules stand in outlay.toml; `outlay alerts check` tells whoever they are for.")
    rules = rules_of(settings.alerts, settings.tz)
    found = standings(rules, scene.reader, now, grace=timedelta())
    rows = [_standing(each) for each in found]
    if rows:
        st.dataframe(rows, hide_index=True)
    else:
        st.caption("no rules" if not rules else "no rule has anything to tell of")
    named = settings.ledger or str(settings.home)
    place = shown(named) if is_server(named) else named
    st.code(f"ledger   {place}\nzone     {settings.tz}", language=None)


def _standing(each: Standing) -> dict[str, str]:
    value, limit = (_amount(each, amount) for amount in (each.value, each.rule.limit))
    return {
        "rule": name(each.rule.name),
        "for": ", ".join(f"{key} {name(group)}" for key, group in each.group) or "all calls",
        "stands at": value,
        "limit": limit,
        "used": f"{each.percent:.0f}%",
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
