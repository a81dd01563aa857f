"""The views of the live dashboard; each number is the ledger's answer to one question."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import streamlit as st

from outlay.contrib.live.asked import Version, answer
from outlay.contrib.live.choice import Choice
from outlay.contrib.live.tables import Cell, costs_of, counted, shared, table, timed
from outlay.core.query import Row
from outlay.render.cells import count, dollars, name, sums
from outlay.render.figures import layouts, ranked, stacked
from outlay.render.png import PRUNED, latency_bars, note, sign, untimed
from outlay.render.sheets import tokens as told
from outlay.report import LedgerReader
from outlay.report.latency import latency_of
from outlay.report.picture import Picture, picture_of
from outlay.report.top import top_of

_MOST = 15
_MARKUP = re.compile(r"[\\`*_~$:<>\[\]&|#+!-]")
_SECOND = 1000


@dataclass(frozen=True, slots=True)
class Scene:
    """What a view is drawn from: whom to ask, what was chosen, and the ledger's state."""

    reader: LedgerReader
    choice: Choice
    state: Version
    tz: str

    def ask(self, what: str, ask: Any) -> Any:
        """Give an answer for this choice and state."""
        return answer(what, self.choice, self.state, lambda: ask(**self.choice.question(self.tz)))

    @property
    def picture(self) -> Picture:
        """Give the picture of the period."""
        found: Picture = self.ask("picture", lambda **q: picture_of(self.reader, **q))
        return found


def literal(text: str) -> str:
    """Write a text so that Streamlit shows it as it is: its Markdown has colours and formulas, too."""
    return _MARKUP.sub(r"\\\g<0>", text)


def overview(scene: Scene) -> None:
    """The first view: four metrics, the daily trend, cost by model."""
    picture = scene.picture
    total = picture.total
    columns = st.columns(4)
    exact = sums(total["cost"], total.get("costs")) if total["calls"] else dollars(Decimal(0))
    columns[0].metric("Total Cost", _short(picture), help=literal(exact))
    columns[1].metric("Queries", count(total["calls"]))
    mean = total["avg_latency_ms"]
    columns[2].metric("Avg Latency", "-" if mean is None else f"{mean / _SECOND:.2f}s")
    columns[3].metric("Success Rate", _rate(total))
    if left_out := note(picture):
        st.warning(literal(f"{left_out}."))
    layout = layouts(sign(picture))
    st.subheader("Daily Cost Trend")
    _chart(
        "daily",
        stacked(
            {"cost": ([row["day"] for row in picture.days], _costs(picture, picture.days))},
            layout["daily"],
            _lack(picture.days),
        ),
    )
    st.subheader("Cost by Model")
    models = picture.by_model()
    _chart("models", _ranked(picture, models, "model", layout["models"]))
    _more(len(models) - _MOST)


def performance(scene: Scene) -> None:
    """How long calls take, and whether they work."""
    picture = scene.picture
    layout = layouts(sign(picture))
    st.subheader("Latency Distribution")
    bars = latency_bars(picture.latencies)
    _chart(
        "latency",
        stacked(
            {"calls": ([label for label, _ in bars], [calls for _, calls in bars])},
            layout["latency"],
            PRUNED if picture.rolled else "no latency is known" if picture.total["calls"] else "no calls",
            counts=True,
        ),
    )
    if lacking := untimed(picture):
        st.caption(f"Of latencies {lacking}.")
    st.subheader("Calls that worked, and errors")
    days = [row["day"] for row in picture.days]
    worked = [row["calls"] - row["errors"] for row in picture.days]
    _chart(
        "success",
        stacked(
            {"worked": (days, worked), "errors": (days, [row["errors"] for row in picture.days])},
            layout["success"],
            counts=True,
        ),
    )
    st.subheader("Latency by model")
    found = scene.ask("latency", lambda **q: latency_of(scene.reader, "model", **q))
    names = {
        "p50": "p50_latency_ms",
        "p90": "p90_latency_ms",
        "p95": "p95_latency_ms",
        "p99": "p99_latency_ms",
        "max": "max_latency_ms",
        "first token": "p50_first_token_ms",
    }
    _table(
        [
            {
                "model": name(row["model"]),
                "calls": counted(row["calls"]),
                **{heading: timed(row[each]) for heading, each in names.items()},
                f"over {found.slow_ms / _SECOND:g} s": counted(row["slow_calls"]),
            }
            for row in found.rows
        ]
    )


def tokens(scene: Scene) -> None:
    """What was read, cached and written."""
    picture = scene.picture
    days = [row["day"] for row in picture.days]
    series = {
        "input": (days, [row["input_tokens"] - row["cached_tokens"] for row in picture.days]),
        "from cache": (days, [row["cached_tokens"] for row in picture.days]),
        "output": (days, [row["output_tokens"] for row in picture.days]),
    }
    _chart("tokens", stacked(series, layouts(sign(picture))["tokens"]))
    _table([_tokens(row) for row in picture.models])


def _tokens(row: Row) -> dict[str, Cell]:
    return {
        "provider": name(row["provider"]),
        "model": name(row["model"]),
        "input": counted(told(row, "input_tokens")),
        "cached": counted(told(row, "cached_tokens")),
        "cache hit rate": shared(row["cache_hit_rate"]),
        "output": counted(told(row, "output_tokens")),
        "reasoning": counted(told(row, "reasoning_tokens")),
    }


def cost(scene: Scene) -> None:
    """Where the money goes: by model, query type and feature."""
    picture = scene.picture
    for title, of in (("By model", "models"), ("By query type", "query_type"), ("By feature", "features")):
        st.subheader(title)
        found = scene.ask(f"top {of}", lambda of=of, **q: top_of(scene.reader, of, limit=_MOST, **q))
        key = found.query.by[0]
        _chart(f"cost-{of}", _ranked(picture, found.rows, key, layouts(sign(picture))["features"]))
        _table(_money(found.rows, key))
        _more(found.left_out)


def people(scene: Scene) -> None:
    """Whom the calls were for: users, sessions, agents."""
    for title, of in (
        ("Users", "users"),
        ("Sessions", "sessions"),
        ("Agents", "agent"),
        ("Workspaces", "workspace"),
    ):
        st.subheader(title)
        found = scene.ask(f"top {of}", lambda of=of, **q: top_of(scene.reader, of, limit=_MOST, **q))
        key = found.query.by[0]
        _table(_money(found.rows, key))
        _more(found.left_out)


def _short(picture: Picture) -> str:
    """Show the total in the few digits that a tile holds: cents from one dollar on, else six places."""
    amount = picture.amount(picture.total) if picture.total["calls"] else Decimal(0)
    if amount is None or amount < 1:
        return dollars(amount, picture.currency)
    return f"${amount:,.2f}" if picture.currency == "USD" else f"{amount:,.2f} {picture.currency}"


def _money(rows: Sequence[Row], key: str) -> list[dict[str, Cell]]:
    return [
        {
            _heading(key): name(row[key]),
            "calls": counted(row["calls"]),
            "errors": counted(row["errors"]),
            "of unknown cost": counted(row["unpriced_calls"]),
            **costs,
            "share": shared(row["share"]),
        }
        for row, costs in zip(rows, costs_of(rows), strict=True)
    ]


def _heading(dimension: str) -> str:
    """Give a dimension's name in plain words."""
    return dimension.removeprefix("tag:").replace("_", " ")


def _costs(picture: Picture, rows: Sequence[Row]) -> list[float | None]:
    amounts = [picture.amount(row) for row in rows]
    return [None if amount is None else float(amount) for amount in amounts]


def _ranked(picture: Picture, rows: Sequence[Row], key: str, layout: Any) -> dict[str, Any]:
    known = [
        (name(row[key]), float(amount)) for row in rows[:_MOST] if (amount := picture.bar(row)) is not None
    ]
    labels, amounts = [label for label, _ in known], [amount for _, amount in known]
    return ranked(labels, amounts, layout, _lack(rows))


def _lack(rows: Sequence[Row]) -> str:
    return "no cost is known" if rows else "no calls"


def _rate(total: Row) -> str:
    return f"{100 * (total['calls'] - total['errors']) / total['calls']:.1f}%" if total["calls"] else "-"


def _chart(key: str, figure: dict[str, Any]) -> None:
    st.plotly_chart(figure, key=key, config={"displayModeBar": False})


def _table(rows: Sequence[Mapping[str, Cell]]) -> None:
    if rows:
        table(rows)
    else:
        st.caption("no calls")


def _more(left_out: int) -> None:
    if left_out > 0:
        st.caption(f"{left_out:,} more")
