"""The picture as PNG: daily cost, cost by model, latency distribution and success rate, by matplotlib."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING, Any
from warnings import catch_warnings, filterwarnings

from outlay.core.errors import MissingExtraError
from outlay.core.money import total
from outlay.render.cells import latency_labels, many, name, short
from outlay.render.rolled import KEPT
from outlay.report.money import amounts
from outlay.report.picture import Picture
from outlay.report.rolled import gone_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INCHES, _DPI = (12, 8), 100  # 1200 x 800
_BLUE, _ORANGE, _GREY = "#0072B2", "#D55E00", "#6b6b6b"  # told apart by colour-blind people too
_BARS = 10  # models shown one by one
_TICKS = 8
_SIX = 0.000001
_LARGE = ((1e12, "T"), (1e9, "B"), (1e6, "M"))
_NO_CALLS = "no calls yet"
PRUNED = "not known of calls that were pruned"  # what latencies are


def png_bytes(picture: Picture) -> bytes:
    """Draw the picture, 1200 by 800.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - an extra
        from matplotlib.figure import Figure  # noqa: PLC0415 - likewise
    except ImportError:
        raise MissingExtraError.of("png", "matplotlib") from None
    figure = Figure(figsize=_INCHES, dpi=_DPI, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    (days, models), (latency, success) = figure.subplots(2, 2)
    _daily(days, picture)
    _by_model(models, picture)
    _latencies(latency, picture)
    _outcomes(success, picture)
    if left_out := note(picture):
        figure.text(0.01, 0.005, _literal(left_out), fontsize=9, color=_ORANGE, ha="left", va="bottom")
        figure.get_layout_engine().set(rect=(0, 0.03, 1, 0.97))  # type: ignore[union-attr,call-arg]  # constrained
    out = BytesIO()
    with catch_warnings():  # a sign that the font lacks is a box, and no matter of the program's
        filterwarnings("ignore", "Glyph .* missing", UserWarning)
        figure.savefig(out, format="png")
    return out.getvalue()


def note(picture: Picture) -> str:
    """Say what the costs in the picture leave out; nothing if nothing."""
    parts = []
    lacking = [each for each in picture.price_gaps if not each.extrapolated]
    if unknown := sum(each.calls for each in lacking):
        models = dict.fromkeys(short(name(each.model)) for each in lacking)
        shown = ", ".join(list(models)[:3]) + (", …" if len(models) > 3 else "")  # noqa: PLR2004 - fits the line
        errors = sum(each.errors for each in lacking)
        calls = many(unknown, "call") + (f" ({errors:,} failed)" if errors else "")
        parts.append(f"without {calls} whose cost is {_how(unknown, picture)} ({shown})")
    if picture.others:
        parts.append(f"without amounts in {', '.join(picture.others)}")
    if picture.rolled_unknown:
        gone = " and ".join(gone_of(picture.query))
        parts.append(f"without {many(picture.rolled_unknown, 'call')} {KEPT}, of unknown {gone}")
    if later := sum(each.calls for each in picture.price_gaps if each.extrapolated):
        parts.append(f"at a price of a later day for {many(later, 'call')}")
    return f"Costs are {' and '.join(parts)}" if parts else ""


def _how(lacking: int, picture: Picture) -> str:
    return "unknown" if lacking == picture.total["unpriced_calls"] else "not, or not wholly, known"


def sign(picture: Picture) -> str:
    """Give the sign of the picture's currency."""
    return "$" if picture.currency == "USD" else picture.currency


def _daily(axes: "Axes", picture: Picture) -> None:
    _head(axes, "Daily Cost")
    axes.set_ylabel(f"Cost ({sign(picture)})")
    if not picture.days:
        return _nothing(axes)
    axes.yaxis.set_major_formatter(_tick)
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415 - an extra

    days = [date.fromisoformat(row["day"]) for row in picture.days]
    costs = [
        float("nan") if (amount := picture.amount(row)) is None else float(amount) for row in picture.days
    ]
    marker = "o" if len(days) <= 31 else None  # noqa: PLR2004 - a month of dots can still be told apart
    axes.plot(days, costs, color=_BLUE, marker=marker, markersize=4)  # type: ignore[arg-type]  # dates are units
    axes.set_ylim(bottom=min((cost for cost in costs if cost < 0), default=0.0))
    if min(date.max - days[-1], days[0] - date.min) < days[-1] - days[0]:  # no room there for a margin
        axes.margins(x=0)
    if len(days) == 1:  # left to itself the axis would show years, and the day somewhere between them
        axes.set_xticks(days, [days[0].isoformat()])  # type: ignore[arg-type]  # dates are units
        return None
    few = min(3, (days[-1] - days[0]).days)  # else the one end of a month, or year, would do, and be an hour
    locator = AutoDateLocator(minticks=few, maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    return None


def _by_model(axes: "Axes", picture: Picture) -> None:
    _head(axes, "Cost by Model")
    axes.set_xlabel(f"Total Cost ({sign(picture)})")
    if not picture.models:
        return _nothing(axes)
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - an extra

    axes.xaxis.set_major_locator(MaxNLocator(nbins=4))  # 100,000 and 150,000 would run together
    axes.xaxis.set_major_formatter(_tick)
    labels, costs = model_bars(picture)
    places = range(len(labels))
    axes.barh(places, [cost or 0.0 for cost in costs], color=_BLUE)
    axes.set_yticks(places, [_literal(label) for label in labels], fontsize=9)
    axes.invert_yaxis()
    for place, cost in zip(places, costs, strict=True):
        if cost is None:  # its label says why; a figure would say 0
            continue
        axes.annotate(
            _figure(cost),
            (max(cost, 0.0), place),
            (3, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    axes.margins(x=0.15)
    return None


def _figure(cost: float) -> str:
    """Write an amount out: neither 1.2e+04 nor 4.2e-05 is read as money, and 0.000000 is none."""
    if abs(cost) >= 1:
        return f"{cost:,.2f}"
    return f"{cost:.6f}" if not cost or abs(cost) >= _SIX else f"{Decimal(f'{cost:.1e}'):f}"


def _tick(amount: float, _place: float) -> str:
    """Write an amount below or beside an axis: 100M is read as money, 1.0 with 1e8 at the corner is not."""
    size, sign = next(((size, sign) for size, sign in _LARGE if abs(amount) >= size), (1.0, ""))
    return f"{Decimal(f'{amount / size + 0.0:.6g}'):,f}{sign}"


def model_bars(picture: Picture) -> tuple[list[str], list[float | None]]:
    """Give the dearest models with their costs; the rest stands together, what has no cost here is None."""
    known: list[tuple[str, Decimal]] = []
    elsewhere: list[tuple[str, Iterable[str]]] = []  # in other money
    unknown: list[str] = []
    for row in picture.by_model():
        label, told, amount = short(name(row["model"])), amounts(row), picture.bar(row)
        if amount is not None:
            known.append((label, amount))
        elif told:
            elsewhere.append((label, told))
        else:
            unknown.append(label)
    shown, rest = (known, []) if len(known) <= _BARS else (known[: _BARS - 1], known[_BARS - 1 :])
    bars: list[tuple[str, float | None]] = [(label, float(amount)) for label, amount in shown]
    if rest:
        bars.append((f"{len(rest)} others", float(total(amount for _, amount in rest))))
    if elsewhere:
        money = ", ".join(sorted({name(each) for _, told in elsewhere for each in told}))
        bars.append((_without_bar([label for label, _ in elsewhere], f"in {money}"), None))
    if unknown:
        bars.append((_without_bar(unknown, "unknown"), None))
    return [label for label, _ in bars], [cost for _, cost in bars]


def _without_bar(models: Sequence[str], why: str) -> str:
    return f"{models[0] if len(models) == 1 else f'{len(models)} models'}: {why}"


def _latencies(axes: "Axes", picture: Picture) -> None:
    _head(axes, "Latency Distribution")
    axes.set_xlabel("Latency")
    axes.set_ylabel("Calls")
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - an extra

    if picture.rolled and not picture.latencies:
        return _nothing(axes, PRUNED)
    spread = latency_bars(picture.latencies)
    if not spread:
        return _nothing(axes, "no latency is known" if picture.total["calls"] else _NO_CALLS)
    if lacking := untimed(picture):
        axes.set_xlabel(f"Latency ({lacking})")
    labels, counts = zip(*spread, strict=True)
    places = range(len(labels))
    axes.bar(places, counts, width=1, color=_BLUE, edgecolor="white")
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.yaxis.set_major_formatter("{x:,.0f}")
    step = -(-len(labels) // _TICKS)
    axes.set_xticks(places[::step], labels[::step], fontsize=9)
    return None


def latency_bars(latencies: Sequence[int]) -> list[tuple[str, int]]:
    """Give the buckets from the first with a call to the last, each with its name."""
    filled = [place for place, calls in enumerate(latencies) if calls]
    named = list(zip(latency_labels(), latencies, strict=True)) if filled else []
    return named[filled[0] : filled[-1] + 1] if filled else []


def untimed(picture: Picture) -> str:
    """Say how many calls no bar of latencies counts; nothing if all are counted."""
    return f"{many(picture.untimed, 'call has', 'calls have')} none" if picture.untimed else ""


def _outcomes(axes: "Axes", picture: Picture) -> None:
    _head(axes, "Success Rate")
    axes.axis("off")
    calls, errors = picture.total["calls"], picture.total["errors"]
    if not calls:
        return _nothing(axes)
    parts: list[tuple[str, int, Any]] = [("success", calls - errors, _BLUE), ("error", errors, _ORANGE)]
    shown = [(label, count, colour) for label, count, colour in parts if count]
    _, *texts = axes.pie(
        [count for _, count, _ in shown],
        labels=[f"{label} ({count:,})" for label, count, _ in shown],
        colors=[colour for _, _, colour in shown],
        autopct="%1.1f%%",
        startangle=90,
        counterclock=False,
        textprops={"fontsize": 10},
    )
    for share in texts[-1]:
        share.set_color("white")
    return None


def _head(axes: "Axes", title: str) -> None:
    axes.set_title(title, fontsize=12, fontweight="bold")
    axes.spines[["top", "right"]].set_visible(False)


def _nothing(axes: "Axes", why: str = _NO_CALLS) -> None:
    axes.text(0.5, 0.5, why, transform=axes.transAxes, ha="center", va="center", color=_GREY)
    axes.set_xticks([])
    axes.set_yticks([])


def _literal(text: str) -> str:
    """Keep matplotlib from reading what stands between two dollars as a formula, which may be none."""
    return text.replace("$", r"\$")
