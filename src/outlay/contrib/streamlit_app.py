"""The live dashboard: ``outlay dashboard``, or ``streamlit run`` on this file; asks the settings' ledger."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import partial

import streamlit as st
from streamlit.errors import StreamlitAPIException

from outlay import process
from outlay.contrib.live import details, views
from outlay.contrib.live.asked import Version, answer, reader, version
from outlay.contrib.live.choice import FILTERS, PERIODS, Choice
from outlay.contrib.live.views import Scene, literal
from outlay.core.errors import OutlayError
from outlay.report import LedgerReader

VIEWS: Mapping[str, Callable[[Scene], None]] = {
    "Overview": views.overview,
    "Performance": views.performance,
    "Tokens": views.tokens,
    "Cost": views.cost,
    "Users and agents": views.people,
    "Calls": details.calls,
    "Prices": details.prices,
    "Alerts": details.alerts,
}
_FIRST = "Overview"
_EVERY = "5s"
_NAMES_SHOWN = 200  # by a filter


def main() -> None:
    """Draw the page."""
    st.set_page_config(page_title="LLM Cost Dashboard", layout="wide")
    st.title("LLM Cost Dashboard")
    with suppress(StreamlitAPIException):  # older releases have no such switch
        st.set_option("client.disableDataExport", True)  # noqa: FBT003 - its only form; floats are no money
    try:
        asked = reader()
        choice, view = _chosen(asked, version(asked))
        live = st.sidebar.toggle("Refresh while calls come in", key="live")
        st.sidebar.markdown("Figures to the last digit: `outlay report --csv`, `outlay export --format csv`.")
        st.fragment(_draw, run_every=_EVERY if live else None)(asked, choice, view)
    except OutlayError as error:
        st.error(literal(str(error)))


def _draw(asked: LedgerReader, choice: Choice, view: str) -> None:
    try:  # here, too: what is refreshed is drawn without the page around it
        VIEWS[view](Scene(asked, choice, version(asked), process.current().settings.tz))
    except OutlayError as error:
        st.error(literal(str(error)))


def _chosen(asked: LedgerReader, state: Version) -> tuple[Choice, str]:
    """Show filters and views as the address has them, and write the address as they are."""
    _take_address()
    period = st.sidebar.selectbox("Period", list(PERIODS), format_func=PERIODS.__getitem__, key="period")
    choice = Choice(period)
    for dimension, label in FILTERS.items():
        names = answer(f"names {dimension}", Choice(period), state, partial(_names, asked, choice, dimension))
        choice = choice.with_(**{dimension: _filter(names, dimension, label)})
    view = st.sidebar.radio("View", list(VIEWS), key="view")
    st.query_params.from_dict({**choice.address(), **({} if view == _FIRST else {"view": view})})
    st.session_state["address"] = st.query_params.to_dict()
    return choice, view


def _take_address() -> None:
    """Choose what the address says, where it is another one than we wrote: a link, or a way back."""
    said = st.query_params.to_dict()
    if said == st.session_state.get("address"):
        return
    st.session_state.update(asdict(Choice.read(said)))
    st.session_state["view"] = said["view"] if said.get("view") in VIEWS else _FIRST


def _names(asked: LedgerReader, choice: Choice, dimension: str) -> list[str]:
    """Give what can be chosen in a period, whatever else is chosen: that of most calls first."""
    rows = asked.rows(dimension, since=choice.question("UTC")["since"], detail="counts").rows
    known = [row for row in rows if row[dimension] is not None]
    known.sort(key=lambda row: -row["calls"])
    return [str(row[dimension]) for row in known[:_NAMES_SHOWN]]


def _filter(names: list[str], dimension: str, label: str) -> str | None:
    wanted = st.session_state[dimension]
    shown = names if wanted is None or wanted in names else [wanted, *names]
    found: str | None = st.sidebar.selectbox(label, shown, index=None, placeholder="all", key=dimension)
    return found


if __name__ == "__main__":
    main()
