"""The live view of ``outlay watch``: a Textual application over a ``report.live.Live``."""

from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from outlay.core.errors import MissingExtraError
from outlay.core.record import Record
from outlay.journal import Follower
from outlay.render.calls import status_of, tokens_of
from outlay.render.cells import count, dollars, milliseconds, name, sums
from outlay.report.live import Live, Sum

try:
    from rich.text import Text
    from textual.app import App, ComposeResult
    from textual.binding import Binding
    from textual.containers import Horizontal
    from textual.css.query import NoMatches
    from textual.widgets import DataTable, Footer, Header, Sparkline, Static
except ImportError:
    raise MissingExtraError.of("watch", "textual") from None

_EVERY = 0.5
# What a narrow terminal cuts off is on the right.
_MODELS = ("cost", "model", "calls", "tokens", "errors", "no price")
_CALLS = ("at", "cost", "model", "latency", "status", "in", "out", "user")
_BESIDE = 130  # columns from which both tables have room beside each other
_SHOWN = 100


class WatchApp(App[None]):
    """Totals since the start, the last hour minute by minute, models, and the latest calls."""

    TITLE = "outlay watch"
    BINDINGS = [  # noqa: RUF012 - Textual's own form
        ("q", "quit", "Quit"),
        ("c", "clear", "Start over"),
        Binding("ctrl+c", "interrupt", show=False, priority=True),  # which Textual keeps for copying
    ]
    CSS = """
    #totals { height: 3; padding: 1 2 0 2; text-style: bold; }
    #minutes { height: 3; margin: 0 2; }
    #tables { height: 1fr; }
    #models { width: 2fr; }
    #calls { width: 3fr; }
    .-narrow #tables { layout: vertical; }
    .-narrow #models { width: 1fr; height: 1fr; }
    .-narrow #calls { width: 1fr; height: 2fr; }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_BESIDE, "-wide")]  # noqa: RUF012 - Textual's own form

    def __init__(self, follower: Follower, tz: ZoneInfo, place: str, seconds: float | None = None) -> None:
        super().__init__()
        self._follower = follower
        self._tz = tz
        self._seconds = seconds
        self.sub_title = place
        self.live = Live(datetime.now(UTC))
        self.interrupted = False

    def compose(self) -> ComposeResult:
        """Lay the parts out."""
        yield Header()
        yield Static(id="totals", markup=False)
        yield Sparkline(id="minutes", summary_function=max)
        with Horizontal(id="tables"):
            yield DataTable(id="models", cursor_type="none")
            yield DataTable(id="calls", cursor_type="none")
        yield Footer()

    def on_mount(self) -> None:
        """Begin to look."""
        self.query_one("#models", DataTable).add_columns(*_MODELS)
        self.query_one("#calls", DataTable).add_columns(*_CALLS)
        self.set_interval(_EVERY, self.look)
        if self._seconds is not None:
            self.set_timer(self._seconds, self.exit)
        self.look()

    def look(self) -> None:
        """Take what came in, and draw it."""
        came = self.live.take(self._follower.poll())
        with suppress(NoMatches):  # a tick that comes while the view is taken down
            self._draw(changed=came > 0)

    def action_clear(self) -> None:
        """Count from now on."""
        self.live = Live(datetime.now(UTC))
        self._draw(changed=True)

    def action_interrupt(self) -> None:
        """End as Ctrl-C ends every other command; a terminal in Textual's hands sends no signal."""
        self.interrupted = True
        self.exit()

    def _draw(self, *, changed: bool) -> None:
        self.query_one("#totals", Static).update(totals_text(self.live.total, self.live.since, self._tz))
        minutes = self.live.minutes(datetime.now(UTC))
        self.query_one("#minutes", Sparkline).data = [each.calls for _, each in minutes]
        if changed:
            self._tables()

    def _tables(self) -> None:
        models = self.query_one("#models", DataTable)
        models.clear()
        for (provider, model), own in self.live.dearest():
            models.add_row(*_literal(_cost(own), f"{name(provider)} {name(model)}", *_figures(own)))
        calls = self.query_one("#calls", DataTable)
        calls.clear()
        for record in list(self.live.latest)[-_SHOWN:][::-1]:
            calls.add_row(*_literal(*call_cells(record, self._tz)))


def _literal(*cells: str) -> tuple[Text, ...]:
    """Keep Textual from reading brackets in a name as markup, which may be none: it would end the view."""
    return tuple(map(Text, cells))


def totals_text(total: Sum, since: datetime, tz: ZoneInfo) -> str:
    """Say what came in since when."""
    parts = [
        f"{count(total.calls)} calls since {since.astimezone(tz):%H:%M:%S}",
        _cost(total) if total.costs else "$0.000000" if not total.calls else "cost unknown",
        f"{count(total.errors)} errors",
        f"{count(total.tokens)} tokens",
        *([f"{count(total.unpriced)} of unknown cost"] if total.unpriced else []),
        *([f"{count(total.partial)} priced in part"] if total.partial else []),
        *([f"{count(total.extrapolated)} at a price of later"] if total.extrapolated else []),
    ]
    return "   ".join(parts)


def call_cells(record: Record, tz: ZoneInfo) -> tuple[str, ...]:
    """Give a call's cells."""
    return (
        f"{record.at.astimezone(tz):%H:%M:%S}",
        dollars(record.cost, record.currency),
        name(record.model),
        milliseconds(record.latency_ms),
        status_of(record),
        *map(count, tokens_of(record)),
        name(record.user),
    )


def _cost(own: Sum) -> str:
    return sums(next(iter(own.costs.values()), None), own.costs if set(own.costs) - {"USD"} else None)


def _figures(own: Sum) -> tuple[str, ...]:
    return count(own.calls), count(own.tokens), count(own.errors), count(own.unpriced)


def show_live(follower: Follower, tz: ZoneInfo, place: str, seconds: float | None) -> None:
    """Run the view until it is ended.

    Raises:
        KeyboardInterrupt: it was ended by Ctrl-C.
    """
    app = WatchApp(follower, tz, place, seconds)
    app.run()
    if app.interrupted:
        raise KeyboardInterrupt
