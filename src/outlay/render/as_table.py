"""Tables for people: right-aligned numbers, as wide as the terminal, plain in a pipe."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # takes longer to load than most questions to answer, and JSON and CSV need none of it
    from rich.table import Table
    from rich.text import Text

_GAP = 3  # between two columns
_NARROWEST = 12  # names are cut down to this before a whole column is left out


@dataclass(frozen=True, slots=True)
class Page:
    """Where text is shown: how wide, and whether colours are understood."""

    width: int | None = None  # None: no edge, as in a pipe
    color: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, its cells, and how readily it is left out where room is short."""

    heading: str
    cells: tuple[str, ...]
    text: bool = False  # names stand left and may be cut; numbers stand right and never are
    spare: int = 0  # 0: always shown; the highest goes first
    styles: tuple[str, ...] = ()  # rich's, one a cell, where colours are understood; none: plain

    @property
    def width(self) -> int:
        """The room that this column needs."""
        from rich.cells import cell_len  # noqa: PLC0415 - see above

        return max(cell_len(self.heading), *(cell_len(cell) for cell in self.cells), 1)

    @property
    def least(self) -> int:
        """The room without which it is of no use."""
        return min(self.width, max(_NARROWEST, len(self.heading))) if self.text else self.width


def table(columns: Sequence[Column], page: Page, *, total: bool = False) -> str:
    """Lay columns out as text; with ``total`` the last row is set off from the others by a rule."""
    from rich import box  # noqa: PLC0415 - see above
    from rich.table import Table  # noqa: PLC0415 - likewise
    from rich.text import Text  # noqa: PLC0415 - likewise

    shown = fitting(columns, page.width)
    grid = Table(
        box=box.SIMPLE,
        pad_edge=False,
        show_edge=False,
        header_style="bold",
        footer_style="bold",
        show_footer=total,
    )
    wide = widths(shown, page.width)
    for column, width in zip(shown, wide, strict=True):
        grid.add_column(
            Text(column.heading),
            Text(column.cells[-1]) if total else "",
            justify="left" if column.text else "right",
            no_wrap=True,
            overflow="ellipsis",
            width=width,
        )
    rows = list(zip(*(_styled(column) for column in shown), strict=True))
    for row in rows[:-1] if total else rows:
        grid.add_row(*row)
    return _draw(grid, sum(wide) + _GAP * len(wide), color=page.color)


def _styled(column: Column) -> "list[Text]":
    from rich.text import Text  # noqa: PLC0415 - see above

    styles = column.styles or ("",) * len(column.cells)
    return [Text(cell, style) for cell, style in zip(column.cells, styles, strict=True)]


def fitting(columns: Sequence[Column], width: int | None) -> list[Column]:
    """Leave out columns, the most readily spared first, until the rest has room."""
    shown = list(columns)
    while width is not None and sum(each.least + _GAP for each in shown) - _GAP > width:
        spared = max(shown, key=lambda each: each.spare)
        if not spared.spare:
            break
        shown.remove(spared)
    return shown


def widths(shown: Sequence[Column], width: int | None) -> list[int]:
    """Give every column the room it needs; where there is too little, the widest names are cut first."""
    wide = [each.width for each in shown]
    while width is not None and sum(wide) + _GAP * (len(wide) - 1) > width:
        excess = [size - each.least for size, each in zip(wide, shown, strict=True)]
        if not any(excess):
            break
        wide[max(range(len(wide)), key=lambda place: (excess[place] > 0, wide[place]))] -= 1
    return wide


def _draw(grid: "Table", width: int, *, color: bool) -> str:
    """Draw with rich; no trailing blanks."""
    from rich.console import Console  # noqa: PLC0415 - see above

    console = Console(
        file=StringIO(),
        width=width,
        force_terminal=color,
        force_jupyter=False,  # in a notebook too the text is what is wanted, and nothing shown beside it
        no_color=not color,
        color_system="standard" if color else None,
        legacy_windows=False,
        highlight=False,
    )
    with console.capture() as captured:
        console.print(grid)
    return "\n".join(line.rstrip() for line in captured.get().rstrip().splitlines())
